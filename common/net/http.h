/* SPDX-License-Identifier: ISC */
#ifndef COMMON_NET_HTTP_H
#define COMMON_NET_HTTP_H

/*
 * Two small pieces of HTTP/1.1: a GET-only responder for /metrics and
 * /health in the DNS daemons (bounded connections, header size and time),
 * and a blocking client for CLI and agent over TCP+TLS or a unix socket.
 */

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/net/addr.h"
#include "common/net/loop.h"

struct http_server;

/* Fill `body` and return the status (200, 404, 503 ...). `path` is decoded
 * up to '?'. */
typedef int (*http_get_fn)(void *arg, const char *path, struct text *body);

/* Listen on `addr`; at most 32 connections, 8 KiB of header, 5 s each. */
struct http_server *http_server_new(struct loop *loop, const union addr *addr,
	http_get_fn get, void *arg, struct err *err) MUST_CHECK;
union addr http_server_addr(const struct http_server *server);
void http_server_free(struct http_server *server); /* NULL allowed */

/* Where a client's calls go. */
struct http_target {
	const char *unix_path; /* or */
	union addr addr;
	struct tls *tls;         /* NULL: plain */
	const char *server_name; /* expected in the certificate; NULL: none */
	const char *bearer;      /* Authorization: Bearer; NULL: none */
	int timeout_ms;          /* of the whole call */
};

struct http_reply {
	int status;
	char *body; /* NUL-terminated; free with http_reply_fini */
	size_t body_len;
};

/* One call on a new connection; bodies up to `max_body`. 0, or negative errno
 * with a line in err (-ECONNREFUSED ...: unreachable). A status of 4xx/5xx is
 * a success of the call. */
int http_call(const struct http_target *target, const char *method,
	const char *path, const void *body, size_t body_len, size_t max_body,
	struct http_reply *reply, struct err *err) MUST_CHECK;
void http_reply_fini(struct http_reply *reply);

/* Many calls, one after the other, on one connection. The target is copied
 * (what it points to is not). After an error of a call the link is of no use:
 * close it, open another (the server may end an idle one at any time). */
struct http_link;
struct http_link *http_link_open(
	const struct http_target *target, struct err *err) MUST_CHECK;
int http_link_call(struct http_link *held, const char *method, const char *path,
	const void *body, size_t body_len, size_t max_body, int timeout_ms,
	struct http_reply *reply, struct err *err) MUST_CHECK;
void http_link_close(struct http_link *held); /* NULL allowed */

/* A held GET whose chunked answer is read line by line (NDJSON). */
struct http_stream;
struct http_stream *http_stream_open(const struct http_target *target,
	const char *path, struct err *err) MUST_CHECK;
int http_stream_fd(const struct http_stream *s);
/* Next whole line into *line (valid until the next call), within timeout_ms.
 * 1: a line; 0: none yet; negative errno: ended. Lines up to 1 MiB. */
int http_stream_line(struct http_stream *s, int timeout_ms, char **line);
void http_stream_close(struct http_stream *s);

#endif
