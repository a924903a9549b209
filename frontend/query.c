/* SPDX-License-Identifier: ISC */
/*
 * query_begin and query_finish are the table of contents of this program. Each
 * step either lets the query pass on or ends it: by a reply, by silence, or by
 * leaving it to wait for a backend. A batch goes through the first half as a
 * whole before the second begins: so the memory of all its cache entries is
 * fetched at one time, and not waited for one after the other.
 */

#include "frontend/query_impl.h"

#include "common/dns/code.h"
#include "frontend/subnet.h"
#include "frontend/transfer.h"

#define PREFETCH_MIN_S 10 /* shorter lives are not worth it */
#define TOGETHER       32 /* queries that wait for memory at once */

enum step {
	STEP_NEXT,
	STEP_END
};

struct query {
	struct worker *w;
	const struct serve_request *req;
	struct mtime now;
	bool read; /* the three that follow, and asker.hop */
	enum msg_verdict parsed;
	struct query_view view;
	bool cache_only;
	bool stale; /* the worker's answer is one that expired */
	uint32_t stale_age_s;
	bool popular; /* though expired */
	const struct pool *pool;
	struct asker asker;
	struct cache_key key;
};

/* Those of one batch that have a key. */
struct queries {
	unsigned count;
	struct query query[TOGETHER];
};

/* --- replies ----------------------------------------------------------- */

/* For "show top". */
static void note_failure(
	struct worker *w, unsigned rcode, const struct asker *asker)
{
	enum top_kind kind =
		rcode == DNS_RCODE_NXDOMAIN ? TOP_NXDOMAIN : TOP_SERVFAIL;
	uint32_t weight;

	if (rcode != DNS_RCODE_NXDOMAIN && rcode != DNS_RCODE_SERVFAIL)
		return;
	weight = top_take_failure(w->top, &w->rng);
	if (weight > 0)
		top_add_name(
			w->top, kind, asker->name, asker->name_len, weight);
}

static void reply(struct worker *w, const struct serve_peer *peer, size_t len)
{
	front_count(&w->fronts, peer, FRONT_RESPONSES);
	serve_reply(w->serve, peer, w->out, len);
}

void query_send_answer(struct worker *w, const struct serve_peer *peer,
	const struct asker *asker, struct mtime since, const struct answer *a,
	const struct answer_style *style)
{
	bool truncated;
	int64_t us;
	size_t len = answer_render(
		a, asker, style, w->out, sizeof(w->out), &truncated);

	if (truncated)
		metric_inc(w->row, STAT_TRUNCATED);
	policy_note_answer(w->policy, &peer->client,
		peer->tcp || asker->hop.proven, msg_rcode(w->out),
		loop_now(w->loop).us);
	us = mtime_sub_us(loop_now(w->loop), since);
	stats_answer(w->row, msg_rcode(w->out), us);
	if (peer->tcp)
		stats_tcp_answer(w->row, us);
	note_failure(w, msg_rcode(w->out), asker);
	reply(w, peer, len);
}

/* Our options, in the OPT at the end of the reply of `len` octets. */
static size_t add_hop(struct query *q, size_t len)
{
	struct worker *w = q->w;
	size_t opt = q->view.q.name ? q->view.q.end : MSG_HEADER;

	return opt + hop_write(&q->asker.hop, 0, w->out + opt, len - opt,
			     sizeof(w->out) - opt);
}

/* A reply of header and question, made from the query itself. */
static enum step send_own(
	struct query *q, unsigned rcode, bool truncated, int ede)
{
	struct worker *w = q->w;
	bool named = q->view.q.name != NULL;
	bool auth = named && policy_route(w->policy, &q->view.q)->auth;
	size_t len = msg_make_reply(w->out, sizeof(w->out), q->req->msg,
		named ? &q->view.q : NULL, &q->view.edns, rcode, !auth, ede);

	len = add_hop(q, len);
	if (truncated)
		msg_set_flags(w->out, (uint16_t)(msg_flags(w->out) | MSG_TC));
	metric_inc(w->row, STAT_SELF_ANSWERED);
	stats_answer(w->row, rcode, 0);
	if (q->req->peer.tcp)
		stats_tcp_answer(w->row, 0);
	reply(w, &q->req->peer, len);
	return STEP_END;
}

