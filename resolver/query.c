/* SPDX-License-Identifier: ISC */
/*
 * A waiter is a client's question without an answer; a task is a question
 * that the library works on, with the waiters that asked it. A waiter is
 * answered at its deadline at the latest; its task goes on, up to half a
 * minute for dead name servers, and fills the cache. So both are bounded on
 * their own, and tasks also by zone: one dead zone must not take all.
 */

#include "resolver/query.h"

#include "common/base/slots.h"
#include "common/dns/code.h"
#include "resolver/engine.h"
#include "resolver/policy.h"

#define TABLE  16384 /* buckets of tasks; a power of two */
#define COUNTS 65536 /* shared counters by hash of client or zone */

struct waiter {
	struct list link;  /* of its task */
	struct list age;   /* of all, oldest first */
	struct list stale; /* of those that a stale answer is there for */
	struct serve_peer peer;
	struct answer_client client;
	struct mtime start;
	uint32_t client_count; /* index */
	uint8_t name[NAME_MAX_WIRE];
};

struct task {
	struct list waiters;
	uint32_t next; /* in its bucket */
	uint64_t hash;
	uint32_t zone_count; /* index */
	struct question q;
	uint8_t name[NAME_MAX_WIRE];
};

struct queries {
	struct loop *loop;
	const struct settings *settings;
	struct serve *serve;
	struct engine *engine;
	struct cache *cache;
	struct slots waiters, tasks;
	struct list ages, stales;
	struct timer *deadline_timer, *stale_timer;
	struct hash_key key;
	struct refusals refusals;
	struct stats stats;
	uint32_t table[TABLE];
	uint16_t client_counts[COUNTS], zone_counts[COUNTS];
	uint8_t out[MSG_MAX + 1];
};

/* --- replies --- */

static void count_answer(struct queries *qs, const uint8_t *out)
{
	switch (msg_rcode(out)) {
	case DNS_RCODE_NOERROR:
		stat_inc(&qs->stats, STAT_ANSWERS_NOERROR);
		break;
	case DNS_RCODE_NXDOMAIN:
		stat_inc(&qs->stats, STAT_ANSWERS_NXDOMAIN);
		break;
	case DNS_RCODE_SERVFAIL:
		stat_inc(&qs->stats, STAT_ANSWERS_SERVFAIL);
		break;
	case DNS_RCODE_REFUSED:
		stat_inc(&qs->stats, STAT_ANSWERS_REFUSED);
		break;
	default:
		stat_inc(&qs->stats, STAT_ANSWERS_OTHER);
		break;
	}
	if (msg_flags(out) & MSG_TC)
		stat_inc(&qs->stats, STAT_TRUNCATED);
}

static void send_out(
	struct queries *qs, const struct serve_peer *peer, size_t len)
{
	count_answer(qs, qs->out);
	serve_reply(qs->serve, peer, qs->out, len);
}

static void reply_error(struct queries *qs, const struct serve_peer *peer,
	const struct answer_client *c, unsigned rcode, int ede)
{
	send_out(qs, peer, answer_write_error(c, rcode, ede, qs->out));
}

static uint32_t age_s(const struct cache_entry *e, struct mtime now)
{
	int64_t us = mtime_sub_us(now, e->stored);

	return us <= 0 ? 0 : (uint32_t)(us / 1000000);
}

static void reply_entry(struct queries *qs, const struct serve_peer *peer,
	const struct answer_client *c, const struct cache_entry *e)
{
	uint32_t age = age_s(e, loop_now(qs->loop));

	send_out(qs, peer, answer_write(e->answer, c, age, 0, qs->out));
}

static void reply_stale(struct queries *qs, const struct serve_peer *peer,
	const struct answer_client *c, const struct cache_entry *e)
{
	stat_inc(&qs->stats, STAT_STALE);
	send_out(qs, peer,
		answer_write(
			e->answer, c, 0, qs->settings->stale_ttl_s, qs->out));
}

/* --- cache --- */

static bool is_fresh(const struct cache_entry *e, struct mtime now)
{
	return mtime_before(now, e->expires);
}

/* May this expired entry be served (RFC 8767 4)? */
static bool is_usable_stale(const struct cache_entry *e)
{
	return !e->answer->failure && e->answer->security != ANSWER_BOGUS;
}

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

/* --- waiters --- */

static struct answer_client client_of(const struct queries *qs,
	const struct serve_request *req, const struct query_view *view)
{
	const struct settings *s = qs->settings;
	struct answer_client c = {
		.name = view->q.name,
		.name_len = view->q.name_len,
		.type = view->q.type,
		.class = view->q.class,
		.id = msg_id(req->msg),
		.flags = msg_flags(req->msg),
		.edns = view->edns.present,
		.dnssec_ok = view->edns.present && view->edns.dnssec_ok,
		.payload = s->payload,
	};

	c.limit = req->peer.tcp ? MSG_MAX
				: edns_udp_limit(&view->edns, s->payload);
	return c;
}

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

