/* SPDX-License-Identifier: ISC */
/*
 * What a client gets: policy, flags, EDNS, the cache. Each test plays client
 * and backends around one worker. What time changes: scenario-age-t and
 * scenario-stale-t.
 */

#include "tests/frontend/rig.h"

#include "common/base/buf.h"
#include "common/dns/code.h"
#include "tests/tap/tap.h"
#include "tests/tap/wire.h"

#include <unistd.h>

#define OPEN "acl: {allow: [127.0.0.0/8]}\n"

static struct rig rig;
static struct packet answer, question;
static const struct reply good = {.flags = MSG_RA, .answers = 1, .ttl_s = 60};

static unsigned rcode(void)
{
	return msg_rcode(answer.data);
}

static uint16_t flags(void)
{
	return msg_flags(answer.data);
}

/* A trip to r1 that must be answered there. */
static bool trip(int fd, struct ask ask)
{
	return round_trip(&rig, fd, &ask, 0, &good, &answer);
}

static void test_forward(void)
{
	struct ask ask = {
		.name = "Www.Example.com", .id = 0x1234, .flags = MSG_RD};
	struct query_view view;
	int fd;

	rig_start(&rig, OPEN, "policy: firstAvailable,");
	fd = rig_udp_client(&rig);
	ask_udp(fd, &ask);
	ok(take_udp(rig.udp[0], &question, RIG_SOON), "the backend is asked");
	ok(msg_parse_query(question.data, question.len, &view) == MSG_OK &&
			view.q.type == DNS_TYPE_A &&
			name_equal(view.q.name,
				(const uint8_t *)"\3www\7example\3com"),
		"the same question");
	ok(view.edns.present && view.edns.payload == EDNS_OUR_PAYLOAD,
		"with our own EDNS size");
	ok(msg_flags(question.data) & MSG_RD, "and RD");
	reply_udp(rig.udp[0], &question, &good);
	ok(take_udp(fd, &answer, RIG_SOON), "the client is answered");
	is_int(msg_id(answer.data), 0x1234, "with its own id");
	ok(memcmp(answer.data + 12, "\3Www\7Example\3com", 17) == 0,
		"and its own spelling");
	ok(!has_opt(&answer), "no OPT for one who sent none");
	ok((flags() & MSG_RA) && !(flags() & MSG_AA), "RA set, AA clear");
	is_int(first_ttl(&answer), 60, "the TTL as it came");
	close(fd);
}

static void test_cache_hits(void)
{
	struct ask ask = {.name = "hit.example", .flags = MSG_RD};
	int fd = rig_udp_client(&rig), asked = 0, right = 0;

	for (uint16_t i = 0; i < 10; i++) {
		ask.id = (uint16_t)(100 + i);
		ask.name = i & 1 ? "HIT.example" : "hit.EXAMPLE";
		asked += trip(fd, ask);
		right += msg_id(answer.data) == ask.id &&
			 answer.data[13] == (i & 1 ? 'H' : 'h');
	}
	is_int(asked, 1, "ten times the same question: one at the backend");
	is_int(right, 10, "each client its own id and spelling");
	close(fd);
}

static void test_key(void)
{
	struct ask ask = {.name = "key.example", .flags = MSG_RD};
	int fd = rig_udp_client(&rig);

	ok(trip(fd, ask), "a first question");
	ask.flags = MSG_RD | MSG_AD;
	ok(!trip(fd, ask), "AD shares the answer");
	ask.flags = 0;
	ok(!trip(fd, ask) && !(flags() & MSG_RD), "RD too; it is copied");
	ask.flags = MSG_RD;
	ask.payload = 512;
	ok(!trip(fd, ask) && has_opt(&answer), "EDNS too; it has an OPT");
	ask.payload = 4096;
	ok(!trip(fd, ask), "any EDNS size too");
	ask.options = "000a 0008 0102030405060708";
	ok(!trip(fd, ask), "a cookie too");
	ask.options = "000c 0004 00000000";
	ok(!trip(fd, ask), "padding too");
	ask.options = NULL;
	ask.dnssec_ok = true;
	ok(trip(fd, ask), "DO does not");
	ask.dnssec_ok = false;
	ask.flags = MSG_RD | MSG_CD;
	ok(trip(fd, ask) && (flags() & MSG_CD), "CD does not");
	close(fd);
}

