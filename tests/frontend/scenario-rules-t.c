/* SPDX-License-Identifier: ISC */
/*
 * Scenarios 6, 8 to 10, 13 and 46: what rules and options make of a query,
 * and from where answers leave. The other ones of the basics:
 * scenario-basics-t.
 */

#include "tests/frontend/scene.h"

#include "common/base/buf.h"
#include "common/dns/code.h"
#include "common/dns/msg.h"
#include "tests/tap/tap.h"
#include "tests/tap/wire.h"

#include <unistd.h>

static struct scene sc;

static struct stub *r1(void)
{
	return &sc.stubs[0];
}

static struct stub *a1(void)
{
	return &sc.stubs[2];
}

static bool has_bits(unsigned want, unsigned clear)
{
	unsigned flags = msg_flags(sc.answer.data);

	return (flags & want) == want && (flags & clear) == 0;
}

static bool ask_rcode(const struct ask *ask, unsigned rcode)
{
	return scene_ask(&sc, ask) && scene_rcode(&sc) == rcode;
}

static void change(const char *extra)
{
	struct err err;

	if (!scene_reload(&sc, extra, "policy: firstAvailable", &err))
		tap_bail("%s", err.text);
	(void)stub_asked(r1());
	(void)stub_asked(a1());
}

static void test_rejected(void)
{
	struct ask ask = {.name = "no.test", .id = 8, .flags = MSG_RD};
	uint8_t octets[16];
	size_t n;

	change("rules: [{suffix: [no.test], action: refuse},\n"
	       "  {suffix: [nx.test], action: nxdomain}]\n");
	ok(ask_rcode(&ask, DNS_RCODE_REFUSED) && !has_opt(&sc.answer),
		"8: a rule says REFUSED: no OPT for one who sent none");
	ok(has_bits(MSG_QR | MSG_RD | MSG_RA, MSG_AA | MSG_AD | MSG_TC),
		"9: RD=1: RA equals RD, AA and AD are clear");
	ask.flags = MSG_RD | MSG_AD | MSG_CD;
	ask.payload = 4096;
	ask.dnssec_ok = true;
	ask.options = "0008 0007 0001 18 00 c00002 000c 0004 00000000";
	n = wire(octets, sizeof(octets), "00 0029 04d0 0000 8000");
	ok(ask_rcode(&ask, DNS_RCODE_REFUSED) && has_opt(&sc.answer) &&
			memmem(sc.answer.data, sc.answer.len, octets, n),
		"8: with EDNS: an OPT, our payload size, DO copied");
	n = wire(octets, sizeof(octets), "0001 18 00 c00002");
	ok(!memmem(sc.answer.data, sc.answer.len, octets, n),
		"8: client subnet and padding are not echoed");
	ask.name = "nx.test";
	ok(ask_rcode(&ask, DNS_RCODE_NXDOMAIN) &&
			has_bits(MSG_RD | MSG_RA, MSG_AA | MSG_AD),
		"9: NXDOMAIN of a rule: the same flags");
	is_int(stub_asked(r1()), 0, "8: no backend is asked");
}

static bool goes_to(const char *name, unsigned rec, unsigned auth)
{
	struct ask ask = {.name = name, .flags = MSG_RD};

	return ask_rcode(&ask, 0) && stub_asked(r1()) == rec &&
	       stub_asked(a1()) == auth;
}

static void test_order(void)
{
	struct ask ask = {.name = "both.test"};

	change("rules:\n"
	       "  - {suffix: [both.test], action: refuse}\n"
	       "  - {suffix: [both.test], action: drop}\n"
	       "  - {suffix: [ends.test], action: pool, pool: auth}\n"
	       "  - {suffix: [ends.test], action: drop}\n"
	       "  - {suffix: [on.test], action: set-pool, pool: auth}\n"
	       "  - {exact: [bad.on.test], action: refuse}\n"
	       "  - {exact: [back.on.test], action: set-pool, pool: rec}\n"
	       "  - {exact: [rate.on.test], action: rate-limit, qps: 1000}\n");
	ok(ask_rcode(&ask, DNS_RCODE_REFUSED),
		"10: two rules match: the first terminal one wins");
	ok(goes_to("www.ends.test", 0, 1),
		"10: a pool action ends: the drop behind it is not reached");
	ok(goes_to("www.on.test", 0, 1),
		"10: a pool action that goes on: its pool");
	ask.name = "bad.on.test";
	ok(ask_rcode(&ask, DNS_RCODE_REFUSED) && stub_asked(a1()) == 0,
		"10: and the next rule is looked at");
	ok(goes_to("back.on.test", 1, 0), "10: where another pool wins");
	ok(goes_to("rate.on.test", 0, 1), "10: or a limit that is kept");
}

