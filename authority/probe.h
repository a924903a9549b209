/* SPDX-License-Identifier: ISC */
#ifndef AUTHORITY_PROBE_H
#define AUTHORITY_PROBE_H

/*
 * Proof by questions: is each zone served with the serial it should have?
 * SOA over UDP from two source ports in a row (while NSD replaces its
 * processes, old and new ones answer side by side), then over TCP. A bad
 * answer starts that zone anew; the deadline ends all.
 */

#include "common/base/err.h"
#include "common/base/metrics.h"
#include "common/dns/name.h"
#include "common/net/addr.h"
#include "common/net/loop.h"

struct probe_zone {
	const struct name *wire;
	bool absent;     /* must not be served (answered with its SOA) */
	uint32_t serial; /* else: exactly this */
};

struct probe;

/* All right: err NULL; else the first zone that is not, and why. The probe is
 * over and freed. */
typedef void (*probe_done)(void *arg, const struct err *err);

/* `zones` is copied, the names are not. `rtt` (may be NULL) gets the UDP
 * round-trip times. NULL with err: could not begin. */
struct probe *probe_start(struct loop *loop, const union addr *server,
	const struct probe_zone *zones, size_t count, int deadline_ms,
	struct histogram *rtt, probe_done done, void *arg,
	struct err *err) MUST_CHECK;
/* End it without `done`. NULL allowed. */
void probe_cancel(struct probe *probe);

/* Judge one answer to "zone SOA IN". False, with why in err: not what it
 * should be. Pure. */
bool probe_judge(const struct probe_zone *zone, const uint8_t *msg, size_t len,
	struct err *err);

#endif
