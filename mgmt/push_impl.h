/* SPDX-License-Identifier: ISC */
#ifndef MGMT_PUSH_IMPL_H
#define MGMT_PUSH_IMPL_H

/* The roll-out's state, shared by push.c and push_view.c only. */

#include "mgmt/push.h"

enum stage {
	IDLE,
	STAGE,
	APPLY
};

struct member {
	struct link *link;
	char name[FLEET_NAME];
	int wave; /* -1: not part of it (away) */
};

struct waiter {
	struct list list;
	long long generation;
	struct mtime deadline;
	push_wait_cb cb;
	void *arg;
};

struct push {
	struct store *store;
	struct fleet *fleet;
	struct vrrp *vrrp;
	struct list waiters;
	enum stage stage;
	long long generation; /* of the roll-out */
	long long approved;   /* newest that nodes may switch to */
	long long before;     /* newest approved before this roll-out */
	bool allow_missing, returning;
	struct member *members;
	size_t count;
	int wave;
	struct mtime deadline;
	struct push_stats stats;
};

/* Call back who waits for the generation; 0: whose time is over. */
void push_wake(struct push *push, long long generation);

static inline bool push_is_failure(const struct link *link)
{
	return !strcmp(link->phase, "failed") ||
	       !strcmp(link->phase, "rolled_back");
}

#endif
