/* SPDX-License-Identifier: ISC */
#ifndef MGMT_RENDER_H
#define MGMT_RENDER_H

/* The configuration file of each part, as YAML text. Pure. `doc` and `node`
 * as in revision.h. */

#include "common/base/buf.h"
#include "common/base/err.h"

#include <jansson.h>
#include <stdbool.h>

#define RENDER_KEY 264 /* room for "zones/<file>" */

bool node_has_role(const json_t *node, const char *role);
/* Where the part of a node listens: array of "address:port", new reference. */
json_t *node_listen(const json_t *node, const char *part) MUST_CHECK;
/* The manifest's key of a zone's file. -EINVAL: not a domain name. */
int render_zone_key(const char *zone, char *out, size_t size) MUST_CHECK;

void render_frontend(struct text *out, const json_t *doc, const json_t *node);
void render_resolver(struct text *out, const json_t *doc, const json_t *node);
int render_authority(struct text *out, const json_t *doc, const json_t *node,
	struct err *err) MUST_CHECK;
void render_ha(struct text *out, const json_t *doc, const json_t *node);
/* The pool that our own authority nodes are in, to which zones without a
 * route of their own go; NULL: there is none. */
const char *render_authority_pool(const json_t *doc);
/* Rows of `rule` in the order in which frontends look at them: by position,
 * then name. A new array; NULL: no memory. */
json_t *render_rule_order(const json_t *rows) MUST_CHECK;

#endif
