/* SPDX-License-Identifier: ISC */
/*
 * TCP: connections that stay, each with a window of questions, or one
 * question per connection. A connection that ends too early is opened again
 * and counted; what it owed is lost.
 */

#include "tests/bench/load.h"

#include "common/base/buf.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS    64
#define EXPIRE_US 50000
#define INPUT     32768

struct tcp_conn {
	int fd;
	bool open;
	unsigned index;
	size_t in_len;
	uint8_t in[INPUT];
	struct window window;
};

struct tcp_load {
	const struct load_config *c;
	struct load_result *r;
	struct names names;
	int epoll;
	bool sending;
	struct tcp_conn *conns;
	int64_t now_us, start_us, last_us, expired_us;
};

static void watch(struct tcp_load *l, struct tcp_conn *c, int op, unsigned what)
{
	struct epoll_event ev = {.events = what, .data.ptr = c};

	if (epoll_ctl(l->epoll, op, c->fd, &ev) < 0)
		l->r->errors++;
}

static void conn_close(struct tcp_load *l, struct tcp_conn *c)
{
	window_expire(&c->window, INT64_MAX, l->r);
	close(c->fd);
	c->fd = -1;
	c->open = false;
	c->in_len = 0;
}

static void conn_open(struct tcp_load *l, struct tcp_conn *c)
{
	const int one = 1;

	c->fd = load_socket(l->c, SOCK_STREAM, c->index);
	if (c->fd < 0) {
		l->r->errors++;
		return; /* again in the next turn */
	}
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	watch(l, c, EPOLL_CTL_ADD, EPOLLOUT);
}

/* As many questions as the window takes, in one write. */
static void ask(struct tcp_load *l, struct tcp_conn *c)
{
	uint8_t out[WINDOW_MAX * (2 + QUERY_OCTETS)];
	size_t len = 0;
	struct slot *s;

	while (l->sending && (l->c->count == 0 || l->r->sent < l->c->count) &&
		(s = window_ask(&c->window, &l->names, l->now_us))) {
		memcpy(out + len, s->msg, sizeof(s->msg));
		len += sizeof(s->msg);
		l->r->sent++;
	}
	if (len > 0 && send(c->fd, out, len, MSG_NOSIGNAL) != (ssize_t)len) {
		l->r->errors++;
		conn_close(l, c);
	}
}

static void take_messages(struct tcp_load *l, struct tcp_conn *c)
{
	size_t pos = 0;

	while (c->in_len - pos >= 2) {
		size_t n = get16(c->in + pos);

		if (c->in_len - pos < 2 + n)
			break;
		if (window_answer(
			    &c->window, c->in + pos + 2, n, l->now_us, l->r))
			l->last_us = l->now_us;
		pos += 2 + n;
	}
	memmove(c->in, c->in + pos, c->in_len - pos);
	c->in_len -= pos;
}

static void readable(struct tcp_load *l, struct tcp_conn *c)
{
	ssize_t n = recv(c->fd, c->in + c->in_len, INPUT - c->in_len, 0);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		l->r->errors++;
		conn_close(l, c);
		return;
	}
	c->in_len += (size_t)n;
	take_messages(l, c);
	if (!l->c->single)
		ask(l, c);
	else if (c->window.used == 0)
		conn_close(l, c);
}

static void on_event(struct tcp_load *l, struct tcp_conn *c, unsigned what)
{
	if (c->fd < 0)
		return;
	if (!c->open && (what & (EPOLLERR | EPOLLHUP))) {
		l->r->errors++;
		conn_close(l, c);
		return;
	}
	if (!c->open) {
		c->open = true;
		watch(l, c, EPOLL_CTL_MOD, EPOLLIN);
		ask(l, c);
		return;
	}
	readable(l, c);
}

static void expire(struct tcp_load *l)
{
	if (l->now_us - l->expired_us < EXPIRE_US)
		return;
	l->expired_us = l->now_us;
	for (unsigned i = 0; i < l->c->connections; i++)
		window_expire(&l->conns[i].window,
			l->now_us - l->c->timeout_ms * 1000, l->r);
}

static void reopen(struct tcp_load *l)
{
	for (unsigned i = 0; l->sending && i < l->c->connections; i++)
		if (l->conns[i].fd < 0)
			conn_open(l, &l->conns[i]);
}

static void turn(struct tcp_load *l)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(l->epoll, events, EVENTS, 1);

	l->now_us = mtime_now().us;
	for (int i = 0; i < n; i++)
		on_event(l, events[i].data.ptr, events[i].events);
	expire(l);
	reopen(l);
}

static bool is_waiting(const struct tcp_load *l)
{
	for (unsigned i = 0; i < l->c->connections; i++)
		if (l->conns[i].window.used > 0)
			return true;
	return false;
}

static void run(struct tcp_load *l)
{
	double cpu = l->c->pid ? process_cpu_s(l->c->pid) : 0;
	int64_t end;

	l->now_us = l->start_us = l->last_us = mtime_now().us;
	end = l->start_us + (int64_t)(l->c->seconds * 1e6);
	l->sending = true;
	reopen(l);
	while (l->now_us < end &&
		(l->c->count == 0 || l->r->sent < l->c->count))
		turn(l);
	l->sending = false;
	while (is_waiting(l))
		turn(l);
	l->r->seconds = (double)(l->last_us - l->start_us) / 1e6;
	if (l->c->pid)
		l->r->cpu_s = process_cpu_s(l->c->pid) - cpu;
}

int load_tcp(const struct load_config *c, struct load_result *r)
{
	struct tcp_load l = {.c = c, .r = r, .names = c->names};

	l.conns = calloc(c->connections, sizeof(*l.conns));
	l.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!l.conns || l.epoll < 0) {
		free(l.conns);
		return -ENOMEM;
	}
	for (unsigned i = 0; i < c->connections; i++) {
		l.conns[i].fd = -1;
		l.conns[i].index = i;
		window_init(&l.conns[i].window, c->single ? 1 : c->window);
	}
	run(&l);
	for (unsigned i = 0; i < c->connections; i++)
		if (l.conns[i].fd >= 0)
			close(l.conns[i].fd);
	close(l.epoll);
	free(l.conns);
	return 0;
}
