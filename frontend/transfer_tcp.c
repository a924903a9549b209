/* SPDX-License-Identifier: ISC */
/*
 * Over TCP the id stays the client's: the connection serves this one request,
 * so nobody can guess a way in. A message is read from the backend only while
 * the client's connection has room: what a transfer holds is one message on
 * each side.
 */

#include "frontend/transfer_impl.h"

#include "common/dns/code.h"

#define CONNECT_MS 2000
#define QUEUE      (2 + MSG_MAX)

/* No flow of this connection may send more. */
static void hold_all(struct transfer *t)
{
	struct list *pos;

	list_each(pos, &t->ts->open) {
		struct transfer *other = list_entry(pos, struct transfer, link);

		if (!other->flow || !other->stream ||
			other->peer.conn != t->peer.conn ||
			other->peer.conn_gen != t->peer.conn_gen)
			continue;
		other->waiting = true;
		stream_pause(other->stream, true);
	}
}

/* Hand a checked message on. */
static void deliver(
	struct transfer *t, const uint8_t *msg, size_t len, bool last)
{
	struct worker *w = t->ts->w;
	int room = serve_flow_send(w->serve, &t->peer, msg, len);

	if (room < 0)
		return; /* t is gone */
	t->messages++;
	if (last)
		transfer_finish(t, msg_rcode(msg));
	else if (room == 0)
		hold_all(t);
}

static void take_single(struct transfer *t, const uint8_t *msg, size_t len)
{
	struct worker *w = t->ts->w;

	if (!exchange_is_answer(&t->xfr.asked, t->id, msg, len)) {
		transfer_fail(t, STAT_XFR_MALFORMED);
		return;
	}
	transfer_moved(t, len);
	stats_answer(w->row, msg_rcode(msg),
		mtime_sub_us(loop_now(w->loop), t->begun));
	deliver(t, msg, len, true);
}

static void on_message(void *arg, struct stream *s, uint8_t *msg, size_t len)
{
	struct transfer *t = arg;
	enum xfr_verdict verdict;

	(void)s;
	if (t->single) {
		take_single(t, msg, len);
		return;
	}
	verdict = xfr_take(&t->xfr, msg, len);
	if (verdict == XFR_BAD) {
		transfer_fail(t, STAT_XFR_MALFORMED);
		return;
	}
	transfer_moved(t, len);
	deliver(t, msg, len, verdict == XFR_END);
}

/* A transfer of which nothing came may come from another backend. */
static bool ask_next(struct transfer *t)
{
	const struct pool *pool = policy_pool(t->ts->w->policy, t->pool);

	while (!t->single && t->messages == 0 && t->query_len > 0 && pool &&
		transfer_choose(t, pool))
		if (transfer_ask_tcp(t, t->query, t->query_len))
			return true;
	return false;
}

static void on_closed(void *arg, struct stream *s, enum stream_end why)
{
	struct transfer *t = arg;

	(void)why;
	stream_free(s);
	t->stream = NULL;
	if (!ask_next(t))
		transfer_fail(t, STAT_XFR_BACKEND);
}

bool transfer_ask_tcp(struct transfer *t, const uint8_t *msg, size_t len)
{
	static const struct stream_events events = {
		.message = on_message, .closed = on_closed};
	const struct worker *w = t->ts->w;
	const struct stream_limits limits = {
		.message_ms = w->policy->transfers.idle_ms,
		.connect_ms = CONNECT_MS,
		.queue_bytes = QUEUE,
	};

	t->stream = stream_connect(
		w->loop, NULL, &t->server->addr, &limits, &events, t);
	if (!t->stream)
		return false;
	if (stream_send(t->stream, msg, len) == 0)
		return true;
	stream_free(t->stream);
	t->stream = NULL;
	return false;
}
