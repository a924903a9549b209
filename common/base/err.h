/* SPDX-License-Identifier: ISC */
#ifndef COMMON_BASE_ERR_H
#define COMMON_BASE_ERR_H

/*
 * One line of text for a person: why a parse, check, prepare or apply failed.
 * Never used on the packet path (there: counters).
 */

#include "common/base/base.h"

#define ERR_MAX 512

struct err {
	char text[ERR_MAX]; /* empty when nothing failed; cut, never overrun;
			       control characters become "?" */
};

/* Set the text. `err` may be NULL (then nothing happens). */
void err_set(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Put "<fmt>: " before the text, e.g. err_prefix(err, "%s:%d", file, line). */
void err_prefix(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* err_set and return `code` (a negative errno), for `return err_fail(...)`. */
int err_fail(struct err *err, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