static void on_deadline(void *arg)
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

static void on_stale_wait(void *arg)
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
	if (engine_resolve(qs->engine, &t->q, token) == 0)
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
			send_out(qs, &w->peer,
				answer_write(a, &w->client, 0, 0, qs->out));
		waiter_free(qs, w);
	}
}

static void on_done(void *arg, uint64_t token, struct answer *a)
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

/* --- the walk of a query --- */

static void over_limit(struct queries *qs, const struct serve_peer *peer,
	const struct answer_client *c, const struct cache_entry *stale)
{
	if (stale)
		reply_stale(qs, peer, c, stale);
	else
		reply_error(
			qs, peer, c, DNS_RCODE_SERVFAIL, DNS_EDE_NETWORK_ERROR);
}

static void look_up(struct queries *qs, const struct serve_peer *peer,
	const struct question *q, const struct answer_client *c,
	const struct cache_entry *stale)
{
	struct waiter *w = waiter_new(qs, peer, c);
	struct task *t = w ? task_start(qs, q) : NULL;

	if (!t) {
		if (w)
			waiter_free(qs, w);
		over_limit(qs, peer, c, stale);
		return;
	}
	list_append(&t->waiters, &w->link);
	if (!stale)
		return;
	list_append(&qs->stales, &w->stale);
	set_timer(qs->stale_timer,
		list_entry(qs->stales.next, struct waiter, stale),
		qs->settings->stale_wait_ms, w->start);
}

static void resolve(struct queries *qs, const struct serve_peer *peer,
	const struct question *q, const struct answer_client *c,
	bool cache_only)
{
	struct mtime now = loop_now(qs->loop);
	struct cache_entry *e = cache_find(qs->cache, q, now);

	if (e && is_fresh(e, now)) {
		stat_inc(&qs->stats, STAT_HITS);
		reply_entry(qs, peer, c, e);
		return;
	}
	if (cache_only) {
		reply_error(qs, peer, c, DNS_RCODE_REFUSED, -1);
		return;
	}
	stat_inc(&qs->stats, STAT_MISSES);
	if (e && !is_usable_stale(e))
		e = NULL;
	if (e && mtime_before(now, e->failed_until))
		reply_stale(qs, peer, c, e);
	else
		look_up(qs, peer, q, c, e);
}

/* Not in the ACL: REFUSED within bounds, else silence. */
static void deny(struct queries *qs, const struct serve_request *req,
	const struct query_view *view, enum msg_verdict verdict)
{
	const struct settings *s = qs->settings;

	if (s->acl_action == ACL_REFUSE && verdict == MSG_OK &&
		refusals_take(&qs->refusals, &req->peer.client,
			s->acl_refuse_per_s, loop_now(qs->loop))) {
		struct answer_client c = client_of(qs, req, view);

		reply_error(qs, &req->peer, &c, DNS_RCODE_REFUSED,
			DNS_EDE_PROHIBITED);
		return;
	}
	stat_inc(&qs->stats, STAT_DROP_ACL);
	serve_drop(qs->serve, &req->peer);
}

/* Malformed, or of a kind that we do not speak. */
static void reject(struct queries *qs, const struct serve_request *req,
	const struct query_view *view, enum msg_verdict verdict)
{
	static const unsigned rcodes[] = {
		[MSG_FORMERR] = DNS_RCODE_FORMERR,
		[MSG_NOTIMP] = DNS_RCODE_NOTIMP,
		[MSG_BADVERS] = DNS_RCODE_BADVERS,
	};

	if (verdict == MSG_DROP) {
		stat_inc(&qs->stats, STAT_DROP_MALFORMED);
		serve_drop(qs->serve, &req->peer);
		return;
	}
	send_out(qs, &req->peer,
		msg_make_reply(qs->out, sizeof(qs->out), req->msg,
			view->q.name ? &view->q : NULL, &view->edns,
			rcodes[verdict], true, -1));
}

static void follow(struct queries *qs, const struct serve_request *req,
	const struct query_view *view)
{
	struct answer_client c = client_of(qs, req, view);
	const struct serve_peer *peer = &req->peer;

	switch (policy_question(qs->settings, &view->q, c.flags, peer->tcp)) {
	case POLICY_RESOLVE:
		resolve(qs, peer, &view->q, &c, false);
		break;
	case POLICY_CACHE_ONLY:
		resolve(qs, peer, &view->q, &c, true);
		break;
	case POLICY_REFUSE:
		reply_error(qs, peer, &c, DNS_RCODE_REFUSED, -1);
		break;
	case POLICY_NOTIMP:
		reply_error(qs, peer, &c, DNS_RCODE_NOTIMP, -1);
		break;
	case POLICY_FORMERR:
		reply_error(qs, peer, &c, DNS_RCODE_FORMERR, -1);
		break;
	case POLICY_TC:
		send_out(qs, peer, answer_write_tc(&c, qs->out));
		break;
	case POLICY_DROP:
		stat_inc(&qs->stats, STAT_DROP_POLICY);
		serve_drop(qs->serve, peer);
		break;
	}
}

