/* SPDX-License-Identifier: ISC */
/*
 * A socket that has asked its share of questions takes no more, and when the
 * last answer is in (or given up) it is dissolved and connected again: the
 * kernel draws a new random port, while descriptor and watch stay, so that
 * no memory is needed. While
 * answers are due some more questions go the same way, so that they and their
 * answers share system calls: who has to guess both port and id of a question
 * is not helped by that.
 */

#include "frontend/upstream.h"

#include <errno.h>
#include <unistd.h>

struct upstream *upstream_new(struct server *server, void *owner)
{
	struct upstream *up = calloc(1, sizeof(*up));

	if (!up)
		return NULL;
	up->server = server;
	up->owner = owner;
	list_init(&up->tcp_attempts);
	for (unsigned i = 0; i < UPSTREAM_SOCKETS; i++) {
		up->sockets[i].up = up;
		up->sockets[i].fd = -1;
		list_init(&up->sockets[i].attempts);
	}
	return up;
}

void upstream_free(struct upstream *up)
{
	if (!up)
		return;
	if (up->stream)
		upstream_ended(up, mtime_now(), false, STREAM_EOF);
	stream_free(up->stream);
	for (unsigned i = 0; i < UPSTREAM_SOCKETS; i++) {
		watch_close(up->sockets[i].watch);
		if (up->sockets[i].fd >= 0)
			close(up->sockets[i].fd);
	}
	free(up);
}

void upstream_opened(struct upstream *up, struct mtime now)
{
	struct server *s = up->server;
	uint32_t open = __atomic_add_fetch(&s->tcp_open, 1, __ATOMIC_RELAXED);

	/* a lost race costs one in a figure for people */
	if (open > __atomic_load_n(&s->tcp_most, __ATOMIC_RELAXED))
		__atomic_store_n(&s->tcp_most, open, __ATOMIC_RELAXED);
	server_count(&s->tcp_opened);
	up->tcp_since = now;
	up->tcp_answers = 0;
	up->tcp_timeouts = 0;
}

void upstream_ended(
	struct upstream *up, struct mtime now, bool due, enum stream_end why)
{
	struct server *s = up->server;
	int64_t life_us = mtime_sub_us(now, up->tcp_since);

	(void)__atomic_fetch_sub(&s->tcp_open, 1, __ATOMIC_RELAXED);
	server_count(&s->tcp_closed);
	(void)__atomic_fetch_add(
		&s->tcp_life_ms, (uint64_t)(life_us / 1000), __ATOMIC_RELAXED);
	if (!due)
		return;
	if (why != STREAM_TIMEOUT)
		server_count(&s->tcp_died);
	else if (up->tcp_answers == 0)
		server_count(&s->tcp_connect_timeouts);
	else
		server_count(&s->tcp_read_timeouts);
}

static bool open_socket(
	struct upstream_socket *s, struct loop *loop, loop_fd_cb readable)
{
	s->fd = udp_connect(NULL, &s->up->server->addr, NULL);
	if (s->fd < 0) {
		s->fd = -1;
		return false;
	}
	s->uses = 0;
	s->watch = watch_open(loop, s->fd, LOOP_READ, readable, s);
	if (s->watch)
		return true;
	close(s->fd);
	s->fd = -1;
	return false;
}

/* What a kernel's buffer holds at most, about. */
static void drop_unread(const struct upstream_socket *s)
{
	uint8_t octet;

	for (unsigned i = 0; i < 4096; i++)
		if (recv(s->fd, &octet, 1, MSG_DONTWAIT) < 0)
			break;
}

/* A new source port for the same descriptor. On failure the old one stays
 * or the next send says so. */
static void change_port(struct upstream_socket *s, bool drop)
{
	static const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
	const union addr *peer = &s->up->server->addr;

	s->uses = 0;
	s->strangers = 0;
	if (connect(s->fd, &nowhere, sizeof(nowhere)) < 0)
		return;
	if (drop)
		drop_unread(s);
	if (connect(s->fd, &peer->sa, addr_len(peer)) < 0)
		s->refused = true;
}