static void test_cookie_leak(void)
{
	struct ask ask = {.name = "cookie.example",
		.payload = 1232,
		.options = "000a 0008 0102030405060708"};
	struct reply reply = good;
	struct query_view view;
	int fd = rig_udp_client(&rig);

	reply.options = "000a 0010 0102030405060708 1112131415161718";
	ask_udp(fd, &ask);
	(void)take_udp(rig.udp[0], &question, RIG_SOON);
	(void)msg_parse_query(question.data, question.len, &view);
	is_int(view.edns.cookie_offset, 0,
		"a client's cookie does not reach the backend");
	reply_udp(rig.udp[0], &question, &reply);
	ok(take_udp(fd, &answer, RIG_SOON) &&
			!memmem(answer.data, answer.len,
				"\x11\x12\x13\x14\x15\x16\x17\x18", 8),
		"nor a backend's the client");
	close(fd);
}

static void test_flags(void)
{
	struct ask ask = {.name = "ad.example", .flags = MSG_RD};
	struct reply reply = good;
	int fd = rig_udp_client(&rig);

	reply.flags = MSG_RA | MSG_AD | MSG_AA;
	(void)round_trip(&rig, fd, &ask, 0, &reply, &answer);
	ok(!(flags() & MSG_AD), "AD is not for one who did not ask");
	ok(!(flags() & MSG_AA), "AA is not for answers of a resolver");
	ask.flags |= MSG_AD;
	(void)round_trip(&rig, fd, &ask, 0, &reply, &answer);
	ok(flags() & MSG_AD, "AD for one who set it");
	ask = (struct ask){.name = "www.zaibdns.lab", .flags = MSG_RD};
	ok(round_trip(&rig, fd, &ask, 2, &reply, &answer),
		"zaibdns.lab goes to the pool auth");
	ok((flags() & MSG_AA) && !(flags() & MSG_RA), "AA kept, RA clear");
	ok(flags() & MSG_RD, "RD copied");
	close(fd);
}

static void test_routes(void)
{
	static const struct {
		const char *name;
		int backend;
		uint16_t type;
	} cases[] = {
		{"zaibdns.lab", 2, DNS_TYPE_A},
		{"www.zaibdns.lab", 2, DNS_TYPE_A},
		{"WWW.ZAIBDNS.LAB", 2, DNS_TYPE_A},
		{"notzaibdns.lab", 0, DNS_TYPE_A},
		{"zaibdns.lab.evil", 0, DNS_TYPE_A},
		{"lab", 0, DNS_TYPE_A},
		{"zaibdns.lab", 0, DNS_TYPE_DS},
		{"www.zaibdns.lab", 2, DNS_TYPE_DS},
		{".", 0, DNS_TYPE_DS},
	};
	int fd = rig_udp_client(&rig);

	for (size_t i = 0; i < countof(cases); i++) {
		struct ask ask = {.name = cases[i].name, .type = cases[i].type};

		ok(round_trip(
			   &rig, fd, &ask, cases[i].backend, &good, &answer) &&
				rcode() == 0,
			"%s, type %u, goes to backend %d", cases[i].name,
			cases[i].type, cases[i].backend);
	}
	close(fd);
}

static void send_text(int fd, const char *text)
{
	uint8_t msg[1024];

	send_udp(fd, msg, wire(msg, sizeof(msg), text));
}

