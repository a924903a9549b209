/* SPDX-License-Identifier: ISC */
#ifndef COMMON_BASE_SLOTS_H
#define COMMON_BASE_SLOTS_H

/*
 * A fixed table made at start: queries in flight and connections live here.
 * take and give are O(1); each slot has a generation that rises when it is
 * given back, so a late event for its former user is told apart.
 * One thread.
 */

#include "common/base/base.h"

#include <stdbool.h>
#include <stdint.h>

#define SLOT_NONE UINT32_MAX

struct slots {
	unsigned char *items;
	uint32_t *next_free; /* SLOT_NONE ends; SLOT_BUSY marks taken */
	uint32_t *generation;
	size_t item_size;
	uint32_t count, used, free_head;
};

int slots_init(
	struct slots *slots, uint32_t count, size_t item_size) MUST_CHECK;
void slots_fini(struct slots *slots);
/* Index of a free slot (its bytes are as the last user left them), or
 * SLOT_NONE when all are taken. */
uint32_t slots_take(struct slots *slots);
void slots_give(struct slots *slots, uint32_t index);
/* The taken slot `index`, or NULL when out of range or free. */
void *slots_get(const struct slots *slots, uint32_t index);
/* As slots_get, but also NULL when the generation differs. */
void *slots_get_gen(
	const struct slots *slots, uint32_t index, uint32_t generation);
uint32_t slots_generation(const struct slots *slots, uint32_t index);
uint32_t slots_index(const struct slots *slots, const void *item);

#endif
