/* SPDX-License-Identifier: ISC */
/*
 * Framing on a non-blocking socket. Input gathers in a small buffer inside
 * the stream, in a larger one only while a long message needs it. Output is
 * written at once; what the kernel does not take waits in a bounded queue.
 * One timer serves all deadlines: it is set to the earliest and finds out,
 * when it fires, whether that one has moved.
 */

#include "common/net/stream_impl.h"

#include "common/base/buf.h"

#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

/* --- ends --- */

void stream_destroy(struct stream *s)
{
	watch_close(s->watch);
	timer_free(s->timer);
	if (s->fd >= 0)
		close(s->fd);
	if (s->in != s->small)
		free(s->in);
	free(s->out);
	free(s);
}

void stream_free(struct stream *s)
{
	if (!s)
		return;
	s->freed = true;
	if (s->depth == 0)
		stream_destroy(s);
}

static void enter(struct stream *s)
{
	s->depth++;
}

/* The stream may be gone after this. */
static void leave(struct stream *s)
{
	if (--s->depth == 0 && s->freed)
		stream_destroy(s);
}

static bool is_over(const struct stream *s)
{
	return s->freed || s->state == ENDED;
}

static void end(struct stream *s, enum stream_end why)
{
	if (is_over(s))
		return;
	s->state = ENDED;
	watch_close(s->watch);
	s->watch = NULL;
	timer_clear(s->timer);
	close(s->fd);
	s->fd = -1;
	s->ev->closed(s->arg, s, why);
}

/* --- deadlines --- */

static size_t queued(const struct stream *s)
{
	return s->out_len - s->out_pos;
}

static int64_t after(struct mtime t, uint32_t ms)
{
	return ms ? mtime_add_ms(t, ms).us : STREAM_NEVER;
}

/* The next deadline and what it means when it passes. */
static int64_t next_deadline(const struct stream *s, enum stream_end *why)
{
	*why = STREAM_TIMEOUT;
	if (s->failed)
		return 0;
	if (s->state == CONNECTING)
		return after(s->start, s->limits.connect_ms);
	if (queued(s) > 0) {
		*why = STREAM_OVERFLOW;
		return after(s->progress, s->limits.stall_ms
						  ? s->limits.stall_ms
						  : s->limits.message_ms);
	}
	if (s->in_len > 0 && !s->paused)
		return after(s->message_start, s->limits.message_ms);
	if (s->busy || s->paused)
		return STREAM_NEVER;
	return after(s->activity, s->limits.idle_ms);
}

static void set_timer(struct stream *s, int64_t due_us)
{
	if (s->due_us <= due_us)
		return;
	s->due_us = due_us;
	timer_set_us(s->timer, due_us - mtime_now().us);
}

static void update_timer(struct stream *s)
{
	enum stream_end why;

	if (!is_over(s))
		set_timer(s, next_deadline(s, &why));
}

/* Fail from within a call of the owner: told from the timer, so that no
 * callback comes out of stream_send. */
void stream_fail_later(struct stream *s, enum stream_end why)
{
	s->failed = true;
	s->why = why;
	set_timer(s, 0);
}

/* --- output --- */

/* No more is read from a client than it takes answers: one that asks fast
 * and reads slowly waits for itself. (A server we ask must always be read, or
 * both ends wait.) */
static bool is_choked(const struct stream *s)
{
	return s->accepted && queued(s) > s->limits.queue_bytes / 4;
}

static void watch_what_matters(struct stream *s)
{
	int events = 0;

	if (is_over(s))
		return;
	if (s->state == OPEN && !s->paused && !is_choked(s))
		events |= LOOP_READ;
	if (s->state == CONNECTING || queued(s) > 0)
		events |= LOOP_WRITE;
	if (events == s->watched)
		return;
	s->watched = events;
	if (watch_events(s->watch, events) < 0)
		stream_fail_later(s, STREAM_ERROR);
}

/* Nothing more to come and nothing more to say? */
static void finish_if_done(struct stream *s)
{
	if (is_over(s) || queued(s) > 0)
		return;
	if (s->state == FINISHING ||
		(s->state == HALF_CLOSED && !s->busy && s->in_len == 0))
		stream_fail_later(s, STREAM_EOF);
}

static int out_room(struct stream *s, size_t n)
{
	size_t size = s->out_size ? s->out_size : 4096;
	uint8_t *bigger;

	if (s->out_pos > 0) {
		memmove(s->out, s->out + s->out_pos, queued(s));
		s->out_len -= s->out_pos;
		s->out_pos = 0;
	}
	if (s->out_len + n <= s->out_size)
		return 0;
	while (size < s->out_len + n)
		size *= 2;
	bigger = realloc(s->out, size);
	if (!bigger)
		return -ENOBUFS;
	s->out = bigger;
	s->out_size = size;
	return 0;
}

