/* SPDX-License-Identifier: ISC */
/* Token buckets: burst, rate, who shares one, who is forgotten first. */

#include "frontend/limit.h"
#include "tests/tap/tap.h"

static union addr addr_of(const char *text)
{
	union addr a;

	if (addr_parse(text, 0, &a) < 0)
		tap_bail("address %s", text);
	return a;
}

static bool take_at(struct limiter *l, const char *who,
	const struct limit_rule *rule, int64_t us)
{
	union addr a = addr_of(who);

	return limit_take(l, LIMIT_QUERIES, &a, 32, 64, rule, us);
}

/* `count` queries, one each `step_us`; how many pass. */
static int run(struct limiter *l, const char *who,
	const struct limit_rule *rule, int64_t from_us, int64_t step_us,
	int count)
{
	int passed = 0;

	for (int i = 0; i < count; i++)
		passed += take_at(l, who, rule, from_us + i * step_us);
	return passed;
}

static void test_rates(void)
{
	const struct limit_rule r50 = {.qps = 50, .burst = 50};
	const struct limit_rule small = {.qps = 50, .burst = 5};
	const struct limit_rule none = {.qps = 0, .burst = 1};
	struct limiter *l = limiter_new(1024);
	int n;

	is_int(run(l, "192.0.2.1", &r50, 1000000, 0, 200), 50,
		"a burst of 200 against 50: 50 pass");
	n = run(l, "192.0.2.2", &r50, 1000000, 5000, 800);
	ok(n >= 245 && n <= 255, "200/s for 4 s: 250 +-5 pass, got %d", n);
	is_int(run(l, "192.0.2.3", &r50, 1000000, 22223, 180), 180,
		"45/s for 4 s: all pass");
	is_int(run(l, "192.0.2.4", &small, 1000000, 0, 50), 5,
		"the burst is its own number");
	is_int(run(l, "192.0.2.5", &none, 1000000, 0, 500), 500,
		"qps 0: no limit");
	is_int(run(l, "192.0.2.1", &r50, 3000000, 0, 200), 50,
		"after a second and more the bucket is full again, not fuller");
	limiter_free(l);
}

static void test_sharing(void)
{
	const struct limit_rule r = {.qps = 10, .burst = 10};
	struct limiter *l = limiter_new(1024);
	union addr a = addr_of("192.0.2.1");

	(void)run(l, "192.0.2.1", &r, 1000000, 0, 20);
	ok(!take_at(l, "192.0.2.1", &r, 1000000), "an address over its limit");
	ok(take_at(l, "192.0.2.2", &r, 1000000), "does not hit another /32");
	ok(limit_take(l, LIMIT_REFUSALS, &a, 32, 64, &r, 1000000),
		"refusals are counted apart");
	(void)run(l, "2001:db8::1", &r, 1000000, 0, 20);
	ok(!take_at(l, "2001:db8::ffff:1", &r, 1000000),
		"IPv6 is counted by /64");
	ok(take_at(l, "2001:db8:0:1::1", &r, 1000000), "another /64 is not");
	ok(limit_take(l, LIMIT_QUERIES, &a, 24, 64, &r, 1000000),
		"192.0.2.0/24 as one is another bucket");
	limiter_free(l);
}

static void test_flood(void)
{
	const struct limit_rule r = {.qps = 10, .burst = 10};
	struct limiter *l = limiter_new(64);
	char text[32];

	(void)run(l, "198.51.100.1", &r, 1000000, 0, 20);
	for (int i = 0; i < 60000; i++) {
		(void)snprintf(text, sizeof(text), "10.%d.%d.%d", i >> 16,
			i >> 8 & 255, i & 255);
		(void)take_at(l, text, &r, 1000000);
	}
	ok(!take_at(l, "198.51.100.1", &r, 1000000),
		"60000 spoofed sources through 64 buckets do not free one "
		"that is over its limit");
	is_int((long long)limiter_size(l), 64, "the table did not grow");
	ok(limiter_used(l, 1000000) <= 64, "nor does it claim more");
	limiter_free(l);
}

int main(void)
{
	test_rates();
	test_sharing();
	test_flood();
	return tap_done();
}
