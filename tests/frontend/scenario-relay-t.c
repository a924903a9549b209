/* SPDX-License-Identifier: ISC */
/*
 * Scenario 41, the rest: AXFR and IXFR over UDP, and NOTIFY and UPDATE, which
 * have one answer. The test plays the backends by hand.
 */

#include "tests/frontend/scene.h"

#include "common/base/buf.h"
#include "common/dns/code.h"
#include "common/dns/msg.h"
#include "tests/tap/tap.h"
#include "tests/tap/wire.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define ROUTES                                                                 \
	"routes:\n"                                                            \
	"  - suffix: lab.\n"                                                   \
	"    pool: auth\n"                                                     \
	"    allow_transfer: [127.0.0.0/24]\n"                                 \
	"    allow_notify: [127.0.0.0/24]\n"                                   \
	"    allow_update: [127.0.0.0/24]\n"                                   \
	"  - {suffix: mute.lab., pool: auth, allow_transfer: [127.0.0.0/8]}\n" \
	"  - {suffix: two.lab., pool: rec, allow_update: [127.0.0.0/8]}\n"
#define REC     "kind: auth\n    policy: firstAvailable"
#define ALLOWED "127.0.0.40"
#define DENIED  "127.0.1.40"

#define SOA5                                                                   \
	"c00c 0006 0001 00000000 0016 0000 00000005 00000000 00000000"         \
	"00000000 00000000"
#define A_RR "c00c 0001 0001 00000e10 0004 c0000201"
#define OPT  "00 0029 04d0 00008000 000c 000a 0008 1122334455667788"
#define TSIG "<key.> 00fa 00ff 00000000 000e <hmac.> 0000 0000 0000 0000"
#define ZONE "<a.lab.> 0006 0001"

#define NOTIFY "4242 2400 0001 0001 0000 0002" ZONE SOA5 OPT TSIG
#define NOTIFY_OK                                                              \
	"4242 a400 0001 0000 0000 0002" ZONE "00 0029 04d0 00000000 0000" TSIG
#define UPDATE  "4242 2800 0001 0000 0001 0001" ZONE A_RR TSIG
#define IXFR    "4242 0000 0001 0000 0001 0000 <a.lab.> 00fb 0001" SOA5
#define CURRENT "4242 8400 0001 0001 0000 0000 <a.lab.> 00fb 0001" SOA5

static struct scene sc;
static struct packet asked;

static int a1(void)
{
	return sc.stubs[2].udp;
}

static void send_text(int fd, const char *text)
{
	uint8_t msg[1024];

	send_udp(fd, msg, wire(msg, sizeof(msg), text));
}

static void say(int fd, const char *text)
{
	uint8_t frame[1024];
	size_t len = wire(frame + 2, sizeof(frame) - 2, text);

	put16(frame, (uint16_t)len);
	send_udp(fd, frame, len + 2);
}

/* The same octets, but for the id. */
static bool is_same(const struct packet *p, const char *text)
{
	uint8_t want[1024];
	size_t len = wire(want, sizeof(want), text);

	return p->len == len && memcmp(p->data + 2, want + 2, len - 2) == 0;
}

/* From the client `fd` by UDP to the backend. */
static bool reaches(int fd, const char *text)
{
	send_text(fd, text);
	return take_udp(a1(), &asked, SCENE_SOON) && is_same(&asked, text);
}

/* Answer what the backend was asked last; `id`: off by that. */
static void answer(const char *text, uint16_t id)
{
	uint8_t msg[1024];
	size_t len = wire(msg, sizeof(msg), text);

	msg_set_id(msg, (uint16_t)(msg_id(asked.data) + id));
	if (sendto(a1(), msg, len, 0, &asked.from.sa, addr_len(&asked.from)) <
		0)
		tap_bail("sendto: %s", strerror(errno));
}

/* The client's next answer is this, under its own id. */
static bool returns(int fd, const char *text)
{
	return take_udp(fd, &sc.answer, SCENE_SOON) &&
	       msg_id(sc.answer.data) == 0x4242 && is_same(&sc.answer, text);
}

static bool has_rcode(int fd, unsigned rcode)
{
	return take_udp(fd, &sc.answer, SCENE_SOON) &&
	       msg_id(sc.answer.data) == 0x4242 && scene_rcode(&sc) == rcode;
}

static bool counts(const char *name, long long value)
{
	return scene_wait_stat(&sc, name, value);
}