/* An answer with addresses of a rule. */
static enum step send_spoof(struct query *q, const struct spoof *spoof)
{
	struct worker *w = q->w;
	struct answer_style style = {
		.auth = policy_route(w->policy, &q->view.q)->auth};

	asker_init(&q->asker, q->req->msg, &q->view, q->req->peer.tcp,
		w->policy->udp_limit);
	spoof_make(spoof, &w->answer, w->stored, &q->view.q);
	metric_inc(w->row, STAT_SELF_ANSWERED);
	query_send_answer(
		w, &q->req->peer, &q->asker, q->now, &w->answer, &style);
	return STEP_END;
}

struct drop_sample *query_want_sample(
	struct worker *w, enum stat_id why, const union addr *client, bool tcp)
{
	struct drop_sample *s = NULL;

	if (w->policy->drop_lines > 0)
		s = drop_ring_want(&w->drops, why);
	if (!s)
		return NULL;
	s->why = why;
	s->tcp = tcp;
	s->client = *client;
	s->type = 0;
	s->named = false;
	return s;
}

void query_put_sample(struct worker *w, struct drop_sample *s,
	const uint8_t *name, uint8_t len, uint16_t type)
{
	s->type = type;
	s->named = true;
	s->name.len = len;
	memcpy(s->name.wire, name, len);
	drop_ring_put(&w->drops);
}

/* It is parsed (again), since a drop may come before that. */
static void note_drop(
	struct worker *w, enum stat_id why, const struct serve_request *req)
{
	struct drop_sample *s =
		query_want_sample(w, why, &req->peer.client, req->peer.tcp);
	struct query_view view = {.q.name = NULL};

	if (!s)
		return;
	if (msg_parse_query(req->msg, req->len, &view) == MSG_DROP ||
		!view.q.name)
		drop_ring_put(&w->drops);
	else
		query_put_sample(
			w, s, view.q.name, view.q.name_len, view.q.type);
}

static enum step drop(struct query *q, enum stat_id why)
{
	note_drop(q->w, why, q->req);
	metric_inc(q->w->row, why);
	if (why == STAT_DROP_SHORT || why == STAT_DROP_NOT_QUERY)
		front_count(&q->w->fronts, &q->req->peer, FRONT_NONCOMPLIANT);
	serve_drop(q->w->serve, &q->req->peer);
	return STEP_END;
}

/* A cell that other threads read. */
static void bump(uint64_t *cell)
{
	__atomic_store_n(cell, *cell + 1, __ATOMIC_RELAXED);
}

/* --- steps ------------------------------------------------------------- */

/* No question, just a cookie: the client wants one of ours. */
static bool is_cookie_fetch(const struct query *q)
{
	return q->parsed == MSG_FORMERR && !q->view.q.name &&
	       q->view.edns.cookie_offset != 0 && q->view.edns.version == 0;
}

/* What the client said about this hop alone. */
static void read_hop(struct query *q)
{
	struct worker *w = q->w;
	const struct serve_peer *peer = &q->req->peer;
	const struct edns *edns = &q->view.edns;
	struct hop *hop = &q->asker.hop;
	const uint8_t *ip;
	size_t len;

	if (q->parsed != MSG_OK && !is_cookie_fetch(q))
		return;
	if (!edns->cookie_offset && !edns->keepalive)
		return;
	len = addr_octets(&peer->client, &ip);
	hop_read(hop, &w->policy->hop, q->req->msg, edns, peer->tcp, ip, len,
		(uint32_t)wall_now_s());
	if (!hop->cookie)
		return;
	metric_inc(w->row, hop->proven             ? STAT_COOKIE_GOOD
			   : edns->cookie_len == 8 ? STAT_COOKIE_NEW
						   : STAT_COOKIE_BAD);
}

/* For "show top", limits or not: who is over them is of interest, too. */
static void note_query(struct query *q)
{
	struct top *top = q->w->top;
	uint32_t weight = top_take_query(top, &q->w->rng);

	if (weight == 0)
		return;
	top_add_client(top, &q->req->peer.client, weight);
	if (q->parsed == MSG_OK)
		top_add_name(top, TOP_NAMES, q->view.q.name, q->view.q.name_len,
			weight);
}

/* Once, however often it is asked for. */
static void read_message(struct query *q)
{
	if (q->read)
		return;
	q->read = true;
	q->parsed = msg_parse_query(q->req->msg, q->req->len, &q->view);
	read_hop(q);
}

