/* SPDX-License-Identifier: ISC */
#ifndef MGMT_CLI_LUA_H
#define MGMT_CLI_LUA_H

/*
 * A reader for the part of Lua that configuration files of dnsdist are
 * written in: assignments and calls with literals, names, tables, a.b, a:b()
 * and arithmetic of numbers. Nothing is run: functions, conditions and loops
 * are handed over as text. Trees live in the caller's arena.
 */

#include "common/base/arena.h"
#include "common/base/err.h"

#include <stdbool.h>

enum lua_kind {
	LUA_NIL,
	LUA_BOOL,
	LUA_NUMBER,
	LUA_STRING,
	LUA_NAME,     /* text */
	LUA_INDEX,    /* object.text */
	LUA_CALL,     /* object(args) */
	LUA_METHOD,   /* object:text(args) */
	LUA_TABLE,    /* args, some with a key */
	LUA_FUNCTION, /* function ... end, as a value; text is its inside */
	LUA_OTHER,    /* an expression whose value is not known */
};

struct lua {
	enum lua_kind kind;
	unsigned line;
	const char *text;
	double number; /* LUA_NUMBER; LUA_BOOL: 0 or 1 */
	struct lua *object;
	struct lua *args; /* first of a list linked by next */
	struct lua *next;
	const char *key; /* of a table's field; NULL: positional */
};

/* What happens line by line. `tight`: the statement starts on the line on
 * which the one before ended. */
struct lua_events {
	/* "name = value" (or local); value NULL: "local name". */
	void (*assign)(void *arg, unsigned line, const char *name,
		const struct lua *value, bool tight);
	void (*call)(
		void *arg, unsigned line, const struct lua *call, bool tight);
	/* "function NAME(...) BODY end", or another `word` that begins a
	 * block (name NULL). `body` begins on line `body_line`. */
	void (*block)(void *arg, unsigned line, const char *word,
		const char *name, const char *body, unsigned body_line);
	/* A comment's text without its dashes. */
	void (*comment)(void *arg, unsigned line, const char *text);
	/* Something that Lua itself would refuse but whose meaning is plain. */
	void (*odd)(void *arg, unsigned line, const char *what);
	/* Could not be read; reading goes on at the next line. */
	void (*error)(void *arg, unsigned line, const char *what);
};

/* Read all of `text`, whose first line has number `line`. -ENOMEM; syntax
 * errors only go to ev->error. */
int lua_read(const char *text, unsigned line, struct arena *arena,
	const struct lua_events *ev, void *arg) MUST_CHECK;

/* Argument or field number `i` without key; NULL when there is none. */
const struct lua *lua_arg(const struct lua *node, unsigned i);
/* Field of a table by key; NULL when absent or `table` is none. */
const struct lua *lua_field(const struct lua *table, const char *key);
/* Dotted name of LUA_NAME and LUA_INDEX ("DNSQType.ANY"), else "". */
const char *lua_path(const struct lua *node, char *out, size_t size);
/* The text of a LUA_STRING, else NULL. */
const char *lua_string(const struct lua *node);
/* Is it a call of the global function `name`? */
bool lua_is_call(const struct lua *node, const char *name);

#endif
