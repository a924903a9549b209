/* SPDX-License-Identifier: ISC */
/*
 * The GET-only responder: one request per connection, everything bounded.
 * It shares a loop with the packet path, so a page is built in one go and
 * then leaves as the socket takes it.
 */

#include "common/net/http.h"

#include "common/base/list.h"
#include "common/net/http_head.h"

#include <errno.h>
#include <unistd.h>

#define CONNECTIONS 32
#define HEAD_MAX    8192
#define DEADLINE_MS 5000

struct http_server {
	struct loop *loop;
	struct watch *watch;
	int fd;
	http_get_fn get;
	void *arg;
	struct list conns;
	unsigned count;
};

struct conn {
	struct list link;
	struct http_server *server;
	struct watch *watch;
	struct timer *timer;
	int fd;
	size_t in_len;
	char in[HEAD_MAX];
	struct text out;
	size_t sent;
};

static void conn_free(struct conn *c)
{
	list_remove(&c->link);
	c->server->count--;
	watch_close(c->watch);
	timer_free(c->timer);
	close(c->fd);
	text_fini(&c->out);
	free(c);
}

static void on_deadline(void *arg)
{
	conn_free(arg);
}

static const char *reason(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 400:
		return "Bad Request";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 431:
		return "Request Header Fields Too Large";
	case 503:
		return "Service Unavailable";
	default:
		return "Status";
	}
}

static void compose(struct conn *c, int status, const struct text *body)
{
	text_add(&c->out,
		"HTTP/1.1 %d %s\r\n"
		"Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
		"Content-Length: %zu\r\n"
		"Cache-Control: no-store\r\n"
		"X-Content-Type-Options: nosniff\r\n"
		"Connection: close\r\n\r\n",
		status, reason(status), body->len);
	text_add_bytes(&c->out, body->data, body->len);
}

static void answer(struct conn *c, const struct http_request_head *head)
{
	struct text body;
	int status = 405;

	text_init(&body);
	if (!head)
		status = c->in_len == HEAD_MAX ? 431 : 400;
	else if (strcmp(head->method, "GET") == 0)
		status = c->server->get(c->server->arg, head->path, &body);
	if (body.len == 0)
		text_add(&body, "%d %s\n", status, reason(status));
	compose(c, status, &body);
	text_fini(&body);
}

static void send_some(struct conn *c)
{
	size_t left = c->out.len - c->sent;
	ssize_t n = send(c->fd, c->out.data + c->sent, left, MSG_NOSIGNAL);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		n = 0;
	else if (n < 0 || (size_t)n == left) {
		if (n >= 0)
			shutdown(c->fd, SHUT_WR);
		conn_free(c);
		return;
	}
	c->sent += (size_t)n;
	if (watch_events(c->watch, LOOP_WRITE) < 0)
		conn_free(c);
}

static void receive(struct conn *c)
{
	struct http_request_head head;
	ssize_t n = recv(c->fd, c->in + c->in_len, HEAD_MAX - c->in_len, 0);
	long used;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		conn_free(c);
		return;
	}
	c->in_len += (size_t)n;
	used = http_parse_request(c->in, c->in_len, &head);
	if (used == 0 && c->in_len < HEAD_MAX)
		return;
	answer(c, used > 0 ? &head : NULL);
	send_some(c);
}

static void on_socket(void *arg, int fd, int events)
{
	struct conn *c = arg;

	(void)fd;
	(void)events;
	if (c->out.len > 0)
		send_some(c);
	else
		receive(c);
}

static void conn_new(struct http_server *server, int fd)
{
	struct conn *c = NULL;

	if (server->count < CONNECTIONS)
		c = calloc(1, sizeof(*c));
	if (!c) {
		close(fd);
		return;
	}
	c->server = server;
	c->fd = fd;
	text_init(&c->out);
	list_append(&server->conns, &c->link);
	server->count++;
	c->watch = watch_open(server->loop, fd, LOOP_READ, on_socket, c);
	c->timer = timer_new(server->loop, on_deadline, c);
	if (!c->watch || !c->timer)
		conn_free(c);
	else
		timer_set_ms(c->timer, DEADLINE_MS);
}

static void acceptable(void *arg, int fd, int events)
{
	int conn = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	if (conn >= 0)
		conn_new(arg, conn);
}

static int listen_on(const union addr *addr, struct err *err)
{
	const int one = 1;
	char text[ADDR_TEXT];
	int rc, fd = socket(addr->sa.sa_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd >= 0 &&
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ==
			0 &&
		bind(fd, &addr->sa, addr_len(addr)) == 0 &&
		listen(fd, CONNECTIONS) == 0)
		return fd;
	rc = -errno;
	if (fd >= 0)
		close(fd);
	return err_fail(err, rc, "listen on HTTP %s: %s",
		addr_print(addr, text), strerror(-rc));
}

struct http_server *http_server_new(struct loop *loop, const union addr *addr,
	http_get_fn get, void *arg, struct err *err)
{
	struct http_server *server;
	int fd = listen_on(addr, err);

	if (fd < 0)
		return NULL;
	server = calloc(1, sizeof(*server));
	if (!server) {
		close(fd);
		err_set(err, "out of memory");
		return NULL;
	}
	server->loop = loop;
	server->fd = fd;
	server->get = get;
	server->arg = arg;
	list_init(&server->conns);
	server->watch = watch_open(loop, fd, LOOP_READ, acceptable, server);
	if (server->watch)
		return server;
	err_set(err, "out of memory");
	http_server_free(server);
	return NULL;
}

union addr http_server_addr(const struct http_server *server)
{
	union addr a;
	socklen_t len = sizeof(a);

	memset(&a, 0, sizeof(a));
	if (getsockname(server->fd, &a.sa, &len) < 0)
		a.sa.sa_family = AF_UNSPEC;
	return a;
}

void http_server_free(struct http_server *server)
{
	if (!server)
		return;
	while (!list_empty(&server->conns))
		conn_free(list_entry(server->conns.next, struct conn, link));
	watch_close(server->watch);
	close(server->fd);
	free(server);
}
