/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_DUMP_H
#define FRONTEND_DUMP_H

/*
 * The packet cache in a file, so that a restart is not a cold start. What is
 * read is checked like an answer from the network, and ages by the time that
 * the file lay there. Blocking; main thread, or before the workers run.
 */

#include "common/base/err.h"
#include "frontend/cache.h"
#include "frontend/registry.h"

/* Write all entries to `path` in one step (a new file, renamed). *count: how
 * many. */
int dump_save(struct cache *cache, const struct registry *registry,
	const char *path, size_t *count, struct err *err) MUST_CHECK;
/*
 * Put the entries of the file into the cache that still live (or may be
 * served stale) by the rules; those of pools that are not known are left out.
 * -ENOENT: no file; -EBADMSG: not such a file, or damaged; what was read
 * before the damage is kept. *count: how many entries were taken.
 */
int dump_load(struct cache *cache, struct registry *registry,
	const struct hash_key *secret, const struct cache_rules *rules,
	const char *path, size_t *count, struct err *err) MUST_CHECK;

#endif
