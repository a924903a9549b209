/* SPDX-License-Identifier: ISC */
#ifndef AUTHORITY_APPLY_H
#define AUTHORITY_APPLY_H

/*
 * Make NSD serve another tree, and prove it by questions. When a zone does
 * not come up as it should, go back to the tree before, by the same way and
 * at last by a restart of NSD.
 */

#include "authority/server.h"
#include "common/base/metrics.h"
#include "common/net/addr.h"

enum apply_result {
	APPLY_DONE,        /* served and proven */
	APPLY_ROLLED_BACK, /* the tree before is served and proven */
	APPLY_FAILED,      /* neither is proven */
};

struct apply;

/* The apply is over and freed. `why` is empty when it went well. */
typedef void (*apply_done)(
	void *arg, enum apply_result result, const struct err *why);

struct apply_job {
	struct loop *loop;
	struct server *server;
	const char *state;
	const struct tree *from; /* NULL: nothing to go back to */
	const struct tree *to;
	union addr from_addr, to_addr; /* where to ask */
	const struct name *hidden;     /* not served on purpose; or NULL */
	bool restart; /* NSD must be restarted for the new one */
	int up_ms;    /* how long NSD may take to come up; 0: for ever */
	struct histogram *rtt;
	apply_done done;
	void *arg;
};

/* Copies `job`; the trees and the state must live until done. NULL: no
 * memory. `done` is never called from here. */
struct apply *apply_start(const struct apply_job *job) MUST_CHECK;
/* The server told that it is up, or no longer: then the change goes back at
 * once. May end the apply. */
void apply_server_changed(struct apply *apply, bool up);
/* ... or that it does not start. */
void apply_server_failed(struct apply *apply);
void apply_cancel(struct apply *apply); /* NULL allowed */

#endif
