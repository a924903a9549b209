/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_REGISTRY_H
#define FRONTEND_REGISTRY_H

/*
 * What outlives a policy snapshot and is found again by name: the backends'
 * shared state, the numbers of pools, the hits of rules, the secret of cookies
 * when none is configured. Main thread only.
 */

#include "common/base/err.h"
#include "common/base/hash.h"
#include "frontend/rule.h"
#include "frontend/server.h"

#define REGISTRY_POOLS 256
#define REGISTRY_HITS  1024 /* buckets */

struct registry {
	struct server *servers[SERVERS_MAX]; /* by id */
	char pools[REGISTRY_POOLS][SERVER_NAME];
	unsigned pool_count;
	struct rule_hits *hits[REGISTRY_HITS]; /* by id */
	struct hash_key cookie_secret;
};

void registry_init(struct registry *r);
void registry_fini(struct registry *r);
/* The server of this pool, name and address, with one use more; made when it
 * is new (then SERVER_TRY until health has spoken). NULL: no memory, or over
 * SERVERS_MAX. */
struct server *registry_take(struct registry *r, const char *pool,
	const char *name, const union addr *addr);
/* One use less; the last one frees it. */
void registry_give(struct registry *r, struct server *server);
/* -ENOSPC when there are too many names. */
int registry_pool_id(
	struct registry *r, const char *name, uint16_t *id) MUST_CHECK;
/* The counter of the rule with this id, with one use more; at 0 when it is
 * new. NULL: no memory. */
struct rule_hits *registry_hits_take(
	struct registry *r, uint64_t id) MUST_CHECK;
/* One use less; the last one frees it. NULL allowed. */
void registry_hits_give(struct registry *r, struct rule_hits *hits);

#endif
