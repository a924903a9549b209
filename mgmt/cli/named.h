/* SPDX-License-Identifier: ISC */
#ifndef MGMT_CLI_NAMED_H
#define MGMT_CLI_NAMED_H

/*
 * The syntax of named.conf: statements of words with an optional block, ended
 * by ";", includes followed. Trees live in the caller's arena.
 */

#include "mgmt/cli/import.h"

#include "common/base/arena.h"

#define NAMED_WORDS 16

struct named {
	const char *file;
	unsigned line;
	const char *words[NAMED_WORDS];
	size_t count;
	bool block; /* has { ... }, maybe empty */
	struct named *children, *next;
};

/*
 * Read `path` and what it includes. Syntax errors and missing includes go to
 * `im`. *out may be NULL (an empty file). -ENOENT and alike for `path` itself.
 */
int named_read(const char *path, struct import *im, struct arena *arena,
	struct named **out, struct err *err) MUST_CHECK;

/*
 * Where a file named in named.conf is: the one of the same name beside
 * `conf_path` when there is one (so a copied folder can be imported), else
 * the path itself, relative ones from `directory` (may be NULL).
 */
int named_locate(const char *conf_path, const char *directory, const char *file,
	char *out, size_t size) MUST_CHECK;

/* First child statement called `name`, or NULL. */
const struct named *named_find(const struct named *parent, const char *name);

#endif
