/* SPDX-License-Identifier: ISC */
/*
 * DNS framing over a stream: the input goes through a socket pair; the
 * messages that come out must be the frames that it holds, in order.
 */

#include "tests/fuzz/fuzz.h"

#include <sys/socket.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/net/stream.h"

#define INPUT_MAX 60000 /* fits into the socket's buffer */

static struct loop *loop;
static const uint8_t *input;
static size_t input_size, at;

static void on_message(void *arg, struct stream *s, uint8_t *msg, size_t len)
{
	(void)arg;
	(void)s;
	fuzz_check(len > 0);
	fuzz_check(at + 2 + len <= input_size);
	fuzz_check(get16(input + at) == len);
	fuzz_check(memcmp(input + at + 2, msg, len) == 0);
	at += 2 + len;
}

static void on_closed(void *arg, struct stream *s, enum stream_end why)
{
	(void)arg;
	/* Nothing whole is left, unless a frame of length 0 ended it. */
	if (why == STREAM_EOF)
		fuzz_check(input_size - at < 2 ||
			   input_size - at - 2 < get16(input + at));
	else
		fuzz_check(input_size - at >= 2 && get16(input + at) == 0);
	stream_free(s);
	loop_stop(loop);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct stream_events events = {
		.message = on_message, .closed = on_closed};
	const struct stream_limits limits = {.message_ms = 10000};
	int fds[2];

	if (size == 0 || size > INPUT_MAX)
		return 0;
	if (!loop)
		loop = loop_new();
	input = data;
	input_size = size;
	at = 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) < 0)
		return 0;
	fuzz_check(
		stream_accepted(loop, fds[0], &limits, &events, NULL) != NULL);
	if (write(fds[1], data, size) != (ssize_t)size)
		input_size = 0;
	shutdown(fds[1], SHUT_WR);
	loop_run(loop);
	close(fds[1]);
	return 0;
}
