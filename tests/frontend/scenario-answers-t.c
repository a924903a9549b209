/* SPDX-License-Identifier: ISC */
/*
 * Scenarios 15 to 24: what is believed of a backend. The test plays r1; r2 is
 * there for retries. More forms of malformed answers: backend-t.
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

#define FIRST        "policy: firstAvailable"
#define IGNORED(why) "backend_replies_ignored_total{reason=\"" why "\"}"

static struct scene sc;
static struct packet question;
static const struct script held = {.hold = true};
static const struct reply good = {.flags = MSG_RA, .answers = 1, .ttl_s = 60};

static struct stub *r1(void)
{
	return &sc.stubs[0];
}

static void ask_r1(const char *name, uint16_t payload)
{
	struct ask ask = {.name = name, .id = 77, .payload = payload};

	ask_udp(sc.client, &ask);
	if (!take_udp(r1()->udp, &question, SCENE_SOON))
		tap_bail("r1 is not asked for %s", name);
}

static bool client_hears(int ms)
{
	return take_udp(sc.client, &sc.answer, ms);
}

static void reply_text(const char *text)
{
	uint8_t msg[2048];
	size_t len = wire(msg, sizeof(msg), text);

	msg_set_id(msg, msg_id(question.data));
	if (sendto(r1()->udp, msg, len, 0, &question.from.sa,
		    addr_len(&question.from)) < 0)
		tap_diag("sendto: %s", strerror(errno));
}

/* Not believed and counted; the good answer behind it is. */
static void check_wrong(const char *number, const char *what, const char *stat,
	const struct reply *wrong)
{
	long long before = scene_stat(&sc, stat);

	ask_r1("asked.test", 0);
	reply_udp(r1()->udp, &question, wrong);
	ok(scene_wait_stat(&sc, stat, before + 1), "%s: %s: counted", number,
		what);
	ok(!client_hears(20), "%s: %s: not handed on", number, what);
	reply_udp(r1()->udp, &question, &good);
	ok(client_hears(SCENE_SOON) && scene_rcode(&sc) == 0 &&
			msg_id(sc.answer.data) == 77,
		"%s: %s: the right one is, later", number, what);
	free(scene_call(&sc, "cache flush all"));
}

static void test_wrong(void)
{
	struct reply wrong = good;

	wrong.name = "other.test";
	check_wrong("15", "another name", IGNORED("question"), &wrong);
	wrong = good;
	wrong.type = DNS_TYPE_AAAA;
	check_wrong("16", "another type", IGNORED("question"), &wrong);
	wrong = good;
	wrong.id_off = 1;
	check_wrong("17", "another id", IGNORED("id"), &wrong);
	ask_r1("class.test", 0);
	reply_text("0000 8180 0001 0000 0000 0000 <class.test.> 0001 0003");
	ok(!client_hears(20), "16: another class: not handed on");
	reply_udp(r1()->udp, &question, &good);
	ok(client_hears(SCENE_SOON), "16: another class: the right one is");
	ask_r1("port.test", 0);
	reply_udp(sc.stubs[1].udp, &question, &good);
	ok(!client_hears(SCENE_NEVER), "17: another port: not handed on");
	reply_udp(r1()->udp, &question, &good);
	ok(client_hears(SCENE_SOON), "17: another port: the right one is");
}

/* Answers with all ids, from the backend's address, to the port that another
 * question left from. */
static void flood(const struct packet *q, const union addr *port)
{
	struct reply poison = {.flags = MSG_RA, .answers = 9, .ttl_s = 60};
	struct packet *p = calloc(1, sizeof(*p));
	uint8_t msg[512];
	size_t len;

	memcpy(p->data, q->data, q->len);
	p->len = q->len;
	len = reply_make(p, &poison, msg, sizeof(msg));
	/* the right id is the last one: luck is not what is tested */
	for (unsigned id = 0; id < 65536; id++) {
		msg_set_id(msg, (uint16_t)(msg_id(q->data) + 1 + id));
		(void)sendto(r1()->udp, msg, len, 0, &port->sa, addr_len(port));
		if (id % 128 == 0) /* the kernel's buffer has an end */
			(void)scene_stat(&sc, IGNORED("id"));
	}
	free(p);
}

/* At the very port: all ids are tried, the right one among them. */
static void test_guesses(void)
{
	long long before = scene_stat(&sc, "backend_ports_left_total");
	struct packet *asked = calloc(1, sizeof(*asked));

	ask_r1("guess.test", 0);
	*asked = question;
	flood(asked, &asked->from);
	ok(!client_hears(20), "18: 65536 ids at the right port: none is "
			      "believed");
	ok(scene_stat(&sc, "backend_ports_left_total") > before,
		"18: we left that port, which is counted");
	ok(take_udp(r1()->udp, &question, SCENE_SOON) &&
			addr_port(&question.from) != addr_port(&asked->from) &&
			msg_id(question.data) != msg_id(asked->data),
		"18: and asked again from another, with another id");
	reply_udp(r1()->udp, &question, &good);
	ok(client_hears(SCENE_SOON) && msg_count(sc.answer.data, MSG_AN) == 1,
		"18: the right one is believed");
	free(asked);
}

