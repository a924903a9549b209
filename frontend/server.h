/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_SERVER_H
#define FRONTEND_SERVER_H

/*
 * One backend as all threads see it: who it is, whether it may be asked, and
 * what was counted about it. It outlives a reload (found again by pool, name
 * and address). The main thread makes, judges and frees it; workers read
 * `fitness` and add to the counters (relaxed atomics, no lock).
 */

#include "frontend/limit.h"

#define SERVERS_MAX 512 /* alive at one time */
#define SERVER_NAME 64

enum server_fitness {
	SERVER_OUT, /* never ask */
	SERVER_TRY, /* ask when there is nothing better */
	SERVER_FIT,
};

enum server_mode {
	SERVER_AUTO, /* as health says */
	SERVER_UP,   /* forced */
	SERVER_DOWN,
	SERVER_DRAIN, /* as down, but said so by a person for a while */
};

struct server {
	/* constant */
	char pool[SERVER_NAME], name[SERVER_NAME];
	union addr addr;
	uint16_t id; /* < SERVERS_MAX, unique among those alive */

	/* main thread writes (workers: server_doubt) */
	_Alignas(64) uint32_t fitness; /* enum server_fitness */
	uint32_t mode;                 /* enum server_mode, main only */
	int64_t revived_us; /* monotonic time at which it became fit again */
	uint32_t uses;      /* policies that name it, main only */

	/* workers write */
	_Alignas(64) uint32_t outstanding;
	uint32_t latency_us; /* smoothed */
	uint32_t p95_us;     /* 95 of 100 answers are faster, about */
	uint64_t queries, answers, failures, timeouts, errors, ignored;
	uint64_t tcp_queries, tcp_opened, retries;
	int64_t tokens_ns;           /* the bucket of its qps limit: limit.h */
	uint64_t over_qps;           /* queries that found it empty */
	uint32_t tcp_open, tcp_most; /* connections: now, at one time */
	uint32_t tcp_latency_us;     /* smoothed, of answers over TCP */
	uint64_t tcp_reused;         /* questions on a connection at hand */
	uint64_t tcp_closed, tcp_life_ms; /* of those closed, together */
	/* ended while answers were due */
	uint64_t tcp_died, tcp_connect_timeouts, tcp_read_timeouts;
};

static inline enum server_fitness server_get_fitness(const struct server *s)
{
	return (enum server_fitness)__atomic_load_n(
		&s->fitness, __ATOMIC_RELAXED);
}

/* FIT -> TRY, from any thread: the network said that nobody is there. The
 * main thread's next judgement overrides it. */
static inline void server_doubt(struct server *s)
{
	uint32_t fit = SERVER_FIT;

	(void)__atomic_compare_exchange_n(&s->fitness, &fit, SERVER_TRY, false,
		__ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

static inline uint32_t server_get_outstanding(const struct server *s)
{
	return __atomic_load_n(&s->outstanding, __ATOMIC_RELAXED);
}

static inline uint32_t server_get_latency(const struct server *s)
{
	return __atomic_load_n(&s->latency_us, __ATOMIC_RELAXED);
}

static inline uint32_t server_get_p95(const struct server *s)
{
	return __atomic_load_n(&s->p95_us, __ATOMIC_RELAXED);
}

static inline void server_count(uint64_t *cell)
{
	(void)__atomic_fetch_add(cell, 1, __ATOMIC_RELAXED);
}

static inline uint64_t server_read(const uint64_t *cell)
{
	return __atomic_load_n(cell, __ATOMIC_RELAXED);
}

/* Is a token in the bucket of this limit (which has a qps)? */
static inline bool server_has_token(
	const struct server *s, const struct limit_rule *limit, int64_t now_us)
{
	return bucket_has(__atomic_load_n(&s->tokens_ns, __ATOMIC_RELAXED),
		limit, now_us * 1000);
}

/* A query is sent. A token that two threads take at once is gone once: as
 * many queries too many as there are workers, at worst. */
static inline void server_spend_token(
	struct server *s, const struct limit_rule *limit, int64_t now_us)
{
	int64_t full = __atomic_load_n(&s->tokens_ns, __ATOMIC_RELAXED);

	if (!bucket_has(full, limit, now_us * 1000))
		server_count(&s->over_qps);
	while (!__atomic_compare_exchange_n(&s->tokens_ns, &full,
		bucket_spend(full, limit, now_us * 1000), true,
		__ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

/* The 95th percentile follows each sample by a small step: up by 19 parts of
 * it when the sample is above, down by one when below. */
static inline void server_add_p95(struct server *s, uint32_t us)
{
	uint32_t old = __atomic_load_n(&s->p95_us, __ATOMIC_RELAXED);
	uint32_t part = old / 400 + 1;
	uint32_t next = us > old ? old + 19 * part : old - part;

	if (old == 0)
		next = us * 2;
	__atomic_store_n(&s->p95_us, next ? next : 1, __ATOMIC_RELAXED);
}

static inline uint32_t server_smooth(uint32_t old, uint32_t us)
{
	return old ? (uint32_t)((int64_t)old + ((int64_t)us - old) / 8) : us;
}

static inline void server_add_tcp_latency(struct server *s, uint32_t us)
{
	uint32_t old = __atomic_load_n(&s->tcp_latency_us, __ATOMIC_RELAXED);

	__atomic_store_n(
		&s->tcp_latency_us, server_smooth(old, us), __ATOMIC_RELAXED);
}

/* A new answer time: an eighth of the difference. Lost updates do no harm. */
static inline void server_add_latency(struct server *s, uint32_t us)
{
	uint32_t next = server_smooth(server_get_latency(s), us);

	__atomic_store_n(&s->latency_us, next, __ATOMIC_RELAXED);
	server_add_p95(s, us);
}

#endif
