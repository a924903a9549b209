/* SPDX-License-Identifier: ISC */
#ifndef COMMON_NET_STREAM_H
#define COMMON_NET_STREAM_H

/*
 * A non-blocking TCP connection with DNS framing (2 octets length, RFC 1035
 * 4.2.2): whole messages in, whole messages out, a bound on the write queue,
 * deadlines for a whole message (not per read). One loop's thread.
 */

#include "common/base/err.h"
#include "common/net/addr.h"
#include "common/net/loop.h"

struct stream;

enum stream_end {
	STREAM_EOF,      /* closed by the peer in good order */
	STREAM_ERROR,    /* reset, refused, ... */
	STREAM_TIMEOUT,  /* idle, connect or message deadline passed */
	STREAM_OVERFLOW, /* the peer does not read what we write */
	STREAM_DRIP,     /* a message came in too many pieces */
};

struct stream_events {
	/* A message; `msg` is valid during the call only. The stream may be
	 * freed from the callback. */
	void (*message)(void *arg, struct stream *s, uint8_t *msg, size_t len);
	/* It ended; the owner must free it (now or later). Called once. */
	void (*closed)(void *arg, struct stream *s, enum stream_end why);
	/* The kernel has taken all that waited in the write queue; NULL:
	 * nobody asks. The stream may be freed from it. */
	void (*drained)(void *arg, struct stream *s);
};

struct stream_limits {
	uint32_t idle_ms;    /* nothing in and nothing pending out; 0: none */
	uint32_t message_ms; /* from a message's first octet to its last */
	uint32_t connect_ms;
	uint32_t queue_bytes; /* bound of the write queue */
	uint32_t reads;       /* in which one message may come; 0: any */
	uint32_t stall_ms;    /* it may stand still so long; 0: message_ms */
};

/* Takes over an accepted fd (closed on failure too). NULL: no memory. */
struct stream *stream_accepted(struct loop *loop, int fd,
	const struct stream_limits *limits, const struct stream_events *ev,
	void *arg) MUST_CHECK;
/* Begin to connect; messages sent meanwhile are queued. */
struct stream *stream_connect(struct loop *loop, const union addr *src,
	const union addr *dst, const struct stream_limits *limits,
	const struct stream_events *ev, void *arg) MUST_CHECK;
/* Frame and send. -ENOBUFS when the queue is full (nothing is sent). */
int stream_send(struct stream *s, const void *msg, size_t len) MUST_CHECK;
/* Octets that wait in the write queue. */
size_t stream_queued(const struct stream *s);
/* From now on these (connect_ms apart). */
void stream_set_limits(struct stream *s, const struct stream_limits *limits);
/* Stop / go on reading (back-pressure). */
void stream_pause(struct stream *s, bool paused);
/* The peer has pending answers: idle time does not run while > 0. */
void stream_set_busy(struct stream *s, bool busy);
/* Close when the queue is out. */
void stream_shutdown(struct stream *s);
/* Reads that brought something, ever. */
uint32_t stream_reads(const struct stream *s);
void stream_free(struct stream *s); /* NULL allowed, any callback */

#endif
