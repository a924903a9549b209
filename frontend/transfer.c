/* SPDX-License-Identifier: ISC */
/*
 * The table of what is under way, its limits and how it ends. There are few
 * at a time, so lists are walked. Deadlines are in a wheel: a transfer's next
 * one is that of its silence or of its whole life, whichever is sooner; while
 * it waits for the client, the listener sees to it that the client reads.
 */

#include "frontend/transfer_impl.h"

#include "common/dns/code.h"

#include <unistd.h>

/* --- the table --------------------------------------------------------- */

static const struct policy_transfers *limits(const struct transfers *ts)
{
	return &ts->w->policy->transfers;
}

static struct mtime now_of(const struct transfers *ts)
{
	return loop_now(ts->w->loop);
}

static unsigned count_client(
	const struct transfers *ts, const union addr *client, bool single)
{
	struct list *pos;
	unsigned n = 0;

	list_each(pos, &ts->open) {
		const struct transfer *t =
			list_entry(pos, struct transfer, link);

		n += t->single == single &&
		     addr_equal_ip(&t->peer.client, client);
	}
	return n;
}

static bool is_full(
	const struct transfers *ts, const union addr *client, bool single)
{
	if (single)
		return ts->singles >= TRANSFER_SINGLES ||
		       count_client(ts, client, true) >=
			       TRANSFER_SINGLES_PER_CLIENT;
	return ts->streams >= limits(ts)->max ||
	       count_client(ts, client, false) >= limits(ts)->per_client;
}

static void schedule(struct transfer *t)
{
	struct mtime idle = mtime_add_ms(t->moved, limits(t->ts)->idle_ms);
	bool by_idle = !t->single && !t->waiting && mtime_before(idle, t->end);

	wheel_set(&t->ts->wheel, &t->time, by_idle ? idle : t->end);
}

static struct transfer *take(struct transfers *ts, bool single)
{
	uint32_t i = slots_take(&ts->slots);
	struct transfer *t = slots_get(&ts->slots, i);

	if (!t)
		return NULL;
	memset(t, 0, offsetof(struct transfer, query));
	t->ts = ts;
	t->fd = -1;
	t->single = single;
	t->begun = t->moved = now_of(ts);
	t->end = mtime_add_ms(t->moved,
		single ? limits(ts)->answer_ms : limits(ts)->lifetime_ms);
	wheel_item_init(&t->time);
	list_append(&ts->open, &t->link);
	*(single ? &ts->singles : &ts->streams) += 1;
	return t;
}

static void give(struct transfer *t)
{
	struct transfers *ts = t->ts;

	wheel_clear(&ts->wheel, &t->time);
	list_remove(&t->link);
	*(t->single ? &ts->singles : &ts->streams) -= 1;
	slots_give(&ts->slots, slots_index(&ts->slots, t));
}

uint32_t transfers_open(const struct transfers *ts)
{
	return ts->slots.used;
}

/* --- ends -------------------------------------------------------------- */

static void leave_server(struct transfer *t)
{
	if (t->server)
		(void)__atomic_fetch_sub(
			&t->server->outstanding, 1, __ATOMIC_RELAXED);
	t->server = NULL;
}

void transfer_close(struct transfer *t)
{
	stream_free(t->stream);
	t->stream = NULL;
	watch_close(t->watch);
	t->watch = NULL;
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
	leave_server(t);
}

void transfer_end(struct transfer *t, enum stat_id why)
{
	metric_inc(t->ts->w->row, why);
	transfer_close(t);
	give(t);
}

static void close_flow(struct transfer *t)
{
	if (!t->flow)
		return;
	t->flow = false;
	serve_flow_close(t->ts->w->serve, &t->peer);
}

void transfer_finish(struct transfer *t, unsigned rcode)
{
	struct worker *w = t->ts->w;

	front_count(&w->fronts, &t->peer, FRONT_RESPONSES);
	if (t->server)
		server_count(&t->server->answers);
	close_flow(t);
	transfer_end(t, rcode ? STAT_XFR_ERROR : STAT_XFR_DONE);
}

size_t transfer_reply(struct transfer *t, unsigned rcode, bool truncated)
{
	struct worker *w = t->ts->w;
	struct query_view view;
	size_t len;

	/* the sections behind the question are not in t->query when long */
	memset(&view, 0, sizeof(view));
	view.q.name = t->query + MSG_HEADER;
	view.q.name_len = t->xfr.asked.name_len;
	view.q.end = t->question_end;
	len = msg_make_reply(w->out, sizeof(w->out), t->query, &view.q, NULL,
		rcode, false, -1);
	msg_set_id(w->out, t->xfr.id);
	if (truncated)
		msg_set_flags(w->out, (uint16_t)(msg_flags(w->out) | MSG_TC));
	return len;
}

