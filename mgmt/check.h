/* SPDX-License-Identifier: ISC */
#ifndef MGMT_CHECK_H
#define MGMT_CHECK_H

/*
 * Is this model fit to become a generation? Values, keys, references, and
 * what no single row can tell. Pure. 0, or -EINVAL with one line.
 */

#include "common/base/err.h"

#include <jansson.h>

int check_model(const json_t *doc, struct err *err) MUST_CHECK;

#endif
