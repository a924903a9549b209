/* SPDX-License-Identifier: ISC */
#ifndef COMMON_NET_HTTP_HEAD_H
#define COMMON_NET_HTTP_HEAD_H

/* Parsers of HTTP/1.1 message heads and chunked bodies (RFC 9112). Pure. */

#include "common/base/buf.h"

#define HTTP_PATH_MAX 1024

struct http_request_head {
	char method[16];
	char path[HTTP_PATH_MAX]; /* decoded, without the query */
};

struct http_reply_head {
	int status;
	bool chunked;
	bool has_length;
	uint64_t length;
};

/* Octets that the head takes (to the empty line); 0: not whole yet; -EINVAL:
 * not HTTP. */
long http_parse_request(
	const char *data, size_t len, struct http_request_head *out);
long http_parse_reply(
	const char *data, size_t len, struct http_reply_head *out);

/* A chunked body, fed piece by piece. */
struct http_chunks {
	enum {
		CHUNK_SIZE,
		CHUNK_EXTENSION,
		CHUNK_DATA,
		CHUNK_DATA_END,
		CHUNK_TRAILER,
		CHUNK_DONE,
	} state;
	uint64_t left;
	unsigned digits;
	unsigned line; /* octets of the present trailer line */
};

/* Append the decoded octets to `out`. 0, or -EINVAL when malformed. Octets
 * behind the last chunk are passed over. */
int http_chunks_feed(
	struct http_chunks *c, const char *data, size_t len, struct text *out);

#endif
