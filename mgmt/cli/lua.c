/* SPDX-License-Identifier: ISC */
/*
 * Reader of a small part of Lua: a recursive descent with a bound on depth
 * over the scanner's tokens. After an error it goes on at the next line that
 * starts a statement, so that one run reports every bad line.
 */
#include "mgmt/cli/lua_impl.h"

#include <ctype.h>
#include <errno.h>

#define DEPTH_MAX 32

static bool at(const struct lua_parser *p, char punct)
{
	return p->token == T_PUNCT && p->punct == punct;
}

static bool at_word(const struct lua_parser *p, const char *word)
{
	return p->token == T_NAME && strcmp(p->text, word) == 0;
}

static struct lua *fail(struct lua_parser *p, const char *what)
{
	if (!p->bad)
		p->bad = what;
	return NULL;
}

static struct lua *node_new(struct lua_parser *p, enum lua_kind kind)
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

static struct lua *parse_expr(struct lua_parser *p, unsigned depth);

/* The key of "key = value" or "[key] = value"; NULL: there is none. */
static bool parse_bracket_key(
	struct lua_parser *p, unsigned depth, const char **key)
{
	struct lua *node;

	*key = NULL;
	if (!at(p, '['))
		return true;
	lua_next(p);
	node = parse_expr(p, depth);
	if (!node || !at(p, ']') ||
		(node->kind != LUA_STRING && node->kind != LUA_NUMBER))
		return fail(p, "a key in brackets must be a text or a number");
	lua_next(p);
	if (!at(p, '='))
		return fail(p, "'=' expected");
	lua_next(p);
	*key = node->kind == LUA_STRING ? node->text : NULL;
	return true;
}

/* One "key = value" or "value" of a table. */
static struct lua *parse_field(struct lua_parser *p, unsigned depth)
{
	struct lua *first, *value;
	const char *key;

	if (!parse_bracket_key(p, depth, &key))
		return NULL;
	first = parse_expr(p, depth);
	if (!first || key || !at(p, '=')) {
		if (first && key)
			first->key = key;
		return first;
	}
	if (first->kind != LUA_NAME)
		return fail(p, "a table's key must be a name");
	lua_next(p);
	value = parse_expr(p, depth);
	if (value)
		value->key = first->text;
	return value;
}

/* Items up to `close`, the opening mark being the present token. */
static bool parse_items(
	struct lua_parser *p, char close, struct lua **list, unsigned depth)
{
	struct lua *item;

	lua_next(p);
	while (!at(p, close)) {
		item = close == '}' ? parse_field(p, depth)
				    : parse_expr(p, depth);
		if (!item)
			return false;
		*list = item;
		list = &item->next;
		if (at(p, ',') || (close == '}' && at(p, ';')))
			lua_next(p);
		else if (!at(p, close))
			return fail(p, close == '}' ? "',' or '}' expected"
						    : "',' or ')' expected");
	}
	lua_next(p);
	return true;
}

static struct lua *parse_word(struct lua_parser *p)
{
	struct lua *node = node_new(p, LUA_NAME);
	unsigned line;

	if (!node)
		return NULL;
	if (strcmp(p->text, "nil") == 0)
		node->kind = LUA_NIL;
	if (strcmp(p->text, "true") == 0 || strcmp(p->text, "false") == 0) {
		node->kind = LUA_BOOL;
		node->number = p->text[0] == 't';
	}
	if (strcmp(p->text, "function") == 0) {
		node->kind = LUA_FUNCTION;
		if (!lua_skip_block(p, &node->text, &line))
			return fail(p, "function without 'end'");
		return node;
	}
	lua_next(p);
	return node;
}

static struct lua *parse_minus(struct lua_parser *p, unsigned depth)
{
	struct lua *node;

	if (depth >= DEPTH_MAX)
		return fail(p, "nested too deep");
	lua_next(p);
	if (p->token != T_NUMBER)
		return fail(p, "a number expected behind '-'");
	node = node_new(p, LUA_NUMBER);
	if (node)
		node->number = -p->number;
	lua_next(p);
	return node;
}

static struct lua *parse_primary(struct lua_parser *p, unsigned depth)
{
	struct lua *node;

	if (p->token == T_NAME)
		return parse_word(p);
	if (at(p, '-'))
		return parse_minus(p, depth);
	if (at(p, '(')) {
		lua_next(p);
		node = parse_expr(p, depth);
		if (!node || !at(p, ')'))
			return fail(p, "')' expected");
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
	lua_next(p);
	return node;
}

/* ".name", ":name(...)", "(...)", "{...}" or "text" behind a value. */
static struct lua *parse_suffix(
	struct lua_parser *p, struct lua *object, unsigned depth)
{
	struct lua *node;
	char punct = p->punct;

