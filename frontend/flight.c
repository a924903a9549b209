/* SPDX-License-Identifier: ISC */
/*
 * A flight is found by its key in a small hash table, so that equal questions
 * share it. Its next event, a retry or the deadline, is in a wheel. An attempt
 * that is late stays open while the next backend is asked: whoever answers
 * first wins.
 */

#include "frontend/flight.h"

#include "common/base/list.h"
#include "common/base/slots.h"
#include "common/dns/code.h"
#include "frontend/wheel.h"

#define HEDGE_MIN_US 20000
#define CLIENTS      8192 /* counters of waiting queries, by hashed address */

struct flight {
	struct wheel_item time; /* its next event */
	struct list waiters;
	uint32_t chain;              /* next in its bucket; SLOT_NONE ends */
	struct mtime deadline, late; /* late: when the attempt is overdue */
	bool tcp;
	bool errors;        /* an attempt was refused */
	uint8_t fail_rcode; /* of a backend's failure; 0: none */
	int16_t fail_ede;
	unsigned asked;            /* attempts ever made */
	struct pool_choice choice; /* who was tried */
	unsigned open_count;
	uint32_t open[POOL_TRIED]; /* attempts that may still be answered */
	struct cache_key key;      /* last: not cleared as a whole */
};

struct waiter {
	struct list link;
	struct mtime since;
	uint32_t client; /* its counter */
	struct serve_peer peer;
	struct asker asker;
};

struct flights {
	struct worker *w;
	const struct flight_ops *ops;
	struct slots flights, waiters;
	uint32_t *buckets;
	uint32_t bucket_mask;
	struct wheel wheel;
	uint16_t clients[CLIENTS];
	struct answer made_answer;
	uint8_t made[MSG_HEADER + NAME_MAX_WIRE + 4];
};

/* --- table and wheel --------------------------------------------------- */

static struct flight *flight_at(const struct flights *fs, uint32_t i)
{
	return slots_get(&fs->flights, i);
}

static uint32_t *bucket_of(struct flights *fs, uint64_t hash)
{
	return &fs->buckets[hash & fs->bucket_mask];
}

static struct flight *find(struct flights *fs, const struct cache_key *key)
{
	uint32_t i = *bucket_of(fs, key->hash);

	while (i != SLOT_NONE) {
		struct flight *f = flight_at(fs, i);

		if (cache_key_equal(&f->key, key))
			return f;
		i = f->chain;
	}
	return NULL;
}

static void unhash(struct flights *fs, struct flight *f)
{
	uint32_t index = slots_index(&fs->flights, f);
	uint32_t *link = bucket_of(fs, f->key.hash);

	while (*link != index)
		link = &flight_at(fs, *link)->chain;
	*link = f->chain;
}

static void schedule(struct flights *fs, struct flight *f, struct mtime due)
{
	wheel_set(&fs->wheel, &f->time,
		mtime_before(due, f->deadline) ? due : f->deadline);
}

static struct flight *flight_take(
	struct flights *fs, const struct cache_key *key)
{
	uint32_t i = slots_take(&fs->flights);
	uint32_t *bucket = bucket_of(fs, key->hash);
	struct mtime now = loop_now(fs->w->loop);
	struct flight *f;

	if (i == SLOT_NONE)
		return NULL;
	f = flight_at(fs, i);
	memset(f, 0, offsetof(struct flight, key));
	wheel_item_init(&f->time);
	list_init(&f->waiters);
	cache_key_copy(&f->key, key);
	f->choice.rng = &fs->w->rng;
	f->choice.turn = &fs->w->turn;
	f->choice.run = &fs->w->run;
	f->choice.name_hash = pool_name_hash(key->name, key->name_len);
	f->deadline = mtime_add_ms(now, fs->w->policy->retry.deadline_ms);
	f->fail_ede = -1;
	f->chain = *bucket;
	*bucket = i;
	return f;
}

/* --- the end ----------------------------------------------------------- */

