/* SPDX-License-Identifier: ISC */
/*
 * Options of one hop, octet by octet: what reaches a backend, what reaches a
 * client, and who is told apart from whom. DNS cookies and TCP keepalive.
 */

#include "tests/frontend/rig.h"

#include "common/base/buf.h"
#include "common/dns/code.h"
#include "tests/tap/tap.h"
#include "tests/tap/wire.h"

#include <unistd.h>

#define OPEN   "acl: {allow: [127.0.0.0/8]}\n"
#define SECRET "e5e973e5a6b2a43f48e7dc849e37bfcf"
/* cookie, ECS, padding, keepalive, NSID, a private one */
#define ALL_OPTIONS                                                            \
	"000a 0008 2464c4abcf10c957 0008 0007 0001 18 00 c00002 "              \
	"000c 0004 00000000 000b 0000 0003 0000 fde9 0002 abcd "

static struct rig rig;
static struct packet answer, question;
static const struct reply good = {.flags = MSG_RA, .answers = 1, .ttl_s = 60};

static unsigned ext_rcode(const struct packet *p)
{
	const uint8_t *rdata;

	if (opt_of(p, &rdata) < 0)
		return msg_rcode(p->data);
	return (unsigned)rdata[-6] << 4 | msg_rcode(p->data);
}

/* Is there nothing but a whole cookie for this client cookie (hex)? */
static bool has_cookie(const struct packet *p, const char *client)
{
	uint8_t want[16];
	size_t n = wire(want, sizeof(want), "000a 0018");
	const uint8_t *rdata;

	n += wire(want + n, sizeof(want) - n, client);
	return opt_of(p, &rdata) == 28 && memcmp(rdata, want, n) == 0 &&
	       rdata[12] == 1;
}

static bool is_question(const struct packet *p, const char *want)
{
	uint8_t octets[256];
	size_t n = wire(octets, sizeof(octets), want);

	return p->len == n && memcmp(p->data + 2, octets + 2, n - 2) == 0;
}

#define FORWARDED                                                              \
	"0000 0120 0001 0000 0000 0001 <all.example.> 0001 0001 "              \
	"00 0029 04d0 00 00 8000 0000"

static void test_to_backend(void)
{
	struct ask ask = {.name = "ALL.example",
		.flags = MSG_RD | MSG_AD,
		.payload = 4096,
		.dnssec_ok = true,
		.options = ALL_OPTIONS};
	struct reply cut = {.flags = MSG_RA | MSG_TC};
	int fd = rig_udp_client(&rig), tcp, backend;

	ask_udp(fd, &ask);
	ok(take_udp(rig.udp[0], &question, RIG_SOON) &&
			is_question(&question, FORWARDED),
		"a backend gets the question and our own OPT, nothing else");
	reply_udp(rig.udp[0], &question, &cut);
	(void)take_udp(fd, &answer, RIG_SOON);
	close(fd);
	tcp = rig_tcp_client(&rig);
	ask_tcp(tcp, &ask);
	if (take_udp(rig.udp[0], &question, RIG_SOON))
		reply_udp(rig.udp[0], &question, &cut);
	backend = rig_accept(&rig, 0, RIG_SOON);
	ok(take_tcp(backend, &question, RIG_SOON) &&
			is_question(&question, FORWARDED),
		"over TCP too");
	reply_tcp(backend, &question, &good);
	ok(take_tcp(tcp, &answer, RIG_SOON) && !ext_rcode(&answer),
		"which answers");
	close(backend);
	close(tcp);
}

static void test_to_client(void)
{
	struct ask ask = {.name = "back.example",
		.payload = 1232,
		.options = "000a 0008 2464c4abcf10c957"};
	struct reply reply = good;
	int fd = rig_udp_client(&rig);

	reply.options = "000a 0010 0102030405060708 1112131415161718 "
			"0008 0008 0001 18 10 c0000200 000c 0004 00000000 "
			"000b 0002 0010 0003 0002 abcd fde9 0002 abcd "
			"000f 0002 0012";
	ok(round_trip(&rig, fd, &ask, 0, &reply, &answer) &&
			ede_of(&answer) == 18,
		"of a backend's options the extended error is handed on");
	ask.options = NULL;
	ok(!round_trip(&rig, fd, &ask, 0, &reply, &answer) &&
			has_options(&answer, "000f 0002 0012"),
		"and nothing else, from the cache too");
	ask.payload = 0;
	ok(!round_trip(&rig, fd, &ask, 0, &reply, &answer) && !has_opt(&answer),
		"nothing at all without EDNS");
	close(fd);
}