void queries_request(void *arg, const struct serve_request *req)
{
	struct queries *qs = arg;
	struct query_view view;
	enum msg_verdict verdict;

	stat_inc(&qs->stats,
		req->peer.tcp ? STAT_QUERIES_TCP : STAT_QUERIES_UDP);
	memset(&view, 0, sizeof(view));
	verdict = msg_parse_query(req->msg, req->len, &view);
	if (verdict != MSG_DROP &&
		!settings_allow(qs->settings, &req->peer.client))
		deny(qs, req, &view, verdict);
	else if (verdict != MSG_OK)
		reject(qs, req, &view, verdict);
	else
		follow(qs, req, &view);
}

/* A client outside the ACL may connect when REFUSED is what it gets. */
bool queries_admit(void *arg, const union addr *client)
{
	const struct queries *qs = arg;

	return qs->settings->acl_action == ACL_REFUSE ||
	       settings_allow(qs->settings, client);
}

/* --- the whole --- */

static bool make_parts(struct queries *qs, struct err *err)
{
	err_set(err, "out of memory");
	qs->cache = cache_new(&qs->settings->cache);
	qs->deadline_timer = timer_new(qs->loop, on_deadline, qs);
	qs->stale_timer = timer_new(qs->loop, on_stale_wait, qs);
	if (!qs->cache || !qs->deadline_timer || !qs->stale_timer ||
		slots_init(&qs->waiters, INFLIGHT_MAX, sizeof(struct waiter)) <
			0 ||
		slots_init(&qs->tasks, INFLIGHT_MAX, sizeof(struct task)) < 0)
		return false;
	qs->engine =
		engine_new(qs->loop, qs->settings->library, on_done, qs, err);
	return qs->engine != NULL;
}

struct queries *queries_new(
	struct loop *loop, const struct settings *settings, struct err *err)
{
	struct queries *qs = calloc(1, sizeof(*qs));

	if (!qs) {
		err_set(err, "out of memory");
		return NULL;
	}
	qs->loop = loop;
	qs->settings = settings;
	list_init(&qs->ages);
	list_init(&qs->stales);
	hash_key_random(&qs->key);
	refusals_init(&qs->refusals);
	for (unsigned i = 0; i < TABLE; i++)
		qs->table[i] = SLOT_NONE;
	if (make_parts(qs, err))
		return qs;
	queries_free(qs);
	return NULL;
}

void queries_free(struct queries *qs)
{
	if (!qs)
		return;
	engine_free(qs->engine);
	cache_free(qs->cache);
	timer_free(qs->deadline_timer);
	timer_free(qs->stale_timer);
	slots_fini(&qs->waiters);
	slots_fini(&qs->tasks);
	free(qs);
}

void queries_attach(struct queries *qs, struct serve *serve)
{
	qs->serve = serve;
}

void queries_set(struct queries *qs, const struct settings *settings)
{
	qs->settings = settings;
	cache_set_limits(qs->cache, &settings->cache);
}

uint32_t queries_flush(
	struct queries *qs, enum flush_what what, const uint8_t *name)
{
	switch (what) {
	case FLUSH_NAME:
		return cache_flush_name(qs->cache, name);
	case FLUSH_SUFFIX:
		return cache_flush_suffix(qs->cache, name);
	case FLUSH_ALL:
		break;
	}
	return cache_flush_all(qs->cache);
}

uint32_t queries_waiting(const struct queries *qs)
{
	return qs->waiters.used;
}

void queries_stats(struct queries *qs, struct stats *out)
{
	const struct serve_stats *s = serve_get_stats(qs->serve);

	*out = qs->stats;
	out->cells[STAT_EVICTIONS] = cache_evictions(qs->cache);
	out->cells[STAT_UDP_CUT] = s->udp_cut;
	out->cells[STAT_UDP_SEND_ERRORS] = s->udp_send_errors;
	out->cells[STAT_TCP_ACCEPTED] = s->tcp_accepted;
	out->cells[STAT_TCP_REFUSED] = s->tcp_refused;
	out->cells[STAT_TCP_OVER_CLIENT] = s->tcp_over_client;
	out->cells[STAT_TCP_EVICTED] = s->tcp_evicted;
	out->cells[STAT_TCP_TIMEOUTS] = s->tcp_timeouts;
	out->cells[STAT_TCP_GONE] = s->tcp_gone;
	out->cells[STAT_TCP_OPEN] = s->tcp_open;
	out->cells[STAT_WAITING] = qs->waiters.used;
	out->cells[STAT_LOOKUPS] = qs->tasks.used;
	out->cells[STAT_CACHE_ENTRIES] = cache_entries(qs->cache);
	out->cells[STAT_CACHE_BYTES] = cache_bytes(qs->cache);
}
