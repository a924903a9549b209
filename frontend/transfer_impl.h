/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_TRANSFER_IMPL_H
#define FRONTEND_TRANSFER_IMPL_H

/* What the files behind transfer.h share: transfer.c has the table and the
 * ends, transfer_tcp.c and transfer_udp.c the two ways to a backend. */

#include "common/base/list.h"
#include "common/base/slots.h"
#include "common/net/stream.h"
#include "frontend/transfer.h"
#include "frontend/wheel.h"
#include "frontend/worker.h"
#include "frontend/xfr.h"

struct transfer {
	struct list link; /* in transfers.open */
	struct wheel_item time;
	struct transfers *ts;
	struct serve_peer peer;
	bool single;  /* one answer is due, else a stream of messages */
	bool flow;    /* the client's connection knows of it */
	bool waiting; /* for the client to read */
	struct server *server; /* NULL: gone from the configuration */
	struct stream *stream; /* over TCP */
	struct watch *watch;   /* over UDP */
	int fd;
	uint16_t id; /* the backend is asked with; UDP: not the client's */
	uint16_t udp_limit; /* of the answer */
	uint16_t pool;      /* its id */
	struct pool_choice choice;
	struct mtime begun;
	struct mtime end;   /* it is given up then */
	struct mtime moved; /* last message */
	uint64_t messages;  /* handed on */
	struct xfr xfr;     /* single: only its `asked` and `id` */
	/* Header and question, then the whole query when it is short. */
	uint16_t query_len, question_end;
	uint8_t query[TRANSFER_QUERY_MAX];
};

struct transfers {
	struct worker *w;
	struct slots slots;
	struct list open;
	struct wheel wheel;
	unsigned streams, singles;
};

/* It ended: count why, and forget it. Its flow was closed, or is gone. */
void transfer_end(struct transfer *t, enum stat_id why);
/* It ended well, or with an error of the backend's. */
void transfer_finish(struct transfer *t, unsigned rcode);
/* It cannot go on: SERVFAIL when nothing was handed on yet, else the client's
 * connection is closed. Nobody over UDP is told of a time-out. */
void transfer_fail(struct transfer *t, enum stat_id why);
/* A message came from the backend; its deadline moves. */
void transfer_moved(struct transfer *t, size_t len);
/* Choose the next backend; false: there is none, or it may not be asked. */
bool transfer_choose(struct transfer *t, const struct pool *pool);
/* The reply that has header and question of the query only, in w->out. */
size_t transfer_reply(struct transfer *t, unsigned rcode, bool truncated);

/* Ask t->server. False: it could not be. */
bool transfer_ask_tcp(struct transfer *t, const uint8_t *msg, size_t len);
bool transfer_ask_udp(struct transfer *t, const uint8_t *msg, size_t len);
/* Close the way to the backend. */
void transfer_close(struct transfer *t);

#endif
