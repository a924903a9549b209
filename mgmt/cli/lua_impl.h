/* SPDX-License-Identifier: ISC */
#ifndef MGMT_CLI_LUA_IMPL_H
#define MGMT_CLI_LUA_IMPL_H

/* Between the scanner (lua_scan.c) and the parser (lua.c) only. */

#include "mgmt/cli/lua.h"

enum lua_token {
	T_END,
	T_NAME,
	T_STRING,
	T_NUMBER,
	T_CONCAT, /* ".." */
	T_PUNCT,  /* one character, in p->punct */
	T_BAD,
};

struct lua_parser {
	const char *pos;
	unsigned line;      /* of pos */
	unsigned last_line; /* on which the last token ended */
	struct arena *arena;
	const struct lua_events *ev;
	void *arg;
	bool quiet; /* inside of what is not run: no events */
	enum lua_token token;
	const char *token_pos;
	unsigned token_line;
	char punct;
	const char *text; /* of a name, string or number */
	double number;
	const char *bad; /* first error of the statement */
	bool nomem;
};

/* A copy in the arena, "" (and p->nomem) without memory. */
const char *lua_keep(struct lua_parser *p, const char *start, size_t len);
/* On to the next token. */
void lua_next(struct lua_parser *p);
/* p->pos to the end of its line. */
void lua_skip_line(struct lua_parser *p);
/* The present token is a word that opens a block ("function", "if", "for",
 * "while", "do", "repeat"): go behind its end. The text between is kept in
 * *body, first line *line. False: the end is missing. */
bool lua_skip_block(struct lua_parser *p, const char **body, unsigned *line);

#endif
