/* SPDX-License-Identifier: ISC */
/* Scenarios 56 to 58: TCP. Ten thousand that idle: scenario-idle-t. */

#include "tests/frontend/scene.h"

#include "common/base/buf.h"
#include "common/dns/code.h"
#include "common/dns/msg.h"
#include "tests/tap/tap.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static struct scene sc;

static struct stub *r1(void)
{
	return &sc.stubs[0];
}

static int connection(const char *source)
{
	return scene_client(&sc, SOCK_STREAM, source);
}

static bool is_served(int fd)
{
	struct ask ask = {.name = "served.test", .id = 9};

	ask_tcp(fd, &ask);
	return take_tcp(fd, &sc.answer, SCENE_SOON) &&
	       msg_id(sc.answer.data) == 9 && scene_rcode(&sc) == 0;
}

static bool one_is_served(void *arg)
{
	int fd = connection(arg);
	bool served = is_served(fd);

	close(fd);
	return served;
}

static void close_them(int *fds, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		close(fds[i]);
}

static void test_per_client(void)
{
	static char source[] = "127.0.0.50";
	unsigned served = 0;
	int fds[5];

	for (unsigned i = 0; i < 5; i++)
		fds[i] = connection(source);
	for (unsigned i = 0; i < 4; i++)
		served += is_served(fds[i]);
	is_int(served, 4, "56: four of one address are served");
	ok(is_closed(fds[4], SCENE_SOON), "56: the fifth is closed");
	ok(scene_wait_stat(&sc, "tcp_refused_total{reason=\"per-client\"}", 1),
		"56: and counted");
	close(fds[0]);
	ok(tap_wait(one_is_served, source, SCENE_SOON),
		"56: a slot is free after a close");
	close_them(fds + 1, 4);
}

static void test_per_net(void)
{
	static char next[] = "127.0.9.7";
	int fds[7];
	unsigned served = 0;

	for (unsigned i = 0; i < 7; i++) {
		char source[20];

		(void)snprintf(source, sizeof(source), "127.0.8.%u", i + 1);
		fds[i] = connection(source);
	}
	for (unsigned i = 0; i < 6; i++)
		served += is_served(fds[i]);
	is_int(served, 6, "56: six of one /24 are served");
	ok(is_closed(fds[6], SCENE_SOON), "56: the seventh is closed");
	ok(scene_wait_stat(&sc, "tcp_refused_total{reason=\"per-net\"}", 1),
		"56: and counted");
	ok(one_is_served(next), "56: the next /24 is served");
	close_them(fds, 7);
}

static void test_queries(void)
{
	int fd = connection("127.0.0.60");
	struct ask ask = {.name = "served.test"};
	unsigned served = 0;

	for (ask.id = 0; ask.id < 12; ask.id++)
		ask_tcp(fd, &ask);
	while (take_tcp(fd, &sc.answer, SCENE_SOON))
		served++;
	is_int(served, 10, "56: ten questions of a connection are answered");
	ok(is_closed(fd, SCENE_SOON), "56: then it is closed");
	close(fd);
}

/* One octet each 20 ms; after how long was it closed? */
static int64_t drip(int fd, const uint8_t *octets, size_t len)
{
	struct mtime start = mtime_now();

	for (size_t i = 0; i < len; i++)
		if (send(fd, octets + i, 1, MSG_NOSIGNAL) < 0 ||
			is_closed(fd, 20))
			break;
	return mtime_sub_us(mtime_now(), start) / 1000;
}

static void test_times(void)
{
	uint8_t octets[200] = {0, 198};
	struct mtime start;
	int64_t ms;
	int fd = connection("127.0.0.61"), idle;

	idle = connection("127.0.0.62");
	start = mtime_now();
	ms = drip(fd, octets, sizeof(octets));
	ok(ms >= 350 && ms < 3000,
		"56: a message in drips: closed after %lld ms of 400",
		(long long)ms);
	close(fd);
	ok(is_closed(idle, SCENE_SOON), "58: one that idles is closed");
	ms = mtime_sub_us(mtime_now(), start) / 1000;
	ok(ms >= 550, "58: after %lld ms of 600", (long long)ms);
	close(idle);
	fd = connection("127.0.0.63");
	start = mtime_now();
	while (mtime_sub_us(mtime_now(), start) < 5000000 && is_served(fd))
		;
	ms = mtime_sub_us(mtime_now(), start) / 1000;
	ok(ms >= 1400 && ms < 4000,
		"56: one that is never idle is closed after %lld ms of 1500",
		(long long)ms);
	close(fd);
}

