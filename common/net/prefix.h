/* SPDX-License-Identifier: ISC */
#ifndef COMMON_NET_PREFIX_H
#define COMMON_NET_PREFIX_H

/*
 * CIDR prefixes, and a longest-prefix-match map prefix -> number. Built once
 * in an arena, then read only. The cost of a lookup does not grow with the
 * number of prefixes.
 */

#include "common/base/arena.h"
#include "common/net/addr.h"

struct prefix {
	union addr addr; /* port 0; host bits zero */
	uint8_t len;
};

#define PREFIX_TEXT 64

/* "10.10.2.0/24", "10.1.2.3" (= /32), "2001:db8::/32". Host bits that are
 * set: -EDOM (out is filled, masked). Malformed: -EINVAL. */
int prefix_parse(const char *text, struct prefix *out) MUST_CHECK;
char *prefix_print(const struct prefix *p, char out[PREFIX_TEXT]);
/* The prefix of the first `len` bits of this address; a length that its family
 * does not have counts as the whole address. */
void prefix_mask(const union addr *a, unsigned len, struct prefix *out);
bool prefix_contains(const struct prefix *p, const union addr *a);

struct prefix_map;
#define PREFIX_NONE UINT32_MAX

/* NULL: no memory. */
struct prefix_map *prefix_map_new(struct arena *arena) MUST_CHECK;
/* Value 0..UINT32_MAX-1. -EEXIST: the prefix is there already. -ENOMEM. */
int prefix_map_add(struct prefix_map *map, const struct prefix *p,
	uint32_t value) MUST_CHECK;
/* Value of the longest prefix that holds `a`, or PREFIX_NONE. Any thread. */
uint32_t prefix_map_find(const struct prefix_map *map, const union addr *a);

#endif