static void forget_attempts(
	struct flights *fs, struct flight *f, bool timed_out)
{
	while (f->open_count > 0)
		backend_forget(
			fs->w->backends, f->open[--f->open_count], timed_out);
}

static void reply_waiters(struct flights *fs, struct flight *f,
	const struct flight_end *end, bool udp_only)
{
	struct list *pos, *tmp;

	list_each_safe(pos, tmp, &f->waiters) {
		struct waiter *waiter = list_entry(pos, struct waiter, link);

		if (udp_only && waiter->peer.tcp)
			continue;
		fs->ops->reply(fs->w, &waiter->peer, &waiter->asker,
			waiter->since, end);
		list_remove(pos);
		fs->clients[waiter->client]--;
		slots_give(&fs->waiters, slots_index(&fs->waiters, waiter));
	}
}

static void finish(struct flights *fs, struct flight *f,
	const struct answer *answer, bool failed)
{
	const struct pool *pool = policy_pool(fs->w->policy, f->key.pool);
	struct flight_end end = {
		.key = &f->key,
		.pool = pool,
		.answer = answer,
		.style.auth = pool && pool->auth,
		.failed = failed,
		.silent = failed && !f->fail_rcode,
		.exhausted =
			failed && pool && pool_is_exhausted(pool, &f->choice),
	};

	end.deserted = end.silent && pool && !pool_is_usable(pool);

	unhash(fs, f);
	wheel_clear(&fs->wheel, &f->time);
	forget_attempts(fs, f, false);
	fs->ops->done(fs->w, &end);
	reply_waiters(fs, f, &end, false);
	slots_give(&fs->flights, slots_index(&fs->flights, f));
}

/* No good answer came: what a backend said, or our own SERVFAIL. */
static void finish_failed(struct flights *fs, struct flight *f)
{
	unsigned rcode = f->fail_rcode ? f->fail_rcode : DNS_RCODE_SERVFAIL;
	int ede = f->fail_rcode ? f->fail_ede
		  : f->errors   ? DNS_EDE_NETWORK_ERROR
				: DNS_EDE_NO_REACHABLE_AUTHORITY;

	answer_make(&fs->made_answer, fs->made, f->key.name, f->key.name_len,
		f->key.type, f->key.class, rcode, ede);
	finish(fs, f, &fs->made_answer, true);
}

/* --- asking ------------------------------------------------------------ */

/* How long to wait for this server before another is asked too: short when
 * it mostly is faster and there is another (hedging). */
static int64_t patience_us(const struct flights *fs, const struct flight *f,
	const struct server *server, const struct pool *pool)
{
	const struct policy_retry *retry = &fs->w->policy->retry;
	int64_t timeout_us = retry->timeout_ms * 1000ll;
	int64_t usual_us = (int64_t)server_get_p95(server) * 5 / 4;

	if (!retry->hedge || f->asked > 1 || f->tcp || usual_us == 0 || !pool ||
		pool->count < 2)
		return timeout_us;
	if (usual_us < HEDGE_MIN_US)
		usual_us = HEDGE_MIN_US;
	return usual_us < timeout_us ? usual_us : timeout_us;
}

static bool wants_recursion(const struct flight *f, const struct pool *pool)
{
	return (!pool || !pool->auth) && !(f->key.bits & CACHE_NO_RD);
}

static bool ask(struct flights *fs, struct flight *f, struct server *server)
{
	const struct pool *pool = policy_pool(fs->w->policy, f->key.pool);
	struct mtime now = loop_now(fs->w->loop);
	uint32_t attempt;

	if (f->open_count == POOL_TRIED ||
		backend_ask(fs->w->backends, server, &f->key,
			wants_recursion(f, pool), f->tcp,
			slots_index(&fs->flights, f), &attempt) < 0) {
		f->errors = true;
		return false;
	}
	f->open[f->open_count++] = attempt;
	f->asked++;
	f->late = mtime_add_ms(now, fs->w->policy->retry.timeout_ms);
	schedule(fs, f, mtime_add_us(now, patience_us(fs, f, server, pool)));
	return true;
}