static void test_notify(void)
{
	int fd = scene_client(&sc, SOCK_DGRAM, ALLOWED);
	union addr first;

	ok(reaches(fd, NOTIFY), "41: NOTIFY comes as it is, TSIG and all");
	first = asked.from;
	ok(msg_id(asked.data) != 0x4242, "41: under an id of ours");
	answer(NOTIFY_OK, 1);
	answer("4242 a400 0001 0000 0000 0000 <b.lab.> 0006 0001", 0);
	answer("4242 8400 0001 0000 0000 0000" ZONE, 0);
	answer("4242 2400 0001 0000 0000 0000" ZONE, 0);
	ok(counts("backend_replies_ignored_total{reason=\"id\"}", 4),
		"41: what does not answer it is ignored");
	answer(NOTIFY_OK, 0);
	ok(returns(fd, NOTIFY_OK), "41: the answer, as it is, under its id");
	ok(reaches(fd, NOTIFY) && addr_port(&asked.from) != addr_port(&first),
		"41: the next, from another port");
	answer(NOTIFY_OK, 0);
	ok(returns(fd, NOTIFY_OK), "41: is answered");
	ok(counts("relayed_total{what=\"notify\"}", 2) &&
			counts("transfers_ended_total{reason=\"done\"}", 2),
		"41: counted");
	close(fd);
}

/* Two the same at one time are two: nothing is shared. */
static void test_twice(void)
{
	int fd = scene_client(&sc, SOCK_DGRAM, ALLOWED);

	ok(reaches(fd, UPDATE), "41: UPDATE comes as it is");
	ok(reaches(fd, UPDATE), "41: the same again is asked again");
	answer("4242 a805 0000 0000 0000 0000", 0);
	ok(has_rcode(fd, DNS_RCODE_REFUSED),
		"41: an answer of a header: handed back");
	ok(!is_readable(fd, SCENE_NEVER), "41: to the one it answers");
	ok(counts("transfers_ended_total{reason=\"timeout\"}", 1),
		"41: the other is given up");
	ok(!is_readable(fd, 0) && !is_readable(a1(), 0),
		"41: in silence: it is not sent again");
	close(fd);
}

static void test_verdicts(void)
{
	static const char notimp[] =
		"rule_total{rule=\"parse\",action=\"notimp\"}";
	int fd = scene_client(&sc, SOCK_DGRAM, ALLOWED);
	int other = scene_client(&sc, SOCK_DGRAM, DENIED);

	send_text(other, NOTIFY);
	ok(has_rcode(other, DNS_RCODE_REFUSED) &&
			counts("rule_total{rule=\"notify-source\",action="
			       "\"refuse\"}",
				1),
		"41: NOTIFY from elsewhere: REFUSED, counted");
	send_text(other, UPDATE);
	ok(has_rcode(other, DNS_RCODE_REFUSED) &&
			counts("rule_total{rule=\"update-source\",action="
			       "\"refuse\"}",
				1),
		"41: UPDATE likewise");
	send_text(fd, "4242 2400 0001 0000 0000 0000 <a.mute.lab.> 0006 0001");
	ok(has_rcode(fd, DNS_RCODE_NOTIMP) && counts(notimp, 1),
		"41: NOTIFY where the route does not take it: NOTIMP");
	send_text(fd, "4242 2800 0001 0000 0000 0000 <a.test.> 0006 0001");
	ok(has_rcode(fd, DNS_RCODE_NOTIMP) && counts(notimp, 2),
		"41: UPDATE without a route: NOTIMP");
	send_text(fd, "4242 2000 0001 0000 0000 0000 <a.lab.> 0006 0003");
	ok(has_rcode(fd, DNS_RCODE_NOTIMP), "41: NOTIFY of class CH: NOTIMP");
	send_text(fd, "4242 1000 0001 0000 0000 0000" ZONE);
	ok(has_rcode(fd, DNS_RCODE_NOTIMP), "41: STATUS stays NOTIMP");
	send_text(fd, "4242 2800 0001 0000 0001 0000" ZONE "c00c 0001");
	ok(has_rcode(fd, DNS_RCODE_FORMERR), "41: half an UPDATE: FORMERR");
	ok(!is_readable(a1(), SCENE_NEVER), "41: none reaches a backend");
	close(fd);
	close(other);
}

