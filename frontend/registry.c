/* SPDX-License-Identifier: ISC */
/*
 * Plain arrays: a few hundred backends, looked at on a reload only.
 */

#include "frontend/registry.h"

#include <errno.h>

void registry_init(struct registry *r)
{
	memset(r, 0, sizeof(*r));
	hash_key_random(&r->cookie_secret);
}

void registry_fini(struct registry *r)
{
	for (unsigned i = 0; i < SERVERS_MAX; i++)
		free(r->servers[i]);
	for (unsigned i = 0; i < REGISTRY_HITS; i++) {
		while (r->hits[i]) {
			struct rule_hits *hits = r->hits[i];

			r->hits[i] = hits->chain;
			free(hits);
		}
	}
	memset(r, 0, sizeof(*r));
}

static struct server *server_new(
	unsigned id, const char *pool, const char *name, const union addr *addr)
{
	struct server *s = aligned_alloc(64, sizeof(*s));

	if (!s)
		return NULL;
	memset(s, 0, sizeof(*s));
	(void)snprintf(s->pool, sizeof(s->pool), "%s", pool);
	(void)snprintf(s->name, sizeof(s->name), "%s", name);
	s->addr = *addr;
	s->id = (uint16_t)id;
	s->fitness = SERVER_TRY;
	return s;
}

struct server *registry_take(struct registry *r, const char *pool,
	const char *name, const union addr *addr)
{
	unsigned free_id = SERVERS_MAX;

	for (unsigned i = 0; i < SERVERS_MAX; i++) {
		struct server *s = r->servers[i];

		if (!s) {
			free_id = free_id < i ? free_id : i;
			continue;
		}
		if (strcmp(s->pool, pool) == 0 && strcmp(s->name, name) == 0 &&
			addr_equal(&s->addr, addr)) {
			s->uses++;
			return s;
		}
	}
	if (free_id == SERVERS_MAX)
		return NULL;
	r->servers[free_id] = server_new(free_id, pool, name, addr);
	if (r->servers[free_id])
		r->servers[free_id]->uses = 1;
	return r->servers[free_id];
}

void registry_give(struct registry *r, struct server *server)
{
	if (--server->uses > 0)
		return;
	r->servers[server->id] = NULL;
	free(server);
}

int registry_pool_id(struct registry *r, const char *name, uint16_t *id)
{
	for (unsigned i = 0; i < r->pool_count; i++) {
		if (strcmp(r->pools[i], name) == 0) {
			*id = (uint16_t)i;
			return 0;
		}
	}
	if (r->pool_count == REGISTRY_POOLS)
		return -ENOSPC;
	(void)snprintf(r->pools[r->pool_count], SERVER_NAME, "%s", name);
	*id = (uint16_t)r->pool_count++;
	return 0;
}

struct rule_hits *registry_hits_take(struct registry *r, uint64_t id)
{
	struct rule_hits **bucket = &r->hits[id % REGISTRY_HITS];
	struct rule_hits *hits = *bucket;

	while (hits && hits->id != id)
		hits = hits->chain;
	if (!hits) {
		hits = aligned_alloc(64, 64); /* a cache line of its own */
		if (!hits)
			return NULL;
		memset(hits, 0, sizeof(*hits));
		hits->id = id;
		hits->chain = *bucket;
		*bucket = hits;
	}
	hits->uses++;
	return hits;
}

void registry_hits_give(struct registry *r, struct rule_hits *hits)
{
	struct rule_hits **link;

	if (!hits || --hits->uses > 0)
		return;
	link = &r->hits[hits->id % REGISTRY_HITS];
	while (*link != hits)
		link = &(*link)->chain;
	*link = hits->chain;
	free(hits);
}
