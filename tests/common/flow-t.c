/* SPDX-License-Identifier: ISC */
/*
 * Answers of many messages over TCP. The server runs in a thread; what it
 * does with a message is told by its first octet:
 *	e  answer with the same octets
 *	f  answer by a flow of MESSAGES messages of SIZE octets
 *	p  one message of the flow only, the rest never comes
 *	x  end the connection of the flow that waits
 */

#include "common/serve/serve.h"

#include "common/base/buf.h"
#include "tests/tap/tap.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#define MESSAGES 700 /* 42 MB: more than the kernel keeps */
#define SIZE     60000

struct server {
	struct loop *loop;
	struct serve *serve;
	pthread_t thread;
	struct serve_peer peer;
	bool open;
	unsigned sent, gone, refused;
};

static unsigned get(const unsigned *cell)
{
	return __atomic_load_n(cell, __ATOMIC_RELAXED);
}

static void count(unsigned *cell)
{
	(void)__atomic_fetch_add(cell, 1, __ATOMIC_RELAXED);
}

static void go_on(struct server *s)
{
	static uint8_t msg[SIZE];
	int room = 1;

	while (room == 1 && s->open && s->sent < MESSAGES) {
		msg[0] = 'f';
		room = serve_flow_send(s->serve, &s->peer, msg, sizeof(msg));
		if (room >= 0)
			count(&s->sent);
	}
	if (!s->open || s->sent < MESSAGES)
		return;
	s->open = false;
	serve_flow_close(s->serve, &s->peer);
}

static void on_room(void *arg, uint32_t conn, uint32_t gen)
{
	struct server *s = arg;

	if (s->open && s->peer.conn == conn && s->peer.conn_gen == gen &&
		s->sent > 1)
		go_on(s);
}

static void on_gone(void *arg, uint32_t conn, uint32_t gen)
{
	struct server *s = arg;

	if (!s->open || s->peer.conn != conn || s->peer.conn_gen != gen)
		return;
	s->open = false;
	count(&s->gone);
}

static void begin(struct server *s, const struct serve_request *req)
{
	s->peer = req->peer;
	s->open = serve_flow_open(s->serve, &s->peer, 3000);
	__atomic_store_n(&s->sent, 0, __ATOMIC_RELAXED);
	if (!s->open)
		count(&s->refused);
}

static void on_request(void *arg, const struct serve_request *req)
{
	struct server *s = arg;

	switch (req->msg[0]) {
	case 'f':
		begin(s, req);
		go_on(s);
		return;
	case 'p':
		begin(s, req);
		if (serve_flow_send(s->serve, &s->peer, req->msg, 1) >= 0)
			count(&s->sent);
		return;
	case 'x':
		serve_drop(s->serve, &req->peer);
		serve_abort(s->serve, &s->peer);
		return;
	default:
		serve_reply(s->serve, &req->peer, req->msg, req->len);
		return;
	}
}

static bool on_admit(void *arg, const union addr *client)
{
	(void)arg;
	(void)client;
	return true;
}

static void *run(void *arg)
{
	struct server *s = arg;

	loop_run(s->loop);
	return NULL;
}

static union addr server_start(struct server *s)
{
	static const struct serve_flow_events events = {on_room, on_gone};
	union addr a;
	struct serve_config config = {
		.addrs = &a, .addr_count = 1, .tcp_message_ms = 400};
	struct err err;

	if (addr_parse("127.0.0.1", 0, &a) < 0)
		tap_bail("addr");
	s->loop = loop_new();
	s->serve = serve_new(s->loop, &config, on_request, on_admit, s, &err);
	if (!s->serve)
		tap_bail("%s", err.text);
	serve_on_flow(s->serve, &events);
	if (pthread_create(&s->thread, NULL, run, s) != 0)
		tap_bail("thread");
	return serve_local_addr(s->serve, 0);
}

