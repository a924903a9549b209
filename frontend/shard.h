/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_SHARD_H
#define FRONTEND_SHARD_H

/*
 * One shard of the packet cache (cache.c): blocks of memory, the index and
 * the queues of S3-FIFO. Used by cache.c only, with shard.lock held but where
 * it says otherwise.
 */

#include "frontend/cache.h"

#include <pthread.h>

#define SHARD_BLOCK    128
#define SHARD_FREQ_MAX 3

enum shard_queue_id {
	SHARD_SMALL,
	SHARD_MAIN
};

/* The head of an entry, in its first block. */
struct shard_head {
	uint64_t hash;
	uint32_t chain;      /* next in the bucket */
	uint32_t prev, next; /* in its queue: prev is younger */
	uint32_t stored_ds;  /* tenths of a second, wraps */
	uint32_t ttl_s;
	uint32_t hold_ds; /* see cache_hold; 0: not held */
	uint16_t len, ttl_count;
	uint16_t pool, q_end;
	int16_t ede;
	uint8_t bits;
	uint8_t kind : 4, queue : 1, freq : 2;
};

struct shard_block {
	uint32_t more; /* next block of the entry */
	union {
		struct {
			struct shard_head head;
			uint8_t first[SHARD_BLOCK - 8 -
				      sizeof(struct shard_head)];
		};
		uint8_t rest[SHARD_BLOCK - 8];
	};
};

struct shard_queue {
	uint32_t young, old;
	size_t count;
};

struct shard {
	_Alignas(64) pthread_mutex_t lock;
	struct shard_block *blocks;
	uint32_t block_count, fresh; /* blocks from `fresh` on never used */
	uint32_t free, free_count;
	uint32_t *buckets, *ghosts;
	uint64_t bucket_mask;
	size_t entries, entries_max;
	struct shard_queue queues[2];
	uint64_t inserts, evictions, too_short, too_big;
};

/* In zeroed memory. On failure shard_fini is still to be called. */
int shard_init(struct shard *s, size_t entries, size_t bytes) MUST_CHECK;
void shard_fini(struct shard *s);

/* Entries are numbers, 0 is none. */
static inline struct shard_head *shard_head(const struct shard *s, uint32_t i)
{
	return &s->blocks[i].head;
}

/* Have the memory of a look-up brought near: the index, and when that is here
 * the entry. Any thread, without the lock: a wrong guess costs time only. */
void shard_prefetch_index(const struct shard *s, uint64_t hash);
void shard_prefetch_entry(const struct shard *s, uint64_t hash);
void shard_prefetch_room(const struct shard *s, uint64_t hash);
uint32_t shard_find(struct shard *s, const struct cache_key *key);
/* An unlinked entry with room for `octets`; others are evicted for it. Its
 * head is zero. */
uint32_t shard_take(struct shard *s, size_t octets);
/* Put it (head filled) into the index and the queue. */
void shard_link(struct shard *s, uint32_t i, enum shard_queue_id queue);
void shard_remove(struct shard *s, uint32_t i);
/* Was this hash evicted not long ago? Forgets that it was. */
bool shard_ghost(struct shard *s, uint64_t hash);
/* Octets in use by entries. */
size_t shard_bytes(const struct shard *s);

/* Runs over the octets of an entry. */
struct shard_cursor {
	struct shard *shard;
	uint32_t block;
	uint8_t *at;
	size_t left;
};

void shard_cursor_init(struct shard_cursor *c, struct shard *s, uint32_t i);
void shard_get(struct shard_cursor *c, void *data, size_t len);
void shard_put(struct shard_cursor *c, const void *data, size_t len);

#endif
