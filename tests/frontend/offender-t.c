/* SPDX-License-Identifier: ISC */
/* Who is noted for what, when, and that nobody else is. */

#include "frontend/offender.h"

#include "common/dns/code.h"
#include "tests/tap/tap.h"

#define S 1000000LL

static const struct offender_rules rules = {.qps = 10,
	.nxdomain_pct = 50,
	.servfail_pct = 20,
	.min_answers = 40,
	.window_us = 10 * S,
	.v4_bits = 32,
	.v6_bits = 64};

static union addr addr_of(const char *text)
{
	union addr a;

	if (addr_parse(text, 0, &a) < 0)
		tap_bail("address %s", text);
	return a;
}

static void query(struct offenders *o, const char *who, int64_t now_us)
{
	union addr a = addr_of(who);

	offenders_query(o, &rules, &a, false, now_us);
}

static void answer(
	struct offenders *o, const char *who, unsigned rcode, int64_t now_us)
{
	union addr a = addr_of(who);

	offenders_answer(o, &rules, &a, false, rcode, now_us);
}

/* Who is noted next, and for what. */
static const char *next(struct offenders *o)
{
	static const char *const words[] = {"rate", "nxdomain", "servfail"};
	static char text[PREFIX_TEXT + 16];
	char prefix[PREFIX_TEXT];
	struct offender out;

	if (!offenders_next(o, &out))
		return "none";
	(void)snprintf(text, sizeof(text), "%s %s",
		prefix_print(&out.source, prefix), words[out.offense]);
	return text;
}

static void test_rate(void)
{
	struct offenders *o = offenders_new(1024);

	for (int i = 0; i < 100; i++)
		query(o, "192.0.2.1", i * S / 20);
	is_string(next(o), "none", "100 in 10 s: 10 a second");
	query(o, "192.0.2.1", 6 * S);
	is_string(next(o), "192.0.2.1/32 rate", "one more is too much");
	query(o, "192.0.2.1", 7 * S);
	is_string(next(o), "none", "noted once in a window");
	for (int i = 0; i < 200; i++)
		query(o, "192.0.2.2", i * S / 9);
	is_string(next(o), "none", "9 a second for 22 s are never too much");
	for (int i = 0; i < 102; i++)
		query(o, "192.0.2.1", 11 * S);
	is_string(next(o), "192.0.2.1/32 rate", "the next window counts anew");
	for (int i = 0; i < 102; i++)
		query(o, i & 1 ? "2001:db8::1" : "2001:db8::ffff:2", 11 * S);
	is_string(next(o), "2001:db8::/64 rate", "IPv6 by its prefix");
	offenders_free(o);
}

static void test_shares(void)
{
	struct offenders *o = offenders_new(1024);

	for (int i = 0; i < 39; i++)
		answer(o, "192.0.2.1", DNS_RCODE_NXDOMAIN, S);
	is_string(next(o), "none", "few answers say nothing");
	answer(o, "192.0.2.1", DNS_RCODE_NXDOMAIN, S);
	is_string(next(o), "192.0.2.1/32 nxdomain", "40 do");
	for (int i = 0; i < 400; i++)
		answer(o, "192.0.2.2", i % 5 < 2 ? DNS_RCODE_NXDOMAIN : 0, S);
	is_string(next(o), "none", "40 %% NXDOMAIN are under 50");
	for (int i = 0; i < 400; i++)
		answer(o, "192.0.2.3", i % 4 ? 0 : DNS_RCODE_SERVFAIL, S);
	is_string(
		next(o), "192.0.2.3/32 servfail", "25 %% SERVFAIL are over 20");
	for (int i = 0; i < 1000; i++)
		answer(o, "192.0.2.4", DNS_RCODE_REFUSED, S);
	is_string(next(o), "none", "other codes do not count");
	offenders_free(o);
}

static void test_bounds(void)
{
	struct offenders *o = offenders_new(64);
	char text[32];
	int noted = 0;

	for (int i = 0; i < 60; i++)
		query(o, "198.51.100.1", S);
	for (int i = 0; i < 50000; i++) {
		(void)snprintf(text, sizeof(text), "10.%d.%d.%d", i >> 16,
			i >> 8 & 255, i & 255);
		query(o, text, S);
	}
	for (int i = 0; i < 60; i++)
		query(o, "198.51.100.1", S);
	is_string(next(o), "198.51.100.1/32 rate",
		"50000 sources through 64 places do not hide one that asks "
		"much");
	offenders_free(o);
	o = offenders_new(4096);
	for (int i = 0; i < 200; i++) {
		(void)snprintf(text, sizeof(text), "10.0.0.%d", i);
		for (int k = 0; k < 101; k++)
			query(o, text, S);
	}
	while (strcmp(next(o), "none") != 0)
		noted++;
	is_int(noted, OFFENDERS_QUEUE, "the queue is bounded");
	is_int((long long)offenders_lost(o), 200 - OFFENDERS_QUEUE,
		"what did not fit is counted");
	offenders_free(o);
}

int main(void)
{
	test_rate();
	test_shares();
	test_bounds();
	return tap_done();
}
