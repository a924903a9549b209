/* SPDX-License-Identifier: ISC */
#ifndef MGMT_CHECK_IMPL_H
#define MGMT_CHECK_IMPL_H

/* Between the files of the check of the whole model. Pure. */

#include "mgmt/check.h"
#include "mgmt/model.h"

/* The row of `table` whose first key is `key`, or NULL. */
const json_t *check_find(const json_t *doc, const char *table, const char *key);
/* The row of vip_node or anycast_node; NULL: the node is not of it. */
const json_t *check_member(const json_t *doc, const char *table,
	const char *name, const char *node);

/* check_ha.c: vips, their nodes, what all ispdns-ha have in common. */
int check_vips(const json_t *doc, struct err *err) MUST_CHECK;
/* check_anycast.c */
int check_anycasts(const json_t *doc, struct err *err) MUST_CHECK;

#endif