static int client(const union addr *to)
{
	struct timeval tv = {.tv_sec = 5};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	if (fd < 0 || connect(fd, &to->sa, addr_len(to)) < 0)
		tap_bail("connect: %s", strerror(errno));
	return fd;
}

static void say(int fd, char what)
{
	const uint8_t frame[] = {0, 1, (uint8_t)what};

	if (send(fd, frame, sizeof(frame), MSG_NOSIGNAL) != sizeof(frame))
		tap_bail("send");
}

static bool read_full(int fd, uint8_t *out, size_t n)
{
	for (size_t got = 0; got < n;) {
		ssize_t r = recv(fd, out + got, n - got, 0);

		if (r <= 0)
			return false;
		got += (size_t)r;
	}
	return true;
}

/* First octet of the next message; 0: the connection has ended. */
static char hear(int fd)
{
	static uint8_t msg[65536];

	if (!read_full(fd, msg, 2))
		return 0;
	return read_full(fd, msg + 2, get16(msg)) ? (char)msg[2] : 0;
}

/* Has it stopped sending? True when 300 ms bring no more messages. */
static bool is_waiting(void *arg)
{
	struct server *s = arg;
	unsigned before = get(&s->sent);

	(void)poll(NULL, 0, 300);
	return before > 0 && get(&s->sent) == before;
}

static bool is_gone(void *arg)
{
	struct server *s = arg;

	return get(&s->gone) > 0;
}

/* It reads nothing at first, longer than a message may take. */
static void test_slow(struct server *s, const union addr *to)
{
	int fd = client(to), other = client(to);
	unsigned flow = 0, echo = 0;

	say(fd, 'f');
	ok(tap_wait(is_waiting, s, 5000) && is_waiting(s),
		"the client does not read");
	ok(get(&s->sent) < MESSAGES, "the flow waits after %u messages",
		get(&s->sent));
	say(other, 'e');
	ok(hear(other) == 'e', "other connections do not");
	say(fd, 'e');
	for (char c = hear(fd); c; c = hear(fd)) {
		flow += c == 'f';
		echo += c == 'e';
		if (flow == MESSAGES && echo == 1)
			break;
	}
	is_int(flow, MESSAGES, "it reads: all messages come, whole");
	is_int(echo, 1, "and between them the answer to another query");
	say(fd, 'e');
	ok(hear(fd) == 'e', "the connection goes on");
	is_int(get(&s->gone), 0, "nothing is gone");
	close(fd);
	close(other);
}

static void test_gone(struct server *s, const union addr *to)
{
	int fd = client(to);

	say(fd, 'f');
	ok(hear(fd) == 'f', "a flow begins");
	close(fd);
	ok(tap_wait(is_gone, s, 5000), "the client closes: we are told");
	is_int(get(&s->gone), 1, "once");
}

static void test_abort(const union addr *to)
{
	int fd = client(to), other = client(to);

	say(fd, 'p');
	ok(hear(fd) == 'p', "a flow begins");
	say(fd, 'e');
	ok(hear(fd) == 'e', "another query is answered while it waits");
	say(other, 'x');
	ok(hear(fd) == 0, "the rest cannot be had: closed");
	say(other, 'e');
	ok(hear(other) == 'e', "that one only");
	close(fd);
	close(other);
}

int main(void)
{
	static struct server s;
	union addr to = server_start(&s);
	struct serve_peer nobody = {.tcp = true, .conn = 7, .conn_gen = 99};

	test_slow(&s, &to);
	test_gone(&s, &to);
	test_abort(&to);
	loop_stop(s.loop);
	pthread_join(s.thread, NULL);
	is_int(get(&s.refused), 0, "no flow was refused");
	ok(!serve_flow_open(s.serve, &nobody, 0), "none without a connection");
	is_int(serve_flow_send(s.serve, &nobody, (const uint8_t *)"x", 1),
		-EPIPE, "nothing is sent there");
	serve_free(s.serve);
	loop_free(s.loop);
	return tap_done();
}
