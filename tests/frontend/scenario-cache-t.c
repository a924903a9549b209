/* SPDX-License-Identifier: ISC */
/*
 * Scenarios 25 to 32, 40 to 44, 46 and 47: what is kept, what is shared and
 * what is not. Those that wait for time to pass: scenario-age-t. 46 with a
 * rule that clears RD: scenario-rules-t.
 */

#include "tests/frontend/scene.h"

#include "common/base/buf.h"
#include "common/dns/code.h"
#include "common/dns/msg.h"
#include "tests/tap/tap.h"
#include "tests/tap/wire.h"

#include <stdio.h>
#include <unistd.h>

static struct scene sc;

static struct stub *r1(void)
{
	return &sc.stubs[0];
}

static void answer_with(const struct reply *reply, const struct reply *tcp)
{
	struct script script = *stub_answering();

	script.reply = *reply;
	script.tcp = tcp;
	stub_set(r1(), &script);
	stub_set(&sc.stubs[1], &script);
}

static void answer_well(void)
{
	answer_with(&stub_answering()->reply, NULL);
}

/* Questions that reach a backend when this is asked once. */
static unsigned misses(const struct ask *ask, bool tcp)
{
	(void)stub_asked(r1());
	if (!(tcp ? scene_ask_tcp(&sc, ask) : scene_ask(&sc, ask)))
		return 1000;
	return stub_asked(r1());
}

static bool is_hit(const struct ask *ask)
{
	return misses(ask, false) == 0;
}

static unsigned flags(void)
{
	return msg_flags(sc.answer.data);
}

static unsigned answers(void)
{
	return msg_count(sc.answer.data, MSG_AN);
}

static void test_same(void)
{
	static const char *const spellings[] = {
		"www.Same.test", "WWW.SAME.TEST", "www.same.test"};
	unsigned right = 0, asked = 0;

	for (uint16_t i = 0; i < 10; i++) {
		struct ask ask = {.name = spellings[i % 3], .id = i * 1000};
		uint8_t name[32];
		char text[40];
		size_t n;

		(void)snprintf(text, sizeof(text), "<%s.>", ask.name);
		n = wire(name, sizeof(name), text);
		asked += misses(&ask, false);
		right += msg_id(sc.answer.data) == ask.id &&
			 memcmp(sc.answer.data + 12, name, n) == 0;
	}
	is_int(asked, 1, "25: ten times the same: one at the backend");
	is_int(right, 10, "25: each with its own id and spelling");
}

static void test_truncated_ttl(const struct reply *cut, const struct reply *big)
{
	struct ask ask = {.name = "kept-cut.test"};
	struct err err;

	if (!scene_reload(&sc, "cache: {truncated_ttl: 300s}\n",
		    "policy: firstAvailable", &err))
		tap_bail("%s", err.text);
	answer_with(cut, big);
	is_int(misses(&ask, false), 1,
		"40: truncated_ttl: TC from the backend");
	ok(is_hit(&ask) && (flags() & MSG_TC) && answers() == 0,
		"40: is kept for UDP");
	ok(misses(&ask, true) == 2 && !(flags() & MSG_TC) &&
			sc.answer.len > 3000,
		"40: and never used for a TCP client");
	ok(is_hit(&ask) && (flags() & MSG_TC), "40: the whole one replaces it");
	is_int(misses(&ask, true), 0, "40: and serves TCP");
	ask.name = "cut-by-both.test";
	answer_with(cut, cut);
	(void)misses(&ask, false);
	ok(scene_ask_tcp(&sc, &ask) && scene_rcode(&sc) == DNS_RCODE_SERVFAIL &&
			!(flags() & MSG_TC),
		"40: nor when the backend fails by TCP");
	answer_with(cut, big);
}

static void test_transports(void)
{
	static const struct reply cut = {.flags = MSG_RA | MSG_TC};
	struct ask ask = {.name = "both.test"};
	struct reply big = stub_answering()->reply;

	(void)misses(&ask, false);
	is_int(misses(&ask, true), 0, "26: what UDP brought serves TCP");
	big.padding = 3000;
	answer_with(&cut, &big);
	ask.name = "big.test";
	is_int(misses(&ask, false), 1, "40: TC from the backend");
	ok((flags() & MSG_TC) && answers() == 0, "40: is TC for the client");
	is_int(misses(&ask, false), 1, "40: and not kept");
	ok(misses(&ask, true) == 2 && !(flags() & MSG_TC) &&
			sc.answer.len > 3000,
		"40: a TCP client never gets it, the backend is asked by TCP");
	is_int(misses(&ask, true), 0, "26: what TCP brought serves TCP");
	ok(is_hit(&ask) && (flags() & MSG_TC) && answers() == 0,
		"26: and UDP, truncated");
	test_truncated_ttl(&cut, &big);
	big.padding = 4200;
	ask.name = "huge.test";
	answer_with(&cut, &big);
	ok(misses(&ask, true) == 2 && sc.answer.len > 4200,
		"42: over 4096 octets by TCP: whole");
	is_int(misses(&ask, true), 2, "42: not kept");
	ok(scene_stat(&sc, "cache.too_big") >= 2, "42: which is counted");
	answer_well();
}