static void test_own_cookie(void)
{
	struct ask ask = {.name = "own.example", .payload = 1232};
	char cookie[64];
	int fd = rig_udp_client(&rig);

	ask.options = "000a 0008 2464c4abcf10c957";
	ok(round_trip(&rig, fd, &ask, 0, &good, &answer) &&
			has_cookie(&answer, "2464c4abcf10c957"),
		"a client's cookie comes back with one of ours");
	ask.options = cookie_text(&answer, cookie);
	ok(!round_trip(&rig, fd, &ask, 0, &good, &answer) &&
			has_options(&answer, cookie),
		"which is accepted and given back, from the cache");
	is_int((long long)rig_stat(&rig, STAT_COOKIE_GOOD), 1, "counted");
	ask.options = "000a 0008 fc93fc62807ddb86";
	ok(!round_trip(&rig, fd, &ask, 0, &good, &answer) &&
			has_cookie(&answer, "fc93fc62807ddb86"),
		"another client shares the answer, not the cookie");
	ask.options = "000a 0018 fc93fc62807ddb86 0102030405060708"
		      "1112131415161718";
	ok(!round_trip(&rig, fd, &ask, 0, &good, &answer) &&
			has_cookie(&answer, "fc93fc62807ddb86") &&
			!memmem(answer.data, answer.len, "\x11\x12\x13", 3),
		"a foreign server cookie is replaced");
	is_int((long long)rig_stat(&rig, STAT_COOKIE_BAD), 1, "counted");
	ask.options = NULL;
	ok(!round_trip(&rig, fd, &ask, 0, &good, &answer) &&
			has_options(&answer, ""),
		"none for one who sent none");
	close(fd);
}

static void test_coalesced(void)
{
	struct ask ask = {.name = "herd.example", .payload = 1232};
	int a = rig_udp_client(&rig), b = rig_udp_client(&rig);
	uint64_t before = rig_stat(&rig, STAT_COALESCED);

	ask.options = "000a 0008 aaaaaaaaaaaaaaaa";
	ask_udp(a, &ask);
	(void)take_udp(rig.udp[0], &question, RIG_SOON);
	ask.options = "000a 0008 bbbbbbbbbbbbbbbb";
	ask_udp(b, &ask);
	(void)rig_wait_stat(&rig, STAT_COALESCED, before + 1);
	reply_udp(rig.udp[0], &question, &good);
	ok(take_udp(a, &answer, RIG_SOON) &&
			has_cookie(&answer, "aaaaaaaaaaaaaaaa"),
		"two wait for one answer: the first gets its cookie");
	ok(take_udp(b, &answer, RIG_SOON) &&
			has_cookie(&answer, "bbbbbbbbbbbbbbbb"),
		"and the second its own");
	close(a);
	close(b);
}

static void test_lengths(void)
{
	struct ask ask = {.name = "own.example", .payload = 1232};
	int fd = rig_udp_client(&rig), wrong = 0;

	for (unsigned len = 0; len <= 48; len++) {
		bool valid = len == 8 || (len >= 16 && len <= 40);
		char options[128];
		int n = snprintf(options, sizeof(options), "000a %04x ", len);

		for (unsigned i = 0; i < len; i++)
			n += snprintf(
				options + n, sizeof(options) - (size_t)n, "5a");
		ask.options = options;
		(void)round_trip(&rig, fd, &ask, 0, &good, &answer);
		wrong += ext_rcode(&answer) !=
			 (valid ? DNS_RCODE_NOERROR : DNS_RCODE_FORMERR);
	}
	is_int(wrong, 0, "FORMERR for each length that is not 8 or 16 to 40");
	close(fd);
}

/* The cookie counts towards the size that the client takes. */
static void test_size(void)
{
	struct ask ask = {.name = "size.example", .payload = 600};
	struct reply reply = good;
	size_t whole;
	int fd = rig_udp_client(&rig);

	reply.padding = 500;
	(void)round_trip(&rig, fd, &ask, 0, &reply, &answer);
	whole = answer.len;
	ask.payload = (uint16_t)(whole + 28);
	ask.options = "000a 0008 2464c4abcf10c957";
	(void)round_trip(&rig, fd, &ask, 0, &reply, &answer);
	ok(answer.len == whole + 28 && !(msg_flags(answer.data) & MSG_TC),
		"a cookie that just fits");
	ask.payload--;
	(void)round_trip(&rig, fd, &ask, 0, &reply, &answer);
	ok((msg_flags(answer.data) & MSG_TC) &&
			has_cookie(&answer, "2464c4abcf10c957"),
		"one that does not: TC, with the cookie");
	close(fd);
}

