/* SPDX-License-Identifier: ISC */
#ifndef COMMON_SERVE_TCP_IMPL_H
#define COMMON_SERVE_TCP_IMPL_H

/* What the two files behind tcp.h share: tcp.c has the connections,
 * tcp_answer.c what goes out on them. */

#include "common/base/list.h"
#include "common/base/slots.h"
#include "common/net/stream.h"
#include "common/serve/ban.h"
#include "common/serve/tcp.h"

#define SERVE_TCP_BUCKETS 4096
#define SERVE_TCP_NETS    16384
#define SERVE_TCP_QUEUE   (128 * 1024)

/* Counters that live as long as the listener or a connection of it. */
struct serve_tcp_gate {
	struct serve_tcp_counts counts;
	unsigned uses;
};

struct serve_tcp_conn {
	struct list idle; /* in serve_tcp.idle while inflight is 0 */
	struct serve_tcp *tcp;
	struct stream *stream;
	struct serve_tcp_gate *gate;
	union addr client, local;
	struct mtime start;
	uint32_t inflight, queries;
	uint32_t flows;        /* of the unanswered: those answered in parts */
	uint32_t next, bucket; /* chain of the client's bucket */
	uint32_t net;          /* its counter */
	uint16_t listener;
	bool paused;
	bool last; /* no more queries: it ends with its last answer */
};

struct serve_tcp {
	struct loop *loop;
	struct slots conns;
	struct list idle;
	struct serve_config limits;
	serve_fn fn;
	serve_admit_fn admit;
	serve_batch_fn batch_end;
	const struct serve_flow_events *flow; /* NULL: there are none */
	void *arg;
	struct serve_stats *stats;
	struct hash_key key;
	uint32_t
		buckets[SERVE_TCP_BUCKETS]; /* first connection, or SLOT_NONE */
	uint32_t nets[SERVE_TCP_NETS];      /* connections */
	struct bans bans;                   /* who drips */
	bool pausing;
};

/* With what is still due on it; flows are told. */
void serve_tcp_conn_free(struct serve_tcp_conn *c);
/* One query less is unanswered. */
void serve_tcp_count_answer(struct serve_tcp_conn *c);
void serve_tcp_stream_limits(
	const struct serve_tcp *tcp, struct stream_limits *out);
/* stream.h's event. */
void serve_tcp_on_drained(void *arg, struct stream *s);

#endif