/* One who knows cookies need not come by TCP: it gets a good one and asks
 * again (RFC 7873 5.2.3). Unless a rule says that it shall come by TCP. */
static enum step send_refusal(struct query *q, const struct policy_result *r)
{
	metric_inc(q->w->row, r->counter);
	if (r->tc && r->counter != STAT_TC_RULE && q->asker.hop.cookie) {
		metric_inc(q->w->row, STAT_BADCOOKIE);
		return send_own(q, DNS_RCODE_BADCOOKIE, false, -1);
	}
	return send_own(q, r->rcode, r->tc, r->ede);
}

static struct policy_result admit(
	const struct query *q, enum policy_proof proof)
{
	return policy_admit(
		q->w->policy, &q->req->peer.client, proof, q->now.us);
}

/* The source comes first, mostly before a byte is looked at. */
static enum step step_admit(struct query *q)
{
	struct policy_result r =
		admit(q, q->req->peer.tcp ? PROOF_GIVEN : PROOF_UNKNOWN);

	if (r.verdict == VERDICT_PASS)
		return STEP_NEXT;
	if (r.verdict == VERDICT_DROP)
		return drop(q, r.counter);
	read_message(q);
	if (r.verdict == VERDICT_PROVE) {
		r = admit(q, q->asker.hop.proven ? PROOF_GIVEN : PROOF_NONE);
		if (r.verdict == VERDICT_PASS)
			return STEP_NEXT;
		if (r.verdict == VERDICT_DROP)
			return drop(q, r.counter);
	}
	if (q->parsed == MSG_DROP || q->parsed == MSG_FORMERR)
		return drop(q, r.counter == STAT_REFUSED_ACL ? STAT_DROP_ACL
							     : STAT_DROP_BLOCK);
	return send_refusal(q, &r);
}

static enum step step_parse(struct query *q)
{
	read_message(q);
	if (q->parsed != MSG_DROP && (msg_flags(q->req->msg) & MSG_TC))
		return drop(q, STAT_DROP_NOT_QUERY); /* half a question */
	if (q->parsed == MSG_DROP)
		return drop(q, q->req->len < MSG_HEADER ? STAT_DROP_SHORT
							: STAT_DROP_NOT_QUERY);
	if (q->parsed == MSG_FORMERR && msg_count(q->req->msg, MSG_QD) == 0)
		metric_inc(q->w->row, STAT_EMPTY);
	if (msg_flags(q->req->msg) & MSG_RD)
		metric_inc(q->w->row, STAT_RD);
	note_query(q);
	return STEP_NEXT;
}

/* To a backend as it is: a transfer, NOTIFY, UPDATE. */
static enum step hand_on(struct query *q, const struct pool *pool)
{
	struct worker *w = q->w;

	switch (transfer_begin(w->transfers, q->req, &q->view, pool)) {
	case TRANSFER_BEGUN:
		bump(&w->pools[pool->id].queries);
		return STEP_END;
	case TRANSFER_MALFORMED:
		metric_inc(w->row, STAT_BAD_FORMERR);
		return send_own(q, DNS_RCODE_FORMERR, false, -1);
	case TRANSFER_BUSY:
		if (!q->req->peer.tcp) /* it is sent again */
			return drop(q, STAT_DROP_NO_SLOT);
		metric_inc(w->row, STAT_TRANSFER_BUSY);
		return send_own(q, DNS_RCODE_SERVFAIL, false, -1);
	case TRANSFER_NO_BACKEND:
	default:
		metric_inc(w->row, STAT_NO_BACKEND);
		return send_own(q, DNS_RCODE_SERVFAIL, false,
			DNS_EDE_NO_REACHABLE_AUTHORITY);
	}
}

static enum step step_check(struct query *q)
{
	const struct serve_peer *peer = &q->req->peer;
	const struct policy_query pq = {.client = &peer->client,
		.tcp = peer->tcp,
		.proven = q->asker.hop.proven,
		.rd = msg_flags(q->req->msg) & MSG_RD,
		.empty = msg_count(q->req->msg, MSG_QD) == 0 &&
			 !q->asker.hop.cookie,
		.opcode = msg_opcode(q->req->msg),
		.parsed = q->parsed,
		.view = &q->view,
		.now_us = q->now.us};
	struct policy_result r = policy_check(q->w->policy, &pq);

