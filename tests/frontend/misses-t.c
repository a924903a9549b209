/* SPDX-License-Identifier: ISC */
/* A flood of random names meets the limit on misses; others do not. */

#include "tests/frontend/rig.h"

#include "common/dns/code.h"
#include "tests/tap/tap.h"

#include <unistd.h>

#define OPEN  "acl: {allow: [127.0.0.0/8]}\n"
#define FIRST "policy: firstAvailable,"
#define FLOOD 300

static struct rig rig;
static struct packet answer, question;
static const struct reply good = {.flags = MSG_RA, .answers = 1, .ttl_s = 60};

static unsigned rcode(void)
{
	return msg_rcode(answer.data);
}

/* `count` names below `suffix` that nobody asked before, the backend silent
 * on them; how many reached it. */
static int flood(int fd, const char *suffix, int count)
{
	static unsigned serial;
	uint64_t before = rig_stat(&rig, STAT_UDP_QUERIES);
	int reached = 0;

	for (int i = 0; i < count; i++) {
		char name[80];
		struct ask ask = {.name = name};

		(void)snprintf(name, sizeof(name), "r%u.%s", serial++, suffix);
		ask_udp(fd, &ask);
		if (i % 20 == 19) /* the socket's buffer is finite */
			while (take_udp(rig.udp[0], &question, 5))
				reached++;
	}
	(void)rig_wait_stat(&rig, STAT_UDP_QUERIES, before + (unsigned)count);
	while (take_udp(rig.udp[0], &question, RIG_NEVER))
		reached++;
	return reached;
}

/* How many of `count` questions for this name are answered from the cache? */
static int cached(int fd, const char *name, int count)
{
	struct ask ask = {.name = name};
	int n = 0;

	for (int i = 0; i < count; i++) {
		ask_udp(fd, &ask);
		n += take_udp(fd, &answer, RIG_SOON) && rcode() == 0;
	}
	return n;
}

static bool fetch(int fd, const char *name)
{
	struct ask ask = {.name = name};

	return round_trip(&rig, fd, &ask, 0, &good, &answer) && rcode() == 0;
}

static void test_suffix(void)
{
	int fd, n;

	rig_start(&rig,
		OPEN "retry: {hedge: false, timeout: 20s, deadline: 20s}\n"
		     "limit: {misses: {per_suffix: {qps: 1, burst: 30}}}\n",
		FIRST);
	fd = rig_udp_client(&rig);
	ok(fetch(fd, "www.victim.test") && fetch(fd, "www.other.test"),
		"two names are known");
	n = flood(fd, "victim.test", FLOOD);
	ok(n >= 28 && n <= 33, "%d random names below one: %d reach a backend",
		FLOOD, n);
	ok(rig_stat(&rig, STAT_DROP_MISS_SUFFIX) >= FLOOD - 33,
		"the rest is dropped and counted");
	is_int(cached(fd, "www.victim.test", 50), 50,
		"cached names below it are answered as ever");
	is_int(cached(fd, "www.other.test", 50), 50, "so are others");
	ok(fetch(fd, "new.other.test"), "new names elsewhere too");
	rig_change(&rig,
		OPEN "retry: {hedge: false, timeout: 20s, deadline: 20s}\n"
		     "limit: {misses: {per_suffix: {qps: 1, burst: 30},\n"
		     "  action: refuse}}\n",
		FIRST);
	ask_udp(fd, &(struct ask){.name = "x.victim.test", .payload = 1232});
	ok(take_udp(fd, &answer, RIG_SOON) && rcode() == DNS_RCODE_REFUSED &&
			ede_of(&answer) == DNS_EDE_PROHIBITED,
		"action refuse: REFUSED, after a reload too");
	ok(rig_wait_stat(&rig, STAT_REFUSED_MISS_SUFFIX, 1), "counted");
	close(fd);
	rig_stop(&rig);
}

static void test_client(void)
{
	int fd, tcp, n;

	rig_start(&rig,
		OPEN "retry: {hedge: false, timeout: 20s, deadline: 20s}\n"
		     "limit: {misses: {per_client: {qps: 1, burst: 20},\n"
		     "  action: tc}}\n",
		FIRST);
	fd = rig_udp_client(&rig);
	tcp = rig_tcp_client(&rig);
	ok(fetch(fd, "www.known.test"), "a name is known");
	n = flood(fd, "many.test", 100);
	ok(n >= 18 && n <= 23, "burst 20 of 100: %d reach a backend", n);
	ok(take_udp(fd, &answer, RIG_SOON) && (msg_flags(answer.data) & MSG_TC),
		"action tc: TC for the others");
	while (take_udp(fd, &answer, 20))
		;
	ask_tcp(tcp, &(struct ask){.name = "tcp.test"});
	ok(take_udp(rig.udp[0], &question, RIG_SOON),
		"over TCP the same client has a budget of its own");
	reply_udp(rig.udp[0], &question, &good);
	ok(take_tcp(tcp, &answer, RIG_SOON) && rcode() == 0, "and an answer");
	is_int(cached(fd, "www.known.test", 50), 50,
		"what is cached costs nothing");
	close(tcp);
	close(fd);
	rig_stop(&rig);
}

