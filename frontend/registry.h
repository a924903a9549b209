/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_REGISTRY_H
#define FRONTEND_REGISTRY_H

/*
 * What outlives a policy snapshot and is found again by name: the backends'
 * shared state and the numbers of pools. Main thread only.
 */

#include "common/base/err.h"
#include "frontend/server.h"

#define REGISTRY_POOLS 256

struct registry {
	struct server *servers[SERVERS_MAX]; /* by id */
	char pools[REGISTRY_POOLS][SERVER_NAME];
	unsigned pool_count;
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

#endif
