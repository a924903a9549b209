/* SPDX-License-Identifier: ISC */
#include "ha/kernel.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "ha/aside.h"

/*
 * Requests go through a ring with one writer and one reader, failures through
 * another one the other way. The view is one place that belongs to the thread
 * while it is empty, and to the reader while it is full; nobody locks. Words of
 * different writers are apart.
 */

enum {
	ASKED = 16384, /* powers of two; every address of a full node twice */
	FAILED = 64,
	TELL_EVERY = 16, /* requests, and when there is none left */
	AGAIN_MS = 2,    /* a dump that was disturbed */
	SETTLED_US = 20 * 1000,
};

struct failures {
	struct kernel_failure list[FAILED];
	uint32_t head, tail; /* atomic; head: next to write */
};

struct kernel {
	struct iface *iface;
	struct aside aside;
	/* The asker's. */
	uint64_t asked; /* atomic: last ticket given */
	struct kernel_op ops[ASKED];
	struct failures failures;
	/* The thread's. */
	uint64_t done; /* atomic: last ticket done */
	unsigned dirty;
	int64_t settled_us; /* look at the routes once more then; 0 = no need */
	uint32_t failed_chain;
	unsigned look; /* atomic: parts wanted by the asker */
	bool full;     /* atomic: whose the view is */
	struct kernel_view view;
};

/* Memory that is there before the real-time thread needs it, also where it
 * cannot be locked. */
static void touch(volatile uint8_t *at, size_t len)
{
	enum {
		PAGE = 4096
	};

	for (size_t i = 0; i < len; i += PAGE)
		at[i] = 0;
}

struct kernel *kernel_new(struct iface *iface, struct err *err)
{
	struct kernel *k = calloc(1, sizeof(*k));

	if (!k) {
		err_set(err, "out of memory");
		return NULL;
	}
	touch((volatile uint8_t *)k, sizeof(*k));
	k->iface = iface;
	if (aside_init(&k->aside, err) < 0) {
		kernel_free(k);
		return NULL;
	}
	return k;
}

void kernel_free(struct kernel *k)
{
	if (!k)
		return;
	aside_fini(&k->aside);
	free(k);
}

/* --- requests ----------------------------------------------------------- */

static int carry_out(struct kernel *k, const struct kernel_op *op)
{
	const struct iface_route *r = &op->route;

	switch (op->kind) {
	case KERNEL_ADDR_ADD:
		return iface_add(
			k->iface, op->index, r->family, r->octets, op->prefix);
	case KERNEL_ADDR_DEL:
		return iface_del(
			k->iface, op->index, r->family, r->octets, op->prefix);
	case KERNEL_ROUTE_ADD:
		return iface_route_add(k->iface, r);
	case KERNEL_ROUTE_DEL:
		return iface_route_del(k->iface, r);
	}
	return -EINVAL;
}

static void note_failure(struct kernel *k, const struct kernel_op *op, int rc)
{
	struct failures *f = &k->failures;
	struct kernel_failure *out = &f->list[f->head % FAILED];

	if (f->head - __atomic_load_n(&f->tail, __ATOMIC_ACQUIRE) == FAILED) {
		k->dirty = KERNEL_SEES_LINKS | KERNEL_SEES_ROUTES;
		return;
	}
	out->kind = op->kind;
	out->owner = op->owner;
	out->ticket = k->done + 1;
	out->rc = rc;
	__atomic_store_n(&f->head, f->head + 1, __ATOMIC_RELEASE);
}

static void do_next(struct kernel *k)
{
	const struct kernel_op *op = &k->ops[(k->done + 1) % ASKED];
	int rc = 0;

	if (!op->chain || op->chain != k->failed_chain)
		rc = carry_out(k, op);
	if (rc < 0) {
		k->failed_chain = op->chain;
		note_failure(k, op, rc);
	}
	__atomic_store_n(&k->done, k->done + 1, __ATOMIC_RELEASE);
}

static bool anything_asked(const struct kernel *k)
{
	return __atomic_load_n(&k->asked, __ATOMIC_ACQUIRE) != k->done;
}

static void do_asked(struct kernel *k)
{
	for (unsigned n = 1; anything_asked(k); n++) {
		do_next(k);
		if (n % TELL_EVERY == 0 || !anything_asked(k))
			aside_ring(k->aside.tell_fd);
	}
}

uint64_t kernel_ask(struct kernel *k, const struct kernel_op *op)
{
	uint64_t ticket = k->asked + 1;

	while (ticket - kernel_done(k) >= ASKED)
		aside_pause();
	k->ops[ticket % ASKED] = *op;
	__atomic_store_n(&k->asked, ticket, __ATOMIC_RELEASE);
	if (k->aside.running)
		aside_ring(k->aside.ask_fd);
	else
		do_asked(k);
	return ticket;
}

uint64_t kernel_done(const struct kernel *k)
{
	return __atomic_load_n(&k->done, __ATOMIC_ACQUIRE);
}

bool kernel_wait(struct kernel *k, int64_t limit_us)
{
	uint64_t last = __atomic_load_n(&k->asked, __ATOMIC_ACQUIRE);
	int64_t end = mtime_now().us + limit_us;

	while (kernel_done(k) < last) {
		if (mtime_now().us > end)
			return false;
		aside_pause();
	}
	return true;
}

bool kernel_next_failure(struct kernel *k, struct kernel_failure *out)
{
	struct failures *f = &k->failures;

	if (f->tail == __atomic_load_n(&f->head, __ATOMIC_ACQUIRE))
		return false;
	*out = f->list[f->tail % FAILED];
	__atomic_store_n(&f->tail, f->tail + 1, __ATOMIC_RELEASE);
	return true;
}

