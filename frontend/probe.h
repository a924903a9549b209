/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_PROBE_H
#define FRONTEND_PROBE_H

/*
 * Keeps watch over the backends: asks each its check from a fresh socket,
 * looks every 50 ms at what became of real queries, and says by
 * server.fitness who may be asked. Main thread only.
 */

#include "common/base/err.h"
#include "common/net/loop.h"
#include "frontend/policy.h"

struct probes;

/* Why probes failed, counted per server. */
enum probe_failure {
	PROBE_TIMEOUT,
	PROBE_NETWORK,
	PROBE_RCODE,    /* not the rcode, AA or serial that is asked for */
	PROBE_INVALID,  /* malformed */
	PROBE_MISMATCH, /* the answer to something else */
	PROBE_FAILURES,
};

struct probe_info {
	const struct server *server;
	const char *state;  /* "up", "down", "UP", "DOWN", "drain", "unknown" */
	const char *reason; /* of being down; "" */
	uint64_t sent, failed[PROBE_FAILURES];
	uint64_t changes;    /* of what workers are told */
	uint32_t latency_us; /* of the last good one */
	struct histogram latency;
	struct health_sample window;
};

struct probes *probes_new(struct loop *loop) MUST_CHECK;
void probes_free(struct probes *p); /* NULL allowed */
/* Watch the servers of this snapshot; what is known about those that were
 * watched before is kept. The snapshot must live until the next call. */
int probes_update(struct probes *p, const struct policy *policy,
	struct err *err) MUST_CHECK;
/* The operator's word. False: no such backend (`pool` NULL: any pool). */
bool probes_set_mode(struct probes *p, const char *pool, const char *name,
	enum server_mode mode);
bool probes_info(const struct probes *p, const struct server *server,
	struct probe_info *out);
/* Has every pool with backends one that may be asked? */
bool probes_all_pools_usable(const struct probes *p);

#endif
