/* SPDX-License-Identifier: ISC */
#ifndef COMMON_BASE_HASH_H
#define COMMON_BASE_HASH_H

/*
 * Keyed hashing (SipHash-1-3): tables fed by the network cannot be flooded
 * with collisions by one who does not know the key.
 */

#include "common/base/base.h"

#include <stdint.h>

struct hash_key {
	uint64_t k0, k1;
};

/* A random key from getrandom(2). */
void hash_key_random(struct hash_key *key);
uint64_t hash_bytes(const struct hash_key *key, const void *data, size_t len);
/* SipHash-2-4, for values that strangers see (DNS cookies); its octets are
 * those of the number, the lowest first. */
uint64_t hash_mac(const struct hash_key *key, const void *data, size_t len);

/* Fast generator for ids and policies: SipHash-1-3 of a counter under a key
 * from getrandom(2), so seen values do not tell the next. One thread. */
struct rng {
	uint64_t s[4]; /* key, counter, nonce */
	unsigned left; /* reseeded from the kernel when it reaches 0 */
};

void rng_init(struct rng *rng);
uint64_t rng_next(struct rng *rng);
/* Uniform in 0..n-1; n > 0. */
uint32_t rng_below(struct rng *rng, uint32_t n);
/* Cryptographic random octets from the kernel. */
void random_bytes(void *out, size_t len);

#endif
