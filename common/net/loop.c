/* SPDX-License-Identifier: ISC */
/*
 * One libevent base, run round by round (EVLOOP_ONCE), so that work which the
 * callbacks of a round have gathered (replies to send) leaves in one go at
 * its end. Other threads reach the loop only through a descriptor (eventfd),
 * so libevent's own locking is not needed.
 */

#include "common/net/loop.h"

#include "common/base/list.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <event2/event.h>

struct post {
	struct post *next;
	loop_cb cb;
	void *arg;
};

struct hook {
	struct hook *next;
	loop_cb cb;
	void *arg;
};

struct sigwatch {
	struct sigwatch *next;
	struct watch *watch;
	int fd;
	loop_cb cb;
	void *arg;
};

struct loop {
	struct event_base *base;
	struct event *wake;
	int wake_fd;
	int stop; /* atomic */
	bool now_valid;
	struct mtime now;
	struct hook *hooks;
	struct list again; /* watches to be called in the next round */
	struct sigwatch *signals;
	pthread_mutex_t lock; /* guards posts */
	struct post *posts, **posts_end;
};

struct watch {
	struct list again; /* in its loop's list, or alone */
	struct event *event;
	struct loop *loop;
	loop_fd_cb cb;
	void *arg;
};

struct timer {
	struct event *event;
	loop_cb cb;
	void *arg;
};

/* --- posts from other threads --- */

static void wake_loop(struct loop *loop)
{
	const uint64_t one = 1;
	/* The counter cannot be full: it is read on each wake. */
	ssize_t n = write(loop->wake_fd, &one, sizeof(one));

	(void)n;
}

static struct post *take_posts(struct loop *loop)
{
	struct post *first;

	pthread_mutex_lock(&loop->lock);
	first = loop->posts;
	loop->posts = NULL;
	loop->posts_end = &loop->posts;
	pthread_mutex_unlock(&loop->lock);
	return first;
}

static void woken(evutil_socket_t fd, short events, void *arg)
{
	struct loop *loop = arg;
	struct post *post, *next;
	uint64_t count;
	ssize_t n = read(fd, &count, sizeof(count));

	(void)n;
	(void)events;
	for (post = take_posts(loop); post; post = next) {
		next = post->next;
		post->cb(post->arg);
		free(post);
	}
}

int loop_post(struct loop *loop, loop_cb cb, void *arg)
{
	struct post *post = malloc(sizeof(*post));

	if (!post)
		return -ENOMEM;
	post->next = NULL;
	post->cb = cb;
	post->arg = arg;
	pthread_mutex_lock(&loop->lock);
	*loop->posts_end = post;
	loop->posts_end = &post->next;
	pthread_mutex_unlock(&loop->lock);
	wake_loop(loop);
	return 0;
}

/* --- the loop itself --- */

static struct event_base *base_new(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base;

	if (!config)
		return NULL;
	/* Without this flag timers follow a clock of 4 ms steps. */
	event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
	/* Else a timer set late in a long callback counts from its start. */
	event_config_set_flag(config, EVENT_BASE_FLAG_NO_CACHE_TIME);
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

struct loop *loop_new(void)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return NULL;
	list_init(&loop->again);
	pthread_mutex_init(&loop->lock, NULL);
	loop->posts_end = &loop->posts;
	loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	loop->base = base_new();
	if (loop->wake_fd < 0 || !loop->base)
		goto fail;
	loop->wake = event_new(
		loop->base, loop->wake_fd, EV_READ | EV_PERSIST, woken, loop);
	if (!loop->wake || event_add(loop->wake, NULL) != 0)
		goto fail;
	return loop;
fail:
	loop_free(loop);
	return NULL;
}

static void free_signals(struct loop *loop)
{
	struct sigwatch *sig, *next;

	for (sig = loop->signals; sig; sig = next) {
		next = sig->next;
		watch_close(sig->watch);
		close(sig->fd);
		free(sig);
	}
}

