/* SPDX-License-Identifier: ISC */
/*
 * Scenario 41: zone transfers that a route allows. The test plays the backend
 * by hand: what reaches it must be the client's octets, and the other way
 * round, whatever ends first.
 */

#include "tests/frontend/scene.h"

#include "common/base/buf.h"
#include "common/dns/code.h"
#include "common/dns/msg.h"
#include "tests/tap/tap.h"
#include "tests/tap/wire.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#define ROUTES                                                                 \
	"routes:\n"                                                            \
	"  - {suffix: lab., pool: auth, allow_transfer: [127.0.0.0/24]}\n"     \
	"  - {suffix: closed.lab., pool: auth}\n"                              \
	"  - {suffix: two.lab., pool: rec, allow_transfer: [127.0.0.0/8]}\n"
#define LIMITS "transfers: {per_client: 3, idle: 3s, lifetime: 1h}\n"
#define REC    "kind: auth\n    policy: firstAvailable"

#define ALLOWED "127.0.0.40"
#define DENIED  "127.0.1.40"

/* EDNS with a cookie, and a TSIG: none of their octets may change. */
#define TAIL                                                                   \
	"00 0029 04d0 00008000 000c 000a 0008 1122334455667788"                \
	"<key.> 00fa 00ff 00000000 000e <hmac.> 0000 0000 0000 0000"
#define AXFR(zone) "4242 0000 0001 0000 0000 0002 <" zone "> 00fc 0001" TAIL
#define SOA(n)                                                                 \
	"c00c 0006 0001 00000e10 0016 0000 000000" n                           \
	" 00000000 00000000 00000000 00000000"
#define A_RR "c00c 0001 0001 00000e10 0004 c0000201"
#define FIRST(zone, n)                                                         \
	"4242 8400 0001 0002 0000 0000 <" zone "> 00fc 0001" SOA(n) A_RR
#define LAST(zone, n)                                                          \
	"4242 8400 0001 0002 0000 0001 <" zone "> 00fc 0001" A_RR              \
	SOA(n) "<key.> 00fa 00ff 00000000 000e <hmac.> 0000 0000 0000 0000"

static struct scene sc;

static int connection(const char *source)
{
	return scene_client(&sc, SOCK_STREAM, source);
}

static void hold(int stub)
{
	static const struct script held = {.hold = true};

	stub_set(&sc.stubs[stub], &held);
}

static void say(int fd, const char *text)
{
	uint8_t frame[1024];
	size_t len = wire(frame + 2, sizeof(frame) - 2, text);

	put16(frame, (uint16_t)len);
	if (send(fd, frame, len + 2, MSG_NOSIGNAL) != (ssize_t)len + 2)
		tap_diag("send: %s", strerror(errno));
}

/* Is the next message there exactly this one? */
static bool hears(int fd, const char *text)
{
	uint8_t want[1024];
	size_t len = wire(want, sizeof(want), text);

	return take_tcp(fd, &sc.answer, SCENE_SOON) && sc.answer.len == len &&
	       memcmp(sc.answer.data, want, len) == 0;
}

static bool hears_rcode(int fd, unsigned rcode)
{
	return take_tcp(fd, &sc.answer, SCENE_SOON) &&
	       msg_id(sc.answer.data) == 0x4242 && scene_rcode(&sc) == rcode;
}

/* The connection that a transfer opens to this backend. */
static int backend(int stub)
{
	int fd;

	if (!is_readable(sc.stubs[stub].tcp, SCENE_SOON))
		tap_bail("no connection to the backend");
	fd = accept(sc.stubs[stub].tcp, NULL, NULL);
	if (fd < 0)
		tap_bail("accept");
	return fd;
}

static bool is_served(int fd)
{
	struct ask ask = {.name = "served.test", .id = 9};

	ask_tcp(fd, &ask);
	return take_tcp(fd, &sc.answer, SCENE_SOON) &&
	       msg_id(sc.answer.data) == 9 && scene_rcode(&sc) == 0;
}