/* Ask one that was not tried yet. False: there is none. */
static bool ask_next(struct flights *fs, struct flight *f)
{
	const struct pool *pool = policy_pool(fs->w->policy, f->key.pool);
	struct pool_choice *choice = &f->choice;

	while (pool && f->asked < fs->w->policy->retry.tries &&
		choice->tried_count < POOL_TRIED) {
		const struct pool_member *m;
		int i;

		choice->now_us = loop_now(fs->w->loop).us;
		i = pool_choose(pool, choice);
		if (i < 0)
			return false;
		m = &pool->members[i];
		choice->tried[choice->tried_count++] = m->server->id;
		if (!ask(fs, f, m->server))
			continue;
		pool_spend(m, choice->now_us);
		return true;
	}
	return false;
}

/* As ask_next, when the budget for retries allows it. */
static bool ask_again(struct flights *fs, struct flight *f, enum stat_id why)
{
	struct worker *w = fs->w;
	const struct pool *pool = policy_pool(w->policy, f->key.pool);

	if (!pool || f->asked >= w->policy->retry.tries ||
		pool_is_exhausted(pool, &f->choice))
		return false;
	/* one that is not there was asked for nothing: no extra load */
	if ((why != STAT_RETRY_ERROR || f->tcp) &&
		!pool_is_condemned(pool, &f->choice) &&
		!budget_retry(&w->budget, loop_now(w->loop))) {
		metric_inc(w->row, STAT_RETRY_DENIED);
		return false;
	}
	if (!ask_next(fs, f))
		return false;
	metric_inc(w->row, why);
	return true;
}

static bool hedge(struct flights *fs, struct flight *f, struct mtime now)
{
	struct worker *w = fs->w;
	const struct pool *pool = policy_pool(w->policy, f->key.pool);

	if (!pool || f->asked >= w->policy->retry.tries ||
		pool_is_exhausted(pool, &f->choice) ||
		!budget_hedge(&w->budget, now) || !ask_next(fs, f))
		return false;
	metric_inc(w->row, STAT_RETRY_HEDGE);
	return true;
}

static void overdue(struct flights *fs, struct flight *f, struct mtime now)
{
	const struct pool *pool = policy_pool(fs->w->policy, f->key.pool);

	if (!mtime_before(now, f->deadline)) {
		metric_inc(fs->w->row, STAT_GAVE_UP);
		forget_attempts(fs, f, true);
		finish_failed(fs, f);
		return;
	}
	if (mtime_before(now, f->late)) { /* slow, not yet late */
		if (!hedge(fs, f, now))
			schedule(fs, f, f->late);
		return;
	}
	for (unsigned i = 0; i < f->open_count; i++)
		backend_late(fs->w->backends, f->open[i]);
	if (ask_again(fs, f, STAT_RETRY_TIMEOUT))
		return;
	if (!pool || pool_is_exhausted(pool, &f->choice)) {
		/* all were tried: the same ones again */
		f->choice.tried_count = 0;
		if (ask_again(fs, f, STAT_RETRY_TIMEOUT))
			return;
	}
	schedule(fs, f, mtime_add_ms(now, fs->w->policy->retry.timeout_ms));
}

static void on_due(void *arg, struct wheel_item *item)
{
	struct flights *fs = arg;

	overdue(fs, container_of(item, struct flight, time),
		loop_now(fs->w->loop));
}

/* --- events ------------------------------------------------------------ */

/* The flight of an event, without the attempt that ended. */
static struct flight *event_flight(
	struct flights *fs, uint32_t tag, uint32_t attempt)
{
	struct flight *f = flight_at(fs, tag);

	for (unsigned i = 0; f && i < f->open_count; i++) {
		if (f->open[i] == attempt) {
			f->open[i] = f->open[--f->open_count];
			return f;
		}
	}
	return NULL;
}

/* The memory of what follows an answer: the flight and, as its key is known,
 * the cache's. */