static void free_hooks(struct loop *loop)
{
	struct hook *hook, *next;

	for (hook = loop->hooks; hook; hook = next) {
		next = hook->next;
		free(hook);
	}
}

void loop_free(struct loop *loop)
{
	struct post *post, *next;

	if (!loop)
		return;
	free_signals(loop);
	free_hooks(loop);
	for (post = take_posts(loop); post; post = next) {
		next = post->next;
		free(post);
	}
	if (loop->wake)
		event_free(loop->wake);
	if (loop->base)
		event_base_free(loop->base);
	if (loop->wake_fd >= 0)
		close(loop->wake_fd);
	pthread_mutex_destroy(&loop->lock);
	free(loop);
}

static void end_round(struct loop *loop)
{
	for (struct hook *hook = loop->hooks; hook; hook = hook->next)
		hook->cb(hook->arg);
	loop->now_valid = false;
}

/* Those that asked for it in the last round: libevent would call what is made
 * active again within this one. */
static void call_again(struct list *due)
{
	while (!list_empty(due)) {
		struct watch *watch =
			list_entry(due->next, struct watch, again);

		list_remove(&watch->again);
		watch->cb(watch->arg, event_get_fd(watch->event), LOOP_READ);
	}
}

static void move_all(struct list *to, struct list *from)
{
	list_init(to);
	while (!list_empty(from)) {
		struct list *first = from->next;

		list_remove(first);
		list_append(to, first);
	}
}

int loop_run(struct loop *loop)
{
	const int flags = EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY;

	loop->now_valid = false;
	while (!__atomic_load_n(&loop->stop, __ATOMIC_ACQUIRE)) {
		struct list due;

		move_all(&due, &loop->again);
		if (event_base_loop(loop->base,
			    list_empty(&due) ? flags
					     : flags | EVLOOP_NONBLOCK) < 0)
			return -EIO;
		call_again(&due);
		end_round(loop);
	}
	__atomic_store_n(&loop->stop, 0, __ATOMIC_RELEASE);
	return 0;
}

void loop_stop(struct loop *loop)
{
	__atomic_store_n(&loop->stop, 1, __ATOMIC_RELEASE);
	wake_loop(loop);
}

struct event_base *loop_base(struct loop *loop)
{
	return loop->base;
}

struct mtime loop_now(struct loop *loop)
{
	if (!loop->now_valid) {
		loop->now = mtime_now();
		loop->now_valid = true;
	}
	return loop->now;
}

int loop_after_round(struct loop *loop, loop_cb cb, void *arg)
{
	struct hook **at = &loop->hooks;
	struct hook *hook = malloc(sizeof(*hook));

	if (!hook)
		return -ENOMEM;
	while (*at)
		at = &(*at)->next;
	hook->cb = cb;
	hook->arg = arg;
	hook->next = NULL;
	*at = hook;
	return 0;
}

void loop_after_round_remove(struct loop *loop, loop_cb cb, void *arg)
{
	struct hook **at = &loop->hooks;

	while (*at && ((*at)->cb != cb || (*at)->arg != arg))
		at = &(*at)->next;
	if (*at) {
		struct hook *hook = *at;

		*at = hook->next;
		free(hook);
	}
}

/* --- descriptors --- */

static short to_ev(int events)
{
	short ev = EV_PERSIST;

	if (events & LOOP_READ)
		ev |= EV_READ;
	if (events & LOOP_WRITE)
		ev |= EV_WRITE;
	return ev;
}

static void watch_fired(evutil_socket_t fd, short events, void *arg)
{
	struct watch *watch = arg;
	int what = 0;

	if (events & EV_READ)
		what |= LOOP_READ;
	if (events & EV_WRITE)
		what |= LOOP_WRITE;
	watch->cb(watch->arg, fd, what); /* may free watch */
}

