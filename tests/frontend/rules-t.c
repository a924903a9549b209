/* SPDX-License-Identifier: ISC */
/* Rules at work: each action over UDP and TCP, order, what stays refused. */

#include "tests/frontend/rig.h"

#include "common/base/buf.h"
#include "common/dns/code.h"
#include "tests/tap/tap.h"
#include "tests/tap/wire.h"

#include <unistd.h>

#define OPEN  "acl: {allow: [127.0.0.0/8]}\n"
#define FIRST "policy: firstAvailable,"

static struct rig rig;
static struct packet answer, question;
static const struct reply good = {.flags = MSG_RA, .answers = 1, .ttl_s = 60};

static unsigned rcode(void)
{
	return msg_rcode(answer.data);
}

static bool asked(int backend)
{
	return take_udp(rig.udp[backend], &question, 50);
}

static bool has_octets(const void *octets, size_t len)
{
	return memmem(answer.data, answer.len, octets, len) != NULL;
}

static uint64_t hits(size_t rule)
{
	return rule_read_hits(rules_at(rig.policy->rules, rule));
}

static bool ask_for(int fd, const char *name, uint16_t type)
{
	struct ask ask = {
		.name = name, .type = type, .payload = 1232, .flags = MSG_RD};

	ask_udp(fd, &ask);
	return take_udp(fd, &answer, RIG_SOON);
}

/* Not answered by the rules: it reaches the backend, which answers. */
static bool passes(int fd, const char *name, uint16_t type, int backend)
{
	struct ask ask = {.name = name, .type = type};

	return round_trip(&rig, fd, &ask, backend, &good, &answer) &&
	       rcode() == 0;
}

static void test_ends(void)
{
	struct ask ask = {.name = "drop.test"};
	int fd, tcp;

	rig_start(&rig,
		OPEN "rules:\n"
		     "  - {suffix: [drop.test], action: drop}\n"
		     "  - {suffix: [refuse.test], action: refuse}\n"
		     "  - {suffix: [nx.test], action: nxdomain}\n"
		     "  - {suffix: [tc.test], action: truncate}\n"
		     "  - {exact: [only.test], action: refuse}\n"
		     "  - {suffix: [fail.test], action: servfail}\n"
		     "  - {suffix: [notimp.test], action: notimp}\n",
		FIRST);
	fd = rig_udp_client(&rig);
	tcp = rig_tcp_client(&rig);
	ask_udp(fd, &ask);
	ok(!take_udp(fd, &answer, RIG_NEVER), "drop: no answer over UDP");
	ask_tcp(tcp, &ask);
	ask.name = "www.tc.test";
	ask.id = 77;
	ask_tcp(tcp, &ask);
	ok(asked(0), "over TCP the next query of the connection is served");
	reply_udp(rig.udp[0], &question, &good);
	ok(take_tcp(tcp, &answer, RIG_SOON) && msg_id(answer.data) == 77 &&
			!(msg_flags(answer.data) & MSG_TC),
		"and truncate passes over what comes by TCP");
	is_int((long long)rig_stat(&rig, STAT_DROP_RULE), 2, "two dropped");
	is_int((long long)hits(0), 2, "which the rule says too");
	ok(ask_for(fd, "refuse.test", 0) && rcode() == DNS_RCODE_REFUSED,
		"refuse: REFUSED");
	is_int(ede_of(&answer), DNS_EDE_PROHIBITED, "with EDE 18");
	ok(ask_for(fd, "www.NX.test", 0) && rcode() == DNS_RCODE_NXDOMAIN,
		"nxdomain: NXDOMAIN");
	is_int(ede_of(&answer), DNS_EDE_BLOCKED, "with EDE 15");
	ok(ask_for(fd, "www.tc.test", 0) && (msg_flags(answer.data) & MSG_TC),
		"truncate: TC over UDP, though it is cached");
	is_int((long long)hits(3), 1, "counted where it applied");
	ok(ask_for(fd, "only.test", 0) && rcode() == DNS_RCODE_REFUSED,
		"an exact name");
	ok(ask_for(fd, "fail.test", 0) && rcode() == DNS_RCODE_SERVFAIL,
		"servfail: SERVFAIL");
	ok(ask_for(fd, "notimp.test", 0) && rcode() == DNS_RCODE_NOTIMP,
		"notimp: NOTIMP");
	is_int((long long)(rig_stat(&rig, STAT_SERVFAIL_RULE) +
			   rig_stat(&rig, STAT_NOTIMP_RULE)),
		2, "each counted");
	ok(passes(fd, "www.only.test", 0, 0), "not those below it");
	ok(passes(fd, "notdrop.test", 0, 0), "other names pass");
	close(fd);
	close(tcp);
	rig_stop(&rig);
}

