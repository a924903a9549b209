/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_PERMIT_H
#define FRONTEND_PERMIT_H

/*
 * Who may have what else than answers from where: transfers, NOTIFY, UPDATE,
 * by the route of the zone. The route with the longest suffix decides alone,
 * also when it permits nothing. Part of the policy snapshot: built by
 * config_transfer.c, then immutable. Pure.
 */

#include "common/dns/suffix.h"
#include "common/net/prefix.h"

enum permit_what {
	PERMIT_TRANSFER,
	PERMIT_NOTIFY,
	PERMIT_UPDATE,
	PERMIT_KINDS,
};

struct permit_route {
	unsigned pool;                          /* index in the snapshot */
	struct prefix_map *allow[PERMIT_KINDS]; /* NULL: not at all */
};

struct permits {
	struct suffix_map *zones; /* index into routes */
	struct permit_route *routes;
};

enum permit_verdict {
	PERMIT_NOT_ROUTED,
	PERMIT_NOT_FROM_HERE,
	PERMIT_GRANTED,
};

/* May this client have that of this zone? Then *pool is where it goes.
 * `permits` may be NULL: nobody may. */
enum permit_verdict permit_find(const struct permits *permits,
	enum permit_what what, const uint8_t *zone, const union addr *client,
	unsigned *pool);

#endif
