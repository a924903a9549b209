/* SPDX-License-Identifier: ISC */
#ifndef AUTHORITY_NSDCONF_H
#define AUTHORITY_NSDCONF_H

/* Configuration and zone tree -> text of nsd.conf and of NSD's zone.list.
 * Pure. */

#include "authority/config.h"
#include "authority/tree.h"
#include "common/base/buf.h"

/* NSD's pattern for the zones that go through addzone. */
#define NSDCONF_PATTERN "static"

/* The part whose change needs a restart of NSD. `control` is the path of its
 * control socket. */
void nsdconf_server(const struct auth_config *config, const char *control,
	struct text *out);
/* Pattern and the zones with a clause of their own: applied by reconfig. */
void nsdconf_zones(const struct auth_config *config, const struct tree *tree,
	struct text *out);
/* zone.list: what NSD has by addzone when it starts; without `hidden`. */
void nsdconf_zone_list(
	const struct tree *tree, const struct name *hidden, struct text *out);
/* One line of a bulk addzones (or, `pattern` false, delzones). */
void nsdconf_bulk_line(
	const struct tree_zone *zone, bool pattern, struct text *out);

#endif
