/* SPDX-License-Identifier: ISC */
#ifndef MGMT_CHANGE_H
#define MGMT_CHANGE_H

/*
 * The working set becomes a generation: check, serials, blobs, manifests.
 * All inside the caller's transaction. Main thread.
 */

#include "mgmt/step.h"
#include "mgmt/store.h"

struct change {
	const char *author, *message;
	long long above;     /* the number is higher than this (nodes may have
				it from a database that was lost) */
	step_ready_fn ready; /* NULL: every node is */
	void *arg;
};

/* The newest approved generation's doc; *doc NULL when there is none. */
int change_current(
	struct store *store, json_t **doc, struct err *err) MUST_CHECK;
/* A generation's doc. */
int change_doc(struct store *store, long long generation, json_t **doc,
	struct err *err) MUST_CHECK;
/* What differs now between the working set and change_current. */
int change_pending(struct store *store, bool brief, json_t **changes,
	struct err *err) MUST_CHECK;
/* Make a generation of the working set, or, where that takes several steps
 * (step.h), of the first of them; it remembers its goal then. */
int change_make(struct store *store, const struct change *change,
	long long *generation, struct err *err) MUST_CHECK;
/* Make the next step's generation, when the newest is approved and has not
 * reached its goal. *generation 0: there is none to make now; why not is in
 * `waits` (a list, as step_doc has it). */
int change_next(struct store *store, const struct change *change,
	long long *generation, json_t *waits, struct err *err) MUST_CHECK;
/* Make a generation with an old one's content; the working set is left. */
int change_return(struct store *store, long long to,
	const struct change *change, long long *generation,
	struct err *err) MUST_CHECK;
/* Put an old generation's content into the working set (zones too; nodes
 * stay as they are). */
int change_restore(
	struct store *store, long long from, struct err *err) MUST_CHECK;

#endif
