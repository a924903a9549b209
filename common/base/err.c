/* SPDX-License-Identifier: ISC */
/*
 * The text is formatted aside first, so that an argument may point into the
 * error itself: err_set(err, "%s: more", err->text). What a file or a peer
 * wrote is part of many; it must not end the line, nor move the cursor.
 */

#include "common/base/err.h"

#include <stdarg.h>

static void PRINTF_LIKE(2, 0)
	set(struct err *err, const char *fmt, va_list args)
{
	char text[ERR_MAX];

	vsnprintf(text, sizeof(text), fmt, args);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	memcpy(err->text, text, strlen(text) + 1);
}

void err_set(struct err *err, const char *fmt, ...)
{
	va_list args;

	if (!err)
		return;
	va_start(args, fmt);
	set(err, fmt, args);
	va_end(args);
}

void err_prefix(struct err *err, const char *fmt, ...)
{
	char prefix[ERR_MAX];
	va_list args;

	if (!err)
		return;
	va_start(args, fmt);
	vsnprintf(prefix, sizeof(prefix), fmt, args);
	va_end(args);
	err_set(err, "%s: %s", prefix, err->text);
}

int err_fail(struct err *err, int code, const char *fmt, ...)
{
	va_list args;

	if (!err)
		return code;
	va_start(args, fmt);
	set(err, fmt, args);
	va_end(args);
	return code;
}
