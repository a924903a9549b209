/* SPDX-License-Identifier: ISC */
/*
 * Scenarios 48 to 53 and 55: which backend is asked, and which is out. 54,
 * one that fails under load, is scenario-fault-t. Elsewhere:
 *	48 (tie of order: lower latency): pool-t
 *	50 (chashed: a server added moves 1/n): pool-t
 */

#include "tests/frontend/scene.h"

#include "common/base/buf.h"
#include "common/dns/code.h"
#include "common/dns/msg.h"
#include "tests/tap/tap.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHECK "name: probe.test, type: A, interval: 50ms, timeout: 100ms"
/* No question is asked twice, however slow the machine. */
#define QUIET                                                                  \
	"cache: {prefetch: false}\n"                                           \
	"retry: {hedge: false, timeout: 10s, deadline: 11s}\n"

static struct scene sc;
static const struct script silent = {.silent = true};
static const struct script held = {.hold = true};

static struct stub *r1(void)
{
	return &sc.stubs[0];
}

static struct stub *r2(void)
{
	return &sc.stubs[1];
}

static void forget_counts(void)
{
	(void)stub_asked(r1());
	(void)stub_asked(r2());
}

static void say(const char *words)
{
	char *text = scene_call(&sc, words);

	if (!text)
		tap_bail("%s", words);
	free(text);
}

static void change(const char *rec)
{
	struct err err;

	if (!scene_reload(&sc, QUIET, rec, &err))
		tap_bail("%s", err.text);
	forget_counts();
}

static bool ask(const char *prefix, unsigned i)
{
	char name[40];
	struct ask ask = {.name = name, .payload = 1232};

	(void)snprintf(name, sizeof(name), "%s%u.test", prefix, i);
	return scene_ask(&sc, &ask) && scene_rcode(&sc) == 0;
}

static unsigned ask_all(const char *prefix, unsigned count)
{
	unsigned good = 0;

	for (unsigned i = 0; i < count; i++)
		good += ask(prefix, i);
	return good;
}

/* So many questions that r1 does not answer yet. */
static void owe(const char *prefix, unsigned count)
{
	long long before = scene_stat(&sc, "forwarded_total");

	for (unsigned i = 0; i < count; i++) {
		char name[40];

		(void)snprintf(name, sizeof(name), "%s%u.test", prefix, i);
		ask_udp(sc.client, &(struct ask){.name = name});
	}
	if (!scene_wait_stat(&sc, "forwarded_total", before + count))
		tap_bail("the backend is not asked");
}

/* r1 answers what it owes; these do not get in the way of the next. */
static bool pay(unsigned count)
{
	stub_set(r1(), stub_answering());
	while (count > 0 && take_udp(sc.client, &sc.answer, SCENE_SOON))
		count--;
	return count == 0;
}

static void test_least(void)
{
	scene_start(&sc, QUIET, "policy: leastOutstanding", NULL);
	forget_counts();
	is_int(ask_all("tie", 10), 10, "48: both idle");
	ok(stub_asked(r1()) == 10 && stub_asked(r2()) == 0,
		"48: the lower order is asked");
	say("backend down r2");
	stub_set(r1(), &held);
	owe("owed", 10);
	say("backend up r2");
	forget_counts();
	ok(ask_all("new", 10) == 10 && stub_asked(r2()) == 10,
		"48: r1 owes 10 answers: all new ones go to r2");
	ok(pay(10), "48: and it is waited for");
	scene_stop(&sc, "48");
}

/* r2 is of the second tier: in reserve, however much r1 owes. */
static void test_tiers(void)
{
	scene_start(&sc, QUIET, "tiers: true", NULL);
	stub_set(r1(), &held);
	owe("tier", 10);
	ok(pay(10) && stub_asked(r1()) == 10 && stub_asked(r2()) == 0,
		"48: tiers: the first one is asked, though it owes answers");
	say("backend down r1");
	ok(ask("reserve", 1) && stub_asked(r2()) == 1,
		"48: tiers: it is out: the second one is");
	scene_stop(&sc, "48");
}

