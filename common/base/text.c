/* SPDX-License-Identifier: ISC */
/*
 * struct text of buf.h: text that grows by doubling. An empty one owns no
 * memory and points to a shared NUL, so `data` is a string at all times.
 */

#include "common/base/buf.h"

#include <stdarg.h>

#define TEXT_MAX   (64u << 20)
#define TEXT_FIRST 256

static char empty[1];

void text_init(struct text *t)
{
	t->data = empty;
	t->len = t->size = 0;
	t->failed = false;
}

void text_fini(struct text *t)
{
	if (t->size > 0)
		free(t->data);
	text_init(t);
}

/* Room for `n` more octets and a NUL; false: *t is marked failed. */
static bool grow(struct text *t, size_t n)
{
	size_t size = t->size ? t->size : TEXT_FIRST;
	char *data;

	if (t->failed || n >= TEXT_MAX - t->len)
		goto fail;
	if (t->len + n < t->size)
		return true;
	while (size <= t->len + n)
		size *= 2;
	data = realloc(t->size ? t->data : NULL, size);
	if (!data)
		goto fail;
	data[t->len] = '\0';
	t->data = data;
	t->size = size;
	return true;
fail:
	t->failed = true;
	return false;
}

void text_add(struct text *t, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (n < 0 || !grow(t, (size_t)n))
		return;
	va_start(args, fmt);
	vsnprintf(t->data + t->len, t->size - t->len, fmt, args);
	va_end(args);
	t->len += (size_t)n;
}

void text_add_bytes(struct text *t, const void *data, size_t n)
{
	if (n == 0 || !grow(t, n))
		return;
	memcpy(t->data + t->len, data, n);
	t->len += n;
	t->data[t->len] = '\0';
}

char *text_take(struct text *t)
{
	char *data = t->size > 0 ? t->data : strdup("");

	text_init(t);
	return data;
}
