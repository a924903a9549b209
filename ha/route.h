/* SPDX-License-Identifier: ISC */
#ifndef HA_ROUTE_H
#define HA_ROUTE_H

#include "ha/track.h"

/*
 * An anycast service as a pure decision: with which metric its addresses are
 * to be routed here at this moment, and in which order that is brought about.
 * A BGP daemon exports the routes of a private kernel table, metric as MED,
 * so a larger metric is a drain and no route is a withdrawal. No I/O, no
 * clock. One thread.
 */

enum route_reason {
	ROUTE_START,    /* nothing is known yet */
	ROUTE_HEALTHY,  /* the normal metric */
	ROUTE_DEGRADED, /* the drain metric, until well for a while again */
	ROUTE_DRAIN,    /* the drain metric, for drain_us */
	ROUTE_DRAINED,  /* withdrawn after it */
	ROUTE_SERVICE,  /* withdrawn: the frontend failed */
	ROUTE_PROBE,    /* withdrawn: the address does not answer */
	ROUTE_ROLE,     /* withdrawn: not master of the virtual router */
	ROUTE_LAST_MAN, /* failed, but kept with the drain metric */
	ROUTE_ADOPTED,  /* found at the start */
	ROUTE_REMOVED,  /* not in the configuration any more, or the end */
	ROUTE_REASONS,
};

struct route_conf {
	uint32_t metric;       /* 1.. */
	uint32_t drain_metric; /* larger */
	int64_t drain_us;      /* from drain to withdrawal */
	int64_t linger_us;     /* from withdrawal to the address's removal */
	bool last_man;         /* keep a failed one, with the drain metric */
	bool by_role;          /* only while master */
};

struct route_input {
	enum track_service service;
	bool probe_failed;
	bool drain; /* by the operator */
	bool master;
	bool removed;
};

struct route {
	uint32_t metric; /* wanted; 0 = none */
	bool address;    /* is the address to be on this host? */
	enum route_reason reason;
	int64_t since_us;  /* of metric and reason */
	int64_t drain_us;  /* withdraw then; 0 = not draining */
	int64_t linger_us; /* end of the linger; 0 = none */
	int64_t trust_us;  /* degraded until then at least; 0 = no longer */
	int64_t flap_us;   /* last change from the normal metric to degraded */
	int64_t hold_us;   /* how long to be well again; 0 = at once */
};

void route_init(struct route *r);
/* Routes with this metric were there at the start. */
void route_adopt(struct route *r, const struct route_conf *c, uint32_t metric);
/* Decide anew. True when metric or reason changed. */
bool route_judge(struct route *r, const struct route_conf *c,
	const struct route_input *in, int64_t now_us);
/* When to decide again at the latest; INT64_MAX = not by time. */
int64_t route_deadline(const struct route *r);
/* Leaving or lingering: not yet at rest. */
bool route_busy(const struct route *r);
const char *route_reason_name(enum route_reason reason);

enum {
	ROUTE_HAVE = 4,
	ROUTE_OPS = ROUTE_HAVE + 3
};

/* What the kernel has for one address. */
struct route_have {
	uint32_t metrics[ROUTE_HAVE];
	uint8_t count;
	bool address;
};

enum route_op_kind {
	ROUTE_OP_ADDR_ADD,
	ROUTE_OP_ADD,
	ROUTE_OP_DEL,
	ROUTE_OP_ADDR_DEL
};

struct route_op {
	enum route_op_kind kind;
	uint32_t metric;
};

/* From `have` to what is wanted, make before break: the address, the new
 * route, then the old ones off, then the address off. With `del_first` the
 * new route comes after the old ones, and again when it was there beside
 * them: for FRR, which forgets the one with the deletion of the other. Whoever
 * carries it out stops at the first failure. Returns how many. */
size_t route_plan(uint32_t metric, bool address, bool del_first,
	const struct route_have *have, struct route_op ops[ROUTE_OPS]);
/* Note that it was done. */
void route_done(struct route_have *have, const struct route_op *op);
bool route_has(const struct route_have *have, uint32_t metric);

#endif
