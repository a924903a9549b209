/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_WHEEL_H
#define FRONTEND_WHEEL_H

/*
 * Many timers at little cost: to set, move or clear one is O(1) and takes no
 * memory. They fire up to 8 ms late. The loop's thread only.
 */

#include "common/base/list.h"
#include "common/net/loop.h"

#define WHEEL_SLOTS 512

struct wheel_item {
	struct list link;
	struct mtime due;
};

typedef void (*wheel_fn)(void *arg, struct wheel_item *item);

struct wheel {
	struct list slots[WHEEL_SLOTS];
	struct loop *loop;
	struct timer *timer;
	int64_t tick; /* slots up to this one were looked at */
	unsigned count;
	wheel_fn fn;
	void *arg;
};

/* `fn` is called for each item that is due; it may set, clear or free any
 * item. */
int wheel_init(struct wheel *wheel, struct loop *loop, wheel_fn fn,
	void *arg) MUST_CHECK;
void wheel_fini(struct wheel *wheel); /* in zeroed memory too */
void wheel_item_init(struct wheel_item *item);
void wheel_set(struct wheel *wheel, struct wheel_item *item, struct mtime due);
void wheel_clear(struct wheel *wheel, struct wheel_item *item);

#endif
