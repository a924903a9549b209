/* SPDX-License-Identifier: ISC */
/*
 * The store is cut into shards by hash (shard.c); shard.lock (a mutex) guards
 * all of a shard, for one lookup or insert: copies of some hundred octets.
 * What may be kept and how long is decided here (RFC 2308, RFC 8767).
 */

#include "frontend/cache.h"

#include <errno.h>

#include "common/base/buf.h"
#include "frontend/shard.h"

#define SHARDS_MAX 64
#define SHARD_MIN  256 /* entries that make a shard worth while */

struct cache {
	size_t entries_max, bytes_max;
	unsigned shard_count; /* power of two */
	struct shard shards[];
};

struct cache *cache_new(size_t entries, size_t bytes)
{
	unsigned n = 1;
	struct cache *cache;
	size_t size;
	int rc = 0;

	while (n < SHARDS_MAX && entries / (2 * n) >= SHARD_MIN)
		n *= 2;
	size = sizeof(*cache) + n * sizeof(struct shard);
	cache = aligned_alloc(64, (size + 63) & ~(size_t)63);
	if (!cache)
		return NULL;
	memset(cache, 0, size);
	cache->entries_max = entries;
	cache->bytes_max = bytes;
	cache->shard_count = n;
	for (unsigned i = 0; i < n; i++)
		if (shard_init(&cache->shards[i], (entries + n - 1) / n,
			    bytes / n) < 0)
			rc = -ENOMEM;
	if (rc < 0) {
		cache_free(cache);
		return NULL;
	}
	return cache;
}

void cache_free(struct cache *cache)
{
	if (!cache)
		return;
	for (unsigned i = 0; i < cache->shard_count; i++)
		shard_fini(&cache->shards[i]);
	free(cache);
}

size_t cache_entries_max(const struct cache *cache)
{
	return cache->entries_max;
}

size_t cache_bytes_max(const struct cache *cache)
{
	return cache->bytes_max;
}

static void key_hash(const struct hash_key *secret, struct cache_key *key)
{
	enum {
		START = offsetof(struct cache_key, pool),
		FIXED = offsetof(struct cache_key, name) - START
	};
	_Static_assert(FIXED == 8, "no padding is hashed");

	key->hash = hash_bytes(
		secret, (const char *)key + START, FIXED + cache_key_tail(key));
}

void cache_key_make(const struct hash_key *secret, struct cache_key *key,
	uint16_t pool, const struct asker *asker)
{
	key->pool = pool;
	key->type = asker->type;
	key->class = asker->class;
	key->bits = (uint8_t)((asker->dnssec_ok ? CACHE_DO : 0) |
			      (asker->flags & MSG_CD ? CACHE_CD : 0) |
			      (asker->no_recurse ? CACHE_NO_RD : 0));
	key->name_len = asker->name_len;
	name_to_lower(key->name, asker->name, asker->name_len);
	key_hash(secret, key);
}

void cache_key_set_ecs(const struct hash_key *secret, struct cache_key *key,
	const struct ecs *ecs)
{
	key->bits |= CACHE_ECS;
	memcpy(key->name + key->name_len, ecs, sizeof(*ecs));
	key_hash(secret, key);
}

void cache_key_share(const struct hash_key *secret, const struct cache_key *key,
	struct cache_key *shared)
{
	cache_key_copy(shared, key);
	shared->bits = (uint8_t)((key->bits & ~CACHE_ECS) | CACHE_ALL_ECS);
	key_hash(secret, shared);
}

bool cache_key_equal(const struct cache_key *a, const struct cache_key *b)
{
	return a->hash == b->hash && a->pool == b->pool && a->type == b->type &&
	       a->class == b->class && a->bits == b->bits &&
	       a->name_len == b->name_len &&
	       memcmp(a->name, b->name, cache_key_tail(a)) == 0;
}

static struct shard *shard_of(struct cache *cache, uint64_t hash)
{
	return &cache->shards[(hash >> 48) & (cache->shard_count - 1)];
}

void cache_prefetch_index(struct cache *cache, const struct cache_key *key)
{
	shard_prefetch_index(shard_of(cache, key->hash), key->hash);
}

void cache_prefetch_entry(struct cache *cache, const struct cache_key *key)
{
	shard_prefetch_entry(shard_of(cache, key->hash), key->hash);
}