static bool is_used_up(const struct upstream_socket *s)
{
	unsigned limit = s->up->socket_queries;

	return limit > 0 && s->uses >= limit;
}

/* The socket of the run; then any, those with uses left are preferred. */
static struct upstream_socket *pick(struct upstream *up, struct rng *rng)
{
	struct upstream_socket *last = &up->sockets[up->current];
	unsigned start;

	if (up->run > 0 && last->waiting > 0 && !is_used_up(last) &&
		up->current < up->socket_count) {
		up->run--;
		return last;
	}
	start = rng_below(rng, up->socket_count);
	up->run = UPSTREAM_RUN - 1;
	for (unsigned i = 0; i < up->socket_count; i++) {
		up->current = (start + i) % up->socket_count;
		if (!is_used_up(&up->sockets[up->current]))
			return &up->sockets[up->current];
	}
	up->current = start;
	return &up->sockets[start];
}

struct upstream_socket *upstream_socket(struct upstream *up, struct loop *loop,
	struct rng *rng, loop_fd_cb readable)
{
	struct upstream_socket *s = pick(up, rng);

	if (s->fd >= 0 || open_socket(s, loop, readable))
		return s;
	for (unsigned i = 0; i < UPSTREAM_SOCKETS; i++)
		if (up->sockets[i].fd >= 0)
			return &up->sockets[i];
	return NULL;
}

void upstream_forget(struct upstream_socket *s, uint16_t id)
{
	s->forgotten[s->forgotten_count++ % UPSTREAM_FORGOTTEN] = id;
}

bool upstream_is_late(const struct upstream_socket *s, uint16_t id)
{
	unsigned count = s->forgotten_count < UPSTREAM_FORGOTTEN
				 ? s->forgotten_count
				 : UPSTREAM_FORGOTTEN;

	for (unsigned i = 0; i < count; i++)
		if (s->forgotten[i] == id)
			return true;
	return false;
}

void upstream_flee(struct upstream_socket *s)
{
	s->flights++;
	change_port(s, true);
}

void upstream_done(struct upstream_socket *s)
{
	if (--s->waiting == 0 && is_used_up(s))
		change_port(s, false);
}

/* --- sending ----------------------------------------------------------- */

int upstream_queue_init(struct upstream_queue *q, uint32_t size)
{
	q->batch = udp_batch_new(UPSTREAM_QUEUE, size);
	return q->batch ? 0 : -ENOMEM;
}

void upstream_queue_fini(struct upstream_queue *q)
{
	udp_batch_free(q->batch);
}

uint8_t *upstream_queue_room(struct upstream_queue *q)
{
	return udp_batch_packet(q->batch, q->count)->data;
}

void upstream_queue_put(
	struct upstream_queue *q, struct upstream_socket *s, size_t len)
{
	udp_batch_packet(q->batch, q->count)->len = (uint32_t)len;
	q->sockets[q->count++] = s;
}

static void swap(struct upstream_queue *q, unsigned a, unsigned b)
{
	struct udp_packet *pa = udp_batch_packet(q->batch, a);
	struct udp_packet *pb = udp_batch_packet(q->batch, b);
	struct udp_packet packet = *pa;
	struct upstream_socket *s = q->sockets[a];

	*pa = *pb;
	*pb = packet;
	q->sockets[a] = q->sockets[b];
	q->sockets[b] = s;
}

/* Bring all of the socket of `first` behind it; the end of that run. */
static unsigned gather(struct upstream_queue *q, unsigned first)
{
	unsigned end = first + 1;

	for (unsigned i = end; i < q->count; i++) {
		if (q->sockets[i] != q->sockets[first])
			continue;
		if (i != end)
			swap(q, i, end);
		end++;
	}
	return end;
}

bool upstream_queue_flush(struct upstream_queue *q)
{
	bool good = true;

	for (unsigned first = 0, end; first < q->count; first = end) {
		struct upstream_socket *s = q->sockets[first];

		end = gather(q, first);
		if (udp_send(s->fd, q->batch, first, end) == end - first)
			continue;
		s->refused = true;
		good = false;
	}
	q->count = 0;
	return good;
}
