/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_UPSTREAM_H
#define FRONTEND_UPSTREAM_H

/*
 * The UDP sockets of one worker to one server: opened when first used, and
 * moved to another random source port after some queries. The worker's
 * thread only.
 */

#include "common/base/list.h"
#include "common/net/loop.h"
#include "common/net/stream.h"
#include "frontend/server.h"

#define UPSTREAM_SOCKETS 64

struct upstream;

struct upstream_socket {
	struct upstream *up;
	struct watch *watch;
	struct list attempts; /* waiting for an answer here */
	int fd;               /* -1: not open */
	unsigned uses, waiting;
	bool refused; /* an error came with a send: told later */
};

struct upstream {
	struct server *server;
	void *owner;
	struct upstream_socket sockets[UPSTREAM_SOCKETS];
	unsigned socket_count, socket_queries;
	struct stream *stream; /* TCP; NULL: not open */
	struct list tcp_attempts;
	struct mtime tcp_since; /* it was opened */
	unsigned tcp_answers;   /* on this connection */
	unsigned tcp_timeouts;  /* since the last answer */
	bool seen;              /* mark of backends_update */
};

/* NULL: no memory. */
struct upstream *upstream_new(struct server *server, void *owner) MUST_CHECK;
void upstream_free(struct upstream *up); /* closes all; NULL allowed */
/* A socket to ask from, open; NULL: none could be opened. `readable` is
 * called with the socket as its argument. */
struct upstream_socket *upstream_socket(struct upstream *up, struct loop *loop,
	struct rng *rng, loop_fd_cb readable);
/* Count that `stream` was opened, or ended; `due`: answers were waited for. */
void upstream_opened(struct upstream *up, struct mtime now);
void upstream_ended(
	struct upstream *up, struct mtime now, bool due, enum stream_end why);
/* One less is waiting for an answer there. */
void upstream_done(struct upstream_socket *s);

#endif
