/* SPDX-License-Identifier: ISC */
/* How each rule chooses among backends that are fit, worth a try, or out. */

#include "frontend/pool.h"
#include "frontend/registry.h"
#include "tests/tap/tap.h"

#define MAX 64

static struct registry registry;
static struct pool_member members[MAX];
static struct rng rng;
static uint32_t turn;

static struct pool make_pool(enum pool_policy policy, unsigned count)
{
	struct pool pool = {.name = "p", .policy = policy, .members = members};

	registry_fini(&registry);
	registry_init(&registry);
	memset(members, 0, sizeof(members));
	for (unsigned i = 0; i < count; i++) {
		char name[16], addr[32];
		union addr a;

		(void)snprintf(name, sizeof(name), "s%u", i);
		(void)snprintf(addr, sizeof(addr), "192.0.2.%u:53", i + 1);
		if (addr_parse(addr, 53, &a) < 0)
			tap_bail("address");
		members[i].server = registry_take(&registry, "p", name, &a);
		members[i].server->fitness = SERVER_FIT;
		members[i].weight = members[i].order = 1;
	}
	pool.count = count;
	return pool;
}

static int choose(const struct pool *pool, uint32_t hash)
{
	struct pool_choice c = {.rng = &rng, .turn = &turn, .name_hash = hash};

	return pool_choose(pool, &c);
}

static int choose_untried(const struct pool *pool, unsigned count)
{
	struct pool_choice c = {.rng = &rng, .turn = &turn};

	for (unsigned i = 0; i < count; i++)
		c.tried[c.tried_count++] = members[i].server->id;
	return pool_choose(pool, &c);
}

static void test_least(void)
{
	struct pool pool = make_pool(POOL_LEAST_OUTSTANDING, 3);

	members[0].server->outstanding = 10;
	members[2].server->outstanding = 10;
	is_int(choose(&pool, 0), 1, "fewest outstanding");
	members[1].server->outstanding = 10;
	members[1].order = 2;
	members[2].server->latency_us = 100;
	members[0].server->latency_us = 200;
	is_int(choose(&pool, 0), 2, "then order, then latency");
	members[0].order = 0;
	is_int(choose(&pool, 0), 0, "order before latency");
	members[0].server->fitness = SERVER_OUT;
	is_int(choose(&pool, 0), 2, "not one that is out");
	members[2].server->fitness = SERVER_TRY;
	is_int(choose(&pool, 0), 1, "fit before worth a try");
	members[1].server->fitness = SERVER_OUT;
	is_int(choose(&pool, 0), 2, "worth a try before none");
	members[2].server->fitness = SERVER_OUT;
	is_int(choose(&pool, 0), -1, "none");
	ok(!pool_is_usable(&pool), "the pool is not usable then");
}

static void test_first(void)
{
	struct pool pool = make_pool(POOL_FIRST_AVAILABLE, 3);

	members[0].order = 3;
	members[1].order = 1;
	members[1].server->outstanding = 1000;
	is_int(choose(&pool, 0), 1, "lowest order, whatever its load");
	members[1].server->fitness = SERVER_OUT;
	is_int(choose(&pool, 0), 2, "else the next");
}

/* The first takes 2 a second, then the second 1, then both are over. */
static void test_first_qps(void)
{
	struct pool pool = make_pool(POOL_FIRST_AVAILABLE, 3);
	struct pool_choice c = {.rng = &rng, .turn = &turn, .now_us = 5000000};
	int got[6];

	members[0].limit = (struct limit_rule){.qps = 2, .burst = 2};
	members[1].limit = (struct limit_rule){.qps = 1, .burst = 1};
	members[1].order = 2;
	members[1].server->outstanding = 1;
	members[2].server->fitness = SERVER_TRY;
	for (unsigned i = 0; i < countof(got); i++) {
		got[i] = pool_choose(&pool, &c);
		pool_spend(&members[got[i]], c.now_us);
	}
	ok(got[0] == 0 && got[1] == 0, "the lowest order, up to its qps");
	is_int(got[2], 1, "then the next");
	ok(got[3] == 0 && got[4] == 0 && got[5] == 0,
		"all are over: the fewest outstanding, not one worth a try");
	ok(members[0].server->over_qps == 3 && members[1].server->over_qps == 0,
		"which is counted");
	c.now_us += 499999;
	is_int(pool_choose(&pool, &c), 0, "no token yet: still over");
	members[0].server->outstanding = 2;
	is_int(pool_choose(&pool, &c), 1, "so whoever owes fewest");
	c.now_us += 1;
	is_int(pool_choose(&pool, &c), 0, "half a second: a token of two");
	pool_spend(&members[0], c.now_us);
	is_int(pool_choose(&pool, &c), 1, "and no more: there was no debt");
	c.tried[c.tried_count++] = members[0].server->id;
	c.now_us += 500000;
	is_int(pool_choose(&pool, &c), 1, "one that was tried is not asked");
	pool.policy = POOL_LEAST_OUTSTANDING;
	c.tried_count = 0;
	members[0].server->outstanding = 0;
	is_int(pool_choose(&pool, &c), 0, "another policy does not look at it");
}

