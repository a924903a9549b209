/* SPDX-License-Identifier: ISC */
/* Blocks at work: sources and names, each action, UDP and TCP; who is noted
 * as an offender by what it asks and gets. */

#include "tests/frontend/rig.h"

#include "common/dns/code.h"
#include "tests/tap/tap.h"

#include <unistd.h>

#define OPEN  "acl: {allow: [127.0.0.0/8]}\n"
#define FIRST "policy: firstAvailable,"

static struct rig rig;
static struct packet answer, question;
static const struct reply good = {.flags = MSG_RA, .answers = 1, .ttl_s = 60};
static struct block_list *olds[64];
static int old_count;

static unsigned rcode(void)
{
	return msg_rcode(answer.data);
}

/* As the main thread does; old lists live as long as the worker. */
static void publish(void)
{
	if (old_count == 64 ||
		blocks_publish(rig.policy->blocks, &olds[old_count++]) < 0)
		tap_bail("publish");
}

static void stop(void)
{
	rig_stop(&rig);
	while (old_count > 0)
		block_list_free(olds[--old_count]);
}

static struct block set(const char *prefix, const char *name,
	enum block_action action, bool automatic)
{
	struct block b = {.suffix = name != NULL,
		.action = action,
		.automatic = automatic,
		.until_us = INT64_MAX};

	if (prefix ? prefix_parse(prefix, &b.prefix) < 0
		   : name_parse(name, &b.name) < 0)
		tap_bail("target");
	if (blocks_add(rig.policy->blocks, &b) < 0)
		tap_bail("add");
	publish();
	return b;
}

static void unset(struct block b)
{
	if (!blocks_remove(rig.policy->blocks, &b))
		tap_bail("remove");
	publish();
}

static uint64_t hits(void)
{
	struct block b;

	return blocks_get(rig.policy->blocks, 0, &b) ? b.hits : 0;
}

static bool fetch(int fd, const char *name)
{
	struct ask ask = {.name = name};

	(void)round_trip(&rig, fd, &ask, 0, &good, &answer);
	return answer.len > 0 && rcode() == 0;
}

static void test_sources(void)
{
	struct ask ask = {.name = "known.test", .payload = 1232};
	int fd, tcp;
	struct block b;

	rig_start(&rig, OPEN, FIRST);
	fd = rig_udp_client(&rig);
	ok(fetch(fd, "known.test"), "a client is served");
	b = set("127.0.0.0/24", NULL, BLOCK_DROP, false);
	ask_udp(fd, &ask);
	ok(!take_udp(fd, &answer, RIG_NEVER),
		"blocked: nothing, from the cache neither");
	tcp = rig_tcp_client(&rig);
	ok(is_closed(tcp, RIG_SOON), "and no connection");
	close(tcp);
	ok(rig_wait_stat(&rig, STAT_DROP_BLOCK, 2) && hits() == 2,
		"counted, at the block too");
	unset(b);
	ok(fetch(fd, "known.test"), "removed: served again");
	b = set("127.0.0.1", NULL, BLOCK_TC, false);
	ask_udp(fd, &ask);
	ok(take_udp(fd, &answer, RIG_SOON) && (msg_flags(answer.data) & MSG_TC),
		"action tc: TC over UDP");
	tcp = rig_tcp_client(&rig);
	ask_tcp(tcp, &ask);
	ok(take_tcp(tcp, &answer, RIG_SOON) && rcode() == 0 &&
			!(msg_flags(answer.data) & MSG_TC),
		"an answer over TCP");
	unset(b);
	b = set("127.0.0.1", NULL, BLOCK_REFUSE, false);
	ask_udp(fd, &ask);
	ok(take_udp(fd, &answer, RIG_SOON) && rcode() == DNS_RCODE_REFUSED,
		"action refuse: REFUSED");
	for (int i = 0; i < 100; i++)
		ask_udp(fd, &ask);
	for (b.hits = 0; take_udp(fd, &answer, 100);)
		b.hits++;
	ok(b.hits <= 12, "not more than ten a second: %d", (int)b.hits);
	rig_change(&rig, OPEN "limit: {qps: 100000}\n", FIRST);
	ask_tcp(tcp, &ask);
	(void)take_tcp(tcp, &answer, RIG_NEVER);
	ask_udp(fd, &ask);
	ok(!take_udp(fd, &answer, RIG_NEVER) || rcode() == DNS_RCODE_REFUSED,
		"a reload does not lift it");
	unset(b);
	ok(fetch(fd, "known.test"), "removed");
	close(tcp);
	close(fd);
	stop();
}