static void on_expected(void *arg, uint32_t tag)
{
	struct worker *w = arg;
	struct flight *f = flight_at(w->flights, tag);

	if (f && w->policy->cache)
		cache_prefetch_room(w->policy->cache, &f->key);
}

static bool has_tcp_waiter(const struct flight *f)
{
	struct list *pos;

	list_each(pos, &f->waiters)
		if (list_entry(pos, struct waiter, link)->peer.tcp)
			return true;
	return false;
}

/* UDP clients are told to come by TCP; for those that did, we go there. */
static void take_truncated(struct flights *fs, struct flight *f,
	struct server *server, const struct answer *a)
{
	struct flight_end end = {.key = &f->key, .answer = a};

	if (!has_tcp_waiter(f)) {
		finish(fs, f, a, false);
		return;
	}
	end.pool = policy_pool(fs->w->policy, f->key.pool);
	end.style.auth = end.pool && end.pool->auth;
	reply_waiters(fs, f, &end, true);
	forget_attempts(fs, f, false);
	f->tcp = true;
	metric_inc(fs->w->row, STAT_RETRY_TCP);
	if (!ask(fs, f, server) && !ask_next(fs, f))
		finish_failed(fs, f);
}

static void take_failure(
	struct flights *fs, struct flight *f, const struct answer *a)
{
	f->fail_rcode = (uint8_t)msg_rcode(a->msg);
	if (f->fail_rcode == DNS_RCODE_NOERROR) /* TC over TCP */
		f->fail_rcode = DNS_RCODE_SERVFAIL;
	f->fail_ede = a->ede;
	if (ask_again(fs, f, STAT_RETRY_SERVFAIL) || f->open_count > 0)
		return;
	finish_failed(fs, f);
}

static void on_answer(void *arg, uint32_t tag, uint32_t attempt,
	struct server *server, bool tcp, struct answer *a)
{
	struct worker *w = arg;
	struct flights *fs = w->flights;
	struct flight *f = event_flight(fs, tag, attempt);
	unsigned rcode = msg_rcode(a->msg);
	bool truncated = (msg_flags(a->msg) & MSG_TC) != 0;

	if (!f)
		return;
	if ((rcode != DNS_RCODE_NOERROR && rcode != DNS_RCODE_NXDOMAIN) ||
		(truncated && tcp))
		take_failure(fs, f, a);
	else if (truncated)
		take_truncated(fs, f, server, a);
	else
		finish(fs, f, a, false);
}

/* Nobody is there and nothing is cached that could be served stale: a backend
 * that restarts is back soon, so it is asked once more, while it still counts
 * as fit. */
static bool await_return(struct flights *fs, struct flight *f)
{
	const struct policy *p = fs->w->policy;
	const struct pool *pool = policy_pool(p, f->key.pool);

	if (!pool || pool->cached || !pool_is_usable(pool) ||
		f->asked >= p->retry.tries)
		return false;
	f->late = mtime_add_ms(loop_now(fs->w->loop), p->retry.timeout_ms);
	schedule(fs, f, f->late);
	return true;
}

static void on_failed(void *arg, uint32_t tag, uint32_t attempt,
	struct server *server, enum backend_failure why)
{
	struct worker *w = arg;
	struct flights *fs = w->flights;
	struct flight *f = event_flight(fs, tag, attempt);

	(void)server;
	if (!f)
		return;
	f->errors = true;
	if (why == BACKEND_GONE) {
		/* our own doing: costs no try and no budget */
		f->asked -= f->asked > 0;
		if (ask_next(fs, f))
			return;
	} else if (ask_again(fs, f, STAT_RETRY_ERROR)) {
		return;
	}
	if (f->open_count == 0 && !await_return(fs, f))
		finish_failed(fs, f);
}

const struct backend_events *flight_events(void)
{
	static const struct backend_events events = {
		.expect = on_expected,
		.answer = on_answer,
		.failed = on_failed,
	};

	return &events;
}

/* --- joining ----------------------------------------------------------- */

