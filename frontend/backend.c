/* SPDX-License-Identifier: ISC */
/*
 * An attempt is one question sent to one server. Its random id, unique among
 * those of this worker, finds it again; its socket must be the one the answer
 * came by. Attempts live in fixed slots; each is in the list of its socket or
 * connection, which is walked when the network says that nobody is there.
 */

#include "frontend/backend.h"

#include "common/base/slots.h"
#include "common/dns/code.h"
#include "frontend/upstream.h"

#include <errno.h>

#define REPLY_SIZE   4096 /* backends were told 1232 */
#define TCP_IDLE_MS  10000
#define TCP_MSG_MS   5000
#define TCP_CONN_MS  2000
#define TCP_QUEUE    262144
#define TCP_PATIENCE 3 /* time-outs in a row that condemn a connection */
#define QUERY_SIZE   (MSG_HEADER + NAME_MAX_WIRE + 4 + EDNS_OPT_SIZE)

struct attempt {
	struct list link;
	struct upstream *up;
	struct upstream_socket *sock; /* NULL: TCP */
	const struct cache_key *key;
	struct mtime sent;
	uint32_t tag;
	uint16_t id;
	bool rd;
	bool late;
	bool resent; /* TCP: after the connection was closed under it */
};

struct backends {
	struct loop *loop;
	struct rng *rng;
	struct metrics_row *row;
	const struct backend_events *events;
	void *arg;
	struct slots attempts;
	uint16_t by_id[65536]; /* slot + 1 */
	uint16_t next_id;
	struct upstream_queue queue;
	struct upstream *ups[SERVERS_MAX];
	struct udp_batch *in;
	struct timer *sweep;
	struct answer answer;
	uint8_t made[MSG_HEADER + NAME_MAX_WIRE + 4];
};

static const struct stream_limits tcp_limits = {
	.idle_ms = TCP_IDLE_MS,
	.message_ms = TCP_MSG_MS,
	.connect_ms = TCP_CONN_MS,
	.queue_bytes = TCP_QUEUE,
};

/* --- attempts ---------------------------------------------------------- */

/* Drawn one ahead: its place in the table is far away in memory. */
static uint16_t free_id(struct backends *b)
{
	uint16_t id = b->next_id;

	while (b->by_id[id])
		id = (uint16_t)rng_next(b->rng);
	b->next_id = (uint16_t)rng_next(b->rng);
	__builtin_prefetch(&b->by_id[b->next_id], 1);
	return id;
}

static struct attempt *attempt_take(struct backends *b, struct upstream *up,
	const struct cache_key *key, bool rd, uint32_t tag, uint32_t *index)
{
	uint32_t i = slots_take(&b->attempts);
	struct attempt *a;

	if (i == SLOT_NONE)
		return NULL;
	a = slots_get(&b->attempts, i);
	memset(a, 0, sizeof(*a));
	list_init(&a->link);
	a->up = up;
	a->key = key;
	a->tag = tag;
	a->rd = rd;
	a->sent = loop_now(b->loop);
	a->id = free_id(b);
	b->by_id[a->id] = (uint16_t)(i + 1);
	(void)__atomic_fetch_add(&up->server->outstanding, 1, __ATOMIC_RELAXED);
	*index = i;
	return a;
}

static void attempt_give(struct backends *b, struct attempt *a)
{
	struct upstream *up = a->up;

	list_remove(&a->link);
	if (a->sock)
		upstream_done(a->sock);
	else if (up->stream && list_empty(&up->tcp_attempts))
		stream_set_busy(up->stream, false);
	b->by_id[a->id] = 0;
	(void)__atomic_fetch_sub(&up->server->outstanding, 1, __ATOMIC_RELAXED);
	slots_give(&b->attempts, slots_index(&b->attempts, a));
}

/* Until the main thread has judged it (50 ms) others are preferred. */
static void count_error(struct backends *b, struct server *server)
{
	server_count(&server->errors);
	metric_inc(b->row, STAT_SEND_ERRORS);
	server_doubt(server);
}

