/* SPDX-License-Identifier: ISC */
/* The bounded octet reader and writer; text.c has the growing text. */

#include "common/base/buf.h"

const uint8_t *rbuf_take(struct rbuf *r, size_t n)
{
	const uint8_t *p;

	if (r->failed || n > r->size - r->pos) {
		r->failed = true;
		return NULL;
	}
	p = r->data + r->pos;
	r->pos += n;
	return p;
}

bool rbuf_skip(struct rbuf *r, size_t n)
{
	return rbuf_take(r, n) != NULL;
}

uint8_t rbuf_u8(struct rbuf *r)
{
	const uint8_t *p = rbuf_take(r, 1);

	return p ? p[0] : 0;
}

uint16_t rbuf_u16(struct rbuf *r)
{
	const uint8_t *p = rbuf_take(r, 2);

	return p ? get16(p) : 0;
}

uint32_t rbuf_u32(struct rbuf *r)
{
	const uint8_t *p = rbuf_take(r, 4);

	return p ? get32(p) : 0;
}

/* Room for `n` octets, or NULL and the sticky error. */
static uint8_t *wbuf_room(struct wbuf *w, size_t n)
{
	uint8_t *p;

	if (w->failed || n > w->size - w->pos) {
		w->failed = true;
		return NULL;
	}
	p = w->data + w->pos;
	w->pos += n;
	return p;
}

void wbuf_u8(struct wbuf *w, uint8_t value)
{
	uint8_t *p = wbuf_room(w, 1);

	if (p)
		p[0] = value;
}

void wbuf_u16(struct wbuf *w, uint16_t value)
{
	uint8_t *p = wbuf_room(w, 2);

	if (p)
		put16(p, value);
}

void wbuf_u32(struct wbuf *w, uint32_t value)
{
	uint8_t *p = wbuf_room(w, 4);

	if (p)
		put32(p, value);
}

void wbuf_bytes(struct wbuf *w, const void *data, size_t n)
{
	uint8_t *p = wbuf_room(w, n);

	if (p && n > 0)
		memcpy(p, data, n);
}
