/* SPDX-License-Identifier: ISC */
#ifndef HA_ASIDE_H
#define HA_ASIDE_H

#include <pthread.h>
#include <stdbool.h>

#include "common/base/err.h"

/*
 * A thread beside the real-time one, which does for it what may wait for the
 * kernel: its start and end, and a bell each way. What is asked and told is the
 * owner's, in rings of its own (kernel.c, opener.c).
 */

struct aside {
	pthread_t thread;
	bool running; /* the asker's */
	bool quit;    /* atomic */
	int ask_fd,
		tell_fd; /* eventfds, not blocking: to the thread, from it */
};

/* 0 or -errno; aside_fini in either case. */
int aside_init(struct aside *a, struct err *err) MUST_CHECK;
void aside_fini(struct aside *a); /* stopped */

/* Asker: 0 or -errno. `run` comes round when ask_fd rings, until aside_quits,
 * and then once more for what was asked before. */
int aside_start(struct aside *a, void *(*run)(void *arg), void *arg,
	struct err *err) MUST_CHECK;
void aside_stop(struct aside *a); /* nothing when it does not run */
bool aside_quits(const struct aside *a);

void aside_ring(int fd);    /* one of the two */
void aside_silence(int fd); /* until it rings again */

/* A sleep of 100 us, for who waits for the thread. */
void aside_pause(void);

#endif
