/* SPDX-License-Identifier: ISC */
/*
 * Backends that lie, fail, are slow, or are gone: what is believed, what is
 * asked again and where, and what the client gets in the end.
 */

#include "tests/frontend/rig.h"

#include "common/base/buf.h"
#include "common/dns/code.h"
#include "tests/tap/tap.h"
#include "tests/tap/wire.h"

#include <poll.h>
#include <semaphore.h>
#include <unistd.h>

static struct rig rig;
static struct packet answer, question, second;
static const struct reply good = {.flags = MSG_RA, .answers = 1, .ttl_s = 60};
static const struct reply fail = {.flags = MSG_RA, .rcode = DNS_RCODE_SERVFAIL};

static unsigned rcode(void)
{
	return msg_rcode(answer.data);
}

/* Ask, and have r1 hold the question. */
static void ask_r1(int fd, const char *name)
{
	struct ask ask = {.name = name, .payload = 1232, .flags = MSG_RD};

	ask_udp(fd, &ask);
	ok(take_udp(rig.udp[0], &question, RIG_SOON), "r1 is asked for %s",
		name);
}

/* A wrong reply first, then the right one: the right one counts. */
static void check_ignored(int fd, const char *what, const struct reply *wrong,
	enum stat_id counter)
{
	uint64_t before = rig_stat(&rig, counter);
	char name[64];

	(void)snprintf(name, sizeof(name), "%.20s.example", what);
	ask_r1(fd, name);
	reply_udp(rig.udp[0], &question, wrong);
	ok(rig_wait_stat(&rig, counter, before + 1), "%s: counted", what);
	ok(!take_udp(fd, &answer, 30), "%s: not believed", what);
	reply_udp(rig.udp[0], &question, &good);
	ok(take_udp(fd, &answer, RIG_SOON) && rcode() == 0 &&
			msg_count(answer.data, MSG_AN) == 1,
		"%s: the right one after it is", what);
}

static void test_lies(void)
{
	struct reply wrong;
	int fd;

	rig_start(&rig,
		"retry: {hedge: false, timeout: 2s, deadline: 2500ms}\n",
		"policy: firstAvailable,");
	fd = rig_udp_client(&rig);
	wrong = good;
	wrong.name = "evil.example";
	check_ignored(fd, "wrong-name", &wrong, STAT_REPLY_QUESTION);
	wrong = good;
	wrong.type = DNS_TYPE_AAAA;
	check_ignored(fd, "wrong-type", &wrong, STAT_REPLY_QUESTION);
	wrong = good;
	wrong.id_off = 1;
	check_ignored(fd, "wrong-id", &wrong, STAT_REPLY_UNKNOWN);
	wrong = good;
	wrong.flags = 0x2000; /* opcode 4 */
	check_ignored(fd, "wrong-opcode", &wrong, STAT_REPLY_MALFORMED);
	close(fd);
}

static void reply_text(const char *text)
{
	uint8_t msg[2048];
	size_t len = wire(msg, sizeof(msg), text);

	msg_set_id(msg, msg_id(question.data));
	if (sendto(rig.udp[0], msg, len, 0, &question.from.sa,
		    addr_len(&question.from)) < 0)
		tap_diag("sendto");
}

