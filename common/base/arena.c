/* SPDX-License-Identifier: ISC */
/*
 * A chain of chunks, each filled from its start. A request larger than a
 * chunk gets one of its own, put behind the newest, so that the rest of the
 * newest chunk stays in use.
 */

#include "common/base/arena.h"

#include <stdint.h>

#define ALIGNMENT  16
#define CHUNK_SIZE (16 * 1024)

struct arena_chunk {
	struct arena_chunk *next;
	size_t size, used;
	_Alignas(ALIGNMENT) unsigned char data[];
};

void arena_init(struct arena *arena, size_t chunk_size, size_t limit_bytes)
{
	arena->head = NULL;
	arena->chunk_size = chunk_size ? chunk_size : CHUNK_SIZE;
	arena->used_bytes = 0;
	arena->limit_bytes = limit_bytes;
}

static struct arena_chunk *chunk_new(size_t size)
{
	struct arena_chunk *chunk = calloc(1, sizeof(*chunk) + size);

	if (chunk)
		chunk->size = size;
	return chunk;
}

/* A chunk with room for `size`, linked into the chain. */
static struct arena_chunk *chunk_for(struct arena *arena, size_t size)
{
	struct arena_chunk *head = arena->head;
	struct arena_chunk *chunk;

	if (head && head->size - head->used >= size)
		return head;
	if (size <= arena->chunk_size) {
		chunk = chunk_new(arena->chunk_size);
		if (!chunk)
			return NULL;
		chunk->next = head;
		arena->head = chunk;
		return chunk;
	}
	chunk = chunk_new(size);
	if (!chunk)
		return NULL;
	chunk->next = head ? head->next : NULL;
	if (head)
		head->next = chunk;
	else
		arena->head = chunk;
	return chunk;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	struct arena_chunk *chunk;
	void *mem;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	if (size == 0)
		size = ALIGNMENT;
	if (arena->limit_bytes && size > arena->limit_bytes - arena->used_bytes)
		return NULL;
	chunk = chunk_for(arena, size);
	if (!chunk)
		return NULL;
	mem = chunk->data + chunk->used;
	chunk->used += size;
	arena->used_bytes += size;
	return mem;
}

void *arena_array(struct arena *arena, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total))
		return NULL;
	return arena_alloc(arena, total);
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return arena_memdup(arena, text, strlen(text) + 1);
}

void *arena_memdup(struct arena *arena, const void *data, size_t size)
{
	void *mem = arena_alloc(arena, size);

	if (mem && size > 0)
		memcpy(mem, data, size);
	return mem;
}

void arena_fini(struct arena *arena)
{
	struct arena_chunk *chunk = arena->head;

	while (chunk) {
		struct arena_chunk *next = chunk->next;

		free(chunk);
		chunk = next;
	}
	arena->head = NULL;
	arena->used_bytes = 0;
}
