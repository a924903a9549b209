/* SPDX-License-Identifier: ISC */
/*
 * The table is a fixed array, the workers' view of it a compiled list: a
 * prefix map and a suffix map to the places in the array. A reader that has
 * an old list may count a hit for what has taken the place since; it never
 * blocks by it, for action and time are in the list.
 */

#include "frontend/block.h"

#include <errno.h>

struct place {
	struct block_found found; /* its hits are in the table */
	int64_t until_us;
};

struct block_list {
	struct arena arena;
	struct prefix_map *sources; /* NULL: none */
	struct suffix_map *names;
	struct place *places;
};

struct slot {
	bool used;
	struct block block;
};

struct blocks {
	struct block_list *list; /* atomic */
	size_t count;
	struct slot slots[BLOCKS_MAX];
};

struct blocks *blocks_new(void)
{
	return calloc(1, sizeof(struct blocks));
}

void block_list_free(struct block_list *list)
{
	if (!list)
		return;
	arena_fini(&list->arena);
	free(list);
}

void blocks_free(struct blocks *blocks)
{
	if (!blocks)
		return;
	block_list_free(blocks->list);
	free(blocks);
}

const char *block_action_name(enum block_action action)
{
	static const char *const names[BLOCK_ACTIONS] = {
		"drop", "refuse", "tc", "nxdomain", "log"};

	return names[action];
}

bool block_action_parse(const char *text, enum block_action *action)
{
	for (unsigned i = BLOCK_DROP; i < BLOCK_ACTIONS; i++) {
		if (strcmp(block_action_name((enum block_action)i), text) ==
			0) {
			*action = (enum block_action)i;
			return true;
		}
	}
	return false;
}

/* --- the table --------------------------------------------------------- */

static bool is_same(const struct block *a, const struct block *b)
{
	if (a->suffix != b->suffix)
		return false;
	if (a->suffix)
		return name_equal(a->name.wire, b->name.wire);
	return a->prefix.len == b->prefix.len &&
	       addr_equal_ip(&a->prefix.addr, &b->prefix.addr);
}

static struct slot *find_slot(struct blocks *blocks, const struct block *block)
{
	for (size_t i = 0; i < BLOCKS_MAX; i++)
		if (blocks->slots[i].used &&
			is_same(&blocks->slots[i].block, block))
			return &blocks->slots[i];
	return NULL;
}

static struct slot *free_slot(struct blocks *blocks)
{
	for (size_t i = 0; i < BLOCKS_MAX; i++)
		if (!blocks->slots[i].used)
			return &blocks->slots[i];
	return NULL;
}

static uint64_t read_hits(const struct block *block)
{
	return __atomic_load_n(&block->hits, __ATOMIC_RELAXED);
}

/* All but the hits, which workers may be adding to. */
static void put_block(struct block *to, const struct block *from)
{
	to->suffix = from->suffix;
	to->automatic = from->automatic;
	to->forgeable = from->forgeable;
	to->action = from->action;
	memcpy(to->reason, from->reason, sizeof(to->reason));
	to->prefix = from->prefix;
	to->name = from->name;
	to->until_us = from->until_us;
}

int blocks_add(struct blocks *blocks, const struct block *block)
{
	struct slot *slot = find_slot(blocks, block);

	if (slot && ((block->automatic && !slot->block.automatic) ||
			    (block->forgeable && !slot->block.forgeable)))
		return -EEXIST;
	if (!slot) {
		slot = free_slot(blocks);
		if (!slot)
			return -ENOSPC;
		slot->used = true;
		blocks->count++;
		slot->block.since_us = block->since_us;
		__atomic_store_n(&slot->block.hits, 0, __ATOMIC_RELAXED);
	}
	put_block(&slot->block, block);
	return 0;
}

int blocks_restore(struct blocks *blocks, const struct block *block)
{
	int rc = blocks_add(blocks, block);

	if (rc == 0)
		__atomic_store_n(&find_slot(blocks, block)->block.hits,
			block->hits, __ATOMIC_RELAXED);
	return rc;
}

static void forget(struct blocks *blocks, struct slot *slot)
{
	slot->used = false;
	blocks->count--;
}

