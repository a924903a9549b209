/* SPDX-License-Identifier: ISC */
/*
 * Chained hash table and SIEVE eviction (Zhang et al., NSDI 2024): entries
 * queue by age; a hand walks from the oldest and drops the first that was
 * not hit since it passed. Names asked once, as in a random-name flood, go
 * first. The hash is keyed, so chains cannot be made long from outside.
 */

#include "resolver/cache.h"

struct cache {
	struct cache_limits limits;
	struct hash_key key;
	struct cache_entry **buckets;
	uint32_t mask;
	uint32_t count;
	size_t bytes;
	uint64_t evictions;
	struct list ages; /* oldest first */
	struct list *hand;
};

/* --- table --- */

static uint32_t table_size(uint32_t entries)
{
	uint32_t size = 1024;

	while (size < entries && size < 1u << 30)
		size *= 2;
	return size;
}

static bool table_resize(struct cache *cache, uint32_t entries)
{
	uint32_t size = table_size(entries);
	struct cache_entry **buckets;
	struct list *at;

	if (cache->buckets && size == cache->mask + 1)
		return true;
	buckets = calloc(size, sizeof(struct cache_entry *));
	if (!buckets)
		return false;
	free(cache->buckets);
	cache->buckets = buckets;
	cache->mask = size - 1;
	list_each(at, &cache->ages) {
		struct cache_entry *e = list_entry(at, struct cache_entry, age);
		struct cache_entry **bucket = &buckets[e->hash & cache->mask];

		e->next = *bucket;
		*bucket = e;
	}
	return true;
}

struct cache *cache_new(const struct cache_limits *limits)
{
	struct cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return NULL;
	list_init(&cache->ages);
	cache->hand = &cache->ages;
	cache->limits = *limits;
	hash_key_random(&cache->key);
	if (table_resize(cache, limits->entries))
		return cache;
	free(cache);
	return NULL;
}

static size_t entry_bytes(const struct cache_entry *e)
{
	return sizeof(*e) + e->name_len + e->answer->bytes;
}

static void entry_remove(struct cache *cache, struct cache_entry *e)
{
	struct cache_entry **at = &cache->buckets[e->hash & cache->mask];

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	if (cache->hand == &e->age)
		cache->hand = e->age.next;
	list_remove(&e->age);
	cache->count--;
	cache->bytes -= entry_bytes(e);
	free(e->answer);
	free(e);
}

void cache_free(struct cache *cache)
{
	if (!cache)
		return;
	cache_flush_all(cache);
	free(cache->buckets);
	free(cache);
}

/* --- eviction --- */

static void evict_one(struct cache *cache)
{
	for (;;) {
		struct cache_entry *e;

		if (cache->hand == &cache->ages)
			cache->hand = cache->ages.next;
		e = list_entry(cache->hand, struct cache_entry, age);
		if (!e->visited) {
			entry_remove(cache, e);
			cache->evictions++;
			return;
		}
		e->visited = false;
		cache->hand = cache->hand->next;
	}
}

static void keep_bounds(struct cache *cache)
{
	while (cache->count > 0 && (cache->count > cache->limits.entries ||
					   cache->bytes > cache->limits.bytes))
		evict_one(cache);
}

void cache_set_limits(struct cache *cache, const struct cache_limits *limits)
{
	cache->limits = *limits;
	keep_bounds(cache);
	/* Without memory for a larger table the old one serves on. */
	(void)table_resize(cache, limits->entries);
}

/* --- entries --- */

static uint64_t hash_of(const struct cache *cache, const struct question *q)
{
	uint64_t h = name_hash(&cache->key, q->name, q->name_len);

	return h ^ ((uint64_t)q->type << 16 | q->class) * 0x9e3779b97f4a7c15u;
}

static bool is_for(const struct cache_entry *e, const struct question *q)
{
	return e->type == q->type && e->class == q->class &&
	       name_equal(e->name, q->name);
}

static struct cache_entry *lookup(
	const struct cache *cache, const struct question *q, uint64_t hash)
{
	struct cache_entry *e = cache->buckets[hash & cache->mask];

	while (e && (e->hash != hash || !is_for(e, q)))
		e = e->next;
	return e;
}

struct cache_entry *cache_find(
	struct cache *cache, const struct question *q, struct mtime now)
{
	struct cache_entry *e = lookup(cache, q, hash_of(cache, q));

	if (!e)
		return NULL;
	if (mtime_before(
		    mtime_add_ms(e->expires, cache->limits.stale_ms), now)) {
		entry_remove(cache, e);
		return NULL;
	}
	e->visited = true;
	e->hits++;
	return e;
}

static void entry_link(struct cache *cache, struct cache_entry *e)
{
	struct cache_entry **bucket = &cache->buckets[e->hash & cache->mask];

	e->next = *bucket;
	*bucket = e;
	list_append(&cache->ages, &e->age);
	cache->count++;
	cache->bytes += entry_bytes(e);
}

void cache_insert(struct cache *cache, const struct question *q,
	struct answer *answer, uint32_t ttl_s, struct mtime now)
{
	uint64_t hash = hash_of(cache, q);
	struct cache_entry *old = lookup(cache, q, hash), *e;

	if (old)
		entry_remove(cache, old);
	e = NULL;
	if (ttl_s > 0 || cache->limits.stale_ms > 0)
		e = calloc(1, sizeof(*e) + q->name_len);
	if (!e) {
		free(answer);
		return;
	}
	e->hash = hash;
	e->stored = now;
	e->expires = mtime_add_ms(now, (int64_t)ttl_s * 1000);
	e->answer = answer;
	e->type = q->type;
	e->class = q->class;
	e->name_len = q->name_len;
	name_to_lower(e->name, q->name, q->name_len);
	entry_link(cache, e);
	keep_bounds(cache);
}

void cache_each(const struct cache *cache, cache_fn fn, void *arg)
{
	struct list *at;

	list_each(at, &cache->ages)
		fn(arg, list_entry(at, struct cache_entry, age));
}

/* --- flushing --- */

typedef bool (*choose_fn)(const struct cache_entry *e, const uint8_t *name);

static uint32_t flush_where(
	struct cache *cache, choose_fn choose, const uint8_t *name)
{
	struct list *at, *next;
	uint32_t before = cache->count;

	list_each_safe(at, next, &cache->ages) {
		struct cache_entry *e = list_entry(at, struct cache_entry, age);

		if (choose(e, name))
			entry_remove(cache, e);
	}
	return before - cache->count;
}

static bool choose_any(const struct cache_entry *e, const uint8_t *name)
{
	(void)e;
	(void)name;
	return true;
}

static bool choose_equal(const struct cache_entry *e, const uint8_t *name)
{
	return name_equal(e->name, name);
}

static bool choose_under(const struct cache_entry *e, const uint8_t *name)
{
	return name_under(e->name, name);
}

uint32_t cache_flush_all(struct cache *cache)
{
	return flush_where(cache, choose_any, NULL);
}

uint32_t cache_flush_name(struct cache *cache, const uint8_t *name)
{
	return flush_where(cache, choose_equal, name);
}

uint32_t cache_flush_suffix(struct cache *cache, const uint8_t *suffix)
{
	return flush_where(cache, choose_under, suffix);
}

uint32_t cache_entries(const struct cache *cache)
{
	return cache->count;
}

size_t cache_bytes(const struct cache *cache)
{
	return cache->bytes;
}

uint64_t cache_evictions(const struct cache *cache)
{
	return cache->evictions;
}
