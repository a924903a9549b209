/* SPDX-License-Identifier: ISC */
/*
 * The DNS listeners against real sockets on loopback. The server runs in a
 * thread; what it does with a message is told by the message's first octet:
 *	e  answer with the same octets at once
 *	h  hold: answer when an 'r' comes
 *	r  release all that is held, then answer
 *	n  there will be no answer
 *	b  answer with 60000 octets
 */

#include "common/serve/serve.h"

#include "common/base/buf.h"
#include "tests/tap/tap.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#define HELD 64

struct held {
	struct serve_peer peer;
	uint8_t msg[64];
	size_t len;
};

struct server {
	struct loop *loop;
	struct serve *serve;
	pthread_t thread;
	struct held held[HELD];
	unsigned held_count, seen;
	const union addr *denied;
	char tag; /* put into the second octet of answers when set */
};

static void reply(struct server *s, const struct serve_peer *peer,
	const uint8_t *msg, size_t len)
{
	uint8_t copy[512];

	if (len > sizeof(copy))
		len = sizeof(copy);
	memcpy(copy, msg, len);
	if (s->tag && len > 1)
		copy[1] = (uint8_t)s->tag;
	serve_reply(s->serve, peer, copy, len);
}

static void release(struct server *s)
{
	for (unsigned i = 0; i < s->held_count; i++)
		reply(s, &s->held[i].peer, s->held[i].msg, s->held[i].len);
	s->held_count = 0;
}

static void hold(struct server *s, const struct serve_request *req)
{
	struct held *h = &s->held[s->held_count % HELD];

	h->peer = req->peer;
	h->len = req->len < sizeof(h->msg) ? req->len : sizeof(h->msg);
	memcpy(h->msg, req->msg, h->len);
	if (s->held_count < HELD)
		s->held_count++;
}

static void on_request(void *arg, const struct serve_request *req)
{
	static uint8_t big[60000];
	struct server *s = arg;

	__atomic_add_fetch(&s->seen, 1, __ATOMIC_RELAXED);
	switch (req->msg[0]) {
	case 'h':
		hold(s, req);
		return;
	case 'n':
		serve_drop(s->serve, &req->peer);
		return;
	case 'x':
		serve_close(s->serve, &req->peer);
		return;
	case 'b':
		serve_reply(s->serve, &req->peer, big, sizeof(big));
		return;
	case 'r':
		release(s);
		break;
	default:
		break;
	}
	reply(s, &req->peer, req->msg, req->len);
}

static bool on_admit(void *arg, const union addr *client)
{
	struct server *s = arg;

	return !s->denied || !addr_equal_ip(s->denied, client);
}

static union addr addr_of(const char *text)
{
	union addr a;

	if (addr_parse(text, 0, &a) < 0)
		tap_bail("%s", text);
	return a;
}

static void *run(void *arg)
{
	struct server *s = arg;

	loop_run(s->loop);
	return NULL;
}

static void server_start(struct server *s, const struct serve_config *config)
{
	struct err err = {{0}};

	s->loop = loop_new();
	s->serve = serve_new(s->loop, config, on_request, on_admit, s, &err);
	if (!s->serve)
		tap_bail("serve_new: %s", err.text);
	if (pthread_create(&s->thread, NULL, run, s) != 0)
		tap_bail("pthread_create");
}

static void server_halt(struct server *s)
{
	loop_stop(s->loop);
	pthread_join(s->thread, NULL);
}

static void server_resume(struct server *s)
{
	if (pthread_create(&s->thread, NULL, run, s) != 0)
		tap_bail("pthread_create");
}

static void server_free(struct server *s)
{
	serve_free(s->serve);
	loop_free(s->loop);
}

/* --- clients --- */

static int client(int type, const char *from, const union addr *to)
{
	struct timeval tv = {.tv_sec = 3};
	int fd = socket(to->sa.sa_family, type, 0), one = 1;
	union addr src = addr_of(from);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	if (type == SOCK_STREAM)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (bind(fd, &src.sa, addr_len(&src)) < 0 ||
		connect(fd, &to->sa, addr_len(to)) < 0)
		tap_bail("connect from %s: %s", from, strerror(errno));
	return fd;
}

