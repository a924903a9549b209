/* SPDX-License-Identifier: ISC */
/*
 * 512 slots of 8 ms, four seconds in all: an item is in the slot of its time,
 * or in the furthest one and is put back from there. One timer of the loop
 * turns the wheel while anything is in it.
 */

#include "frontend/wheel.h"

#include <errno.h>

#define SLOT_US 8192

static int64_t tick_of(struct mtime t)
{
	return t.us / SLOT_US;
}

void wheel_item_init(struct wheel_item *item)
{
	list_init(&item->link);
}

void wheel_clear(struct wheel *wheel, struct wheel_item *item)
{
	if (list_empty(&item->link))
		return;
	list_remove(&item->link);
	wheel->count--;
}

void wheel_set(struct wheel *wheel, struct wheel_item *item, struct mtime due)
{
	int64_t tick = tick_of(due) + 1;

	wheel_clear(wheel, item);
	if (wheel->count++ == 0)
		wheel->tick = tick_of(loop_now(wheel->loop)); /* it stood */
	if (tick <= wheel->tick)
		tick = wheel->tick + 1;
	if (tick >= wheel->tick + WHEEL_SLOTS)
		tick = wheel->tick + WHEEL_SLOTS - 1;
	item->due = due;
	list_append(&wheel->slots[tick % WHEEL_SLOTS], &item->link);
	if (!timer_is_set(wheel->timer))
		timer_set_us(wheel->timer, SLOT_US);
}

/* Items that are set while the slot is looked at may land in it again: the
 * list is taken away first. What is cleared meanwhile leaves that list. */
static void turn_slot(struct wheel *wheel, struct list *slot, struct mtime now)
{
	struct list taken;

	list_init(&taken);
	while (!list_empty(slot)) {
		struct list *l = slot->next;

		list_remove(l);
		list_append(&taken, l);
	}
	while (!list_empty(&taken)) {
		struct wheel_item *item =
			list_entry(taken.next, struct wheel_item, link);
		struct mtime due = item->due;

		wheel_clear(wheel, item);
		if (mtime_before(now, due))
			wheel_set(wheel, item, due);
		else
			wheel->fn(wheel->arg, item);
	}
}

static void turn(void *arg)
{
	struct wheel *wheel = arg;
	struct mtime now = loop_now(wheel->loop);
	int64_t last = tick_of(now);

	if (last > wheel->tick + WHEEL_SLOTS)
		wheel->tick = last - WHEEL_SLOTS;
	while (wheel->tick < last) {
		int64_t tick = ++wheel->tick;

		turn_slot(wheel, &wheel->slots[tick % WHEEL_SLOTS], now);
	}
	if (wheel->count > 0)
		timer_set_us(wheel->timer, SLOT_US);
}

int wheel_init(struct wheel *wheel, struct loop *loop, wheel_fn fn, void *arg)
{
	for (unsigned i = 0; i < WHEEL_SLOTS; i++)
		list_init(&wheel->slots[i]);
	wheel->loop = loop;
	wheel->fn = fn;
	wheel->arg = arg;
	wheel->timer = timer_new(loop, turn, wheel);
	return wheel->timer ? 0 : -ENOMEM;
}

void wheel_fini(struct wheel *wheel)
{
	timer_free(wheel->timer);
}