static void test_malformed(void)
{
	static const struct {
		const char *what, *text;
	} cases[] = {
		{"QR clear", "0000 0100 0001 0000 0000 0000 <m.example.> 0001 "
			     "0001"},
		{"two questions", "0000 8180 0002 0000 0000 0000 <m.example.> "
				  "0001 0001 <n.example.> 0001 0001"},
		{"no question, no error", "0000 8180 0000 0000 0000 0000"},
		{"an A of 3 octets",
			"0000 8180 0001 0001 0000 0000 <m.example.> 0001 0001 "
			"c00c 0001 0001 0000003c 0003 c00002"},
		{"a record cut off",
			"0000 8180 0001 0001 0000 0000 <m.example.> 0001 0001 "
			"c00c 0001 0001 0000003c 0004 c000"},
		{"a pointer to itself",
			"0000 8180 0001 0001 0000 0000 <m.example.> 0001 0001 "
			"c01b 0001 0001 0000003c 0004 c0000201"},
		{"a signature of nothing that was signed",
			"0000 8180 0001 0000 0000 0001 <m.example.> 0001 0001 "
			"00 00fa 00ff 00000000 0000"},
		{"octets behind the end",
			"0000 8180 0001 0001 0000 0000 <m.example.> 0001 0001 "
			"c00c 0001 0001 0000003c 0004 c0000201 'x'"},
		{"counts that lie",
			"0000 8180 0001 00ff 0000 0000 <m.example.> 0001 0001 "
			"c00c 0001 0001 0000003c 0004 c0000201"},
		{"two OPTs",
			"0000 8180 0001 0000 0000 0002 <m.example.> 0001 0001 "
			"00 0029 04d0 00000000 0000 00 0029 04d0 00000000 "
			"0000"},
	};
	uint64_t before = rig_stat(&rig, STAT_REPLY_MALFORMED);
	int fd = rig_udp_client(&rig);

	ask_r1(fd, "m.example");
	for (size_t i = 0; i < countof(cases); i++) {
		reply_text(cases[i].text);
		ok(rig_wait_stat(&rig, STAT_REPLY_MALFORMED, before + i + 1),
			"malformed: %s", cases[i].what);
	}
	ok(!take_udp(fd, &answer, 30), "none is handed on");
	reply_udp(rig.udp[0], &question, &good);
	ok(take_udp(fd, &answer, RIG_SOON) && rcode() == 0, "the good one is");
	close(fd);
}

static void test_other_port(void)
{
	int other = rig.udp[1], fd = rig_udp_client(&rig);

	ask_r1(fd, "port.example");
	reply_udp(other, &question, &good);
	ok(!take_udp(fd, &answer, RIG_NEVER),
		"an answer from another port does not arrive");
	reply_udp(rig.udp[0], &question, &good);
	ok(take_udp(fd, &answer, RIG_SOON), "from the right one it does");
	reply_udp(rig.udp[0], &question, &good);
	ok(!take_udp(fd, &answer, 50), "a second time it does not");
	close(fd);
	rig_stop(&rig);
}

/* Ids and source ports of 600 questions. */
static void test_entropy(void)
{
	static uint8_t ports[65536], ids[65536];
	unsigned n_ports = 0, n_ids = 0, rising = 0;
	uint16_t last = 0;
	int fd;

	rig_start(&rig, "", "policy: firstAvailable,");
	fd = rig_udp_client(&rig);
	for (int i = 0; i < 600; i++) {
		char name[32];
		struct ask ask = {.name = name};
		uint16_t id, port;

		(void)snprintf(name, sizeof(name), "n%d.example", i);
		ask_udp(fd, &ask);
		if (!take_udp(rig.udp[0], &question, RIG_SOON))
			break;
		id = msg_id(question.data);
		port = addr_port(&question.from);
		n_ids += !ids[id]++;
		n_ports += !ports[port]++;
		rising += port > last;
		last = port;
		reply_udp(rig.udp[0], &question, &good);
		(void)take_udp(fd, &answer, RIG_SOON);
	}
	ok(n_ids > 580, "600 questions, %u ids", n_ids);
	ok(n_ports >= 60, "from %u source ports", n_ports);
	ok(rising > 150 && rising < 450, "in no order");
	close(fd);
	rig_stop(&rig);
}

/* While answers are due, questions share a socket, but only so many. */
static void test_runs(void)
{
	static uint8_t ports[65536];
	unsigned n_ports = 0, most = 0;
	int fd;

	rig_start(&rig, "", "policy: firstAvailable,");
	fd = rig_udp_client(&rig);
	for (int i = 0; i < 32; i++) {
		char name[32];
		struct ask ask = {.name = name};
		uint16_t port;

		(void)snprintf(name, sizeof(name), "run%d.example", i);
		ask_udp(fd, &ask);
		if (!take_udp(rig.udp[0], &question, RIG_SOON))
			break;
		port = addr_port(&question.from);
		n_ports += !ports[port]++;
		if (ports[port] > most)
			most = ports[port];
	}
	is_int(n_ports, 4, "32 questions that wait are asked from 4 ports");
	is_int(most, 8, "8 from each");
	close(fd);
	rig_stop(&rig);
}

