/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_FRONT_H
#define FRONTEND_FRONT_H

/*
 * What one worker counts per address that it listens on. A cell is written by
 * the worker only, read by anybody; counts of an address that stays are kept
 * over a change of configuration.
 */

#include "common/serve/serve.h"

#define FRONTS_MAX 64

enum front_cell {
	/* UDP, then TCP */
	FRONT_QUERIES,
	FRONT_TCP_QUERIES,
	FRONT_RESPONSES,
	FRONT_TCP_RESPONSES,
	FRONT_NONCOMPLIANT,
	FRONT_TCP_NONCOMPLIANT,
	FRONT_BACKEND_TIMEOUTS, /* queries that no backend answered in time */
	FRONT_TCP_BACKEND_TIMEOUTS,
	/* copies of serve_tcp_counts */
	FRONT_TCP_ACCEPTED,
	FRONT_TCP_OPEN,
	FRONT_TCP_MOST,
	FRONT_TCP_TIMEOUTS,
	FRONT_TCP_DIED_READING,
	FRONT_TCP_DIED_SENDING,
	FRONT_TCP_ENDED,
	FRONT_TCP_LIFE_MS,
	FRONT_TCP_READS, /* of those that ended, as these */
	FRONT_TCP_ENDED_QUERIES,
	FRONT_CELLS,
};

struct fronts {
	size_t count;
	union addr addrs[FRONTS_MAX]; /* owner only */
	uint64_t cells[FRONTS_MAX][FRONT_CELLS];
};

/* Owner: from now on these addresses, in this order. */
void fronts_set(struct fronts *f, const union addr *addrs, size_t count);
/* Owner: take over what serve counted. */
void fronts_publish(struct fronts *f, const struct serve *serve);
uint64_t front_read(
	const struct fronts *f, size_t listener, enum front_cell cell);

/* Owner. `cell` is one of the pairs; a listener that is gone is not counted. */
static inline void front_count(
	struct fronts *f, const struct serve_peer *peer, enum front_cell cell)
{
	uint64_t *at;

	if (peer->listener >= f->count)
		return;
	at = &f->cells[peer->listener][cell + peer->tcp];
	__atomic_store_n(at, *at + 1, __ATOMIC_RELAXED);
}

#endif