static void test_pieces(void)
{
	static char dripping[] = "127.0.0.64", other[] = "127.0.0.65";
	uint8_t octets[100] = {0, 98};
	int fd = connection(dripping);
	unsigned sent = 0;

	while (sent < sizeof(octets) &&
		send(fd, octets + sent, 1, MSG_NOSIGNAL) == 1 &&
		!is_closed(fd, 10))
		sent++;
	ok(sent >= 9 && sent < 40,
		"56: a message in more than ten pieces: closed after %u", sent);
	close(fd);
	ok(scene_wait_stat(&sc, "tcp_drips_total", 1), "56: counted");
	fd = connection(dripping);
	ok(is_closed(fd, SCENE_SOON), "56: banned: its next one is closed");
	close(fd);
	ok(scene_wait_stat(&sc, "tcp_refused_total{reason=\"banned\"}", 1),
		"56: counted too");
	ok(one_is_served(other), "56: others are served");
	ok(tap_wait(one_is_served, dripping, SCENE_SOON),
		"56: and it is, when its time is over");
}

static void test_limits(void)
{
	scene_start(&sc,
		"tcp: {per_client: 4, per_net: 6, queries: 10, message: 400ms, "
		"idle: 600ms}\n",
		"policy: firstAvailable", NULL);
	test_per_client();
	test_per_net();
	test_queries();
	struct err err;

	if (!scene_reload(&sc,
		    "tcp: {message: 400ms, idle: 600ms, lifetime: 1500ms}\n",
		    "policy: firstAvailable", &err))
		tap_bail("%s", err.text);
	test_times();
	if (!scene_reload(&sc, "tcp: {reads: 10, ban: 1s}\n",
		    "policy: firstAvailable", &err))
		tap_bail("%s", err.text);
	test_pieces();
	scene_stop(&sc, "56");
}

/* Ids and names of 100 answers in any order. */
static unsigned take_hundred(int fd)
{
	uint8_t seen[100] = {0};
	unsigned right = 0;

	for (int i = 0; i < 100 && take_tcp(fd, &sc.answer, SCENE_SOON); i++) {
		unsigned id = msg_id(sc.answer.data);
		char name[32];
		int n = snprintf(name, sizeof(name), "p%u", id);

		right += id < 100 && !seen[id]++ &&
			 memcmp(sc.answer.data + 13, name, (size_t)n) == 0;
	}
	return right;
}

static int ask_hundred(void)
{
	int fd = connection(NULL);

	for (uint16_t i = 0; i < 100; i++) {
		char name[32];
		struct ask ask = {.name = name, .id = i};

		(void)snprintf(name, sizeof(name), "p%u.test", i);
		ask_tcp(fd, &ask);
	}
	return fd;
}

static void test_pipelining(void)
{
	static const struct script held = {.hold = true};
	struct packet *q = calloc(40, sizeof(*q));
	unsigned count = 0;
	int fd;

	scene_start(
		&sc, "tcp: {inflight: 40}\n", "policy: firstAvailable", NULL);
	stub_set(r1(), &held);
	fd = ask_hundred();
	(void)shutdown(fd, SHUT_WR);
	for (; count < 40; count++)
		if (!take_udp(r1()->udp, &q[count], SCENE_SOON))
			tap_bail("only %u of 40 questions", count);
	ok(!is_readable(r1()->udp, SCENE_NEVER),
		"57: 100 pipelined, 40 allowed: 40 are asked");
	for (count = 40; count > 0; count--)
		reply_udp(r1()->udp, &q[count - 1], &stub_answering()->reply);
	stub_set(r1(), stub_answering());
	is_int(take_hundred(fd), 100,
		"57: 100 answers out of order, matched by id; half-closed");
	ok(is_closed(fd, SCENE_SOON), "57: then it is closed");
	close(fd);
	free(q);
}

/* The backend closes its connection between two questions, and under one. */
static void test_pooled(void)
{
	static const struct reply cut = {.flags = MSG_RA | MSG_TC};
	struct script script = *stub_answering();
	struct ask ask = {.name = "pooled1.test"};
	unsigned conns;

	script.reply = cut;
	script.tcp = &stub_answering()->reply;
	stub_set(r1(), &script);
	ok(scene_ask_tcp(&sc, &ask) && scene_rcode(&sc) == 0,
		"57: asked over TCP behind a TC");
	ask.name = "pooled2.test";
	ok(scene_ask_tcp(&sc, &ask) && scene_rcode(&sc) == 0, "57: and again");
	(void)pthread_mutex_lock(&r1()->lock);
	conns = r1()->connections;
	(void)pthread_mutex_unlock(&r1()->lock);
	is_int(conns, 1, "57: by one connection");
	(void)stub_close_conns(r1());
	ask.name = "pooled3.test";
	ok(scene_ask_tcp(&sc, &ask) && scene_rcode(&sc) == 0,
		"57: the backend closed it: nobody notices");
	stub_set(r1(), stub_answering());
	is_int(scene_stat(&sc, "backend_errors_total"), 0,
		"57: nor does it count against the backend");
}

#define BIG   3500
#define TIMES 6000 /* some 20 MB */