static void await_post(void *arg)
{
	(void)sem_wait(arg);
}

static void ask_number(int fd, unsigned i)
{
	char name[32];
	struct ask ask = {.name = name};

	(void)snprintf(name, sizeof(name), "b%02u.example", i);
	ask_udp(fd, &ask);
}

/* Of 64 questions that wait together, the first half tells how many come
 * together, so of the second 8 in a row go to one backend. */
static void test_together(void)
{
	unsigned got = 0, in_row = 0, last = 0;
	sem_t go;
	int fd;

	rig_start(&rig, "", "");
	fd = rig_udp_client(&rig);
	(void)sem_init(&go, 0, 0);
	if (loop_post(rig.worker->loop, await_post, &go) < 0)
		tap_bail("loop_post");
	for (unsigned i = 0; i < 64; i++)
		ask_number(fd, i);
	(void)sem_post(&go);
	while (got < 32 && take_udp(rig.udp[0], &question, RIG_SOON)) {
		const uint8_t *name = question.data + MSG_HEADER + 1;
		unsigned i = (name[1] - '0') * 10u + name[2] - '0';

		in_row += i >= 32 && i == last + 1;
		last = i;
		got++;
	}
	is_int(got, 32, "each of two backends is asked half of a burst");
	ok(in_row >= 14, "and when bursts are usual, 8 in a row");
	close(fd);
	rig_stop(&rig);
	(void)sem_destroy(&go);
}

static void test_retry_servfail(void)
{
	int fd;

	rig_start(&rig, "retry: {hedge: false, timeout: 200ms, deadline: 1s}\n",
		"policy: firstAvailable,");
	fd = rig_udp_client(&rig);
	ask_r1(fd, "fail.example");
	reply_udp(rig.udp[0], &question, &fail);
	ok(take_udp(rig.udp[1], &second, RIG_SOON),
		"SERVFAIL from r1: r2 is asked");
	reply_udp(rig.udp[1], &second, &good);
	ok(take_udp(fd, &answer, RIG_SOON) && rcode() == 0,
		"the client sees the good answer");
	ask_r1(fd, "both.example");
	reply_udp(rig.udp[0], &question, &fail);
	(void)take_udp(rig.udp[1], &second, RIG_SOON);
	reply_udp(rig.udp[1], &second, &fail);
	ok(take_udp(fd, &answer, RIG_SOON) && rcode() == DNS_RCODE_SERVFAIL,
		"SERVFAIL from both: SERVFAIL");
	{
		struct ask ask = {.name = "both.example"};

		ok(!round_trip(&rig, fd, &ask, 0, &good, &answer) &&
				rcode() == DNS_RCODE_SERVFAIL,
			"which is kept, since no other could be tried");
	}
	ask_r1(fd, "badvers.example");
	reply_text("0000 8180 0001 0000 0000 0001 <badvers.example.> 0001 0001 "
		   "00 0029 04d0 01000000 0000");
	ok(take_udp(rig.udp[1], &second, RIG_SOON),
		"BADVERS is no empty answer: the other is asked");
	reply_udp(rig.udp[1], &second, &good);
	ok(take_udp(fd, &answer, RIG_SOON) && rcode() == 0 &&
			msg_count(answer.data, MSG_AN) == 1,
		"whose answer the client gets");
	ask_r1(fd, "bare.example");
	{
		uint8_t bare[12] = {0, 0, 0x81, 0x85};

		msg_set_id(bare, msg_id(question.data));
		(void)sendto(rig.udp[0], bare, 12, 0, &question.from.sa,
			addr_len(&question.from));
	}
	(void)take_udp(rig.udp[1], &second, RIG_SOON);
	reply_udp(rig.udp[1], &second, &good);
	ok(take_udp(fd, &answer, RIG_SOON) && rcode() == 0,
		"REFUSED of a header alone: the other is asked");
	close(fd);
}