static void attempt_fail(
	struct backends *b, struct attempt *a, enum backend_failure why)
{
	uint32_t index = slots_index(&b->attempts, a), tag = a->tag;
	struct server *server = a->up->server;

	if (why == BACKEND_REFUSED)
		count_error(b, server);
	attempt_give(b, a);
	b->events->failed(b->arg, tag, index, server, why);
}

/* Fail all in the list; events may put new ones into other lists only, or
 * behind those that were there. */
static void fail_all(
	struct backends *b, struct list *list, enum backend_failure why)
{
	struct list doomed;

	list_init(&doomed);
	while (!list_empty(list)) {
		struct list *first = list->next;

		list_remove(first);
		list_append(&doomed, first);
	}
	while (!list_empty(&doomed))
		attempt_fail(
			b, list_entry(doomed.next, struct attempt, link), why);
}

/* --- answers ----------------------------------------------------------- */

/* An error in place of the backend's message, with the question asked. */
static void make_error(
	struct backends *b, const struct attempt *a, unsigned rcode, int ede)
{
	answer_make(&b->answer, b->made, a->key->name, a->key->name_len,
		a->key->type, a->key->class, rcode, ede);
}

/* An error may come without its question; it gets the one that was asked. No
 * less is proven by id and socket than of one that repeats it. */
static bool take_bare(
	struct backends *b, const struct attempt *a, const uint8_t *msg)
{
	unsigned rcode = msg_rcode(msg);

	if (rcode == DNS_RCODE_NOERROR)
		return false;
	make_error(b, a, rcode, -1);
	return true;
}

static bool is_asked(const struct question *q, const struct cache_key *key)
{
	return q->type == key->type && q->class == key->class &&
	       q->name_len == key->name_len && name_equal(q->name, key->name);
}

/* Fill b->answer; else count what was wrong. */
static bool check_reply(
	struct backends *b, const struct attempt *a, uint8_t *msg, size_t len)
{
	struct question q;
	struct edns edns;
	bool good;

	if (!msg_check_answer(msg, len, &q, &edns)) {
		metric_inc(b->row, STAT_REPLY_MALFORMED);
		return false;
	}
	if (q.name && !is_asked(&q, a->key)) {
		metric_inc(b->row, STAT_REPLY_QUESTION);
		return false;
	}
	if (edns.present && edns.ext_rcode) {
		/* BADVERS, BADCOOKIE: between the backend and us only */
		make_error(b, a, DNS_RCODE_SERVFAIL, -1);
		return true;
	}
	good = q.name ? answer_take(&b->answer, msg, len, &q, &edns)
		      : take_bare(b, a, msg);
	if (!good)
		metric_inc(b->row, STAT_REPLY_MALFORMED);
	return good;
}

static struct attempt *attempt_of(struct backends *b, const uint8_t *msg)
{
	uint32_t i = b->by_id[msg_id(msg)];

	return i ? slots_get(&b->attempts, i - 1) : NULL;
}

static struct attempt *find_attempt(struct backends *b,
	const struct upstream *up, const struct upstream_socket *sock,
	const uint8_t *msg, size_t len)
{
	struct attempt *a = len >= MSG_HEADER ? attempt_of(b, msg) : NULL;

	return a && a->up == up && a->sock == sock ? a : NULL;
}

static bool is_failure(unsigned rcode)
{
	return rcode != DNS_RCODE_NOERROR && rcode != DNS_RCODE_NXDOMAIN;
}

static void count_answer(struct backends *b, const struct attempt *a)
{
	struct server *server = a->up->server;
	int64_t us = mtime_sub_us(loop_now(b->loop), a->sent);

	metric_inc(b->row, STAT_REPLIES);
	server_count(&server->answers);
	if (is_failure(msg_rcode(b->answer.msg)))
		server_count(&server->failures);
	us = us < 1 ? 1 : us < 60000000 ? us : 60000000;
	server_add_latency(server, (uint32_t)us);
	if (!a->sock)
		server_add_tcp_latency(server, (uint32_t)us);
}