/* A client that sends octet by octet, and reads a little now and then. */
struct slow {
	int fd;
	uint8_t frame[128];
	size_t frame_len, at;
	unsigned sent, got, wrong;
	struct packet first; /* the answer, as another had it */
	size_t len;
	uint8_t in[2 * BIG + 65536];
};

static bool send_octets(struct slow *c, unsigned count)
{
	for (; count > 0 && c->sent < TIMES; count--) {
		if (send(c->fd, c->frame + c->at, 1,
			    MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			return errno == EAGAIN;
		if (++c->at == c->frame_len) {
			c->at = 0;
			c->sent++;
		}
	}
	return true;
}

/* As the first, but for the TTLs at its beginning. */
static bool is_as_first(const struct slow *c, const uint8_t *msg, size_t len)
{
	return len == c->first.len && msg_id(msg) == 3 &&
	       memcmp(msg + MSG_HEADER, c->first.data + MSG_HEADER, 11) == 0 &&
	       memcmp(msg + len - 200, c->first.data + len - 200, 200) == 0;
}

static void take_frames(struct slow *c)
{
	size_t pos = 0, len;

	while (c->len - pos >= 2) {
		len = get16(c->in + pos);
		if (c->len - pos - 2 < len)
			break;
		c->wrong += !is_as_first(c, c->in + pos + 2, len);
		c->got++;
		pos += 2 + len;
	}
	c->len -= pos;
	memmove(c->in, c->in + pos, c->len);
}

static bool read_a_little(struct slow *c)
{
	ssize_t n = recv(c->fd, c->in + c->len, 16384, MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN))
		return false;
	if (n > 0)
		c->len += (size_t)n;
	take_frames(c);
	return true;
}

static unsigned ask_meanwhile(void)
{
	struct mtime before = mtime_now();
	bool came = scene_ask(&sc, &(struct ask){.name = "quick.test"});

	return !came || mtime_sub_us(mtime_now(), before) > 500000;
}

static void run_slowly(struct slow *c)
{
	struct mtime start = mtime_now();
	unsigned delayed = 0, most = 0;

	for (unsigned turn = 0; c->got < TIMES; turn++) {
		if (!send_octets(c, 200) || !read_a_little(c) ||
			mtime_sub_us(mtime_now(), start) > 30000000)
			break;
		if (c->sent - c->got > most)
			most = c->sent - c->got;
		if (turn % 200 == 0)
			delayed += ask_meanwhile();
	}
	is_int(c->got, TIMES, "58: 20 MB of answers, sent octet by octet");
	is_int(c->wrong, 0, "58: each whole and right");
	ok(most > 50, "58: read slowly: %u were behind at one time", most);
	is_int(delayed, 0, "58: others are not delayed meanwhile");
}

static bool ask_big(struct slow *c)
{
	static const struct reply cut = {.flags = MSG_RA | MSG_TC};
	struct script script = *stub_answering();
	struct reply big = stub_answering()->reply;
	struct ask ask = {.name = "bulk.test", .id = 3};
	bool came;

	big.padding = BIG;
	script.reply = cut;
	script.tcp = &big;
	stub_set(r1(), &script);
	came = scene_ask_tcp(&sc, &ask) && sc.answer.len >= BIG;
	stub_set(r1(), stub_answering());
	c->first = sc.answer;
	c->frame_len = ask_make(&ask, c->frame + 2, sizeof(c->frame) - 2) + 2;
	put16(c->frame, (uint16_t)(c->frame_len - 2));
	return came;
}

static void test_bulk(void)
{
	struct slow *c = calloc(1, sizeof(*c));
	const int small = 32768;

	if (!c || !ask_big(c))
		tap_bail("the big answer does not come");
	c->fd = connection(NULL);
	(void)setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	run_slowly(c);
	close(c->fd);
	free(c);
}

/* Nothing is read: it is given up after the time of a message. */
static void test_deaf(void)
{
	struct ask ask = {.name = "bulk.test", .id = 3};
	long long before;
	struct err err;
	int fd;

	if (!scene_reload(&sc, "tcp: {message: 400ms, idle: 1s}\n",
		    "policy: firstAvailable", &err))
		tap_bail("%s", err.text);
	before = scene_stat(&sc, "tcp_timeouts_total");
	fd = connection(NULL);
	for (int i = 0; i < 3000; i++) {
		uint8_t frame[128];
		size_t len = ask_make(&ask, frame + 2, sizeof(frame) - 2);

		put16(frame, (uint16_t)len);
		if (send(fd, frame, len + 2, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			break;
	}
	ok(scene_wait_stat(&sc, "tcp_timeouts_total", before + 1),
		"58: one that asks and never reads is closed");
	close(fd);
	scene_stop(&sc, "58");
}

int main(void)
{
	test_limits();
	test_pipelining();
	test_pooled();
	test_bulk();
	test_deaf();
	return tap_done();
}
