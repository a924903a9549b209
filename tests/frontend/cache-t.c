/* SPDX-License-Identifier: ISC */
/* The packet cache: what is kept, how long, who shares, who is evicted. */

#include "frontend/cache.h"

#include "common/dns/code.h"
#include "tests/tap/tap.h"
#include "tests/tap/wire.h"

static const struct hash_key secret = {1, 2};
static const struct cache_rules rules = {
	.max_ttl_s = 300,
	.max_negative_ttl_s = 60,
	.failure_ttl_s = 5,
	.stale_s = 100,
};
static struct mtime t0 = {.us = 1000000000};
static struct answer answer, found_answer;
static uint8_t stored[CACHE_MAX_MSG];
static struct cache_found found;

static struct mtime at(int seconds)
{
	return mtime_add_ms(t0, seconds * 1000ll);
}

static struct asker asker_of(const char *name, uint16_t type)
{
	struct asker a = {.type = type, .class = DNS_CLASS_IN};
	struct name n;

	if (name_parse(name, &n) < 0)
		tap_bail("name %s", name);
	memcpy(a.name, n.wire, n.len);
	a.name_len = n.len;
	return a;
}

static struct cache_key key_of(const char *name, uint16_t type)
{
	struct asker a = asker_of(name, type);
	struct cache_key key;

	cache_key_make(&secret, &key, 0, &a);
	return key;
}

/* An answer to `key` with `count` A records of this TTL, in *out. */
static void make_answer(struct answer *out, uint8_t *buf, size_t size,
	const struct cache_key *key, unsigned rcode, int count, uint32_t ttl_s)
{
	struct question q;
	struct edns edns;
	size_t len = msg_make_query(buf, size, 7, key->name, key->name_len,
		key->type, key->class, 0, 0, false);

	msg_set_flags(buf, (uint16_t)(MSG_QR | rcode));
	msg_set_count(buf, MSG_AN, (uint16_t)count);
	for (int i = 0; i < count; i++) {
		const uint8_t rr[] = {0xc0, 12, 0, 1, 0, 1,
			(uint8_t)(ttl_s >> 24), (uint8_t)(ttl_s >> 16),
			(uint8_t)(ttl_s >> 8), (uint8_t)ttl_s, 0, 4, 192, 0, 2,
			(uint8_t)i};

		memcpy(buf + len, rr, sizeof(rr));
		len += sizeof(rr);
	}
	if (!msg_check_answer(buf, len, &q, &edns) ||
		!answer_take(out, buf, len, &q, &edns))
		tap_bail("the test's answer is malformed");
}

static bool insert(struct cache *c, const char *name, unsigned rcode, int count,
	uint32_t ttl_s, struct mtime now)
{
	static uint8_t buf[65536];
	struct cache_key key = key_of(name, DNS_TYPE_A);

	make_answer(&answer, buf, sizeof(buf), &key, rcode, count, ttl_s);
	return cache_insert(c, &key, &rules, now, &answer);
}

static enum cache_result look(
	struct cache *c, const char *name, struct mtime now)
{
	struct cache_key key = key_of(name, DNS_TYPE_A);

	return cache_lookup(
		c, &key, &rules, now, &found_answer, stored, &found);
}

static void test_life(void)
{
	struct cache *c = cache_new(1000, 1 << 20);

	ok(insert(c, "a.test.", 0, 2, 10, t0), "kept");
	is_int(look(c, "A.tEST.", at(3)), CACHE_HIT, "found in any case");
	is_int(found.age_s, 3, "three seconds old");
	is_int(found.left_s, 7, "seven to live");
	is_int(found_answer.ttl_count, 2, "with the places of both TTLs");
	is_int((long long)found_answer.len, (long long)answer.len, "all of it");
	is_int(look(c, "b.test.", at(3)), CACHE_MISS, "another name is not");
	is_int(look(c, "a.test.", at(10)), CACHE_STALE, "stale at its end");
	is_int(look(c, "a.test.", at(109)), CACHE_STALE, "for the stale time");
	is_int(look(c, "a.test.", at(110)), CACHE_MISS, "then gone");
	ok(insert(c, "long.test.", 0, 1, 3600, t0), "a long one");
	is_int(look(c, "long.test.", at(301)), CACHE_STALE,
		"lives no longer than max_ttl");
	ok(!insert(c, "zero.test.", 0, 1, 0, t0), "TTL 0 is not kept");
	{
		struct cache_rules floor = rules;
		struct cache_key key = key_of("min.test.", DNS_TYPE_A);
		uint8_t buf[512];
		struct cache_stats s;

		floor.min_ttl_s = 60;
		make_answer(&answer, buf, sizeof(buf), &key, 0, 1, 5);
		ok(!cache_insert(c, &key, &floor, t0, &answer),
			"TTL 5 below min_ttl 60 is not kept");
		cache_get_stats(c, &s);
		is_int((long long)s.too_short, 2, "but counted");
	}
	cache_free(c);
}

