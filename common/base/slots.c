/* SPDX-License-Identifier: ISC */
/*
 * The free slots form a stack through next_free: the
 * slot given back last is taken next, while its lines are still in the cache.
 */

#include "common/base/slots.h"

#include <errno.h>

#define SLOT_BUSY (UINT32_MAX - 1)

int slots_init(struct slots *slots, uint32_t count, size_t item_size)
{
	memset(slots, 0, sizeof(*slots));
	slots->free_head = SLOT_NONE;
	if (count == 0 || count >= SLOT_BUSY || item_size == 0)
		return -EINVAL;
	slots->items = calloc(count, item_size);
	slots->next_free = calloc(count, sizeof(*slots->next_free));
	slots->generation = calloc(count, sizeof(*slots->generation));
	if (!slots->items || !slots->next_free || !slots->generation) {
		slots_fini(slots);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < count; i++)
		slots->next_free[i] = i + 1 < count ? i + 1 : SLOT_NONE;
	slots->item_size = item_size;
	slots->count = count;
	slots->free_head = 0;
	return 0;
}

void slots_fini(struct slots *slots)
{
	free(slots->items);
	free(slots->next_free);
	free(slots->generation);
	memset(slots, 0, sizeof(*slots));
	slots->free_head = SLOT_NONE;
}

uint32_t slots_take(struct slots *slots)
{
	uint32_t index = slots->free_head;

	if (index == SLOT_NONE)
		return SLOT_NONE;
	slots->free_head = slots->next_free[index];
	slots->next_free[index] = SLOT_BUSY;
	slots->used++;
	return index;
}

void slots_give(struct slots *slots, uint32_t index)
{
	if (!slots_get(slots, index))
		abort(); /* given back twice: the program is wrong */
	slots->generation[index]++;
	slots->next_free[index] = slots->free_head;
	slots->free_head = index;
	slots->used--;
}

void *slots_get(const struct slots *slots, uint32_t index)
{
	if (index >= slots->count || slots->next_free[index] != SLOT_BUSY)
		return NULL;
	return slots->items + (size_t)index * slots->item_size;
}

void *slots_get_gen(
	const struct slots *slots, uint32_t index, uint32_t generation)
{
	void *item = slots_get(slots, index);

	return item && slots->generation[index] == generation ? item : NULL;
}

uint32_t slots_generation(const struct slots *slots, uint32_t index)
{
	return index < slots->count ? slots->generation[index] : 0;
}

uint32_t slots_index(const struct slots *slots, const void *item)
{
	size_t offset = (size_t)((const unsigned char *)item - slots->items);

	return (uint32_t)(offset / slots->item_size);
}
