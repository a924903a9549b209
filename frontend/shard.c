/* SPDX-License-Identifier: ISC */
/*
 * An entry is a chain of 128-octet blocks, the first with the entry's head,
 * so memory never fragments and there is no allocation; a small answer takes
 * one block. Block 0 is never used: 0 means "none", and fresh memory is
 * valid as it comes from the kernel.
 *
 * Eviction is S3-FIFO (Yang et al., SOSP 2023): new entries go to a small
 * queue (a tenth); those asked again before its end move to the main queue,
 * the others leave their hash in a ghost table, which brings them to the
 * main queue if they come back soon. The main queue gives each entry as many
 * more rounds as it was asked, three at most.
 */

#include "frontend/shard.h"

#include <errno.h>
#include <sys/mman.h>

#define LONGEST (2 * CACHE_MAX_MSG)

_Static_assert(sizeof(struct shard_block) == SHARD_BLOCK, "block size");

static void *map(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static void unmap(void *p, size_t size)
{
	if (p)
		(void)munmap(p, size);
}

void shard_fini(struct shard *s)
{
	unmap(s->blocks, (size_t)s->block_count * SHARD_BLOCK);
	unmap(s->buckets, (s->bucket_mask + 1) * sizeof(*s->buckets));
	unmap(s->ghosts, (s->bucket_mask + 1) * sizeof(*s->ghosts));
	(void)pthread_mutex_destroy(&s->lock);
}

int shard_init(struct shard *s, size_t entries, size_t bytes)
{
	size_t blocks = bytes / SHARD_BLOCK, buckets = 16;

	if (blocks < 2 + 2 * LONGEST / SHARD_BLOCK)
		blocks = 2 + 2 * LONGEST / SHARD_BLOCK;
	if (blocks > UINT32_MAX / 2)
		blocks = UINT32_MAX / 2;
	while (buckets < entries)
		buckets *= 2;
	(void)pthread_mutex_init(&s->lock, NULL);
	s->block_count = (uint32_t)blocks;
	s->fresh = 1;
	s->bucket_mask = buckets - 1;
	s->entries_max = entries;
	s->blocks = map(blocks * SHARD_BLOCK);
	s->buckets = map(buckets * sizeof(*s->buckets));
	s->ghosts = map(buckets * sizeof(*s->ghosts));
	return s->blocks && s->buckets && s->ghosts ? 0 : -ENOMEM;
}

static size_t blocks_for(size_t octets)
{
	size_t first = sizeof(((struct shard_block *)0)->first);
	size_t rest = sizeof(((struct shard_block *)0)->rest);

	return octets <= first ? 1 : 1 + (octets - first + rest - 1) / rest;
}

static size_t blocks_left(const struct shard *s)
{
	return s->free_count + (s->block_count - s->fresh);
}

static uint32_t block_take(struct shard *s)
{
	uint32_t i = s->free;

	if (!i) {
		i = s->fresh;
		__atomic_store_n(&s->fresh, i + 1, __ATOMIC_RELAXED);
		return i;
	}
	__atomic_store_n(&s->free, s->blocks[i].more, __ATOMIC_RELAXED);
	s->free_count--;
	return i;
}

static void blocks_give(struct shard *s, uint32_t i)
{
	while (i) {
		uint32_t more = s->blocks[i].more;

		s->blocks[i].more = s->free;
		__atomic_store_n(&s->free, i, __ATOMIC_RELAXED);
		s->free_count++;
		i = more;
	}
}

void shard_cursor_init(struct shard_cursor *c, struct shard *s, uint32_t i)
{
	c->shard = s;
	c->block = i;
	c->at = s->blocks[i].first;
	c->left = sizeof(s->blocks[i].first);
}

/* A piece of at most `want` octets; its length in *got. */
static uint8_t *cursor_piece(struct shard_cursor *c, size_t want, size_t *got)
{
	uint8_t *at;

	if (c->left == 0) {
		struct shard_block *b = &c->shard->blocks[c->block];

		c->block = b->more;
		c->at = c->shard->blocks[c->block].rest;
		c->left = sizeof(b->rest);
	}
	at = c->at;
	*got = want < c->left ? want : c->left;
	c->at += *got;
	c->left -= *got;
	return at;
}

void shard_get(struct shard_cursor *c, void *data, size_t len)
{
	uint8_t *out = data;

	while (len > 0) {
		size_t n;
		const uint8_t *piece = cursor_piece(c, len, &n);

		memcpy(out, piece, n);
		out += n;
		len -= n;
	}
}

void shard_put(struct shard_cursor *c, const void *data, size_t len)
{
	const uint8_t *in = data;

	while (len > 0) {
		size_t n;
		uint8_t *piece = cursor_piece(c, len, &n);

		memcpy(piece, in, n);
		in += n;
		len -= n;
	}
}

static bool entry_is(struct shard *s, uint32_t i, const struct cache_key *key)
{
	const struct shard_head *h = shard_head(s, i);
	struct shard_cursor c;
	uint8_t long_q[MSG_HEADER + NAME_MAX_WIRE + 4 + sizeof(struct ecs)];
	const uint8_t *q = s->blocks[i].first;
	size_t n = MSG_HEADER + (size_t)key->name_len + 4;
	size_t ecs_len = key->bits & CACHE_ECS ? sizeof(struct ecs) : 0;

	if (h->hash != key->hash || h->pool != key->pool ||
		h->bits != key->bits || h->q_end != n)
		return false;
	if (n + ecs_len > sizeof(s->blocks[i].first)) {
		shard_cursor_init(&c, s, i);
		shard_get(&c, long_q, n + ecs_len);
		q = long_q;
	}
	return memcmp(q + MSG_HEADER, key->name, key->name_len) == 0 &&
	       (q[n - 4] << 8 | q[n - 3]) == key->type &&
	       (q[n - 2] << 8 | q[n - 1]) == key->class &&
	       (ecs_len == 0 ||
		       memcmp(q + n, cache_key_ecs(key), ecs_len) == 0);
}

static uint32_t *bucket_of(struct shard *s, uint64_t hash)
{
	return &s->buckets[hash & s->bucket_mask];
}

void shard_prefetch_index(const struct shard *s, uint64_t hash)
{
	__builtin_prefetch(&s->buckets[hash & s->bucket_mask]);
}

void shard_prefetch_entry(const struct shard *s, uint64_t hash)
{
	uint32_t i = __atomic_load_n(
		&s->buckets[hash & s->bucket_mask], __ATOMIC_RELAXED);

	__builtin_prefetch(&s->blocks[i]);
	__builtin_prefetch((const char *)&s->blocks[i] + 64);
}

void shard_prefetch_room(const struct shard *s, uint64_t hash)
{
	uint32_t i = __atomic_load_n(&s->free, __ATOMIC_RELAXED);

	if (!i)
		i = __atomic_load_n(&s->fresh, __ATOMIC_RELAXED);
	if (i >= s->block_count)
		i = 0; /* it will evict one */
	__builtin_prefetch(&s->buckets[hash & s->bucket_mask], 1);
	__builtin_prefetch(&s->ghosts[(hash >> 16) & s->bucket_mask]);
	__builtin_prefetch(&s->blocks[i], 1);
	__builtin_prefetch((const char *)&s->blocks[i] + 64, 1);
}

uint32_t shard_find(struct shard *s, const struct cache_key *key)
{
	uint32_t i = *bucket_of(s, key->hash);

	while (i && !entry_is(s, i, key))
		i = shard_head(s, i)->chain;
	return i;
}

static void index_remove(struct shard *s, uint32_t i)
{
	uint32_t *link = bucket_of(s, shard_head(s, i)->hash);

	while (*link != i)
		link = &shard_head(s, *link)->chain;
	__atomic_store_n(link, shard_head(s, i)->chain, __ATOMIC_RELAXED);
}

static void queue_push(struct shard *s, enum shard_queue_id id, uint32_t i)
{
	struct shard_queue *q = &s->queues[id];
	struct shard_head *h = shard_head(s, i);

	h->queue = (uint8_t)(id & 1);
	h->prev = 0;
	h->next = q->young;
	if (q->young)
		shard_head(s, q->young)->prev = i;
	else
		q->old = i;
	q->young = i;
	q->count++;
}

static void queue_unlink(struct shard *s, uint32_t i)
{
	struct shard_head *h = shard_head(s, i);
	struct shard_queue *q = &s->queues[h->queue];

	if (h->prev)
		shard_head(s, h->prev)->next = h->next;
	else
		q->young = h->next;
	if (h->next)
		shard_head(s, h->next)->prev = h->prev;
	else
		q->old = h->prev;
	q->count--;
}

void shard_remove(struct shard *s, uint32_t i)
{
	index_remove(s, i);
	queue_unlink(s, i);
	blocks_give(s, i);
	s->entries--;
}

static uint32_t *ghost_of(struct shard *s, uint64_t hash)
{
	return &s->ghosts[(hash >> 16) & s->bucket_mask];
}

static uint32_t ghost_mark(uint64_t hash)
{
	return (uint32_t)(hash >> 32) | 1;
}

/* One step; true when an entry went. */
static bool evict_small(struct shard *s)
{
	uint32_t i = s->queues[SHARD_SMALL].old;
	struct shard_head *h = shard_head(s, i);

	if (h->freq > 0) {
		queue_unlink(s, i);
		h->freq = 0;
		queue_push(s, SHARD_MAIN, i);
		return false;
	}
	*ghost_of(s, h->hash) = ghost_mark(h->hash);
	shard_remove(s, i);
	return true;
}

static bool evict_main(struct shard *s)
{
	uint32_t i = s->queues[SHARD_MAIN].old;
	struct shard_head *h = shard_head(s, i);

	if (h->freq > 0) {
		queue_unlink(s, i);
		h->freq = (uint8_t)((h->freq - 1) & SHARD_FREQ_MAX);
		queue_push(s, SHARD_MAIN, i);
		return false;
	}
	shard_remove(s, i);
	return true;
}

static void evict_one(struct shard *s)
{
	size_t small_max = s->entries / 10 + 1;
	bool gone = false;

	while (!gone && s->entries > 0) {
		bool small = s->queues[SHARD_SMALL].count >= small_max ||
			     s->queues[SHARD_MAIN].count == 0;

		gone = small ? evict_small(s) : evict_main(s);
	}
	s->evictions++;
}

static void make_room(struct shard *s, size_t blocks)
{
	while (s->entries > 0 &&
		(s->entries >= s->entries_max || blocks_left(s) < blocks))
		evict_one(s);
}

uint32_t shard_take(struct shard *s, size_t octets)
{
	size_t blocks = blocks_for(octets);
	uint32_t first, i;

	make_room(s, blocks);
	first = i = block_take(s);
	for (size_t n = 1; n < blocks; n++) {
		uint32_t more = block_take(s);

		s->blocks[i].more = more;
		i = more;
	}
	s->blocks[i].more = 0;
	memset(shard_head(s, first), 0, sizeof(struct shard_head));
	return first;
}

void shard_link(struct shard *s, uint32_t i, enum shard_queue_id queue)
{
	struct shard_head *h = shard_head(s, i);
	uint32_t *bucket = bucket_of(s, h->hash);

	h->chain = *bucket;
	__atomic_store_n(bucket, i, __ATOMIC_RELAXED);
	queue_push(s, queue, i);
	s->entries++;
	s->inserts++;
}

bool shard_ghost(struct shard *s, uint64_t hash)
{
	uint32_t *ghost = ghost_of(s, hash);

	if (*ghost != ghost_mark(hash))
		return false;
	*ghost = 0;
	return true;
}

size_t shard_bytes(const struct shard *s)
{
	return (size_t)(s->fresh - 1 - s->free_count) * SHARD_BLOCK;
}