static void test_spoof(void)
{
	struct ask ask = {.name = "Router.lan", .id = 5};
	int fd, tcp;

	rig_start(&rig,
		OPEN "rules:\n"
		     "  - {exact: [router.lan], action: spoof, ttl: 30s,\n"
		     "     addresses: [192.0.2.7, 192.0.2.8,\n"
		     "       \"2001:db8::7\"]}\n",
		FIRST);
	fd = rig_udp_client(&rig);
	ask_udp(fd, &ask);
	ok(take_udp(fd, &answer, RIG_SOON) && rcode() == 0 &&
			msg_count(answer.data, MSG_AN) == 2,
		"spoof: two addresses");
	ok(has_octets("\300\0\2\7", 4) && has_octets("\300\0\2\10", 4),
		"those of the rule");
	is_int(first_ttl(&answer), 30, "with its TTL");
	ok(msg_id(answer.data) == 5 &&
			memcmp(answer.data + 12, "\6Router\3lan", 12) == 0,
		"the client's id and spelling");
	ok(!has_opt(&answer) && !(msg_flags(answer.data) & (MSG_AA | MSG_AD)),
		"no OPT unasked, no AA, no AD");
	ok(ask_for(fd, "router.lan", DNS_TYPE_AAAA) &&
			msg_count(answer.data, MSG_AN) == 1 &&
			has_octets(
				"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\7", 16),
		"AAAA: its address");
	is_int(ede_of(&answer), DNS_EDE_FORGED_ANSWER, "EDE 4 for EDNS");
	ok(ask_for(fd, "router.lan", DNS_TYPE_HTTPS) && rcode() == 0 &&
			msg_count(answer.data, MSG_AN) == 0,
		"another type: empty");
	ok(ask_for(fd, "router.lan", DNS_TYPE_ANY) && rcode() == 0 &&
			msg_count(answer.data, MSG_AN) == 3,
		"ANY: all addresses");
	tcp = rig_tcp_client(&rig);
	ask_tcp(tcp, &ask);
	ok(take_tcp(tcp, &answer, RIG_SOON) &&
			msg_count(answer.data, MSG_AN) == 2,
		"over TCP too");
	ok(!asked(0), "no backend was asked");
	is_int((long long)rig_stat(&rig, STAT_SPOOFED_RULE), 5, "all counted");
	close(fd);
	close(tcp);
	rig_stop(&rig);
}

static void test_flags(void)
{
	struct ask ask = {.name = "a.test",
		.payload = 1232,
		.flags = MSG_RD,
		.dnssec_ok = true};
	int fd;

	rig_start(&rig,
		OPEN "rules:\n"
		     "  - {rd: true, dnssec: true, action: nxdomain}\n"
		     "  - {rd: false, action: refuse}\n",
		FIRST);
	fd = rig_udp_client(&rig);
	ask_udp(fd, &ask);
	ok(take_udp(fd, &answer, RIG_SOON) && rcode() == DNS_RCODE_NXDOMAIN,
		"rd and dnssec: both must be so");
	ask.flags = 0;
	ask_udp(fd, &ask);
	ok(take_udp(fd, &answer, RIG_SOON) && rcode() == DNS_RCODE_REFUSED,
		"rd: false");
	ask.dnssec_ok = false;
	ask.payload = 0;
	ask_udp(fd, &ask);
	ok(take_udp(fd, &answer, RIG_SOON) && rcode() == DNS_RCODE_REFUSED,
		"without EDNS there is no DO");
	ask.flags = MSG_RD;
	ok(round_trip(&rig, fd, &ask, 0, &good, &answer) && rcode() == 0,
		"RD without DO passes both");
	is_int((long long)(hits(0) + hits(1)), 3, "each is counted");
	close(fd);
	rig_stop(&rig);
}

