/* SPDX-License-Identifier: ISC */
#ifndef MGMT_GUARD_H
#define MGMT_GUARD_H

/*
 * Bounds for the TCP connections of evhttp, which has none of its own: how
 * long one may take to deliver a whole request, and how many one address may
 * have that have not delivered any. Found by looking at the process's own
 * descriptors; ended by shutdown(2), which evhttp sees as the peer's end.
 * Main loop's thread.
 */

#include <stdint.h>

#include "common/base/base.h"
#include "common/net/loop.h"

#define GUARD_PER_ADDRESS 64

struct guard;

/* Connections whose local port is one of `ports` (0: none). */
struct guard *guard_new(struct loop *loop, const uint16_t ports[2],
	int64_t request_ms) MUST_CHECK;
void guard_free(struct guard *guard); /* NULL allowed */
/* A whole request came over `fd`: its answer may take `ms`, then the time of
 * the next request begins; ms < 0: no end. */
void guard_request(struct guard *guard, int fd, int64_t ms);
/* Connections that were ended. */
uint64_t guard_ended(const struct guard *guard);

#endif