static void test_round_robin(void)
{
	scene_start(&sc, QUIET, "policy: roundrobin", NULL);
	forget_counts();
	(void)ask_all("turn", 20);
	ok(stub_asked(r1()) == 10 && stub_asked(r2()) == 10,
		"49: roundrobin: half each");
	say("backend down r2");
	ok(ask_all("one", 20) == 20 && stub_asked(r1()) == 20 &&
			stub_asked(r2()) == 0,
		"49: one down: all to the other");
	say("backend down r1");
	ok(!ask("none", 1) && scene_rcode(&sc) == DNS_RCODE_SERVFAIL &&
			ede_of(&sc.answer) == DNS_EDE_NO_REACHABLE_AUTHORITY,
		"49: all down: SERVFAIL with EDE 22");
	ok(scene_stat(&sc, "no_backend_total") == 1, "55: which is counted");
}

/* A connection opened before, on which more was answered. */
static void test_no_server_drop(int tcp)
{
	struct ask ask = {.name = "nobody.test"};
	uint8_t octet;

	change("policy: roundrobin\n    no_server: drop");
	ask_udp(sc.client, &ask);
	ok(scene_wait_stat(&sc, "drops_total{reason=\"no-server\"}", 1) &&
			!take_udp(sc.client, &sc.answer, SCENE_NEVER),
		"55: no_server: drop: silence");
	ask_tcp(tcp, &ask);
	ok(recv(tcp, &octet, 1, 0) == 0, "55: the TCP connection is closed");
	ok(scene_wait_stat(&sc, "drops_total{reason=\"no-server\"}", 2),
		"55: both are counted");
}

static void test_no_server(void)
{
	struct ask ask = {.name = "gone.test", .id = 5};
	int tcp = scene_client(&sc, SOCK_STREAM, NULL);
	int good = 0;

	for (int i = 0; i < 2; i++, ask.id++) {
		ask_tcp(tcp, &ask);
		good += take_tcp(tcp, &sc.answer, SCENE_SOON) &&
			scene_rcode(&sc) == DNS_RCODE_SERVFAIL &&
			msg_id(sc.answer.data) == ask.id;
	}
	is_int(good, 2, "55: no server: SERVFAIL, the TCP connection is kept");
	test_no_server_drop(tcp);
	close(tcp);
	say("backend up r1");
	say("backend up r2");
}

static void test_weights(void)
{
	unsigned first;

	change("policy: wrandom");
	is_int(ask_all("w", 3000), 3000, "50: wrandom, weights 1:2");
	first = stub_asked(r1());
	ok(first > 850 && first < 1150, "50: a third to r1: %u of 3000", first);
}

static void test_hashed(void)
{
	static bool at_r1[200];
	unsigned same = 0, some = 0;

	change("policy: chashed\n    cache: false");
	for (unsigned i = 0; i < countof(at_r1); i++) {
		(void)ask("h", i);
		at_r1[i] = stub_asked(r1()) == 1;
		some += at_r1[i];
	}
	forget_counts();
	say("backend down r1");
	is_int(ask_all("h", countof(at_r1)), countof(at_r1),
		"50: chashed: one down, all go on");
	say("backend up r1");
	forget_counts();
	for (unsigned i = 0; i < countof(at_r1); i++) {
		(void)ask("h", i);
		same += (stub_asked(r1()) == 1) == at_r1[i];
	}
	is_int(same, countof(at_r1), "50: the same name to the same server");
	ok(some > 20 && some < 180, "50: not all to one: %u of 200", some);
}

static void test_first(void)
{
	change("policy: firstAvailable");
	(void)ask_all("first", 10);
	ok(stub_asked(r1()) == 10 && stub_asked(r2()) == 0,
		"49: firstAvailable: the lowest order");
	say("backend drain r1");
	(void)ask_all("second", 10);
	ok(stub_asked(r1()) == 0 && stub_asked(r2()) == 10,
		"49: it is drained: the next one");
	scene_stop(&sc, "50");
}