	if (at(p, '.') || at(p, ':')) {
		lua_next(p);
		if (p->token != T_NAME)
			return fail(p, "a name expected");
		node = node_new(p, punct == '.' ? LUA_INDEX : LUA_METHOD);
		lua_next(p);
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

static struct lua *parse_operand(struct lua_parser *p, unsigned depth)
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

/* ---- operators ---- */

/* How tightly the operator at hand binds; 0: it is none. */
static unsigned binding(const struct lua_parser *p, char *op)
{
	*op = p->token == T_CONCAT ? '.' : p->punct;
	if (p->token == T_CONCAT)
		return 1;
	if (p->token != T_PUNCT)
		return 0;
	if (*op == '+' || *op == '-')
		return 2;
	return *op == '*' || *op == '/' ? 3 : 0;
}

static double calculate(char op, double a, double b)
{
	switch (op) {
	case '+':
		return a + b;
	case '-':
		return a - b;
	case '*':
		return a * b;
	default:
		return a / b;
	}
}

static bool has_text(const struct lua *node)
{
	return node->kind == LUA_STRING || node->kind == LUA_NUMBER;
}

static const char *join(struct lua_parser *p, const char *a, const char *b)
{
	size_t len = strlen(a), more = strlen(b);
	char *copy = arena_alloc(p->arena, len + more + 1);

	if (!copy) {
		p->nomem = true;
		return "";
	}
	memcpy(copy, a, len);
	memcpy(copy + len, b, more + 1);
	return copy;
}

/* The value of "a op b", in `a`; unknown when one of them is. */
static void fold(
	struct lua_parser *p, struct lua *a, char op, const struct lua *b)
{
	char text[32];

	if (op == '.' && has_text(a) && has_text(b)) {
		a->kind = LUA_STRING;
		a->text = join(p, a->text, b->text);
	} else if (op != '.' && a->kind == LUA_NUMBER &&
		   b->kind == LUA_NUMBER) {
		a->number = calculate(op, a->number, b->number);
		snprintf(text, sizeof(text), "%.14g", a->number);
		a->text = lua_keep(p, text, strlen(text));
	} else {
		a->kind = LUA_OTHER;
		a->text = "?";
		a->args = NULL;
		a->object = NULL;
	}
}

static struct lua *parse_binary(
	struct lua_parser *p, unsigned depth, unsigned least)
{
	struct lua *left = parse_operand(p, depth), *right;
	unsigned bound;
	char op;

	while (left && (bound = binding(p, &op)) >= least && bound > 0) {
		lua_next(p);
		if (depth >= DEPTH_MAX)
			return fail(p, "nested too deep");
		right = parse_binary(p, depth + 1, bound + 1);
		if (!right)
			return NULL;
		fold(p, left, op, right);
	}
	return left;
}

static struct lua *parse_expr(struct lua_parser *p, unsigned depth)
{
	return parse_binary(p, depth, 1);
}

/* ---- statements ---- */

static bool at_block(const struct lua_parser *p)
{
	return at_word(p, "function") || at_word(p, "if") ||
	       at_word(p, "for") || at_word(p, "while") || at_word(p, "do") ||
	       at_word(p, "repeat");
}

/* "function a.b(x) ... end": the name, and what is behind the ')'. */
static void split_function(struct lua_parser *p, const char **name,
	const char **body, unsigned *line)
{
	const char *open = strchr(*body, '('), *close = strchr(*body, ')');
	const char *start = *body;

	if (!open || !close || close < open)
		return;
	for (; start <= close; start++)
		*line += *start == '\n';
	start = *body;
	while (isspace((unsigned char)*start))
		start++;
	while (open > start && isspace((unsigned char)open[-1]))
		open--;
	*name = lua_keep(p, start, open > start ? (size_t)(open - start) : 0);
	*body = close + 1;
}

static void parse_block(struct lua_parser *p)
{
	const char *word = p->text, *name = NULL, *body;
	unsigned line = p->token_line, body_line;

	if (!lua_skip_block(p, &body, &body_line)) {
		(void)fail(p, "a block without 'end'");
		return;
	}
	if (strcmp(word, "function") == 0)
		split_function(p, &name, &body, &body_line);
	p->ev->block(p->arg, line, word, name, body, body_line);
}

static void parse_statement(struct lua_parser *p, bool tight)
{
	unsigned line = p->token_line;
	bool local = at_word(p, "local");
	struct lua *left, *value = NULL;

	if (local)
		lua_next(p);
	if (at_block(p)) {
		parse_block(p);
		return;
	}
	left = parse_expr(p, 0);
	if (!left)
		return;
	if (at(p, '=')) {
		lua_next(p);
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
static void resync(struct lua_parser *p)
{
	unsigned line = p->token_line;

	p->ev->error(p->arg, line, p->bad);
	p->bad = NULL;
	if (p->line == line)
		lua_skip_line(p);
	lua_next(p);
	while (p->token != T_END && p->token != T_NAME) {
		p->bad = NULL;
		lua_skip_line(p);
		lua_next(p);
	}
}

int lua_read(const char *text, unsigned line, struct arena *arena,
	const struct lua_events *ev, void *arg)
{
	struct lua_parser p = {.pos = text,
		.line = line,
		.arena = arena,
		.ev = ev,
		.arg = arg};
	unsigned ended = 0;

	lua_next(&p);
	while (p.token != T_END && !p.nomem) {
		if (at(&p, ';')) {
			lua_next(&p);
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