static void test_own_replies(void)
{
	struct ask ask = {.name = "own.example",
		.payload = 1232,
		.type = DNS_TYPE_AXFR,
		.options = "000a 0008 2464c4abcf10c957"};
	int fd = rig_udp_client(&rig);

	ask_udp(fd, &ask);
	ok(take_udp(fd, &answer, RIG_SOON) &&
			ext_rcode(&answer) == DNS_RCODE_REFUSED &&
			memmem(answer.data, answer.len,
				"\x24\x64\xc4\xab\xcf\x10\xc9\x57\1", 9),
		"REFUSED has the cookie too");
	close(fd);
}

/* RFC 7873 5.4: no question, just a cookie. */
static void test_fetch(void)
{
	uint8_t msg[128];
	size_t n = wire(msg, sizeof(msg),
		"1234 0100 0000 0000 0000 0001 00 0029 04d0 00000000 "
		"000c 000a 0008 2464c4abcf10c957");
	int fd = rig_udp_client(&rig);

	send_udp(fd, msg, n);
	ok(take_udp(fd, &answer, RIG_SOON) && msg_id(answer.data) == 0x1234 &&
			msg_rcode(answer.data) == 0 &&
			msg_count(answer.data, MSG_QD) == 0 &&
			answer.len == MSG_HEADER + EDNS_OPT_SIZE + 28 &&
			memmem(answer.data, answer.len,
				"\0\x0a\0\x18\x24\x64\xc4\xab\xcf\x10\xc9\x57"
				"\1",
				13),
		"a cookie can be had without a question");
	n = wire(msg, sizeof(msg),
		"1234 0100 0000 0000 0000 0001 00 0029 04d0 00000000 "
		"000c 000c 0008 2464c4abcf10c957");
	send_udp(fd, msg, n);
	ok(take_udp(fd, &answer, RIG_SOON) &&
			msg_rcode(answer.data) == DNS_RCODE_FORMERR,
		"another option is no reason");
	close(fd);
}

static void test_keepalive(void)
{
	struct ask ask = {
		.name = "own.example", .payload = 1232, .options = "000b 0000"};
	int udp = rig_udp_client(&rig), tcp = rig_tcp_client(&rig);

	ask_udp(udp, &ask);
	ok(take_udp(udp, &answer, RIG_SOON) && has_options(&answer, ""),
		"keepalive is ignored over UDP");
	ask_tcp(tcp, &ask);
	ok(take_tcp(tcp, &answer, RIG_SOON) &&
			has_options(&answer, "000b 0002 0064"),
		"over TCP the client learns our idle time-out, 10 s");
	ask.options = "000b 0000 000a 0008 2464c4abcf10c957";
	ask_tcp(tcp, &ask);
	ok(take_tcp(tcp, &answer, RIG_SOON) &&
			memmem(answer.data, answer.len, "\0\x0b\0\2\0\x64",
				6) &&
			memmem(answer.data, answer.len, "\0\x0a\0\x18\x24\x64",
				6),
		"beside a cookie");
	ask.options = NULL;
	ask_tcp(tcp, &ask);
	ok(take_tcp(tcp, &answer, RIG_SOON) && has_options(&answer, ""),
		"not unless it asked");
	close(udp);
	close(tcp);
}

static void test_denied(void)
{
	struct ask ask = {.name = "own.example",
		.payload = 1232,
		.options = "000a 0008 2464c4abcf10c957"};
	int fd = rig_udp_client(&rig);

	rig_change(&rig, "acl: {allow: [192.0.2.0/24]}\n", "");
	ask_udp(fd, &ask);
	ok(take_udp(fd, &answer, RIG_SOON) &&
			ext_rcode(&answer) == DNS_RCODE_REFUSED &&
			memmem(answer.data, answer.len,
				"\x24\x64\xc4\xab\xcf\x10\xc9\x57\1", 9),
		"so has REFUSED by the access list");
	rig_change(&rig, OPEN "cookies: {enabled: false}\n", "");
	ask_udp(fd, &ask);
	ok(take_udp(fd, &answer, RIG_SOON) && has_options(&answer, ""),
		"cookies disabled: none");
	close(fd);
}

/* Ask until the bucket of queries without a cookie is empty. */
static bool empty_bucket(int fd, struct ask ask, enum stat_id over)
{
	uint64_t before = rig_stat(&rig, over);

	ask.options = NULL;
	for (int i = 0; i < 100 && rig_stat(&rig, over) == before; i++) {
		ask_udp(fd, &ask);
		(void)take_udp(fd, &answer, 20);
	}
	return rig_stat(&rig, over) > before;
}

