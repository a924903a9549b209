/* SPDX-License-Identifier: ISC */
/* Whose subnet a question is asked for, and who shares its answer. */

#include "frontend/subnet.h"

static void make_own(struct ecs *ecs, const union addr *client)
{
	const uint8_t *ip;
	size_t len = addr_octets(client, &ip);

	ecs_make(ecs, ip, len, len == 4 ? SUBNET_IP4 : SUBNET_IP6);
}

bool subnet_read(const struct pool *pool, const struct serve_request *req,
	const struct edns *edns, const struct hash_key *secret,
	struct cache_key *key, struct hop *hop)
{
	struct ecs ecs;
	uint8_t scope;

	if (edns->ecs_offset) {
		/* a query has scope 0: RFC 7871 6 */
		if (!ecs_read(req->msg + edns->ecs_offset, edns->ecs_len, &ecs,
			    &scope) ||
			scope != 0)
			return false;
		hop_add_ecs(hop, &ecs);
	} else if (pool->ecs == POOL_ECS_ADD) {
		make_own(&ecs, &req->peer.client);
	} else {
		return true;
	}
	cache_key_set_ecs(secret, key, &ecs);
	return true;
}

enum cache_result subnet_lookup_shared(struct cache *cache,
	const struct hash_key *secret, const struct cache_key *key,
	const struct cache_rules *rules, struct mtime now, struct answer *a,
	uint8_t *buf, struct cache_found *found)
{
	struct cache_key shared;

	if (cache_key_ecs(key)->source == 0)
		return CACHE_MISS;
	cache_key_share(secret, key, &shared);
	return cache_lookup(cache, &shared, rules, now, a, buf, found);
}

/* No scope at all is scope 0 (RFC 7871 7.3). What is for /0 is so because it
 * was asked so, and for others who do (7.3.1). Failures are for who had them.
 */
static bool is_shared(const struct cache_key *key, const struct answer *a)
{
	return (key->bits & CACHE_ECS) && a->scope == 0 &&
	       cache_key_ecs(key)->source != 0 &&
	       a->info.kind != ANSWER_FAILURE &&
	       a->info.kind != ANSWER_TRUNCATED;
}

bool subnet_insert(struct cache *cache, const struct hash_key *secret,
	const struct cache_key *key, const struct cache_rules *rules,
	struct mtime now, const struct answer *a)
{
	struct cache_key shared;

	if (is_shared(key, a)) {
		cache_key_share(secret, key, &shared);
		key = &shared;
	}
	return cache_insert(cache, key, rules, now, a);
}

void subnet_hold(struct cache *cache, const struct hash_key *secret,
	const struct cache_key *key, struct mtime now, uint32_t hold_s)
{
	struct cache_key shared;

	cache_hold(cache, key, now, hold_s);
	if (!(key->bits & CACHE_ECS))
		return;
	cache_key_share(secret, key, &shared);
	cache_hold(cache, &shared, now, hold_s);
}
