/* SPDX-License-Identifier: ISC */
#ifndef MGMT_CLI_IMPORT_DNSDIST_SELECT_H
#define MGMT_CLI_IMPORT_DNSDIST_SELECT_H

/* Between the files that read selectors of a dnsdist.conf only. */

#include "mgmt/cli/import_dnsdist.h"

#include <stddef.h>

/* Reads `call`, or its opposite (`not`), into *out. False: said. */
typedef bool (*select_fn)(
	struct dd *d, const struct lua *call, bool not, struct dd_sel *out);

/* Say that it has no opposite here. False. */
bool dd_no_not(struct dd *d, const struct lua *call);
/* One alternative: the values of `list` (copied, sorted) in one member of
 * struct dd_match. */
bool dd_match_list(struct dd *d, const struct dd_list *list, struct dd_sel *out,
	size_t offset);
#define DD_MATCH_LIST(d, list, out, member)                                    \
	dd_match_list((d), (list), (out), offsetof(struct dd_match, member))
/* Sources: `masks` without `without`, or all but those. */
bool dd_match_masks(struct dd *d, struct dd_list *masks,
	struct dd_list *without, bool not, struct dd_sel *out);

bool dd_sel_suffix(
	struct dd *d, const struct lua *call, bool not, struct dd_sel *out);
bool dd_sel_exact(
	struct dd *d, const struct lua *call, bool not, struct dd_sel *out);
bool dd_sel_regex(
	struct dd *d, const struct lua *call, bool not, struct dd_sel *out);
/* makeRule(what), or what stands in its place. */
bool dd_sel_make(
	struct dd *d, const struct lua *call, bool not, struct dd_sel *out);
bool dd_sel_made(
	struct dd *d, const struct lua *what, bool not, struct dd_sel *out);

#endif
