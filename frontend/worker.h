/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_WORKER_H
#define FRONTEND_WORKER_H

/*
 * One thread that serves queries: its loop, listeners, backend sockets,
 * questions in flight and counters. Nothing in it is locked; other threads
 * reach it by worker_post (and read its counters and beats).
 */

#include "common/serve/serve.h"
#include "frontend/backend.h"
#include "frontend/budget.h"
#include "frontend/droplog.h"
#include "frontend/front.h"
#include "frontend/policy.h"
#include "frontend/registry.h"
#include "frontend/top.h"
#include "frontend/warm.h"

#include <pthread.h>

struct flights;
struct queries;
struct transfers;

/* Counted per pool, by its id; written by the worker, read by anybody. */
struct worker_pool {
	uint64_t queries, hits, misses;
};

struct worker {
	unsigned index;
	struct loop *loop;
	struct serve *serve;
	struct backends *backends;
	struct flights *flights;
	struct transfers *transfers;
	struct warm *warm;
	const struct policy *policy;
	const struct hash_key *secret; /* of cache keys */
	struct metrics_row *row;
	struct worker_pool pools[REGISTRY_POOLS];
	struct rng rng;
	uint32_t turn; /* round robin */
	struct pool_run run;
	unsigned forwarded; /* of the batch at hand */
	struct budget budget;
	struct fronts fronts;
	struct top *top;
	struct drop_ring drops; /* read by the main thread */
	struct timer *pulse;
	uint64_t beats; /* rises while the loop turns; atomic */
	pthread_t thread;
	bool running, stopping;
	void (*stopped)(void *arg); /* on the worker's thread */
	void *stopped_arg;
	union addr addrs[64]; /* those of the running configuration */

	/* scratch of one query */
	struct queries *queries;
	struct answer answer;
	uint8_t stored[CACHE_MAX_MSG];
	uint8_t out[MSG_MAX + 1];
};

struct worker_config {
	unsigned index;
	uint32_t inflight;
	const struct hash_key *secret;
	struct metrics_row *row;
	const struct policy *policy;
	struct serve_config serve;
};

/* Everything but the thread; listeners are open when it returns. */
struct worker *worker_new(
	const struct worker_config *config, struct err *err) MUST_CHECK;
int worker_start(struct worker *w, struct err *err) MUST_CHECK;
/* On the worker's thread (or before it runs): serve by another snapshot.
 * On failure (listeners) nothing has changed. */
int worker_change(struct worker *w, const struct policy *policy,
	const struct serve_config *serve, struct err *err) MUST_CHECK;
/* On the worker's thread: take no more queries, and call `stopped` when the
 * last one was answered. */
void worker_drain(struct worker *w, void (*stopped)(void *arg), void *arg);
/* Stop its loop, join, free. NULL allowed. */
void worker_free(struct worker *w);
/* Add this worker's counts of a pool to *sum. Any thread. */
void worker_pool_sum(
	const struct worker *w, uint16_t pool, struct worker_pool *sum);
uint64_t worker_beats(const struct worker *w);

#endif