static void test_waiting(void)
{
	struct ask ask = {.name = "herd.test"};
	int fd, n = 0;

	rig_start(&rig,
		OPEN "limit: {misses: {per_client: {qps: 1, burst: 1}}}\n",
		FIRST);
	fd = rig_udp_client(&rig);
	for (int i = 0; i < 10; i++)
		ask_udp(fd, &ask);
	ok(take_udp(rig.udp[0], &question, RIG_SOON), "one question in flight");
	ok(rig_wait_stat(&rig, STAT_COALESCED, 9),
		"those that join it cost no token");
	reply_udp(rig.udp[0], &question, &good);
	while (n < 10 && take_udp(fd, &answer, RIG_SOON))
		n++;
	is_int(n, 10, "all are answered");
	close(fd);
	rig_stop(&rig);
}

static void test_stale(void)
{
	struct ask ask = {.name = "old.test", .payload = 1232};
	struct reply brief = good;
	int fd;

	rig_start(&rig,
		OPEN "cache: {stale: 60s}\n"
		     "limit: {misses: {per_client: {qps: 1, burst: 2}}}\n",
		FIRST);
	fd = rig_udp_client(&rig);
	brief.ttl_s = 1;
	(void)round_trip(&rig, fd, &ask, 0, &brief, &answer);
	(void)usleep(1200000); /* it expires */
	(void)flood(fd, "many.test", 10);
	ask_udp(fd, &ask);
	ok(take_udp(fd, &answer, RIG_SOON) && rcode() == 0 &&
			first_ttl(&answer) == 30 &&
			ede_of(&answer) == DNS_EDE_STALE_ANSWER,
		"over the limit an expired answer is given, as stale");
	close(fd);
	rig_stop(&rig);
}

static void test_exempt(void)
{
	int fd;

	rig_start(&rig,
		OPEN "retry: {hedge: false, timeout: 20s, deadline: 20s}\n"
		     "limit: {qps: 1, burst: 1, exempt: [127.0.0.0/8],\n"
		     "  misses: {per_client: {qps: 1, burst: 1},\n"
		     "    per_suffix: {qps: 1, burst: 1}}}\n",
		FIRST);
	fd = rig_udp_client(&rig);
	is_int(flood(fd, "many.test", 100), 100,
		"an exempt source has no limit of any kind");
	close(fd);
	rig_change(&rig,
		OPEN "limit: {qps: 1, burst: 1, exempt: [192.0.2.0/24]}\n",
		FIRST);
	fd = rig_udp_client(&rig);
	ok(flood(fd, "more.test", 50) <= 2, "others do");
	close(fd);
	rig_stop(&rig);
}

static void test_override(void)
{
	int fd;

	rig_start(&rig,
		OPEN "retry: {hedge: false, timeout: 20s, deadline: 20s}\n"
		     "limit: {misses: {per_client: {qps: 1, burst: 1}},\n"
		     "  overrides: [{prefix: 127.0.0.1, qps: 0,\n"
		     "    misses: {qps: 1, burst: 40}}]}\n",
		FIRST);
	fd = rig_udp_client(&rig);
	ok(flood(fd, "many.test", 100) >= 38,
		"an override has a limit on misses of its own");
	close(fd);
	rig_change(&rig,
		OPEN "limit: {overrides: [\n"
		     "  {prefix: 127.0.0.1, qps: 0, misses: {qps: 1}}]}\n",
		FIRST);
	fd = rig_udp_client(&rig);
	ok(flood(fd, "more.test", 50) <= 2, "also where others have none");
	close(fd);
	rig_change(&rig,
		OPEN "limit: {misses: {per_client: {qps: 1, burst: 1}},\n"
		     "  overrides: [{prefix: 127.0.0.1, qps: 0}]}\n",
		FIRST);
	fd = rig_udp_client(&rig);
	ok(flood(fd, "most.test", 50) <= 2, "without one: that of all");
	close(fd);
	rig_stop(&rig);
}

int main(void)
{
	test_override();
	test_suffix();
	test_client();
	test_waiting();
	test_stale();
	test_exempt();
	return tap_done();
}
