/* SPDX-License-Identifier: ISC */
/*
 * Reader of a small part of Lua: a scanner and a recursive descent with a
 * bound on depth. After an error it goes on at the next line that starts a
 * statement, so that one run reports every bad line.
 */
#include "mgmt/cli/lua.h"

#include <ctype.h>
#include <errno.h>

#define DEPTH_MAX 32

enum token {
	T_END,
	T_NAME,
	T_STRING,
	T_NUMBER,
	T_PUNCT, /* one character, in p->punct */
	T_BAD,
};

struct parser {
	const char *pos;
	unsigned line;      /* of pos */
	unsigned last_line; /* on which the last token ended */
	struct arena *arena;
	const struct lua_events *ev;
	void *arg;
	enum token token;
	unsigned token_line;
	char punct;
	const char *text;
	double number;
	const char *bad; /* first error of the statement */
	bool nomem;
};

static const char *keep(struct parser *p, const char *start, size_t len)
{
	char *copy = arena_alloc(p->arena, len + 1);

	if (!copy) {
		p->nomem = true;
		return "";
	}
	memcpy(copy, start, len);
	copy[len] = '\0';
	return copy;
}

/* Length of a typographic quotation mark at `s`, else 0. */
static size_t curly(const char *s)
{
	static const char *const marks[] = {
		"\xe2\x80\x9c", "\xe2\x80\x9d", "\xe2\x80\x98", "\xe2\x80\x99"};

	for (size_t i = 0; i < countof(marks); i++)
		if (strncmp(s, marks[i], 3) == 0)
			return 3;
	return 0;
}

static void skip_line(struct parser *p)
{
	p->pos += strcspn(p->pos, "\n");
}

static void scan_comment(struct parser *p)
{
	const char *start = p->pos + 2, *end;

	if (strncmp(start, "[[", 2) == 0) {
		end = strstr(start, "]]");
		end = end ? end + 2 : start + strlen(start);
		for (; p->pos < end; p->pos++)
			p->line += *p->pos == '\n';
		return;
	}
	start += strspn(start, "- \t");
	skip_line(p);
	if (start < p->pos)
		p->ev->comment(p->arg, p->line,
			keep(p, start, (size_t)(p->pos - start)));
}

static void scan_space(struct parser *p)
{
	for (;;) {
		if (*p->pos == '\n') {
			p->line++;
			p->pos++;
		} else if (isspace((unsigned char)*p->pos)) {
			p->pos++;
		} else if (strncmp(p->pos, "--", 2) == 0) {
			scan_comment(p);
		} else if (*p->pos == '#') {
			p->ev->odd(p->arg, p->line,
				"'#' starts no comment in Lua: the rest of the "
				"line is taken as one");
			skip_line(p);
		} else {
			return;
		}
	}
}

static enum token scan_string(struct parser *p)
{
	size_t quote = curly(p->pos), len;
	char close = *p->pos;
	const char *start = p->pos + (quote ? quote : 1);
	const char *end = start;

	if (quote)
		p->ev->odd(p->arg, p->line,
			"typographic quotation marks: read as plain ones");
	while (*end && *end != '\n' && (quote ? !curly(end) : *end != close))
		end += *end == '\\' && end[1] && end[1] != '\n' ? 2 : 1;
	if (!*end || *end == '\n') {
		p->pos = end;
		p->bad = "string without end";
		return T_BAD;
	}
	len = (size_t)(end - start);
	p->text = keep(p, start, len);
	p->pos = end + (quote ? quote : 1);
	return T_STRING;
}

static enum token scan_word(struct parser *p)
{
	const char *start = p->pos;
	char *end;

	if (isdigit((unsigned char)*start)) {
		p->number = strtod(start, &end);
		p->pos = end;
		p->text = keep(p, start, (size_t)(end - start));
		return T_NUMBER;
	}
	while (isalnum((unsigned char)*p->pos) || *p->pos == '_')
		p->pos++;
	p->text = keep(p, start, (size_t)(p->pos - start));
	return T_NAME;
}

