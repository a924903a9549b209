/* SPDX-License-Identifier: ISC */
#ifndef MGMT_AUDIT_H
#define MGMT_AUDIT_H

/*
 * Who changed what: rows chained by SHA-256, so that a row which was edited
 * or taken out of the file shows. Main thread.
 */

#include "mgmt/store.h"

struct audit_entry {
	const char *actor; /* "root", "token:noc" */
	const char *src;   /* "unix", an address */
	const char *verb;
	const char *object; /* "zone/example.net." */
	const json_t *args; /* secrets are masked here */
	const char *message;
};

/* Append to the transaction in progress. */
int audit_add(struct store *store, const struct audit_entry *entry,
	struct err *err) MUST_CHECK;
/* Walk the whole chain. *rows: how many. -EINVAL names the first bad row. */
int audit_verify(
	struct store *store, long long *rows, struct err *err) MUST_CHECK;

#endif
