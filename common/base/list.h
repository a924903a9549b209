/* SPDX-License-Identifier: ISC */
#ifndef COMMON_BASE_LIST_H
#define COMMON_BASE_LIST_H

/* Intrusive doubly linked ring: the head is a link of its own. */

#include "common/base/base.h"

#include <stdbool.h>

struct list {
	struct list *next, *prev;
};

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

/* Put `item` last. */
static inline void list_append(struct list *head, struct list *item)
{
	item->prev = head->prev;
	item->next = head;
	head->prev->next = item;
	head->prev = item;
}

/* Take `item` out of its ring; it is a ring of its own after. */
static inline void list_remove(struct list *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
	list_init(item);
}

#define list_entry(link, type, member) container_of(link, type, member)
#define list_each(pos, head)                                                   \
	for (pos = (head)->next; pos != (head); pos = pos->next)
#define list_each_safe(pos, tmp, head)                                         \
	for (pos = (head)->next, tmp = pos->next; pos != (head);               \
		pos = tmp, tmp = pos->next)

#endif