static long long ended(const char *reason)
{
	char name[64];

	(void)snprintf(name, sizeof(name),
		"transfers_ended_total{reason=\"%s\"}", reason);
	return scene_stat(&sc, name);
}

static bool wait_ended(const char *reason, long long count)
{
	char name[64];

	(void)snprintf(name, sizeof(name),
		"transfers_ended_total{reason=\"%s\"}", reason);
	return scene_wait_stat(&sc, name, count);
}

static void test_stream(void)
{
	int fd = connection(ALLOWED), back;

	say(fd, AXFR("a.lab."));
	back = backend(2);
	ok(hears(back, AXFR("a.lab.")),
		"41: the query comes as it is: id, EDNS, TSIG");
	say(back, FIRST("a.lab.", "07"));
	ok(hears(fd, FIRST("a.lab.", "07")), "41: the first message");
	ok(is_served(fd), "41: another query of the connection is answered");
	say(back, "4242 8400 0000 0001 0000 0000 <x.a.lab.> 0001 0001"
		  "00000e10 0004 c0000202");
	ok(hears(fd, "4242 8400 0000 0001 0000 0000 <x.a.lab.> 0001 0001"
		     "00000e10 0004 c0000202"),
		"41: the second, without a question");
	say(back, LAST("a.lab.", "07"));
	ok(hears(fd, LAST("a.lab.", "07")), "41: the last, signed");
	ok(is_closed(back, SCENE_SOON), "41: the backend's connection ends");
	ok(is_served(fd), "41: the client's goes on");
	ok(wait_ended("done", 1), "41: counted as done");
	is_int(scene_stat(&sc, "transfers_total{type=\"axfr\"}"), 1,
		"41: as one AXFR");
	is_int(scene_stat(&sc, "transfer_messages_total"), 3,
		"41: of three messages");
	close(back);
	/* again: nothing was cached */
	say(fd, AXFR("a.lab."));
	back = backend(2);
	ok(hears(back, AXFR("a.lab.")), "41: the backend is asked again");
	say(back, "4242 8405 0001 0000 0000 0000 <a.lab.> 00fc 0001");
	ok(hears(fd, "4242 8405 0001 0000 0000 0000 <a.lab.> 00fc 0001"),
		"41: its REFUSED is handed on");
	ok(wait_ended("rcode", 1), "41: counted as an error");
	close(back);
	close(fd);
}

static void test_two(void)
{
	int fd = connection(ALLOWED), a, b;

	say(fd, AXFR("a.lab."));
	a = backend(2);
	say(fd, AXFR("b.lab."));
	b = backend(2);
	ok(hears(a, AXFR("a.lab.")) && hears(b, AXFR("b.lab.")),
		"41: two of one connection, each by its own");
	say(b, FIRST("b.lab.", "05"));
	ok(hears(fd, FIRST("b.lab.", "05")), "41: the second begins");
	say(a, FIRST("a.lab.", "07"));
	ok(hears(fd, FIRST("a.lab.", "07")), "41: the first begins");
	say(b, LAST("b.lab.", "05"));
	ok(hears(fd, LAST("b.lab.", "05")), "41: the second ends");
	ok(is_closed(b, SCENE_SOON) && is_served(fd),
		"41: all but the first is done");
	say(a, LAST("a.lab.", "07"));
	ok(hears(fd, LAST("a.lab.", "07")), "41: the first ends");
	close(a);
	close(b);
	close(fd);
}

