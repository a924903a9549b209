/* SPDX-License-Identifier: ISC */
/*
 * Scenarios 33 to 39: how long answers live. One start for all that
 * wait for the same seconds to pass; what is asked when is told by the times
 * that were measured, so a slow machine makes it slow, not wrong.
 */

#include "tests/frontend/scene.h"

#include "common/base/buf.h"
#include "common/dns/code.h"
#include "common/dns/msg.h"
#include "tests/tap/tap.h"

#include <unistd.h>

#define RULES                                                                  \
	"retry: {hedge: false, timeout: 100ms, deadline: 300ms}\n"             \
	"cache: {prefetch: false, failure_ttl: 2s, max_negative_ttl: 2s, "     \
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
	static const struct reply a3 = {.answers = 1, .ttl_s = 3},
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
	prime("decay.test", &a3);
	ok(ttl() == 3, "33: the TTL as it came");
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

static void test_ages(void)
{
	bool young[countof(soon_gone)];
	uint32_t served;
	double s;

	prime_all();
	for (unsigned i = 0; i < countof(soon_gone); i++)
		young[i] = !is_miss(soon_gone[i]);
	if (elapsed_s() > 1.9)
		tap_bail("this machine is too slow for TTLs of 2 s");
	wait_until_ms(1150);
	ok(is_miss("nx1.test"), "38: SOA MINIMUM 1: gone after 1 s");
	ok(!is_miss("decay.test"), "33: TTL 3 is still there after 1 s");
	served = ttl();
	s = elapsed_s();
	ok(served <= 2 && served + s >= 2, "33: and has TTL %u", served);
	wait_until_ms(2600); /* each was asked for within the first 600 ms */
	for (unsigned i = 0; i < countof(soon_gone); i++)
		ok(young[i] && is_miss(soon_gone[i]), "%s", about[i]);
	wait_until_ms(3150);
	ok(is_miss("decay.test"), "33: asked for again after 3 s");
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
	test_no_failures();
	return tap_done();
}
