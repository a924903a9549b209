/* SPDX-License-Identifier: ISC */
#ifndef HA_ANYCAST_H
#define HA_ANYCAST_H

/*
 * One anycast service at work: it feeds the decision of route.h with health
 * and time, keeps the addresses on lo and the routes in their kernel table,
 * and puts back what somebody else took off. Made and freed by the main
 * thread, otherwise the real-time thread's alone; no allocation there.
 */

#include "ha/instance.h"
#include "ha/route.h"

enum {
	ANYCAST_SLOTS = 2 * CONFIG_ANYCAST_ADDRS
};

struct anycast_slot {
	uint8_t octets[PACKET_ADDR_MAX];
	bool used;
	bool gone; /* not configured any more: leaves without a loss */
	int64_t off_us;
	struct route_have have;
	struct route_have seen; /* scratch of a scan */
	uint64_t ticket;        /* of the last request to the kernel */
};

struct anycast_counters {
	uint64_t changes;  /* of the metric wanted, none included */
	uint64_t restored; /* routes and addresses put back */
	uint64_t failed;   /* system calls */
};

struct anycast {
	struct instance_env *env;
	struct config_anycast conf;
	uint32_t owner; /* of requests to the kernel */
	struct route_conf rc;
	struct route st;
	struct anycast_slot slots[ANYCAST_SLOTS];
	struct probe probe;
	enum track_service service;
	bool drain;
	bool removed;         /* not in the configuration any more */
	bool proven;          /* the probe was answered once */
	bool complained;      /* about a refusal, until all is well again */
	unsigned refused;     /* parts of a view that tell what we have now */
	uint64_t refused_at;  /* when they are as new as this ticket */
	int64_t trust_us;     /* adopted: the frontend may connect until then */
	int64_t retry_us;     /* after a failed call; 0 = none */
	int64_t robbed_us[3]; /* last times something was put back */
	int64_t banned_us;    /* no putting back until then */
	struct anycast_counters counters;
};

/* Main thread. NULL: no memory. */
struct anycast *anycast_new(
	const struct config_anycast *conf, struct instance_env *env) MUST_CHECK;
void anycast_free(struct anycast *a); /* NULL allowed */

/* Real-time thread, or before it starts. */

/* Take in the routes that are there, as last seen. */
void anycast_adopt(struct anycast *a, int64_t now_us);
bool anycast_owns(
	const struct anycast *a, uint8_t family, const uint8_t *octets);

/* `master`: of the virtual router it follows. */
void anycast_tick(struct anycast *a, enum track_service service, bool master,
	int64_t now_us);
int64_t anycast_deadline(const struct anycast *a);
void anycast_drain(struct anycast *a, bool on);
/* The program ends soon: drain, and leave in bounded time. */
void anycast_hurry(struct anycast *a, int64_t now_us);
/* Leaving or lingering? */
bool anycast_busy(const struct anycast *a);

/* Addresses as a scan finds them: begin, each one, end. `ticket`: as for
 * instance_scan_end. */
void anycast_scan_begin(struct anycast *a);
void anycast_scan_addr(struct anycast *a, const struct iface_addr *addr);
void anycast_scan_end(struct anycast *a, uint64_t ticket, int64_t now_us);
/* env->routes are new. */
void anycast_scan_routes(struct anycast *a, int64_t now_us);
/* The kernel did not do what we asked for; it will be looked at again. */
void anycast_refused(
	struct anycast *a, const struct kernel_failure *f, int64_t now_us);

/* Live change of the same service (config_same_anycast); `next` is part of
 * `all`. Addresses that go are withdrawn and linger, unless another
 * entry of `all` has them from now on: the caller sees to it that those are
 * ticked before. */
void anycast_reconf(struct anycast *a, const struct config_anycast *next,
	const struct config *all, int64_t now_us);
/* The entry itself goes; tick on until it is not busy. */
void anycast_remove(
	struct anycast *a, const struct config *all, int64_t now_us);
/* At once: routes, then addresses. */
void anycast_close(struct anycast *a);

#endif
