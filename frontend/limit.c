/* SPDX-License-Identifier: ISC */
/*
 * A set-associative table: the keyed hash of the masked address picks a set
 * of four buckets, one cache line; the hash itself is the identity (64 bits
 * under a random key: no one can aim at another's bucket). A bucket is in the
 * "virtual scheduling" form, so an update is exact at any rate, and the
 * bucket that makes room is the fullest one: an address over its limit is
 * the last to be forgotten.
 * Lock: stripe[set % STRIPES], a spin lock, for one bucket update.
 */

#include "frontend/limit.h"

#include "common/dns/name.h"

#include <pthread.h>

#define WAYS    4
#define STRIPES 256
#define IDLE_NS 60000000000LL

struct bucket {
	uint64_t key;    /* 0: free */
	int64_t full_ns; /* monotonic time at which it is full again */
};

struct stripe {
	_Alignas(64) pthread_spinlock_t lock;
};

struct limiter {
	struct hash_key key;
	size_t sets; /* power of two */
	struct bucket *buckets;
	struct stripe stripes[STRIPES];
};

struct limiter *limiter_new(size_t size)
{
	struct limiter *limiter = NULL;
	size_t n = 64;

	while (n < size && n < (size_t)1 << 26)
		n *= 2;
	limiter = aligned_alloc(64, sizeof(*limiter));
	if (!limiter)
		return NULL;
	memset(limiter, 0, sizeof(*limiter));
	limiter->buckets = aligned_alloc(64, n * sizeof(struct bucket));
	if (!limiter->buckets) {
		free(limiter);
		return NULL;
	}
	memset(limiter->buckets, 0, n * sizeof(struct bucket));
	limiter->sets = n / WAYS;
	hash_key_random(&limiter->key);
	for (size_t i = 0; i < STRIPES; i++)
		(void)pthread_spin_init(&limiter->stripes[i].lock, 0);
	return limiter;
}

void limiter_free(struct limiter *limiter)
{
	if (!limiter)
		return;
	for (size_t i = 0; i < STRIPES; i++)
		(void)pthread_spin_destroy(&limiter->stripes[i].lock);
	free(limiter->buckets);
	free(limiter);
}

size_t limiter_size(const struct limiter *limiter)
{
	return limiter->sets * WAYS;
}

size_t limiter_used(struct limiter *limiter, int64_t now_us)
{
	size_t used = 0;

	for (size_t set = 0; set < limiter->sets; set++) {
		pthread_spinlock_t *lock =
			&limiter->stripes[set % STRIPES].lock;

		(void)pthread_spin_lock(lock);
		for (size_t i = 0; i < WAYS; i++) {
			const struct bucket *b =
				&limiter->buckets[set * WAYS + i];

			used += b->key && b->full_ns + IDLE_NS > now_us * 1000;
		}
		(void)pthread_spin_unlock(lock);
	}
	return used;
}

#define CLIENT_ID 20

/* Family, kind, and the bits that count; how many octets that are. */
static size_t client_id(uint8_t id[CLIENT_ID], enum limit_kind kind,
	const union addr *client, unsigned v4_bits, unsigned v6_bits)
{
	bool v6 = client->sa.sa_family == AF_INET6;
	unsigned bits = v6 ? v6_bits : v4_bits;
	uint8_t *masked = id + 4;
	const uint8_t *octets;
	size_t len = addr_octets(client, &octets);

	memset(id, 0, CLIENT_ID);
	id[0] = v6;
	id[1] = (uint8_t)kind;
	if (bits > len * 8)
		bits = (unsigned)len * 8;
	memcpy(masked, octets, bits / 8);
	if (bits % 8)
		masked[bits / 8] =
			(uint8_t)(octets[bits / 8] & (0xff00u >> (bits % 8)));
	return 4 + len;
}

static uint64_t owner_key(
	const struct limiter *limiter, const struct limit_owner *owner)
{
	uint8_t id[CLIENT_ID + 8 + NAME_MAX_WIRE] = {
		[1] = (uint8_t)owner->kind};
	size_t len = owner->name ? owner->name_len : 0;

	if (owner->client)
		(void)client_id(id, owner->kind, owner->client, owner->v4_bits,
			owner->v6_bits);
	memcpy(id + CLIENT_ID, &owner->scope, 8);
	if (len)
		memcpy(id + CLIENT_ID + 8, owner->name, len);
	return hash_bytes(&limiter->key, id, CLIENT_ID + 8 + len);
}

/* The bucket of `key`: its own, a free one, or the fullest. */
static struct bucket *find_bucket(struct bucket *set, uint64_t key)
{
	struct bucket *fullest = &set[0];

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].key == key)
			return &set[i];
		if (fullest->key &&
			(!set[i].key || set[i].full_ns < fullest->full_ns))
			fullest = &set[i];
	}
	return fullest;
}

/* A debt under another rule is cut to an empty bucket. */
static bool take(struct bucket *b, const struct limit_rule *rule, int64_t now)
{
	bool pass = bucket_has(b->full_ns, rule, now);
	int64_t next = bucket_spend(b->full_ns, rule, now);

	if (pass || next < b->full_ns)
		b->full_ns = next;
	return pass;
}

/* One token from the bucket of this key. */
static bool take_by_key(struct limiter *limiter, uint64_t key,
	const struct limit_rule *rule, int64_t now_us)
{
	size_t set;
	pthread_spinlock_t *lock;
	struct bucket *b;
	bool pass;

	key += key == 0; /* 0: free */
	set = (key >> 32) & (limiter->sets - 1);
	lock = &limiter->stripes[set % STRIPES].lock;
	(void)pthread_spin_lock(lock);
	b = find_bucket(&limiter->buckets[set * WAYS], key);
	if (b->key != key) {
		b->key = key;
		b->full_ns = 0;
	}
	pass = take(b, rule, now_us * 1000);
	(void)pthread_spin_unlock(lock);
	return pass;
}

bool limit_take(struct limiter *limiter, enum limit_kind kind,
	const union addr *client, unsigned v4_bits, unsigned v6_bits,
	const struct limit_rule *rule, int64_t now_us)
{
	uint8_t id[CLIENT_ID];
	size_t len;

	if (rule->qps == 0)
		return true;
	len = client_id(id, kind, client, v4_bits, v6_bits);
	return take_by_key(
		limiter, hash_bytes(&limiter->key, id, len), rule, now_us);
}

bool limit_take_owned(struct limiter *limiter, const struct limit_owner *owner,
	const struct limit_rule *rule, int64_t now_us)
{
	return rule->qps == 0 ||
	       take_by_key(limiter, owner_key(limiter, owner), rule, now_us);
}
