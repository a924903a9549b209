/* SPDX-License-Identifier: ISC */
/*
 * Scenarios 1 to 14 of the sixty that a load balancer is held against: basics
 * and hygiene. Each line starts with its number. With rules: scenario-rules-t.
 */

#include "tests/frontend/scene.h"

#include "common/base/buf.h"
#include "common/dns/code.h"
#include "common/dns/msg.h"
#include "tests/tap/tap.h"
#include "tests/tap/wire.h"

#include <unistd.h>

static struct scene sc;
static const struct ask plain = {
	.name = "plain.test", .id = 7, .flags = MSG_RD};

static struct stub *r1(void)
{
	return &sc.stubs[0];
}

static unsigned flags(void)
{
	return msg_flags(sc.answer.data);
}

static bool has_bits(unsigned want, unsigned clear)
{
	return (flags() & want) == want && (flags() & clear) == 0;
}

static bool serves(void)
{
	struct ask ask = {.name = "alive.test", .id = 99};

	return scene_ask(&sc, &ask) && scene_rcode(&sc) == 0 &&
	       msg_id(sc.answer.data) == 99;
}

/* Nothing comes back, and what follows is served. */
static bool is_dropped(const struct ask *ask)
{
	ask_udp(sc.client, ask);
	return !take_udp(sc.client, &sc.answer, SCENE_NEVER) && serves();
}

static void test_acl(void)
{
	int udp, tcp;

	scene_start(
		&sc, "acl: {allow: [192.0.2.1/32], action: drop}\n", "", NULL);
	ask_udp(sc.client, &plain);
	ok(!take_udp(sc.client, &sc.answer, SCENE_NEVER),
		"1: not in the ACL, UDP: no answer");
	tcp = scene_client(&sc, SOCK_STREAM, NULL);
	ok(is_closed(tcp, SCENE_SOON), "1: TCP: closed unread");
	close(tcp);
	ok(scene_wait_stat(&sc, "drops_total{reason=\"acl\"}", 2),
		"1: two drops by the ACL are counted");
	is_int(stub_asked(r1()), 0, "1: no backend is asked");
	scene_stop(&sc, "1");
	scene_start(&sc, "acl: {allow: [127.0.0.0/8], deny: [127.0.0.9/32]}\n",
		"", NULL);
	if (!scene_ask(&sc, &plain) || scene_rcode(&sc) != 0)
		tap_bail("not answered");
	(void)stub_asked(r1());
	tcp = scene_client(&sc, SOCK_STREAM, "127.0.0.9");
	ask_tcp(tcp, &plain);
	ok(take_tcp(tcp, &sc.answer, SCENE_SOON) &&
			scene_rcode(&sc) == DNS_RCODE_REFUSED,
		"1: denied, action refuse, a cached name, TCP: REFUSED");
	close(tcp);
	udp = scene_client(&sc, SOCK_DGRAM, "127.0.0.9");
	ask_udp(udp, &plain);
	ok(take_udp(udp, &sc.answer, SCENE_SOON) &&
			scene_rcode(&sc) == DNS_RCODE_REFUSED,
		"1: UDP: REFUSED");
	ok(has_bits(MSG_QR | MSG_RA | MSG_RD, MSG_AA | MSG_AD | MSG_TC),
		"9: an answer made here: RD copied, RA set, AA and AD clear");
	ok(!has_opt(&sc.answer), "8: no OPT for one who sent none");
	close(udp);
}

static void test_self_answers(void)
{
	static const struct ask edns = {.name = "plain.test",
		.flags = MSG_RD | MSG_AD,
		.payload = 4096,
		.dnssec_ok = true,
		.options = "0008 0007 0001 18 00 c00002 000c 0004 00000000"};
	int udp = scene_client(&sc, SOCK_DGRAM, "127.0.0.9");
	uint8_t opt[11];
	size_t n = wire(opt, sizeof(opt), "00 0029 04d0 0000 8000");

	ask_udp(udp, &edns);
	ok(take_udp(udp, &sc.answer, SCENE_SOON) && has_opt(&sc.answer) &&
			memmem(sc.answer.data, sc.answer.len, opt, n),
		"8: with EDNS: an OPT, our payload 1232, DO copied");
	n = wire(opt, sizeof(opt), "0001 18 00 c00002");
	ok(!memmem(sc.answer.data, sc.answer.len, opt, n),
		"8: client subnet and padding are not echoed");
	ok(has_bits(MSG_RA, MSG_AA | MSG_AD), "9: AD stays clear");
	is_int(stub_asked(r1()), 0, "8: no backend is asked");
	close(udp);
}