struct watch *watch_open(
	struct loop *loop, int fd, int events, loop_fd_cb cb, void *arg)
{
	struct watch *watch = malloc(sizeof(*watch));

	if (!watch)
		return NULL;
	list_init(&watch->again);
	watch->loop = loop;
	watch->cb = cb;
	watch->arg = arg;
	watch->event =
		event_new(loop->base, fd, to_ev(events), watch_fired, watch);
	if (!watch->event)
		goto fail;
	if (events && event_add(watch->event, NULL) != 0)
		goto fail;
	return watch;
fail:
	watch_close(watch);
	return NULL;
}

int watch_events(struct watch *watch, int events)
{
	evutil_socket_t fd = event_get_fd(watch->event);

	event_del(watch->event);
	if (!events)
		return 0;
	if (event_assign(watch->event, watch->loop->base, fd, to_ev(events),
		    watch_fired, watch) != 0)
		return -EINVAL;
	return event_add(watch->event, NULL) == 0 ? 0 : -ENOMEM;
}

void watch_again(struct watch *watch)
{
	list_remove(&watch->again);
	list_append(&watch->loop->again, &watch->again);
}

void watch_close(struct watch *watch)
{
	if (!watch)
		return;
	list_remove(&watch->again);
	if (watch->event)
		event_free(watch->event);
	free(watch);
}

/* --- timers --- */

static void timer_fired(evutil_socket_t fd, short events, void *arg)
{
	struct timer *timer = arg;

	(void)fd;
	(void)events;
	timer->cb(timer->arg); /* may free timer */
}

struct timer *timer_new(struct loop *loop, loop_cb cb, void *arg)
{
	struct timer *timer = malloc(sizeof(*timer));

	if (!timer)
		return NULL;
	timer->cb = cb;
	timer->arg = arg;
	timer->event = evtimer_new(loop->base, timer_fired, timer);
	if (timer->event)
		return timer;
	free(timer);
	return NULL;
}

void timer_set_us(struct timer *timer, int64_t us)
{
	struct timeval tv;

	if (us < 0)
		us = 0;
	tv.tv_sec = us / 1000000;
	tv.tv_usec = us % 1000000;
	/* Fails only when the timer heap cannot grow; the heap keeps its
	 * size, so a set timer that is set again never fails. */
	if (evtimer_add(timer->event, &tv) != 0)
		abort();
}

void timer_clear(struct timer *timer)
{
	evtimer_del(timer->event);
}

bool timer_is_set(const struct timer *timer)
{
	return evtimer_pending(timer->event, NULL) != 0;
}

void timer_free(struct timer *timer)
{
	if (!timer)
		return;
	event_free(timer->event);
	free(timer);
}

/* --- signals --- */

static void signal_fired(void *arg, int fd, int events)
{
	struct sigwatch *sig = arg;
	struct signalfd_siginfo info;

	(void)events;
	if (read(fd, &info, sizeof(info)) == sizeof(info))
		sig->cb(sig->arg);
}

static int signal_open(int signo)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signo);
	if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
		return -EINVAL;
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/*
 * By signalfd: libevent's own signals share one pipe between the loops of a
 * process, and with a forked child. The signal stays blocked.
 */
int loop_signal(struct loop *loop, int signo, loop_cb cb, void *arg)
{
	struct sigwatch *sig = malloc(sizeof(*sig));

	if (!sig)
		return -ENOMEM;
	sig->cb = cb;
	sig->arg = arg;
	sig->fd = signal_open(signo);
	if (sig->fd < 0)
		goto fail;
	sig->watch = watch_open(loop, sig->fd, LOOP_READ, signal_fired, sig);
	if (!sig->watch)
		goto fail;
	sig->next = loop->signals;
	loop->signals = sig;
	return 0;
fail:
	if (sig->fd >= 0)
		close(sig->fd);
	free(sig);
	return -ENOMEM;
}