static void test_junk(void)
{
	static const char query[] = "0001 0100 0001 0000 0000 0000 "
				    "<junk.example.> 0001 0001";
	uint64_t asked = rig_stat(&rig, STAT_FORWARDED);
	int fd = rig_udp_client(&rig);
	char text[256];

	send_text(fd, "0001 8100 0001 0000 0000 0000 <a.example.> 0001 0001");
	send_text(fd, "0001 0300 0001 0000 0000 0000 <a.example.> 0001 0001");
	send_text(fd, "00");
	send_text(fd, "0001 0100 0001 0000 0000");
	ok(!take_udp(fd, &answer, RIG_NEVER),
		"QR=1, TC=1 and short messages are never answered");
	ok(rig_wait_stat(&rig, STAT_DROP_SHORT, 2) &&
			rig_wait_stat(&rig, STAT_DROP_NOT_QUERY, 2),
		"but counted");
	send_text(fd, "0002 0100 0000 0000 0000 0000");
	ok(take_udp(fd, &answer, RIG_SOON) && rcode() == DNS_RCODE_FORMERR,
		"no question: FORMERR");
	send_text(fd, "0003 0100 0002 0000 0000 0000 <a.> 0001 0001 <b.> 0001 "
		      "0001");
	ok(take_udp(fd, &answer, RIG_SOON) && rcode() == DNS_RCODE_FORMERR,
		"two questions: FORMERR");
	(void)snprintf(text, sizeof(text), "%s 'trailing'", query);
	send_text(fd, text);
	ok(take_udp(fd, &answer, RIG_SOON) && rcode() == DNS_RCODE_FORMERR,
		"octets behind the message: FORMERR");
	send_text(fd, "0004 2100 0001 0000 0000 0000 <a.example.> 0006 0001");
	ok(take_udp(fd, &answer, RIG_SOON) && rcode() == DNS_RCODE_NOTIMP,
		"NOTIFY: NOTIMP");
	send_text(fd, "0005 0100 0001 0000 0000 0001 <a.example.> 0001 0001 "
		      "00 0029 04d0 00 01 0000 0000");
	ok(take_udp(fd, &answer, RIG_SOON) && rcode() == 0 && has_opt(&answer),
		"EDNS version 1: BADVERS in the OPT");
	send_text(fd, "0006 0100 0001 0000 0000 0001 <a.example.> 0001 0001 "
		      "00 0029 04d0 00 00 0000 0006 000a 0040 0102");
	ok(take_udp(fd, &answer, RIG_SOON) && rcode() == DNS_RCODE_FORMERR,
		"an option longer than the OPT: FORMERR");
	send_text(fd, "0007 0100 0001 0000 0000 0002 <a.example.> 0001 0001 "
		      "00 0029 04d0 00 00 0000 0000 "
		      "00 0029 04d0 00 00 0000 0000");
	ok(take_udp(fd, &answer, RIG_SOON) && rcode() == DNS_RCODE_FORMERR,
		"two OPTs: FORMERR");
	is_int((long long)rig_stat(&rig, STAT_FORWARDED), (long long)asked,
		"none of it reached a backend");
	close(fd);
}

static void test_sizes(void)
{
	struct ask ask = {.name = "big.example", .flags = MSG_RD};
	struct reply big = good;
	int fd = rig_udp_client(&rig);

	big.padding = 900;
	(void)round_trip(&rig, fd, &ask, 0, &big, &answer);
	ok((flags() & MSG_TC) && answer.len <= 512 && !has_opt(&answer),
		"over 512 octets without EDNS: TC and nothing else");
	ask.payload = 1232;
	ok(!round_trip(&rig, fd, &ask, 0, &big, &answer) &&
			!(flags() & MSG_TC) && answer.len > 900,
		"from the cache, whole, for one who can take it");
	ask.payload = 700;
	ok(!round_trip(&rig, fd, &ask, 0, &big, &answer) &&
			(flags() & MSG_TC) && has_opt(&answer),
		"TC and an OPT for one who said 700");
	ask.name = "bigger.example";
	ask.payload = 4096;
	big.padding = 1190;
	(void)round_trip(&rig, fd, &ask, 0, &big, &answer);
	ok((flags() & MSG_TC) && answer.len <= 1232,
		"never more than 1232, whatever the client says");
	close(fd);
}

