/* SPDX-License-Identifier: ISC */
#ifndef HA_NEIGHBOUR_H
#define HA_NEIGHBOUR_H

#include "ha/ask.h"
#include "ha/config.h"
#include "ha/poll.h"
#include "ha/track.h"

/*
 * What ARP on the service link tells: whether the gateway answers, and
 * whether somebody else claims one of our addresses (RFC 5227). IPv4 only.
 * A filter in the kernel lets through nothing but senders that matter.
 * Real-time thread, but for neighbour_socket; no allocation.
 */

enum {
	NEIGHBOUR_FRAME = 42
};

/* Who speaks in an ARP packet. */
struct neighbour_arp {
	uint8_t mac[6];
	uint8_t ip[4];
};

struct neighbour {
	struct poll *poll;
	struct poll_item item;
	int index;
	uint8_t mac[6]; /* ours */
	bool has_gateway;
	uint8_t gateway[4];
	struct track_probe judge;
	bool answered; /* since the last question */
	bool proven;   /* the gateway answered since neighbour_open */
	bool asked;
	int64_t next_us;  /* next question */
	struct ask ask;   /* a silent master */
	int64_t rival_us; /* ARP of an address by another host: last */
	/* Somebody claims an address: first seen then; 0 = nobody. */
	int64_t conflict_us;
	uint8_t thief[6];
	uint64_t conflicts;
};

/* Sender of an ARP packet over Ethernet for IPv4; false when it is none. */
bool neighbour_parse(
	const uint8_t *frame, size_t len, struct neighbour_arp *out);
/* "Who has `target`? Tell `source`." */
void neighbour_question(uint8_t out[NEIGHBOUR_FRAME], const uint8_t mac[6],
	const uint8_t source[4], const uint8_t target[4]);

void neighbour_init(struct neighbour *n, struct poll *poll);
/* A socket on link `index`, through which nothing comes before neighbour_open;
 * -errno. Any thread. */
int neighbour_socket(int index) MUST_CHECK;
/* Listen by `fd`, a neighbour_socket of that link which stays the caller's, for
 * the instance's addresses and gateway, also when it does already. -errno: it
 * does not then. */
int neighbour_open(struct neighbour *n, const struct config_instance *conf,
	int fd, int index, const uint8_t mac[6], int64_t now_us) MUST_CHECK;
/* Before the socket is closed. */
void neighbour_close(struct neighbour *n);
/* Ask the gateway when it is time to. */
void neighbour_tick(
	struct neighbour *n, const uint8_t source[4], int64_t now_us);
int64_t neighbour_deadline(const struct neighbour *n);
/* Lost: the last three questions were not answered. */
enum track_gateway neighbour_gateway(const struct neighbour *n);

/* As a backup, whose master of that interval was heard last at `heard_us` (0:
 * no master): ask who has `vip` when it is overdue. True, once, when nobody
 * has. Part of neighbour_deadline. */
bool neighbour_master_gone(struct neighbour *n, int64_t heard_us,
	uint32_t interval_us, const uint8_t source[4], const uint8_t vip[4],
	int64_t now_us);

#endif
