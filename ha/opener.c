/* SPDX-License-Identifier: ISC */
#include "ha/opener.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "ha/aside.h"
#include "ha/neighbour.h"

/*
 * Two rings, each with one writer and one reader: requests, and results the
 * other way. A set has at most one entry in each of them, and the asker counts
 * sets, so neither can be full.
 */

struct request {
	bool close; /* the set; else open what is wanted */
	struct opener_want want;
	struct opener_set set;
};

struct opener {
	struct aside aside;
	/* The asker's. */
	uint32_t sets;  /* asked for and not failed, ever */
	uint32_t asked; /* atomic: requests written */
	uint32_t heard; /* results read */
	struct request requests[OPENER_SETS];
	/* The thread's. */
	uint32_t done;   /* atomic: requests done */
	uint32_t closed; /* atomic: sets, ever */
	uint32_t told;   /* atomic: results written */
	struct opener_got results[OPENER_SETS];
};

void opener_set_init(struct opener_set *set)
{
	sock_init(&set->sock);
	set->arp = -1;
}

/* The memory is touched before the real-time thread needs it. */
struct opener *opener_new(struct err *err)
{
	struct opener *o = calloc(1, sizeof(*o));

	if (!o) {
		err_set(err, "out of memory");
		return NULL;
	}
	for (size_t i = 0; i < OPENER_SETS; i++) {
		opener_set_init(&o->requests[i].set);
		opener_set_init(&o->results[i].set);
	}
	if (aside_init(&o->aside, err) < 0) {
		opener_free(o);
		return NULL;
	}
	return o;
}

/* --- what is done ------------------------------------------------------- */

static void close_set(struct opener_set *set)
{
	sock_close(&set->sock);
	if (set->arp >= 0)
		close(set->arp);
	set->arp = -1;
}

static void open_set(const struct opener_want *w, struct opener_got *out)
{
	memset(out, 0, sizeof(*out));
	opener_set_init(&out->set);
	out->owner = w->owner;
	out->round = w->round;
	out->rc = sock_open(&out->set.sock, w->family, w->index, w->ifname,
		w->unicast, NULL);
	if (out->rc < 0 || w->family != 4)
		return;
	out->set.arp = neighbour_socket(w->index);
	if (out->set.arp < 0) {
		out->arp_rc = out->set.arp;
		out->set.arp = -1;
	}
}

static bool anything_asked(const struct opener *o)
{
	return __atomic_load_n(&o->asked, __ATOMIC_ACQUIRE) != o->done;
}

/* A set that was closed makes room only when its request has none. */
static void do_next(struct opener *o)
{
	struct request *r = &o->requests[o->done % OPENER_SETS];
	uint32_t closed = o->closed + r->close;

	if (r->close) {
		close_set(&r->set);
	} else {
		open_set(&r->want, &o->results[o->told % OPENER_SETS]);
		__atomic_store_n(&o->told, o->told + 1, __ATOMIC_RELEASE);
	}
	__atomic_store_n(&o->done, o->done + 1, __ATOMIC_RELEASE);
	__atomic_store_n(&o->closed, closed, __ATOMIC_RELEASE);
	aside_ring(o->aside.tell_fd);
}

static void do_asked(struct opener *o)
{
	while (anything_asked(o))
		do_next(o);
}

/* --- what is asked ------------------------------------------------------ */

/* What the asker does not know to be done belongs to sets that it counts, at
 * most one request of each, so the next place is free. */
static void submit(struct opener *o)
{
	__atomic_store_n(&o->asked, o->asked + 1, __ATOMIC_RELEASE);
	if (o->aside.running)
		aside_ring(o->aside.ask_fd);
	else
		do_asked(o);
}

int opener_ask(struct opener *o, const struct opener_want *want)
{
	struct request *r = &o->requests[o->asked % OPENER_SETS];
	uint32_t closed = __atomic_load_n(&o->closed, __ATOMIC_ACQUIRE);

	if (o->sets - closed >= OPENER_SETS)
		return -EAGAIN;
	o->sets++;
	r->close = false;
	r->want = *want;
	submit(o);
	return 0;
}

void opener_close(struct opener *o, const struct opener_set *set)
{
	struct request *r = &o->requests[o->asked % OPENER_SETS];

	r->close = true;
	r->set = *set;
	submit(o);
}

bool opener_next(struct opener *o, struct opener_got *out)
{
	if (o->heard == __atomic_load_n(&o->told, __ATOMIC_ACQUIRE))
		return false;
	*out = o->results[o->heard % OPENER_SETS];
	o->heard++;
	o->sets -= out->rc < 0;
	return true;
}

bool opener_wait(struct opener *o, int64_t limit_us)
{
	uint32_t last = __atomic_load_n(&o->asked, __ATOMIC_ACQUIRE);
	int64_t end = mtime_now().us + limit_us;

	while ((int32_t)(__atomic_load_n(&o->done, __ATOMIC_ACQUIRE) - last) <
		0) {
		if (mtime_now().us > end)
			return false;
		aside_pause();
	}
	return true;
}

int opener_fd(const struct opener *o)
{
	return o->aside.tell_fd;
}

void opener_drain(struct opener *o)
{
	aside_silence(o->aside.tell_fd);
}

/* --- the thread --------------------------------------------------------- */

static void wait_for_bell(struct opener *o)
{
	struct pollfd bell = {.fd = o->aside.ask_fd, .events = POLLIN};

	(void)poll(&bell, 1, -1);
	aside_silence(o->aside.ask_fd);
}

static void *thread_main(void *arg)
{
	struct opener *o = arg;

	while (!aside_quits(&o->aside)) {
		wait_for_bell(o);
		do_asked(o);
	}
	do_asked(o);
	return NULL;
}

int opener_start(struct opener *o, struct err *err)
{
	return aside_start(&o->aside, thread_main, o, err);
}

void opener_stop(struct opener *o)
{
	aside_stop(&o->aside);
}

pthread_t opener_thread(const struct opener *o)
{
	return o->aside.thread;
}

void opener_free(struct opener *o)
{
	struct opener_got got;

	if (!o)
		return;
	while (opener_next(o, &got))
		close_set(&got.set);
	aside_fini(&o->aside);
	free(o);
}
