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
#include "common/net/udp.h"
#include "frontend/server.h"

#define UPSTREAM_SOCKETS   64
#define UPSTREAM_RUN       8 /* questions in a row, when the first still waits */
#define UPSTREAM_FORGOTTEN 16
#define UPSTREAM_QUEUE     64 /* questions that leave together */

struct upstream;

struct upstream_socket {
	struct upstream *up;
	struct watch *watch;
	struct list attempts; /* waiting for an answer here */
	int fd;               /* -1: not open */
	unsigned uses, waiting;
	unsigned strangers; /* replies with an id that is not waited for */
	unsigned flights;   /* from them, ever */
	/* the last ids given up: their replies are late, no guesses */
	uint16_t forgotten[UPSTREAM_FORGOTTEN];
	unsigned forgotten_count;
	bool refused; /* an error came with a send: told later */
};

struct upstream {
	struct server *server;
	void *owner;
	struct upstream_socket sockets[UPSTREAM_SOCKETS];
	unsigned socket_count, socket_queries;
	unsigned current, run; /* the last one's socket, and how many more */
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
/* The question with this id was given up; was it one of the last? */
void upstream_forget(struct upstream_socket *s, uint16_t id);
bool upstream_is_late(const struct upstream_socket *s, uint16_t id);
/* Somebody guesses: leave the port at once, and what came to it unread. What
 * waits must be asked again. */
void upstream_flee(struct upstream_socket *s);
/* One less is waiting for an answer there. */
void upstream_done(struct upstream_socket *s);

/* Questions on their way to all servers, which leave when it is flushed. */
struct upstream_queue {
	struct udp_batch *batch;
	struct upstream_socket *sockets[UPSTREAM_QUEUE];
	unsigned count; /* room for one more: < UPSTREAM_QUEUE */
};

int upstream_queue_init(struct upstream_queue *q, uint32_t size) MUST_CHECK;
void upstream_queue_fini(struct upstream_queue *q); /* in zeroed memory too */
/* Where to write the next message, and that it was written. */
uint8_t *upstream_queue_room(struct upstream_queue *q);
void upstream_queue_put(
	struct upstream_queue *q, struct upstream_socket *s, size_t len);
/* False: not all could be sent; the sockets are marked as refused. */
bool upstream_queue_flush(struct upstream_queue *q);

#endif
