/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_QUERY_H
#define FRONTEND_QUERY_H

/*
 * The life of a client's query: admit, parse, check, route, look up, forward;
 * and, now or later, the answer. The worker's thread only.
 */

#include "frontend/flight.h"

/* serve.h's callback: a message came; `arg` is the worker. */
void query_begin(void *arg, const struct serve_request *req);
/* serve.h's question whether this client may connect over TCP. */
bool query_admit_tcp(void *arg, const union addr *client);
/* How flights reach their clients. */
const struct flight_ops *query_flight_ops(void);

#endif
