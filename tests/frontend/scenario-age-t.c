/* SPDX-License-Identifier: ISC */
/*
 * Scenarios 33 to 39: how long answers live, and prefetch. One start for all
 * that wait for the same seconds to pass; what is asked when is told by the
 * times that were measured, so a slow machine makes it slow, not wrong.
 */

#include "tests/frontend/scene.h"

#include "common/base/buf.h"
#include "common/dns/code.h"
#include "common/dns/msg.h"
#include "tests/tap/tap.h"

#include <unistd.h>

#define RULES                                                                  \
	"retry: {hedge: false, timeout: 100ms, deadline: 300ms}\n"             \
	"cache: {failure_ttl: 2s, max_negative_ttl: 2s, "                      \
	"stale: 0s%s}\n"
static struct scene sc;
static struct mtime start;

static void rules(const char *more)
{
	char extra[512];
	struct err err;

	(void)snprintf(extra, sizeof(extra), RULES, more);
	if (!scene_reload(&sc, extra, "policy: firstAvailable", &err))
		tap_bail("%s", err.text);
}

static void set_both(const struct script *script)
{
	stub_set(&sc.stubs[0], script);
	stub_set(&sc.stubs[1], script);
}

static bool is_later(void *arg)
{
	const struct mtime *t = arg;

	return !mtime_before(mtime_now(), *t);
}

/* The passing of time is what is tested here. */
static void wait_until_ms(int64_t ms)
{
	struct mtime t = mtime_add_ms(start, ms);

	if (!tap_wait(is_later, &t, 30000))
		tap_bail("time stands still");
}

static double elapsed_s(void)
{
	return (double)mtime_sub_us(mtime_now(), start) / 1e6;
}

/* Asked once: does a backend see it? */
static bool is_miss_of(const struct ask *ask)
{
	(void)stub_asked(&sc.stubs[0]);
	(void)stub_asked(&sc.stubs[1]);
	if (!scene_ask(&sc, ask))
		return true;
	return stub_asked(&sc.stubs[0]) + stub_asked(&sc.stubs[1]) > 0;
}

static bool is_miss(const char *name)
{
	return is_miss_of(&(struct ask){.name = name, .payload = 1232});
}

static uint32_t ttl(void)
{
	return first_ttl(&sc.answer);
}

/* Ask for `name` while the backends answer so. */
static void prime(const char *name, const struct reply *reply)
{
	struct script script = *stub_answering();

	script.reply = *reply;
	script.reply.flags |= MSG_RA;
	set_both(&script);
	if (!is_miss(name))
		tap_bail("%s is known already", name);
	set_both(stub_answering());
}

static const struct reply servfail = {.rcode = DNS_RCODE_SERVFAIL};
static const struct reply refused = {.rcode = DNS_RCODE_REFUSED};

static void prime_all(void)
{
	static const struct reply a10 = {.answers = 1, .ttl_s = 10},
				  a2_soa = {.answers = 1,
					  .ttl_s = 2,
					  .soa = true,
					  .minimum_s = 3600},
				  hour = {.answers = 1, .ttl_s = 3600},
				  nx = {.rcode = DNS_RCODE_NXDOMAIN,
					  .soa = true,
					  .minimum_s = 3600},
				  nx1 = {.rcode = DNS_RCODE_NXDOMAIN,
					  .soa = true,
					  .minimum_s = 1},
				  nodata = {.soa = true, .minimum_s = 3600};

	start = mtime_now();
	prime("decay.test", &a10);
	is_int(ttl(), 10, "33: TTL 10, asked at 0 s: 10");
	prime("ripe.test", &a10);
	for (int i = 0; i < 3; i++)
		(void)is_miss("ripe.test");
	(void)is_miss_of(&(struct ask){
		.name = "dnssec.test", .payload = 1232, .dnssec_ok = true});
	prime("sections.test", &a2_soa);
	prime("nx.test", &nx);
	prime("nx1.test", &nx1);
	prime("nodata.test", &nodata);
	prime("servfail.test", &servfail);
	prime("refused.test", &refused);
	rules(", max_ttl: 2s");
	prime("max.test", &hour);
	ok(ttl() == 3600, "35: max_ttl leaves the TTL given out alone");
	rules(", max_ttl: 2s, cap_served_ttl: true");
	prime("capped.test", &hour);
	ok(ttl() <= 2, "35: with cap_served_ttl it is 2 at most");
	rules("");
}

static const char *const soon_gone[] = {"sections.test", "nx.test",
	"nodata.test", "servfail.test", "refused.test", "max.test",
	"capped.test"};
