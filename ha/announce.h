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
 * When to announce: 0, 50, 200 ms, 1 s and 5 s after a takeover (spread out,
 * since a host ignores changes within its ARP lock time and switches limit
 * bursts), a reminder now and then, a single one on demand at most once per
 * 100 ms.
 */
struct announce_plan {
	bool active;
	unsigned step;      /* of the series; ANNOUNCE_STEPS = through */
	int64_t start_us;   /* of the series */
	int64_t last_us;    /* of the last announcement; 0 = none */
	int64_t next_us;    /* INT64_MAX = none */
	int64_t refresh_us; /* between reminders; 0 = never */
};

void announce_start(struct announce_plan *p, int64_t now_us);
void announce_remind(struct announce_plan *p, int64_t now_us);
void announce_stop(struct announce_plan *p);
/* Is one due? Then it counts as sent and the next one is planned. */
bool announce_due(struct announce_plan *p, int64_t now_us);

#endif
