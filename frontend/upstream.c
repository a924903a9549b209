/* SPDX-License-Identifier: ISC */
/*
 * A socket that has asked its share of questions takes no more, and when the
 * last answer is in (or given up) it is dissolved and connected again: the
 * kernel draws a new random port, while descriptor and watch stay, so that
 * no memory is needed.
 */

#include "frontend/upstream.h"

#include "common/net/udp.h"

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

/* A new source port for the same descriptor. On failure the old one stays
 * or the next send says so. */
static void change_port(struct upstream_socket *s)
{
	static const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
	const union addr *peer = &s->up->server->addr;

	s->uses = 0;
	if (connect(s->fd, &nowhere, sizeof(nowhere)) == 0 &&
		connect(s->fd, &peer->sa, addr_len(peer)) < 0)
		s->refused = true;
}

static bool is_used_up(const struct upstream_socket *s)
{
	unsigned limit = s->up->socket_queries;

	return limit > 0 && s->uses >= limit;
}

/* Some socket from which to ask; those with uses left are preferred. */
static struct upstream_socket *pick(struct upstream *up, struct rng *rng)
{
	unsigned start = rng_below(rng, up->socket_count);

	for (unsigned i = 0; i < up->socket_count; i++) {
		struct upstream_socket *s =
			&up->sockets[(start + i) % up->socket_count];

		if (!is_used_up(s))
			return s;
	}
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

void upstream_done(struct upstream_socket *s)
{
	if (--s->waiting == 0 && is_used_up(s))
		change_port(s);
}
