/* SPDX-License-Identifier: ISC */
#ifndef MGMT_CLI_IMPORT_DNSDIST_H
#define MGMT_CLI_IMPORT_DNSDIST_H

/*
 * Between the files of the dnsdist importer only. Statements are read one
 * after the other (import_dnsdist.c); each notes what it means here, and at
 * the end the calls are made. Everything lives in the arena but JSON.
 */

#include "mgmt/cli/import.h"
#include "mgmt/cli/import_dnsdist_entry.h"
#include "mgmt/cli/lua.h"

#define DD_VARS  256
#define DD_ALTS  64    /* alternatives of one selector */
#define DD_LIST  10000 /* values of one matcher of a rule */
#define DD_RULES 4096

/* ---- variables ---- */

enum dd_kind {
	DD_VALUE,    /* whatever stands there */
	DD_SUFFIXES, /* newSuffixMatchNode */
	DD_NAMES,    /* newDNSNameSet */
	DD_MASKS,    /* newNMG */
	DD_BLOCKS,   /* dynBlockRulesGroup */
};

struct dd_var {
	const char *name;
	const struct lua *value;
	enum dd_kind kind;
	struct dd_list list, without;
	unsigned used; /* line of the first rule that copied it */
};

/* Automatic blocks, as block.policy.set takes them. */
struct dd_blocks {
	json_t *set; /* NULL: none */
	struct dd_list exempt;
	unsigned line;      /* of the first of them; 0: none */
	const char *action; /* of setDynBlocksAction; NULL: drop */
	bool applied;       /* apply() in maintenance() */
};

struct dd {
	struct import *im;
	const char *file;
	struct arena arena;
	struct dd_statement *statements, *now; /* all; the one being read */
	struct dd_statement **statements_end;
	struct dd_statement lost; /* stands in when there is no memory */
	struct dd_var vars[DD_VARS];
	size_t var_count;
	const char *policy; /* of pools without their own */
	struct dd_list acl;
	json_t *cache;               /* cache.set's arguments */
	json_t *tcp;                 /* frontend.tcp.set's */
	bool silent;                 /* without a server there is no answer */
	unsigned work;               /* selectors read of this statement */
	const struct lua *caches[8]; /* newPacketCache calls counted already */
	json_t *pools; /* name -> {policy?, cache?, backends:[...]} */
	struct dd_entry *chain, **chain_end;
	struct dd_entry *catch_all; /* AllRule -> PoolAction; NULL: none yet */
	struct dd_blocks blocks;
	bool acl_said, key_set, web_acl, in_comment;
	struct dd_statement *control, *web;
	const char *web_address;
	/* made by the chain */
	json_t *routes; /* [{suffix, pool}] */
	json_t *policy_set, *limit, *rules;
	bool sets; /* PoolAction(pool, false): what comes later is no route */
};

/* ---- saying (import_dnsdist_say.c) ---- */

/* A statement begins: d->now. */
void dd_begin(struct dd *d, unsigned line, const char *what);
/* What becomes of a statement; the first of its kind stays, a worse one
 * (order of enum dd_outcome) replaces it. */
void dd_done(struct dd *d, struct dd_statement *st, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
void dd_not_needed(struct dd *d, struct dd_statement *st, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
void dd_missing(struct dd *d, struct dd_statement *st, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
/* An error is said at once; `st` has failed by it. */
void dd_error(struct dd *d, struct dd_statement *st, unsigned line,
	const char *fmt, ...) PRINTF_LIKE(4, 5);
#define dd_warn(d, line, ...) import_warn((d)->im, (d)->file, line, __VA_ARGS__)
#define dd_note(d, line, ...) import_note((d)->im, (d)->file, line, __VA_ARGS__)
/* The lines of all statements, and their counts. */
void dd_report(struct dd *d);

/* ---- values (import_dnsdist_value.c) ---- */

struct dd_var *dd_var(struct dd *d, const char *name);
void dd_assign(
	struct dd *d, unsigned line, const char *name, const struct lua *value);
/* `node`, or what the variable that it names holds; may be NULL. */
const struct lua *dd_value(struct dd *d, const struct lua *node);
/* A variable of that kind that `node` names, else NULL. */
struct dd_var *dd_var_of(
	struct dd *d, const struct lua *node, enum dd_kind kind);
/* A whole number in min..max; else an error about `what`, and false. */
bool dd_int(struct dd *d, const struct lua *value, const char *what,
	long long min, long long max, long long *out);
/* "DNSQType.ANY", "ANY" or 255 -> "ANY"; "" when it is none of these. */
const char *dd_constant(struct dd *d, const struct lua *value,
	const char *family, char *out, size_t size);
/* Is it a word that an object of ours may be called? */
bool dd_is_ident(const char *text);
/* The pool's object, made when missing; borrowed. NULL (and an error): no name
 * for a pool of ours. */
json_t *dd_pool(struct dd *d, const char *name);
/* Names, or masks ("!" in front: to `without`), in a text, a variable, a table
 * of those. False when one was wrong and said. */
bool dd_names(struct dd *d, const struct lua *value, struct dd_list *names);
bool dd_masks(struct dd *d, const struct lua *value, struct dd_list *masks,
	struct dd_list *without);

/* ---- statements ---- */

/* One that needs nothing here, or has no equivalent: true when known. */
bool dd_plain(struct dd *d, const char *name);
/* A selector -> what it matches. False: said. */
bool dd_select(struct dd *d, const struct lua *node, struct dd_sel *out);
/* The same; of a NotRule() that has no opposite what it excludes is read, and
 * *inverted set. */
bool dd_select_or_not(struct dd *d, const struct lua *node, struct dd_sel *out,
	bool *inverted);
/* AND of two; false (said): too many alternatives. */
bool dd_sel_and(struct dd *d, const struct dd_sel *a, const struct dd_sel *b,
	struct dd_sel *out);
bool dd_sel_or(struct dd *d, struct dd_sel *into, const struct dd_sel *other);
struct dd_match *dd_match_new(struct dd *d, struct dd_sel *sel);
/* Is there nothing in it, but for a limit? */
bool dd_match_is_all(const struct dd_match *m);

/* addAction(rule, action) */
void dd_action(struct dd *d, const struct lua *call);
/* Does it send nothing but NOTIFY, UPDATE or transfers to a pool, in a way that
 * routes can say? */
bool dd_is_relay(const struct dd_entry *e);
/* Does it ask for AXFR or IXFR by name? */
bool dd_has_transfers(const struct dd_match *m);
/* newServer(...); getPool(x):setCache(y) */
void dd_server(struct dd *d, const struct lua *call);
void dd_set_cache(struct dd *d, const struct lua *call);
/* setStaleCacheEntriesTTL(n) */
void dd_stale(struct dd *d, const struct lua *call);
/* group:setQueryRate(...) and the like; function maintenance() */
void dd_block_rule(struct dd *d, const struct lua *call);
/* function maintenance(): what it does each second. */
void dd_maintenance(struct dd *d, const char *body, unsigned line);
void dd_blocks_action(struct dd *d, const struct lua *call);
void dd_blocks_end(struct dd *d);
/* Rules in order -> policy, limit, routes, rules. */
void dd_chain(struct dd *d);
/* Turn all of it into calls. */
void dd_emit(struct dd *d);

#endif
