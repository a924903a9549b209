/* SPDX-License-Identifier: ISC */
#ifndef HA_WORKER_IMPL_H
#define HA_WORKER_IMPL_H

/* The insides of a worker: for worker.c and worker_change.c only. */

#include <pthread.h>
#include <semaphore.h>

#include "ha/worker.h"

enum {
	RING = 256, /* a power of two */
	ROUND_MAX = 32,
	RT_PRIORITY = 50,
	CALL_S = 5,
	SUSPEND_US = 200 * 1000,
	LATE_US = 20 * 1000, /* less is ordinary scheduling */
};

struct worker_call_slot {
	void (*fn)(struct worker *w, void *arg);
	void *arg;
};

struct worker {
	struct poll poll;
	struct iface *iface;
	struct handover handover;
	struct health health;
	struct instance_env env;
	struct instance *instances[CONFIG_INSTANCES];
	size_t count;
	struct keep *keep;
	struct poll_item timer, netlink, calls, peers4, peers6;
	int event_fd;
	struct worker_call_slot *pending; /* atomic */
	sem_t done;
	pthread_t thread;
	bool running; /* the thread exists */
	bool quit;    /* set on the thread itself */
	bool realtime;
	bool rescan;
	int64_t suspend_us; /* CLOCK_BOOTTIME ahead of MONOTONIC */
	struct instance_event ring[RING];
	uint32_t ring_head, ring_tail; /* atomic; head: next to write */
	struct worker_counters counters;
};

/* A new instance with its place in the role file. NULL with err. */
struct instance *worker_make(struct worker *w,
	const struct config_instance *conf, struct err *err) MUST_CHECK;
/* Read links and addresses anew and let every instance see them. */
void worker_scan(struct worker *w);

#endif
