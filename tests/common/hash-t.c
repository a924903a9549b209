/* SPDX-License-Identifier: ISC */
/*
 * SipHash-1-3 against values of another implementation (itself checked with
 * the SipHash-2-4 vector of the paper): key 00..0f, input 00 01 02 ...
 */

#include "common/base/hash.h"

#include "tests/tap/tap.h"

static const struct hash_key key = {
	0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};

static void test_vectors(void)
{
	static const struct {
		size_t len;
		uint64_t hash;
	} rows[] = {
		{0, 0xabac0158050fc4dcULL},
		{1, 0xc9f49bf37d57ca93ULL},
		{7, 0xd3927d989bb11140ULL},
		{8, 0x369095118d299a8eULL},
		{9, 0x25a48eb36c063de4ULL},
		{15, 0xd320d86d2a519956ULL},
		{16, 0xcc4fdd1a7d908b66ULL},
		{63, 0x9d199062b7bbb3a8ULL},
	};
	uint8_t input[64];

	for (size_t i = 0; i < sizeof(input); i++)
		input[i] = (uint8_t)i;
	for (size_t i = 0; i < countof(rows); i++)
		ok(hash_bytes(&key, input, rows[i].len) == rows[i].hash,
			"length %zu", rows[i].len);
	ok(hash_bytes(&key, input + 1, 8) == hash_bytes(&key, input + 1, 8),
		"unaligned input");
}

/* Appendix A of the paper, and the empty input of its reference vectors. */
static void test_mac(void)
{
	uint8_t input[15];

	for (size_t i = 0; i < sizeof(input); i++)
		input[i] = (uint8_t)i;
	ok(hash_mac(&key, input, 15) == 0xa129ca6149be45e5ULL,
		"SipHash-2-4, length 15");
	ok(hash_mac(&key, input, 0) == 0x726fdb47dd0e0e31ULL,
		"SipHash-2-4, length 0");
	ok(hash_mac(&key, input, 8) == 0x93f5f5799a932462ULL,
		"SipHash-2-4, length 8");
}

static void test_random(void)
{
	struct hash_key a, b;
	struct rng rng, other;
	unsigned counts[10] = {0};
	bool in_range = true, fair = true;

	hash_key_random(&a);
	hash_key_random(&b);
	ok(a.k0 != b.k0 || a.k1 != b.k1, "two keys differ");
	rng_init(&rng);
	rng_init(&other);
	ok(rng_next(&rng) != rng_next(&other), "two generators differ");
	ok(rng_next(&rng) != rng_next(&rng), "two values differ");
	for (int i = 0; i < 100000; i++) {
		uint32_t n = rng_below(&rng, 10);

		in_range = in_range && n < 10;
		counts[n % 10]++;
	}
	ok(in_range, "below its bound");
	for (int i = 0; i < 10; i++)
		fair = fair && counts[i] > 9000 && counts[i] < 11000;
	ok(fair, "evenly spread");
	is_int(rng_below(&rng, 1), 0, "of one there is one");
}

int main(void)
{
	test_vectors();
	test_mac();
	test_random();
	return tap_done();
}
