/* SPDX-License-Identifier: ISC */
#ifndef MGMT_STORE_SQL_H
#define MGMT_STORE_SQL_H

/*
 * Inside of the store: one statement in, rows out. Included by mgmt/store*.c
 * only.
 */

#include "mgmt/store.h"

struct sqlite3;

struct store {
	struct sqlite3 *db;
	struct sql_cache *cache;
	bool writing;    /* between begin and commit */
	size_t blob_max; /* 0: no limit */
};

/*
 * Run one statement (prepared once and kept). `types` tells the arguments:
 * s text, i long long, j json_t * (text, integer, bool; arrays and objects as
 * their canonical text), b data and size_t. *out (may be NULL) becomes an
 * array of {column: value}. Errors as in store.h; -EEXIST for a key that is
 * there.
 */
int sql_run(struct store *store, json_t **out, struct err *err, const char *sql,
	const char *types, ...) MUST_CHECK;
/* Rows that the last INSERT, UPDATE or DELETE touched. */
int sql_changes(const struct store *store);
/* The first row (new reference), -ENOENT with `what` in err. */
int sql_one(struct store *store, json_t **out, const char *what,
	struct err *err, const char *sql, const char *types, ...) MUST_CHECK;
/* Several statements without arguments or rows. */
int sql_script(
	struct store *store, const char *sql, struct err *err) MUST_CHECK;
/* One blob: malloc'ed. */
int sql_blob(struct store *store, const char *sql, const char *key, char **data,
	size_t *len, struct err *err) MUST_CHECK;

struct sql_cache *sql_cache_new(void);
void sql_cache_free(struct sql_cache *cache);

#endif
