/* SPDX-License-Identifier: ISC */
#ifndef COMMON_NET_STREAM_IMPL_H
#define COMMON_NET_STREAM_IMPL_H

/* What the two files behind stream.h share: stream_open.c makes streams,
 * stream.c runs them. */

#include "common/net/stream.h"

#define STREAM_SMALL 1024
#define STREAM_NEVER INT64_MAX

enum stream_state {
	CONNECTING,
	OPEN,
	HALF_CLOSED, /* the peer sends no more but waits for answers */
	FINISHING,   /* we close when the queue is out */
	ENDED,
};

struct stream {
	struct loop *loop;
	struct watch *watch;
	struct timer *timer;
	int fd;
	enum stream_state state;
	bool accepted, paused, busy;
	bool freed;     /* by the owner, from a callback */
	unsigned depth; /* of calls that must survive stream_free */
	struct stream_limits limits;
	const struct stream_events *ev;
	void *arg;
	int watched;    /* events */
	int64_t due_us; /* what the timer is set to, or STREAM_NEVER */
	struct mtime start, activity;
	struct mtime message_start; /* of the unfinished message */
	struct mtime progress;      /* of the write queue */
	enum stream_end why;        /* of a failure still to be told */
	bool failed;
	uint8_t *in;
	size_t in_len, in_size;
	uint32_t reads, pieces; /* ever; of the unfinished message */
	uint8_t *out;
	size_t out_pos, out_len, out_size; /* out[out_pos..out_len) waits */
	uint8_t small[STREAM_SMALL];
};

/* The descriptor is ready; a deadline may have passed. */
void stream_on_socket(void *arg, int fd, int events);
void stream_on_timer(void *arg);
/* Free at once, however far it was made. */
void stream_destroy(struct stream *s);
/* Watch what matters now, and for the next deadline. */
void stream_settle(struct stream *s);
/* The owner is told of the end by the timer, not from within its call. */
void stream_fail_later(struct stream *s, enum stream_end why);

#endif
