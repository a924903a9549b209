/* SPDX-License-Identifier: ISC */
#ifndef COMMON_CTL_FILE_H
#define COMMON_CTL_FILE_H

/* Whole files: read, replace in one step (tmp + fsync + rename + fsync of
 * the folder), directories, symlinks. Blocking; control plane only. */

#include "common/base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* *data is malloc'ed and NUL-terminated. -EFBIG when over `max` octets; a
 * pipe or socket is refused (-EINVAL). */
int file_read(const char *path, size_t max, char **data, size_t *len,
	struct err *err) MUST_CHECK;
int file_write(const char *path, const void *data, size_t len, mode_t mode,
	struct err *err) MUST_CHECK;
/* mkdir -p. */
int dir_make(const char *path, mode_t mode, struct err *err) MUST_CHECK;
/* rm -r below and including `path`; absent is fine. Never follows links. */
int dir_remove(const char *path, struct err *err) MUST_CHECK;
int dir_sync(const char *path, struct err *err) MUST_CHECK;
/* Make `link` point to `target` in one step. */
int link_replace(
	const char *target, const char *link, struct err *err) MUST_CHECK;
/* snprintf of a path: -ENAMETOOLONG when it does not fit. */
int path_join(char *out, size_t size, const char *fmt, ...)
	PRINTF_LIKE(3, 4) MUST_CHECK;

#endif