static void test_order(void)
{
	int fd;

	rig_start(&rig,
		OPEN "rules:\n"
		     "  - {suffix: [test], action: tag, tag: lab}\n"
		     "  - {suffix: [good.test], action: allow}\n"
		     "  - {suffix: [auth.test], action: pool, pool: auth}\n"
		     "  - {suffix: [test], action: refuse}\n"
		     "  - {suffix: [auth.test], action: drop}\n",
		FIRST);
	fd = rig_udp_client(&rig);
	ok(ask_for(fd, "x.test", 0) && rcode() == DNS_RCODE_REFUSED,
		"a tag goes on to the rule that ends");
	ok(passes(fd, "x.good.test", 0, 0), "allow ends before it");
	ok(passes(fd, "x.auth.test", 0, 2), "so does pool, which routes");
	ok(ask_for(fd, "other.", 0) || asked(0), "other names are not meant");
	is_int((long long)hits(0), 3, "the tag counts all three");
	is_int((long long)hits(3), 1, "the rule behind only what reached it");
	is_int((long long)hits(4), 0, "what is behind the end nothing");
	rig_change(&rig,
		OPEN "rules:\n"
		     "  - {suffix: [test], action: refuse}\n"
		     "  - {suffix: [test], action: tag, tag: lab}\n"
		     "  - {suffix: [good.test], action: allow}\n",
		FIRST);
	ok(ask_for(fd, "x.good.test", 0) && rcode() == DNS_RCODE_REFUSED,
		"in another order another one is first");
	is_int((long long)hits(0), 2, "it kept its hits");
	is_int((long long)hits(1), 3, "so did the tag");
	close(fd);
	rig_stop(&rig);
}

static void test_places(void)
{
	struct ask chaos = {.name = "version.bind",
		.type = DNS_TYPE_TXT,
		.class = DNS_CLASS_CH,
		.payload = 1232};
	int fd, tcp;

	rig_start(&rig,
		OPEN "policy: {chaos: drop, any: drop}\n"
		     "rules:\n"
		     "  - {qclass: CH, action: refuse}\n"
		     "  - {qtype: [ANY], suffix: [ok.test], action: allow}\n"
		     "  - {qtype: [ANY], suffix: [auth.test], action: pool,\n"
		     "     pool: auth}\n"
		     "  - {transport: tcp, action: refuse}\n"
		     "  - {source: [192.0.2.0/24], action: drop}\n",
		FIRST);
	fd = rig_udp_client(&rig);
	tcp = rig_tcp_client(&rig);
	ask_udp(fd, &chaos);
	ok(take_udp(fd, &answer, RIG_SOON) && rcode() == DNS_RCODE_REFUSED,
		"rules come before the policy on classes");
	ok(passes(fd, "a.ok.test", DNS_TYPE_ANY, 0),
		"allow passes the policy on ANY");
	ask_udp(fd, &(struct ask){.name = "auth.test", .type = DNS_TYPE_ANY});
	ok(!take_udp(fd, &answer, RIG_NEVER) && !asked(2),
		"pool does not: it says where, not whether");
	ask_tcp(tcp, &(struct ask){.name = "a.test"});
	ok(take_tcp(tcp, &answer, RIG_SOON) && rcode() == DNS_RCODE_REFUSED,
		"a rule for TCP");
	ok(passes(fd, "a.test", 0, 0), "does not concern UDP, nor does one "
				       "for other sources");
	close(tcp);
	close(fd);
	rig_stop(&rig);
}

static void send_text(int fd, const char *text)
{
	uint8_t msg[512];

	send_udp(fd, msg, wire(msg, sizeof(msg), text));
}