static void test_retry_timeout(void)
{
	struct ask again = {.name = "slow.example"};
	static struct packet late;
	int fd = rig_udp_client(&rig);
	uint64_t before;

	ask_r1(fd, "slow.example");
	ok(take_udp(rig.udp[1], &second, RIG_SOON),
		"r1 is silent: r2 is asked too");
	reply_udp(rig.udp[0], &question, &good);
	ok(take_udp(fd, &answer, RIG_SOON) && rcode() == 0,
		"a late answer of r1 still counts");
	reply_udp(rig.udp[1], &second, &good);
	ok(!take_udp(fd, &answer, 50), "that of r2 is too late");
	ok(!round_trip(&rig, fd, &again, 0, &good, &answer), "it is cached");
	ask_r1(fd, "never.example");
	late = question;
	ok(take_udp(fd, &answer, RIG_SOON) && rcode() == DNS_RCODE_SERVFAIL,
		"nobody answers: SERVFAIL at the deadline");
	is_int(ede_of(&answer), DNS_EDE_NO_REACHABLE_AUTHORITY, "with EDE 22");
	while (take_udp(rig.udp[0], &question, 0))
		;
	while (take_udp(rig.udp[1], &question, 0))
		;
	before = rig_stat(&rig, STAT_REPLY_UNKNOWN);
	reply_udp(rig.udp[0], &late, &good);
	ok(rig_wait_stat(&rig, STAT_REPLY_UNKNOWN, before + 1) &&
			!take_udp(fd, &answer, 30),
		"an answer after that is counted and dropped");
	is_int((long long)server_get_outstanding(rig_server(&rig, 0)), 0,
		"nothing is outstanding any more");
	ok(server_read(&rig_server(&rig, 0)->timeouts) >= 2,
		"the time-outs are counted against r1");
	close(fd);
	rig_stop(&rig);
}

static void test_hedging(void)
{
	int fd;

	rig_start(&rig, "retry: {timeout: 2s, deadline: 2500ms}\n",
		"policy: firstAvailable,");
	fd = rig_udp_client(&rig);
	for (int i = 0; i < 20; i++) {
		char name[32];
		struct ask ask = {.name = name};

		(void)snprintf(name, sizeof(name), "quick%d.example", i);
		(void)round_trip(&rig, fd, &ask, 0, &good, &answer);
	}
	while (take_udp(rig.udp[1], &second, 0))
		; /* if the machine was slow */
	ask_r1(fd, "hedge.example");
	ok(take_udp(rig.udp[1], &second, 1000),
		"r1 is slower than it mostly is: r2 is asked before the "
		"time-out");
	reply_udp(rig.udp[1], &second, &good);
	ok(take_udp(fd, &answer, RIG_SOON) && rcode() == 0,
		"and its answer is taken");
	ok(rig_stat(&rig, STAT_RETRY_HEDGE) > 0, "counted as such");
	is_int((long long)server_read(&rig_server(&rig, 0)->timeouts), 0,
		"and not held against r1");
	close(fd);
	rig_stop(&rig);
}

static void test_refused(void)
{
	struct ask ask = {.name = "gone.example"};
	int fd;

	rig_start(&rig,
		"retry: {hedge: false, timeout: 1500ms, deadline: 2s}\n",
		"policy: firstAvailable,");
	fd = rig_udp_client(&rig);
	close(rig.udp[0]);
	rig.udp[0] = -1;
	ask_udp(fd, &ask);
	ok(take_udp(rig.udp[1], &second, 500),
		"port closed: the next is asked at once");
	reply_udp(rig.udp[1], &second, &good);
	ok(take_udp(fd, &answer, RIG_SOON) && rcode() == 0, "and answers");
	ok(server_read(&rig_server(&rig, 0)->errors) > 0, "it is counted");
	close(fd);
	rig_stop(&rig);
}

