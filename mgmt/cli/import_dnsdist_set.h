/* SPDX-License-Identifier: ISC */
#ifndef MGMT_CLI_IMPORT_DNSDIST_SET_H
#define MGMT_CLI_IMPORT_DNSDIST_SET_H

/*
 * Sets of texts in canonical form (names, prefixes, types): what selectors are
 * combined of. Pure; memory is the arena's.
 */

#include "common/base/arena.h"
#include "common/base/err.h"

#include <stdbool.h>

#define DD_PAIRS (1U << 22) /* values compared with each other, at most */

struct dd_list {
	const char **v;
	size_t count, room;
};

/* Append a copy. False: no memory. */
bool dd_list_add(
	struct arena *arena, struct dd_list *list, const char *text) MUST_CHECK;
/* In order, each text once. */
void dd_list_sort(struct dd_list *list);
bool dd_list_equal(const struct dd_list *a, const struct dd_list *b);
/* All of both; sorted. */
int dd_list_union(struct arena *arena, const struct dd_list *a,
	const struct dd_list *b, struct dd_list *out) MUST_CHECK;

/* What is in both, for sorted lists of plain texts; of names with all below
 * them; of prefixes. -ENOMEM; -E2BIG: too many to compare. */
int dd_list_and(struct arena *arena, const struct dd_list *a,
	const struct dd_list *b, struct dd_list *out) MUST_CHECK;
int dd_suffixes_and(struct arena *arena, const struct dd_list *a,
	const struct dd_list *b, struct dd_list *out) MUST_CHECK;
int dd_prefixes_and(struct arena *arena, const struct dd_list *a,
	const struct dd_list *b, struct dd_list *out) MUST_CHECK;
/* The prefixes of all addresses that are in none of `list`. */
int dd_prefixes_not(struct arena *arena, const struct dd_list *list,
	struct dd_list *out) MUST_CHECK;
/* Is some prefix of `a` inside of one of `b`, or the same? */
int dd_prefixes_inside(struct arena *arena, const struct dd_list *a,
	const struct dd_list *b, bool *inside) MUST_CHECK;
/* Is `name` equal to or below one of `list`? */
bool dd_suffixes_hold(const struct dd_list *list, const char *name);

#endif
