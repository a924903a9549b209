/* SPDX-License-Identifier: ISC */
#ifndef MGMT_CLI_IMPORT_DNSDIST_H
#define MGMT_CLI_IMPORT_DNSDIST_H

/*
 * Between the files of the dnsdist importer only: what its statements have
 * noted so far. Lua nodes live in the arena, JSON is owned.
 */

#include "mgmt/cli/import.h"
#include "mgmt/cli/lua.h"

#define DD_VARS 64

struct dd_var {
	const char *name;
	const struct lua *value;
	json_t *suffixes; /* of a newSuffixMatchNode(), else NULL */
};

struct dd {
	struct import *im;
	const char *file;
	struct arena arena;
	struct dd_var vars[DD_VARS];
	size_t var_count;
	const char *policy; /* of pools without their own */
	json_t *acl;        /* [prefix] */
	json_t *cache;      /* cache.set's arguments */
	json_t *pools;      /* name -> {policy?, cache?, backends:[...]} */
	json_t *routes;     /* [{suffix, pool}] */
	json_t *rules;      /* policy.set's arguments */
	json_t *limit;      /* limit.set's arguments */
	bool acl_said, key_set, web_acl, in_comment;
	unsigned control_line, web_line;
	unsigned catch_all; /* line of AllRule -> PoolAction; 0: none yet */
	const char *web_address;
};

/* The variable `name`, or NULL. */
struct dd_var *dd_var(struct dd *d, const char *name);
void dd_assign(
	struct dd *d, unsigned line, const char *name, const struct lua *value);
/* The pool's object, made when missing; borrowed. */
json_t *dd_pool(struct dd *d, const char *name);
/* Append to an array unless an equal value is there; steals `value`. */
void dd_add_unique(json_t *array, json_t *value);
/* Names in a string, newDNSName(), variable or table of those -> `names`. */
void dd_suffix_values(struct dd *d, const struct lua *value, json_t *names);
/* getPool(x):setCache(y) */
void dd_set_cache(struct dd *d, const struct lua *call);
/* newServer(...) */
void dd_server(struct dd *d, const struct lua *call);
/* addAction(rule, action) */
void dd_action(struct dd *d, const struct lua *call);
/* Turn all of it into calls. */
void dd_emit(struct dd *d);

#endif