	switch (r.verdict) {
	case VERDICT_DROP:
		return drop(q, r.counter);
	case VERDICT_REPLY:
		if (r.counter == STAT_BAD_FORMERR && q->asker.hop.cookie)
			return send_own(q, DNS_RCODE_NOERROR, false, -1);
		return send_refusal(q, &r);
	case VERDICT_SPOOF:
		metric_inc(q->w->row, r.counter);
		return send_spoof(q, r.spoof);
	case VERDICT_RELAY:
		return hand_on(q, r.pool);
	case VERDICT_CACHE_ONLY:
		metric_inc(q->w->row, r.counter);
		q->cache_only = true;
		break;
	case VERDICT_PASS:
	default:
		break;
	}
	q->pool = r.pool;
	q->asker.no_recurse = r.no_recurse;
	return STEP_NEXT;
}

static enum step step_route(struct query *q)
{
	if (!q->pool)
		q->pool = policy_route(q->w->policy, &q->view.q);
	asker_init(&q->asker, q->req->msg, &q->view, q->req->peer.tcp,
		q->w->policy->udp_limit);
	cache_key_make(q->w->secret, &q->key, q->pool->id, &q->asker);
	if (!subnet_take(q->pool, q->req, &q->view.edns, q->w->secret, &q->key,
		    &q->asker.hop)) {
		metric_inc(q->w->row, STAT_BAD_FORMERR);
		return send_own(q, DNS_RCODE_FORMERR, false, -1);
	}
	if (q->pool->cached)
		cache_prefetch_index(q->w->policy->cache, &q->key);
	bump(&q->w->pools[q->pool->id].queries);
	return STEP_NEXT;
}

/* Popular, and in the last tenth of a life worth the effort? */
static bool is_ripe(const struct policy *p, enum cache_result result,
	const struct cache_found *found)
{
	return p->cache_rules.prefetch && result == CACHE_HIT &&
	       found->popular && found->ttl_s >= PREFETCH_MIN_S &&
	       found->left_s <= found->ttl_s / 10;
}

/* Stale and not to be asked for, unless a backend came back meanwhile? The
 * cache's clock has tenths of a second: in doubt it did. */
static bool is_held(const struct query *q, enum cache_result result,
	const struct cache_found *found)
{
	int64_t ago_ms;

	if (result != CACHE_HELD)
		return false;
	ago_ms = HOLD_S * 1000 - (int64_t)found->held_ms + 200;
	return !pool_is_revived(q->pool, mtime_add_ms(q->now, -ago_ms));
}

static void tell_peers(struct query *q)
{
	struct worker *w = q->w;

	if (warm_tell(w->warm, &q->key, &q->req->peer.client, q->now))
		metric_inc(w->row, STAT_WARMED);
}

static enum step step_lookup(struct query *q)
{
	struct worker *w = q->w;
	const struct policy *p = w->policy;
	struct cache_found found;
	enum cache_result result;
	struct answer_style style = {.auth = q->pool->auth};

	if (!q->pool->cached)
		return STEP_NEXT;
	result = subnet_lookup(p->cache, w->secret, &q->key, &p->cache_rules,
		q->now, &w->answer, w->stored, &found);
	if (q->req->peer.tcp && is_truncated(result, &w->answer))
		result = CACHE_MISS;
	if (result != CACHE_HIT && !is_held(q, result, &found)) {
		metric_inc(w->row, STAT_CACHE_MISSES);
		bump(&w->pools[q->pool->id].misses);
		q->stale = result != CACHE_MISS;
		q->stale_age_s = found.age_s;
		q->popular = result == CACHE_STALE && found.popular;
		return STEP_NEXT;
	}
	metric_inc(w->row, STAT_CACHE_HITS);
	bump(&w->pools[q->pool->id].hits);
	style.age_s = found.age_s;
	style.cap_s = p->cache_rules.cap_served ? found.left_s : 0;
	if (result == CACHE_HELD) {
		metric_inc(w->row, STAT_CACHE_STALE);
		style.stale = true;
		style.stale_ttl_s = STALE_TTL_S;
	}
	query_send_answer(
		w, &q->req->peer, &q->asker, q->now, &w->answer, &style);
	if (found.news)
		tell_peers(q);
	if (is_ripe(p, result, &found) &&
		!flight_is_open(w->flights, &q->key)) {
		flight_refresh(w->flights, &q->key);
		tell_peers(q);
	}
	return STEP_END;
}