void cache_prefetch_room(struct cache *cache, const struct cache_key *key)
{
	shard_prefetch_room(shard_of(cache, key->hash), key->hash);
}

static uint32_t to_ds(struct mtime t)
{
	return (uint32_t)(t.us / 100000);
}

static enum cache_result entry_state(const struct shard_head *h,
	const struct cache_rules *rules, uint32_t now_ds)
{
	uint32_t age_ds = now_ds - h->stored_ds;

	if ((int32_t)age_ds < 0) /* stored by a thread whose clock is ahead */
		age_ds = 0;
	if (age_ds < h->ttl_s * 10)
		return CACHE_HIT;
	if (h->kind == ANSWER_FAILURE || h->kind == ANSWER_TRUNCATED ||
		age_ds >= (h->ttl_s + (uint64_t)rules->stale_s) * 10)
		return CACHE_MISS;
	return h->hold_ds && (int32_t)(h->hold_ds - now_ds) > 0 ? CACHE_HELD
								: CACHE_STALE;
}

/* The message of an entry; a subnet and its scope lie behind the question. */
static void get_message(struct shard_cursor *c, const struct shard_head *h,
	struct answer *a, uint8_t *buf, struct ecs *ecs)
{
	a->scope = 0;
	if (!(h->bits & CACHE_ECS)) {
		shard_get(c, buf, h->len);
		return;
	}
	shard_get(c, buf, h->q_end);
	shard_get(c, ecs, sizeof(*ecs));
	shard_get(c, &a->scope, sizeof(a->scope));
	shard_get(c, buf + h->q_end, h->len - (size_t)h->q_end);
}

static void entry_copy(struct shard *s, uint32_t i, struct answer *a,
	uint8_t *buf, struct ecs *ecs)
{
	const struct shard_head *h = shard_head(s, i);
	struct shard_cursor c;

	a->msg = buf;
	a->len = h->len;
	a->q_end = h->q_end;
	a->ttl_count = h->ttl_count;
	a->ede = h->ede;
	a->info.kind = (enum answer_kind)h->kind;
	a->info.ttl_s = h->ttl_s;
	a->info.ttl_count = h->ttl_count;
	a->info.has_soa = false;
	shard_cursor_init(&c, s, i);
	get_message(&c, h, a, buf, ecs);
	shard_get(&c, a->ttl_at, h->ttl_count * sizeof(a->ttl_at[0]));
}

enum cache_result cache_lookup(struct cache *cache, const struct cache_key *key,
	const struct cache_rules *rules, struct mtime now, struct answer *a,
	uint8_t *buf, struct cache_found *found)
{
	struct shard *s = shard_of(cache, key->hash);
	enum cache_result result = CACHE_MISS;
	uint32_t now_ds = to_ds(now), i;
	struct shard_head *h;
	struct ecs ecs;

	(void)pthread_mutex_lock(&s->lock);
	i = shard_find(s, key);
	if (!i)
		goto out;
	h = shard_head(s, i);
	result = entry_state(h, rules, now_ds);
	if (result == CACHE_MISS) {
		shard_remove(s, i);
		goto out;
	}
	entry_copy(s, i, a, buf, &ecs);
	found->ttl_s = h->ttl_s;
	found->popular = h->freq >= 2;
	found->news = h->freq == 2;
	found->age_s = (int32_t)(now_ds - h->stored_ds) < 0
			       ? 0
			       : (now_ds - h->stored_ds) / 10;
	found->held_ms = result == CACHE_HELD ? (h->hold_ds - now_ds) * 100 : 0;
	found->left_s = result == CACHE_HIT ? h->ttl_s - found->age_s : 0;
	if (h->freq < SHARD_FREQ_MAX)
		h->freq = (uint8_t)((h->freq + 1) & SHARD_FREQ_MAX);
out:
	(void)pthread_mutex_unlock(&s->lock);
	return result;
}

/* Seconds to keep it; 0: not at all. */
static uint32_t life_of(const struct answer *a, const struct cache_rules *rules)
{
	uint32_t ttl_s = a->info.ttl_s;

	switch (a->info.kind) {
	case ANSWER_POSITIVE:
	case ANSWER_REFERRAL:
		if (ttl_s > rules->max_ttl_s)
			ttl_s = rules->max_ttl_s;
		break;
	case ANSWER_NODATA:
	case ANSWER_NXDOMAIN:
		if (!a->info.has_soa)
			return 0;
		if (ttl_s > rules->max_negative_ttl_s)
			ttl_s = rules->max_negative_ttl_s;
		break;
	case ANSWER_FAILURE:
		return rules->failure_ttl_s;
	case ANSWER_TRUNCATED:
		return rules->truncated_ttl_s;
	default:
		return 0;
	}
	return ttl_s < rules->min_ttl_s ? 0 : ttl_s;
}