static void test_flood(void)
{
	struct packet *other = calloc(1, sizeof(*other));
	long long before = scene_stat(&sc, IGNORED("id"));

	ask_r1("first.test", 0);
	*other = question;
	do /* another socket */
		ask_r1("second.test", 0);
	while (addr_port(&question.from) == addr_port(&other->from) &&
		(reply_udp(r1()->udp, &question, &good),
			client_hears(SCENE_SOON),
			free(scene_call(&sc, "cache flush all")), true));
	flood(&question, &other->from);
	ok(!client_hears(20), "18: 65536 forged ids: none is believed");
	ok(scene_stat(&sc, IGNORED("id")) > before,
		"18: those that arrived are counted");
	if (!take_udp(r1()->udp, other, SCENE_SOON))
		tap_bail("the other question is not asked again");
	reply_udp(r1()->udp, &question, &good);
	ok(client_hears(SCENE_SOON) && msg_count(sc.answer.data, MSG_AN) == 1,
		"18: the right one is, after it");
	reply_udp(r1()->udp, other, &good);
	(void)client_hears(SCENE_SOON);
	free(other);
}

static void test_bare(void)
{
	static const struct reply refused = {
		.rcode = DNS_RCODE_REFUSED, .no_opt = true};
	struct script second = *stub_answering();

	ask_r1("bare.test", 0);
	reply_text("0000 8180 0000 0000 0000 0000");
	ok(!client_hears(20), "19: NOERROR without a question: not handed on");
	reply_text("0000 8183 0000 0000 0000 0000");
	ok(client_hears(SCENE_SOON) && scene_rcode(&sc) == DNS_RCODE_NXDOMAIN &&
			msg_count(sc.answer.data, MSG_QD) == 1,
		"19: NXDOMAIN without: handed on, with the question");
	ask_r1("bare.test", 0);
	ok(true, "19: and not cached");
	second.reply = refused;
	stub_set(&sc.stubs[1], &second);
	reply_text("0000 8185 0000 0000 0000 0000");
	ok(client_hears(SCENE_SOON) && scene_rcode(&sc) == DNS_RCODE_REFUSED,
		"19: REFUSED without, and the other refuses too: handed on");
	ok(scene_ask(&sc, &(struct ask){.name = "bare.test"}) &&
			scene_rcode(&sc) == DNS_RCODE_REFUSED,
		"39: which is kept for a while, and does no harm");
	stub_set(&sc.stubs[1], stub_answering());
}

static void test_garbage(void)
{
	static const char text[] =
		"0000 8180 0001 0001 0000 0000 <rdata.test.> 0001 0001 "
		"c00c 0001 0001 0000003c 0003 c00002";
	struct ask ask = {.name = "rdata.test", .id = 77};
	struct packet *p = calloc(1, sizeof(*p));
	int client, backend;
	uint8_t msg[256], frame[258];
	size_t len;

	ask_r1("rdata.test", 0);
	reply_text(text);
	ok(!client_hears(20), "20: broken rdata over UDP: not handed on");
	ok(scene_wait_stat(&sc, IGNORED("malformed"), 2), "20: counted");
	ask_udp(sc.client, &(struct ask){.name = "rdata.test", .id = 78});
	ok(scene_wait_stat(&sc, "coalesced_total", 1) && !client_hears(20),
		"20: asked again meanwhile: it is not cached");
	reply_udp(r1()->udp, &question,
		&(struct reply){.flags = MSG_RA | MSG_TC});
	ok(client_hears(SCENE_SOON) && client_hears(SCENE_SOON),
		"20: the program lives, the right one ends the wait of both");
	client = scene_client(&sc, SOCK_STREAM, NULL);
	ask_tcp(client, &ask);
	(void)take_udp(r1()->udp, &question, SCENE_SOON);
	reply_udp(r1()->udp, &question,
		&(struct reply){.flags = MSG_RA | MSG_TC});
	backend = is_readable(r1()->tcp, SCENE_SOON)
			  ? accept(r1()->tcp, NULL, NULL)
			  : -1;
	if (backend < 0 || !take_tcp(backend, p, SCENE_SOON))
		tap_bail("TC: r1 is not asked over TCP");
	len = wire(msg, sizeof(msg), text);
	msg_set_id(msg, msg_id(p->data));
	put16(frame, (uint16_t)len);
	memcpy(frame + 2, msg, len);
	(void)send(backend, frame, len + 2, MSG_NOSIGNAL);
	ok(scene_wait_stat(&sc, IGNORED("malformed"), 3),
		"20: broken rdata over TCP: counted");
	reply_tcp(backend, p, &good);
	ok(take_tcp(client, &sc.answer, SCENE_SOON) && scene_rcode(&sc) == 0 &&
			msg_count(sc.answer.data, MSG_AN) == 1,
		"20: the right one behind it is handed on");
	close(backend);
	close(client);
	free(p);
}

