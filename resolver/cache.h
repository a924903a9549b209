/* SPDX-License-Identifier: ISC */
#ifndef RESOLVER_CACHE_H
#define RESOLVER_CACHE_H

/*
 * The front cache of one worker: question -> answer, bounded by entries and
 * octets. Expired entries are kept for a while to be served stale. Worker
 * process only.
 */

#include "common/base/clock.h"
#include "common/base/list.h"
#include "resolver/answer.h"

struct cache;

struct cache_entry {
	struct list age; /* oldest first; the cache's own */
	struct cache_entry *next;
	uint64_t hash;
	struct mtime stored, expires;
	struct mtime failed_until; /* a refresh failed: do not try before */
	struct answer *answer;
	uint32_t hits;
	bool visited;
	uint16_t type, class;
	uint8_t name_len;
	uint8_t name[]; /* lower case */
};

struct cache_limits {
	uint32_t entries;
	size_t bytes;
	int64_t stale_ms; /* how long after expiry an entry is kept */
};

struct cache *cache_new(const struct cache_limits *limits) MUST_CHECK;
void cache_free(struct cache *cache); /* NULL allowed */
/* New bounds; what is over them goes. */
void cache_set_limits(struct cache *cache, const struct cache_limits *limits);

/* The entry, fresh or expired; NULL: none. Valid until the next change of
 * the cache. */
struct cache_entry *cache_find(
	struct cache *cache, const struct question *q, struct mtime now);
/* Put or replace; takes `answer`. With ttl_s 0 it is kept as an expired one:
 * the library tells what is left of a TTL, and that may be nothing. */
void cache_insert(struct cache *cache, const struct question *q,
	struct answer *answer, uint32_t ttl_s, struct mtime now);

/* Call `fn` for each entry, oldest first; it must not change the cache. */
typedef void (*cache_fn)(void *arg, const struct cache_entry *entry);
void cache_each(const struct cache *cache, cache_fn fn, void *arg);

/* How many went. */
uint32_t cache_flush_all(struct cache *cache);
uint32_t cache_flush_name(struct cache *cache, const uint8_t *name);
uint32_t cache_flush_suffix(struct cache *cache, const uint8_t *suffix);

uint32_t cache_entries(const struct cache *cache);
size_t cache_bytes(const struct cache *cache);
uint64_t cache_evictions(const struct cache *cache);

#endif