static void test_broken(void)
{
	int fd = connection(ALLOWED), back;
	long long backend_ended = ended("backend"), bad = ended("malformed");

	say(fd, AXFR("a.lab."));
	back = backend(2);
	(void)hears(back, AXFR("a.lab."));
	say(back, FIRST("a.lab.", "07"));
	ok(hears(fd, FIRST("a.lab.", "07")), "41: it begins");
	close(back);
	ok(is_closed(fd, SCENE_SOON),
		"41: the backend closes amid it: so do we");
	ok(wait_ended("backend", backend_ended + 1), "41: counted");
	close(fd);
	fd = connection(ALLOWED);
	say(fd, AXFR("a.lab."));
	back = backend(2);
	(void)hears(back, AXFR("a.lab."));
	close(back);
	ok(hears_rcode(fd, DNS_RCODE_SERVFAIL),
		"41: it closes before: SERVFAIL");
	ok(is_served(fd), "41: and the connection goes on");
	say(fd, AXFR("a.lab."));
	back = backend(2);
	(void)hears(back, AXFR("a.lab."));
	say(back, FIRST("a.lab.", "07"));
	(void)hears(fd, FIRST("a.lab.", "07"));
	say(back, LAST("b.lab.", "07"));
	ok(is_closed(fd, SCENE_SOON),
		"41: a message of another zone: closed, not handed on");
	ok(is_closed(back, SCENE_SOON) && wait_ended("malformed", bad + 1),
		"41: the backend's too; counted");
	close(back);
	close(fd);
}

static void test_next_backend(void)
{
	int fd = connection(DENIED), one, two;

	hold(0);
	hold(1);
	say(fd, AXFR("z.two.lab."));
	one = backend(0);
	(void)hears(one, AXFR("z.two.lab."));
	close(one);
	two = backend(1);
	ok(hears(two, AXFR("z.two.lab.")),
		"41: nothing came from the first: the next is asked");
	say(two, LAST("z.two.lab.", "07"));
	ok(hears_rcode(fd, DNS_RCODE_SERVFAIL) && is_closed(two, SCENE_SOON),
		"41: what does not begin with an SOA is no transfer");
	close(two);
	close(fd);
	fd = connection(DENIED);
	say(fd, AXFR("z.two.lab."));
	one = backend(0);
	(void)hears(one, AXFR("z.two.lab."));
	close(one);
	two = backend(1);
	(void)hears(two, AXFR("z.two.lab."));
	say(two, FIRST("z.two.lab.", "07"));
	say(two, LAST("z.two.lab.", "07"));
	ok(hears(fd, FIRST("z.two.lab.", "07")) &&
			hears(fd, LAST("z.two.lab.", "07")),
		"41: and gives all of it");
	close(two);
	close(fd);
	stub_set(&sc.stubs[0], stub_answering());
	stub_set(&sc.stubs[1], stub_answering());
}

static bool refused(int fd, const char *query, const char *counter)
{
	long long before = scene_stat(&sc, counter);

	say(fd, query);
	return hears_rcode(fd, DNS_RCODE_REFUSED) &&
	       scene_wait_stat(&sc, counter, before + 1);
}

static void test_denied(void)
{
	static const char source[] =
		"rule_total{rule=\"transfer-source\",action=\"refuse\"}";
	static const char route[] =
		"rule_total{rule=\"transfer\",action=\"refuse\"}";
	int fd = connection(DENIED), other = connection(ALLOWED);

	ok(refused(fd, AXFR("a.lab."), source),
		"41: another source: REFUSED, counted");
	ok(refused(other, AXFR("a.closed.lab."), route),
		"41: a longer route that allows nothing: REFUSED, counted");
	ok(refused(other, AXFR("a.test."), route), "41: no route: REFUSED");
	say(other, AXFR("a.lab."));
	close(backend(2));
	close(fd);
	close(other);
}

/* Octets that fit until the frontend takes no more. */
static size_t pour(int fd, const uint8_t *frame, size_t len, unsigned *sent,
	size_t *at, unsigned max)
{
	size_t total = 0;

	while (*sent < max) {
		ssize_t n = send(fd, frame + *at, len - *at,
			MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0)
			break;
		total += (size_t)n;
		*at += (size_t)n;
		if (*at < len)
			continue;
		*at = 0;
		(*sent)++;
	}
	return total;
}

static long resident_kb(void)
{
	char path[64], line[128];
	long kb = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)sc.pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmRSS: %ld", &kb) == 1)
			break;
	if (f)
		(void)fclose(f);
	return kb;
}

#define BIG  60000
#define MANY 700 /* 42 MB: more than the kernel keeps */

