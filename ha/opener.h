/* SPDX-License-Identifier: ISC */
#ifndef HA_OPENER_H
#define HA_OPENER_H

#include <net/if.h>
#include <pthread.h>

#include "ha/sock.h"

/*
 * The sockets of virtual routers, opened and closed by a thread of their own.
 * To join or leave a group waits for the lock that kernel.h tells of; to close
 * a packet socket waits for all processors, some ten milliseconds. So the
 * real-time thread asks, goes on, and is told later. It is not the thread of
 * kernel.h, so that addresses do not wait for sockets.
 *
 * What is asked is done in that order. The sockets of a router on a link are
 * one set. A set counts from opener_ask until it was closed, or until it was
 * told that it could not be opened; there are so few at once that each finds
 * room in both rings: none gets lost, and nobody waits. Before opener_start
 * and after opener_stop all is done at once by the caller. One thread asks and
 * is told; nothing is allocated after opener_new.
 */

enum {
	OPENER_SETS = 256 /* a power of two */
};

struct opener;

struct opener_want {
	uint32_t owner, round; /* come back with the result */
	uint8_t family;
	bool unicast;
	int index;
	char ifname[IFNAMSIZ];
};

struct opener_set {
	struct sock sock;
	int arp; /* see neighbour_socket; IPv4 only; -1: none */
};

/* A result. The set belongs to whom it is told. */
struct opener_got {
	uint32_t owner, round;
	int rc; /* 0; -errno: there is no set */
	int arp_rc;
	struct opener_set set;
};

void opener_set_init(struct opener_set *set); /* none is open */

/* NULL with err. */
struct opener *opener_new(struct err *err) MUST_CHECK;
/* NULL allowed; stopped. Closes what was opened and not told. */
void opener_free(struct opener *o);
/* 0 or -errno. */
int opener_start(struct opener *o, struct err *err) MUST_CHECK;
/* Does what was asked for, then ends the thread. */
void opener_stop(struct opener *o);
pthread_t opener_thread(const struct opener *o); /* while it runs */

/* Readable when something was done. */
int opener_fd(const struct opener *o);
void opener_drain(struct opener *o); /* that fd */

/* 0; -EAGAIN: there are too many sets; try again when something was done. */
int opener_ask(struct opener *o, const struct opener_want *want) MUST_CHECK;
/* Close a set that was told, which is out of all event loops. */
void opener_close(struct opener *o, const struct opener_set *set);
/* The next result; false when there is none. */
bool opener_next(struct opener *o, struct opener_got *out);
/* Wait until all that was asked until now is done; at most so long. Any
 * thread; false when it is not. */
bool opener_wait(struct opener *o, int64_t limit_us);

#endif