static void test_failures(void)
{
	struct cache *c = cache_new(1000, 1 << 20);

	ok(insert(c, "f.test.", DNS_RCODE_SERVFAIL, 0, 0, t0), "SERVFAIL");
	is_int(look(c, "f.test.", at(4)), CACHE_HIT, "for failure_ttl");
	is_int(look(c, "f.test.", at(5)), CACHE_MISS, "never stale");
	(void)insert(c, "g.test.", 0, 1, 10, t0);
	ok(!insert(c, "g.test.", DNS_RCODE_SERVFAIL, 0, 0, at(20)),
		"a failure does not replace what may be served stale");
	is_int(look(c, "g.test.", at(20)), CACHE_STALE, "which is there");
	ok(!insert(c, "n.test.", DNS_RCODE_NXDOMAIN, 0, 0, t0),
		"NXDOMAIN without SOA is not kept");
	cache_free(c);
}

static void test_negative(void)
{
	struct cache *c = cache_new(1000, 1 << 20);
	struct cache_key key = key_of("nx.test.", DNS_TYPE_A);
	uint8_t buf[512];
	struct question q;
	struct edns edns;
	/* SOA TTL 3600, MINIMUM 2 */
	size_t len = wire(buf, sizeof(buf),
		"0007 8003 0001 0000 0001 0000 <nx.test.> 0001 0001"
		"c00f 0006 0001 00000e10 0016 00 00"
		"00000001 00000002 00000003 00000004 00000002");

	ok(msg_check_answer(buf, len, &q, &edns) &&
			answer_take(&answer, buf, len, &q, &edns),
		"NXDOMAIN with a SOA");
	ok(cache_insert(c, &key, &rules, t0, &answer), "is kept");
	is_int(look(c, "nx.test.", at(1)), CACHE_HIT, "for the SOA's MINIMUM");
	is_int(look(c, "nx.test.", at(2)), CACHE_STALE, "and no longer");
	cache_free(c);
}

static void test_sharing(void)
{
	struct asker plain = asker_of("a.test.", DNS_TYPE_A);
	struct asker other = plain;
	struct cache_key a, b;

	cache_key_make(&secret, &a, 0, &plain);
	other.flags = MSG_AD | MSG_RD;
	other.edns = true;
	other.udp_limit = 4096;
	other.id = 99;
	other.name[1] = 'A';
	cache_key_make(&secret, &b, 0, &other);
	ok(cache_key_equal(&a, &b), "AD, RD, EDNS, size, id, case: shared");
	other.dnssec_ok = true;
	cache_key_make(&secret, &b, 0, &other);
	ok(!cache_key_equal(&a, &b), "DO: apart");
	other = plain;
	other.flags = MSG_CD;
	cache_key_make(&secret, &b, 0, &other);
	ok(!cache_key_equal(&a, &b), "CD: apart");
	other = plain;
	other.type = DNS_TYPE_AAAA;
	cache_key_make(&secret, &b, 0, &other);
	ok(!cache_key_equal(&a, &b), "type: apart");
	cache_key_make(&secret, &b, 1, &plain);
	ok(!cache_key_equal(&a, &b), "pool: apart");
}

static struct cache_key key_for(const char *name, const char *ip)
{
	struct cache_key key = key_of(name, DNS_TYPE_A);
	uint8_t octets[4];
	struct ecs ecs;

	(void)wire(octets, sizeof(octets), ip);
	ecs_make(&ecs, octets, sizeof(octets), 24);
	cache_key_set_ecs(&secret, &key, &ecs);
	return key;
}

/* Its answer has as many records as `count` says, and that scope. */
static bool keep(struct cache *c, const struct cache_key *key, int count)
{
	static uint8_t buf[65536];

	make_answer(&answer, buf, sizeof(buf), key, 0, count, 10);
	answer.scope = (uint8_t)count;
	return cache_insert(c, key, &rules, t0, &answer);
}

/* The records of what is found, 0: nothing; 1000: another scope. */
static int found_for(struct cache *c, const struct cache_key *key, int scope)
{
	if (cache_lookup(c, key, &rules, at(1), &found_answer, stored,
		    &found) != CACHE_HIT)
		return 0;
	return found_answer.scope == scope ? found_answer.ttl_count : 1000;
}

/* What is kept for this subnet lies in an entry of its own, in one block or
 * in some. */
