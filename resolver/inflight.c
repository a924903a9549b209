/* SPDX-License-Identifier: ISC */
/*
 * A waiter is a client's question without an answer; a task is a question
 * that the library works on, with the waiters that asked it. A waiter is
 * answered at its deadline at the latest; its task goes on, up to half a
 * minute for dead name servers, and fills the cache. So both are bounded on
 * their own, and tasks also by zone: one dead zone must not take all.
 */

#include "resolver/query_impl.h"

#include "common/dns/code.h"

/* --- waiters --- */

static void waiter_free(struct queries *qs, struct waiter *w)
{
	list_remove(&w->link);
	list_remove(&w->age);
	list_remove(&w->stale);
	qs->client_counts[w->client_count]--;
	slots_give(&qs->waiters, slots_index(&qs->waiters, w));
}

static void note_latency(struct queries *qs, const struct waiter *w)
{
	int64_t us = mtime_sub_us(loop_now(qs->loop), w->start);

	histogram_add(&qs->stats.latency, us > 0 ? (uint64_t)us : 0);
}

static struct cache_entry *find_stale(
	struct queries *qs, const struct answer_client *c)
{
	struct question q = {.name = c->name,
		.name_len = c->name_len,
		.type = c->type,
		.class = c->class};
	struct cache_entry *e = cache_find(qs->cache, &q, loop_now(qs->loop));

	return e && is_usable_stale(e) ? e : NULL;
}

static void answer_late(struct queries *qs, struct waiter *w, bool deadline)
{
	struct cache_entry *e = find_stale(qs, &w->client);

	if (!e && !deadline) { /* it was evicted meanwhile */
		list_remove(&w->stale);
		return;
	}
	note_latency(qs, w);
	if (e)
		reply_stale(qs, &w->peer, &w->client, e);
	else
		reply_error(qs, &w->peer, &w->client, DNS_RCODE_SERVFAIL,
			DNS_EDE_NO_REACHABLE_AUTHORITY);
	waiter_free(qs, w);
}

static void set_timer(struct timer *timer, const struct waiter *first,
	uint32_t wait_ms, struct mtime now)
{
	struct mtime due = mtime_add_ms(first->start, wait_ms);

	if (!timer_is_set(timer))
		timer_set_us(timer, mtime_sub_us(due, now));
}

static bool is_due(const struct waiter *w, uint32_t wait_ms, struct mtime now)
{
	return !mtime_before(now, mtime_add_ms(w->start, wait_ms));
}

void inflight_deadline(void *arg)
{
	struct queries *qs = arg;
	struct mtime now = loop_now(qs->loop);
	uint32_t wait_ms = qs->settings->deadline_ms;

	while (!list_empty(&qs->ages)) {
		struct waiter *w =
			list_entry(qs->ages.next, struct waiter, age);

		if (!is_due(w, wait_ms, now)) {
			set_timer(qs->deadline_timer, w, wait_ms, now);
			return;
		}
		stat_inc(&qs->stats, STAT_DEADLINE);
		answer_late(qs, w, true);
	}
}

void inflight_stale_wait(void *arg)
{
	struct queries *qs = arg;
	struct mtime now = loop_now(qs->loop);
	uint32_t wait_ms = qs->settings->stale_wait_ms;

	while (!list_empty(&qs->stales)) {
		struct waiter *w =
			list_entry(qs->stales.next, struct waiter, stale);

		if (!is_due(w, wait_ms, now)) {
			set_timer(qs->stale_timer, w, wait_ms, now);
			return;
		}
		answer_late(qs, w, false);
	}
}

static uint32_t client_index(const struct queries *qs, const union addr *client)
{
	return (uint32_t)(addr_hash_ip(&qs->key, client) % COUNTS);
}

/* NULL: over a limit, counted. */
static struct waiter *waiter_new(struct queries *qs,
	const struct serve_peer *peer, const struct answer_client *c)
{
	uint32_t count = client_index(qs, &peer->client);
	struct waiter *w;

	if (qs->client_counts[count] >= qs->settings->per_client) {
		stat_inc(&qs->stats, STAT_OVER_CLIENT);
		return NULL;
	}
	if (qs->waiters.used >= qs->settings->inflight) {
		stat_inc(&qs->stats, STAT_OVER_INFLIGHT);
		return NULL;
	}
	w = slots_get(&qs->waiters, slots_take(&qs->waiters));
	if (!w)
		return NULL;
	qs->client_counts[count]++;
	w->client_count = count;
	w->peer = *peer;
	w->client = *c;
	w->client.name = w->name;
	memcpy(w->name, c->name, c->name_len);
	w->start = loop_now(qs->loop);
	list_init(&w->link);
	list_init(&w->stale);
	list_append(&qs->ages, &w->age);
	set_timer(qs->deadline_timer,
		list_entry(qs->ages.next, struct waiter, age),
		qs->settings->deadline_ms, w->start);
	return w;
}

/* --- tasks --- */

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t life_s(const struct settings *s, const struct answer *a)
{
	if (a->failure)
		return s->failure_ttl_s;
	if (a->security == ANSWER_BOGUS)
		return s->bogus_ttl_s;
	return min_u32(
		a->ttl_s, a->negative ? s->max_negative_ttl_s : s->max_ttl_s);
}

static uint64_t task_hash(const struct queries *qs, const struct question *q)
{
	return name_hash(&qs->key, q->name, q->name_len) ^
	       ((uint64_t)q->type << 16 | q->class) * 0x9e3779b97f4a7c15u;
}

