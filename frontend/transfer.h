/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_TRANSFER_H
#define FRONTEND_TRANSFER_H

/*
 * What is handed on to a backend as it is, and its answer back: AXFR, IXFR,
 * NOTIFY, UPDATE (RFC 5936, 1995, 1996, 2136). Each has a connection (over
 * UDP a socket) to its backend of its own. Nothing is changed but the id
 * over UDP, so signatures hold; nothing is cached, shared or asked for twice
 * at the same time. A transfer is asked for at another backend when the first
 * refuses the connection or ends it before it said anything; NOTIFY and
 * UPDATE never are. A transfer that breaks ends the client's connection: it
 * is never cut short in silence. The worker's thread only.
 */

#include "common/serve/serve.h"

#define TRANSFERS_MAX 256 /* of a worker */
/* NOTIFY, UPDATE and IXFR over UDP, beside these. */
#define TRANSFER_SINGLES            256
#define TRANSFER_SINGLES_PER_CLIENT 64
/* A longer query for a transfer is sent to one backend only. */
#define TRANSFER_QUERY_MAX 1024

struct pool;
struct policy;
struct query_view;
struct transfers;
struct worker;

enum transfer_start {
	TRANSFER_BEGUN,      /* the client is taken care of */
	TRANSFER_MALFORMED,  /* else nothing has happened */
	TRANSFER_BUSY,       /* too many, of all or of this client */
	TRANSFER_NO_BACKEND, /* none may be asked */
};

/* NULL: no memory. */
struct transfers *transfers_new(struct worker *w) MUST_CHECK;
/* After the worker's serve has been freed (or before it was made). */
void transfers_free(struct transfers *ts); /* NULL allowed */
/* Its events, for serve_on_flow (their `arg` is the worker). */
const struct serve_flow_events *transfer_flow_events(void);
/* Hand on what policy_check said is to be (VERDICT_RELAY). */
enum transfer_start transfer_begin(struct transfers *ts,
	const struct serve_request *req, struct query_view *view,
	const struct pool *pool) MUST_CHECK;
/* The servers of this snapshot are those to count on from now on; transfers
 * from others go on. */
void transfers_update(struct transfers *ts, const struct policy *policy);
/* End what has not ended within `ms`. */
void transfers_hurry(struct transfers *ts, uint32_t ms);
/* Now under way. */
uint32_t transfers_open(const struct transfers *ts);

#endif