static void test_subnets(const char *name)
{
	struct cache *c = cache_new(1000, 1 << 20);
	struct cache *bigger = cache_new(2000, 1 << 20);
	struct cache_key none = key_of(name, DNS_TYPE_A), all, none_again;
	struct cache_key a = key_for(name, "c0000201");
	struct cache_key neighbour = key_for(name, "c00002fe");
	struct cache_key b = key_for(name, "c0000301"), forged = b;

	cache_key_share(&secret, &a, &all);
	cache_key_share(&secret, &b, &none_again);
	ok(cache_key_equal(&a, &neighbour) && !cache_key_equal(&a, &b) &&
			!cache_key_equal(&a, &none) &&
			!cache_key_equal(&none, &a),
		"a subnet's key is its own");
	ok(cache_key_equal(&all, &none_again) &&
			!cache_key_equal(&all, &none) &&
			!cache_key_equal(&all, &a),
		"that for all subnets is one, and not that without");
	ok(keep(c, &a, 3), "kept for a subnet");
	forged.hash = a.hash;
	ok(!cache_key_equal(&a, &forged) && !found_for(c, &forged, 0),
		"the subnets are compared, not their hashes alone");
	ok(found_for(c, &neighbour, 3) == 3, "found for it, with its scope");
	ok(!found_for(c, &b, 0) && !found_for(c, &none, 0) &&
			!found_for(c, &all, 0),
		"for no other, nor for none, nor for all");
	ok(keep(c, &b, 4) && keep(c, &none, 5) && keep(c, &all, 6), "others");
	cache_copy(bigger, c);
	ok(found_for(c, &a, 3) == 3 && found_for(c, &b, 4) == 4 &&
			found_for(c, &none, 0) == 5 &&
			found_for(c, &all, 0) == 6,
		"do not replace it");
	ok(found_for(bigger, &a, 3) == 3 && found_for(bigger, &b, 4) == 4 &&
			found_for(bigger, &none, 0) == 5 &&
			found_for(bigger, &all, 0) == 6,
		"nor in a cache of another size");
	is_int((long long)cache_flush(c, NULL, DNS_TYPE_A, false), 4,
		"all are flushed by type");
	cache_free(bigger);
	cache_free(c);
}

static char *numbered(char out[64], const char *what, int i)
{
	(void)snprintf(out, 64, "%s%d.test.", what, i);
	return out;
}

static void test_flood(void)
{
	struct cache *c = cache_new(2000, 4 << 20);
	struct cache_stats s;
	char name[64];
	int kept = 0;

	for (int round = 0; round < 3; round++)
		for (int i = 0; i < 1000; i++)
			if (look(c, numbered(name, "pop", i), t0) != CACHE_HIT)
				(void)insert(c, name, 0, 1, 250, t0);
	for (int i = 0; i < 20000; i++)
		(void)insert(c, numbered(name, "rnd", i), 0, 1, 250, at(1));
	for (int i = 0; i < 1000; i++)
		kept += look(c, numbered(name, "pop", i), at(2)) == CACHE_HIT;
	ok(kept >= 950,
		"%d of 1000 popular names outlive a flood of 10x the "
		"capacity",
		kept);
	cache_get_stats(c, &s);
	ok(s.entries <= 2000 + 8, "entries are bounded: %llu",
		(unsigned long long)s.entries);
	(void)insert(c, "new.test.", 0, 1, 250, at(3));
	is_int(look(c, "new.test.", at(3)), CACHE_HIT,
		"a full cache takes a new name at once");
	cache_free(c);
	c = cache_new(1, 65536);
	for (int i = 0; i < 5; i++)
		(void)insert(c, numbered(name, "one", i), 0, 1, 250, t0);
	is_int(look(c, "one4.test.", t0), CACHE_HIT,
		"even a cache of one entry");
	cache_get_stats(c, &s);
	is_int((long long)s.entries, 1, "which is one entry");
	cache_free(c);
}

static void test_memory(void)
{
	struct cache *c = cache_new(100000, 1 << 20);
	struct cache_stats s;
	char name[64];

	(void)insert(c, "small.test.", 0, 2, 250, t0);
	cache_get_stats(c, &s);
	is_int((long long)s.bytes, 128, "a small answer takes 128 octets");
	for (int i = 0; i < 3000; i++)
		(void)insert(c, numbered(name, "big", i), 0, 200, 250, t0);
	cache_get_stats(c, &s);
	ok(s.bytes <= (2 << 20) && s.evictions > 0 && s.entries > 100,
		"octets are bounded: %llu in %llu entries",
		(unsigned long long)s.bytes, (unsigned long long)s.entries);
	is_int(look(c, "big2999.test.", t0), CACHE_HIT, "a long one is whole");
	is_int(found_answer.ttl_count, 200, "with its TTLs");
	ok(memcmp(stored, answer.msg, 2) == 0 &&
			memcmp(stored + MSG_HEADER, answer.msg + MSG_HEADER,
				found_answer.len - MSG_HEADER) == 0,
		"octet by octet");
	ok(!insert(c, "huge.test.", 0, 300, 250, t0),
		"over 4096 octets: not kept");
	cache_free(c);
}

