/* SPDX-License-Identifier: ISC */
/*
 * Questions of a round of the loop leave together when it ends. Errors that
 * the network reports are those of a connected socket: they fail all that
 * waits there.
 */

#include "frontend/backend_impl.h"

#include <errno.h>

#define REPLY_SIZE 4096 /* backends were told 1232 */

static void prefetch_attempts(struct backends *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		__builtin_prefetch(
			&b->by_id[msg_id(udp_batch_packet(b->in, i)->data)], 1);
	for (unsigned i = 0; i < n; i++) {
		const struct attempt *a =
			backend_attempt_of(b, udp_batch_packet(b->in, i)->data);

		if (a)
			b->events->expect(b->arg, a->tag);
	}
}

static void udp_readable(void *arg, int fd, int events)
{
	struct upstream_socket *s = arg;
	struct upstream *up = s->up;
	struct backends *b = up->owner;
	/* as many as are due, or all that is there when none is */
	int n = udp_recv(fd, b->in, s->waiting ? s->waiting : UDP_BATCH);
	unsigned flights = s->flights;

	(void)events;
	if (n < 0) {
		backend_fail_all(b, &s->attempts, BACKEND_REFUSED);
		return;
	}
	prefetch_attempts(b, (unsigned)n);
	for (int i = 0; i < n && s->flights == flights; i++) {
		struct udp_packet *p = udp_batch_packet(b->in, (unsigned)i);

		if (p->cut)
			metric_inc(b->row, STAT_REPLY_MALFORMED);
		else
			backend_take_reply(b, up, s, p->data, p->len);
	}
}

/* Errors that came with a send (of what was asked before too) are told here. */
static void sweep(void *arg)
{
	struct backends *b = arg;

	for (unsigned i = 0; i < SERVERS_MAX; i++) {
		struct upstream *up = b->ups[i];

		for (unsigned k = 0; up && k < UPSTREAM_SOCKETS; k++) {
			struct upstream_socket *s = &up->sockets[k];

			if (!s->refused)
				continue;
			s->refused = false;
			backend_fail_all(b, &s->attempts, BACKEND_REFUSED);
		}
	}
}

/* At the end of a round, or when the queue is full. */
void backend_udp_flush(struct backends *b)
{
	if (b->queue.count > 0 && !upstream_queue_flush(&b->queue))
		timer_set_us(b->sweep, 0);
}

static void flush(void *arg)
{
	backend_udp_flush(arg);
}

static void enqueue(
	struct backends *b, struct upstream_socket *s, const struct attempt *a)
{
	if (b->queue.count == UPSTREAM_QUEUE)
		backend_udp_flush(b);
	upstream_queue_put(&b->queue, s,
		backend_make_query(
			a, upstream_queue_room(&b->queue), BACKEND_QUERY_SIZE));
	s->uses++;
}

void backend_udp_flee(struct backends *b, struct upstream_socket *s)
{
	struct list *pos;

	backend_udp_flush(b); /* what is queued has the old ids */
	upstream_flee(s);
	metric_inc(b->row, STAT_FLED);
	list_each(pos, &s->attempts) {
		struct attempt *a = list_entry(pos, struct attempt, link);

		backend_renew_id(b, a);
		enqueue(b, s, a);
	}
}

int backend_ask_udp(struct backends *b, struct attempt *a)
{
	struct upstream_socket *s =
		upstream_socket(a->up, b->loop, b->rng, udp_readable);

	if (!s)
		return -ENOTCONN;
	enqueue(b, s, a);
	s->waiting++;
	a->sock = s;
	list_append(&s->attempts, &a->link);
	return 0;
}

int backend_udp_init(struct backends *b)
{
	b->in = udp_batch_new_connected(UDP_BATCH, REPLY_SIZE);
	b->sweep = timer_new(b->loop, sweep, b);
	if (!b->in || !b->sweep ||
		upstream_queue_init(&b->queue, BACKEND_QUERY_SIZE))
		return -ENOMEM;
	return loop_after_round(b->loop, flush, b);
}

void backend_udp_fini(struct backends *b)
{
	loop_after_round_remove(b->loop, flush, b);
	upstream_queue_fini(&b->queue);
	timer_free(b->sweep);
	udp_batch_free(b->in);
}
