/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_FLIGHT_H
#define FRONTEND_FLIGHT_H

/*
 * Questions in flight to backends: one for all clients that ask the same.
 * Each is sent again to another backend when the first is silent or fails,
 * until one answers, none is left, or the deadline passes. The worker's
 * thread only.
 */

#include "frontend/worker.h"

struct flights;

/* How a flight ended. */
struct flight_end {
	const struct cache_key *key;
	const struct pool *pool; /* NULL: gone from the configuration */
	/* What is handed out. `done` may put another one in place. */
	const struct answer *answer;
	struct answer_style style;
	bool failed;    /* SERVFAIL or alike, from a backend or made here */
	bool exhausted; /* no other backend could have been asked */
	bool silent;    /* no backend said anything */
	bool deserted;  /* ... and none may be asked any more */
};

struct flight_ops {
	/* Once, before the waiters of a flight are replied to. */
	void (*done)(struct worker *w, struct flight_end *end);
	/* For each waiter, which is then forgotten. */
	void (*reply)(struct worker *w, const struct serve_peer *peer,
		const struct asker *asker, struct mtime since,
		const struct flight_end *end);
};

/* Room for `count` waiting clients, of which one address may have a part
 * (policy.waiting_max). NULL: no memory. */
struct flights *flights_new(struct worker *w, uint32_t count,
	const struct flight_ops *ops) MUST_CHECK;
void flights_free(struct flights *flights); /* NULL allowed */

/* Ask `pool` for `key`; the peer waits for the answer. False: no slot, or
 * the client has too many waiting (nothing happens). The answer may come
 * before the return. */
bool flight_join(struct flights *flights, const struct cache_key *key,
	const struct pool *pool, const struct serve_peer *peer,
	const struct asker *asker);
/* Is this question in flight? */
bool flight_is_open(struct flights *flights, const struct cache_key *key);
/* Ask again for what is about to expire; nobody waits for it. */
void flight_refresh(struct flights *flights, const struct cache_key *key);
uint32_t flights_waiting(const struct flights *flights);

/* The events of backend.h for a worker; their `arg` is the worker. */
const struct backend_events *flight_events(void);

#endif