static bool nothing_outstanding(void *arg)
{
	char *text = scene_call(arg, "show servers");
	const char *at = text;
	bool none = text != NULL;

	while (none && (at = strstr(at, "\"outstanding\":")) != NULL) {
		at += strlen("\"outstanding\":");
		none = *at == '0';
	}
	free(text);
	return none;
}

/* The answer of a question that is over comes while others wait. */
static void test_late_among_others(const struct packet *late)
{
	static struct packet asked[20];
	unsigned right = 0;

	for (uint16_t i = 0; i < 20; i++) {
		char name[32];
		struct ask ask = {.name = name, .id = i};

		(void)snprintf(name, sizeof(name), "other%u.test", i);
		ask_udp(sc.client, &ask);
		if (!take_udp(r1()->udp, &asked[i], SCENE_SOON))
			tap_bail("r1 is not asked for %s", name);
		reply_udp(r1()->udp, late, &good);
	}
	for (unsigned i = 20; i-- > 0;)
		reply_udp(r1()->udp, &asked[i], &good);
	for (unsigned i = 0; i < 20 && client_hears(SCENE_SOON); i++)
		right += scene_rcode(&sc) == 0 &&
			 memcmp(sc.answer.data + 13, "other", 5) == 0;
	ok(right == 20 && !client_hears(20),
		"21: nor does it answer others that wait by now: %u of 20",
		right);
}

static void test_late_and_twice(void)
{
	static struct packet late;
	long long before;

	before = scene_stat(&sc, IGNORED("id"));
	ask_r1("twice.test", 0);
	reply_udp(r1()->udp, &question, &good);
	reply_udp(r1()->udp, &question, &good);
	ok(client_hears(SCENE_SOON) && !client_hears(50),
		"22: answered twice: the client gets one");
	is_int(scene_stat(&sc, IGNORED("id")), before + 1,
		"22: the other is counted");
	scene_stop(&sc, "20");
	scene_start(&sc,
		"retry: {hedge: false, timeout: 100ms, tries: 1, "
		"deadline: 200ms}\n",
		FIRST, NULL);
	stub_set(r1(), &held);
	ask_r1("late.test", 1232);
	ok(client_hears(SCENE_SOON) && scene_rcode(&sc) == DNS_RCODE_SERVFAIL &&
			ede_of(&sc.answer) == DNS_EDE_NO_REACHABLE_AUTHORITY,
		"21: no answer until the deadline: SERVFAIL with EDE 22");
	reply_udp(r1()->udp, &question, &good);
	ok(scene_wait_stat(&sc, IGNORED("id"), 1) && !client_hears(20),
		"21: a later answer is dropped and counted");
	late = question;
	test_late_among_others(&late);
	ok(tap_wait(nothing_outstanding, &sc, SCENE_SOON),
		"21: nothing is outstanding");
	scene_stop(&sc, "21");
}

static bool is_cut(void)
{
	return (msg_flags(sc.answer.data) & MSG_TC) &&
	       msg_count(sc.answer.data, MSG_AN) == 0 &&
	       msg_count(sc.answer.data, MSG_NS) == 0;
}

static void test_sizes(void)
{
	struct script script = *stub_answering();
	struct ask ask = {.name = "size.test"};

	scene_start(&sc, "", FIRST, NULL);
	script.reply.padding = 700;
	stub_set(r1(), &script);
	ok(scene_ask(&sc, &ask) && is_cut() && !has_opt(&sc.answer) &&
			sc.answer.len <= 512,
		"23: over 512 without EDNS: TC, no records, no OPT");
	ask.payload = 600;
	ok(scene_ask(&sc, &ask) && is_cut() && has_opt(&sc.answer),
		"23: over the client's EDNS size: TC, no records, an OPT");
	ask.payload = 1232;
	ok(scene_ask(&sc, &ask) && !is_cut() && sc.answer.len > 700,
		"23: within it: whole");
	script.reply.padding = 1500;
	stub_set(r1(), &script);
	ask.name = "big.test";
	ask.payload = 4096;
	ok(scene_ask(&sc, &ask) && is_cut(),
		"23: over 1232: TC, whatever the client takes");
	script = *stub_answering();
	script.reply.flags = MSG_RA | MSG_TC;
	script.reply.soa = true;
	stub_set(r1(), &script);
	ask.name = "cut.test";
	ask.payload = 0;
	ok(scene_ask(&sc, &ask) && is_cut() &&
			sc.answer.len == MSG_HEADER + 10 + 4,
		"24: TC with records from the backend: header and question");
	ask.payload = 4096;
	ok(scene_ask(&sc, &ask) && is_cut() && has_opt(&sc.answer) &&
			sc.answer.len == MSG_HEADER + 10 + 4 + 11,
		"24: with EDNS: an OPT, and no record");
	scene_stop(&sc, "23");
}

int main(void)
{
	scene_start(&sc, "retry: {hedge: false, timeout: 28s, deadline: 30s}\n",
		FIRST, NULL);
	stub_set(r1(), &held);
	test_wrong();
	test_flood();
	test_guesses();
	test_bare();
	test_garbage();
	test_late_and_twice();
	test_sizes();
	return tap_done();
}