/* In whole seconds since, and one for the bucket that was full. */
static unsigned tokens_since(struct mtime start)
{
	return 1 + (unsigned)(mtime_sub_us(mtime_now(), start) / 1000000);
}

static void test_qps(void)
{
	struct mtime start = mtime_now();
	unsigned first = 0, second = 0, answered = 0;
	static const char limited[] = "\"qps_limit\":1,\"over_qps\":";
	char prefix[8], *text, *over;

	scene_start(&sc, QUIET, "policy: firstAvailable", NULL);
	sc.qps[0] = 1;
	change("policy: firstAvailable");
	for (unsigned i = 0; i < 10; i++) {
		(void)snprintf(prefix, sizeof(prefix), "q%u-", i);
		answered += ask_all(prefix, 2);
		first += stub_asked(r1());
		second += stub_asked(r2());
		change("policy: firstAvailable");
	}
	ok(first >= 1 && first <= tokens_since(start) && second > 0 &&
			answered == 20,
		"49: the first up to its qps, over 10 reloads: %u, then %u",
		first, second);
	sc.qps[1] = 1;
	change("policy: firstAvailable");
	is_int(ask_all("over", 10), 10, "49: all are over: still answered");
	text = scene_call(&sc, "show servers");
	over = text ? strstr(text, limited) : NULL; /* r1's */
	ok(over && over[strlen(limited)] != '0', "49: which is shown");
	free(text);
	scene_stop(&sc, "49");
}

static unsigned probes_of(struct stub *stub)
{
	unsigned n;

	(void)pthread_mutex_lock(&stub->lock);
	n = stub->probes;
	(void)pthread_mutex_unlock(&stub->lock);
	return n;
}

static bool probed_again(void *arg)
{
	const unsigned *before = arg;

	return probes_of(r1()) + probes_of(r2()) > *before + 3;
}

static bool probed_soon(unsigned before)
{
	return tap_wait(probed_again, &before, SCENE_SOON);
}

static bool both_up(void)
{
	return scene_wait_state(&sc, "r1", "up") &&
	       scene_wait_state(&sc, "r2", "up");
}

/* A number of the n-th row of `show servers`. */
static long long server_count(unsigned n, const char *key)
{
	char *text = scene_call(&sc, "show servers"), quoted[40];
	const char *at = text;
	long long value = -1;
	int len = snprintf(quoted, sizeof(quoted), "\"%s\":", key);

	for (unsigned i = 0; at && i <= n; i++) {
		at = strstr(at, quoted);
		at = at ? at + len : NULL;
	}
	if (at)
		value = strtoll(at, NULL, 10);
	free(text);
	return value;
}

static void test_probes(void)
{
	unsigned before;

	scene_start(&sc, QUIET, "policy: firstAvailable",
		CHECK ", rise: 2, fall: 2");
	ok(both_up(), "51: probed: up");
	before = probes_of(r1());
	stub_set(r1(), &silent);
	ok(scene_wait_state(&sc, "r1", "down"),
		"51: no answer to probes: down");
	/* interval + time-out x fall, in probes: two, one on its way, and those
	 * that came while we looked */
	before = probes_of(r1()) - before;
	ok(before >= 2 && before <= 5, "51: after `fall` of them: %u", before);
	ok(server_count(0, "probes_unanswered") >= 2,
		"51: counted by reason: no answer in time");
	forget_counts();
	ok(ask_all("p", 5) == 5 && stub_asked(r1()) == 0, "51: and not asked");
	stub_set(r1(), stub_answering());
	ok(both_up(), "51: answers again: up");
	say("backend down r1");
	say("backend up r2");
	before = probes_of(r1()) + probes_of(r2());
	/* one may be under way */
	ok(!tap_wait(probed_again, &before, 400),
		"51: forced up and down: not probed");
	ok(scene_wait_state(&sc, "r1", "DOWN") &&
			scene_wait_state(&sc, "r2", "UP"),
		"51: and shown as such");
	say("backend auto r1");
	say("backend auto r2");
	ok(probed_soon(before) && both_up(), "51: auto: probed again");
}

