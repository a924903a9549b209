/* SPDX-License-Identifier: ISC */
#ifndef COMMON_BASE_BUF_H
#define COMMON_BASE_BUF_H

/*
 * Bounded reader and writer with a sticky error: read ten fields, check
 * once. After an error reads give 0 and writes do nothing.
 */

#include "common/base/base.h"

#include <stdbool.h>
#include <stdint.h>

struct rbuf {
	const uint8_t *data;
	size_t size, pos;
	bool failed;
};

struct wbuf {
	uint8_t *data;
	size_t size, pos;
	bool failed; /* ran out of room */
};

static inline void rbuf_init(struct rbuf *r, const void *data, size_t size)
{
	r->data = (const uint8_t *)data;
	r->size = size;
	r->pos = 0;
	r->failed = false;
}

static inline size_t rbuf_left(const struct rbuf *r)
{
	return r->failed ? 0 : r->size - r->pos;
}

uint8_t rbuf_u8(struct rbuf *r);
uint16_t rbuf_u16(struct rbuf *r); /* network order -> host order */
uint32_t rbuf_u32(struct rbuf *r);
/* Pointer to the next `n` octets, which are skipped; NULL on error. */
const uint8_t *rbuf_take(struct rbuf *r, size_t n);
bool rbuf_skip(struct rbuf *r, size_t n);

static inline void wbuf_init(struct wbuf *w, void *data, size_t size)
{
	w->data = (uint8_t *)data;
	w->size = size;
	w->pos = 0;
	w->failed = false;
}

void wbuf_u8(struct wbuf *w, uint8_t value);
void wbuf_u16(struct wbuf *w, uint16_t value); /* host -> network order */
void wbuf_u32(struct wbuf *w, uint32_t value);
void wbuf_bytes(struct wbuf *w, const void *data, size_t n);

/* Big-endian loads and stores on bytes of any alignment. */
static inline uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static inline void put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void put32(uint8_t *p, uint32_t v)
{
	put16(p, (uint16_t)(v >> 16));
	put16(p + 2, (uint16_t)v);
}

/* A growing text buffer for metrics, status pages, generated files. */
struct text {
	char *data; /* NUL-terminated, never NULL after text_init */
	size_t len, size;
	bool failed; /* out of memory or over 64 MiB: content is cut */
};

void text_init(struct text *t);
void text_fini(struct text *t);
void text_add(struct text *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
void text_add_bytes(struct text *t, const void *data, size_t n);
/* Takes the string out (caller frees it with free()), t is empty after. */
char *text_take(struct text *t);

#endif
