/* SPDX-License-Identifier: ISC */
#ifndef MGMT_RENDER_IMPL_H
#define MGMT_RENDER_IMPL_H

/* What the renderers of the parts share: lines of YAML. Pure. */

#include "common/base/digest.h"
#include "common/net/addr.h"
#include "mgmt/model.h"
#include "mgmt/render.h"

/* A YAML double-quoted scalar. */
void render_quoted(struct text *out, const char *text);
/* `key: "text"`, without an end of line. */
void render_key_quoted(struct text *out, const char *key, const char *text);
/* `key: 5s` or `key: 1500ms`, without an end of line. */
void render_duration(struct text *out, const char *key, int64_t ms);
/* `key: ["a", "b"]` and an end of line. */
void render_list(struct text *out, const char *key, const json_t *list);
/* A key that the nodes of the site share for one purpose, 64 hex digits; ""
 * when the doc has no secret. */
void render_shared_key(
	const json_t *doc, const char *purpose, char out[DIGEST_HEX]);
/* The key `listen` of a part. */
void render_listen(struct text *out, const json_t *node, const char *part);
/* The key `workers`, when the node's row has one. */
void render_workers(struct text *out, const json_t *node);
/* The section `acl` of an access list. Loopback is always allowed (proofs and
 * probes of the node itself), and so are `nodes` (rows, may be NULL), unless
 * the operator's own words hold them. */
void render_acl(struct text *out, const json_t *doc, const char *list,
	const json_t *nodes);

/* render_pool.c: the section `pools` of a frontend. */
void render_pools(struct text *out, const json_t *doc);
/* Does the one row of a table differ from that of the first start? What does
 * not is left out of a file, which stays as older versions wrote it. */
bool render_is_set(const json_t *doc, const char *table);

#endif
