/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_OFFENDER_H
#define FRONTEND_OFFENDER_H

/*
 * What each source did within a window: how many queries, and how many of
 * its answers were NXDOMAIN or SERVFAIL. What came by TCP or with a good DNS
 * cookie is counted apart, so that nobody is blamed for queries that others
 * forge. Who passes a bound is noted once per window in a short queue, which
 * the main thread empties. A table of fixed size; any thread (striped locks,
 * held for a few instructions). It survives a reload.
 */

#include "common/net/prefix.h"

struct offenders;

#define OFFENDERS_QUEUE 64

struct offender_rules {
	uint32_t qps;          /* over the window; 0: not looked at */
	unsigned nxdomain_pct; /* of the answers, 1..100; 0: likewise */
	unsigned servfail_pct;
	uint32_t min_answers; /* in the window before shares count */
	int64_t window_us;
	unsigned v4_bits, v6_bits; /* what one source is */
};

enum offense {
	OFFENSE_RATE,
	OFFENSE_NXDOMAIN,
	OFFENSE_SERVFAIL,
};

struct offender {
	struct prefix source;
	enum offense offense;
	bool proven; /* it did so itself, for sure */
};

/* `size` sources, rounded up to a power of two, 64..2^24. NULL: no memory. */
struct offenders *offenders_new(size_t size) MUST_CHECK;
void offenders_free(struct offenders *o); /* NULL allowed */

void offenders_query(struct offenders *o, const struct offender_rules *rules,
	const union addr *client, bool proven, int64_t now_us);
void offenders_answer(struct offenders *o, const struct offender_rules *rules,
	const union addr *client, bool proven, unsigned rcode, int64_t now_us);
/* The next one noted; false: none. */
bool offenders_next(struct offenders *o, struct offender *out);
/* Those that did not fit into the queue, ever. */
uint64_t offenders_lost(const struct offenders *o);

static inline bool offender_is_watched(const struct offender_rules *rules)
{
	return rules->qps || rules->nxdomain_pct || rules->servfail_pct;
}

#endif
