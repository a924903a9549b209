/* SPDX-License-Identifier: ISC */
/* One look-up by name, one by source. */

#include "frontend/permit.h"

enum permit_verdict permit_find(const struct permits *permits,
	enum permit_what what, const uint8_t *zone, const union addr *client,
	unsigned *pool)
{
	const struct permit_route *route;
	uint32_t i;

	if (!permits)
		return PERMIT_NOT_ROUTED;
	i = suffix_map_find(permits->zones, zone);
	if (i == SUFFIX_NONE || !permits->routes[i].allow[what])
		return PERMIT_NOT_ROUTED;
	route = &permits->routes[i];
	if (prefix_map_find(route->allow[what], client) == PREFIX_NONE)
		return PERMIT_NOT_FROM_HERE;
	*pool = route->pool;
	return PERMIT_GRANTED;
}
