/* SPDX-License-Identifier: ISC */
/* Who is answered, what is not, and how often: over UDP and TCP. */

#include "tests/frontend/rig.h"

#include "common/base/buf.h"
#include "common/dns/code.h"
#include "tests/tap/tap.h"

#include <unistd.h>

static struct rig rig;
static struct packet answer, question;
static const struct reply good = {.flags = MSG_RA, .answers = 1, .ttl_s = 60};

static unsigned rcode(void)
{
	return msg_rcode(answer.data);
}

static bool backend_asked(void)
{
	return take_udp(rig.udp[0], &question, 50);
}

static void test_acl_drop(void)
{
	struct ask ask = {.name = "a.example"};
	int udp, tcp;

	rig_start(&rig, "acl: {allow: [192.0.2.1/32], action: drop}\n", "");
	udp = rig_udp_client(&rig);
	tcp = rig_tcp_client(&rig);
	ask_udp(udp, &ask);
	ok(!take_udp(udp, &answer, RIG_NEVER), "denied, UDP: no answer");
	ok(is_closed(tcp, RIG_SOON), "denied, TCP: closed");
	ok(rig_wait_stat(&rig, STAT_DROP_ACL, 2), "both counted");
	ok(!backend_asked(), "no backend asked");
	close(tcp);
	close(udp);
	rig_change(&rig,
		"acl: {allow: [127.0.0.0/8], deny: [127.0.0.1], action: "
		"drop}\n",
		"");
	udp = rig_udp_client(&rig);
	ask_udp(udp, &ask);
	ok(!take_udp(udp, &answer, RIG_NEVER), "deny within allow: dropped");
	close(udp);
	rig_stop(&rig);
}

static void test_acl_refuse(void)
{
	struct ask ask = {.name = "www.zaibdns.lab",
		.payload = 1232,
		.flags = MSG_RD,
		.options = "fde9 0008 0102030405060708"};
	int udp, tcp, refused = 0;

	rig_start(&rig, "acl: {allow: [192.0.2.1/32]}\n", "");
	udp = rig_udp_client(&rig);
	tcp = rig_tcp_client(&rig);
	ask_udp(udp, &ask);
	ok(take_udp(udp, &answer, RIG_SOON) && rcode() == DNS_RCODE_REFUSED,
		"denied by default: REFUSED");
	is_int(ede_of(&answer), DNS_EDE_PROHIBITED, "with EDE 18");
	ok(has_opt(&answer) && !memmem(answer.data, answer.len,
				       "\1\2\3\4\5\6\7\x8", 8),
		"an OPT of our own, no option echoed");
	ok(!(msg_flags(answer.data) & (MSG_AA | MSG_AD)), "AA and AD clear");
	ask_tcp(tcp, &ask);
	ok(take_tcp(tcp, &answer, RIG_SOON) && rcode() == DNS_RCODE_REFUSED,
		"over TCP too");
	for (int i = 0; i < 100; i++)
		ask_udp(udp, &ask);
	while (take_udp(udp, &answer, 100))
		refused++;
	ok(refused <= 11, "a hundred more: %d REFUSED, then silence", refused);
	ok(rig_stat(&rig, STAT_DROP_ACL_LIMIT) >= 89, "which is counted");
	ok(!backend_asked(), "no backend asked");
	close(tcp);
	close(udp);
	rig_stop(&rig);
}

static void test_acl_before_cache(void)
{
	struct ask ask = {.name = "cached.example"};
	int udp;

	rig_start(&rig, "acl: {allow: [127.0.0.0/8]}\n",
		"policy: firstAvailable,");
	udp = rig_udp_client(&rig);
	(void)round_trip(&rig, udp, &ask, 0, &good, &answer);
	rig_change(&rig, "acl: {allow: [192.0.2.1/32], action: drop}\n",
		"policy: firstAvailable,");
	ask_udp(udp, &ask);
	ok(!take_udp(udp, &answer, RIG_NEVER),
		"a denied source gets nothing from the cache either");
	close(udp);
	rig_stop(&rig);
}

static void test_any(void)
{
	struct ask any = {.name = "a.example", .type = DNS_TYPE_ANY};
	struct ask a = {.name = "a.example", .id = 9};
	int udp, tcp;

	rig_start(&rig, "", "policy: firstAvailable,");
	udp = rig_udp_client(&rig);
	tcp = rig_tcp_client(&rig);
	ask_udp(udp, &any);
	ok(!take_udp(udp, &answer, RIG_NEVER), "ANY over UDP: dropped");
	ask_tcp(tcp, &any);
	ask_tcp(tcp, &a);
	ok(backend_asked(), "the next query of the connection is served");
	reply_udp(rig.udp[0], &question, &good);
	ok(take_tcp(tcp, &answer, RIG_SOON) && msg_id(answer.data) == 9,
		"and answered");
	is_int((long long)rig_stat(&rig, STAT_DROP_ANY), 2, "two dropped");
	rig_change(&rig, "policy: {any: tc}\n", "policy: firstAvailable,");
	ask_udp(udp, &any);
	ok(take_udp(udp, &answer, RIG_SOON) &&
			(msg_flags(answer.data) & MSG_TC),
		"any: tc: TC over UDP");
	ask_tcp(tcp, &any);
	ok(backend_asked(), "asked over TCP: forwarded");
	reply_udp(rig.udp[0], &question, &good);
	(void)take_tcp(tcp, &answer, RIG_SOON);
	rig_change(&rig, "policy: {any: refuse}\n", "");
	ask_udp(udp, &any);
	ok(take_udp(udp, &answer, RIG_SOON) && rcode() == DNS_RCODE_REFUSED,
		"any: refuse");
	close(tcp);
	close(udp);
	rig_stop(&rig);
}

