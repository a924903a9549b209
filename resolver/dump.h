/* SPDX-License-Identifier: ISC */
#ifndef RESOLVER_DUMP_H
#define RESOLVER_DUMP_H

/*
 * The front cache over a restart: a worker writes its own at its end, each
 * new one reads those of all and keeps the names that are steered to it.
 * Blocking; worker's start and end only.
 */

#include "common/base/err.h"
#include "resolver/cache.h"

/* Folder, worker and the library's configuration that the data came by:
 * with another one they are not taken. */
struct dump {
	const char *folder;
	unsigned index, count;
	const char *library;
};

/* What is fresh and neither a failure nor bogus. Returns how many entries, or
 * negative errno. */
int dump_save(struct cache *cache, const struct dump *dump, struct mtime now,
	struct err *err) MUST_CHECK;
/* The files are checked (digest, every message) and their age is taken off.
 * A missing file is none; a bad one is reported in err and passed over.
 * Returns how many entries. */
int dump_load(struct cache *cache, const struct dump *dump, struct mtime now,
	struct err *err) MUST_CHECK;

#endif
