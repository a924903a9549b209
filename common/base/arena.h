/* SPDX-License-Identifier: ISC */
#ifndef COMMON_BASE_ARENA_H
#define COMMON_BASE_ARENA_H

/*
 * Memory that is freed all at once: one configuration snapshot, one TCP
 * connection. Zero-filled, aligned to 16. One thread at a time.
 */

#include "common/base/base.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *head; /* newest first */
	size_t chunk_size;
	size_t used_bytes;  /* total handed out */
	size_t limit_bytes; /* 0: none */
};

/* `chunk_size` 0 takes 16 KiB. `limit_bytes` bounds the total (0: none). */
void arena_init(struct arena *arena, size_t chunk_size, size_t limit_bytes);
/* NULL when memory or the limit runs out. `size` 0 gives a valid pointer. */
void *arena_alloc(struct arena *arena, size_t size) MUST_CHECK;
/* As arena_alloc(n * size) with the multiplication checked. */
void *arena_array(struct arena *arena, size_t n, size_t size) MUST_CHECK;
char *arena_strdup(struct arena *arena, const char *text) MUST_CHECK;
void *arena_memdup(
	struct arena *arena, const void *data, size_t size) MUST_CHECK;
void arena_fini(struct arena *arena);

#endif