static void test_limit_tc(void)
{
	struct ask ask = {.name = "own.example", .payload = 1232};
	char cookie[64];
	int fd;

	rig_change(&rig, OPEN "limit: {qps: 1, burst: 20, action: tc}\n", "");
	fd = rig_udp_client(&rig);
	ok(empty_bucket(fd, ask, STAT_TC_LIMIT) &&
			(msg_flags(answer.data) & MSG_TC),
		"over the limit without a cookie: TC");
	ask.options = "000a 0008 2464c4abcf10c957";
	ask_udp(fd, &ask);
	ok(take_udp(fd, &answer, RIG_SOON) &&
			ext_rcode(&answer) == DNS_RCODE_BADCOOKIE &&
			has_cookie(&answer, "2464c4abcf10c957"),
		"with a client's cookie alone: BADCOOKIE and a good one");
	ask.options = cookie_text(&answer, cookie);
	ask_udp(fd, &ask);
	ok(take_udp(fd, &answer, RIG_SOON) && ext_rcode(&answer) == 0 &&
			!(msg_flags(answer.data) & MSG_TC),
		"with that one: an answer");
	for (int i = 0; i < 60 && !rig_stat(&rig, STAT_DROP_LIMIT); i++) {
		ask_udp(fd, &ask);
		(void)take_udp(fd, &answer, 20);
	}
	ok(rig_stat(&rig, STAT_DROP_LIMIT) > 0, "it has a limit too");
	close(fd);
}

static void test_limit_drop(void)
{
	struct ask ask = {.name = "own.example", .payload = 1232};
	char cookie[64];
	int fd;

	rig_change(&rig, OPEN "limit: {qps: 1, burst: 20}\n", "");
	fd = rig_udp_client(&rig);
	ask.options = "000a 0008 0102030405060708";
	ask_udp(fd, &ask);
	(void)take_udp(fd, &answer, RIG_SOON);
	ask.options = cookie_text(&answer, cookie);
	ok(empty_bucket(fd, ask, STAT_DROP_LIMIT),
		"a flood in a client's name uses up its limit");
	ask_udp(fd, &ask);
	ok(take_udp(fd, &answer, RIG_SOON) && ext_rcode(&answer) == 0,
		"not that of the client's cookie");
	close(fd);
}

/* What one node gave out is good at its peer, and over a change of secret. */
static void test_secrets(void)
{
	struct ask ask = {.name = "own.example", .payload = 1232};
	char cookie[64];
	uint64_t seen;
	int fd;

	rig_start(&rig, OPEN "cookies: {secret: " SECRET "}\n", "");
	fd = rig_udp_client(&rig);
	ask.options = "000a 0008 2464c4abcf10c957";
	(void)round_trip(&rig, fd, &ask, 0, &good, &answer);
	(void)cookie_text(&answer, cookie);
	close(fd);
	rig_stop(&rig);
	rig_start(&rig,
		OPEN "cookies: {secret: 000102030405060708090a0b0c0d0e0f,\n"
		     "  previous: " SECRET "}\n",
		"");
	fd = rig_udp_client(&rig);
	ask.options = cookie;
	(void)round_trip(&rig, fd, &ask, 0, &good, &answer);
	is_int((long long)rig_stat(&rig, STAT_COOKIE_GOOD), 1,
		"a cookie of another server is good by the previous secret");
	ok(has_cookie(&answer, "2464c4abcf10c957") &&
			!has_options(&answer, cookie),
		"and replaced");
	seen = rig_stat(&rig, STAT_COOKIE_BAD);
	rig_change(&rig,
		OPEN "cookies: {secret: 000102030405060708090a0b0c0d0e0f}\n",
		"");
	(void)round_trip(&rig, fd, &ask, 0, &good, &answer);
	is_int((long long)rig_stat(&rig, STAT_COOKIE_BAD), (long long)seen + 1,
		"without it no longer");
	close(fd);
	rig_stop(&rig);
}

int main(void)
{
	rig_start(&rig, OPEN, "policy: firstAvailable,");
	test_to_backend();
	test_to_client();
	test_own_cookie();
	test_coalesced();
	test_lengths();
	test_size();
	test_own_replies();
	test_fetch();
	test_keepalive();
	test_denied();
	test_limit_tc();
	test_limit_drop();
	rig_stop(&rig);
	test_secrets();
	return tap_done();
}
