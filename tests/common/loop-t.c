/* SPDX-License-Identifier: ISC */
/* The loop: timers in order, descriptors, posts from a thread, hooks. */

#include "common/net/loop.h"

#include "tests/tap/tap.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static struct loop *loop;
static char order[64];

static void note(char c)
{
	size_t n = strlen(order);

	if (n + 1 < sizeof(order)) {
		order[n] = c;
		order[n + 1] = '\0';
	}
}

static void note_cb(void *arg)
{
	note(*(const char *)arg);
	if (*(const char *)arg == 'z')
		loop_stop(loop);
}

static void test_timers(void)
{
	static char a = 'a', b = 'b', c = 'c', z = 'z';
	struct timer *ta = timer_new(loop, note_cb, &a);
	struct timer *tb = timer_new(loop, note_cb, &b);
	struct timer *tc = timer_new(loop, note_cb, &c);
	struct timer *tz = timer_new(loop, note_cb, &z);
	struct mtime t0 = mtime_now();

	order[0] = '\0';
	timer_set_ms(tb, 20);
	timer_set_us(ta, 5000);
	timer_set_ms(tc, 10);
	timer_set_ms(tz, 30);
	ok(timer_is_set(tc), "a set timer is set");
	timer_clear(tc);
	ok(!timer_is_set(tc), "a cleared timer is not");
	is_int(loop_run(loop), 0, "the loop runs until it is stopped");
	is_string(order, "abz", "timers fire in the order of their times");
	ok(mtime_sub_us(mtime_now(), t0) >= 30000, "and not too early");
	ok(!timer_is_set(tz), "a timer is one-shot");
	timer_free(ta);
	timer_free(tb);
	timer_free(tc);
	timer_free(tz);
}

static struct mtime set_at;
static struct timer *late;

/* Take 30 ms, then set a timer of 20 ms. */
static void busy_then_set(void *arg)
{
	struct mtime end = mtime_add_ms(mtime_now(), 30);

	(void)arg;
	while (mtime_before(mtime_now(), end))
		;
	set_at = mtime_now();
	timer_set_ms(late, 20);
}

static void test_late_timer(void)
{
	static char z = 'z';
	struct timer *t = timer_new(loop, busy_then_set, NULL);

	late = timer_new(loop, note_cb, &z);
	timer_set_ms(t, 1);
	loop_run(loop);
	ok(mtime_sub_us(mtime_now(), set_at) >= 20000,
		"a timer counts from when it is set, not from the round");
	timer_free(t);
	timer_free(late);
}

struct pipe_end {
	struct watch *watch;
	unsigned got;
};

static void readable(void *arg, int fd, int events)
{
	struct pipe_end *end = arg;
	char c;

	if (events != LOOP_READ || read(fd, &c, 1) != 1)
		return;
	note(c);
	if (++end->got < 3)
		return;
	watch_close(end->watch);
	end->watch = NULL;
	loop_stop(loop);
}

static void test_watch(void)
{
	struct pipe_end end = {0};
	int fds[2];

	order[0] = '\0';
	if (pipe(fds) != 0)
		tap_bail("pipe");
	end.watch = watch_open(loop, fds[0], LOOP_READ, readable, &end);
	ok(end.watch != NULL, "a descriptor is watched");
	is_int(write(fds[1], "xyw", 3), 3, "three octets are written");
	loop_run(loop);
	is_string(order, "xyw", "level triggered: told until it is empty");
	ok(!end.watch, "a watch may be closed from its callback");
	close(fds[0]);
	close(fds[1]);
}

static void writable(void *arg, int fd, int events)
{
	(void)arg;
	(void)fd;
	note(events == LOOP_WRITE ? 'W' : '?');
	loop_stop(loop);
}

static void test_events(void)
{
	struct watch *w;
	int fds[2];

	order[0] = '\0';
	if (pipe(fds) != 0)
		tap_bail("pipe");
	w = watch_open(loop, fds[1], 0, writable, NULL);
	ok(w != NULL, "nothing may be watched at first");
	is_int(watch_events(w, LOOP_WRITE), 0, "then writing");
	loop_run(loop);
	is_string(order, "W", "a writable pipe is told");
	watch_close(w);
	close(fds[0]);
	close(fds[1]);
}

static struct watch *again;
static unsigned turns;

static void read_again(void *arg, int fd, int events)
{
	(void)arg;
	(void)fd;
	note(events == LOOP_READ ? 'R' : '?');
	if (++turns < 3)
		watch_again(again);
	else
		loop_stop(loop);
}

static void test_again(void)
{
	int fds[2];

	order[0] = '\0';
	if (pipe(fds) != 0)
		tap_bail("pipe");
	again = watch_open(loop, fds[0], 0, read_again, NULL);
	watch_again(again);
	loop_run(loop);
	is_string(order, "RRR",
		"called again in each round, though nothing is watched");
	watch_again(again);
	watch_close(again);
	close(fds[0]);
	close(fds[1]);
}

static void *poster(void *arg)
{
	static char p = 'p', z = 'z';

	(void)arg;
	for (unsigned i = 0; i < 3; i++)
		if (loop_post(loop, note_cb, &p) < 0)
			return NULL;
	if (loop_post(loop, note_cb, &z) < 0)
		return NULL;
	return NULL;
}

static void test_post(void)
{
	pthread_t thread;

	order[0] = '\0';
	if (pthread_create(&thread, NULL, poster, NULL) != 0)
		tap_bail("pthread_create");
	loop_run(loop);
	pthread_join(thread, NULL);
	is_string(order, "pppz", "posts of a thread arrive in order");
}

static unsigned rounds;
static struct mtime seen;
static struct timer *another; /* set in one round, fires in the next */

static void count_round(void *arg)
{
	(void)arg;
	rounds++;
}

static void keep_now(void *arg)
{
	struct mtime now = loop_now(loop);

	ok(loop_now(loop).us == now.us, "one time for a whole round");
	ok(now.us > seen.us, "that moves on from round to round");
	if (seen.us == 0)
		timer_set_ms(another, 2);
	else
		timer_set_ms(arg, 2);
	seen = now;
}

static void test_hooks(void)
{
	static char z = 'z';
	struct timer *end = timer_new(loop, note_cb, &z);
	struct timer *a = timer_new(loop, keep_now, end);

	another = timer_new(loop, keep_now, end);
	is_int(loop_after_round(loop, count_round, NULL), 0, "add a hook");
	timer_set_ms(a, 2);
	loop_run(loop);
	ok(rounds >= 3, "the hook ran after each of %u rounds", rounds);
	loop_after_round_remove(loop, count_round, NULL);
	rounds = 0;
	timer_set_ms(end, 1);
	loop_run(loop);
	is_int(rounds, 0, "and not after it was removed");
	timer_free(a);
	timer_free(another);
	timer_free(end);
}

static void kill_self(void *arg)
{
	(void)arg;
	kill(getpid(), SIGUSR1);
}

static void test_signal(void)
{
	static char z = 'z';
	struct timer *t = timer_new(loop, kill_self, NULL);

	order[0] = '\0';
	is_int(loop_signal(loop, SIGUSR1, note_cb, &z), 0, "watch a signal");
	timer_set_ms(t, 0);
	loop_run(loop);
	is_string(order, "z", "it arrives as an event");
	timer_free(t);
}

int main(void)
{
	loop = loop_new();
	if (!loop)
		tap_bail("loop_new");
	test_timers();
	test_late_timer();
	test_watch();
	test_events();
	test_again();
	test_post();
	test_hooks();
	test_signal();
	loop_free(loop);
	return tap_done();
}