static bool frame_send(int fd, const char *text)
{
	uint8_t frame[600];
	size_t n = strlen(text);

	put16(frame, (uint16_t)n);
	memcpy(frame + 2, text, n);
	return send(fd, frame, n + 2, MSG_NOSIGNAL) == (ssize_t)n + 2;
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

/* "" when there is no whole frame. */
static const char *frame_recv(int fd)
{
	static char text[65536];
	uint8_t head[2];
	size_t n;

	text[0] = '\0';
	if (!read_full(fd, head, 2))
		return text;
	n = get16(head);
	if (!read_full(fd, (uint8_t *)text, n))
		n = 0;
	text[n] = '\0';
	return text;
}

static const char *ask(int fd, const char *text)
{
	return frame_send(fd, text) ? frame_recv(fd) : "";
}

/* Does the server end this connection within 3 s? */
static bool is_closed(int fd)
{
	char c;
	ssize_t n = recv(fd, &c, 1, 0);

	return n == 0 || (n < 0 && errno == ECONNRESET);
}

static struct serve_config config_on(const union addr *a)
{
	struct serve_config c = {
		.addrs = a, .addr_count = 1, .reuseport = true};

	return c;
}

/* --- UDP --- */

static void test_udp(void)
{
	union addr any = addr_of("0.0.0.0"), bound, to;
	struct serve_config config = config_on(&any);
	struct server s = {0};
	unsigned good = 0;
	char text[32], back[64];
	int fd;

	server_start(&s, &config);
	to = addr_of("127.0.0.5");
	bound = serve_local_addr(s.serve, 0);
	addr_set_port(&to, addr_port(&bound));
	fd = client(SOCK_DGRAM, "127.0.0.1", &to);
	for (unsigned i = 0; i < 100; i++) {
		int n = snprintf(text, sizeof(text), "e%u", i);

		if (send(fd, text, (size_t)n, 0) != n)
			tap_diag("send %u", i);
	}
	/* connected to 127.0.0.5: an answer from elsewhere is not seen */
	while (good < 100 && recv(fd, back, sizeof(back), 0) > 0)
		good++;
	is_int(good, 100, "answers come from the address asked");
	if (send(fd, "", 0, 0) == 0 && send(fd, "e!", 2, 0) == 2)
		is_int(recv(fd, back, sizeof(back), 0), 2,
			"an empty datagram is passed over");
	close(fd);
	server_halt(&s);
	is_int(serve_get_stats(s.serve)->udp_in, 102, "counted in");
	is_int(serve_get_stats(s.serve)->udp_out, 101, "counted out");
	server_free(&s);
}

struct gatherer {
	struct serve *serve;
	const struct serve_request *reqs[SERVE_BATCH_MAX];
	unsigned count;
};

static void gather(void *arg, const struct serve_request *req)
{
	struct gatherer *g = arg;

	if (g->count < countof(g->reqs))
		g->reqs[g->count++] = req;
}

static void answer_gathered(void *arg)
{
	struct gatherer *g = arg;

	for (unsigned i = 0; i < g->count; i++)
		serve_reply(g->serve, &g->reqs[i]->peer, g->reqs[i]->msg,
			g->reqs[i]->len);
	g->count = 0;
}

/* Requests are whole until the end of their batch is told; also, an address of
 * its own answers from itself. */
static void test_batches(void)
{
	union addr own = addr_of("127.0.0.7"), to;
	struct serve_config config = config_on(&own);
	struct gatherer g = {.count = 0};
	struct loop *loop = loop_new();
	struct server s = {.loop = loop};
	struct err err = {{0}};
	char back[64], want[64];
	unsigned good = 0;
	int udp, tcp;

	g.serve = serve_new(loop, &config, gather, NULL, &g, &err);
	if (!g.serve)
		tap_bail("%s", err.text);
	serve_on_batch_end(g.serve, answer_gathered);
	to = serve_local_addr(g.serve, 0);
	udp = client(SOCK_DGRAM, "127.0.0.1", &to);
	/* more than three batches wait when it starts */
	for (unsigned i = 0; i < 100; i++) {
		int n = snprintf(back, sizeof(back), "g%u", i);

		if (send(udp, back, (size_t)n, 0) != n)
			tap_diag("send %u", i);
	}
	server_resume(&s);
	for (unsigned i = 0; i < 100; i++) {
		ssize_t n = recv(udp, back, sizeof(back), 0);

		(void)snprintf(want, sizeof(want), "g%u", i);
		good += n == (ssize_t)strlen(want) &&
			memcmp(back, want, (size_t)n) == 0;
	}
	is_int(good, 100, "each request is whole at the end of its batch");
	tcp = client(SOCK_STREAM, "127.0.0.1", &to);
	is_string(ask(tcp, "gt"), "gt", "on TCP too");
	server_halt(&s);
	close(udp);
	close(tcp);
	serve_free(g.serve);
	loop_free(loop);
}

/* --- TCP --- */

static void test_order(const union addr *to)
{
	int fd = client(SOCK_STREAM, "127.0.0.1", to), other;

	is_string(ask(fd, "e1"), "e1", "a query over TCP");
	ok(frame_send(fd, "h1") && frame_send(fd, "h2") && frame_send(fd, "e3"),
		"three more in one go");
	is_string(frame_recv(fd), "e3", "the fast one overtakes");
	frame_send(fd, "r4");
	is_string(frame_recv(fd), "h1", "the slow ones come when ready");
	is_string(frame_recv(fd), "h2", "each");
	is_string(frame_recv(fd), "r4", "and the last");
	frame_send(fd, "n");
	is_string(ask(fd, "e5"), "e5", "one without answer blocks nobody");
	frame_send(fd, "h6");
	is_string(ask(fd, "e7"), "e7", "one is being worked on");
	frame_send(fd, "x");
	other = client(SOCK_STREAM, "127.0.0.1", to);
	is_string(ask(other, "r8"), "r8", "the end is near");
	is_string(frame_recv(fd), "h6", "what was asked is still answered");
	ok(is_closed(fd), "then the connection is closed");
	close(other);
	close(fd);
}

static void test_pieces(const union addr *to)
{
	static const char frame[] = "\0\5ehell\0\2eo";
	int fd = client(SOCK_STREAM, "127.0.0.1", to);

	for (size_t i = 0; i < sizeof(frame) - 1; i++)
		if (send(fd, frame + i, 1, 0) != 1)
			tap_diag("send");
	is_string(frame_recv(fd), "ehell", "octet by octet");
	is_string(frame_recv(fd), "eo", "and the next");
	close(fd);
	fd = client(SOCK_STREAM, "127.0.0.1", to);
	if (send(fd, "\0\0\0\0", 4, 0) == 4)
		ok(is_closed(fd), "a frame of length 0 ends the connection");
	close(fd);
}

static void test_half_close(const union addr *to)
{
	int fd = client(SOCK_STREAM, "127.0.0.1", to);
	int other = client(SOCK_STREAM, "127.0.0.1", to);

	frame_send(fd, "h1");
	frame_send(fd, "e2");
	is_string(frame_recv(fd), "e2", "both were read");
	shutdown(fd, SHUT_WR);
	is_string(ask(other, "r"), "r", "released");
	is_string(frame_recv(fd), "h1",
		"the answer reaches one who sends no "
		"more");
	ok(is_closed(fd), "then the connection ends");
	close(fd);
	close(other);
}

static void test_deadlines(const union addr *to)
{
	int drip = client(SOCK_STREAM, "127.0.0.1", to);
	int idle = client(SOCK_STREAM, "127.0.0.1", to);
	int busy = client(SOCK_STREAM, "127.0.0.1", to);
	struct pollfd p = {.fd = drip, .events = POLLIN};
	unsigned sent = 0;

	frame_send(busy, "h");
	if (send(drip, "\0\377", 2, 0) != 2)
		tap_diag("send");
	/* 255 octets at one per 20 ms would take 5 s */
	while (sent < 200 && poll(&p, 1, 20) == 0)
		sent += send(drip, "e", 1, MSG_NOSIGNAL) == 1;
	ok(sent < 60, "a drip feed is ended after %u octets", sent);
	ok(is_closed(idle), "an idle connection is closed");
	is_string(ask(busy, "r"), "h", "one that waits for an answer is not");
	close(drip);
	close(idle);
	close(busy);
}

static void test_per_client(const union addr *to)
{
	int fds[6], other;

	for (unsigned i = 0; i < 6; i++)
		fds[i] = client(SOCK_STREAM, "127.0.0.2", to);
	ok(is_closed(fds[5]), "one too many of a client is closed");
	is_string(ask(fds[4], "e"), "e", "the others go on");
	other = client(SOCK_STREAM, "127.0.0.3", to);
	is_string(ask(other, "e"), "e", "another client is served");
	close(other);
	for (unsigned i = 0; i < 6; i++)
		close(fds[i]);
}

static void test_denied(struct server *s, const union addr *to)
{
	union addr denied = addr_of("127.0.0.66");
	int fd;

	server_halt(s);
	s->denied = &denied;
	server_resume(s);
	fd = client(SOCK_STREAM, "127.0.0.66", to);
	ok(is_closed(fd), "a client that is not admitted is closed");
	close(fd);
	fd = client(SOCK_STREAM, "127.0.0.67", to);
	is_string(ask(fd, "e"), "e", "another one not");
	close(fd);
	server_halt(s);
	s->denied = NULL;
	server_resume(s);
}

static void test_inflight(struct server *s, const union addr *to)
{
	int fd = client(SOCK_STREAM, "127.0.0.1", to);
	int other = client(SOCK_STREAM, "127.0.0.1", to);
	unsigned before, got = 0;

	is_string(ask(other, "e"), "e", "ready");
	before = __atomic_load_n(&s->seen, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < 20; i++)
		frame_send(fd, "h");
	for (unsigned i = 0; i < 10; i++)
		ask(other, "e");
	is_int(__atomic_load_n(&s->seen, __ATOMIC_RELAXED) - before, 10 + 8,
		"no more than 8 are taken before one is answered");
	for (unsigned i = 0; i < 10; i++)
		ask(other, "r"); /* each lets some of the rest in */
	while (got < 20 && strcmp(frame_recv(fd), "h") == 0)
		got++;
	is_int(got, 20, "all are answered in the end");
	close(fd);
	close(other);
}

static void test_reader_asleep(const union addr *to)
{
	int fd = client(SOCK_STREAM, "127.0.0.1", to);
	int other = client(SOCK_STREAM, "127.0.0.1", to);
	struct pollfd p = {.fd = fd}; /* only errors */

	for (unsigned i = 0; i < 2000 && frame_send(fd, "b"); i++)
		;
	is_string(ask(other, "e"), "e", "the others do not notice");
	is_int(poll(&p, 1, 3000), 1, "one that never reads is cut off");
	close(fd);
	close(other);
}

static void test_tcp(void)
{
	union addr a = addr_of("127.0.0.1"), to;
	struct serve_config config = config_on(&a);
	struct server s = {0};

	config.tcp_per_client = 5;
	config.tcp_inflight = 8;
	config.tcp_idle_ms = 300;
	config.tcp_message_ms = 400;
	server_start(&s, &config);
	to = serve_local_addr(s.serve, 0);
	test_order(&to);
	test_pieces(&to);
	test_half_close(&to);
	test_deadlines(&to);
	test_per_client(&to);
	test_denied(&s, &to);
	test_inflight(&s, &to);
	test_reader_asleep(&to);
	server_halt(&s);
	ok(serve_get_stats(s.serve)->tcp_timeouts >= 2, "time-outs counted");
	ok(serve_get_stats(s.serve)->tcp_over_client >= 1, "and the limits");
	server_free(&s);
}

static void test_eviction(void)
{
	union addr a = addr_of("127.0.0.1"), to;
	struct serve_config config = config_on(&a);
	struct server s = {0};
	int fds[4], late;

	config.tcp_max = 4;
	server_start(&s, &config);
	to = serve_local_addr(s.serve, 0);
	for (unsigned i = 0; i < 4; i++) {
		fds[i] = client(SOCK_STREAM, "127.0.0.1", &to);
		is_string(ask(fds[i], "e"), "e", "connection %u", i);
	}
	frame_send(fds[0], "h0");
	is_string(ask(fds[1], "e"), "e", "the second is used again");
	late = client(SOCK_STREAM, "127.0.0.9", &to);
	is_string(ask(late, "e"), "e", "a fifth gets in");
	ok(is_closed(fds[2]), "the longest idle one made room");
	is_string(ask(fds[1], "e"), "e", "not the one used last");
	is_string(ask(fds[3], "e"), "e", "nor a younger one");
	is_string(ask(late, "r"), "r", "release");
	is_string(frame_recv(fds[0]), "h0", "the busy one got its answer");
	for (unsigned i = 0; i < 4; i++)
		close(fds[i]);
	close(late);
	server_halt(&s);
	is_int(serve_get_stats(s.serve)->tcp_evicted, 1, "counted");
	server_free(&s);
}

static void test_v6(void)
{
	union addr any = addr_of("::"), to = addr_of("::1"), bound;
	struct serve_config config = config_on(&any);
	struct server s = {0};
	int udp, tcp;
	char back[8];

	server_start(&s, &config);
	bound = serve_local_addr(s.serve, 0);
	addr_set_port(&to, addr_port(&bound));
	udp = client(SOCK_DGRAM, "::1", &to);
	tcp = client(SOCK_STREAM, "::1", &to);
	if (send(udp, "e6", 2, 0) == 2)
		is_int(recv(udp, back, 8, 0), 2, "UDP over IPv6");
	is_string(ask(tcp, "e6"), "e6", "TCP over IPv6");
	close(udp);
	close(tcp);
	server_halt(&s);
	server_free(&s);
}

/* --- changes --- */

static void test_update(void)
{
	union addr two[2] = {addr_of("127.0.0.1"), addr_of("127.0.0.8")};
	union addr to, same;
	union addr bad[2] = {two[1], addr_of("192.0.2.1")};
	struct serve_config config = config_on(two);
	struct server s = {0};
	struct err err = {{0}};
	int fd, second, udp;
	char back[8];

	server_start(&s, &config);
	to = serve_local_addr(s.serve, 0);
	fd = client(SOCK_STREAM, "127.0.0.1", &to);
	udp = client(SOCK_DGRAM, "127.0.0.1", &to);
	is_string(ask(fd, "e1"), "e1", "before");
	server_halt(&s);
	config.addrs = bad;
	config.addr_count = 2;
	ok(serve_update(s.serve, &config, &err) < 0, "refused: %s", err.text);
	config.addrs = two;
	is_int(serve_update(s.serve, &config, &err), 0, "add an address");
	same = serve_local_addr(s.serve, 0);
	ok(addr_equal(&same, &to), "the first stays where it was");
	server_resume(&s);
	is_string(ask(fd, "e2"), "e2", "its connection lives on");
	if (send(udp, "e", 1, 0) == 1)
		is_int(recv(udp, back, 8, 0), 1, "its UDP too");
	server_halt(&s);
	to = serve_local_addr(s.serve, 1);
	server_resume(&s);
	second = client(SOCK_STREAM, "127.0.0.1", &to);
	is_string(ask(second, "e3"), "e3", "the new one answers");
	server_halt(&s);
	config.addr_count = 1;
	is_int(serve_update(s.serve, &config, &err), 0, "take it away");
	server_resume(&s);
	is_string(ask(second, "e4"), "e4", "connections outlive a listener");
	server_halt(&s);
	server_free(&s);
	close(fd);
	close(second);
	close(udp);
}

/* A second server on the same address takes over, the first finishes. */
static void test_handover(void)
{
	union addr a = addr_of("127.0.0.1"), to;
	struct serve_config config = config_on(&a);
	struct server old = {.tag = 'O'}, new = {.tag = 'N'};
	int waiting, tcp, fds[50];
	unsigned by_new = 0;
	char back[8];

	server_start(&old, &config);
	to = serve_local_addr(old.serve, 0);
	waiting = client(SOCK_DGRAM, "127.0.0.1", &to);
	tcp = client(SOCK_STREAM, "127.0.0.1", &to);
	if (send(waiting, "h1", 2, 0) != 2)
		tap_diag("send");
	frame_send(tcp, "h2");
	is_string(ask(tcp, "e3"), "eO", "the old server has read both");
	config.addrs = &to;
	server_start(&new, &config);
	server_halt(&old);
	serve_pause(old.serve);
	server_resume(&old);
	for (unsigned i = 0; i < 50; i++) {
		fds[i] = client(SOCK_DGRAM, "127.0.0.1", &to);
		if (send(fds[i], "e?", 2, 0) != 2)
			tap_diag("send");
	}
	for (unsigned i = 0; i < 50; i++) {
		by_new += recv(fds[i], back, 8, 0) == 2 && back[1] == 'N';
		close(fds[i]);
	}
	is_int(by_new, 50, "the new server gets all new queries");
	server_halt(&old);
	release(&old);
	server_resume(&old);
	is_int(recv(waiting, back, 8, 0), 2, "the old one still answers UDP");
	ok(back[1] == 'O', "itself");
	is_string(frame_recv(tcp), "hO", "and TCP");
	ok(is_closed(tcp), "whose connection then ends");
	server_halt(&old);
	server_halt(&new);
	server_free(&old);
	server_free(&new);
	close(waiting);
	close(tcp);
}

int main(void)
{
	test_udp();
	test_batches();
	test_tcp();
	test_eviction();
	test_v6();
	test_update();
	test_handover();
	return tap_done();
}
