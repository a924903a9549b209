/* SPDX-License-Identifier: ISC */
/* Callers that wait for the end of a roll-out. */

#include "mgmt/push_impl.h"

#include <errno.h>

void push_wake(struct push *push, long long generation)
{
	struct list *pos, *tmp;

	list_each_safe(pos, tmp, &push->waiters) {
		struct waiter *w = list_entry(pos, struct waiter, list);

		if (generation && w->generation != generation)
			continue;
		if (!generation && mtime_before(mtime_now(), w->deadline))
			continue;
		list_remove(&w->list);
		w->cb(w->arg);
		free(w);
	}
}

int push_wait(struct push *push, long long generation, int timeout_ms,
	push_wait_cb cb, void *arg, struct err *err)
{
	struct waiter *w = calloc(1, sizeof(*w));

	if (!w)
		return err_fail(err, -ENOMEM, "no memory");
	w->generation = push_follow(push, generation);
	w->deadline = mtime_add_ms(mtime_now(), timeout_ms);
	w->cb = cb;
	w->arg = arg;
	list_append(&push->waiters, &w->list);
	return 0;
}

void push_unwait(struct push *push, void *arg)
{
	struct list *pos, *tmp;

	list_each_safe(pos, tmp, &push->waiters) {
		struct waiter *w = list_entry(pos, struct waiter, list);

		if (w->arg != arg)
			continue;
		list_remove(&w->list);
		free(w);
	}
}