static void test_negative(void)
{
	struct ask ask = {.name = "nx.example"};
	struct reply nx = {.flags = MSG_RA,
		.rcode = DNS_RCODE_NXDOMAIN,
		.soa = true,
		.minimum_s = 30};
	int fd = rig_udp_client(&rig);

	ok(round_trip(&rig, fd, &ask, 0, &nx, &answer) &&
			rcode() == DNS_RCODE_NXDOMAIN,
		"NXDOMAIN is handed on");
	ok(!round_trip(&rig, fd, &ask, 0, &nx, &answer) &&
			rcode() == DNS_RCODE_NXDOMAIN,
		"and kept by its SOA");
	ask.name = "nosoa.example";
	nx.soa = false;
	(void)round_trip(&rig, fd, &ask, 0, &nx, &answer);
	ok(round_trip(&rig, fd, &ask, 0, &nx, &answer),
		"without SOA it is not kept");
	ask.name = "zero.example";
	nx = good;
	nx.ttl_s = 0;
	(void)round_trip(&rig, fd, &ask, 0, &nx, &answer);
	ok(round_trip(&rig, fd, &ask, 0, &nx, &answer), "nor is TTL 0");
	ask.name = "huge.example";
	nx.ttl_s = 0x80000001;
	(void)round_trip(&rig, fd, &ask, 0, &nx, &answer);
	is_int(first_ttl(&answer), 0, "a TTL of 2^31 and more is 0");
	close(fd);
	rig_stop(&rig);
}

static void test_coalescing(void)
{
	struct ask ask = {.name = "herd.example"};
	int fds[50], right = 0;

	rig_start(&rig, OPEN, "policy: firstAvailable,");
	for (int i = 0; i < 50; i++) {
		fds[i] = rig_udp_client(&rig);
		ask.id = (uint16_t)i;
		ask.name = i & 1 ? "herd.example" : "HERD.example";
		ask_udp(fds[i], &ask);
		ask_udp(fds[i], &ask);
	}
	ok(rig_wait_stat(&rig, STAT_COALESCED, 99),
		"100 equal questions at once: 99 wait");
	ok(take_udp(rig.udp[0], &question, RIG_SOON), "for one");
	ok(!take_udp(rig.udp[0], &answer, RIG_NEVER), "and no other");
	reply_udp(rig.udp[0], &question, &good);
	for (int i = 0; i < 50; i++) {
		for (int k = 0; k < 2; k++)
			right += take_udp(fds[i], &answer, RIG_SOON) &&
				 msg_id(answer.data) == i &&
				 answer.data[13] == (i & 1 ? 'h' : 'H');
		close(fds[i]);
	}
	is_int(right, 100, "all are answered, each as it asked");
	rig_stop(&rig);
}

static void test_waiting(void)
{
	static struct packet held[50];
	int fd, asked = 0;

	rig_start(&rig, OPEN "inflight_per_client: 20\n",
		"policy: firstAvailable,");
	fd = rig_udp_client(&rig);
	for (int i = 0; i < 50; i++) {
		char name[32];
		struct ask ask = {.name = name};

		(void)snprintf(name, sizeof(name), "wait%d.example", i);
		ask_udp(fd, &ask);
	}
	while (take_udp(rig.udp[0], &held[asked % 50], RIG_NEVER))
		asked++;
	for (int i = 0; i < asked && i < 50; i++)
		reply_udp(rig.udp[0], &held[i], &good);
	is_int(asked, 20, "of one client 20 wait, not 50");
	ok(rig_wait_stat(&rig, STAT_DROP_NO_SLOT, 30), "the rest is counted");
	ok(take_udp(fd, &answer, RIG_SOON), "those are answered");
	while (take_udp(fd, &answer, RIG_NEVER))
		;
	ok(round_trip(&rig, fd, &(struct ask){.name = "then.example"}, 0, &good,
		   &answer) &&
			rcode() == 0,
		"and there is room again");
	close(fd);
	rig_stop(&rig);
}

int main(void)
{
	test_forward();
	test_cache_hits();
	test_key();
	test_cookie_leak();
	test_flags();
	test_routes();
	test_junk();
	test_sizes();
	test_negative();
	test_coalescing();
	test_waiting();
	return tap_done();
}
