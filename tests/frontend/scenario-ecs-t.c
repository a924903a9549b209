/* SPDX-License-Identifier: ISC */
/*
 * Scenario 32 where a pool wants the client's subnet (RFC 7871): what backends
 * are told, who shares an answer and who never does, and what the client sees
 * of it. With `ecs: strip`: scenario-cache-t.
 */

#include "tests/frontend/scene.h"

#include "common/base/buf.h"
#include "common/dns/code.h"
#include "common/dns/msg.h"
#include "tests/tap/tap.h"
#include "tests/tap/wire.h"

#include <unistd.h>

#define IGNORED "backend_replies_ignored_total{reason=\"ecs\"}"
#define NET_A   "0008 0007 0001 18 00 c00002" /* as asked */
#define NET_A24 "0008 0007 0001 18 18 c00002" /* with scope 24 */
#define NET_B   "0008 0007 0001 18 00 c63364"
#define NET_B24 "0008 0007 0001 18 18 c63364"
#define NET_0   "0008 0004 0001 00 00"

static struct scene sc;
static struct packet question;

static struct stub *r1(void)
{
	return &sc.stubs[0];
}

/* Is the OPT, last in the question, that with these options? */
static bool is_told(const struct packet *p, const char *want)
{
	uint8_t octets[96];
	size_t n = wire(octets, sizeof(octets), want);
	size_t opt = wire(octets, sizeof(octets), "00 0029 04d0 00000000");

	put16(octets + opt, (uint16_t)n);
	(void)wire(octets + opt + 2, sizeof(octets) - opt - 2, want);
	n += opt + 2;
	return p->len > n && memcmp(p->data + p->len - n, octets, n) == 0;
}

/* The backends leave it to the test. */
static void hold(void)
{
	struct script script = {.hold = true};

	for (int i = 0; i < SCENE_STUBS; i++)
		stub_set(&sc.stubs[i], &script);
}

/* Ask; the backend must be told `sent`, and answers with `back`. */
static bool is_asked(
	int fd, const struct ask *ask, const char *sent, const char *back)
{
	struct reply reply = stub_answering()->reply;
	bool right;

	ask_udp(fd, ask);
	if (!take_udp(r1()->udp, &question, SCENE_SOON))
		return false;
	right = is_told(&question, sent);
	reply.options = back;
	reply_udp(r1()->udp, &question, &reply);
	return take_udp(fd, &sc.answer, SCENE_SOON) && right &&
	       scene_rcode(&sc) == 0 && msg_count(sc.answer.data, MSG_AN) == 1;
}

/* Is it answered though no backend says anything? */
static bool is_kept(int fd, const struct ask *ask)
{
	ask_udp(fd, ask);
	return take_udp(fd, &sc.answer, SCENE_SOON) && scene_rcode(&sc) == 0 &&
	       msg_count(sc.answer.data, MSG_AN) == 1 &&
	       !is_readable(r1()->udp, 0);
}

static struct ask asks(const char *name, const char *options)
{
	return (struct ask){.name = name, .payload = 1232, .options = options};
}

static void test_apart(void)
{
	struct ask a = asks("apart.test", NET_A), b = asks("apart.test", NET_B);
	struct ask longer = asks("apart.test", "0008 0008 0001 19 00 c0000200");
	struct ask none = asks("apart.test", NULL);
	int fd = sc.client;

	ok(is_asked(fd, &a, NET_A, NET_A24),
		"32: forward: it is sent as it is");
	ok(has_options(&sc.answer, NET_A24),
		"32: and comes back with the backend's scope");
	ok(is_kept(fd, &a) && has_options(&sc.answer, NET_A24),
		"32: from the cache too, for the same subnet");
	ok(is_asked(fd, &b, NET_B, NET_B24) && has_options(&sc.answer, NET_B24),
		"32: another subnet does not share");
	ok(is_asked(fd, &longer, longer.options,
		   "0008 0008 0001 19 19 c0000200"),
		"32: nor does a longer prefix of the first");
	ok(is_asked(fd, &none, "", NULL) && has_options(&sc.answer, ""),
		"32: none: nothing is sent, nothing comes back");
	ok(is_kept(fd, &none) && has_options(&sc.answer, ""),
		"32: none shares with none");
	ok(is_kept(fd, &a) && has_options(&sc.answer, NET_A24) &&
			is_kept(fd, &b) && has_options(&sc.answer, NET_B24),
		"32: each still has its own");
}

