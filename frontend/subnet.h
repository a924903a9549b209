/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_SUBNET_H
#define FRONTEND_SUBNET_H

/*
 * EDNS Client Subnet (RFC 7871) for pools that want it: `ecs` of a pool. What
 * is sent to the backend is part of the key of the question, so neither an
 * answer that is kept nor one that is waited for goes to another subnet. An
 * answer with scope 0 is for all subnets and kept once. Pure.
 */

#include "common/serve/serve.h"
#include "frontend/cache.h"
#include "frontend/pool.h"

/* RFC 7871 11.1: no more of an address than this. */
#define SUBNET_IP4 24
#define SUBNET_IP6 56

/* subnet_take where the pool wants it. */
bool subnet_read(const struct pool *pool, const struct serve_request *req,
	const struct edns *edns, const struct hash_key *secret,
	struct cache_key *key, struct hop *hop) MUST_CHECK;

/*
 * What the backends of `pool` are told goes into `key` (made already); the
 * client's own, which it gets back, into `hop`. `req` is a query that was
 * parsed without error, with this `edns`. False: the client's option is
 * malformed, nothing is changed.
 */
static inline bool subnet_take(const struct pool *pool,
	const struct serve_request *req, const struct edns *edns,
	const struct hash_key *secret, struct cache_key *key, struct hop *hop)
{
	return pool->ecs == POOL_ECS_STRIP ||
	       subnet_read(pool, req, edns, secret, key, hop);
}

/* cache_lookup among the answers for all subnets. `a` and `found` are left
 * alone on a miss. */
enum cache_result subnet_lookup_shared(struct cache *cache,
	const struct hash_key *secret, const struct cache_key *key,
	const struct cache_rules *rules, struct mtime now, struct answer *a,
	uint8_t *buf, struct cache_found *found);

/* cache_lookup: the subnet's own answer, else one for all. */
static inline enum cache_result subnet_lookup(struct cache *cache,
	const struct hash_key *secret, const struct cache_key *key,
	const struct cache_rules *rules, struct mtime now, struct answer *a,
	uint8_t *buf, struct cache_found *found)
{
	enum cache_result result =
		cache_lookup(cache, key, rules, now, a, buf, found);
	enum cache_result shared;

	if (result == CACHE_HIT || !(key->bits & CACHE_ECS))
		return result;
	shared = subnet_lookup_shared(
		cache, secret, key, rules, now, a, buf, found);
	return shared == CACHE_MISS ? result : shared;
}

/* cache_insert: for all subnets when the backend says so. */
bool subnet_insert(struct cache *cache, const struct hash_key *secret,
	const struct cache_key *key, const struct cache_rules *rules,
	struct mtime now, const struct answer *a);
/* cache_hold of what subnet_lookup may find. */
void subnet_hold(struct cache *cache, const struct hash_key *secret,
	const struct cache_key *key, struct mtime now, uint32_t hold_s);

#endif
