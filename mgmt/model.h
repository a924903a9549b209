/* SPDX-License-Identifier: ISC */
#ifndef MGMT_MODEL_H
#define MGMT_MODEL_H

/*
 * What an operator configures, as data: tables, columns, their types, ranges
 * and defaults. One description serves the database (store), the arguments
 * of the API (command), the validity of the whole (check), the comparison of
 * two generations (diff) and the rendering of nodes' files (revision).
 *
 * The model itself is a JSON document ("doc"): {"acl":[row,...], ...,
 * "zones":[{"zone","serial","sha256"}]}; a row is an object with one member
 * per column, every column present. Its canonical text (sorted keys, no
 * spaces) is what a generation keeps. Pure; any thread.
 */

#include "common/base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum model_type {
	MODEL_TEXT,  /* printable, no control characters but for MODEL_LINES */
	MODEL_IDENT, /* [A-Za-z0-9_.-]+, at most 63 */
	MODEL_INT,   /* min..max */
	MODEL_BOOL,
	MODEL_ENUM,   /* one of choices */
	MODEL_NAME,   /* domain name; canonical: lower case, final dot */
	MODEL_PREFIX, /* CIDR; canonical text */
	MODEL_IP,     /* address without port */
	MODEL_ADDR,   /* address and port; min = default port */
	MODEL_IFADDR, /* address/length of an interface */
};

enum {
	MODEL_KEY = 1,       /* part of the primary key */
	MODEL_REQUIRED = 2,  /* no default */
	MODEL_LIST = 4,      /* an array of such values */
	MODEL_SECRET = 8,    /* never shown in listings, diffs, audit */
	MODEL_LINES = 16,    /* text of many lines, up to 1 MiB */
	MODEL_OPTIONAL = 32, /* "" is allowed: not given */
	MODEL_REPEAT = 64,   /* with MODEL_LIST: a value may be there twice */
};

struct model_column {
	const char *name;
	enum model_type type;
	unsigned flags;
	const char *dflt; /* JSON text; NULL with MODEL_KEY/MODEL_REQUIRED */
	int64_t min, max; /* MODEL_INT; max octets of a text (0: 255); max
			     values of a list */
	const char *const *choices;
	const char *ref; /* the table whose first key this names, or "" with
			    MODEL_OPTIONAL; NULL: none */
	bool owned;      /* the row goes when the named one is deleted */
};

enum {
	MODEL_SINGLE = 1, /* exactly one row, without key */
	MODEL_KEEP = 2,   /* a rollback leaves the table as it is */
};

struct model_table {
	const char *name;
	const char *noun; /* in messages: "pool auth: not found" */
	unsigned flags;
	const struct model_column *columns;
	size_t count;
};

/* All tables, in an order in which rows can be inserted. */
const struct model_table *model_tables(size_t *count);
/* NULL: no such table. */
const struct model_table *model_table(const char *name);
const struct model_column *model_column(
	const struct model_table *table, const char *name);

/* Check one value and bring it into its canonical form (new reference in
 * *out). -EINVAL with "NAME: what is allowed". A number or a bool may come as
 * text, a list as one value. */
int model_value(const struct model_column *column, const json_t *in,
	json_t **out, struct err *err) MUST_CHECK;

/* A whole row from `args`: absent columns take their defaults. -EBADR: a
 * column is missing or unknown; -EINVAL: a bad value. New reference. */
int model_row_new(const struct model_table *table, const json_t *args,
	json_t **out, struct err *err) MUST_CHECK;
/* Only the columns that are in `args` (a change); same errors. */
int model_row_change(const struct model_table *table, const json_t *args,
	json_t **out, struct err *err) MUST_CHECK;
/* What an absent column becomes: new reference, NULL for one that must be
 * given. */
json_t *model_default(const struct model_column *column) MUST_CHECK;
/* "auth/auth1": the key columns of a row. Returns `out`. */
#define MODEL_KEY_TEXT 512
char *model_key(const struct model_table *table, const json_t *row,
	char out[MODEL_KEY_TEXT]);
/* A copy of `row` with the secrets replaced by "***". */
json_t *model_masked(
	const struct model_table *table, const json_t *row) MUST_CHECK;

/* Give a doc that an older version made the tables and columns that it lacks,
 * with their defaults. -EINVAL: a column that has none is missing. */
int model_complete(json_t *doc, struct err *err) MUST_CHECK;
/* The rows of a table in a doc (borrowed array, never NULL for a doc that
 * came from store_doc or model_complete), and its row when it is
 * MODEL_SINGLE. */
const json_t *model_rows(const json_t *doc, const char *table);
const json_t *model_single(const json_t *doc, const char *table);
/* Members of a row; the row must have them (assert). */
const char *row_str(const json_t *row, const char *column);
int64_t row_int(const json_t *row, const char *column);
bool row_bool(const json_t *row, const char *column);
const json_t *row_list(const json_t *row, const char *column);
/* Is `text` one of a list of texts? */
bool list_has(const json_t *list, const char *text);
/* Sorted keys, no spaces; malloc'ed. NULL: no memory. */
char *json_canonical(const json_t *value) MUST_CHECK;

#endif
