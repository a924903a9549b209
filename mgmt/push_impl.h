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
	bool more;     /* the approved one is a step, and not the last */
	json_t *waits; /* why the next one does not begin; may be NULL */
	struct mtime step_at;
	struct member *members;
	size_t count;
	int wave;
	struct mtime deadline;
	struct push_stats stats;
};

enum {
	PUSH_STEPS = 64 /* of one change; more than any takes */
};

/* push_step.c: has the generation not reached its goal? The last one on the
 * way to the goal that there is by now. */
bool push_has_next(struct push *push, long long generation);
long long push_follow(struct push *push, long long generation);
/* Begin the next step, when it is due and can. */
void push_step_on(struct push *push);
void push_step_tick(struct push *push);

/* Call back who waits for the generation; 0: whose time is over. */
void push_wake(struct push *push, long long generation);

static inline bool push_is_failure(const struct link *link)
{
	return !strcmp(link->phase, "failed") ||
	       !strcmp(link->phase, "rolled_back");
}

#endif
