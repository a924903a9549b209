/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_BLOCKFILE_H
#define FRONTEND_BLOCKFILE_H

/*
 * The blocks in a file, so that a restart does not lift them. Text, one line
 * each, with the wall clock's time at which it ends:
 *
 *	ispdns-blocks 1
 *	source 192.0.2.0/24 drop manual - 1764323232 17
 *	end 1
 *
 * kind, target, action, reason, "-" or "auto" or "auto,forgeable", end, hits.
 * What is read is believed when all of it is right. Main thread.
 */

#include "common/base/buf.h"
#include "common/base/err.h"
#include "frontend/block.h"

#define BLOCKFILE_MAX (2u << 20) /* octets */

/* Now, by both clocks. */
struct blockfile_now {
	int64_t us;     /* monotonic */
	int64_t wall_s; /* since 1970 */
};

/* The whole text of the table; what has ended is left out. */
void blockfile_print(const struct blocks *blocks,
	const struct blockfile_now *now, struct text *out);
/* Add those that have not ended; none lives longer than BLOCK_LONGEST_S from
 * now, as the clock may have been set back. -EBADMSG: not such a file, or a
 * part of one; then none is added. *count: how many were. */
int blockfile_parse(struct blocks *blocks, const char *text, size_t len,
	const struct blockfile_now *now, size_t *count,
	struct err *err) MUST_CHECK;

/* Replace the file in one step, without waiting for the disk: it outlives the
 * process, not a power cut. */
int blockfile_save(const struct blocks *blocks, const char *path,
	struct err *err) MUST_CHECK;
/* -ENOENT: no file. */
int blockfile_load(struct blocks *blocks, const char *path, size_t *count,
	struct err *err) MUST_CHECK;

#endif