static void take_reply(struct backends *b, struct upstream *up,
	struct upstream_socket *sock, uint8_t *msg, size_t len)
{
	struct attempt *a = find_attempt(b, up, sock, msg, len);
	struct server *server = up->server;
	uint32_t index, tag;

	if (!a) {
		metric_inc(b->row, STAT_REPLY_UNKNOWN);
		server_count(&server->ignored);
		return;
	}
	if (!check_reply(b, a, msg, len)) {
		server_count(&server->ignored);
		return;
	}
	count_answer(b, a);
	index = slots_index(&b->attempts, a);
	tag = a->tag;
	attempt_give(b, a);
	b->events->answer(b->arg, tag, index, server, !sock, &b->answer);
}

static void prefetch_attempts(struct backends *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		__builtin_prefetch(
			&b->by_id[msg_id(udp_batch_packet(b->in, i)->data)], 1);
	for (unsigned i = 0; i < n; i++) {
		const struct attempt *a =
			attempt_of(b, udp_batch_packet(b->in, i)->data);

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

	(void)events;
	if (n < 0) {
		fail_all(b, &s->attempts, BACKEND_REFUSED);
		return;
	}
	prefetch_attempts(b, (unsigned)n);
	for (int i = 0; i < n; i++) {
		struct udp_packet *p = udp_batch_packet(b->in, (unsigned)i);

		if (p->cut)
			metric_inc(b->row, STAT_REPLY_MALFORMED);
		else
			take_reply(b, up, s, p->data, p->len);
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
			fail_all(b, &s->attempts, BACKEND_REFUSED);
		}
	}
}

/* --- asking ------------------------------------------------------------ */

static size_t make_query(const struct attempt *a, uint8_t *out, size_t size)
{
	const struct cache_key *key = a->key;
	/* AD: we understand it (RFC 6840 5.7); clients get it as they ask */
	unsigned flags = MSG_AD;

	if (a->rd)
		flags |= MSG_RD;
	if (key->bits & CACHE_CD)
		flags |= MSG_CD;
	return msg_make_query(out, size, a->id, key->name, key->name_len,
		key->type, key->class, (uint16_t)flags, EDNS_OUR_PAYLOAD,
		key->bits & CACHE_DO);
}

/* At the end of a round, or when the queue is full. */
static void flush(void *arg)
{
	struct backends *b = arg;

	if (b->queue.count > 0 && !upstream_queue_flush(&b->queue))
		timer_set_us(b->sweep, 0);
}

static int ask_udp(struct backends *b, struct attempt *a)
{
	struct upstream_socket *s;

	if (b->queue.count == UPSTREAM_QUEUE)
		flush(b);
	s = upstream_socket(a->up, b->loop, b->rng, udp_readable);
	if (!s)
		return -ENOTCONN;
	upstream_queue_put(&b->queue, s,
		make_query(a, upstream_queue_room(&b->queue), QUERY_SIZE));
	s->uses++;
	s->waiting++;
	a->sock = s;
	list_append(&s->attempts, &a->link);
	return 0;
}

