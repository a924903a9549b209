/* SPDX-License-Identifier: ISC */
#ifndef COMMON_CTL_CONF_H
#define COMMON_CTL_CONF_H

/*
 * YAML text (libyaml) -> a tree checked against a schema table, each node
 * with its line. Unknown keys, duplicate keys, wrong types and ranges are
 * errors of the form "FILE:LINE: what: what is allowed". conf_print is the
 * inverse through the same table. Anchors and tags are refused. One thread
 * builds; then read only.
 */

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/ctl/schema.h"
#include "common/dns/name.h"
#include "common/net/prefix.h"

struct conf;      /* one file */
struct conf_node; /* borrowed from its conf */

/* Parse `text` (named `file` in messages; relative SCHEMA_PATHs are taken
 * from its folder). NULL with a line in err. At most 64 MiB. */
struct conf *conf_parse(const char *text, size_t len, const char *file,
	const struct schema_item *schema, struct err *err) MUST_CHECK;
struct conf *conf_read(const char *file, const struct schema_item *schema,
	struct err *err) MUST_CHECK;
void conf_free(struct conf *conf); /* NULL allowed */
const struct conf_node *conf_root(const struct conf *conf);
const char *conf_file(const struct conf *conf);

/* "5s", "300ms", "2m", a plain number of seconds; in milliseconds. False:
 * none of these. As SCHEMA_DURATION, for verbs of the control socket. */
bool conf_parse_duration(const char *text, int64_t *ms);

/* Child of a map or dict by key; NULL when absent and without default.
 * Asking for a key that is not in the schema is a bug (assert). */
const struct conf_node *conf_get(const struct conf_node *node, const char *key);
/* Follow "a.b.c". */
const struct conf_node *conf_path(
	const struct conf_node *node, const char *path);
bool conf_has(const struct conf_node *node, const char *key);

/* Values; the node's type must fit (assert). */
bool conf_bool(const struct conf_node *node);
int64_t conf_int(const struct conf_node *node); /* also size, duration (ms),
						    enum (index) */
double conf_real(const struct conf_node *node);
const char *conf_str(const struct conf_node *node); /* also path (made
						absolute), enum text, name */
const union addr *conf_addr(const struct conf_node *node);
const struct prefix *conf_prefix(const struct conf_node *node);
const struct name *conf_name(const struct conf_node *node);

/* Short forms: conf_get + value. The key must be present or have a default. */
bool conf_get_bool(const struct conf_node *node, const char *key);
int64_t conf_get_int(const struct conf_node *node, const char *key);
const char *conf_get_str(const struct conf_node *node, const char *key);
/* NULL: absent */

/* Lists and dicts: for (n = conf_first(l); n; n = conf_next(n)). */
const struct conf_node *conf_first(const struct conf_node *node);
const struct conf_node *conf_next(const struct conf_node *node);
size_t conf_count(const struct conf_node *node);    /* NULL: 0 */
const char *conf_key(const struct conf_node *node); /* in a map or dict */
unsigned conf_line(const struct conf_node *node);

/* "FILE:LINE: <fmt>" into err; returns -EINVAL. For checks beyond the table
 * (references between parts). */
int conf_error(const struct conf *conf, const struct conf_node *node,
	struct err *err, const char *fmt, ...) PRINTF_LIKE(4, 5);

/* The configuration with all defaults filled in, as YAML that parses again
 * to the same. */
void conf_print(const struct conf *conf, struct text *out);
/* The same for people: secrets that are not empty are "***". */
void conf_show(const struct conf *conf, struct text *out);
/* Reference page of a schema (Markdown). */
void schema_print_reference(
	const struct schema_item *schema, const char *title, struct text *out);
/* The first key of reload class RESTART whose value differs, or NULL. */
const char *conf_restart_key(const struct conf *a, const struct conf *b);

#endif