static void test_ixfr(void)
{
	int fd = scene_client(&sc, SOCK_DGRAM, ALLOWED);
	char big[4096] = "4242 8400 0001 0020 0000 0000 <a.lab.> 00fb 0001";

	send_text(fd, "4242 0000 0001 0000 0000 0000 <a.lab.> 00fc 0001");
	ok(has_rcode(fd, DNS_RCODE_NOTIMP) &&
			counts("rule_total{rule=\"axfr-udp\",action="
			       "\"notimp\"}",
				1),
		"41: AXFR over UDP: NOTIMP, counted");
	ok(reaches(fd, IXFR), "41: IXFR over UDP goes there");
	answer(CURRENT, 0);
	ok(returns(fd, CURRENT), "41: its one answer comes back");
	for (size_t i = 0, at = strlen(big); i < 32; i++)
		at += (size_t)snprintf(big + at, sizeof(big) - at, "%s", A_RR);
	ok(reaches(fd, IXFR), "41: again");
	answer(big, 0);
	ok(take_udp(fd, &sc.answer, SCENE_SOON) &&
			msg_id(sc.answer.data) == 0x4242 &&
			(msg_flags(sc.answer.data) & MSG_TC) &&
			sc.answer.len == MSG_HEADER + 11,
		"41: over 512 octets: TC, come by TCP");
	send_text(fd, "4242 0000 0001 0000 0000 0000 <a.lab.> 00fb 0001");
	ok(has_rcode(fd, DNS_RCODE_FORMERR),
		"41: IXFR without its SOA: FORMERR");
	ok(counts("relayed_total{what=\"ixfr-udp\"}", 2), "41: counted");
	close(fd);
}

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

static bool tcp_rcode(int fd, unsigned rcode)
{
	return take_tcp(fd, &sc.answer, SCENE_SOON) &&
	       msg_id(sc.answer.data) == 0x4242 && scene_rcode(&sc) == rcode;
}

/* An UPDATE as long as one can be. */
static size_t huge(uint8_t *frame)
{
	size_t len = wire(frame + 2, 512,
		"4242 2800 0001 0000 0001 0000" ZONE
		"c00c ff00 0001 00000000 fe00");

	memset(frame + 2 + len, 'x', 0xfe00);
	len += 0xfe00;
	put16(frame, (uint16_t)len);
	return len + 2;
}

static void test_tcp(void)
{
	static uint8_t frame[65540];
	int fd = scene_client(&sc, SOCK_STREAM, ALLOWED), back;
	size_t len = huge(frame);

	say(fd, UPDATE);
	back = backend(2);
	ok(take_tcp(back, &asked, SCENE_SOON) && is_same(&asked, UPDATE),
		"41: UPDATE over TCP");
	say(back, "4242 a800 0000 0000 0000 0000");
	ok(tcp_rcode(fd, DNS_RCODE_NOERROR), "41: is answered");
	ok(is_closed(back, SCENE_SOON), "41: its connection ends");
	close(back);
	send_udp(fd, frame, len);
	back = backend(2);
	ok(take_tcp(back, &asked, SCENE_SOON) && asked.len == len - 2 &&
			memcmp(asked.data, frame + 2, len - 2) == 0,
		"41: one of %zu octets", len - 2);
	say(back, "4243 a800 0000 0000 0000 0000");
	ok(tcp_rcode(fd, DNS_RCODE_SERVFAIL),
		"41: an answer with another id: SERVFAIL");
	close(back);
	say(fd, NOTIFY);
	back = backend(2);
	ok(take_tcp(back, &asked, SCENE_SOON) && is_same(&asked, NOTIFY),
		"41: NOTIFY over TCP");
	say(back, NOTIFY_OK);
	ok(take_tcp(fd, &sc.answer, SCENE_SOON) &&
			is_same(&sc.answer, NOTIFY_OK),
		"41: is answered");
	close(back);
	close(fd);
}

/* The first of two backends fails an UPDATE. */
static void test_once(void)
{
	static const struct script held = {.hold = true};
	int fd = scene_client(&sc, SOCK_STREAM, ALLOWED), back;

	stub_set(&sc.stubs[0], &held);
	say(fd, "4242 2800 0001 0000 0001 0000 <b.two.lab.> 0006 0001" A_RR);
	back = backend(0);
	(void)take_tcp(back, &asked, SCENE_SOON);
	close(back);
	ok(tcp_rcode(fd, DNS_RCODE_SERVFAIL),
		"41: a backend that ends amid an UPDATE: SERVFAIL");
	is_int(stub_asked(&sc.stubs[1]), 0, "41: no other backend is asked");
	close(fd);
}

static void test_no_backend(void)
{
	int fd = scene_client(&sc, SOCK_DGRAM, ALLOWED);

	free(scene_call(&sc, "backend down a1"));
	send_text(fd, NOTIFY);
	ok(has_rcode(fd, DNS_RCODE_SERVFAIL),
		"41: no backend may be asked: SERVFAIL");
	close(fd);
}

int main(void)
{
	static const struct script held = {.hold = true};

	scene_start(&sc, ROUTES "transfers: {answer: 1s}\n", REC, NULL);
	stub_set(&sc.stubs[2], &held);
	test_notify();
	test_twice();
	test_verdicts();
	test_ixfr();
	test_tcp();
	test_once();
	test_no_backend();
	scene_stop(&sc, "41");
	return tap_done();
}