static int enqueue(struct stream *s, const uint8_t *data, size_t n)
{
	if (n == 0)
		return 0;
	if (out_room(s, n) < 0)
		return -ENOBUFS;
	if (queued(s) == 0)
		s->progress = mtime_now();
	memcpy(s->out + s->out_len, data, n);
	s->out_len += n;
	return 0;
}

static ssize_t write_now(struct stream *s, struct iovec *iov, unsigned count)
{
	struct msghdr h = {.msg_iov = iov, .msg_iovlen = count};
	ssize_t n = sendmsg(s->fd, &h, MSG_NOSIGNAL);

	if (n >= 0)
		return n;
	return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

static void flush(struct stream *s)
{
	struct iovec iov = {s->out + s->out_pos, queued(s)};
	ssize_t n;

	if (queued(s) == 0)
		return;
	n = write_now(s, &iov, 1);
	if (n < 0) {
		stream_fail_later(s, STREAM_ERROR);
		return;
	}
	s->out_pos += (size_t)n;
	if (n > 0)
		s->progress = s->activity = mtime_now();
	if (queued(s) == 0) {
		free(s->out);
		s->out = NULL;
		s->out_pos = s->out_len = s->out_size = 0;
	}
}

/* Queue what is left of header and message after `done` octets went out. */
static int enqueue_rest(struct stream *s, const uint8_t header[2],
	const uint8_t *msg, size_t len, size_t done)
{
	size_t head = done < 2 ? 2 - done : 0;
	size_t body = done < 2 ? 0 : done - 2;

	if (enqueue(s, header + 2 - head, head) < 0)
		return -ENOBUFS;
	return enqueue(s, msg + body, len - body);
}

int stream_send(struct stream *s, const void *msg, size_t len)
{
	uint8_t header[2];
	struct iovec iov[2];
	ssize_t n = 0;

	if (is_over(s) || s->failed || s->state == FINISHING)
		return -EPIPE;
	if (len == 0 || len > 65535)
		return -EMSGSIZE;
	if (queued(s) > 0 && queued(s) + len + 2 > s->limits.queue_bytes)
		return -ENOBUFS;
	put16(header, (uint16_t)len);
	iov[0] = (struct iovec){header, sizeof(header)};
	iov[1].iov_len = len;
	memcpy(&iov[1].iov_base, &msg, sizeof(msg)); /* not written to */
	if (s->state != CONNECTING && queued(s) == 0)
		n = write_now(s, iov, 2);
	if (n < 0) {
		stream_fail_later(s, STREAM_ERROR);
		return -EPIPE;
	}
	if (n > 0)
		s->activity = mtime_now();
	if (enqueue_rest(s, header, msg, len, (size_t)n) < 0) {
		stream_fail_later(s, STREAM_OVERFLOW);
		return -ENOBUFS;
	}
	stream_settle(s);
	return 0;
}

/* --- input --- */

static int grow_input(struct stream *s, size_t need)
{
	uint8_t *bigger;

	if (need <= s->in_size)
		return 0;
	bigger = malloc(need);
	if (!bigger)
		return -ENOMEM;
	memcpy(bigger, s->in, s->in_len);
	if (s->in != s->small)
		free(s->in);
	s->in = bigger;
	s->in_size = need;
	return 0;
}

static void shrink_input(struct stream *s)
{
	if (s->in == s->small || s->in_len > 0)
		return;
	free(s->in);
	s->in = s->small;
	s->in_size = sizeof(s->small);
}

/* Length of the frame at `pos`: -EAGAIN when it is not whole yet. */
static ssize_t frame_at(const struct stream *s, size_t pos)
{
	size_t len;

	if (s->in_len - pos < 2)
		return -EAGAIN;
	len = get16(s->in + pos);
	if (len == 0)
		return -EPROTO;
	return s->in_len - pos - 2 < len ? -EAGAIN : (ssize_t)len;
}

/* Hand out the whole messages of the buffer; the rest moves to its start. */
static void deliver(struct stream *s)
{
	size_t pos = 0;
	ssize_t len = 0;

	while (!is_over(s) && !s->paused && !is_choked(s) && pos < s->in_len) {
		len = frame_at(s, pos);
		if (len < 0)
			break;
		pos += 2 + (size_t)len;
		s->activity = mtime_now();
		s->ev->message(s->arg, s, s->in + pos - len, (size_t)len);
	}
	if (is_over(s))
		return;
	if (pos > 0) {
		memmove(s->in, s->in + pos, s->in_len - pos);
		s->in_len -= pos;
		s->message_start = mtime_now();
		s->pieces = 0;
	}
	if (s->state == HALF_CLOSED && len < 0)
		s->in_len = 0; /* the rest of a message will not come */
	if (len == -EPROTO || (s->in_len >= 2 && !s->paused &&
				      grow_input(s, 2u + get16(s->in)) < 0))
		stream_fail_later(s, STREAM_ERROR);
	shrink_input(s);
}

static void input_ended(struct stream *s)
{
	/* A client may close its sending side and wait for its answers; what
	 * it asked before may have waited while we read no more. */
	if (s->accepted) {
		s->state = HALF_CLOSED;
		deliver(s);
		if (is_over(s) || s->busy || s->in_len > 0 || queued(s) > 0)
			return;
	}
	end(s, STREAM_EOF);
}

static void receive(struct stream *s)
{
	ssize_t n;

	if (s->paused || is_choked(s) || s->failed || s->in_len == s->in_size)
		return;
	n = recv(s->fd, s->in + s->in_len, s->in_size - s->in_len, 0);
	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			end(s, STREAM_ERROR);
		return;
	}
	if (n == 0) {
		input_ended(s);
		return;
	}
	if (s->in_len == 0)
		s->message_start = mtime_now();
	s->in_len += (size_t)n;
	s->reads++;
	s->pieces++;
	deliver(s);
	if (!is_over(s) && s->limits.reads && s->pieces >= s->limits.reads)
		end(s, STREAM_DRIP);
}