/* A message of one record of a private type. */
static size_t big_frame(uint8_t *frame)
{
	size_t len = wire(frame + 2, 64,
		"4242 8400 0000 0001 0000 0000 <x.a.lab.> ff00 0001"
		"00000e10");

	put16(frame + 2 + len, BIG);
	memset(frame + 4 + len, 'x', BIG);
	len += 2 + BIG;
	put16(frame, (uint16_t)len);
	return len + 2;
}

struct pouring {
	int fd;
	const uint8_t *frame;
	size_t len, at;
	unsigned sent;
};

/* Nothing fits for 300 ms. */
static bool is_stuck(void *arg)
{
	struct pouring *p = arg;

	if (pour(p->fd, p->frame, p->len, &p->sent, &p->at, MANY) > 0)
		return p->sent == MANY;
	(void)poll(NULL, 0, 300);
	return pour(p->fd, p->frame, p->len, &p->sent, &p->at, MANY) == 0;
}

static void test_slow(void)
{
	static uint8_t frame[BIG + 64];
	int fd = connection(ALLOWED);
	struct pouring p = {.frame = frame, .len = big_frame(frame)};
	unsigned got = 0;
	long before = resident_kb();

	say(fd, AXFR("a.lab."));
	p.fd = backend(2);
	(void)hears(p.fd, AXFR("a.lab."));
	say(p.fd, FIRST("a.lab.", "07"));
	ok(hears(fd, FIRST("a.lab.", "07")), "41: the client reads no more");
	ok(tap_wait(is_stuck, &p, SCENE_SOON),
		"41: so the backend has to wait");
	ok(p.sent < MANY, "41: after %u messages", p.sent);
	ok(resident_kb() - before < 16384, "41: memory grows by %ld KiB only",
		resident_kb() - before);
	ok(scene_ask(&sc, &(struct ask){.name = "quick.test"}),
		"41: others are served");
	while (got < MANY) {
		(void)pour(p.fd, frame, p.len, &p.sent, &p.at, MANY);
		if (!take_tcp(fd, &sc.answer, SCENE_SOON) ||
			sc.answer.len != p.len - 2 ||
			memcmp(sc.answer.data, frame + 2, p.len - 2) != 0)
			break;
		got++;
	}
	is_int(got, MANY, "41: it reads: all comes, whole and in order");
	say(p.fd, LAST("a.lab.", "07"));
	ok(hears(fd, LAST("a.lab.", "07")), "41: to the end");
	close(p.fd);
	close(fd);
}

static void test_client_gone(void)
{
	static uint8_t frame[BIG + 64];
	int fd = connection(ALLOWED);
	struct pouring p = {.frame = frame, .len = big_frame(frame)};
	long long before = ended("client");

	say(fd, AXFR("a.lab."));
	p.fd = backend(2);
	(void)hears(p.fd, AXFR("a.lab."));
	say(p.fd, FIRST("a.lab.", "07"));
	(void)tap_wait(is_stuck, &p, SCENE_SOON);
	close(fd);
	ok(wait_ended("client", before + 1), "41: the client is gone: counted");
	ok(is_closed(p.fd, SCENE_SOON), "41: and the backend's connection");
	close(p.fd);
}

static void test_limit(void)
{
	static const char busy[] =
		"rule_total{rule=\"transfer-limit\",action=\"servfail\"}";
	int fd = connection(ALLOWED), backs[3];

	for (unsigned i = 0; i < 3; i++) {
		say(fd, AXFR("a.lab."));
		backs[i] = backend(2);
	}
	say(fd, AXFR("a.lab."));
	ok(hears_rcode(fd, DNS_RCODE_SERVFAIL) && scene_stat(&sc, busy) == 1,
		"41: a fourth of one client: SERVFAIL, counted");
	ok(is_served(fd), "41: its other queries are answered");
	(void)hears(backs[0], AXFR("a.lab."));
	say(backs[0], "4242 8405 0001 0000 0000 0000 <a.lab.> 00fc 0001");
	ok(hears_rcode(fd, DNS_RCODE_REFUSED), "41: one ends");
	close(backs[0]);
	say(fd, AXFR("a.lab."));
	backs[0] = backend(2);
	ok(hears(backs[0], AXFR("a.lab.")), "41: then another may begin");
	close(fd);
	for (unsigned i = 0; i < 3; i++)
		close(backs[i]);
}

