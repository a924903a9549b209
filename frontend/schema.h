/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_SCHEMA_H
#define FRONTEND_SCHEMA_H

/* Parts of the table behind config_schema(), shared by its files only. */

#include "common/ctl/schema.h"

extern const struct schema_item schema_acl[];     /* keys of "acl" */
extern const struct schema_item schema_policy[];  /* of "policy" */
extern const struct schema_item schema_limit[];   /* of "limit" */
extern const struct schema_item schema_dynamic[]; /* of "dynamic_blocks" */
extern const struct schema_item schema_rule[];    /* item of "rules" */
extern const struct schema_item schema_route[];   /* item of "routes" */
extern const struct schema_item schema_transfers[];
extern const struct schema_item schema_cookies[];
extern const struct schema_item schema_blocks[];
extern const struct schema_item schema_top[];
extern const struct schema_item schema_drop_log[];

#endif
