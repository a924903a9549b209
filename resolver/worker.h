/* SPDX-License-Identifier: ISC */
#ifndef RESOLVER_WORKER_H
#define RESOLVER_WORKER_H

/* The life of one worker process, from fork to exit. */

#include "resolver/config.h"

#define WORKER_STATS_MS 250 /* how often it tells its counters */

struct worker_start {
	unsigned index;
	int fd; /* to the master (channel.h) */
	const struct settings *settings;
	bool trial; /* only start the library, tell, and end */
};

/* child_config.entry: arg is a struct worker_start. Returns exit status. */
int worker_main(void *arg);

#endif
