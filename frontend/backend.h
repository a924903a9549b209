/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_BACKEND_H
#define FRONTEND_BACKEND_H

/*
 * One worker's side of the backends: its own connected sockets to each, over
 * several random source ports that change; questions with random ids; answers
 * taken only from the socket that asked, with the id, the question, QR and a
 * form that is right throughout. All else is counted and the wait goes on.
 * The worker's thread only.
 */

#include "common/net/loop.h"
#include "frontend/answer.h"
#include "frontend/cache.h"
#include "frontend/policy.h"

struct backends;

#define ATTEMPT_NONE UINT32_MAX

enum backend_failure {
	BACKEND_REFUSED, /* ICMP error, connection refused or lost */
	BACKEND_GONE,    /* taken out of the configuration */
};

struct backend_events {
	/* It may be that an answer follows: time to fetch memory. */
	void (*expect)(void *arg, uint32_t tag);
	/* The attempt ended with an answer to its question, in the buffer of
	 * `a`, valid during the call. An answer without question (an error)
	 * has been given one. */
	void (*answer)(void *arg, uint32_t tag, uint32_t attempt,
		struct server *server, bool tcp, struct answer *a);
	/* The attempt ended without. */
	void (*failed)(void *arg, uint32_t tag, uint32_t attempt,
		struct server *server, enum backend_failure why);
};

/* `attempts`: questions in flight at most, < 32768. */
struct backends *backends_new(struct loop *loop, struct rng *rng,
	struct metrics_row *row, uint32_t attempts,
	const struct backend_events *events, void *arg) MUST_CHECK;
void backends_free(struct backends *b); /* NULL allowed; no events */
/* Serve the servers of this snapshot and no others: attempts at those that
 * are gone fail with BACKEND_GONE. */
void backends_update(struct backends *b, const struct policy *policy);

/*
 * Ask the server. `key` must live as long as the attempt. `rd`: set RD. `tag`
 * comes back with the event. 0 and *attempt, or negative errno (-ENOBUFS: too
 * many in flight; others: it cannot be reached, and that was counted).
 */
int backend_ask(struct backends *b, struct server *server,
	const struct cache_key *key, bool rd, bool tcp, uint32_t tag,
	uint32_t *attempt) MUST_CHECK;
/* It is late: counts against the server, once; an answer is still taken. */
void backend_late(struct backends *b, uint32_t attempt);
/* No event for it any more; `timed_out` counts against the server. */
void backend_forget(struct backends *b, uint32_t attempt, bool timed_out);
uint32_t backends_outstanding(const struct backends *b);

#endif