static void test_names(void)
{
	struct ask ask = {.name = "www.Evil.test", .payload = 1232};
	int fd, tcp;
	struct block b;

	rig_start(&rig, OPEN, FIRST);
	fd = rig_udp_client(&rig);
	tcp = rig_tcp_client(&rig);
	b = set(NULL, "evil.test", BLOCK_REFUSE, false);
	ask_udp(fd, &ask);
	ok(take_udp(fd, &answer, RIG_SOON) && rcode() == DNS_RCODE_REFUSED &&
			ede_of(&answer) == DNS_EDE_BLOCKED,
		"a name below a blocked suffix: REFUSED, EDE 15");
	ask_tcp(tcp, &ask);
	ok(take_tcp(tcp, &answer, RIG_SOON) && rcode() == DNS_RCODE_REFUSED,
		"over TCP too");
	ok(fetch(fd, "notevil.test"), "others are served");
	unset(b);
	b = set(NULL, "evil.test", BLOCK_DROP, false);
	ask_udp(fd, &ask);
	ok(!take_udp(fd, &answer, RIG_NEVER) &&
			!take_udp(rig.udp[0], &question, 0),
		"drop: nothing, and no backend is asked");
	close(tcp);
	close(fd);
	stop();
}

static bool is_noted(enum offense offense)
{
	struct offender o;
	char text[PREFIX_TEXT];

	if (!offenders_next(rig.policy->offenders, &o))
		return false;
	return o.offense == offense &&
	       strcmp(prefix_print(&o.source, text), "127.0.0.1/32") == 0 &&
	       !offenders_next(rig.policy->offenders, &o);
}

static void test_offenders(void)
{
	static const struct reply nx = {.flags = MSG_RA,
		.rcode = DNS_RCODE_NXDOMAIN,
		.soa = true,
		.minimum_s = 60};
	struct ask ask = {.name = "nx.test"};
	struct block b;
	int fd;

	rig_start(&rig,
		OPEN "dynamic_blocks: {nxdomain_percent: 90, min_answers: 10,\n"
		     "  window: 1h}\n",
		FIRST);
	fd = rig_udp_client(&rig);
	for (int i = 0; i < 9; i++)
		(void)round_trip(&rig, fd, &ask, 0, &nx, &answer);
	ok(!is_noted(OFFENSE_NXDOMAIN), "nine NXDOMAIN: not yet");
	(void)round_trip(&rig, fd, &ask, 0, &nx, &answer);
	ok(is_noted(OFFENSE_NXDOMAIN), "ten, from the cache or not: noted");
	rig_change(&rig, OPEN "dynamic_blocks: {qps: 1, window: 20s}\n", FIRST);
	for (int i = 0; i < 30; i++)
		(void)fetch(fd, "rate.test");
	ok(!is_noted(OFFENSE_RATE), "noted once in a window");
	b = set("127.0.0.1", NULL, BLOCK_DROP, true);
	ask_udp(fd, &ask);
	ok(!take_udp(fd, &answer, RIG_NEVER), "an automatic block blocks");
	rig_change(&rig,
		OPEN "limit: {exempt: [127.0.0.0/8]}\n"
		     "dynamic_blocks: {qps: 1, window: 100ms}\n",
		FIRST);
	ok(fetch(fd, "nx2.test"), "but nobody who is exempt");
	for (int i = 0; i < 50; i++)
		(void)fetch(fd, "rate.test");
	ok(!is_noted(OFFENSE_RATE), "who is not watched either");
	rig_change(&rig,
		OPEN "dynamic_blocks: {qps: 1, window: 100ms,\n"
		     "  exempt: [127.0.0.1]}\n",
		FIRST);
	for (int i = 0; i < 50; i++)
		(void)fetch(fd, "rate.test");
	ok(!is_noted(OFFENSE_RATE), "nor who is exempt from these blocks");
	unset(b);
	b = set("127.0.0.1", NULL, BLOCK_DROP, false);
	ask_udp(fd, &ask);
	ok(!take_udp(fd, &answer, RIG_NEVER), "a person's block spares nobody");
	close(fd);
	stop();
	rig_start(&rig, OPEN "dynamic_blocks: {qps: 1, window: 20s}\n", FIRST);
	fd = rig_udp_client(&rig);
	for (int i = 0; i < 20; i++)
		(void)fetch(fd, "rate.test");
	ok(!is_noted(OFFENSE_RATE), "20 in 20 s: one a second");
	(void)fetch(fd, "rate.test");
	ok(is_noted(OFFENSE_RATE), "more is too much");
	close(fd);
	stop();
}

