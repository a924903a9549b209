/* SPDX-License-Identifier: ISC */
/*
 * One connection to each server, opened when it is needed, with all its
 * questions in flight on it.
 */

#include "frontend/backend_impl.h"

#include <errno.h>

#define TCP_QUEUE   262144
#define TCP_IDLE_MS 10000
#define TCP_MSG_MS  5000
#define TCP_CONN_MS 2000

static const struct stream_limits tcp_limits = {
	.idle_ms = TCP_IDLE_MS,
	.message_ms = TCP_MSG_MS,
	.connect_ms = TCP_CONN_MS,
	.queue_bytes = TCP_QUEUE,
};

/* The connection ended. Those that waited on one that had worked before ask
 * once more on a new one: it may have been closed for idling. */
static void tcp_closed(void *arg, struct stream *stream, enum stream_end why)
{
	struct upstream *up = arg;
	struct backends *b = up->owner;
	bool worked = up->tcp_answers > 0 && why != STREAM_TIMEOUT;
	struct list waiting;

	list_init(&waiting);
	upstream_ended(
		up, loop_now(b->loop), !list_empty(&up->tcp_attempts), why);
	while (!list_empty(&up->tcp_attempts)) {
		struct list *l = up->tcp_attempts.next;

		list_remove(l);
		list_append(&waiting, l);
	}
	up->stream = NULL;
	stream_free(stream);
	while (!list_empty(&waiting)) {
		struct attempt *a =
			list_entry(waiting.next, struct attempt, link);

		list_remove(&a->link);
		if (!worked || a->resent || backend_ask_tcp(b, a) < 0) {
			backend_fail(b, a, BACKEND_REFUSED);
			continue;
		}
		a->resent = true;
	}
}

static void tcp_message(
	void *arg, struct stream *stream, uint8_t *msg, size_t len)
{
	struct upstream *up = arg;
	struct backends *b = up->owner;

	(void)stream;
	up->tcp_answers++;
	up->tcp_timeouts = 0;
	backend_take_reply(b, up, NULL, msg, len);
}

static const struct stream_events tcp_events = {
	.message = tcp_message,
	.closed = tcp_closed,
};

static bool open_stream(struct backends *b, struct upstream *up)
{
	up->stream = stream_connect(
		b->loop, NULL, &up->server->addr, &tcp_limits, &tcp_events, up);
	if (up->stream)
		upstream_opened(up, loop_now(b->loop));
	return up->stream != NULL;
}

int backend_ask_tcp(struct backends *b, struct attempt *a)
{
	struct upstream *up = a->up;
	uint8_t msg[BACKEND_QUERY_SIZE];
	size_t len = backend_make_query(a, msg, sizeof(msg));
	int rc;

	if (up->stream)
		server_count(&up->server->tcp_reused);
	else if (!open_stream(b, up))
		return -ENOTCONN;
	rc = stream_send(up->stream, msg, len);
	if (rc < 0)
		return rc;
	stream_set_busy(up->stream, true);
	server_count(&up->server->tcp_queries);
	list_append(&up->tcp_attempts, &a->link);
	return 0;
}
