/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_MISS_H
#define FRONTEND_MISS_H

/*
 * The limit on questions that go to a backend: per client, and per suffix of
 * the name, so that a flood of random names below one zone costs that zone's
 * share and no more. Pure but for the limiter; part of the policy snapshot.
 */

#include "common/dns/suffix.h"
#include "frontend/limit.h"

struct miss_limits {
	bool on; /* is there any, also for some sources only? */
	struct limit_rule client, suffix;
	unsigned labels;               /* of the suffix that counts */
	struct suffix_map *registries; /* below them one label more; or NULL */
	int action;                    /* an enum policy_action */
};

/*
 * The part of `name` whose misses are counted together (a pointer into it):
 * the route that it falls under; else what is one label below a registry;
 * else 4 labels below in-addr.arpa (a /16) and 10 below ip6.arpa (a /32);
 * else the last `labels`. The route "." does not count. `routes` may be NULL.
 */
const uint8_t *miss_suffix(const struct miss_limits *limits,
	const struct suffix_map *routes, const uint8_t *name);

enum miss_over {
	MISS_WITHIN,
	MISS_CLIENT, /* this client has too many */
	MISS_SUFFIX, /* too many below this suffix */
};

struct miss_query {
	const union addr *client;
	unsigned v4_bits, v6_bits;
	const uint8_t *name; /* lower case */
	bool apart;          /* a budget of its own: TCP under action tc */
};

/* Take a token of each; a client over its limit takes none of the suffix. */
enum miss_over miss_take(const struct miss_limits *limits,
	struct limiter *limiter, const struct suffix_map *routes,
	const struct miss_query *q, int64_t now_us);

#endif
