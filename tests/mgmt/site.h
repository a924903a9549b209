/* SPDX-License-Identifier: ISC */
#ifndef TESTS_MGMT_SITE_H
#define TESTS_MGMT_SITE_H

/* The blueprint's site as a model, for tests to start from and to spoil. */

#include "mgmt/model.h"

/* New reference; two zones with digests are in it. */
json_t *site_doc(void);
/* Row of a table whose first key is `key`; NULL: none. Borrowed. */
json_t *site_row(json_t *doc, const char *table, const char *key);
/* Add a row with defaults filled in from JSON text; false: refused. */
bool site_add(json_t *doc, const char *table, const char *json);

#endif