static void test_no_recurse(void)
{
	static const struct script held = {.hold = true};
	struct ask ask = {.name = "cut.test", .id = 46, .flags = MSG_RD};
	struct packet *q = calloc(1, sizeof(*q));
	int other = scene_client(&sc, SOCK_DGRAM, "127.0.0.46");

	change("rules: [{source: [127.0.0.46], action: no-recurse}]\n");
	stub_set(r1(), &held);
	ask_udp(other, &ask);
	ok(take_udp(r1()->udp, q, SCENE_SOON) && !(msg_flags(q->data) & MSG_RD),
		"46: a rule clears RD: the backend is asked without");
	reply_udp(r1()->udp, q, &(struct reply){.flags = MSG_RA});
	ok(take_udp(other, &sc.answer, SCENE_SOON) && has_bits(MSG_RD, 0) &&
			msg_id(sc.answer.data) == 46 &&
			msg_count(sc.answer.data, MSG_AN) == 0,
		"46: the client sees RD as it said it");
	ask_udp(sc.client, &ask);
	ok(take_udp(r1()->udp, q, SCENE_SOON) && (msg_flags(q->data) & MSG_RD),
		"46: one that the rule is not about: asked with RD, "
		"the other's answer is not used");
	reply_udp(r1()->udp, q, &stub_answering()->reply);
	ok(take_udp(sc.client, &sc.answer, SCENE_SOON) && has_bits(MSG_RD, 0) &&
			msg_count(sc.answer.data, MSG_AN) == 1,
		"46: and has its own answer");
	stub_set(r1(), stub_answering());
	(void)stub_asked(r1());
	ask.flags = 0;
	ok(scene_ask(&sc, &ask) && has_bits(0, MSG_RD) &&
			msg_count(sc.answer.data, MSG_AN) == 1,
		"46: another without RD gets that, with its own flag");
	is_int(stub_asked(r1()), 0, "46: from the cache");
	close(other);
	free(q);
}

static void test_empty(void)
{
	static const uint8_t empty[MSG_HEADER] = {0, 6, 1};

	change("policy: {empty: notimp}\n");
	send_udp(sc.client, empty, sizeof(empty));
	ok(take_udp(sc.client, &sc.answer, SCENE_SOON) &&
			scene_rcode(&sc) == DNS_RCODE_NOTIMP &&
			sc.answer.len == MSG_HEADER,
		"6: no question, with the option: NOTIMP");
	change("policy: {empty: drop}\n");
	send_udp(sc.client, empty, sizeof(empty));
	ok(!take_udp(sc.client, &sc.answer, SCENE_NEVER),
		"6: with the other option: nothing");
	is_int(scene_stat(&sc, "drops_total{reason=\"empty\"}"), 1,
		"6: which is counted");
}

/* The client's socket hears no other address. */
static void test_source(void)
{
	struct ask ask = {.name = "here.test", .flags = MSG_RD};
	uint32_t first = ntohl(sc.server.v4.sin_addr.s_addr);

	for (uint32_t i = 0; i < 3; i++) {
		int fd;

		sc.server.v4.sin_addr.s_addr = htonl(first + 7 * i);
		fd = scene_client(&sc, SOCK_DGRAM, NULL);
		ask_udp(fd, &ask);
		ok(take_udp(fd, &sc.answer, SCENE_SOON) &&
				scene_rcode(&sc) == 0,
			"13: all addresses, asked at the %u. of lo: it answers "
			"from there",
			i + 1);
		close(fd);
	}
	sc.server.v4.sin_addr.s_addr = htonl(first);
}

int main(void)
{
	scene_listen_any(true);
	scene_start(&sc, "", "policy: firstAvailable", NULL);
	test_rejected();
	test_order();
	test_no_recurse();
	test_empty();
	test_source();
	scene_stop(&sc, "10");
	return tap_done();
}
