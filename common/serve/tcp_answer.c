/* SPDX-License-Identifier: ISC */
/*
 * What goes out on connections: answers of one message, and flows. A flow is
 * sent one message at a time while nothing waits in the queue, so that a
 * client which reads slowly costs no more than one more message of memory.
 */

#include "common/serve/tcp_impl.h"

#include <errno.h>

static struct serve_tcp_conn *find(
	struct serve_tcp *tcp, const struct serve_peer *peer)
{
	return slots_get_gen(&tcp->conns, peer->conn, peer->conn_gen);
}

void serve_tcp_reply(struct serve_tcp *tcp, const struct serve_peer *peer,
	const uint8_t *msg, size_t len)
{
	struct serve_tcp_conn *c = find(tcp, peer);

	if (!c) {
		tcp->stats->tcp_gone++;
		return;
	}
	if (stream_send(c->stream, msg, len) < 0) {
		tcp->stats->tcp_gone++;
		c->gate->counts.died_sending++;
		serve_tcp_conn_free(
			c); /* broken, or the client does not read */
		return;
	}
	tcp->stats->tcp_out++;
	serve_tcp_count_answer(c);
}

void serve_tcp_drop(
	struct serve_tcp *tcp, const struct serve_peer *peer, bool last)
{
	struct serve_tcp_conn *c = find(tcp, peer);

	if (!c)
		return;
	c->last |= last;
	serve_tcp_count_answer(c);
}

/* --- flows --- */

void serve_tcp_stream_limits(
	const struct serve_tcp *tcp, struct stream_limits *out)
{
	*out = (struct stream_limits){
		.idle_ms = tcp->limits.tcp_idle_ms,
		.message_ms = tcp->limits.tcp_message_ms,
		.queue_bytes = SERVE_TCP_QUEUE,
		.reads = tcp->limits.tcp_reads,
	};
}

void serve_tcp_on_flow(
	struct serve_tcp *tcp, const struct serve_flow_events *events)
{
	tcp->flow = events;
}

bool serve_tcp_flow_open(
	struct serve_tcp *tcp, const struct serve_peer *peer, uint32_t stall_ms)
{
	struct serve_tcp_conn *c = find(tcp, peer);
	struct stream_limits limits;

	if (!c || !tcp->flow)
		return false;
	serve_tcp_stream_limits(tcp, &limits);
	limits.queue_bytes += 2 + UINT16_MAX;
	limits.stall_ms = stall_ms;
	stream_set_limits(c->stream, &limits);
	c->flows++;
	return true;
}

int serve_tcp_flow_send(struct serve_tcp *tcp, const struct serve_peer *peer,
	const uint8_t *msg, size_t len)
{
	struct serve_tcp_conn *c = find(tcp, peer);

	if (!c)
		return -EPIPE;
	if (stream_send(c->stream, msg, len) < 0) {
		tcp->stats->tcp_gone++;
		c->gate->counts.died_sending++;
		serve_tcp_conn_free(c);
		return -EPIPE;
	}
	tcp->stats->tcp_out++;
	return stream_queued(c->stream) == 0;
}

void serve_tcp_flow_close(struct serve_tcp *tcp, const struct serve_peer *peer)
{
	struct serve_tcp_conn *c = find(tcp, peer);
	struct stream_limits limits;

	if (!c || c->flows == 0)
		return;
	if (--c->flows == 0) {
		serve_tcp_stream_limits(tcp, &limits);
		stream_set_limits(c->stream, &limits);
	}
	serve_tcp_count_answer(c);
}

void serve_tcp_abort(struct serve_tcp *tcp, const struct serve_peer *peer)
{
	struct serve_tcp_conn *c = find(tcp, peer);

	if (!c)
		return;
	c->gate->counts.died_sending++;
	serve_tcp_conn_free(c);
}

void serve_tcp_on_drained(void *arg, struct stream *s)
{
	struct serve_tcp_conn *c = arg;
	struct serve_tcp *tcp = c->tcp;
	uint32_t slot = slots_index(&tcp->conns, c);

	(void)s;
	if (c->flows > 0)
		tcp->flow->room(
			tcp->arg, slot, slots_generation(&tcp->conns, slot));
}