/* Over TCP the flow is `gone` when the client is. */
static void send_failure(struct transfer *t)
{
	struct worker *w = t->ts->w;
	size_t len = transfer_reply(t, DNS_RCODE_SERVFAIL, false);

	metric_inc(w->row, STAT_SELF_ANSWERED);
	stats_answer(w->row, DNS_RCODE_SERVFAIL, 0);
	front_count(&w->fronts, &t->peer, FRONT_RESPONSES);
	if (!t->peer.tcp)
		serve_reply(w->serve, &t->peer, w->out, len);
	else if (serve_flow_send(w->serve, &t->peer, w->out, len) < 0)
		t->flow = false;
}

/* The end is counted once, by whoever knows why: so it is first out of the
 * list that `gone` looks through. */
void transfer_fail(struct transfer *t, enum stat_id why)
{
	struct serve *serve = t->ts->w->serve;
	struct serve_peer peer = t->peer;

	list_remove(&t->link);
	if (t->messages > 0) {
		transfer_end(t, why);
		serve_abort(serve, &peer);
		return;
	}
	if (peer.tcp || why != STAT_XFR_TIMEOUT)
		send_failure(t);
	else
		serve_drop(serve, &peer);
	close_flow(t);
	transfer_end(t, why);
}

void transfer_moved(struct transfer *t, size_t len)
{
	t->moved = now_of(t->ts);
	metric_inc(t->ts->w->row, STAT_XFR_MESSAGES);
	metric_add(t->ts->w->row, STAT_XFR_OCTETS, len);
}

static void on_due(void *arg, struct wheel_item *item)
{
	struct transfer *t = container_of(item, struct transfer, time);
	struct transfers *ts = arg;
	int64_t silent_us = mtime_sub_us(now_of(ts), t->moved);

	if (mtime_before(now_of(ts), t->end) &&
		(t->single || t->waiting ||
			silent_us < limits(ts)->idle_ms * 1000ll))
		schedule(t);
	else
		transfer_fail(t, STAT_XFR_TIMEOUT);
}

/* --- the client's side ------------------------------------------------- */

static bool is_of(const struct transfer *t, uint32_t conn, uint32_t gen)
{
	return t->flow && t->peer.conn == conn && t->peer.conn_gen == gen;
}

static void on_room(void *arg, uint32_t conn, uint32_t gen)
{
	struct worker *w = arg;
	struct list *pos;

	list_each(pos, &w->transfers->open) {
		struct transfer *t = list_entry(pos, struct transfer, link);

		if (!is_of(t, conn, gen) || !t->waiting)
			continue;
		t->waiting = false;
		t->moved = now_of(t->ts);
		schedule(t);
		stream_pause(t->stream, false);
	}
}

static void on_gone(void *arg, uint32_t conn, uint32_t gen)
{
	struct worker *w = arg;
	struct list *pos, *tmp;

	list_each_safe(pos, tmp, &w->transfers->open) {
		struct transfer *t = list_entry(pos, struct transfer, link);

		if (is_of(t, conn, gen))
			transfer_end(t, STAT_XFR_CLIENT);
	}
}

const struct serve_flow_events *transfer_flow_events(void)
{
	static const struct serve_flow_events events = {
		.room = on_room, .gone = on_gone};

	return &events;
}

/* --- beginning --------------------------------------------------------- */

bool transfer_choose(struct transfer *t, const struct pool *pool)
{
	struct worker *w = t->ts->w;
	int i;

	t->choice.rng = &w->rng;
	t->choice.turn = &w->turn;
	if (t->choice.tried_count == POOL_TRIED)
		return false;
	i = pool_choose(pool, &t->choice);
	if (i < 0)
		return false;
	leave_server(t);
	t->server = pool->members[i].server;
	t->choice.tried[t->choice.tried_count++] = t->server->id;
	(void)__atomic_fetch_add(&t->server->outstanding, 1, __ATOMIC_RELAXED);
	server_count(&t->server->queries);
	return true;
}

static bool is_single(const struct serve_request *req)
{
	return !req->peer.tcp || msg_opcode(req->msg) != DNS_OPCODE_QUERY;
}

/* False: it is not whole. */
static bool read_request(
	struct xfr *x, const struct serve_request *req, struct query_view *view)
{
	if (msg_opcode(req->msg) == DNS_OPCODE_QUERY)
		return xfr_init(x, req->msg, req->len, view);
	if (!exchange_check_request(req->msg, req->len, view))
		return false;
	memset(x, 0, sizeof(*x));
	exchange_init(&x->asked, req->msg, view);
	x->id = msg_id(req->msg);
	return true;
}

