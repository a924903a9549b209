/* SPDX-License-Identifier: ISC */
/* The front cache: life, bounds, eviction under a flood, flushing. */

#include "resolver/cache.h"

#include "common/dns/code.h"
#include "tests/tap/tap.h"

static const struct mtime T0 = {.us = 1000000000};

static struct cache *make(uint32_t entries, size_t bytes, int64_t stale_ms)
{
	struct cache_limits l = {entries, bytes, stale_ms};
	struct cache *c = cache_new(&l);

	if (!c)
		tap_bail("cache_new");
	return c;
}

static struct question question(const char *text, uint16_t type)
{
	static struct name names[4];
	static unsigned next;
	struct name *n = &names[next++ % 4];

	if (name_parse(text, n) < 0)
		tap_bail("%s", text);
	return (struct question){.name = n->wire,
		.name_len = n->len,
		.type = type,
		.class = DNS_CLASS_IN};
}

static void put_at(struct cache *c, const char *text, uint16_t type,
	uint32_t ttl, struct mtime now)
{
	struct question q = question(text, type);
	struct answer *a = answer_new_failure(q.name_len, 2, -1);

	a->ttl_s = ttl;
	cache_insert(c, &q, a, ttl, now);
}

static void put(struct cache *c, const char *text, uint16_t type, uint32_t ttl)
{
	put_at(c, text, type, ttl, T0);
}

static struct cache_entry *get_at(
	struct cache *c, const char *text, uint16_t type, int64_t after_ms)
{
	struct question q = question(text, type);

	return cache_find(c, &q, mtime_add_ms(T0, after_ms));
}

static void test_life(void)
{
	struct cache *c = make(1000, 1 << 20, 5000);
	struct cache_entry *e;

	put(c, "www.example.", DNS_TYPE_A, 10);
	e = get_at(c, "WWW.EXAMPLE.", DNS_TYPE_A, 0);
	ok(e != NULL, "found, whatever its case");
	is_int(mtime_sub_us(e->expires, T0), 10000000, "it ends with its TTL");
	ok(!get_at(c, "www.example.", DNS_TYPE_AAAA, 0), "another type");
	ok(!get_at(c, "ww.example.", DNS_TYPE_A, 0), "another name");
	ok(get_at(c, "www.example.", DNS_TYPE_A, 12000), "kept as stale");
	ok(!get_at(c, "www.example.", DNS_TYPE_A, 15001), "for so long only");
	is_int(cache_entries(c), 0, "then it is gone");
	is_int(cache_bytes(c), 0, "with its memory");
	put(c, "a.", DNS_TYPE_A, 10);
	put(c, "a.", DNS_TYPE_A, 20);
	is_int(cache_entries(c), 1, "a second one replaces the first");
	e = get_at(c, "a.", DNS_TYPE_A, 0);
	is_int(e->answer->ttl_s, 20, "with its own data");
	put(c, "zero.", DNS_TYPE_A, 0);
	e = get_at(c, "zero.", DNS_TYPE_A, 0);
	ok(e && !mtime_before(T0, e->expires), "TTL 0: only ever stale");
	cache_free(c);
	c = make(1000, 1 << 20, 0);
	put(c, "zero.", DNS_TYPE_A, 0);
	is_int(cache_entries(c), 0, "without stale service not even that");
	cache_free(c);
}

/* Names asked again survive a flood of names asked once. */
static void test_flood(void)
{
	struct cache *c = make(1000, 64 << 20, 0);
	char text[64];
	unsigned kept = 0;

	for (unsigned i = 0; i < 200; i++) {
		snprintf(text, sizeof(text), "popular%u.example.", i);
		put(c, text, DNS_TYPE_A, 3600);
	}
	for (unsigned i = 0; i < 20000; i++) {
		if (i % 100 == 0)
			for (unsigned j = 0; j < 200; j++) {
				snprintf(text, sizeof(text),
					"popular%u.example.", j);
				get_at(c, text, DNS_TYPE_A, 0);
			}
		snprintf(text, sizeof(text), "random%u.example.", i);
		put(c, text, DNS_TYPE_A, 3600);
	}
	for (unsigned i = 0; i < 200; i++) {
		snprintf(text, sizeof(text), "popular%u.example.", i);
		kept += get_at(c, text, DNS_TYPE_A, 0) != NULL;
	}
	is_int(cache_entries(c), 1000, "never more than the bound");
	is_int(kept, 200, "all popular names are still there");
	ok(cache_evictions(c) == 20200 - 1000, "evictions are counted");
	cache_free(c);
}

static void test_bytes(void)
{
	struct cache *c = make(100000, 100000, 0);
	struct cache_limits smaller = {100, 100000, 0};
	char text[64];

	for (unsigned i = 0; i < 5000; i++) {
		snprintf(text, sizeof(text), "n%u.example.", i);
		put(c, text, DNS_TYPE_A, 3600);
	}
	ok(cache_bytes(c) <= 100000, "memory is bounded: %zu", cache_bytes(c));
	ok(cache_entries(c) > 200, "and used: %u entries", cache_entries(c));
	cache_set_limits(c, &smaller);
	is_int(cache_entries(c), 100, "a smaller bound holds at once");
	smaller.entries = 50000;
	smaller.bytes = 64 << 20;
	cache_set_limits(c, &smaller);
	for (unsigned i = 0; i < 5000; i++) {
		snprintf(text, sizeof(text), "n%u.example.", i);
		put(c, text, DNS_TYPE_A, 3600);
	}
	is_int(cache_entries(c), 5000, "a larger one too");
	ok(get_at(c, "n4999.example.", DNS_TYPE_A, 0) &&
			get_at(c, "n0.example.", DNS_TYPE_A, 0),
		"everything is found in the larger table");
	cache_free(c);
}

static void test_flush(void)
{
	struct cache *c = make(1000, 1 << 20, 0);
	struct question q;

	put(c, "example.", DNS_TYPE_A, 10);
	put(c, "example.", DNS_TYPE_AAAA, 10);
	put(c, "a.example.", DNS_TYPE_A, 10);
	put(c, "b.a.example.", DNS_TYPE_A, 10);
	put(c, "notexample.", DNS_TYPE_A, 10);
	q = question("EXAMPLE.", 0);
	is_int(cache_flush_name(c, q.name), 2, "a name: all its types");
	q = question("a.example.", 0);
	is_int(cache_flush_suffix(c, q.name), 2, "a suffix: all below");
	ok(get_at(c, "notexample.", DNS_TYPE_A, 0), "label-wise");
	is_int(cache_flush_all(c), 1, "all");
	is_int(cache_entries(c), 0, "nothing is left");
	put(c, "x.", DNS_TYPE_A, 10);
	ok(get_at(c, "x.", DNS_TYPE_A, 0), "and it works on");
	cache_free(c);
}

int main(void)
{
	test_life();
	test_flood();
	test_bytes();
	test_flush();
	return tap_done();
}