static void test_forwarding(void)
{
	struct ask ask = {
		.name = "Mixed.Case.Test", .id = 4711, .flags = MSG_RD};
	struct reply reply = {
		.flags = MSG_RA, .answers = 2, .ttl_s = 60, .no_opt = true};
	struct script script = {.hold = true};
	struct packet *p = calloc(2, sizeof(*p));
	uint8_t want[512];
	size_t len;

	stub_set(r1(), &script);
	ask_udp(sc.client, &ask);
	ok(take_udp(r1()->udp, &p[0], SCENE_SOON), "3: the backend is asked");
	ok(p[0].len > 17 && p[0].data[12] == 5 &&
			strncasecmp((char *)p[0].data + 13, "mixed", 5) == 0,
		"3: the same question");
	reply_udp(r1()->udp, &p[0], &reply);
	ok(take_udp(sc.client, &sc.answer, SCENE_SOON) &&
			msg_id(sc.answer.data) == 4711,
		"3: the client gets its own id");
	p[1].len = ask_make(&ask, p[1].data, sizeof(p[1].data));
	reply.flags |= MSG_RD;
	len = reply_make(&p[1], &reply, want, sizeof(want));
	is_bytes(sc.answer.data, sc.answer.len, want, len,
		"3: and what the backend said, octet by octet");
	ask.name = "tcp.test";
	script = *stub_answering();
	stub_set(r1(), &script);
	ok(scene_ask_tcp(&sc, &ask) && msg_id(sc.answer.data) == 4711 &&
			msg_count(sc.answer.data, MSG_AN) == 1 &&
			(p[1].len = ask_make(
				 &ask, p[1].data, sizeof(p[1].data))) > 0 &&
			memcmp(sc.answer.data + 12, p[1].data + 12,
				p[1].len - 12) == 0,
		"3: over TCP too");
	free(p);
}

/* An id of its own for each question, over many ports. */
static void test_ids(void)
{
	struct script script = {.hold = true};
	struct packet *p = calloc(1, sizeof(*p));
	unsigned same = 0;

	stub_set(r1(), &script);
	for (uint16_t i = 0; i < 20; i++) {
		char name[32];
		struct ask ask = {.name = name, .id = i};

		(void)snprintf(name, sizeof(name), "id%u.test", i);
		ask_udp(sc.client, &ask);
		if (!take_udp(r1()->udp, p, SCENE_SOON))
			tap_bail("no question");
		same += msg_id(p->data) == i;
		reply_udp(r1()->udp, p, &stub_answering()->reply);
		(void)take_udp(sc.client, &sc.answer, SCENE_SOON);
	}
	ok(same < 3, "3: towards the backend with other ids");
	stub_set(r1(), stub_answering());
	free(p);
}

/* Sent over TCP, then a good one: only that is answered. */
static bool tcp_lives_after(const struct ask *bad)
{
	struct ask good = {.name = "after.test", .id = 2};
	int fd = scene_client(&sc, SOCK_STREAM, NULL);
	bool lives;

	ask_tcp(fd, bad);
	ask_tcp(fd, &good);
	lives = take_tcp(fd, &sc.answer, SCENE_SOON) &&
		msg_id(sc.answer.data) == 2;
	close(fd);
	return lives;
}

static void test_not_queries(void)
{
	struct ask ask = plain;
	static const size_t sizes[] = {1501, 4200};
	uint8_t msg[4200] = {0};
	long long counted;

	counted = scene_stat(&sc, "drops_total{reason=\"not-a-query\"}");
	ask.flags = MSG_QR;
	ok(is_dropped(&ask), "4: QR=1: no answer");
	ok(tcp_lives_after(&ask), "4: over TCP: the connection lives on");
	ask.flags = MSG_TC;
	ok(is_dropped(&ask), "5: TC=1: no answer");
	is_int(scene_stat(&sc, "drops_total{reason=\"not-a-query\"}"),
		counted + 3, "4: all three are counted");
	send_udp(sc.client, msg, 11);
	ok(!take_udp(sc.client, &sc.answer, SCENE_NEVER) && serves(),
		"7: 11 octets: no answer");
	is_int(scene_stat(&sc, "drops_total{reason=\"short\"}"), 1,
		"7: counted");
	for (unsigned i = 0; i < countof(sizes); i++) {
		(void)ask_make(&plain, msg, sizeof(msg));
		send_udp(sc.client, msg, sizes[i]);
		ok(scene_wait_stat(&sc, "udp_oversize_total", i + 1) &&
				!take_udp(sc.client, &sc.answer, 20) &&
				serves(),
			"7: %zu octets: dropped and counted", sizes[i]);
	}
}

