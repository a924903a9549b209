/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_WARM_H
#define FRONTEND_WARM_H

/*
 * Popular names are told to the other frontends of a pair, so that the one
 * that takes over has them in its cache. They are told as a client would ask
 * for them: the other one asks its own backends and believes nobody else.
 * What it answers is not read. The worker's thread only.
 */

#include "common/base/hash.h"
#include "common/net/addr.h"
#include "frontend/cache.h"

#define WARM_PEERS 4
#define WARM_RATE  100 /* names a second that are told at most */

struct warm;

/* `rng` is the worker's. NULL: no memory. */
struct warm *warm_new(struct rng *rng) MUST_CHECK;
void warm_free(struct warm *warm); /* NULL allowed */
/* Tell these from now on (at most WARM_PEERS). One that cannot be reached by
 * any route of this host is left out. */
void warm_update(struct warm *warm, const union addr *peers, unsigned count);
/* The question of `client` showed that this is popular. False: not told, for
 * it was a peer's own, too many were told, or there is nobody to tell. */
bool warm_tell(struct warm *warm, const struct cache_key *key,
	const union addr *client, struct mtime now);

#endif
