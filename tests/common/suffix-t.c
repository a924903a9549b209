/* SPDX-License-Identifier: ISC */
/* Longest-suffix map, also against a slow search over random names. */

#include "common/dns/suffix.h"

#include "tests/tap/failmem.h"
#include "tests/tap/tap.h"

#include <errno.h>

static struct name name_of(const char *text)
{
	struct name name;

	if (name_parse(text, &name) != 0)
		tap_bail("%s", text);
	return name;
}

static uint32_t find(const struct suffix_map *map, const char *text)
{
	struct name name = name_of(text);

	return suffix_map_find(map, name.wire);
}

static void add(struct suffix_map *map, const char *text, uint32_t value)
{
	struct name name = name_of(text);

	is_int(suffix_map_add(map, &name, value), 0, "add %s", text);
}

static void test_map(void)
{
	struct arena arena;
	struct suffix_map *map;
	struct name name;
	const uint8_t *at = NULL;

	arena_init(&arena, 0, 0);
	map = suffix_map_new(&arena, 4);
	is_int(find(map, "www.x."), SUFFIX_NONE, "empty map");
	add(map, "zaibdns.lab.", 1);
	add(map, "Sub.Zaibdns.lab.", 2);
	add(map, "10.in-addr.arpa.", 3);
	name = name_of("ZAIBDNS.LAB.");
	is_int(suffix_map_add(map, &name, 9), -EEXIST, "there already");
	is_int(find(map, "zaibdns.lab."), 1, "itself");
	is_int(find(map, "WWW.zaibDNS.lab."), 1, "below");
	is_int(find(map, "a.b.sub.zaibdns.lab."), 2, "the longest wins");
	is_int(find(map, "notzaibdns.lab."), SUFFIX_NONE, "label-wise");
	is_int(find(map, "lab."), SUFFIX_NONE, "above");
	is_int(find(map, "zaibdns.lab.evil."), SUFFIX_NONE, "not a prefix");
	is_int(find(map, "."), SUFFIX_NONE, "root");
	is_int(find(map, "1.0.0.10.in-addr.arpa."), 3, "reverse");
	add(map, ".", 0);
	is_int(find(map, "x.y.z."), 0, "the root matches everything");
	is_int(find(map, "www.zaibdns.lab."), 1, "but is the shortest");
	is_int(find(map, "."), 0, "and itself");
	name = name_of("a.B.Sub.zaibdns.lab.");
	is_int(suffix_map_find_at(map, name.wire, &at), 2, "found");
	ok(at == name.wire + 4, "and where it begins");
	name = name_of("full.");
	is_int(suffix_map_add(map, &name, 5), -ENOSPC, "full");
	name = name_of("Sub.zaibdns.LAB.");
	is_int(suffix_map_get(map, name.wire), 2, "exact");
	name = name_of("x.sub.zaibdns.lab.");
	is_int(suffix_map_get(map, name.wire), SUFFIX_NONE, "exact: not below");
	arena_fini(&arena);
}

enum {
	NAMES = 300
};

static struct name random_name(uint32_t *seed)
{
	char text[64] = "";
	int labels;

	*seed = *seed * 1103515245 + 12345;
	labels = 1 + (int)(*seed >> 16) % 5;
	for (int i = 0; i < labels; i++) {
		*seed = *seed * 1103515245 + 12345;
		snprintf(text + 2 * i, 4, "%c.", 'a' + (*seed >> 16) % 4);
	}
	return name_of(text);
}

static uint32_t slow_find(
	const struct name *names, const bool *in_map, const uint8_t *wire)
{
	uint32_t best = SUFFIX_NONE;
	uint8_t longest = 0;

	for (uint32_t i = 0; i < NAMES; i++) {
		if (!in_map[i] || names[i].len <= longest ||
			!name_under(wire, names[i].wire))
			continue;
		longest = names[i].len;
		best = i;
	}
	return best;
}

static void test_random(void)
{
	static struct name names[NAMES];
	bool in_map[NAMES], same = true;
	uint32_t seed = 7;
	struct suffix_map *map;
	struct arena arena;

	arena_init(&arena, 0, 0);
	map = suffix_map_new(&arena, NAMES);
	for (uint32_t i = 0; i < NAMES; i++) {
		names[i] = random_name(&seed);
		in_map[i] = suffix_map_add(map, &names[i], i) == 0;
	}
	for (int i = 0; i < 3000; i++) {
		struct name name = random_name(&seed);

		same = same && suffix_map_find(map, name.wire) ==
				       slow_find(names, in_map, name.wire);
	}
	ok(same, "as a slow search finds");
	arena_fini(&arena);
}

static void test_no_memory(void)
{
	struct name name = name_of("x.");
	struct suffix_map *map;
	struct arena arena;
	unsigned n;
	bool done = false;

	for (n = 0; !done && n < 10; n++) {
		arena_init(&arena, 64, 0);
		failmem_after(n);
		map = suffix_map_new(&arena, 8);
		done = map && suffix_map_add(map, &name, 1) == 0;
		failmem_off();
		if (map && !done)
			is_int(suffix_map_find(map, name.wire), SUFFIX_NONE,
				"a failed add leaves nothing");
		arena_fini(&arena);
	}
	ok(done && n > 1, "fails without memory, then works");
}

int main(void)
{
	test_map();
	test_random();
	test_no_memory();
	return tap_done();
}
