/* SPDX-License-Identifier: ISC */
#ifndef RESOLVER_STATS_H
#define RESOLVER_STATS_H

/*
 * The counters of a worker, and their way to the master: a worker sends its
 * cells as numbers, the master adds them up. What a dead worker had counted
 * stays in the sum.
 */

#include <jansson.h>

#include "common/base/metrics.h"

enum stat {
	STAT_QUERIES_UDP,
	STAT_QUERIES_TCP,
	STAT_ANSWERS_NOERROR,
	STAT_ANSWERS_NXDOMAIN,
	STAT_ANSWERS_SERVFAIL,
	STAT_ANSWERS_REFUSED,
	STAT_ANSWERS_OTHER,
	STAT_TRUNCATED,
	STAT_HITS,
	STAT_MISSES,
	STAT_STALE,
	STAT_COALESCED,
	STAT_SECURE,
	STAT_INSECURE,
	STAT_BOGUS,
	STAT_FAILURES,
	STAT_DROP_MALFORMED,
	STAT_DROP_ACL,
	STAT_DROP_POLICY,
	STAT_OVER_INFLIGHT,
	STAT_OVER_CLIENT,
	STAT_OVER_ZONE,
	STAT_DEADLINE,
	STAT_EVICTIONS,
	STAT_UDP_CUT,
	STAT_UDP_SEND_ERRORS,
	STAT_TCP_ACCEPTED,
	STAT_TCP_REFUSED,
	STAT_TCP_OVER_CLIENT,
	STAT_TCP_EVICTED,
	STAT_TCP_TIMEOUTS,
	STAT_TCP_GONE,
	STAT_TCP_OPEN, /* gauges from here on */
	STAT_WAITING,
	STAT_LOOKUPS,
	STAT_CACHE_ENTRIES,
	STAT_CACHE_BYTES,
	STAT_COUNT,
};

struct stats {
	uint64_t cells[STAT_COUNT];
	struct histogram latency; /* of misses */
};

extern const struct metric_def stats_defs[STAT_COUNT];

static inline void stat_inc(struct stats *s, enum stat id)
{
	s->cells[id]++;
}

/* Counters (not gauges) and the histogram of `from` onto `into`. */
void stats_keep(struct stats *into, const struct stats *from);
/* Everything of `from` onto `into`. */
void stats_add(struct stats *into, const struct stats *from);
/* As JSON for the master, and back (false: not such an object). */
json_t *stats_encode(const struct stats *s);
bool stats_decode(const json_t *json, struct stats *out);
/* For an operator: "queries_udp": 1, ... and latencies. */
void stats_members(const struct stats *s, json_t *out);
void stats_print(const struct stats *s, struct text *out);

#endif