/* One kind of query brings one record, the other two: neither ever gets the
 * other's, whichever was first. */
static void test_apart(const char *number, struct ask *a, struct ask *b)
{
	struct reply one = stub_answering()->reply;
	unsigned missed, right;

	answer_with(&one, NULL);
	missed = misses(a, false);
	right = answers() == 1;
	one.answers = 2;
	answer_with(&one, NULL);
	missed += misses(b, false);
	right += answers() == 2;
	is_int(missed, 2, "%s: both reach the backend", number);
	right += is_hit(a) && answers() == 1;
	right += is_hit(b) && answers() == 2;
	is_int(right, 4, "%s: and each is kept for its own kind", number);
	answer_well();
}

static void test_never_shared(void)
{
	struct ask plain = {.name = "do1.test", .payload = 1232};
	struct ask with = {.name = "do1.test", .payload = 1232};

	with.dnssec_ok = true;
	test_apart("27: DO=0, then DO=1", &plain, &with);
	plain.name = with.name = "do2.test";
	test_apart("27: DO=1, then DO=0", &with, &plain);
	with.dnssec_ok = false;
	with.flags = MSG_CD;
	plain.name = with.name = "cd1.test";
	test_apart("28: CD=0, then CD=1", &plain, &with);
	plain.name = with.name = "cd2.test";
	test_apart("28: CD=1, then CD=0", &with, &plain);
}

static void test_bits(void)
{
	struct reply secure = stub_answering()->reply;
	struct ask ask = {.name = "bits.test", .payload = 1232};

	secure.flags |= MSG_AD;
	answer_with(&secure, NULL);
	(void)misses(&ask, false);
	ask.dnssec_ok = true;
	is_int(misses(&ask, false), 1, "27: DO does not share");
	ask.dnssec_ok = false;
	ask.flags = MSG_CD;
	is_int(misses(&ask, false), 1, "28: CD does not share");
	ask.flags = MSG_AD;
	ok(is_hit(&ask) && (flags() & MSG_AD), "28: AD shares, and gets AD");
	ask.flags = 0;
	ok(is_hit(&ask) && !(flags() & MSG_AD), "28: without, no AD");
	ask.flags = MSG_RD;
	ok(is_hit(&ask) && (flags() & MSG_RD), "46: RD shares, and is copied");
	ask.flags = 0;
	ok(is_hit(&ask) && !(flags() & MSG_RD), "46: the next has its own");
	answer_well();
}

static void test_edns(void)
{
	static const uint16_t sizes[] = {512, 4096, 1232};
	struct reply big = stub_answering()->reply;
	struct ask ask = {.name = "edns.test"};
	unsigned shared = 0, cut = 0;

	big.padding = 800;
	answer_with(&big, NULL);
	(void)misses(&ask, false);
	for (unsigned i = 0; i < countof(sizes); i++) {
		ask.payload = sizes[i];
		shared += is_hit(&ask);
		cut += (flags() & MSG_TC) != 0;
	}
	is_int(shared, 3, "29: EDNS sizes share");
	is_int(cut, 1, "29: the output is cut to each client's size");
	answer_well();
}

static bool holds(const struct packet *p, const char *text)
{
	uint8_t octets[64];
	size_t n = wire(octets, sizeof(octets), text);

	return memmem(p->data, p->len, octets, n) != NULL;
}

static void test_options(void)
{
	struct reply echo = stub_answering()->reply;
	struct reply scoped = stub_answering()->reply;
	struct script held = {.hold = true};
	struct ask ask = {.name = "option.test",
		.payload = 1232,
		.options = "000a 0008 1111111111111111"};
	struct packet *q = calloc(1, sizeof(*q));

	echo.options = "000a 0010 1111111111111111 2222222222222222";
	answer_with(&echo, NULL);
	is_int(misses(&ask, false), 1, "30: a cookie");
	ok(!holds(&sc.answer, "2222222222222222"),
		"30: the backend's cookie reaches no client");
	ask.options = "000a 0008 3333333333333333";
	ok(is_hit(&ask) && !holds(&sc.answer, "1111111111111111") &&
			!holds(&sc.answer, "2222222222222222"),
		"30: another cookie: shared, and no cookie leaks");
	ask.options = "000c 0004 00000000";
	ok(is_hit(&ask), "31: padding shares");
	ask.options = "000b 0000";
	ok(is_hit(&ask), "31: keepalive shares");
	answer_well();
	stub_set(r1(), &held);
	ask.name = "ecs.test";
	ask.options = "0008 0007 0001 18 00 c00002";
	ask_udp(sc.client, &ask);
	if (!take_udp(r1()->udp, q, SCENE_SOON))
		tap_bail("no question");
	ok(!holds(q, "0008 0007 0001"),
		"32: a client's subnet is not sent to the backend");
	reply_udp(r1()->udp, q, &stub_answering()->reply);
	(void)take_udp(sc.client, &sc.answer, SCENE_SOON);
	scoped.options = "0008 0007 0001 18 18 c00002";
	answer_with(&scoped, NULL);
	ask.options = "0008 0007 0001 18 00 c63364";
	ok(is_hit(&ask), "32: so another subnet shares");
	ask.options = "0008 0004 0001 00 00";
	ok(is_hit(&ask), "32: and /0");
	ask.options = NULL;
	ok(is_hit(&ask), "32: and none");
	ask.name = "scoped.test";
	ask.options = "0008 0007 0001 18 00 c00002";
	ok(misses(&ask, false) == 1 && !holds(&sc.answer, "0008 0007 0001"),
		"32: a scope that a backend makes up reaches no client");
	answer_well();
	free(q);
}