static void test_zero(void)
{
	struct ask zero = asks("zero.test", NET_0);
	struct ask none = asks("zero.test", NULL);
	struct ask a = asks("zero.test", NET_A);
	int fd = sc.client;

	ok(is_asked(fd, &none, "", NULL), "32: an answer for who says nothing");
	ok(is_asked(fd, &zero, NET_0, NET_0) && has_options(&sc.answer, NET_0),
		"32: is not for /0, which is sent on");
	ok(is_kept(fd, &zero) && has_options(&sc.answer, NET_0),
		"32: /0 shares with /0");
	ok(is_asked(fd, &a, NET_A, NET_A24),
		"32: not with a subnet, though its scope is 0");
	zero.name = none.name = "zero2.test";
	ok(is_asked(fd, &zero, NET_0, NET_0) && is_asked(fd, &none, "", NULL),
		"32: nor with none");
}

static void test_scope_zero(const char *name, const char *back)
{
	struct ask a = asks(name, NET_A), b = asks(name, NET_B);
	struct ask zero = asks(name, NET_0), none = asks(name, NULL);
	int fd = sc.client;

	ok(is_asked(fd, &a, NET_A, back), "32: %s", name);
	ok(is_kept(fd, &b) && has_options(&sc.answer, NET_B),
		"32: is shared by all subnets, each sees its own, scope 0");
	ok(is_kept(fd, &a) && has_options(&sc.answer, NET_A),
		"32: also the first");
	ok(is_asked(fd, &zero, NET_0, NET_0), "32: not by /0");
	ok(is_asked(fd, &none, "", NULL), "32: and not by none");
}

static void test_mismatch(void)
{
	static const char *const wrong[] = {NET_B24, /* the address */
		"0008 0006 0001 10 18 c000",         /* the prefix */
		"0008 0007 0002 18 18 c00002",       /* the family */
		"0008 0007 0001 18 21 c00002"};      /* no such scope */
	struct ask a = asks("wrong.test", NET_A);
	struct reply reply = stub_answering()->reply;
	long long before = scene_stat(&sc, IGNORED);
	int fd = sc.client;

	ask_udp(fd, &a);
	(void)take_udp(r1()->udp, &question, SCENE_SOON);
	for (size_t i = 0; i < countof(wrong); i++) {
		reply.options = wrong[i];
		reply_udp(r1()->udp, &question, &reply);
	}
	ok(scene_wait_stat(&sc, IGNORED, before + 4) && !is_readable(fd, 0),
		"32: answers for what was not asked are dropped and counted");
	reply.options = NET_A24;
	reply_udp(r1()->udp, &question, &reply);
	ok(take_udp(fd, &sc.answer, SCENE_SOON) &&
			has_options(&sc.answer, NET_A24),
		"32: the wait goes on, the right one is delivered");
}

static void test_malformed(void)
{
	static const char *const options[] = {
		"0008 0003 0001 18",
		"0008 0006 0001 18 00 c000",
		"0008 0008 0001 18 00 c0000200",
		"0008 0007 0001 17 00 c00003",
		"0008 0007 0001 18 01 c00002",
		"0008 0009 0001 21 00 c000020100",
		"0008 0007 0003 18 00 c00002",
	};
	unsigned right = 0;

	for (size_t i = 0; i < countof(options); i++) {
		struct ask ask = asks("malformed.test", options[i]);

		ask_udp(sc.client, &ask);
		right += take_udp(sc.client, &sc.answer, SCENE_SOON) &&
			 scene_rcode(&sc) == DNS_RCODE_FORMERR &&
			 has_options(&sc.answer, "");
	}
	is_int(right, (int)countof(options), "32: malformed ones: FORMERR");
	ok(!is_readable(r1()->udp, 0), "32: and no backend is asked");
}

/* Three wait, two of them for the same subnet. */
static void test_coalesced(void)
{
	struct ask a = asks("herd.test", NET_A), b = asks("herd.test", NET_B);
	struct reply reply = stub_answering()->reply;
	int first = scene_client(&sc, SOCK_DGRAM, NULL);
	int second = scene_client(&sc, SOCK_DGRAM, NULL);
	int other = scene_client(&sc, SOCK_DGRAM, NULL);

	ask_udp(first, &a);
	(void)take_udp(r1()->udp, &question, SCENE_SOON);
	ok(is_told(&question, NET_A), "32: in flight for one subnet");
	ask_udp(second, &a);
	ok(scene_wait_stat(&sc, "coalesced_total", 1),
		"32: who is of it, too, waits for the same");
	ask_udp(other, &b);
	reply.options = NET_A24;
	reply_udp(r1()->udp, &question, &reply);
	ok(take_udp(r1()->udp, &question, SCENE_SOON) &&
			is_told(&question, NET_B),
		"32: another subnet is asked for apart");
	ok(take_udp(first, &sc.answer, SCENE_SOON) &&
			has_options(&sc.answer, NET_A24) &&
			take_udp(second, &sc.answer, SCENE_SOON) &&
			has_options(&sc.answer, NET_A24),
		"32: both of the first have their answer");
	ok(!is_readable(other, SCENE_NEVER), "32: the other one has not");
	reply.options = NET_B24;
	reply_udp(r1()->udp, &question, &reply);
	ok(take_udp(other, &sc.answer, SCENE_SOON) &&
			has_options(&sc.answer, NET_B24),
		"32: until its own comes");
	close(first);
	close(second);
	close(other);
}