/* Addresses that share a counter share its limit: rare, and harmless. */
static uint32_t client_of(
	const struct flights *fs, const struct serve_peer *peer)
{
	return (uint32_t)addr_hash_ip(fs->w->secret, &peer->client) % CLIENTS;
}

static bool add_waiter(struct flights *fs, struct flight *f,
	const struct serve_peer *peer, const struct asker *asker)
{
	uint32_t client = client_of(fs, peer);
	uint32_t i;
	struct waiter *waiter;

	if (fs->clients[client] >= fs->w->policy->waiting_max)
		return false;
	i = slots_take(&fs->waiters);
	if (i == SLOT_NONE)
		return false;
	fs->clients[client]++;
	waiter = slots_get(&fs->waiters, i);
	list_init(&waiter->link);
	waiter->since = loop_now(fs->w->loop);
	waiter->client = client;
	waiter->peer = *peer;
	memcpy(&waiter->asker, asker,
		offsetof(struct asker, name) + asker->name_len);
	list_append(&f->waiters, &waiter->link);
	return true;
}

/* The first question. */
static void take_off(
	struct flights *fs, struct flight *f, const struct pool *pool)
{
	budget_asked(&fs->w->budget, loop_now(fs->w->loop));
	metric_inc(fs->w->row, STAT_FORWARDED);
	if (ask_next(fs, f))
		return;
	if (!pool_is_usable(pool))
		metric_inc(fs->w->row, STAT_NO_BACKEND);
	finish_failed(fs, f);
}

bool flight_join(struct flights *fs, const struct cache_key *key,
	const struct pool *pool, const struct serve_peer *peer,
	const struct asker *asker)
{
	struct flight *f = find(fs, key);

	if (f) {
		if (!add_waiter(fs, f, peer, asker))
			return false;
		metric_inc(fs->w->row, STAT_COALESCED);
		return true;
	}
	f = flight_take(fs, key);
	if (!f)
		return false;
	if (!add_waiter(fs, f, peer, asker)) {
		unhash(fs, f);
		slots_give(&fs->flights, slots_index(&fs->flights, f));
		return false;
	}
	take_off(fs, f, pool);
	return true;
}

bool flight_is_open(struct flights *fs, const struct cache_key *key)
{
	return find(fs, key) != NULL;
}

void flight_refresh(struct flights *fs, const struct cache_key *key)
{
	const struct pool *pool = policy_pool(fs->w->policy, key->pool);
	struct flight *f = find(fs, key);

	if (f || !pool)
		return;
	f = flight_take(fs, key);
	if (!f)
		return;
	metric_inc(fs->w->row, STAT_PREFETCHED);
	take_off(fs, f, pool);
}

uint32_t flights_waiting(const struct flights *fs)
{
	return fs->waiters.used;
}

/* --- life -------------------------------------------------------------- */

struct flights *flights_new(
	struct worker *w, uint32_t count, const struct flight_ops *ops)
{
	struct flights *fs = calloc(1, sizeof(*fs));
	uint32_t buckets = 16;

	if (!fs)
		return NULL;
	while (buckets < count)
		buckets *= 2;
	fs->w = w;
	fs->ops = ops;
	fs->bucket_mask = buckets - 1;
	fs->buckets = malloc(buckets * sizeof(*fs->buckets));
	if (!fs->buckets || wheel_init(&fs->wheel, w->loop, on_due, fs) < 0 ||
		slots_init(&fs->flights, count, sizeof(struct flight)) < 0 ||
		slots_init(&fs->waiters, count, sizeof(struct waiter)) < 0) {
		flights_free(fs);
		return NULL;
	}
	for (uint32_t i = 0; i < buckets; i++)
		fs->buckets[i] = SLOT_NONE;
	return fs;
}

void flights_free(struct flights *fs)
{
	if (!fs)
		return;
	wheel_fini(&fs->wheel);
	slots_fini(&fs->flights);
	slots_fini(&fs->waiters);
	free(fs->buckets);
	free(fs);
}
