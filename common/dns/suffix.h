/* SPDX-License-Identifier: ISC */
#ifndef COMMON_DNS_SUFFIX_H
#define COMMON_DNS_SUFFIX_H

/*
 * Longest-suffix map: name -> number. Built once, then read only (part of a
 * snapshot). A lookup costs one hash per label, whatever the number of
 * entries. Memory from the caller's arena.
 */

#include "common/base/arena.h"
#include "common/dns/name.h"

struct suffix_map;

#define SUFFIX_NONE UINT32_MAX

/* Room for `count` names. NULL: no memory. */
struct suffix_map *suffix_map_new(struct arena *arena, size_t count) MUST_CHECK;
/* -EEXIST when the name is there already, -ENOSPC when full. The root name
 * matches everything. */
int suffix_map_add(struct suffix_map *map, const struct name *name,
	uint32_t value) MUST_CHECK;
/* Value of the longest suffix of `wire` (label-wise, case-insensitive), or
 * SUFFIX_NONE. */
uint32_t suffix_map_find(const struct suffix_map *map, const uint8_t *wire);
/* As suffix_map_find; *at is where that suffix begins in `wire`. */
uint32_t suffix_map_find_at(
	const struct suffix_map *map, const uint8_t *wire, const uint8_t **at);
/* Value of exactly this name, or SUFFIX_NONE. */
uint32_t suffix_map_get(const struct suffix_map *map, const uint8_t *wire);

#endif
