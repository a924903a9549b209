/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_CACHE_H
#define FRONTEND_CACHE_H

/*
 * The packet cache, one for all workers: question, DO and CD -> answer in
 * the form of answer.h. Bounded by entries and by octets; S3-FIFO eviction,
 * so a flood of names asked once does not displace the popular ones. Memory
 * is taken at the start (touched when used). Any thread.
 */

#include "common/base/clock.h"
#include "common/base/hash.h"
#include "common/dns/ecs.h"
#include "frontend/answer.h"

struct cache;

#define CACHE_DO 1u
#define CACHE_CD 2u
/* Asked without RD, whatever the client said. */
#define CACHE_NO_RD 4u
/* Asked for a subnet, which is behind the name. */
#define CACHE_ECS 8u
/* Was asked for some subnet, and is for all of them. */
#define CACHE_ALL_ECS 16u
/* Longest answer kept. */
#define CACHE_MAX_MSG 4096

/* What the answer depends on. Made once per query. The hash is that of all
 * that follows it, so there is no padding between. */
struct cache_key {
	uint64_t hash;
	uint16_t pool; /* id of the pool that answers: see pool.h */
	uint16_t type, class;
	uint8_t bits; /* CACHE_DO to CACHE_ALL_ECS */
	uint8_t name_len;
	/* lower case; with CACHE_ECS a struct ecs follows the name */
	uint8_t name[NAME_MAX_WIRE + sizeof(struct ecs)];
};

/* How long answers live: part of the policy snapshot, in seconds. */
struct cache_rules {
	uint32_t max_ttl_s, min_ttl_s, max_negative_ttl_s, failure_ttl_s;
	uint32_t truncated_ttl_s; /* of answers with TC; 0: not kept */
	uint32_t stale_s; /* kept behind their end; 0: never served stale */
	bool cap_served;  /* max_ttl_s bounds the TTLs given out too */
	bool prefetch;    /* popular answers are asked for before their end */
};

enum cache_result {
	CACHE_MISS,
	CACHE_HIT,
	CACHE_STALE, /* expired, within the stale time */
	CACHE_HELD,  /* stale, and a backend was asked in vain just now */
};

struct cache_found {
	uint32_t age_s;
	uint32_t left_s;  /* 0 when stale */
	uint32_t ttl_s;   /* the life it was given */
	uint32_t held_ms; /* CACHE_HELD: for so much longer */
	bool popular;     /* asked more than once before */
	bool news;        /* so often now for the first time */
};

struct cache_stats {
	uint64_t entries, entries_max, bytes, bytes_max;
	uint64_t inserts, evictions, too_short, too_big;
};

/* NULL: no memory. `entries` >= 1; `bytes` is raised to what one long answer
 * per shard needs. */
struct cache *cache_new(size_t entries, size_t bytes) MUST_CHECK;
void cache_free(struct cache *cache); /* NULL allowed */
size_t cache_entries_max(const struct cache *cache);
size_t cache_bytes_max(const struct cache *cache);
/* One entry after the other, the oldest of a queue first. `a` lies in a
 * buffer that is valid during the call; the shard's lock is held. Tenths of
 * a second of monotonic time, which wrap, say when it was stored. */
typedef void (*cache_visit_fn)(void *arg, const struct cache_key *key,
	const struct answer *a, uint32_t stored_ds);
/* False: no memory, nothing was visited. */
bool cache_each(struct cache *cache, cache_visit_fn fn, void *arg);
/* Put a copy of all that lives in `from` into `to` (a resize). */
void cache_copy(struct cache *to, struct cache *from);

/* Fill `key` from what is asked (name in any case). */
void cache_key_make(const struct hash_key *secret, struct cache_key *key,
	uint16_t pool, const struct asker *asker);
bool cache_key_equal(const struct cache_key *a, const struct cache_key *b);
/* It is asked for this subnet. */
void cache_key_set_ecs(const struct hash_key *secret, struct cache_key *key,
	const struct ecs *ecs);
/* The same question's key for all subnets. */
void cache_key_share(const struct hash_key *secret, const struct cache_key *key,
	struct cache_key *shared);

/* Only with CACHE_ECS. */
static inline const struct ecs *cache_key_ecs(const struct cache_key *key)
{
	return (const struct ecs *)(key->name + key->name_len);
}

/* Octets behind the fixed fields. */
static inline size_t cache_key_tail(const struct cache_key *key)
{
	return key->name_len +
	       (key->bits & CACHE_ECS ? sizeof(struct ecs) : 0u);
}

static inline void cache_key_copy(
	struct cache_key *to, const struct cache_key *key)
{
	memcpy(to, key, offsetof(struct cache_key, name) + cache_key_tail(key));
}

/* A look-up by this key follows soon, and in between time for memory to come:
 * first the one, then the other. */
void cache_prefetch_index(struct cache *cache, const struct cache_key *key);
void cache_prefetch_entry(struct cache *cache, const struct cache_key *key);

/* The same before an insertion. */
void cache_prefetch_room(struct cache *cache, const struct cache_key *key);

/*
 * Find the answer. On a hit (or stale) it is copied to `buf`, room
 * CACHE_MAX_MSG, and `a` is filled to point there. `rules` give the stale
 * time. An answer of kind ANSWER_TRUNCATED is not for a client that asks by
 * TCP.
 */
enum cache_result cache_lookup(struct cache *cache, const struct cache_key *key,
	const struct cache_rules *rules, struct mtime now, struct answer *a,
	uint8_t *buf, struct cache_found *found);

/* Keep the answer as long as the rules say, if at all; it replaces an older
 * one, but a failure never replaces another answer that is not yet past its
 * stale time, and a truncated one no whole one that lives. True when it was
 * kept. */
bool cache_insert(struct cache *cache, const struct cache_key *key,
	const struct cache_rules *rules, struct mtime now,
	const struct answer *a);

/* A backend was asked for this expired answer in vain: for `hold_s` seconds
 * lookups give CACHE_HELD (the failure recheck timer of RFC 8767 5). */
void cache_hold(struct cache *cache, const struct cache_key *key,
	struct mtime now, uint32_t hold_s);

/* Forget; how many entries went. `name` NULL: all; `type` 0: all types;
 * `suffix`: all at and below it. */
size_t cache_flush(struct cache *cache, const struct name *name, uint16_t type,
	bool suffix);
void cache_get_stats(struct cache *cache, struct cache_stats *out);

#endif