static void next(struct parser *p)
{
	p->last_line = p->line;
	scan_space(p);
	p->token_line = p->line;
	if (!*p->pos)
		p->token = T_END;
	else if (*p->pos == '"' || *p->pos == '\'' || curly(p->pos))
		p->token = scan_string(p);
	else if (isalnum((unsigned char)*p->pos) || *p->pos == '_')
		p->token = scan_word(p);
	else {
		p->token = T_PUNCT;
		p->punct = *p->pos++;
	}
}

static bool at(const struct parser *p, char punct)
{
	return p->token == T_PUNCT && p->punct == punct;
}

static struct lua *fail(struct parser *p, const char *what)
{
	if (!p->bad)
		p->bad = what;
	return NULL;
}

static struct lua *node_new(struct parser *p, enum lua_kind kind)
{
	struct lua *node = arena_alloc(p->arena, sizeof(*node));

	if (!node) {
		p->nomem = true;
		return fail(p, "out of memory");
	}
	node->kind = kind;
	node->line = p->token_line;
	node->text = p->text;
	node->number = p->number;
	return node;
}

static struct lua *parse_expr(struct parser *p, unsigned depth);

/* One "key = value" or "value" of a table. */
static struct lua *parse_field(struct parser *p, unsigned depth)
{
	struct lua *first = parse_expr(p, depth), *value;

	if (!first || !at(p, '='))
		return first;
	if (first->kind != LUA_NAME)
		return fail(p, "a table's key must be a name");
	next(p);
	value = parse_expr(p, depth);
	if (value)
		value->key = first->text;
	return value;
}

/* Items up to `close`, the opening mark being the present token. */
static bool parse_items(
	struct parser *p, char close, struct lua **list, unsigned depth)
{
	struct lua *item;

	next(p);
	while (!at(p, close)) {
		item = close == '}' ? parse_field(p, depth)
				    : parse_expr(p, depth);
		if (!item)
			return false;
		*list = item;
		list = &item->next;
		if (at(p, ',') || (close == '}' && at(p, ';')))
			next(p);
		else if (!at(p, close))
			return fail(p, close == '}' ? "',' or '}' expected"
						    : "',' or ')' expected");
	}
	next(p);
	return true;
}

static struct lua *parse_primary(struct parser *p, unsigned depth)
{
	struct lua *node;

	if (p->token == T_NAME) {
		node = node_new(p, LUA_NAME);
		if (node && strcmp(p->text, "nil") == 0)
			node->kind = LUA_NIL;
		else if (node && (strcmp(p->text, "true") == 0 ||
					 strcmp(p->text, "false") == 0)) {
			node->kind = LUA_BOOL;
			node->number = p->text[0] == 't';
		}
	} else if (p->token == T_STRING) {
		node = node_new(p, LUA_STRING);
	} else if (p->token == T_NUMBER) {
		node = node_new(p, LUA_NUMBER);
	} else if (at(p, '{')) {
		node = node_new(p, LUA_TABLE);
		if (node && !parse_items(p, '}', &node->args, depth))
			return NULL;
		return node;
	} else {
		return fail(p, "a value expected");
	}
	next(p);
	return node;
}

/* ".name", ":name(...)", "(...)", "{...}" or "text" behind a value. */
static struct lua *parse_suffix(
	struct parser *p, struct lua *object, unsigned depth)
{
	struct lua *node;
	char punct = p->punct;

	if (at(p, '.') || at(p, ':')) {
		next(p);
		if (p->token != T_NAME)
			return fail(p, "a name expected");
		node = node_new(p, punct == '.' ? LUA_INDEX : LUA_METHOD);
		next(p);
		if (node && punct == ':' && !at(p, '('))
			return fail(p, "'(' expected");
	} else {
		node = node_new(p, LUA_CALL);
	}
	if (!node)
		return NULL;
	node->object = object;
	node->line = object->line;
	if (node->kind == LUA_INDEX)
		return node;
	if (at(p, '('))
		return parse_items(p, ')', &node->args, depth) ? node : NULL;
	node->args = parse_primary(p, depth); /* f{...}, f"..." */
	return node->args ? node : NULL;
}