static void keep(struct transfer *t, const struct serve_request *req,
	const struct query_view *view)
{
	bool whole = req->len <= sizeof(t->query);

	t->peer = req->peer;
	t->id = t->xfr.id;
	t->question_end = view->q.end;
	t->query_len = whole ? (uint16_t)req->len : 0;
	memcpy(t->query, req->msg, whole ? req->len : view->q.end);
	t->udp_limit = edns_udp_limit(&view->edns, t->ts->w->policy->udp_limit);
	t->choice.name_hash =
		pool_name_hash(t->xfr.asked.name, t->xfr.asked.name_len);
}

static enum stat_id counter_of(const struct transfer *t)
{
	if (t->xfr.asked.opcode == DNS_OPCODE_NOTIFY)
		return STAT_RELAY_NOTIFY;
	if (t->xfr.asked.opcode == DNS_OPCODE_UPDATE)
		return STAT_RELAY_UPDATE;
	if (t->single)
		return STAT_RELAY_IXFR;
	return t->xfr.asked.type == DNS_TYPE_AXFR ? STAT_XFR_AXFR
						  : STAT_XFR_IXFR;
}

/* An error may be told from within: then it was counted as the client's. */
static bool ask(struct transfer *t, const struct serve_request *req)
{
	struct transfers *ts = t->ts;

	if (!t->peer.tcp)
		return transfer_ask_udp(t, req->msg, req->len);
	t->flow = serve_flow_open(ts->w->serve, &t->peer, limits(ts)->idle_ms);
	return t->flow && transfer_ask_tcp(t, req->msg, req->len);
}

enum transfer_start transfer_begin(struct transfers *ts,
	const struct serve_request *req, struct query_view *view,
	const struct pool *pool)
{
	bool single = is_single(req);
	struct transfer *t;
	struct xfr x;

	if (!read_request(&x, req, view))
		return TRANSFER_MALFORMED;
	t = is_full(ts, &req->peer.client, single) ? NULL : take(ts, single);
	if (!t)
		return TRANSFER_BUSY;
	t->xfr = x;
	t->pool = pool->id;
	keep(t, req, view);
	if (!transfer_choose(t, pool)) {
		give(t);
		return TRANSFER_NO_BACKEND;
	}
	metric_inc(ts->w->row, counter_of(t));
	schedule(t);
	if (!ask(t, req))
		transfer_fail(t, STAT_XFR_BACKEND);
	return TRANSFER_BEGUN;
}

/* --- changes ----------------------------------------------------------- */

static bool has_server(const struct policy *policy, const struct server *server)
{
	for (unsigned i = 0; i < policy->pool_count; i++)
		for (unsigned k = 0; k < policy->pools[i].count; k++)
			if (policy->pools[i].members[k].server == server)
				return true;
	return false;
}

void transfers_update(struct transfers *ts, const struct policy *policy)
{
	struct list *pos;

	list_each(pos, &ts->open) {
		struct transfer *t = list_entry(pos, struct transfer, link);

		if (t->server && !has_server(policy, t->server))
			leave_server(t);
	}
}

void transfers_hurry(struct transfers *ts, uint32_t ms)
{
	struct mtime end = mtime_add_ms(now_of(ts), ms);
	struct list *pos;

	list_each(pos, &ts->open) {
		struct transfer *t = list_entry(pos, struct transfer, link);

		if (mtime_before(end, t->end))
			t->end = end;
		schedule(t);
	}
}

/* --- life -------------------------------------------------------------- */

struct transfers *transfers_new(struct worker *w)
{
	struct transfers *ts = calloc(1, sizeof(*ts));

	if (!ts)
		return NULL;
	ts->w = w;
	list_init(&ts->open);
	if (wheel_init(&ts->wheel, w->loop, on_due, ts) == 0 &&
		slots_init(&ts->slots, TRANSFERS_MAX + TRANSFER_SINGLES,
			sizeof(struct transfer)) == 0)
		return ts;
	transfers_free(ts);
	return NULL;
}

void transfers_free(struct transfers *ts)
{
	if (!ts)
		return;
	while (ts->open.next && !list_empty(&ts->open))
		transfer_end(list_entry(ts->open.next, struct transfer, link),
			STAT_XFR_CLIENT);
	wheel_fini(&ts->wheel);
	slots_fini(&ts->slots);
	free(ts);
}
