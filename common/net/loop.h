/* SPDX-License-Identifier: ISC */
#ifndef COMMON_NET_LOOP_H
#define COMMON_NET_LOOP_H

/*
 * One event loop per thread, thin over libevent. All calls but loop_post and
 * loop_stop belong to the loop's own thread (or to the time before it runs).
 */

#include "common/base/clock.h"

#include <stdbool.h>

struct event_base;
struct loop;
struct watch; /* a descriptor being watched */
struct timer; /* a timer, one-shot until set again */

enum {
	LOOP_READ = 1,
	LOOP_WRITE = 2
};

typedef void (*loop_fd_cb)(void *arg, int fd, int events);
typedef void (*loop_cb)(void *arg);

/* NULL when no memory or descriptors. */
struct loop *loop_new(void) MUST_CHECK;
void loop_free(struct loop *loop); /* NULL allowed; not while it runs */
/* Run until loop_stop. 0, or negative errno when the back end fails. */
int loop_run(struct loop *loop);
/* Any thread, also from a signal callback. */
void loop_stop(struct loop *loop);
/* Call `cb(arg)` on the loop's thread, soon. Any thread. -ENOMEM. */
int loop_post(struct loop *loop, loop_cb cb, void *arg) MUST_CHECK;
/* For libunbound and evhttp. */
struct event_base *loop_base(struct loop *loop);
/* Time of this round of events (mtime_now() read once per round). */
struct mtime loop_now(struct loop *loop);
/* `cb` runs once at the end of every round in which events fired (to flush
 * batches). Several may be added, they run in that order; removed with the
 * loop. */
int loop_after_round(struct loop *loop, loop_cb cb, void *arg) MUST_CHECK;
/* Take it back (nothing happens when it is not there); not from a hook. */
void loop_after_round_remove(struct loop *loop, loop_cb cb, void *arg);

/* `events`: LOOP_READ | LOOP_WRITE, level triggered, until closed. */
struct watch *watch_open(struct loop *loop, int fd, int events, loop_fd_cb cb,
	void *arg) MUST_CHECK;
int watch_events(struct watch *watch, int events); /* change what is watched */
/* Call back once more (LOOP_READ) in the next round, which then waits for
 * nothing; whatever is watched, also when nothing is. */
void watch_again(struct watch *watch);
void watch_close(struct watch *watch); /* NULL allowed; does not close fd;
					  may be called from its callback */

struct timer *timer_new(struct loop *loop, loop_cb cb, void *arg) MUST_CHECK;
/* Fire once, `us` microseconds from now (replaces an earlier setting). */
void timer_set_us(struct timer *timer, int64_t us);
static inline void timer_set_ms(struct timer *timer, int64_t ms)
{
	timer_set_us(timer, ms * 1000);
}
void timer_clear(struct timer *timer);
bool timer_is_set(const struct timer *timer);
void timer_free(struct timer *timer); /* NULL allowed; also from its cb */

/* A signal as an event; until the loop is freed. Main thread's loop only,
 * before other threads start: the signal is blocked in this thread and those
 * it makes (and in children, who must unblock it). */
int loop_signal(struct loop *loop, int signo, loop_cb cb, void *arg) MUST_CHECK;

#endif