static struct lua *parse_expr(struct parser *p, unsigned depth)
{
	struct lua *node;

	if (depth >= DEPTH_MAX)
		return fail(p, "nested too deep");
	node = parse_primary(p, depth + 1);
	while (node &&
		(at(p, '.') || at(p, ':') || at(p, '(') ||
			(at(p, '{') && node->kind == LUA_NAME) ||
			(p->token == T_STRING && node->kind == LUA_NAME)))
		node = parse_suffix(p, node, depth + 1);
	return node;
}

static void parse_statement(struct parser *p, bool tight)
{
	unsigned line = p->token_line;
	bool local = p->token == T_NAME && strcmp(p->text, "local") == 0;
	struct lua *left, *value = NULL;

	if (local)
		next(p);
	left = parse_expr(p, 0);
	if (!left)
		return;
	if (at(p, '=')) {
		next(p);
		value = parse_expr(p, 0);
		if (!value)
			return;
	}
	if (left->kind == LUA_NAME && (value || local))
		p->ev->assign(p->arg, line, left->text, value, tight);
	else if (!value && (left->kind == LUA_CALL || left->kind == LUA_METHOD))
		p->ev->call(p->arg, line, left, tight);
	else
		fail(p, "neither an assignment nor a call");
}

/* After an error: on to a line below that starts with a name. */
static void resync(struct parser *p)
{
	unsigned line = p->token_line;

	p->ev->error(p->arg, line, p->bad);
	p->bad = NULL;
	if (p->line == line)
		skip_line(p);
	next(p);
	while (p->token != T_END && p->token != T_NAME) {
		p->bad = NULL;
		skip_line(p);
		next(p);
	}
}

int lua_read(const char *text, unsigned line, struct arena *arena,
	const struct lua_events *ev, void *arg)
{
	struct parser p = {.pos = text,
		.line = line,
		.arena = arena,
		.ev = ev,
		.arg = arg};
	unsigned ended = 0;

	next(&p);
	while (p.token != T_END && !p.nomem) {
		if (at(&p, ';')) {
			next(&p);
			continue;
		}
		parse_statement(&p, p.token_line == ended);
		ended = p.last_line;
		if (p.bad)
			resync(&p);
	}
	return p.nomem ? -ENOMEM : 0;
}

const struct lua *lua_arg(const struct lua *node, unsigned i)
{
	const struct lua *arg = node ? node->args : NULL;

	for (; arg; arg = arg->next)
		if (!arg->key && i-- == 0)
			return arg;
	return NULL;
}

const struct lua *lua_field(const struct lua *table, const char *key)
{
	const struct lua *arg;

	if (!table || table->kind != LUA_TABLE)
		return NULL;
	for (arg = table->args; arg; arg = arg->next)
		if (arg->key && strcmp(arg->key, key) == 0)
			return arg;
	return NULL;
}

const char *lua_path(const struct lua *node, char *out, size_t size)
{
	char left[256];

	out[0] = '\0';
	if (node && node->kind == LUA_NAME)
		snprintf(out, size, "%s", node->text);
	else if (node && node->kind == LUA_INDEX)
		snprintf(out, size, "%s.%s",
			lua_path(node->object, left, sizeof(left)), node->text);
	return out;
}

const char *lua_string(const struct lua *node)
{
	return node && node->kind == LUA_STRING ? node->text : NULL;
}

bool lua_is_call(const struct lua *node, const char *name)
{
	return node && node->kind == LUA_CALL &&
	       node->object->kind == LUA_NAME &&
	       strcmp(node->object->text, name) == 0;
}
