/* SPDX-License-Identifier: ISC */
/*
 * SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF"),
 * one compression and three finalisation rounds: enough for tables whose
 * outputs are never shown; those that are shown (hash_mac) have two and four,
 * as in the paper. The generator is the same function over a
 * counter, so that seen ids do not tell the next ones.
 */

#include "common/base/hash.h"

#include <errno.h>
#include <sys/random.h>

#define RESEED_AFTER 65536

struct sip {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotl(uint64_t x, int b)
{
	return x << b | x >> (64 - b);
}

static inline void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v1 = rotl(s->v1, 13) ^ s->v0;
	s->v0 = rotl(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotl(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotl(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotl(s->v1, 17) ^ s->v2;
	s->v2 = rotl(s->v2, 32);
}

static inline void sip_init(struct sip *s, uint64_t k0, uint64_t k1)
{
	s->v0 = k0 ^ 0x736f6d6570736575ULL;
	s->v1 = k1 ^ 0x646f72616e646f6dULL;
	s->v2 = k0 ^ 0x6c7967656e657261ULL;
	s->v3 = k1 ^ 0x7465646279746573ULL;
}

static inline void sip_word(struct sip *s, uint64_t m)
{
	s->v3 ^= m;
	sip_round(s);
	s->v0 ^= m;
}

static inline uint64_t sip_final(struct sip *s)
{
	s->v2 ^= 0xff;
	sip_round(s);
	sip_round(s);
	sip_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

static inline uint64_t load64(const uint8_t *p)
{
	uint64_t m;

	memcpy(&m, p, sizeof(m));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	m = __builtin_bswap64(m);
#endif
	return m;
}

uint64_t hash_bytes(const struct hash_key *key, const void *data, size_t len)
{
	const uint8_t *p = data;
	const uint8_t *end = p + (len & ~(size_t)7);
	uint64_t last = (uint64_t)len << 56;
	struct sip s;

	sip_init(&s, key->k0, key->k1);
	for (; p != end; p += 8)
		sip_word(&s, load64(p));
	for (size_t i = 0; i < (len & 7); i++)
		last |= (uint64_t)p[i] << (8 * i);
	sip_word(&s, last);
	return sip_final(&s);
}

uint64_t hash_mac(const struct hash_key *key, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t last = (uint64_t)len << 56;
	struct sip s;

	sip_init(&s, key->k0, key->k1);
	for (size_t i = 0; i < len / 8; i++) {
		uint64_t m = load64(p + 8 * i);

		s.v3 ^= m;
		sip_round(&s);
		sip_round(&s);
		s.v0 ^= m;
	}
	for (size_t i = len & ~(size_t)7; i < len; i++)
		last |= (uint64_t)p[i] << (8 * (i & 7));
	s.v3 ^= last;
	sip_round(&s);
	sip_round(&s);
	s.v0 ^= last;
	s.v2 ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

void random_bytes(void *out, size_t len)
{
	uint8_t *p = out;

	while (len > 0) {
		ssize_t n = getrandom(p, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			abort(); /* no kernel of ours lacks it */
		p += n;
		len -= (size_t)n;
	}
}

void hash_key_random(struct hash_key *key)
{
	random_bytes(key, sizeof(*key));
}

void rng_init(struct rng *rng)
{
	random_bytes(rng->s, sizeof(rng->s));
	rng->left = RESEED_AFTER;
}

uint64_t rng_next(struct rng *rng)
{
	struct sip s;

	if (rng->left == 0)
		rng_init(rng);
	rng->left--;
	sip_init(&s, rng->s[0], rng->s[1]);
	sip_word(&s, rng->s[2]++);
	sip_word(&s, rng->s[3]);
	return sip_final(&s);
}

/* Lemire's multiplication; the bias of 2^-32 per value is of no account for
 * ids and choices. */
uint32_t rng_below(struct rng *rng, uint32_t n)
{
	return (uint32_t)(((rng_next(rng) >> 32) * n) >> 32);
}