static void test_round(void)
{
	struct pool pool = make_pool(POOL_ROUND_ROBIN, 2);
	int n[2] = {0};

	for (int i = 0; i < 100; i++)
		n[choose(&pool, 0)]++;
	is_int(n[0], 50, "in turn");
	members[0].server->fitness = SERVER_OUT;
	n[1] = 0;
	for (int i = 0; i < 10; i++)
		n[1] += choose(&pool, 0) == 1;
	is_int(n[1], 10, "all to the one that is left");
}

static void test_weighted(void)
{
	struct pool pool = make_pool(POOL_WEIGHTED_RANDOM, 2);
	int n[2] = {0};

	members[1].weight = 2;
	for (int i = 0; i < 30000; i++)
		n[choose(&pool, 0)]++;
	ok(n[0] > 9500 && n[0] < 10500, "weights 1:2 within 5%%: %d of 30000",
		n[0]);
}

static void test_hashed(void)
{
	struct arena arena;
	struct pool pool = make_pool(POOL_CONSISTENT_HASH, 10);
	int before[5000], n[10] = {0}, moved = 0, same = 1;

	arena_init(&arena, 0, 0);
	if (pool_build_ring(&pool, &arena) < 0)
		tap_bail("no memory");
	for (int i = 0; i < 5000; i++) {
		before[i] = choose(&pool, (uint32_t)i * 2654435761u);
		same &= before[i] == choose(&pool, (uint32_t)i * 2654435761u);
		n[before[i]]++;
	}
	ok(same, "the same name goes to the same server");
	for (int i = 0; i < 10; i++)
		if (n[i] < 250 || n[i] > 1000)
			same = 0;
	ok(same, "each server gets a fair share");
	members[3].server->fitness = SERVER_OUT;
	for (int i = 0; i < 5000; i++)
		moved += choose(&pool, (uint32_t)i * 2654435761u) != before[i];
	is_int(pool_name_hash((const uint8_t *)"\1a", 3), 1718219388u,
		"a name's hash is the same everywhere");
	is_int(moved, n[3], "one goes out: only its names move");
	arena_fini(&arena);
}

static void test_tried(void)
{
	struct pool pool = make_pool(POOL_ROUND_ROBIN, 3);
	bool good = true;

	for (int i = 0; i < 20; i++)
		good &= choose_untried(&pool, 2) == 2;
	ok(good, "those that were tried are not taken");
	is_int(choose_untried(&pool, 3), -1, "all tried: none");
	{
		struct pool_choice c = {.tried_count = 2,
			.tried = {
				members[0].server->id, members[1].server->id}};

		ok(!pool_is_exhausted(&pool, &c), "one is left");
		ok(!pool_is_condemned(&pool, &c), "those tried are fit");
		members[2].server->fitness = SERVER_OUT;
		ok(pool_is_exhausted(&pool, &c), "that one is out");
		members[0].server->fitness = SERVER_OUT;
		ok(!pool_is_condemned(&pool, &c), "one of them out");
		members[1].server->fitness = SERVER_OUT;
		ok(pool_is_condemned(&pool, &c), "both out: condemned");
		c.tried_count = 0;
		ok(!pool_is_condemned(&pool, &c), "none tried: not");
	}
}

static void test_registry(void)
{
	struct server *a, *b;
	union addr addr;
	uint16_t id, again;

	registry_fini(&registry);
	registry_init(&registry);
	if (addr_parse("192.0.2.1:53", 53, &addr) < 0)
		tap_bail("address");
	a = registry_take(&registry, "p", "s", &addr);
	b = registry_take(&registry, "p", "s", &addr);
	ok(a && a == b, "the same server is found again");
	ok(registry_take(&registry, "q", "s", &addr) != a,
		"another pool's is another");
	registry_give(&registry, a);
	ok(registry.servers[a->id] == a, "it lives while one uses it");
	registry_give(&registry, b);
	ok(!registry.servers[0], "and no longer");
	ok(registry_pool_id(&registry, "x", &id) == 0 &&
			registry_pool_id(&registry, "y", &again) == 0 &&
			id != again &&
			registry_pool_id(&registry, "x", &again) == 0 &&
			id == again,
		"a pool keeps its number");
	registry_fini(&registry);
}

