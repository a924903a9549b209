/* SPDX-License-Identifier: ISC */
#ifndef AUTHORITY_TREE_H
#define AUTHORITY_TREE_H

/*
 * The folders of NSD-ready files under STATE/gen/<number>, one for each
 * change, `current` pointing to the one that NSD serves. Files that did not
 * change are hard links of the tree before, so NSD does not read them again.
 * A tree whose every changed zone was proven by queries has a file `good`.
 *
 *   manifest: "ispdns-tree 1 <generation>", then a line per zone:
 *             <name> <file> <serial> <source's sha256> <content's sha256>
 */

#include "common/base/arena.h"
#include "common/base/err.h"
#include "common/dns/name.h"

#define TREE_PATH     512
#define TREE_MANIFEST "manifest"

struct tree_zone {
	const struct name *wire; /* lower case */
	const char *name;        /* canonical text with final dot */
	const char *nsd_name;    /* without it, as addzone takes it */
	const char *file;        /* in the tree's folder */
	uint32_t serial;
	const char *source_sha, *sha; /* hex */
	bool plain; /* NSD's "%s.zone" finds it; else it has a clause */
};

struct tree {
	struct arena arena;
	long long number;     /* of the folder, rising */
	long long generation; /* the node's, 0: not told */
	bool good;
	struct tree_zone *zones; /* sorted by name_compare */
	size_t count;
};

/* NULL with a line in err when it is not whole. */
struct tree *tree_load(
	const char *state, long long number, struct err *err) MUST_CHECK;
/* The same from any folder (one that has no number yet). */
struct tree *tree_load_folder(
	const char *folder, long long number, struct err *err) MUST_CHECK;
void tree_free(struct tree *tree); /* NULL allowed */
const struct tree_zone *tree_find(const struct tree *tree, const uint8_t *wire);

/* What `current` points to; 0: nothing. */
long long tree_current(const char *state);
/* The newest good tree, 0: none. */
long long tree_last_good(const char *state);
/* A number above all that are there. */
long long tree_next_number(const char *state);
int tree_switch(
	const char *state, long long number, struct err *err) MUST_CHECK;
int tree_mark_good(
	const char *state, struct tree *tree, struct err *err) MUST_CHECK;
/* Remove "12.tmp" of a preparation that did not end. At the start only. */
void tree_clean(const char *state);
/* Remove all but the newest `keep`; never `current`, `except`, nor the newest
 * good one. */
void tree_prune(const char *state, size_t keep, long long except);

/* One line of a manifest. */
struct text;
void tree_print_line(const struct tree_zone *zone, struct text *out);

/* Differences, walked in name order. */
enum tree_change {
	TREE_ADDED,
	TREE_DELETED,
	TREE_CHANGED, /* other content */
};
typedef void (*tree_diff_cb)(
	void *arg, enum tree_change change, const struct tree_zone *zone);
/* `from` may be NULL (all are added). `zone` is of `to` unless deleted. */
void tree_diff(const struct tree *from, const struct tree *to, tree_diff_cb cb,
	void *arg);

#endif