static void entry_write(struct shard *s, uint32_t i,
	const struct cache_key *key, const struct answer *a)
{
	struct shard_cursor c;

	shard_cursor_init(&c, s, i);
	shard_put(&c, a->msg, MSG_HEADER);
	shard_put(&c, key->name, key->name_len);
	shard_put(&c, a->msg + MSG_HEADER + key->name_len, 4);
	if (key->bits & CACHE_ECS) {
		shard_put(&c, cache_key_ecs(key), sizeof(struct ecs));
		shard_put(&c, &a->scope, sizeof(a->scope));
	}
	shard_put(&c, a->msg + a->q_end, a->len - a->q_end);
	shard_put(&c, a->ttl_at, a->ttl_count * sizeof(a->ttl_at[0]));
}

/* May this answer take the place of the entry? Takes the entry out if so and
 * says where the new one goes. */
static bool replace(struct shard *s, uint32_t old,
	const struct cache_rules *rules, uint32_t now_ds,
	const struct answer *a, enum shard_queue_id *queue, uint8_t *freq)
{
	const struct shard_head *h = shard_head(s, old);
	enum cache_result state = entry_state(h, rules, now_ds);

	if (a->info.kind == ANSWER_FAILURE && h->kind != ANSWER_FAILURE &&
		state != CACHE_MISS)
		return false;
	if (a->info.kind == ANSWER_TRUNCATED && h->kind != ANSWER_FAILURE &&
		h->kind != ANSWER_TRUNCATED && state == CACHE_HIT)
		return false;
	*queue = h->queue ? SHARD_MAIN : SHARD_SMALL;
	*freq = h->freq;
	shard_remove(s, old);
	return true;
}

static bool shard_insert(struct shard *s, const struct cache_key *key,
	const struct cache_rules *rules, uint32_t now_ds,
	const struct answer *a, uint32_t ttl_s)
{
	enum shard_queue_id queue = SHARD_SMALL;
	uint8_t freq = 0;
	uint32_t i = shard_find(s, key);
	struct shard_head *h;
	size_t octets;

	if (i) {
		if (!replace(s, i, rules, now_ds, a, &queue, &freq))
			return false;
	} else if (shard_ghost(s, key->hash)) {
		queue = SHARD_MAIN;
	}
	octets = a->len + 2u * a->ttl_count;
	if (key->bits & CACHE_ECS)
		octets += sizeof(struct ecs) + sizeof(a->scope);
	i = shard_take(s, octets);
	h = shard_head(s, i);
	h->hash = key->hash;
	h->stored_ds = now_ds;
	h->ttl_s = ttl_s;
	h->len = (uint16_t)a->len;
	h->ttl_count = a->ttl_count;
	h->pool = key->pool;
	h->q_end = a->q_end;
	h->ede = a->ede;
	h->bits = key->bits;
	h->kind = (uint8_t)(a->info.kind & 15);
	h->freq = (uint8_t)(freq & SHARD_FREQ_MAX);
	entry_write(s, i, key, a);
	shard_link(s, i, queue);
	return true;
}

bool cache_insert(struct cache *cache, const struct cache_key *key,
	const struct cache_rules *rules, struct mtime now,
	const struct answer *a)
{
	struct shard *s = shard_of(cache, key->hash);
	bool big = a->len > CACHE_MAX_MSG ||
		   a->q_end != MSG_HEADER + key->name_len + 4;
	uint32_t ttl_s = life_of(a, rules);
	bool kept = false;

	(void)pthread_mutex_lock(&s->lock);
	if (big)
		s->too_big++;
	else if (ttl_s == 0)
		s->too_short++;
	else
		kept = shard_insert(s, key, rules, to_ds(now), a, ttl_s);
	(void)pthread_mutex_unlock(&s->lock);
	return kept;
}

void cache_hold(struct cache *cache, const struct cache_key *key,
	struct mtime now, uint32_t hold_s)
{
	struct shard *s = shard_of(cache, key->hash);
	uint32_t i;

