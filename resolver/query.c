/* SPDX-License-Identifier: ISC */
/*
 * The walk of a query: parse, admit, policy, cache, lookup, reply. Who has
 * to wait is in inflight.c.
 */

#include "resolver/query_impl.h"

#include "common/base/log.h"
#include "common/dns/code.h"
#include "resolver/dump.h"

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

void reply_send(struct queries *qs, const struct serve_peer *peer, size_t len)
{
	count_answer(qs, qs->out);
	serve_reply(qs->serve, peer, qs->out, len);
}

void reply_error(struct queries *qs, const struct serve_peer *peer,
	const struct answer_client *c, unsigned rcode, int ede)
{
	reply_send(qs, peer, answer_write_error(c, rcode, ede, qs->out));
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

	reply_send(qs, peer, answer_write(e->answer, c, age, 0, qs->out));
}

void reply_stale(struct queries *qs, const struct serve_peer *peer,
	const struct answer_client *c, const struct cache_entry *e)
{
	stat_inc(&qs->stats, STAT_STALE);
	reply_send(qs, peer,
		answer_write(
			e->answer, c, 0, qs->settings->stale_ttl_s, qs->out));
}

/* --- cache --- */

static bool is_fresh(const struct cache_entry *e, struct mtime now)
{
	return mtime_before(now, e->expires);
}

bool is_usable_stale(const struct cache_entry *e)
{
	return !e->answer->failure && e->answer->security != ANSWER_BOGUS;
}

/* --- the walk of a query --- */

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

static void over_limit(struct queries *qs, const struct serve_peer *peer,
	const struct answer_client *c, const struct cache_entry *stale)
{
	if (stale)
		reply_stale(qs, peer, c, stale);
	else
		reply_error(
			qs, peer, c, DNS_RCODE_SERVFAIL, DNS_EDE_NETWORK_ERROR);
}

static void wait_for(struct queries *qs, const struct serve_peer *peer,
	const struct question *q, const struct answer_client *c,
	const struct cache_entry *stale)
{
	if (!inflight_join(qs, peer, q, c, stale))
		over_limit(qs, peer, c, stale);
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
		wait_for(qs, peer, q, c, e);
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
	reply_send(qs, &req->peer,
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
		reply_send(qs, peer, answer_write_tc(&c, qs->out));
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
	qs->deadline_timer = timer_new(qs->loop, inflight_deadline, qs);
	qs->stale_timer = timer_new(qs->loop, inflight_stale_wait, qs);
	if (!qs->cache || !qs->deadline_timer || !qs->stale_timer ||
		slots_init(&qs->waiters, INFLIGHT_MAX, sizeof(struct waiter)) <
			0 ||
		slots_init(&qs->tasks, INFLIGHT_MAX, sizeof(struct task)) < 0)
		return false;
	qs->engines = engines_new(
		qs->loop, qs->settings->library, inflight_done, qs, err);
	return qs->engines != NULL;
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
	engines_free(qs->engines);
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
	engines_set_text(qs->engines, settings->library);
	cache_set_limits(qs->cache, &settings->cache);
}

static uint32_t flush_cache(
	struct cache *cache, enum flush_what what, const uint8_t *name)
{
	switch (what) {
	case FLUSH_NAME:
		return cache_flush_name(cache, name);
	case FLUSH_SUFFIX:
		return cache_flush_suffix(cache, name);
	case FLUSH_ALL:
		break;
	}
	return cache_flush_all(cache);
}

int queries_flush(struct queries *qs, enum flush_what what,
	const struct name *name, uint32_t *count, struct err *err)
{
	int64_t keep_ms = (int64_t)qs->settings->max_ttl_s * 1000;

	*count = flush_cache(qs->cache, what, name->wire);
	return engines_forget(qs->engines, what, name, keep_ms, err);
}

static struct dump dump_of(const struct queries *qs, unsigned index)
{
	return (struct dump){.folder = qs->settings->save,
		.index = index,
		.count = qs->settings->workers,
		.library = qs->settings->library_key};
}

void queries_load(struct queries *qs, unsigned index)
{
	struct dump d = dump_of(qs, index);
	struct err err;
	int n;

	if (!d.folder)
		return;
	n = dump_load(qs->cache, &d, mtime_now(), &err);
	if (err.text[0])
		log_warn("cache: not read: %s", err.text);
	if (n > 0)
		log_info("cache: worker %u has %d answers of before", index, n);
}

void queries_save(struct queries *qs, unsigned index)
{
	struct dump d = dump_of(qs, index);
	struct err err;

	if (d.folder && dump_save(qs->cache, &d, mtime_now(), &err) < 0)
		log_warn("cache: not saved: %s", err.text);
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