static void test_classes_and_types(void)
{
	struct ask chaos = {.name = "version.bind",
		.type = DNS_TYPE_TXT,
		.class = DNS_CLASS_CH};
	struct ask ask = {.name = "version.bind", .type = DNS_TYPE_TXT};
	int udp;

	rig_start(&rig, "", "policy: firstAvailable,");
	udp = rig_udp_client(&rig);
	ask_udp(udp, &chaos);
	ok(!take_udp(udp, &answer, RIG_NEVER), "CH TXT: dropped");
	chaos.type = DNS_TYPE_A;
	ask_udp(udp, &chaos);
	ok(!take_udp(udp, &answer, RIG_NEVER), "CH A too");
	ok(round_trip(&rig, udp, &ask, 0, &good, &answer),
		"IN TXT of the same name passes");
	ask.type = DNS_TYPE_AXFR;
	ask_udp(udp, &ask);
	ok(take_udp(udp, &answer, RIG_SOON) && rcode() == DNS_RCODE_REFUSED,
		"AXFR: REFUSED");
	ask.type = 128;
	ask_udp(udp, &ask);
	ok(take_udp(udp, &answer, RIG_SOON) && rcode() == DNS_RCODE_REFUSED,
		"a meta type: REFUSED");
	ok(!backend_asked(), "none of these reaches a backend");
	close(udp);
	rig_stop(&rig);
}

static int seen_refused, seen_tc; /* in the last burst */

/* `count` queries for cached.example at once; how many answers, which come in
 * any order. */
static int burst(int fd, int count)
{
	struct ask ask = {.name = "cached.example"};
	int n = 0;

	seen_refused = seen_tc = 0;
	for (int i = 0; i < count; i++)
		ask_udp(fd, &ask);
	while (take_udp(fd, &answer, 100)) {
		n++;
		seen_refused += rcode() == DNS_RCODE_REFUSED;
		seen_tc += (msg_flags(answer.data) & MSG_TC) != 0;
	}
	return n;
}

static void test_limits(void)
{
	struct ask ask = {.name = "cached.example"};
	int udp, tcp, n;

	rig_start(&rig, "limit: {qps: 20, burst: 50}\n",
		"policy: firstAvailable,");
	udp = rig_udp_client(&rig);
	(void)round_trip(&rig, udp, &ask, 0, &good, &answer);
	n = burst(udp, 150);
	ok(n >= 49 && n <= 54, "burst 50, 151 asked: %d more answered", n);
	ok(rig_stat(&rig, STAT_DROP_LIMIT) >= 95, "the rest is counted");
	rig_change(&rig, "limit: {qps: 20, burst: 50, action: refuse}\n", "");
	(void)burst(udp, 40);
	ok(seen_refused > 0, "action refuse: REFUSED");
	rig_change(&rig, "limit: {qps: 20, burst: 50, action: tc}\n", "");
	(void)burst(udp, 40);
	ok(seen_tc > 0, "action tc: TC");
	tcp = rig_tcp_client(&rig);
	ask_tcp(tcp, &ask);
	ok(take_tcp(tcp, &answer, RIG_SOON) && rcode() == 0 &&
			!(msg_flags(answer.data) & MSG_TC),
		"and over TCP the same client is answered");
	rig_change(
		&rig, "limit: {qps: 20, burst: 50, action: cache-only}\n", "");
	for (int i = 0; i < 60; i++)
		ask_udp(udp, &ask);
	ask.name = "new.example";
	ask_udp(udp, &ask);
	for (n = 0; take_udp(udp, &answer, 100); n++)
		;
	is_int(n, 60, "cache-only: all for a cached name are answered");
	ok(!backend_asked(), "another name not, and no backend is asked");
	rig_change(&rig,
		"limit: {qps: 20, burst: 50, overrides: [\n"
		"  {prefix: 127.0.0.0/24, qps: 1000, burst: 1000}]}\n",
		"");
	(void)burst(udp, 1); /* a debt is at most one empty bucket */
	(void)usleep(300000);
	is_int(burst(udp, 150), 150, "an override has a limit of its own");
	close(tcp);
	close(udp);
	rig_stop(&rig);
}

int main(void)
{
	test_acl_drop();
	test_acl_refuse();
	test_acl_before_cache();
	test_any();
	test_classes_and_types();
	test_limits();
	return tap_done();
}
