/* SPDX-License-Identifier: ISC */
#ifndef COMMON_CTL_CHILD_H
#define COMMON_CTL_CHILD_H

/*
 * Supervise one process: spawn, output to the log, restart with back-off,
 * stop. Main loop's thread.
 */

#include "common/base/err.h"
#include "common/net/loop.h"

#include <sys/types.h>

enum child_state {
	CHILD_STOPPED,
	CHILD_RUNNING,
	CHILD_BACKOFF, /* died, waits for its restart */
	CHILD_STOPPING,
	CHILD_FAILED, /* died too often; still retried, slowly */
};

struct child;

struct child_config {
	const char *name; /* prefix of its log lines */
	/* exec this (argv NULL-terminated, absolute argv[0]) ...
	 */
	char *const *argv;
	/* ... or fork and call this; its return is the exit status. */
	int (*entry)(void *arg);
	void *entry_arg;
	/* Just before exec/entry in the child; async-signal-safe only. */
	void (*prepare)(void *arg);
	void *prepare_arg;
	uint32_t backoff_min_ms;             /* 0: 100 */
	uint32_t backoff_max_ms;             /* 0: 30000 */
	uint32_t stop_ms;                    /* SIGTERM to SIGKILL; 0: 10000 */
	uint32_t fail_count, fail_window_ms; /* -> CHILD_FAILED; 0: 5 in 60 s */
	bool restart;
	/* State changes; `status` is wait(2)'s when it died. */
	void (*changed)(
		void *arg, struct child *c, enum child_state s, int status);
	void *arg;
};

/* Copies `config` (not what argv points to). */
struct child *child_new(
	struct loop *loop, const struct child_config *config) MUST_CHECK;
int child_start(struct child *child, struct err *err) MUST_CHECK;
/* Ask it to end; `changed` is called with CHILD_STOPPED when it has. */
void child_stop(struct child *child);
/* End it now and wait (SIGKILL after stop_ms), then free. NULL allowed. */
void child_free(struct child *child);
pid_t child_pid(const struct child *child); /* 0: not running */
enum child_state child_get_state(const struct child *child);
unsigned child_restarts(const struct child *child);
const char *child_state_name(enum child_state state);

/* Run a program to its end in the background with bounded output and time:
 * `done` gets wait(2)'s status (or -ETIMEDOUT/-errno) and its output. */
typedef void (*child_done)(
	void *arg, int status, const char *output, size_t output_len);
int child_run(struct loop *loop, char *const *argv, int timeout_ms,
	size_t max_output, child_done done, void *arg,
	struct err *err) MUST_CHECK;

/* Same with a function in a forked process: its stdout and stderr are the
 * output, its return the exit status. For work on hostile input: set limits
 * in it. */
int child_run_entry(struct loop *loop, int (*entry)(void *entry_arg),
	void *entry_arg, int timeout_ms, size_t max_output, child_done done,
	void *arg, struct err *err) MUST_CHECK;

#endif