/* The client's answer, or first a retry at r2, which fails too. */
static int answer_or_retry(int fd)
{
	struct pollfd p[2] = {{.fd = fd, .events = POLLIN},
		{.fd = rig.udp[1], .events = POLLIN}};
	int retried = 0;

	(void)poll(p, 2, RIG_SOON);
	if (p[1].revents && take_udp(rig.udp[1], &second, 0)) {
		reply_udp(rig.udp[1], &second, &fail);
		retried = 1;
	}
	(void)take_udp(fd, &answer, RIG_SOON);
	return retried;
}

/* The authority's port is closed for a moment. */
static void test_restart(void)
{
	struct ask ask = {.name = "www.zaibdns.lab"};
	union addr addr;
	socklen_t len = sizeof(addr);
	int fd;

	rig_start(&rig, "retry: {hedge: false, timeout: 200ms}\n", "");
	fd = rig_udp_client(&rig);
	(void)getsockname(rig.udp[2], &addr.sa, &len);
	close(rig.udp[2]);
	ask_udp(fd, &ask);
	ok(rig_wait_stat(&rig, STAT_SEND_ERRORS, 1), "an authority restarts");
	rig.udp[2] = socket(AF_INET, SOCK_DGRAM, 0);
	if (bind(rig.udp[2], &addr.sa, sizeof(addr.v4)) < 0)
		tap_bail("bind");
	ok(take_udp(rig.udp[2], &question, RIG_SOON), "it is asked once more");
	reply_udp(rig.udp[2], &question, &good);
	ok(take_udp(fd, &answer, RIG_SOON) && rcode() == 0,
		"and the client has waited for an answer, not for SERVFAIL");
	close(fd);
	rig_stop(&rig);
}

static void test_budget(void)
{
	int fd, asked = 0;

	rig_start(&rig, "", "policy: firstAvailable,");
	fd = rig_udp_client(&rig);
	for (int i = 0; i < 1500; i++) {
		char name[32];
		struct ask ask = {.name = name};

		(void)snprintf(name, sizeof(name), "b%d.example", i);
		ask_udp(fd, &ask);
		if (!take_udp(rig.udp[0], &question, RIG_SOON))
			break;
		reply_udp(rig.udp[0], &question, &fail);
		asked += answer_or_retry(fd);
	}
	ok(asked == BUDGET_FLOOR, "1500 failures bring %d retries, not 1500",
		asked);
	ok(rig_stat(&rig, STAT_RETRY_DENIED) >= 900, "the others are counted");
	close(fd);
	rig_stop(&rig);
}

static void test_change(void)
{
	struct ask ask = {.name = "move.example"};
	int fd;

	rig_start(&rig,
		"retry: {hedge: false, timeout: 1500ms, deadline: 2s}\n",
		"policy: firstAvailable,");
	fd = rig_udp_client(&rig);
	ask_r1(fd, "move.example");
	close(rig.udp[0]);
	close(rig.tcp[0]);
	{ /* r1 gets another address: the old one is no backend any more */
		union addr addr;
		socklen_t len = sizeof(addr);

		rig.udp[0] = socket(AF_INET, SOCK_DGRAM, 0);
		memset(&addr, 0, sizeof(addr));
		addr.v4.sin_family = AF_INET;
		addr.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		(void)bind(rig.udp[0], &addr.sa, sizeof(addr.v4));
		(void)getsockname(rig.udp[0], &addr.sa, &len);
		rig.tcp[0] = -1;
	}
	rig_change(&rig,
		"retry: {hedge: false, timeout: 1500ms, deadline: 2s}\n",
		"policy: firstAvailable,");
	ok(take_udp(rig.udp[1], &second, 500) ||
			take_udp(rig.udp[0], &second, 500),
		"a question whose backend was removed goes to another at "
		"once");
	(void)ask;
	close(fd);
	rig_stop(&rig);
}

int main(void)
{
	test_lies();
	test_malformed();
	test_other_port();
	test_entropy();
	test_runs();
	test_together();
	test_retry_servfail();
	test_retry_timeout();
	test_hedging();
	test_refused();
	test_restart();
	test_budget();
	test_change();
	return tap_done();
}
