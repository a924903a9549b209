/* SPDX-License-Identifier: ISC */
/*
 * A hash table of names with open addressing, at most half full. Which
 * numbers of labels occur is noted in a bit set, so a lookup hashes only the
 * suffixes of those lengths: a map of zones with two and three labels costs
 * two hashes however deep the name. The names come from configuration, so
 * the hash needs no key: who asks can only choose which chain is looked at.
 */

#include "common/dns/suffix.h"

#include <errno.h>

#define DEPTHS 128

struct entry {
	uint64_t hash;
	const uint8_t *wire; /* lower case; NULL: free */
	uint32_t value;
};

struct suffix_map {
	struct entry *entries;
	struct arena *arena;
	size_t mask, count, room;
	unsigned deepest;
	uint64_t depths[DEPTHS / 64];
};

struct suffix_map *suffix_map_new(struct arena *arena, size_t count)
{
	struct suffix_map *map = arena_alloc(arena, sizeof(*map));
	size_t size = 8;

	if (!map || count > SIZE_MAX / 64)
		return NULL;
	while (size < 2 * count)
		size *= 2;
	map->entries = arena_array(arena, size, sizeof(*map->entries));
	if (!map->entries)
		return NULL;
	map->arena = arena;
	map->mask = size - 1;
	map->room = count;
	return map;
}

static inline uint64_t mix(uint64_t h, uint64_t word)
{
	h = (h ^ word) * 0x9e3779b97f4a7c15ULL;
	return h ^ h >> 32;
}

/* Eight octets at once; the last eight overlap. */
static uint64_t hash_of(const uint8_t *lower, size_t len)
{
	uint64_t h = len, word = 0;
	size_t i = 0;

	if (len < 8) {
		memcpy(&word, lower, len);
		return mix(h, word);
	}
	for (; i + 8 < len; i += 8) {
		memcpy(&word, lower + i, 8);
		h = mix(h, word);
	}
	memcpy(&word, lower + len - 8, 8);
	return mix(h, word);
}

/* The entry of this name, or the free one where it belongs. `wire` is in
 * lower case. */
static struct entry *probe(
	const struct suffix_map *map, const uint8_t *wire, uint64_t hash)
{
	size_t i = hash & map->mask;

	for (;; i = (i + 1) & map->mask) {
		struct entry *e = &map->entries[i];

		if (!e->wire || (e->hash == hash && name_equal(e->wire, wire)))
			return e;
	}
}

int suffix_map_add(
	struct suffix_map *map, const struct name *name, uint32_t value)
{
	uint8_t lower[NAME_MAX_WIRE];
	unsigned depth = name_labels(name->wire);
	uint64_t hash;
	struct entry *e;

	name_to_lower(lower, name->wire, name->len);
	hash = hash_of(lower, name->len);
	e = probe(map, lower, hash);
	if (e->wire)
		return -EEXIST;
	if (map->count == map->room)
		return -ENOSPC;
	e->wire = arena_memdup(map->arena, lower, name->len);
	if (!e->wire)
		return -ENOMEM;
	e->hash = hash;
	e->value = value;
	map->count++;
	map->depths[depth / 64] |= 1ULL << depth % 64;
	if (depth > map->deepest)
		map->deepest = depth;
	return 0;
}

static bool has_depth(const struct suffix_map *map, unsigned depth)
{
	return map->depths[depth / 64] >> depth % 64 & 1;
}

static uint32_t value_at(
	const struct suffix_map *map, const uint8_t *lower, size_t len)
{
	const struct entry *e = probe(map, lower, hash_of(lower, len));

	return e->wire ? e->value : SUFFIX_NONE;
}

/* Lower-case copy of `wire`; returns its length with the root label. */
static size_t copy_lower(
	uint8_t lower[NAME_MAX_WIRE], const uint8_t *wire, unsigned *depth)
{
	const uint8_t *p = wire;
	size_t len;

	for (*depth = 0; p[0] != 0; p = name_parent(p))
		(*depth)++;
	len = (size_t)(p - wire) + 1;
	name_to_lower(lower, wire, len);
	return len;
}

uint32_t suffix_map_find_at(const struct suffix_map *map, const uint8_t *wire,
	const uint8_t **where)
{
	uint8_t lower[NAME_MAX_WIRE];
	unsigned depth;
	size_t len, at = 0;

	if (map->count == 0)
		return SUFFIX_NONE;
	len = copy_lower(lower, wire, &depth);
	for (;; depth--) {
		if (depth <= map->deepest && has_depth(map, depth)) {
			uint32_t value = value_at(map, lower + at, len - at);

			*where = wire + at;
			if (value != SUFFIX_NONE)
				return value;
		}
		if (depth == 0)
			return SUFFIX_NONE;
		at += lower[at] + 1u;
	}
}

uint32_t suffix_map_find(const struct suffix_map *map, const uint8_t *wire)
{
	const uint8_t *at;

	return suffix_map_find_at(map, wire, &at);
}

uint32_t suffix_map_get(const struct suffix_map *map, const uint8_t *wire)
{
	uint8_t lower[NAME_MAX_WIRE];
	unsigned depth;
	size_t len = copy_lower(lower, wire, &depth);

	if (!has_depth(map, depth))
		return SUFFIX_NONE;
	return value_at(map, lower, len);
}
