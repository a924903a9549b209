/* SPDX-License-Identifier: ISC */
/* Streams of accepted descriptors, and of connections that are begun. */

#include "common/net/stream_impl.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>

static struct stream *stream_new(struct loop *loop, int fd,
	const struct stream_limits *limits, const struct stream_events *ev,
	void *arg)
{
	const int one = 1;
	struct stream *s = calloc(1, sizeof(*s));

	if (!s) {
		close(fd);
		return NULL;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	s->loop = loop;
	s->fd = fd;
	s->limits = *limits;
	if (s->limits.queue_bytes == 0)
		s->limits.queue_bytes = 1 << 20;
	s->ev = ev;
	s->arg = arg;
	s->in = s->small;
	s->in_size = sizeof(s->small);
	s->due_us = STREAM_NEVER;
	s->start = s->activity = s->progress = mtime_now();
	s->timer = timer_new(loop, stream_on_timer, s);
	s->watch = watch_open(loop, fd, 0, stream_on_socket, s);
	if (s->timer && s->watch)
		return s;
	stream_destroy(s);
	return NULL;
}

struct stream *stream_accepted(struct loop *loop, int fd,
	const struct stream_limits *limits, const struct stream_events *ev,
	void *arg)
{
	struct stream *s = stream_new(loop, fd, limits, ev, arg);

	if (!s)
		return NULL;
	s->accepted = true;
	s->state = OPEN;
	stream_settle(s);
	return s;
}

struct stream *stream_connect(struct loop *loop, const union addr *src,
	const union addr *dst, const struct stream_limits *limits,
	const struct stream_events *ev, void *arg)
{
	int fd = socket(dst->sa.sa_family,
		SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct stream *s;
	int rc = 0;

	if (fd < 0)
		return NULL;
	s = stream_new(loop, fd, limits, ev, arg);
	if (!s)
		return NULL;
	s->state = CONNECTING;
	if (src && src->sa.sa_family != AF_UNSPEC)
		rc = bind(fd, &src->sa, addr_len(src));
	if (rc == 0)
		rc = connect(fd, &dst->sa, addr_len(dst));
	if (rc < 0 && errno != EINPROGRESS)
		stream_fail_later(s, STREAM_ERROR);
	else
		stream_settle(s);
	return s;
}