static int ask_tcp(struct backends *b, struct attempt *a);

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
		if (!worked || a->resent || ask_tcp(b, a) < 0) {
			attempt_fail(b, a, BACKEND_REFUSED);
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
	take_reply(b, up, NULL, msg, len);
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

static int ask_tcp(struct backends *b, struct attempt *a)
{
	struct upstream *up = a->up;
	uint8_t msg[QUERY_SIZE];
	size_t len = make_query(a, msg, sizeof(msg));
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

int backend_ask(struct backends *b, struct server *server,
	const struct cache_key *key, bool rd, bool tcp, uint32_t tag,
	uint32_t *attempt)
{
	struct upstream *up = b->ups[server->id];
	struct attempt *a;
	int rc;

	if (!up || up->server != server)
		return -ENOENT;
	a = attempt_take(b, up, key, rd, tag, attempt);
	if (!a)
		return -ENOBUFS;
	rc = tcp ? ask_tcp(b, a) : ask_udp(b, a);
	if (rc < 0) {
		/* it waits nowhere yet: free it without touching a list */
		b->by_id[a->id] = 0;
		(void)__atomic_fetch_sub(
			&server->outstanding, 1, __ATOMIC_RELAXED);
		slots_give(&b->attempts, *attempt);
		count_error(b, server);
		*attempt = ATTEMPT_NONE;
		return rc;
	}
	server_count(&server->queries);
	return 0;
}

static void count_timeout(struct backends *b, struct attempt *a)
{
	if (a->late)
		return;
	a->late = true;
	server_count(&a->up->server->timeouts);
	metric_inc(b->row, STAT_TIMEOUTS);
}

void backend_late(struct backends *b, uint32_t attempt)
{
	struct attempt *a = slots_get(&b->attempts, attempt);

	if (a)
		count_timeout(b, a);
}

void backend_forget(struct backends *b, uint32_t attempt, bool timed_out)
{
	struct attempt *a = slots_get(&b->attempts, attempt);
	struct upstream *up;
	bool tcp;

	if (!a)
		return;
	up = a->up;
	tcp = !a->sock;
	if (timed_out)
		count_timeout(b, a);
	attempt_give(b, a);
	if (tcp && timed_out && up->stream &&
		++up->tcp_timeouts >= TCP_PATIENCE &&
		list_empty(&up->tcp_attempts)) {
		upstream_ended(up, loop_now(b->loop), true, STREAM_TIMEOUT);
		stream_free(up->stream);
		up->stream = NULL;
	}
}

uint32_t backends_outstanding(const struct backends *b)
{
	return b->attempts.used;
}

/* --- life -------------------------------------------------------------- */

struct backends *backends_new(struct loop *loop, struct rng *rng,
	struct metrics_row *row, uint32_t attempts,
	const struct backend_events *events, void *arg)
{
	struct backends *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->loop = loop;
	b->rng = rng;
	b->row = row;
	b->events = events;
	b->arg = arg;
	b->next_id = (uint16_t)rng_next(rng);
	b->in = udp_batch_new_connected(UDP_BATCH, REPLY_SIZE);
	b->sweep = timer_new(loop, sweep, b);
	if (b->in && b->sweep && !upstream_queue_init(&b->queue, QUERY_SIZE) &&
		!slots_init(&b->attempts, attempts, sizeof(struct attempt)) &&
		!loop_after_round(loop, flush, b))
		return b;
	backends_free(b);
	return NULL;
}

void backends_free(struct backends *b)
{
	if (!b)
		return;
	loop_after_round_remove(b->loop, flush, b);
	for (unsigned i = 0; i < SERVERS_MAX; i++)
		upstream_free(b->ups[i]);
	upstream_queue_fini(&b->queue);
	timer_free(b->sweep);
	udp_batch_free(b->in);
	slots_fini(&b->attempts);
	free(b);
}

static void close_upstream(struct backends *b, unsigned id)
{
	struct upstream *up = b->ups[id];

	b->ups[id] = NULL; /* events find it gone */
	for (unsigned i = 0; i < UPSTREAM_SOCKETS; i++)
		fail_all(b, &up->sockets[i].attempts, BACKEND_GONE);
	fail_all(b, &up->tcp_attempts, BACKEND_GONE);
	upstream_free(up);
}

static void see_server(
	struct backends *b, struct server *server, const struct policy *policy)
{
	struct upstream *up = b->ups[server->id];

	if (!up)
		up = b->ups[server->id] = upstream_new(server, b);
	if (!up)
		return; /* asking it fails until the next reload */
	up->seen = true;
	up->socket_count = policy->sockets;
	up->socket_queries = policy->socket_queries;
}

void backends_update(struct backends *b, const struct policy *policy)
{
	flush(b); /* sockets may go */
	for (unsigned i = 0; i < SERVERS_MAX; i++)
		if (b->ups[i])
			b->ups[i]->seen = false;
	for (unsigned i = 0; i < policy->pool_count; i++)
		for (unsigned k = 0; k < policy->pools[i].count; k++)
			see_server(
				b, policy->pools[i].members[k].server, policy);
	for (unsigned i = 0; i < SERVERS_MAX; i++)
		if (b->ups[i] && !b->ups[i]->seen)
			close_upstream(b, i);
}