/* A probe answer of this kind: up or down? */
static void check_probe(const char *what, const struct reply *probe,
	const char *check, const char *state)
{
	struct script script = *stub_answering();

	sc.check = check;
	change("policy: firstAvailable");
	stub_set(r1(), stub_answering());
	if (!both_up())
		tap_bail("%s: not up before", what);
	script.probe = *probe;
	stub_set(r1(), &script);
	if (strcmp(state, "up") == 0)
		ok(probed_soon(probes_of(r1()) + probes_of(r2())) &&
				scene_wait_state(&sc, "r1", "up"),
			"52: %s: up", what);
	else
		ok(scene_wait_state(&sc, "r1", state), "52: %s: %s", what,
			state);
}

/* Once more, and what is counted. */
static void check_reason(const char *what, const struct reply *probe,
	const char *check, const char *key)
{
	long long before = server_count(0, key);

	check_probe(what, probe, check, "down");
	ok(server_count(0, key) >= before + 2, "51: counted by reason: %s",
		what);
}

static void test_probe_answers(void)
{
	static const struct reply servfail = {.rcode = DNS_RCODE_SERVFAIL},
				  nx = {.rcode = DNS_RCODE_NXDOMAIN},
				  refused = {.rcode = DNS_RCODE_REFUSED},
				  other = {.name = "q.probe.test"},
				  wrong_id = {.answers = 1, .id_off = 1},
				  lame = {.answers = 1};

	check_reason("SERVFAIL", &servfail, CHECK, "probes_unwanted");
	check_probe("NXDOMAIN", &nx, CHECK, "up");
	check_probe("NXDOMAIN where NOERROR is due", &nx,
		CHECK ", rcode: NOERROR", "down");
	check_probe("REFUSED", &refused, CHECK, "down");
	check_probe("REFUSED where NOERROR is due", &refused,
		CHECK ", rcode: NOERROR", "down");
	check_probe("NXDOMAIN where anything is good", &nx,
		CHECK ", rcode: ANY", "up");
	check_probe("REFUSED where anything is good", &refused,
		CHECK ", rcode: ANY", "up");
	check_probe("SERVFAIL where anything is good", &servfail,
		CHECK ", rcode: ANY", "down");
	check_reason("another question", &other, CHECK, "probes_mismatched");
	check_reason("another id", &wrong_id, CHECK, "probes_mismatched");
	check_probe("no AA where it is due", &lame, CHECK ", require_aa: true",
		"down");
	sc.check = CHECK;
	stub_set(r1(), stub_answering());
	stub_set(r2(), stub_answering());
}

/* The SOA of the stub has serial 2^32 - 2: what is later is a small number. */
static void test_probe_serial(void)
{
	static const struct {
		const char *check, *state;
	} cases[] = {
		{", type: SOA, min_serial: 4294967294", "up"},
		{", type: SOA, min_serial: 4294967295", "down"},
		{", type: SOA, min_serial: 5", "down"},
		{", type: SOA, min_serial: 4294967000", "up"},
	};
	struct script script = *stub_answering();

	script.probe = (struct reply){.soa_serial = 4294967294};
	for (unsigned i = 0; i < countof(cases); i++) {
		char check[160];

		(void)snprintf(check, sizeof(check),
			"name: probe.test, interval: 50ms%s", cases[i].check);
		sc.check = check;
		stub_set(r1(), &script);
		stub_set(r2(), &script);
		change("policy: firstAvailable");
		ok(probed_soon(probes_of(r1()) + probes_of(r2())) &&
				scene_wait_state(&sc, "r1", cases[i].state),
			"52: serial 4294967294%s: %s", cases[i].check + 11,
			cases[i].state);
	}
	stub_set(r1(), stub_answering());
	stub_set(r2(), stub_answering());
}

