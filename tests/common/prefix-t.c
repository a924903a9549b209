/* SPDX-License-Identifier: ISC */
/* Prefixes: text, containment, and the map against a slow reference. */

#include "common/net/prefix.h"

#include "common/base/hash.h"
#include "tests/tap/tap.h"

#include <errno.h>

static void text(const char *in, int want_rc, const char *want)
{
	struct prefix p;
	char out[PREFIX_TEXT];
	int rc = prefix_parse(in, &p);

	is_int(rc, want_rc, "\"%s\" gives %d", in, want_rc);
	if (want)
		is_string(prefix_print(&p, out), want, "%s -> %s", in, want);
}

static void test_text(void)
{
	text("10.10.2.0/24", 0, "10.10.2.0/24");
	text("10.1.2.3", 0, "10.1.2.3/32");
	text("0.0.0.0/0", 0, "0.0.0.0/0");
	text("2001:db8::/32", 0, "2001:db8::/32");
	text("2001:db8::1", 0, "2001:db8::1/128");
	text("::/0", 0, "::/0");
	text("10.10.2.1/24", -EDOM, "10.10.2.0/24");
	text("10.10.2.129/25", -EDOM, "10.10.2.128/25");
	text("2001:db8::1/33", -EDOM, "2001:db8::/33");
	text("", -EINVAL, NULL);
	text("10.0.0.0/33", -EINVAL, NULL);
	text("10.0.0.0/", -EINVAL, NULL);
	text("10.0.0.0/-1", -EINVAL, NULL);
	text("10.0.0.0/08", -EINVAL, NULL);
	text("10.0.0.0/8/8", -EINVAL, NULL);
	text("10.0.0.0:53/8", -EINVAL, NULL);
	text("[::1]/128", -EINVAL, NULL);
	text("2001:db8::/129", -EINVAL, NULL);
	text("2001:db8::/1000", -EINVAL, NULL);
}

static struct prefix prefix_of(const char *s)
{
	struct prefix p;

	if (prefix_parse(s, &p) < 0)
		tap_bail("%s does not parse", s);
	return p;
}

static union addr addr_of(const char *s)
{
	union addr a;

	if (addr_parse(s, 0, &a) < 0)
		tap_bail("%s does not parse", s);
	return a;
}

static void find(
	const struct prefix_map *map, const char *address, uint32_t want)
{
	union addr a = addr_of(address);

	is_int(prefix_map_find(map, &a), want, "%s finds %u", address, want);
}

static void add(
	struct prefix_map *map, const char *prefix, uint32_t v, int want)
{
	struct prefix p = prefix_of(prefix);

	is_int(prefix_map_add(map, &p, v), want, "add %s", prefix);
}

static void test_map(void)
{
	struct arena arena;
	struct prefix_map *map;

	arena_init(&arena, 0, 0);
	map = prefix_map_new(&arena);
	find(map, "192.0.2.1", PREFIX_NONE);
	add(map, "10.0.0.0/8", 1, 0);
	add(map, "10.10.0.0/16", 2, 0);
	add(map, "10.10.2.166", 3, 0);
	add(map, "2001:db8::/32", 4, 0);
	add(map, "2001:db8:0:0:1::/80", 5, 0);
	add(map, "10.0.0.0/8", 9, -EEXIST);
	find(map, "10.1.1.1", 1);
	find(map, "10.10.2.165", 2);
	find(map, "10.10.2.166", 3);
	find(map, "11.0.0.0", PREFIX_NONE);
	find(map, "9.255.255.255", PREFIX_NONE);
	find(map, "2001:db8::1", 4);
	find(map, "2001:db8:0:0:1::7", 5);
	find(map, "2001:db9::", PREFIX_NONE);
	find(map, "::ffff:10.1.1.1", PREFIX_NONE);
	add(map, "0.0.0.0/0", 6, 0);
	add(map, "::/0", 7, 0);
	find(map, "11.0.0.0", 6);
	find(map, "2001:db9::", 7);
	find(map, "10.10.2.166", 3);
	arena_fini(&arena);
}

#define COUNT 3000

static void random_addr(struct rng *rng, bool v6, union addr *a)
{
	memset(a, 0, sizeof(*a));
	if (v6) {
		a->v6.sin6_family = AF_INET6;
		for (unsigned i = 0; i < 16; i++)
			a->v6.sin6_addr.s6_addr[i] = (uint8_t)rng_below(rng, 3);
	} else {
		a->v4.sin_family = AF_INET;
		a->v4.sin_addr.s_addr = (uint32_t)rng_next(rng) & 0x0f030703;
	}
}

static void random_prefix(struct rng *rng, struct prefix *p)
{
	bool v6 = rng_below(rng, 2) == 0;
	union addr a;
	char ip[ADDR_TEXT], text_form[ADDR_TEXT + 8];

	random_addr(rng, v6, &a);
	snprintf(text_form, sizeof(text_form), "%s/%u", addr_print_ip(&a, ip),
		rng_below(rng, v6 ? 129 : 33));
	if (prefix_parse(text_form, p) == -EINVAL)
		tap_bail("%s does not parse", text_form);
}

/* The slow way: look at every prefix. */
static uint32_t slow_find(
	const struct prefix *all, unsigned n, const union addr *a)
{
	uint32_t best = PREFIX_NONE;

	for (uint32_t i = 0; i < n; i++) {
		if (!prefix_contains(&all[i], a))
			continue;
		if (best == PREFIX_NONE || all[i].len > all[best].len)
			best = i;
	}
	return best;
}

static void test_random(void)
{
	static struct prefix all[COUNT];
	struct arena arena;
	struct prefix_map *map;
	struct rng rng;
	unsigned n = 0, wrong = 0, hits = 0;

	rng_init(&rng);
	arena_init(&arena, 0, 0);
	map = prefix_map_new(&arena);
	for (unsigned i = 0; i < COUNT; i++) {
		random_prefix(&rng, &all[n]);
		if (prefix_map_add(map, &all[n], n) == 0)
			n++;
	}
	for (unsigned i = 0; i < 5000; i++) {
		union addr a;
		uint32_t got;

		random_addr(&rng, i & 1, &a);
		got = prefix_map_find(map, &a);
		hits += got != PREFIX_NONE;
		wrong += got != slow_find(all, n, &a);
	}
	is_int(wrong, 0, "5000 lookups among %u prefixes agree", n);
	ok(hits > 500, "%u of them found something", hits);
	arena_fini(&arena);
}

static void test_of(void)
{
	static const struct {
		const char *addr, *want;
		unsigned len;
	} cases[] = {
		{"192.0.2.129:53", "192.0.2.128/25", 25},
		{"192.0.2.129", "192.0.2.129/32", 64},
		{"192.0.2.129", "0.0.0.0/0", 0},
		{"[2001:db8:1:2:3::4]:53", "2001:db8:1:2::/64", 64},
	};
	char text[PREFIX_TEXT];

	for (size_t i = 0; i < countof(cases); i++) {
		struct prefix p;
		union addr a;

		if (addr_parse(cases[i].addr, 0, &a) < 0)
			tap_bail("%s", cases[i].addr);
		prefix_mask(&a, cases[i].len, &p);
		is_string(prefix_print(&p, text), cases[i].want, "%s/%u",
			cases[i].addr, cases[i].len);
		ok(addr_port(&p.addr) == 0 && prefix_contains(&p, &a),
			"which holds it");
	}
}

int main(void)
{
	test_of();
	test_text();
	test_map();
	test_random();
	return tap_done();
}
