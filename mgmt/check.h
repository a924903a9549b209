/* SPDX-License-Identifier: ISC */
#ifndef MGMT_CHECK_H
#define MGMT_CHECK_H

/*
 * Is this model fit to become a generation? Values, keys, references, and
 * what no single row can tell. Pure. 0, or -EINVAL with one line.
 */

#include "common/base/err.h"

#include <jansson.h>
#include <stdbool.h>

int check_model(const json_t *doc, struct err *err) MUST_CHECK;
/* One row of `rule` alone: the action has what it needs, and nothing that
 * belongs to another; values that the frontend would refuse. */
int check_rule(const json_t *row, struct err *err) MUST_CHECK;
/* All of them, as a part of check_model. */
int check_rules(const json_t *doc, struct err *err) MUST_CHECK;
/* Does this row of `route` hand more on than queries? */
bool check_route_allows(const json_t *row);
/* Does a backend belong to the pool? */
bool check_pool_has_backend(const json_t *doc, const char *pool);

#endif