/* --- views -------------------------------------------------------------- */

static void take_link(void *arg, const struct iface_link *link)
{
	struct kernel_view *v = arg;

	if (v->link_count < KERNEL_LINKS)
		v->links[v->link_count++] = *link;
	else
		v->cut = true;
}

static void take_addr(void *arg, const struct iface_addr *addr)
{
	struct kernel_view *v = arg;

	if (v->addr_count < KERNEL_ADDRS)
		v->addrs[v->addr_count++] = *addr;
	else
		v->cut = true;
}

static void take_route(void *arg, const struct iface_route *route)
{
	struct kernel_view *v = arg;

	if (v->routes.count < KERNEL_ROUTES)
		v->routes.list[v->routes.count++] = *route;
	else
		v->cut = true;
}

static int read_links(struct kernel *k)
{
	struct kernel_view *v = &k->view;
	int rc;

	v->link_count = v->addr_count = 0;
	rc = iface_scan_links(k->iface, take_link, v);
	return rc < 0 ? rc : iface_scan_addrs(k->iface, take_addr, v);
}

static int read_routes(struct kernel *k)
{
	struct kernel_view *v = &k->view;
	int rc;

	v->routes.count = 0;
	rc = iface_route_scan(k->iface, 4, 0, take_route, v);
	return rc < 0 ? rc : iface_route_scan(k->iface, 6, 0, take_route, v);
}

/* What a change disturbs stays dirty, and is read once more. */
static void read_view(struct kernel *k)
{
	struct kernel_view *v = &k->view;

	v->parts = 0;
	v->cut = false;
	v->ticket = v->routes.ticket = k->done;
	if (k->dirty & KERNEL_SEES_LINKS && read_links(k) == 0)
		v->parts |= KERNEL_SEES_LINKS;
	if (k->dirty & KERNEL_SEES_ROUTES && read_routes(k) == 0)
		v->parts |= KERNEL_SEES_ROUTES;
	k->dirty &= ~v->parts;
	if (!v->parts)
		return;
	__atomic_store_n(&k->full, true, __ATOMIC_RELEASE);
	aside_ring(k->aside.tell_fd);
}

static bool is_full(const struct kernel *k)
{
	return __atomic_load_n(&k->full, __ATOMIC_ACQUIRE);
}

void kernel_look(struct kernel *k)
{
	unsigned all = KERNEL_SEES_LINKS | KERNEL_SEES_ROUTES;

	if (k->aside.running) {
		__atomic_fetch_or(&k->look, all, __ATOMIC_ACQ_REL);
		aside_ring(k->aside.ask_fd);
		return;
	}
	k->dirty |= all;
	if (!is_full(k))
		read_view(k);
}

const struct kernel_view *kernel_view(const struct kernel *k)
{
	return is_full(k) ? &k->view : NULL;
}

void kernel_seen(struct kernel *k)
{
	__atomic_store_n(&k->full, false, __ATOMIC_RELEASE);
	if (k->aside.running)
		aside_ring(k->aside.ask_fd);
}

/* --- the thread --------------------------------------------------------- */

/* Linux tells of the deletion of an IPv4 route before it takes it out of the
 * table, so this thread can be quick enough to find it there still. */
static void note_routes(struct kernel *k)
{
	int64_t now = mtime_now().us;

	if (iface_route_drain(k->iface)) {
		k->dirty |= KERNEL_SEES_ROUTES;
		k->settled_us = now + SETTLED_US;
	} else if (k->settled_us && now >= k->settled_us) {
		k->dirty |= KERNEL_SEES_ROUTES;
		k->settled_us = 0;
	}
}

static int wait_ms(const struct kernel *k)
{
	int64_t left = k->settled_us - mtime_now().us;

	if (k->dirty && !is_full(k))
		return AGAIN_MS;
	if (!k->settled_us)
		return -1;
	return left > 0 ? (int)(left / 1000 + 1) : 0;
}

/* Until there is something to do: requests, changes, or room for a view. */
static void wait_for_work(struct kernel *k)
{
	struct pollfd fds[] = {
		{.fd = k->aside.ask_fd, .events = POLLIN},
		{.fd = iface_fd(k->iface), .events = POLLIN},
		{.fd = iface_route_fd(k->iface), .events = POLLIN},
	};

	if (poll(fds, countof(fds), wait_ms(k)) < 0)
		return;
	aside_silence(k->aside.ask_fd);
	k->dirty |= __atomic_exchange_n(&k->look, 0, __ATOMIC_ACQ_REL);
	if (iface_drain(k->iface))
		k->dirty |= KERNEL_SEES_LINKS;
	note_routes(k);
}

static void *thread_main(void *arg)
{
	struct kernel *k = arg;

	while (!aside_quits(&k->aside)) {
		wait_for_work(k);
		do_asked(k);
		if (k->dirty && !is_full(k))
			read_view(k);
	}
	do_asked(k);
	return NULL;
}

int kernel_start(struct kernel *k, struct err *err)
{
	return aside_start(&k->aside, thread_main, k, err);
}

void kernel_stop(struct kernel *k)
{
	aside_stop(&k->aside);
}

pthread_t kernel_thread(const struct kernel *k)
{
	return k->aside.thread;
}

int kernel_fd(const struct kernel *k)
{
	return k->aside.tell_fd;
}

void kernel_drain(struct kernel *k)
{
	aside_silence(k->aside.tell_fd);
}