bool blocks_remove(struct blocks *blocks, const struct block *block)
{
	struct slot *slot = find_slot(blocks, block);

	if (!slot)
		return false;
	forget(blocks, slot);
	return true;
}

size_t blocks_expire(struct blocks *blocks, int64_t now_us)
{
	size_t gone = 0;

	for (size_t i = 0; i < BLOCKS_MAX && blocks->count > 0; i++) {
		struct slot *slot = &blocks->slots[i];

		if (!slot->used || slot->block.until_us > now_us)
			continue;
		forget(blocks, slot);
		gone++;
	}
	return gone;
}

bool blocks_get(const struct blocks *blocks, size_t i, struct block *out)
{
	const struct slot *slot = &blocks->slots[i];

	if (i >= BLOCKS_MAX || !slot->used)
		return false;
	put_block(out, &slot->block);
	out->hits = read_hits(&slot->block);
	return true;
}

size_t blocks_count(const struct blocks *blocks, bool automatic_only)
{
	size_t n = 0;

	for (size_t i = 0; i < BLOCKS_MAX; i++)
		n += blocks->slots[i].used &&
		     (!automatic_only || blocks->slots[i].block.automatic);
	return n;
}

/* --- the workers' view ------------------------------------------------- */

static int list_add(struct block_list *list, struct slot *slot, uint32_t i)
{
	struct block *block = &slot->block;

	list->places[i].found.action = block->action;
	list->places[i].found.automatic = block->automatic;
	list->places[i].found.forgeable = block->forgeable;
	list->places[i].found.hits = &block->hits;
	list->places[i].until_us = block->until_us;
	if (block->suffix && !list->names) {
		list->names = suffix_map_new(&list->arena, BLOCKS_MAX);
		if (!list->names)
			return -ENOMEM;
	}
	if (!block->suffix && !list->sources) {
		list->sources = prefix_map_new(&list->arena);
		if (!list->sources)
			return -ENOMEM;
	}
	return block->suffix ? suffix_map_add(list->names, &block->name, i)
			     : prefix_map_add(list->sources, &block->prefix, i);
}

static struct block_list *make_list(struct blocks *blocks)
{
	struct block_list *list = calloc(1, sizeof(*list));
	uint32_t n = 0;
	int rc;

	if (!list)
		return NULL;
	arena_init(&list->arena, 0, 0);
	list->places =
		arena_array(&list->arena, blocks->count, sizeof(*list->places));
	rc = list->places ? 0 : -ENOMEM;
	for (size_t i = 0; i < BLOCKS_MAX && rc == 0; i++)
		if (blocks->slots[i].used)
			rc = list_add(list, &blocks->slots[i], n++);
	if (rc == 0)
		return list;
	block_list_free(list);
	return NULL;
}

int blocks_publish(struct blocks *blocks, struct block_list **old)
{
	struct block_list *list = NULL;

	*old = NULL;
	if (blocks->count > 0) {
		list = make_list(blocks);
		if (!list)
			return -ENOMEM;
	}
	*old = __atomic_exchange_n(&blocks->list, list, __ATOMIC_SEQ_CST);
	return 0;
}

static const struct block_list *list_of(struct blocks *blocks)
{
	return blocks ? __atomic_load_n(&blocks->list, __ATOMIC_ACQUIRE) : NULL;
}

/* UINT32_MAX is the "none" of both maps. */
static bool take(const struct block_list *list, uint32_t i, int64_t now_us,
	struct block_found *out)
{
	if (i == UINT32_MAX || list->places[i].until_us <= now_us)
		return false;
	*out = list->places[i].found;
	return true;
}

bool blocks_find_source(struct blocks *blocks, const union addr *client,
	int64_t now_us, struct block_found *out)
{
	const struct block_list *list = list_of(blocks);

	return list && list->sources &&
	       take(list, prefix_map_find(list->sources, client), now_us, out);
}

bool blocks_find_name(struct blocks *blocks, const uint8_t *name,
	int64_t now_us, struct block_found *out)
{
	const struct block_list *list = list_of(blocks);

	return list && list->names && name &&
	       take(list, suffix_map_find(list->names, name), now_us, out);
}