static void test_shapes(void)
{
	struct ask ask = {.name = "tail.test", .id = 3};
	uint8_t msg[128];
	size_t len;

	/* RFC 9619: a question is due, so this is FORMERR, not NOTIMP */
	len = ask_make(&plain, msg, sizeof(msg));
	msg_set_count(msg, MSG_QD, 0);
	send_udp(sc.client, msg, MSG_HEADER);
	ok(take_udp(sc.client, &sc.answer, SCENE_SOON) &&
			scene_rcode(&sc) == DNS_RCODE_FORMERR &&
			msg_count(sc.answer.data, MSG_QD) == 0,
		"6: no question: FORMERR, and no question in the answer");
	msg_set_count(msg, MSG_QD, 2);
	send_udp(sc.client, msg, len);
	ok(take_udp(sc.client, &sc.answer, SCENE_SOON) &&
			scene_rcode(&sc) == DNS_RCODE_FORMERR,
		"6: two questions: FORMERR");
	(void)stub_asked(r1());
	len = ask_make(&ask, msg, sizeof(msg));
	memset(msg + len, 'x', 9);
	send_udp(sc.client, msg, len + 9);
	ok(take_udp(sc.client, &sc.answer, SCENE_SOON) &&
			scene_rcode(&sc) == DNS_RCODE_FORMERR,
		"14: octets behind the message: FORMERR");
	is_int(stub_asked(r1()), 0, "14: no backend is asked");
	ok(scene_ask(&sc, &ask) && scene_rcode(&sc) == 0 &&
			stub_asked(r1()) == 1,
		"14: the clean question is asked and answered");
}

static void test_any_and_chaos(void)
{
	struct ask ask = {.name = "any.test", .type = DNS_TYPE_ANY, .id = 1};
	struct err err;

	(void)stub_asked(r1());
	ok(is_dropped(&ask), "2: ANY over UDP: no answer");
	ok(tcp_lives_after(&ask),
		"2: over TCP: no answer, the connection serves the next");
	ask.type = DNS_TYPE_TXT;
	ask.class = DNS_CLASS_CH;
	ask.name = "version.bind";
	ok(is_dropped(&ask), "12: CH TXT version.bind: no answer");
	ask.class = DNS_CLASS_IN;
	ok(scene_ask(&sc, &ask), "12: IN TXT of that name passes");
	ask.name = "any.test";
	ask.type = DNS_TYPE_ANY;
	if (!scene_reload(&sc, "policy: {any: tc}\n", "", &err))
		tap_bail("%s", err.text);
	ok(scene_ask(&sc, &ask) && has_bits(MSG_TC, 0),
		"2: with action tc: TC over UDP");
	ok(scene_ask_tcp(&sc, &ask) && !has_bits(MSG_TC, 0),
		"2: and an answer over TCP");
}

static void test_suffixes(void)
{
	static const struct {
		const char *name;
		bool auth;
	} cases[] = {
		{"zaibdns.lab", true},
		{"www.zaibdns.lab", true},
		{"WWW.ZAIBDNS.LAB", true},
		{"notzaibdns.lab", false},
		{"zaibdns.lab.evil", false},
	};

	(void)stub_asked(r1());
	(void)stub_asked(&sc.stubs[2]);
	for (unsigned i = 0; i < countof(cases); i++) {
		struct ask ask = {.name = cases[i].name, .type = DNS_TYPE_TXT};
		bool answered = scene_ask(&sc, &ask);
		unsigned auth = stub_asked(&sc.stubs[2]);
		unsigned rec = stub_asked(r1());

		ok(answered && auth == cases[i].auth && rec == !cases[i].auth,
			"11: %s goes to %s", cases[i].name,
			cases[i].auth ? "auth" : "rec");
	}
}

int main(void)
{
	test_acl();
	test_self_answers();
	test_forwarding();
	test_ids();
	test_not_queries();
	test_shapes();
	test_any_and_chaos();
	test_suffixes();
	scene_stop(&sc, "7");
	return tap_done();
}
