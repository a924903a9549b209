/* SPDX-License-Identifier: ISC */
#ifndef MGMT_DIFF_H
#define MGMT_DIFF_H

/* What is different between two models, said in the operator's terms: rows
 * and columns, record sets; never lines of a file. */

#include "mgmt/store.h"

/*
 * Append {"op":"add"/"del"/"mod","kind","key","detail":[line]} per difference
 * to *changes (new array). `old` may be NULL (nothing yet). A zone of `new`
 * that is "dirty" is read from the working set, all others from their blobs.
 * With `brief`, a zone of many records counts as one change. Secrets are
 * masked. Reads the store; main thread.
 */
int diff_docs(struct store *store, const json_t *old, const json_t *new,
	bool brief, json_t **changes, struct err *err) MUST_CHECK;

#endif