/* The name of the next question at r1 but one. */
static void next_probe(struct packet *p)
{
	(void)take_udp(r1()->udp, p, SCENE_SOON);
	if (!take_udp(r1()->udp, p, SCENE_SOON))
		tap_bail("no probe");
}

static void test_random_label(void)
{
	struct packet *p = calloc(2, sizeof(*p));

	sc.check = CHECK ", random_label: true";
	change("policy: firstAvailable");
	ok(probed_soon(probes_of(r1()) + probes_of(r2())) && both_up(),
		"52: probed with a random label: up");
	stub_set(r1(), &held);
	next_probe(&p[0]);
	next_probe(&p[1]);
	ok(p[0].len == p[1].len && p[0].data[12] == 12 &&
			memcmp(p[0].data + 13, p[1].data + 13, 12) != 0 &&
			memcmp(p[0].data + 25, p[1].data + 25, 12) == 0,
		"52: each time another one, below the same name");
	stub_set(r1(), stub_answering());
	scene_stop(&sc, "52");
	free(p);
}

/* After `lead` good answers r1 gives a hundred, so many of them SERVFAIL, and
 * not one after the other, lest it be ejected for that. */
static void ask_badly(const char *prefix, unsigned lead, unsigned bad)
{
	struct script failing = *stub_answering();

	failing.reply = (struct reply){.rcode = DNS_RCODE_SERVFAIL};
	for (unsigned i = 0; i < lead + 100; i++) {
		bool fails = i >= lead && i % 5 == 4 && (i - lead) / 5 < bad;

		stub_set(r1(), fails ? &failing : stub_answering());
		(void)ask(prefix, i);
	}
	stub_set(r1(), stub_answering());
}

static bool was_probed(void *arg)
{
	return probes_of(r1()) > *(const unsigned *)arg;
}

#define LAZY CHECK ", lazy: true, rise: 1, fall: 2"

static void test_lazy(void)
{
	struct script sick = *stub_answering();
	unsigned before;
	long long changes;

	scene_start(&sc, QUIET "dynamic_blocks: {qps: 0}\n",
		"policy: firstAvailable", LAZY);
	if (!both_up())
		tap_bail("not up");
	say("backend down r2"); /* the last one is not ejected */
	before = probes_of(r1());
	changes = server_count(0, "state_changes");
	ok(!tap_wait(was_probed, &before, 300),
		"53: lazy: up, and not probed any more");
	ask_badly("some", 20, 19);
	ok(!tap_wait(was_probed, &before, 200),
		"53: 19 of the last 100 fail: no probe");
	ask_badly("more", 0, 20);
	ok(tap_wait(was_probed, &before, SCENE_SOON),
		"53: 20 of the last 100 fail: probed");
	before = probes_of(r1());
	ok(!tap_wait(was_probed, &before, 200) &&
			server_count(0, "state_changes") == changes,
		"53: with success: healthy, and probes stop");
	say("backend auto r2");
	if (!both_up())
		tap_bail("r2 is not up again");
	sick.reply = sick.probe = (struct reply){.rcode = DNS_RCODE_SERVFAIL};
	stub_set(r1(), &sick);
	(void)ask_all("sick", 3);
	ok(scene_wait_state(&sc, "r1", "down"), "53: without: down");
	ok(probes_of(r1()) >= before + 2, "53: after `fall` probes");
	is_int(server_count(0, "state_changes"), changes + 1,
		"53: the change is counted once");
	stub_set(r1(), stub_answering());
	ok(both_up(), "53: a good probe: up");
	scene_stop(&sc, "53");
}

int main(void)
{
	test_lazy();
	test_least();
	test_tiers();
	test_round_robin();
	test_no_server();
	test_weights();
	test_hashed();
	test_first();
	test_qps();
	test_probes();
	test_probe_answers();
	test_probe_serial();
	test_random_label();
	return tap_done();
}