static void reload(const char *limits)
{
	char extra[512];
	struct err err;

	(void)snprintf(extra, sizeof(extra), "%s%s", ROUTES, limits);
	if (!scene_reload(&sc, extra, REC, &err))
		tap_bail("%s", err.text);
}

/* Of all clients of a worker. */
static void test_max(void)
{
	int fd = connection(ALLOWED), other = connection("127.0.0.41");
	int back;

	reload("transfers: {max: 1}\n");
	say(fd, AXFR("a.lab."));
	back = backend(2);
	say(other, AXFR("a.lab."));
	ok(hears_rcode(other, DNS_RCODE_SERVFAIL),
		"41: a second one of all clients: SERVFAIL");
	close(fd);
	close(other);
	close(back);
}

static void test_reload(void)
{
	int fd = connection(ALLOWED), back;

	say(fd, AXFR("a.lab."));
	back = backend(2);
	(void)hears(back, AXFR("a.lab."));
	say(back, FIRST("a.lab.", "07"));
	(void)hears(fd, FIRST("a.lab.", "07"));
	reload(LIMITS "inflight_per_client: 7\n");
	say(back, LAST("a.lab.", "07"));
	ok(hears(fd, LAST("a.lab.", "07")), "41: a reload does not disturb");
	close(back);
	close(fd);
}

static void test_times(void)
{
	int fd = connection(ALLOWED), back;
	long long before = ended("timeout");

	reload("transfers: {idle: 300ms, lifetime: 1h}\n");
	say(fd, AXFR("a.lab."));
	back = backend(2);
	ok(hears_rcode(fd, DNS_RCODE_SERVFAIL),
		"41: a backend that says nothing: SERVFAIL");
	ok(is_closed(back, SCENE_SOON) || is_readable(back, 0),
		"41: it is not waited for");
	close(back);
	say(fd, AXFR("a.lab."));
	back = backend(2);
	(void)hears(back, AXFR("a.lab."));
	say(back, FIRST("a.lab.", "07"));
	(void)hears(fd, FIRST("a.lab.", "07"));
	ok(is_closed(fd, SCENE_SOON), "41: nor one that stops amid it: closed");
	close(back);
	close(fd);
	reload("transfers: {idle: 1h, lifetime: 400ms}\n");
	fd = connection(ALLOWED);
	say(fd, AXFR("a.lab."));
	back = backend(2);
	(void)hears(back, AXFR("a.lab."));
	say(back, FIRST("a.lab.", "07"));
	(void)hears(fd, FIRST("a.lab.", "07"));
	ok(is_closed(fd, SCENE_SOON), "41: nor one that takes too long");
	ok(wait_ended("timeout", before + 3), "41: all counted");
	close(back);
	close(fd);
}

/* A stop waits for transfers, but not for long. */
static void test_stop(void)
{
	int fd, back;

	reload(LIMITS);
	fd = connection(ALLOWED);
	say(fd, AXFR("a.lab."));
	back = backend(2);
	(void)hears(back, AXFR("a.lab."));
	say(back, FIRST("a.lab.", "07"));
	(void)hears(fd, FIRST("a.lab.", "07"));
	scene_stop(&sc, "41: amid a transfer");
	ok(is_closed(fd, SCENE_SOON), "41: which is cut off");
	close(back);
	close(fd);
}

int main(void)
{
	scene_start(&sc, ROUTES LIMITS, REC, NULL);
	hold(2);
	test_stream();
	test_two();
	test_broken();
	test_next_backend();
	test_denied();
	test_slow();
	test_client_gone();
	test_limit();
	test_max();
	test_reload();
	test_times();
	test_stop();
	return tap_done();
}
