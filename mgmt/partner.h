/* SPDX-License-Identifier: ISC */
#ifndef MGMT_PARTNER_H
#define MGMT_PARTNER_H

/* The frontends that stand by for each other. Pure. `doc` and `node` as in
 * revision.h. */

#include "common/base/base.h"

#include <jansson.h>

#define PARTNERS 4 /* at most: that of cache.warm of frontend.yaml */

/* Rows of the other frontends that may take over an address from this node.
 * An array, new reference. */
json_t *partners_of(const json_t *doc, const json_t *node) MUST_CHECK;

#endif