static void test_flush(void)
{
	struct cache *c = cache_new(1000, 1 << 20), *d;
	struct name name;

	(void)insert(c, "a.test.", 0, 1, 250, t0);
	(void)insert(c, "b.a.test.", 0, 1, 250, t0);
	(void)insert(c, "ba.test.", 0, 1, 250, t0);
	if (name_parse("A.test", &name) < 0)
		tap_bail("name");
	is_int((long long)cache_flush(c, &name, DNS_TYPE_AAAA, false), 0,
		"another type is not flushed");
	is_int((long long)cache_flush(c, &name, DNS_TYPE_A, false), 1,
		"name and type");
	(void)insert(c, "a.test.", 0, 1, 250, t0);
	is_int((long long)cache_flush(c, &name, 0, true), 2,
		"a suffix takes what is below");
	is_int(look(c, "ba.test.", t0), CACHE_HIT, "and nothing else");
	d = cache_new(50, 1 << 20);
	cache_copy(d, c);
	is_int(look(d, "ba.test.", at(5)), CACHE_HIT, "a resize keeps it");
	is_int(found.age_s, 5, "with its age");
	cache_free(d);
	is_int((long long)cache_flush(c, NULL, 0, false), 1, "all");
	is_int(look(c, "ba.test.", t0), CACHE_MISS, "gone");
	cache_free(c);
}

static void test_hold(void)
{
	struct cache *c = cache_new(1000, 1 << 20);
	struct cache_key key = key_of("h.test.", DNS_TYPE_A);

	(void)insert(c, "h.test.", 0, 1, 10, t0);
	cache_hold(c, &key, at(12), 5);
	is_int(look(c, "h.test.", at(13)), CACHE_HELD, "held after a failure");
	is_int(look(c, "h.test.", at(18)), CACHE_STALE, "for its time");
	(void)insert(c, "h.test.", 0, 1, 10, at(20));
	is_int(look(c, "h.test.", at(21)), CACHE_HIT, "a new answer is fresh");
	cache_free(c);
}

static bool insert_cut(struct cache *c, const char *name,
	const struct cache_rules *r, struct mtime now)
{
	static uint8_t buf[512];
	struct cache_key key = key_of(name, DNS_TYPE_A);

	make_answer(&answer, buf, sizeof(buf), &key, 0, 0, 0);
	msg_set_flags(buf, (uint16_t)(msg_flags(buf) | MSG_TC));
	answer.info.kind = ANSWER_TRUNCATED;
	return cache_insert(c, &key, r, now, &answer);
}

static void test_truncated(void)
{
	struct cache *c = cache_new(1000, 1 << 20);
	struct cache_rules keep = rules;

	ok(!insert_cut(c, "t.test.", &rules, t0), "TC is not kept");
	keep.truncated_ttl_s = 3;
	keep.min_ttl_s = 60;
	ok(insert_cut(c, "t.test.", &keep, t0), "for truncated_ttl it is");
	ok(look(c, "t.test.", at(2)) == CACHE_HIT &&
			found_answer.info.kind == ANSWER_TRUNCATED,
		"and told apart");
	is_int(look(c, "t.test.", at(3)), CACHE_MISS, "never stale");
	(void)insert_cut(c, "t.test.", &keep, t0);
	ok(insert(c, "t.test.", 0, 1, 10, at(1)), "a whole one replaces it");
	ok(!insert_cut(c, "t.test.", &keep, at(2)),
		"it replaces no whole one that lives");
	ok(insert_cut(c, "t.test.", &keep, at(12)),
		"one that expired, it does");
	ok(insert_cut(c, "t.test.", &keep, at(13)), "and itself");
	cache_free(c);
}

int main(void)
{
	test_life();
	test_failures();
	test_truncated();
	test_negative();
	test_sharing();
	test_subnets("a.test.");
	test_subnets("a-label-so-long-that-it-takes-more-octets-than-one-"
		     "block.and-another-one-that-is-as-long-as-that.test.");
	test_flood();
	test_memory();
	test_flush();
	test_hold();
	return tap_done();
}
