/* SPDX-License-Identifier: ISC */
/* The limit on misses: where names are cut, whose bucket is whose. */

#include "frontend/miss.h"

#include "tests/tap/tap.h"

static struct name name_of(const char *text)
{
	struct name name;

	if (name_parse(text, &name) < 0)
		tap_bail("name %s", text);
	return name;
}

static union addr addr_of(const char *text)
{
	union addr a;

	if (addr_parse(text, 0, &a) < 0)
		tap_bail("address %s", text);
	return a;
}

static struct suffix_map *map_of(
	struct arena *arena, const char *const *names, size_t count)
{
	struct suffix_map *map = suffix_map_new(arena, count);

	for (size_t i = 0; i < count; i++) {
		struct name name = name_of(names[i]);

		if (!map || suffix_map_add(map, &name, (uint32_t)i) < 0)
			tap_bail("map");
	}
	return map;
}

static void test_cut(void)
{
	static const char *const routed[] = {"zone.lab.", "x.co.uk.", "."};
	static const char *const registries[] = {"co.uk.", "deep.reg.test."};
	static const struct {
		const char *name, *want;
	} cases[] = {
		{"a.b.example.com.", "example.com."},
		{"example.com.", "example.com."},
		{"com.", "com."},
		{".", "."},
		{"r1.www.zone.lab.", "zone.lab."},
		{"zone.lab.", "zone.lab."},
		{"r1.bbc.co.uk.", "bbc.co.uk."},
		{"bbc.co.uk.", "bbc.co.uk."},
		{"co.uk.", "co.uk."},
		{"r.x.co.uk.", "x.co.uk."},
		{"r.s.t.deep.reg.test.", "t.deep.reg.test."},
		{"4.3.2.10.in-addr.arpa.", "2.10.in-addr.arpa."},
		{"10.in-addr.arpa.", "10.in-addr.arpa."},
		{"1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.",
			"8.b.d.0.1.0.0.2.ip6.arpa."},
	};
	struct arena arena;
	struct miss_limits limits = {.labels = 2};
	struct suffix_map *routes;
	char text[NAME_MAX_TEXT];
	struct name name = name_of("a.b.example.com.");

	arena_init(&arena, 0, 0);
	routes = map_of(&arena, routed, countof(routed));
	limits.registries = map_of(&arena, registries, countof(registries));
	for (size_t i = 0; i < countof(cases); i++) {
		struct name n = name_of(cases[i].name);

		is_string(name_wire_print(
				  miss_suffix(&limits, routes, n.wire), text),
			cases[i].want, "%s", cases[i].name);
	}
	limits.labels = 3;
	is_string(name_wire_print(miss_suffix(&limits, NULL, name.wire), text),
		"b.example.com.", "three labels");
	arena_fini(&arena);
}

static enum miss_over take(const struct miss_limits *limits,
	struct limiter *limiter, const char *client, const char *name,
	bool apart)
{
	struct name n = name_of(name);
	union addr a = addr_of(client);
	const struct miss_query q = {.client = &a,
		.v4_bits = 32,
		.v6_bits = 64,
		.name = n.wire,
		.apart = apart};

	return miss_take(limits, limiter, NULL, &q, 1000000);
}

static void test_buckets(void)
{
	const struct miss_limits limits = {.client = {.qps = 1, .burst = 5},
		.suffix = {.qps = 1, .burst = 8},
		.labels = 2};
	const struct miss_limits none = {.labels = 2};
	struct limiter *l = limiter_new(1024);
	int passed = 0;

	for (int i = 0; i < 20; i++)
		passed += take(&limits, l, "192.0.2.1", "a.example.", false) ==
			  MISS_WITHIN;
	is_int(passed, 5, "a client has its burst");
	is_int(take(&limits, l, "192.0.2.1", "b.other.", false), MISS_CLIENT,
		"under any suffix");
	is_int(take(&limits, l, "192.0.2.1", "b.other.", true), MISS_WITHIN,
		"apart it has another");
	for (int i = 0; i < 3; i++)
		passed += take(&limits, l, "192.0.2.2", "b.a.example.",
				  false) == MISS_WITHIN;
	is_int(passed, 8, "what it was denied costs the suffix nothing");
	is_int(take(&limits, l, "192.0.2.3", "c.a.example.", false),
		MISS_SUFFIX, "then the suffix is full, for all");
	is_int(take(&limits, l, "192.0.2.3", "c.b.example.", false),
		MISS_WITHIN, "another suffix is not");
	passed = 0;
	for (int i = 0; i < 100; i++)
		passed += take(&none, l, "192.0.2.1", "a.a.example.", false) ==
			  MISS_WITHIN;
	is_int(passed, 100, "no limit: none");
	limiter_free(l);
}

int main(void)
{
	test_cut();
	test_buckets();
	return tap_done();
}