/* No backend may be asked: an expired answer is better than none. */
static enum step send_stale(struct query *q)
{
	struct worker *w = q->w;
	const struct answer_style style = {.auth = q->pool->auth,
		.age_s = q->stale_age_s,
		.stale = true,
		.stale_ttl_s = STALE_TTL_S};

	metric_inc(w->row, STAT_CACHE_STALE);
	query_send_answer(
		w, &q->req->peer, &q->asker, q->now, &w->answer, &style);
	return STEP_END;
}

/* One that waits already costs no backend anything. */
static enum step step_miss(struct query *q)
{
	const struct serve_peer *peer = &q->req->peer;
	struct worker *w = q->w;
	struct policy_result r;

	if (!w->policy->misses.on || q->cache_only ||
		flight_is_open(w->flights, &q->key))
		return STEP_NEXT;
	r = policy_check_miss(w->policy, &peer->client,
		peer->tcp || q->asker.hop.proven, q->key.name, q->now.us);
	if (r.verdict == VERDICT_PASS)
		return STEP_NEXT;
	if (q->stale)
		return send_stale(q);
	if (r.verdict == VERDICT_DROP)
		return drop(q, r.counter);
	return send_refusal(q, &r);
}

static enum step step_forward(struct query *q)
{
	if (q->cache_only)
		return drop(q, STAT_DROP_LIMIT);
	if (q->popular && !flight_is_open(q->w->flights, &q->key))
		tell_peers(q);
	q->w->forwarded++;
	if (!flight_join(
		    q->w->flights, &q->key, q->pool, &q->req->peer, &q->asker))
		return drop(q, STAT_DROP_NO_SLOT);
	return STEP_END;
}

/* False: one of the steps has ended it. */
static bool walk(
	struct query *q, enum step (*const steps[])(struct query *), size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (steps[i](q) == STEP_END)
			return false;
	return true;
}

void query_begin(void *arg, const struct serve_request *req)
{
	static enum step (*const steps[])(struct query *) = {
		step_admit, step_parse, step_check, step_route};
	struct worker *w = arg;
	struct queries *all = w->queries;
	struct query *q = &all->query[all->count];

	q->w = w;
	q->req = req;
	q->now = loop_now(w->loop);
	q->read = false;
	q->cache_only = false;
	q->stale = false;
	q->popular = false;
	memset(&q->asker.hop, 0, offsetof(struct hop, octets));
	metric_inc(w->row, req->peer.tcp ? STAT_TCP_QUERIES : STAT_UDP_QUERIES);
	front_count(&w->fronts, &req->peer, FRONT_QUERIES);
	if (walk(q, steps, countof(steps)) &&
		++all->count == countof(all->query))
		query_finish(w);
}

void query_finish(void *arg)
{
	static enum step (*const steps[])(struct query *) = {
		step_lookup, step_miss, step_forward};
	struct worker *w = arg;
	struct queries *all = w->queries;

	if (all->count == 0)
		return;
	for (unsigned i = 0; i < all->count; i++)
		if (all->query[i].pool->cached)
			cache_prefetch_entry(
				w->policy->cache, &all->query[i].key);
	/* how many will be asked is taken to be as in the last batch */
	pool_run_start(
		&w->run, w->forwarded < all->count ? w->forwarded : all->count);
	w->forwarded = 0;
	for (unsigned i = 0; i < all->count; i++)
		(void)walk(&all->query[i], steps, countof(steps));
	pool_run_start(&w->run, 0);
	all->count = 0;
}

struct queries *queries_new(void)
{
	return calloc(1, sizeof(struct queries));
}

void queries_free(struct queries *queries)
{
	free(queries);
}

bool query_admit_tcp(void *arg, const union addr *client)
{
	struct worker *w = arg;
	struct drop_sample *s;
	enum stat_id why;

	if (policy_admit_tcp(w->policy, client, loop_now(w->loop).us, &why))
		return true;
	metric_inc(w->row, why);
	s = query_want_sample(w, why, client, true);
	if (s)
		drop_ring_put(&w->drops);
	return false;
}
