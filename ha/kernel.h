/* SPDX-License-Identifier: ISC */
#ifndef HA_KERNEL_H
#define HA_KERNEL_H

#include <pthread.h>

#include "ha/iface.h"

/*
 * Addresses and routes, changed and read by a thread of their own. Netlink
 * waits for a lock that all network namespaces of a machine share (RTNL), and
 * who flushes a big table holds it for seconds. So the real-time thread says
 * what is to be done, goes on, and is told later.
 *
 * What is asked is done in that order. Every request has a number, its ticket,
 * one more than that of the request before; a view of the kernel says up to
 * which of them it was taken after. Before kernel_start and after kernel_stop
 * all is done at once by the caller. One thread asks at a time; nothing is
 * allocated after kernel_new.
 */

struct kernel;

enum kernel_op_kind {
	KERNEL_ADDR_ADD, /* with our tag; of route only family and octets */
	KERNEL_ADDR_DEL,
	KERNEL_ROUTE_ADD,
	KERNEL_ROUTE_DEL
};

struct kernel_op {
	enum kernel_op_kind kind;
	uint8_t prefix; /* of an address */
	int index;      /* of its link */
	struct iface_route route;
	uint32_t owner; /* told with a failure */
	/* Requests one after the other of one chain: none is done after one
	 * that failed. 0: each for itself. */
	uint32_t chain;
};

struct kernel_failure {
	enum kernel_op_kind kind;
	uint32_t owner;
	uint64_t ticket;
	int rc; /* -errno */
};

enum {
	KERNEL_LINKS = 4096,
	KERNEL_ADDRS = 16384,
	KERNEL_ROUTES = 512, /* with our tag */
	/* parts of a view */
	KERNEL_SEES_LINKS = 1, /* and addresses */
	KERNEL_SEES_ROUTES = 2
};

struct kernel_routes {
	uint64_t ticket; /* what was asked up to here is in it */
	size_t count;
	struct iface_route list[KERNEL_ROUTES];
};

struct kernel_view {
	unsigned parts; /* which of them are new */
	uint64_t ticket;
	bool cut; /* there was more than fits */
	size_t link_count, addr_count;
	struct iface_link links[KERNEL_LINKS];
	struct iface_addr addrs[KERNEL_ADDRS];
	struct kernel_routes routes;
};

/* `iface` stays the caller's, but is not touched by others from kernel_start
 * to kernel_stop, but for iface_is_local. NULL with err. */
struct kernel *kernel_new(struct iface *iface, struct err *err) MUST_CHECK;
void kernel_free(struct kernel *k); /* NULL allowed; stopped */
/* 0 or -errno. */
int kernel_start(struct kernel *k, struct err *err) MUST_CHECK;
/* Does what was asked for, then ends the thread. */
void kernel_stop(struct kernel *k);
pthread_t kernel_thread(const struct kernel *k); /* while it runs */

/* Readable when something was done or failed, or a view is there. */
int kernel_fd(const struct kernel *k);
void kernel_drain(struct kernel *k); /* that fd */

/* Returns the ticket. Waits only when thousands wait already. */
uint64_t kernel_ask(struct kernel *k, const struct kernel_op *op);
/* All up to this ticket were done, or failed. Any thread. */
uint64_t kernel_done(const struct kernel *k);
/* Wait until all that was asked until now is done; at most so long. Any
 * thread; false when it is not. */
bool kernel_wait(struct kernel *k, int64_t limit_us);
/* The next failure; false when there is none. When more are there than fit, a
 * new view comes instead of the last ones. */
bool kernel_next_failure(struct kernel *k, struct kernel_failure *out);

/* Read everything soon, as if it had changed. */
void kernel_look(struct kernel *k);
/* What was read since the last one; NULL: nothing. It stays as it is until
 * kernel_seen, and no other comes before. */
const struct kernel_view *kernel_view(const struct kernel *k);
void kernel_seen(struct kernel *k);

#endif
