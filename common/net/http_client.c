/* SPDX-License-Identifier: ISC */
/*
 * The blocking client of CLI and agent. One deadline covers a whole call:
 * before each step the socket's time-outs are set to what is left of it.
 * A held stream reads without blocking and waits in poll.
 */

#include "common/net/http.h"

#include "common/net/http_head.h"
#include "common/net/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/un.h>
#include <unistd.h>

#define HEAD_MAX     16384
#define LINE_MAX_LEN (1 << 20)

struct link {
	int fd;
	struct tls_conn *tls;
	struct mtime deadline;
};

/* --- one connection --- */

static int left_ms(const struct link *l)
{
	int64_t us = mtime_sub_us(l->deadline, mtime_now());

	return us <= 0 ? 0 : (int)((us + 999) / 1000);
}

static int set_timeouts(const struct link *l)
{
	int ms = left_ms(l);
	struct timeval tv = {ms / 1000, ms % 1000 * 1000};

	if (ms == 0)
		return -ETIMEDOUT;
	setsockopt(l->fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(l->fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	return 0;
}

static int wait_connected(const struct link *l)
{
	struct pollfd p = {.fd = l->fd, .events = POLLOUT};
	int error = 0, n = poll(&p, 1, left_ms(l));
	socklen_t len = sizeof(error);

	if (n < 0)
		return -errno;
	if (n == 0)
		return -ETIMEDOUT;
	if (getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return -errno;
	return -error;
}

static int connect_to(struct link *l, const struct sockaddr *sa, socklen_t len)
{
	int rc = 0;

	l->fd = socket(
		sa->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (l->fd < 0)
		return -errno;
	if (connect(l->fd, sa, len) < 0)
		rc = errno == EINPROGRESS ? wait_connected(l) : -errno;
	if (rc < 0)
		return rc;
	if (fcntl(l->fd, F_SETFL, 0) < 0)
		return -errno;
	return set_timeouts(l);
}

static int connect_unix(struct link *l, const char *path, struct err *err)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	size_t n = strlen(path);
	int rc;

	if (n >= sizeof(sun.sun_path))
		return err_fail(err, -ENAMETOOLONG, "%s: path too long", path);
	memcpy(sun.sun_path, path, n + 1);
	rc = connect_to(l, (const struct sockaddr *)&sun, sizeof(sun));
	if (rc < 0)
		return err_fail(err, rc, "%s: %s", path, strerror(-rc));
	return 0;
}

static int connect_addr(struct link *l, const union addr *addr, struct err *err)
{
	char text[ADDR_TEXT];
	int rc = connect_to(l, &addr->sa, addr_len(addr));

	if (rc < 0)
		return err_fail(err, rc, "connect to %s: %s",
			addr_print(addr, text), strerror(-rc));
	return 0;
}

static void link_close(struct link *l)
{
	tls_conn_free(l->tls);
	if (l->fd >= 0)
		close(l->fd);
	l->tls = NULL;
	l->fd = -1;
}

static int link_open(
	struct link *l, const struct http_target *target, struct err *err)
{
	int rc;

	l->fd = -1;
	l->tls = NULL;
	l->deadline = mtime_add_ms(mtime_now(), target->timeout_ms);
	rc = target->unix_path ? connect_unix(l, target->unix_path, err)
			       : connect_addr(l, &target->addr, err);
	if (rc < 0 || !target->tls)
		return rc;
	l->tls = tls_connect_fd(target->tls, l->fd, target->server_name, err);
	return l->tls ? 0 : -EPROTO;
}

/* >0, 0 at the end, negative errno. */
static ssize_t link_read(const struct link *l, char *data, size_t size)
{
	ssize_t n;

	if (l->tls)
		return tls_read(l->tls, data, size);
	do
		n = recv(l->fd, data, size, 0);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static ssize_t read_in_time(const struct link *l, char *data, size_t size)
{
	int rc = set_timeouts(l);
	ssize_t n = rc < 0 ? rc : link_read(l, data, size);

	return n == -EAGAIN ? -ETIMEDOUT : n;
}

static int link_write(const struct link *l, const char *data, size_t len)
{
	while (len > 0) {
		int rc = set_timeouts(l);
		ssize_t n;

		if (rc < 0)
			return rc;
		n = l->tls ? tls_write(l->tls, data, len)
			   : send(l->fd, data, len, MSG_NOSIGNAL);
		if (n < 0 && !l->tls)
			n = -errno;
		if (n == -EINTR)
			continue;
		if (n <= 0)
			return n == -EAGAIN ? -ETIMEDOUT
			       : n < 0      ? (int)n
					    : -EPIPE;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* --- request and head --- */

struct request {
	const char *method, *path;
	const void *body;
	size_t body_len;
	bool keep; /* the connection is used again */
};

static int send_request(const struct link *l, const struct http_target *target,
	const struct request *r)
{
	struct text t;
	int rc;

	text_init(&t);
	text_add(&t, "%s %s HTTP/1.1\r\nHost: %s\r\n", r->method, r->path,
		target->server_name ? target->server_name : "localhost");
	if (target->bearer)
		text_add(&t, "Authorization: Bearer %s\r\n", target->bearer);
	if (r->body)
		text_add(&t,
			"Content-Type: application/json\r\n"
			"Content-Length: %zu\r\n",
			r->body_len);
	text_add(
		&t, "Connection: %s\r\n\r\n", r->keep ? "keep-alive" : "close");
	if (r->body)
		text_add_bytes(&t, r->body, r->body_len);
	rc = t.failed ? -ENOMEM : link_write(l, t.data, t.len);
	text_fini(&t);
	return rc;
}

/* Read until the head is whole; what follows it is left in buf. */
static int read_head(const struct link *l, char buf[HEAD_MAX], size_t *len,
	struct http_reply_head *head)
{
	long used;

	*len = 0;
	for (;;) {
		ssize_t n;

		used = http_parse_reply(buf, *len, head);
		if (used < 0)
			return (int)used;
		if (used > 0 && head->status >= 200)
			break;
		if (used > 0) { /* 1xx: the real one follows */
			*len -= (size_t)used;
			memmove(buf, buf + used, *len);
			continue;
		}
		if (*len == HEAD_MAX)
			return -EMSGSIZE;
		n = read_in_time(l, buf + *len, HEAD_MAX - *len);
		if (n <= 0)
			return n < 0 ? (int)n : -ECONNRESET;
		*len += (size_t)n;
	}
	*len -= (size_t)used;
	memmove(buf, buf + used, *len);
	return 0;
}

/* --- body --- */

struct body {
	const struct http_reply_head *head;
	struct http_chunks chunks;
	struct text text;
	size_t max;
};

/* 1: whole; 0: more to come; negative errno. */
static int body_feed(struct body *b, const char *data, size_t len)
{
	if (b->head->chunked) {
		if (http_chunks_feed(&b->chunks, data, len, &b->text) < 0)
			return -EPROTO;
	} else {
		if (b->head->has_length && len > b->head->length - b->text.len)
			len = (size_t)(b->head->length - b->text.len);
		text_add_bytes(&b->text, data, len);
	}
	if (b->text.failed)
		return -ENOMEM;
	if (b->text.len > b->max)
		return -EMSGSIZE;
	if (b->head->chunked)
		return b->chunks.state == CHUNK_DONE;
	return b->head->has_length && b->text.len == b->head->length;
}

static int read_body(
	const struct link *l, struct body *b, char buf[HEAD_MAX], size_t len)
{
	int rc = body_feed(b, buf, len);

	if (b->head->status == 204 || b->head->status == 304)
		return 0;
	while (rc == 0) {
		ssize_t n = read_in_time(l, buf, HEAD_MAX);

		if (n < 0)
			return (int)n;
		if (n == 0) /* cut short, unless only the end tells it */
			return b->head->chunked || b->head->has_length
				       ? -ECONNRESET
				       : 0;
		rc = body_feed(b, buf, (size_t)n);
	}
	return rc < 0 ? rc : 0;
}

static int exchange(const struct link *l, const struct http_target *target,
	const struct request *r, struct body *in, struct http_reply_head *head)
{
	char buf[HEAD_MAX];
	size_t len;
	int rc = send_request(l, target, r);

	/* A server that refuses a body may answer before it has read it. */
	if (rc < 0 && rc != -EPIPE && rc != -ECONNRESET)
		return rc;
	rc = read_head(l, buf, &len, head);
	return rc < 0 ? rc : read_body(l, in, buf, len);
}

/* One request on an open connection. */
static int call_on(const struct link *l, const struct http_target *target,
	const struct request *r, size_t max_body, struct http_reply *reply,
	struct err *err)
{
	struct http_reply_head head = {0};
	struct body in = {.head = &head, .max = max_body};
	int rc;

	text_init(&in.text);
	rc = exchange(l, target, r, &in, &head);
	if (rc < 0) {
		err_set(err, "%s %s: %s", r->method, r->path, strerror(-rc));
	} else {
		reply->status = head.status;
		reply->body_len = in.text.len;
		reply->body = text_take(&in.text);
	}
	text_fini(&in.text);
	return rc;
}

int http_call(const struct http_target *target, const char *method,
	const char *path, const void *body, size_t body_len, size_t max_body,
	struct http_reply *reply, struct err *err)
{
	const struct request r = {method, path, body, body_len, false};
	struct link l;
	int rc;

	memset(reply, 0, sizeof(*reply));
	rc = link_open(&l, target, err);
	if (rc == 0)
		rc = call_on(&l, target, &r, max_body, reply, err);
	link_close(&l);
	return rc;
}

struct http_link {
	struct link link;
	struct http_target target;
};

struct http_link *http_link_open(
	const struct http_target *target, struct err *err)
{
	struct http_link *held = calloc(1, sizeof(*held));

	if (!held) {
		err_set(err, "out of memory");
		return NULL;
	}
	held->target = *target;
	if (link_open(&held->link, target, err) == 0)
		return held;
	http_link_close(held);
	return NULL;
}

int http_link_call(struct http_link *held, const char *method, const char *path,
	const void *body, size_t body_len, size_t max_body, int timeout_ms,
	struct http_reply *reply, struct err *err)
{
	const struct request r = {method, path, body, body_len, true};

	memset(reply, 0, sizeof(*reply));
	held->link.deadline = mtime_add_ms(mtime_now(), timeout_ms);
	return call_on(&held->link, &held->target, &r, max_body, reply, err);
}

void http_link_close(struct http_link *held)
{
	if (!held)
		return;
	link_close(&held->link);
	free(held);
}

void http_reply_fini(struct http_reply *reply)
{
	free(reply->body);
	memset(reply, 0, sizeof(*reply));
}

/* --- held streams --- */

struct http_stream {
	struct link link;
	struct http_reply_head head;
	struct http_chunks chunks;
	struct text text; /* decoded, from the last line handed out on */
	size_t used;      /* of text: handed out */
};

static int stream_feed(struct http_stream *s, const char *data, size_t len)
{
	if (!s->head.chunked)
		text_add_bytes(&s->text, data, len);
	else if (http_chunks_feed(&s->chunks, data, len, &s->text) < 0)
		return -EPROTO;
	return s->text.failed ? -ENOMEM : 0;
}

static int stream_begin(struct http_stream *s, const struct http_target *target,
	const char *path, struct err *err)
{
	const struct request r = {"GET", path, NULL, 0, false};
	char buf[HEAD_MAX];
	size_t len;
	int rc = link_open(&s->link, target, err);

	if (rc < 0)
		return rc;
	rc = send_request(&s->link, target, &r);
	if (rc == 0)
		rc = read_head(&s->link, buf, &len, &s->head);
	if (rc == 0 && fcntl(s->link.fd, F_SETFL, O_NONBLOCK) < 0)
		rc = -errno;
	if (rc < 0)
		return err_fail(err, rc, "GET %s: %s", path, strerror(-rc));
	if (s->head.status != 200)
		return err_fail(err, -EPROTO, "GET %s: status %d", path,
			s->head.status);
	return stream_feed(s, buf, len);
}

struct http_stream *http_stream_open(
	const struct http_target *target, const char *path, struct err *err)
{
	struct http_stream *s = calloc(1, sizeof(*s));

	if (!s) {
		err_set(err, "out of memory");
		return NULL;
	}
	text_init(&s->text);
	if (stream_begin(s, target, path, err) == 0)
		return s;
	http_stream_close(s);
	return NULL;
}

int http_stream_fd(const struct http_stream *s)
{
	return s->link.fd;
}

/* Drop what was handed out before. */
static void drop_used(struct http_stream *s)
{
	if (s->used == 0)
		return;
	memmove(s->text.data, s->text.data + s->used, s->text.len - s->used);
	s->text.len -= s->used;
	s->text.data[s->text.len] = '\0';
	s->used = 0;
}

static bool take_line(struct http_stream *s, char **line)
{
	char *end = memchr(s->text.data, '\n', s->text.len);

	if (!end)
		return false;
	s->used = (size_t)(end - s->text.data) + 1;
	*end = '\0';
	if (end > s->text.data && end[-1] == '\r')
		end[-1] = '\0';
	*line = s->text.data;
	return true;
}

/* Read what is there. 1: something came; 0: nothing; negative errno. */
static int stream_read(struct http_stream *s)
{
	char buf[HEAD_MAX];
	ssize_t n = link_read(&s->link, buf, sizeof(buf));
	int rc;

	if (n == -EAGAIN)
		return 0;
	if (n <= 0)
		return n < 0 ? (int)n : -ECONNRESET;
	rc = stream_feed(s, buf, (size_t)n);
	return rc < 0 ? rc : 1;
}

int http_stream_line(struct http_stream *s, int timeout_ms, char **line)
{
	struct pollfd p = {.fd = s->link.fd, .events = POLLIN};
	int rc;

	s->link.deadline = mtime_add_ms(mtime_now(), timeout_ms);
	drop_used(s);
	for (;;) {
		if (take_line(s, line))
			return 1;
		if (s->chunks.state == CHUNK_DONE)
			return -ECONNRESET;
		if (s->text.len > LINE_MAX_LEN)
			return -EMSGSIZE;
		rc = stream_read(s);
		if (rc < 0)
			return rc;
		if (rc > 0)
			continue;
		if (left_ms(&s->link) == 0)
			return 0;
		if (poll(&p, 1, left_ms(&s->link)) < 0 && errno != EINTR)
			return -errno;
	}
}

void http_stream_close(struct http_stream *s)
{
	if (!s)
		return;
	link_close(&s->link);
	text_fini(&s->text);
	free(s);
}