/* The last two labels stand for the zone. */
static uint32_t zone_index(const struct queries *qs, const struct question *q)
{
	const uint8_t *at = q->name;
	unsigned labels = name_labels(at);

	for (; labels > 2; labels--)
		at = name_parent(at);
	return (uint32_t)(name_hash(&qs->key, at,
				  q->name_len - (size_t)(at - q->name)) %
			  COUNTS);
}

static struct task *task_find(
	const struct queries *qs, const struct question *q, uint64_t hash)
{
	uint32_t i = qs->table[hash & (TABLE - 1)];

	while (i != SLOT_NONE) {
		struct task *t = slots_get(&qs->tasks, i);

		if (t->hash == hash && question_equal(&t->q, q))
			return t;
		i = t->next;
	}
	return NULL;
}

static void task_free(struct queries *qs, struct task *t)
{
	uint32_t self = slots_index(&qs->tasks, t);
	uint32_t *at = &qs->table[t->hash & (TABLE - 1)];

	while (*at != self)
		at = &((struct task *)slots_get(&qs->tasks, *at))->next;
	*at = t->next;
	qs->zone_counts[t->zone_count]--;
	slots_give(&qs->tasks, self);
}

static struct task *task_take(
	struct queries *qs, const struct question *q, uint64_t hash)
{
	uint32_t zone = zone_index(qs, q), slot;
	struct task *t;

	if (qs->zone_counts[zone] >= qs->settings->per_zone) {
		stat_inc(&qs->stats, STAT_OVER_ZONE);
		return NULL;
	}
	if (qs->tasks.used >= qs->settings->inflight) {
		stat_inc(&qs->stats, STAT_OVER_INFLIGHT);
		return NULL;
	}
	slot = slots_take(&qs->tasks);
	t = slots_get(&qs->tasks, slot);
	if (!t)
		return NULL;
	list_init(&t->waiters);
	t->hash = hash;
	t->q = *q;
	t->q.name = t->name;
	name_to_lower(t->name, q->name, q->name_len);
	t->zone_count = zone;
	qs->zone_counts[zone]++;
	t->next = qs->table[hash & (TABLE - 1)];
	qs->table[hash & (TABLE - 1)] = slot;
	return t;
}

static struct task *task_start(struct queries *qs, const struct question *q)
{
	uint64_t hash = task_hash(qs, q), token;
	struct task *t = task_find(qs, q, hash);
	uint32_t slot;

	if (t) {
		stat_inc(&qs->stats, STAT_COALESCED);
		return t;
	}
	t = task_take(qs, q, hash);
	if (!t)
		return NULL;
	slot = slots_index(&qs->tasks, t);
	token = (uint64_t)slots_generation(&qs->tasks, slot) << 32 | slot;
	if (engines_resolve(qs->engines, &t->q, token) == 0)
		return t;
	task_free(qs, t);
	return NULL;
}

static void count_result(struct queries *qs, const struct answer *a)
{
	static const enum stat by_security[] = {
		[ANSWER_INSECURE] = STAT_INSECURE,
		[ANSWER_BOGUS] = STAT_BOGUS,
		[ANSWER_SECURE] = STAT_SECURE,
	};

	stat_inc(&qs->stats,
		a->failure ? STAT_FAILURES : by_security[a->security]);
}

/* Answer everyone who waits: from `a`, or from `stale` when that is set. */
static void answer_waiters(struct queries *qs, struct task *t,
	const struct answer *a, const struct cache_entry *stale)
{
	while (!list_empty(&t->waiters)) {
		struct waiter *w =
			list_entry(t->waiters.next, struct waiter, link);

		note_latency(qs, w);
		if (stale)
			reply_stale(qs, &w->peer, &w->client, stale);
		else
			reply_send(qs, &w->peer,
				answer_write(a, &w->client, 0, 0, qs->out));
		waiter_free(qs, w);
	}
}

void inflight_done(void *arg, uint64_t token, struct answer *a)
{
	struct queries *qs = arg;
	struct task *t = slots_get_gen(
		&qs->tasks, (uint32_t)token, (uint32_t)(token >> 32));
	struct mtime now = loop_now(qs->loop);
	struct cache_entry *old;

	if (!t || !a) {
		free(a); /* no memory: the deadline answers */
		if (t)
			task_free(qs, t);
		return;
	}
	count_result(qs, a);
	old = a->failure ? cache_find(qs->cache, &t->q, now) : NULL;
	if (old && is_usable_stale(old)) {
		old->failed_until =
			mtime_add_ms(now, qs->settings->stale_retry_ms);
		answer_waiters(qs, t, a, old);
		free(a);
	} else {
		answer_waiters(qs, t, a, NULL);
		cache_insert(qs->cache, &t->q, a, life_s(qs->settings, a), now);
	}
	task_free(qs, t);
}

bool inflight_join(struct queries *qs, const struct serve_peer *peer,
	const struct question *q, const struct answer_client *c,
	const struct cache_entry *stale)
{
	struct waiter *w = waiter_new(qs, peer, c);
	struct task *t = w ? task_start(qs, q) : NULL;

	if (!t) {
		if (w)
			waiter_free(qs, w);
		return false;
	}
	list_append(&t->waiters, &w->link);
	if (!stale)
		return true;
	list_append(&qs->stales, &w->stale);
	set_timer(qs->stale_timer,
		list_entry(qs->stales.next, struct waiter, stale),
		qs->settings->stale_wait_ms, w->start);
	return true;
}