static const char *const about[] = {
	"34: TTL 2 in one section, 3600 in another: lives 2 s",
	"38: NXDOMAIN, SOA 3600, max_negative_ttl 2: lives 2 s",
	"38: NODATA the same",
	"39: SERVFAIL with failure_ttl 2: lives 2 s",
	"39: REFUSED the same",
	"35: max_ttl 2, TTL 3600: lives 2 s",
	"35: with cap_served_ttl the same",
};

static void test_decay(int64_t ms)
{
	bool missed;
	double s;

	wait_until_ms(ms);
	missed = is_miss("decay.test");
	s = elapsed_s();
	ok(!missed && ttl() + s >= 9 && ttl() + ms / 1000 <= 11,
		"33: at %lld s: %u", (long long)ms / 1000, ttl());
}

static bool is_young(void *arg)
{
	(void)arg;
	return !is_miss("ripe.test") && ttl() > 5;
}

/* Extended rcode, version and flags, where other records have a TTL. */
static void test_opt(void)
{
	static const uint8_t opt[] = {
		0, 0, 41, 1232 >> 8, 1232 & 255, 0, 0, 0x80, 0};

	ok(!is_miss_of(&(struct ask){.name = "dnssec.test",
		   .payload = 1232,
		   .dnssec_ok = true}) &&
			ttl() < 60 &&
			memmem(sc.answer.data, sc.answer.len, opt, sizeof(opt)),
		"34: aged from the cache: the \"TTL\" of the OPT is untouched");
}

static void test_ages(void)
{
	bool young[countof(soon_gone)];

	prime_all();
	for (unsigned i = 0; i < countof(soon_gone); i++)
		young[i] = !is_miss(soon_gone[i]);
	if (elapsed_s() > 1.9)
		tap_bail("this machine is too slow for TTLs of 2 s");
	wait_until_ms(1150);
	ok(is_miss("nx1.test"), "38: SOA MINIMUM 1: gone after 1 s");
	test_opt();
	wait_until_ms(2600); /* each was asked for within the first 600 ms */
	for (unsigned i = 0; i < countof(soon_gone); i++)
		ok(young[i] && is_miss(soon_gone[i]), "%s", about[i]);
	test_decay(3000);
	test_decay(6000);
}

/* Popular, and in the last tenth of its life. */
static void test_prefetch(void)
{
	const struct ask ask = {.name = "ripe.test", .payload = 1232};

	wait_until_ms(9200);
	(void)stub_asked(&sc.stubs[0]);
	ok(scene_ask(&sc, &ask) && ttl() <= 1,
		"33: popular, and nearly over: from the cache");
	ok(stub_wait(&sc.stubs[0], 1), "33: and asked for again meanwhile");
	ok(scene_wait_stat(&sc, "cache_prefetches_total", 1) &&
			tap_wait(is_young, NULL, SCENE_SOON),
		"33: the next one gets the new answer");
	wait_until_ms(11000);
	ok(is_miss("decay.test"), "33: at 11 s: asked for again");
}

static void test_never(void)
{
	static const struct reply zero = {.answers = 1},
				  five = {.answers = 1, .ttl_s = 5},
				  bare = {.rcode = DNS_RCODE_NXDOMAIN};
	long long before;

	prime("zero.test", &zero);
	ok(is_miss("zero.test"), "37: TTL 0 is not used again");
	prime("bare.test", &bare);
	ok(is_miss("bare.test"), "38: NXDOMAIN without SOA is not kept");
	before = scene_stat(&sc, "cache.too_short");
	rules(", min_ttl: 60s");
	prime("short.test", &five);
	ok(is_miss("short.test"), "36: min_ttl 60, TTL 5: not kept");
	is_int(scene_stat(&sc, "cache.too_short"), before + 1,
		"36: which is counted");
}

static void test_no_failures(void)
{
	struct err err;

	if (!scene_reload(&sc, "cache: {failure_ttl: 0s}\n",
		    "policy: firstAvailable", &err))
		tap_bail("%s", err.text);
	prime("nofail.test", &servfail);
	ok(is_miss("nofail.test"), "39: failure_ttl 0: SERVFAIL is not kept");
	prime("norefuse.test", &refused);
	ok(is_miss("norefuse.test"), "39: nor is REFUSED");
	scene_stop(&sc, "39");
}

int main(void)
{
	char extra[512];

	(void)snprintf(extra, sizeof(extra), RULES, "");
	scene_start(&sc, extra, "policy: firstAvailable", NULL);
	test_ages();
	test_never();
	test_prefetch();
	test_no_failures();
	return tap_done();
}