static void test_tiers(void)
{
	static const enum pool_policy policies[] = {POOL_LEAST_OUTSTANDING,
		POOL_ROUND_ROBIN, POOL_WEIGHTED_RANDOM, POOL_CONSISTENT_HASH};

	for (unsigned n = 0; n < countof(policies); n++) {
		struct pool pool = make_pool(policies[n], 4);
		struct arena arena;
		unsigned low = 0, high = 0, seen[4] = {0};

		arena_init(&arena, 0, 0);
		pool.tiers = true;
		members[0].order = members[1].order = 2;
		members[0].weight = 50;
		if (pool_build_ring(&pool, &arena) < 0)
			tap_bail("no memory");
		/* busy or not, the first tier is asked */
		members[2].server->outstanding = 10;
		members[3].server->outstanding = 10;
		for (unsigned i = 0; i < 100; i++) {
			int got = choose(&pool, i * 0x01234567u);

			low += got >= 2;
			if (got >= 0)
				seen[got]++;
		}
		members[3].server->fitness = SERVER_TRY;
		members[2].server->fitness = SERVER_OUT;
		for (unsigned i = 0; i < 100; i++)
			high += choose(&pool, i * 0x01234567u) < 2;
		ok(low == 100 && high == 100, "%s: tiers",
			pool_policy_name(policies[n]));
		if (policies[n] != POOL_LEAST_OUTSTANDING)
			ok(seen[2] > 10 && seen[3] > 10,
				"%s: within the tier by its own rule",
				pool_policy_name(policies[n]));
		arena_fini(&arena);
	}
}

static struct pool_run run;

/* As a worker does; "aab" for members 0, 0, 1. */
static const char *choose_many(const struct pool *pool, unsigned count)
{
	static char text[MAX + 1];

	for (unsigned i = 0; i < count; i++) {
		struct pool_choice c = {
			.rng = &rng, .turn = &turn, .run = &run};
		int k = pool_choose(pool, &c);

		text[i] = (char)(k < 0 ? '-' : 'a' + k);
		if (k >= 0)
			members[k].server->outstanding++;
	}
	text[count] = '\0';
	return text;
}

static void test_run(void)
{
	struct pool pool = make_pool(POOL_LEAST_OUTSTANDING, 5);
	struct pool_choice second = {.tried_count = 1, .run = &run};

	for (unsigned i = 0; i < 5; i++)
		members[i].order = i;
	pool_run_start(&run, 32);
	is_string(choose_many(&pool, 32), "aaaaaaaabbbbbbbbccccccccdddddddd",
		"32 together: 8 to each of four");
	pool_run_start(&run, 8);
	is_string(choose_many(&pool, 8), "eeeeeeee", "the fifth catches up");
	pool_run_start(&run, 8);
	is_string(choose_many(&pool, 8), "aabbccdd", "8 together: 2 to each");
	pool_run_start(&run, 7);
	is_string(choose_many(&pool, 7), "eeabcde", "fewer: one to each");
	pool_run_start(&run, 200);
	is_string(choose_many(&pool, 9), "aaaaaaaab", "never more than 8");
	second.tried[0] = members[1].server->id;
	ok(pool_choose(&pool, &second) != 1, "a retry is not part of a run");
	members[1].server->fitness = SERVER_TRY;
	is_string(choose_many(&pool, 1), "c", "a run ends with its backend");
	pool_run_start(&run, 0);
	is_string(choose_many(&pool, 3), "dec", "and with what came together");
	pool.policy = POOL_FIRST_AVAILABLE;
	pool_run_start(&run, 32);
	is_string(choose_many(&pool, 2), "aa", "firstAvailable has none");
	members[0].server->fitness = SERVER_OUT;
	is_string(choose_many(&pool, 1), "c", "but the first");
	pool.policy = POOL_ROUND_ROBIN;
	turn = 0;
	pool_run_start(&run, 12);
	is_string(choose_many(&pool, 12), "cccdddeeeccc", "roundrobin has");
}

int main(void)
{
	rng_init(&rng);
	test_least();
	test_first();
	test_first_qps();
	test_round();
	test_weighted();
	test_hashed();
	test_tried();
	test_tiers();
	test_registry();
	test_run();
	return tap_done();
}
