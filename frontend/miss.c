/* SPDX-License-Identifier: ISC */
/*
 * There is no list of public suffixes here: two labels are right for most
 * names, and the operator names the registries where they are not.
 */

#include "frontend/miss.h"

static const uint8_t in_addr_arpa[] = "\7in-addr\4arpa";
static const uint8_t ip6_arpa[] = "\3ip6\4arpa";

/* The last `keep` labels. */
static const uint8_t *last_labels(const uint8_t *name, unsigned keep)
{
	for (unsigned n = name_labels(name); n > keep; n--)
		name = name_parent(name);
	return name;
}

const uint8_t *miss_suffix(const struct miss_limits *limits,
	const struct suffix_map *routes, const uint8_t *name)
{
	const uint8_t *at;

	if (routes && suffix_map_find_at(routes, name, &at) != SUFFIX_NONE &&
		at[0] != 0)
		return at;
	if (limits->registries && suffix_map_find_at(limits->registries, name,
					  &at) != SUFFIX_NONE)
		return last_labels(name, name_labels(at) + 1);
	if (name_under(name, in_addr_arpa))
		return last_labels(name, 4);
	if (name_under(name, ip6_arpa))
		return last_labels(name, 10);
	return last_labels(name, limits->labels);
}

enum miss_over miss_take(const struct miss_limits *limits,
	struct limiter *limiter, const struct suffix_map *routes,
	const struct miss_query *q, int64_t now_us)
{
	struct limit_owner owner = {.kind = LIMIT_MISSES,
		.scope = q->apart,
		.client = q->client,
		.v4_bits = q->v4_bits,
		.v6_bits = q->v6_bits};

	if (!limit_take_owned(limiter, &owner, &limits->client, now_us))
		return MISS_CLIENT;
	if (limits->suffix.qps == 0)
		return MISS_WITHIN;
	owner.kind = LIMIT_SUFFIX_MISSES;
	owner.client = NULL;
	owner.name = miss_suffix(limits, routes, q->name);
	owner.name_len = (size_t)name_wire_len(owner.name, NAME_MAX_WIRE);
	return limit_take_owned(limiter, &owner, &limits->suffix, now_us)
		       ? MISS_WITHIN
		       : MISS_SUFFIX;
}