static void test_transfers(void)
{
	struct ask ask = {.name = "axfr.test", .type = DNS_TYPE_AXFR};

	ok(misses(&ask, false) == 0 && scene_rcode(&sc) == DNS_RCODE_REFUSED,
		"41: AXFR over UDP: REFUSED, no backend is asked");
	ok(misses(&ask, true) == 0 && scene_rcode(&sc) == DNS_RCODE_REFUSED,
		"41: over TCP too");
	ask.type = DNS_TYPE_IXFR;
	ok(misses(&ask, true) == 0 && scene_rcode(&sc) == DNS_RCODE_REFUSED,
		"41: IXFR too");
}

static void fill(const char *const *names, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct ask ask = {.name = names[i]};

		(void)misses(&ask, false);
		ask.type = DNS_TYPE_AAAA;
		(void)misses(&ask, false);
	}
}

/* Which of the names, A and AAAA, are still there? One character each. */
static const char *what_hits(const char *const *names, unsigned count)
{
	static char out[32];

	for (unsigned i = 0; i < count; i++) {
		struct ask ask = {.name = names[i]};

		out[2 * i] = is_hit(&ask) ? 'A' : '-';
		ask.type = DNS_TYPE_AAAA;
		out[2 * i + 1] = is_hit(&ask) ? '4' : '-';
	}
	out[2 * count] = '\0';
	return out;
}

static void test_purge(void)
{
	static const char *const names[] = {
		"purge.test", "www.purge.test", "notpurge.test"};
	static const struct {
		const char *number, *words, *left;
	} cases[] = {
		{"44: by name", "cache flush name purge.test", "--A4A4"},
		{"44: by name and type", "cache flush name PURGE.test AAAA",
			"A-A4A4"},
		{"44: by suffix", "cache flush suffix purge.test", "----A4"},
		{"44: all", "cache flush all", "------"},
	};

	for (unsigned i = 0; i < countof(cases); i++) {
		fill(names, countof(names));
		free(scene_call(&sc, cases[i].words));
		is_string(what_hits(names, countof(names)), cases[i].left,
			"%s: these are gone", cases[i].number);
	}
}

static void ask_many(const char *prefix, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		char name[40];
		struct ask ask = {.name = name};

		(void)snprintf(name, sizeof(name), "%s%u.test", prefix, i);
		if (!scene_ask(&sc, &ask))
			tap_bail("%s is not answered", name);
	}
}

static void test_full(void)
{
	struct ask ask = {.name = "new.test"};
	unsigned asked = 0;
	struct err err;

	if (!scene_reload(&sc, "cache: {entries: 100, memory: 1M}\n", "", &err))
		tap_bail("%s", err.text);
	free(scene_call(&sc, "cache flush all"));
	for (int i = 0; i < 4; i++)
		ask_many("popular", 20);
	ask_many("flood", 1000);
	(void)stub_asked(r1());
	ask_many("popular", 20);
	is_int(stub_asked(r1()), 0,
		"43: popular names stay through a flood of ten times the size");
	for (int i = 0; i < 3; i++)
		asked += misses(&ask, false);
	ok(asked <= 2, "43: a new name in a full cache: %u of 3 at the backend",
		asked);
}

static void test_coalescing(void)
{
	struct script slow = *stub_answering();
	unsigned right = 0;
	uint8_t seen[100] = {0};

	slow.delay_ms = 100;
	stub_set(r1(), &slow);
	(void)stub_asked(r1());
	for (uint16_t i = 0; i < 100; i++)
		ask_udp(sc.client,
			&(struct ask){.name = i % 2 ? "once.test" : "ONCE.test",
				.id = i});
	for (int i = 0; i < 100; i++) {
		unsigned id;

		if (!take_udp(sc.client, &sc.answer, SCENE_SOON))
			break;
		id = msg_id(sc.answer.data);
		right += id < 100 && !seen[id]++ &&
			 sc.answer.data[13] == (id % 2 ? 'o' : 'O');
	}
	is_int(right, 100, "47: 100 at once: each has its answer, id and case");
	is_int(stub_asked(r1()), 1, "47: the backend sees one");
	stub_set(r1(), stub_answering());
}

int main(void)
{
	scene_start(&sc, "cache: {prefetch: false}\n", "policy: firstAvailable",
		NULL);
	test_same();
	test_transports();
	test_bits();
	test_never_shared();
	test_edns();
	test_options();
	test_transfers();
	test_purge();
	test_coalescing();
	test_full();
	scene_stop(&sc, "43");
	return tap_done();
}