static void fail_at(struct stub *stub)
{
	struct reply fail = {.rcode = DNS_RCODE_SERVFAIL};

	if (take_udp(stub->udp, &question, SCENE_SOON))
		reply_udp(stub->udp, &question, &fail);
}

/* Ask; does a backend get it, or the client its answer? */
static bool is_forwarded(const struct ask *ask)
{
	ask_udp(sc.client, ask);
	for (int i = 0; i < SCENE_SOON; i++) {
		if (is_readable(r1()->udp, 1))
			return true;
		if (is_readable(sc.client, 1))
			return !take_udp(sc.client, &sc.answer, SCENE_SOON);
	}
	return false;
}

/* What was kept for all subnets is served stale to all. */
static void test_stale(void)
{
	struct ask a = asks("stale.test", NET_A), b = asks("stale.test", NET_B);
	struct reply reply = stub_answering()->reply;
	bool expired = false;

	ask_udp(sc.client, &a);
	(void)take_udp(r1()->udp, &question, SCENE_SOON);
	reply.ttl_s = 1;
	reply_udp(r1()->udp, &question, &reply);
	(void)take_udp(sc.client, &sc.answer, SCENE_SOON);
	for (int i = 0; i < SCENE_SOON && !expired; i++)
		expired = is_forwarded(&b);
	fail_at(r1());
	fail_at(&sc.stubs[1]);
	ok(take_udp(sc.client, &sc.answer, SCENE_SOON) &&
			scene_rcode(&sc) == 0 &&
			ede_of(&sc.answer) == DNS_EDE_STALE_ANSWER,
		"32: backends fail: stale, for a subnet that had not asked");
	ok(is_kept(sc.client, &a) && ede_of(&sc.answer) == DNS_EDE_STALE_ANSWER,
		"32: and at once for the next");
}

static void test_add(void)
{
	struct ask plain = {.name = "add.test"};
	struct ask zero = asks("add.test", NET_0), a = asks("add.test", NET_A);
	int one = scene_client(&sc, SOCK_DGRAM, "127.0.1.1");
	int same = scene_client(&sc, SOCK_DGRAM, "127.0.1.254");
	int other = scene_client(&sc, SOCK_DGRAM, "127.0.2.1");

	ok(is_asked(one, &plain, "0008 0007 0001 18 00 7f0001",
		   "0008 0007 0001 18 18 7f0001") &&
			!has_opt(&sc.answer),
		"32: add: the client's /24 is sent, the client sees none of "
		"it");
	plain.payload = 1232;
	ok(is_kept(same, &plain) && has_options(&sc.answer, ""),
		"32: its neighbours share");
	ok(is_asked(other, &plain, "0008 0007 0001 18 00 7f0002",
		   "0008 0007 0001 18 18 7f0002"),
		"32: others do not");
	ok(is_asked(one, &zero, NET_0, NET_0) && has_options(&sc.answer, NET_0),
		"32: a client that says /0 is left alone");
	ok(is_asked(one, &a, NET_A, NET_A24) &&
			has_options(&sc.answer, NET_A24),
		"32: one that says another subnet is taken at its word");
	plain.name = "all.add.test";
	ok(is_asked(one, &plain, "0008 0007 0001 18 00 7f0001",
		   "0008 0007 0001 18 00 7f0001") &&
			is_kept(other, &plain),
		"32: scope 0: all share");
	close(one);
	close(same);
	close(other);
}

static void reload(const char *rec)
{
	struct err err;

	if (!scene_reload(&sc, "cache: {prefetch: false}\n", rec, &err))
		tap_bail("%s", err.text);
}

int main(void)
{
	scene_start(&sc, "cache: {prefetch: false}\n",
		"policy: firstAvailable\n    ecs: forward", NULL);
	hold();
	test_apart();
	test_zero();
	test_scope_zero("scope-0.test", NET_A);
	test_scope_zero("no-scope.test", NULL);
	test_mismatch();
	test_malformed();
	test_coalesced();
	test_stale();
	reload("policy: firstAvailable\n    ecs: add");
	test_add();
	scene_stop(&sc, "32");
	return tap_done();
}
