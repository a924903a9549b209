/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_RATE_H
#define FRONTEND_RATE_H

/*
 * Questions and drops a second of each backend, over the last second: what
 * dnsdist's users look at first. Main thread only.
 */

#include "common/net/loop.h"
#include "frontend/registry.h"

struct rate {
	uint64_t queries, timeouts; /* as last seen */
	double qps, drops;          /* per second */
};

struct rates {
	struct timer *timer;
	struct loop *loop;
	const struct registry *registry;
	struct mtime last;
	struct rate of[SERVERS_MAX]; /* by the server's id */
};

/* In zeroed memory; looks at the registry each second. -ENOMEM. */
int rates_init(struct rates *r, struct loop *loop,
	const struct registry *registry) MUST_CHECK;
void rates_fini(struct rates *r); /* also when rates_init failed */

/* The step that the timer makes, for tests. */
void rates_step(struct rates *r, struct mtime now);

#endif