static void test_transfers(void)
{
	static const char notify[] =
		"0004 2000 0001 0000 0000 0000 <drop.test.> 0006 0001";
	int fd;

	rig_start(&rig,
		OPEN "rules:\n"
		     "  - {opcode: NOTIFY, suffix: [drop.test], action: drop}\n"
		     "  - {opcode: UPDATE, action: refuse}\n"
		     "  - {suffix: [all.test], action: pool, pool: auth}\n"
		     "  - {suffix: [allow.test], action: allow}\n"
		     "  - {action: nxdomain}\n",
		FIRST);
	fd = rig_udp_client(&rig);
	send_text(fd, notify);
	ok(!take_udp(fd, &answer, RIG_NEVER), "NOTIFY of one zone: dropped");
	send_text(fd, "0004 2000 0001 0000 0000 0000 <a.test.> 0006 0001");
	ok(take_udp(fd, &answer, RIG_SOON) && rcode() == DNS_RCODE_NOTIMP,
		"of others: NOTIMP, whatever a rule for questions says");
	send_text(fd, "0005 2800 0001 0001 0000 0000 <a.test.> 0006 0001");
	ok(take_udp(fd, &answer, RIG_SOON) && rcode() == DNS_RCODE_REFUSED,
		"UPDATE: refused by a rule");
	ok(ask_for(fd, "all.test", DNS_TYPE_AXFR) &&
			rcode() == DNS_RCODE_REFUSED,
		"AXFR stays refused in a pool of its own");
	ok(ask_for(fd, "allow.test", DNS_TYPE_IXFR) &&
			rcode() == DNS_RCODE_REFUSED,
		"and IXFR where all is allowed");
	send_text(fd, "0006 0000 0002 0000 0000 0000 <a.> 0001 0001 <b.> 0001 "
		      "0001");
	ok(take_udp(fd, &answer, RIG_SOON) && rcode() == DNS_RCODE_FORMERR,
		"what is malformed gets FORMERR before any rule");
	ok(!asked(0) && !asked(2), "none of it reached a backend");
	close(fd);
	rig_stop(&rig);
}

/* `count` queries at once; how many were answered with this rcode? */
static int burst(int fd, const char *name, int count, unsigned want)
{
	struct ask ask = {.name = name};
	int n = 0;

	for (int i = 0; i < count; i++)
		ask_udp(fd, &ask);
	while (take_udp(fd, &answer, 100))
		n += rcode() == want && !(msg_flags(answer.data) & MSG_TC);
	return n;
}

static void test_rates(void)
{
	int fd, n;

	rig_start(&rig,
		OPEN "rules:\n"
		     "  - {suffix: [slow.test], action: rate-limit, qps: 1,\n"
		     "     burst: 10}\n"
		     "  - {suffix: [no.test], action: rate-limit, qps: 1,\n"
		     "     burst: 5, over: refuse, per: rule}\n"
		     "  - {suffix: [cached.test], action: rate-limit, qps: 1,\n"
		     "     over: cache-only}\n"
		     "  - {suffix: [test], action: spoof,\n"
		     "     addresses: [192.0.2.1]}\n",
		FIRST);
	fd = rig_udp_client(&rig);
	n = burst(fd, "a.slow.test", 50, 0);
	ok(n >= 10 && n <= 12, "burst 10 of 50: %d pass on", n);
	is_int((long long)rig_stat(&rig, STAT_DROP_RULE_RATE), 50 - n,
		"the rest is dropped and counted");
	is_int((long long)hits(0), 50 - n, "as hits of the rule");
	ok(burst(fd, "a.no.test", 30, DNS_RCODE_REFUSED) >= 23, "over: refuse");
	is_int(burst(fd, "other.test", 30, 0), 30,
		"buckets of one rule do not count for others");
	rig_change(&rig,
		OPEN "rules:\n"
		     "  - {suffix: [slow.test], action: rate-limit, qps: 1,\n"
		     "     burst: 10}\n"
		     "  - {suffix: [cached.test], action: rate-limit, qps: 1,\n"
		     "     burst: 2, over: cache-only}\n"
		     "  - {suffix: [a.cached.test], action: pool, pool: rec}\n",
		FIRST);
	ok(burst(fd, "a.slow.test", 5, 0) <= 1,
		"a reload does not fill the bucket");
	ok(passes(fd, "a.cached.test", 0, 0), "cache-only: first a miss");
	is_int(burst(fd, "a.cached.test", 30, 0), 30,
		"then all from the cache");
	ask_udp(fd, &(struct ask){.name = "b.a.cached.test"});
	ok(!take_udp(fd, &answer, RIG_NEVER) && !asked(0),
		"another name over the limit is not asked for");
	ok(rig_stat(&rig, STAT_CACHE_ONLY_RULE) >= 28, "which is counted");
	close(fd);
	rig_stop(&rig);
}

int main(void)
{
	test_ends();
	test_spoof();
	test_flags();
	test_order();
	test_places();
	test_transfers();
	test_rates();
	return tap_done();
}