/* Over UDP, with these options: 0 answered, 1 not, else the rcode or TC. */
static int ask_with(int fd, const char *options)
{
	struct ask ask = {
		.name = "known.test", .payload = 1232, .options = options};
	const uint8_t *rdata;

	ask_udp(fd, &ask);
	if (!take_udp(fd, &answer, RIG_NEVER))
		return 1;
	if (msg_flags(answer.data) & MSG_TC)
		return MSG_TC;
	return opt_of(&answer, &rdata) < 0 ? (int)rcode()
					   : rdata[-6] << 4 | (int)rcode();
}

#define FRESH "000a 0008 2464c4abcf10c957"

/* What others may have sent in its name hits nobody who can show that it is
 * who it says. */
static void test_proven(void)
{
	struct ask ask = {.name = "known.test"};
	struct block b;
	char cookie[64];
	int fd, tcp;

	rig_start(&rig, OPEN, FIRST);
	fd = rig_udp_client(&rig);
	(void)fetch(fd, "known.test");
	(void)ask_with(fd, FRESH);
	(void)cookie_text(&answer, cookie);
	b = set("127.0.0.1", NULL, BLOCK_DROP, true);
	ok(ask_with(fd, cookie) == 1, "its own doing: a cookie does not help");
	unset(b);
	b.forgeable = true;
	if (blocks_add(rig.policy->blocks, &b) < 0)
		tap_bail("add");
	publish();
	ok(ask_with(fd, NULL) == 1 && ask_with(fd, FRESH) == 1,
		"perhaps forged: who proves nothing is blocked");
	ok(ask_with(fd, cookie) == 0, "with a good cookie: answered");
	is_int((long long)hits(), 2, "and no hit");
	tcp = rig_tcp_client(&rig);
	ask_tcp(tcp, &ask);
	ok(take_tcp(tcp, &answer, RIG_SOON) && rcode() == 0,
		"by TCP: answered");
	close(tcp);
	is_int((long long)rig_stat(&rig, STAT_COOKIE_GOOD), 1,
		"a cookie is looked at once, and only when it decides");
	unset(b);
	b = set("127.0.0.1", NULL, BLOCK_TC, false);
	is_int(ask_with(fd, NULL), MSG_TC, "action tc: TC");
	is_int(ask_with(fd, FRESH), DNS_RCODE_BADCOOKIE,
		"to one that knows cookies: BADCOOKIE");
	is_int(ask_with(fd, cookie), 0, "with a good cookie: answered");
	unset(b);
	b = set(NULL, "test", BLOCK_TC, false);
	ok(ask_with(fd, NULL) == MSG_TC && ask_with(fd, cookie) == 0,
		"the same for a name");
	close(fd);
	stop();
}

static void ask_often(int fd, const char *options, int count)
{
	while (count-- > 0)
		(void)ask_with(fd, options);
}

/* Queries of one who is known count apart from those in its name. */
static void test_counted_apart(void)
{
	struct offender o;
	char cookie[64];
	int fd;

	rig_start(&rig, OPEN "dynamic_blocks: {qps: 1, window: 20s}\n", FIRST);
	fd = rig_udp_client(&rig);
	(void)fetch(fd, "known.test");
	(void)ask_with(fd, FRESH);
	(void)cookie_text(&answer, cookie);
	ask_often(fd, cookie, 18);
	ask_often(fd, NULL, 18);
	ok(!offenders_next(rig.policy->offenders, &o), "20 of each: nobody");
	ask_often(fd, NULL, 1);
	ok(offenders_next(rig.policy->offenders, &o) && !o.proven,
		"21 that may be forged");
	ask_often(fd, cookie, 3);
	ok(offenders_next(rig.policy->offenders, &o) && o.proven,
		"21 that are its own");
	close(fd);
	stop();
}

int main(void)
{
	test_sources();
	test_names();
	test_offenders();
	test_proven();
	test_counted_apart();
	return tap_done();
}