	(void)pthread_mutex_lock(&s->lock);
	i = shard_find(s, key);
	if (i)
		shard_head(s, i)->hold_ds = (to_ds(now) + hold_s * 10) | 1;
	(void)pthread_mutex_unlock(&s->lock);
}

static void visit_entry(struct shard *s, uint32_t i, struct answer *a,
	cache_visit_fn fn, void *arg)
{
	const struct shard_head *h = shard_head(s, i);
	uint8_t buf[CACHE_MAX_MSG];
	struct cache_key key = {
		.hash = h->hash,
		.pool = h->pool,
		.bits = h->bits,
	};
	struct ecs ecs;

	entry_copy(s, i, a, buf, &ecs);
	key.name_len = (uint8_t)(h->q_end - MSG_HEADER - 4);
	memcpy(key.name, buf + MSG_HEADER, key.name_len);
	key.type = get16(buf + h->q_end - 4);
	key.class = get16(buf + h->q_end - 2);
	if (h->bits & CACHE_ECS)
		memcpy(key.name + key.name_len, &ecs, sizeof(ecs));
	fn(arg, &key, a, h->stored_ds);
}

bool cache_each(struct cache *cache, cache_visit_fn fn, void *arg)
{
	struct answer *a = malloc(sizeof(*a));

	if (!a)
		return false;
	for (unsigned n = 0; n < cache->shard_count; n++) {
		struct shard *s = &cache->shards[n];

		(void)pthread_mutex_lock(&s->lock);
		for (unsigned q = 0; q < countof(s->queues); q++)
			for (uint32_t i = s->queues[q].old; i;
				i = shard_head(s, i)->prev)
				visit_entry(s, i, a, fn, arg);
		(void)pthread_mutex_unlock(&s->lock);
	}
	free(a);
	return true;
}

static void copy_one(void *arg, const struct cache_key *key,
	const struct answer *a, uint32_t stored_ds)
{
	static const struct cache_rules forever = {.max_ttl_s = UINT32_MAX};
	struct cache *to = arg;

	(void)shard_insert(shard_of(to, key->hash), key, &forever, stored_ds, a,
		a->info.ttl_s);
}

void cache_copy(struct cache *to, struct cache *from)
{
	/* without memory it starts empty: only slower */
	(void)cache_each(from, copy_one, to);
}

/* Is the entry one of those to be flushed? */
static bool flush_this(struct shard *s, uint32_t i, const struct name *name,
	uint16_t type, bool suffix)
{
	uint8_t q[MSG_HEADER + NAME_MAX_WIRE + 4];
	const struct shard_head *h = shard_head(s, i);
	struct shard_cursor c;

	shard_cursor_init(&c, s, i);
	shard_get(&c, q, h->q_end);
	if (type && get16(q + h->q_end - 4) != type)
		return false;
	if (!name)
		return true;
	return suffix ? name_under(q + MSG_HEADER, name->wire)
		      : name_equal(q + MSG_HEADER, name->wire);
}

size_t cache_flush(struct cache *cache, const struct name *name, uint16_t type,
	bool suffix)
{
	size_t gone = 0;

	for (unsigned n = 0; n < cache->shard_count; n++) {
		struct shard *s = &cache->shards[n];

		(void)pthread_mutex_lock(&s->lock);
		for (unsigned q = 0; q < countof(s->queues); q++) {
			uint32_t i = s->queues[q].old;

			while (i) {
				uint32_t younger = shard_head(s, i)->prev;

				if (flush_this(s, i, name, type, suffix)) {
					shard_remove(s, i);
					gone++;
				}
				i = younger;
			}
		}
		(void)pthread_mutex_unlock(&s->lock);
	}
	return gone;
}

void cache_get_stats(struct cache *cache, struct cache_stats *out)
{
	memset(out, 0, sizeof(*out));
	out->entries_max = cache->entries_max;
	out->bytes_max = cache->bytes_max;
	for (unsigned i = 0; i < cache->shard_count; i++) {
		struct shard *s = &cache->shards[i];

		(void)pthread_mutex_lock(&s->lock);
		out->entries += s->entries;
		out->bytes += shard_bytes(s);
		out->inserts += s->inserts;
		out->evictions += s->evictions;
		out->too_short += s->too_short;
		out->too_big += s->too_big;
		(void)pthread_mutex_unlock(&s->lock);
	}
}
