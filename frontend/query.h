/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_QUERY_H
#define FRONTEND_QUERY_H

/*
 * The life of a client's query: admit, parse, check, route, look up, forward;
 * and, now or later, the answer. The worker's thread only.
 */

#include "frontend/flight.h"

struct queries; /* of one batch: scratch of a worker */

struct queries *queries_new(void) MUST_CHECK;
void queries_free(struct queries *queries); /* NULL allowed */

/* serve.h's callbacks: a message came, and the last of its batch; `arg` is the
 * worker. */
void query_begin(void *arg, const struct serve_request *req);
void query_finish(void *arg);
/* serve.h's question whether this client may connect over TCP. */
bool query_admit_tcp(void *arg, const union addr *client);
/* How flights reach their clients. */
const struct flight_ops *query_flight_ops(void);

#endif