uint32_t stream_reads(const struct stream *s)
{
	return s->reads;
}

/* --- events --- */

static void connected(struct stream *s)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 ||
		error != 0) {
		end(s, STREAM_ERROR);
		return;
	}
	s->state = OPEN;
	s->activity = s->progress = mtime_now();
}

/* Write, and read what waited for it. */
static void go_on(struct stream *s)
{
	bool choked = is_choked(s), waited = queued(s) > 0;

	flush(s);
	if (waited && queued(s) == 0 && !s->failed && s->ev->drained)
		s->ev->drained(s->arg, s);
	if (is_over(s) || !choked || is_choked(s))
		return;
	s->message_start = mtime_now();
	deliver(s);
}

void stream_on_socket(void *arg, int fd, int events)
{
	struct stream *s = arg;

	(void)fd;
	enter(s);
	if (s->state == CONNECTING && (events & LOOP_WRITE))
		connected(s);
	if (!is_over(s) && (events & LOOP_WRITE))
		go_on(s);
	if (!is_over(s) && (events & LOOP_READ))
		receive(s);
	if (!is_over(s)) {
		finish_if_done(s);
		stream_settle(s);
	}
	leave(s);
}

void stream_on_timer(void *arg)
{
	struct stream *s = arg;
	enum stream_end why;
	int64_t due;

	enter(s);
	s->due_us = STREAM_NEVER;
	if (!s->failed && (s->state == OPEN || s->state == HALF_CLOSED))
		deliver(s); /* what waited while it was paused */
	finish_if_done(s);
	if (!is_over(s)) {
		due = next_deadline(s, &why);
		if (s->failed)
			end(s, s->why);
		else if (due <= mtime_now().us)
			end(s, why);
		else if (due != STREAM_NEVER)
			set_timer(s, due);
	}
	if (!is_over(s))
		watch_what_matters(s);
	leave(s);
}

void stream_settle(struct stream *s)
{
	watch_what_matters(s);
	update_timer(s);
}

size_t stream_queued(const struct stream *s)
{
	return queued(s);
}

void stream_set_limits(struct stream *s, const struct stream_limits *limits)
{
	s->limits = *limits;
	if (!is_over(s))
		stream_settle(s);
}

void stream_pause(struct stream *s, bool paused)
{
	if (is_over(s) || s->paused == paused)
		return;
	s->paused = paused;
	if (!paused && s->in_len > 0) {
		s->message_start = mtime_now();
		set_timer(s, 0);
	}
	stream_settle(s);
}

void stream_set_busy(struct stream *s, bool busy)
{
	if (is_over(s) || s->busy == busy)
		return;
	s->busy = busy;
	if (!busy)
		s->activity = mtime_now();
	finish_if_done(s);
	update_timer(s);
}

void stream_shutdown(struct stream *s)
{
	if (is_over(s))
		return;
	s->state = FINISHING;
	finish_if_done(s);
	stream_settle(s);
}
