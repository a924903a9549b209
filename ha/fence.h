/* SPDX-License-Identifier: ISC */
#ifndef HA_FENCE_H
#define HA_FENCE_H

#include "common/net/loop.h"
#include "ha/instance.h"

/*
 * The operator's own means against a second master (a switch port, a power
 * strip): a program that is run, never waited for, when this node is master
 * and knows of another one of lower priority. No shell; one at a time, not
 * oftener than every FENCE_GAP_S. Main thread.
 */

enum {
	FENCE_GAP_S = 30
};

struct fence {
	struct loop *loop;
	bool running;
	int64_t next_us; /* not before */
	uint64_t started, failed;
};

/* "split_brain" or "asymmetric" when the event calls for it, else NULL. */
const char *fence_reason(const struct instance_event *ev);

/* Look at an event, and run the program of `config` when it is one of these:
 * its words, then instance, reason, address of the other master. */
void fence_event(struct fence *f, const struct config *config,
	const struct instance_event *ev, int64_t now_us);

#endif
