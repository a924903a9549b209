/* SPDX-License-Identifier: ISC */
#ifndef HA_ANNOUNCE_H
#define HA_ANNOUNCE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"

/*
 * Telling the LAN where an address lives now: gratuitous ARP (a request, as
 * keepalived sends it) and unsolicited neighbour advertisements. The frames
 * are pure; the sender is one AF_PACKET socket for all links; the series is
 * a small schedule under a virtual clock. One thread; no allocation.
 */

enum {
	ANNOUNCE_ARP_LEN = 42,
	ANNOUNCE_NA_LEN = 86,
	ANNOUNCE_STEPS = 5
};

/* `out` has ANNOUNCE_ARP_LEN octets. */
void announce_arp_frame(
	uint8_t *out, const uint8_t mac[6], const uint8_t ip[4]);
/* `out` has ANNOUNCE_NA_LEN octets; `router` sets the R flag. */
void announce_na_frame(
	uint8_t *out, const uint8_t mac[6], const uint8_t ip[16], bool router);

/* A send-only packet socket; -errno with a line in err. */
int announce_open(struct err *err) MUST_CHECK;
/* Announce one address once. 0 or -errno. */
int announce_send(int fd, int index, uint8_t family, const uint8_t mac[6],
	const uint8_t *ip);

/*
 * When to announce all addresses: 0, 50, 200 ms, 1 s and 5 s after a takeover
 * (spread out, since a host ignores changes within its ARP lock time and
 * switches limit bursts), a reminder now and then, a single one on demand at
 * most once per 100 ms. A round goes through the addresses in their order, the
 * anchor first, as fast as the link's bucket allows.
 */
struct announce_plan {
	bool active;
	unsigned step;      /* of the series; ANNOUNCE_STEPS = through */
	int64_t start_us;   /* of the series */
	int64_t last_us;    /* of the last announcement; 0 = none */
	int64_t next_us;    /* INT64_MAX = none */
	int64_t refresh_us; /* between reminders; 0 = never */
	bool rounding;      /* a round is not through yet */
	unsigned next;      /* its next address */
	int64_t go_on_us;   /* when the bucket allows that */
};

/*
 * What switches bear: a burst, then so many a second, on each link for all of
 * its virtual routers. The anchor of each is never held back.
 */
enum {
	ANNOUNCE_BURST = 64,
	ANNOUNCE_GAP_US = 500,
	ANNOUNCE_LINKS = 32
};

struct announce_bucket {
	int index;      /* of the link */
	int64_t due_us; /* of the next one, were there no burst */
};

struct announce_links {
	struct announce_bucket buckets[ANNOUNCE_LINKS];
};

void announce_start(struct announce_plan *p, int64_t now_us);
void announce_remind(struct announce_plan *p, int64_t now_us);
void announce_stop(struct announce_plan *p);
/* Is a round due? Then it begins, and the next one is planned. */
bool announce_due(struct announce_plan *p, int64_t now_us);
/* The address to announce now on link `index`, 0 to count - 1; -1: none, the
 * round is through or goes on at announce_deadline(). */
int announce_next(struct announce_plan *p, struct announce_links *links,
	int index, unsigned count, int64_t now_us);
/* INT64_MAX: nothing is planned. */
int64_t announce_deadline(const struct announce_plan *p);

#endif
