/* SPDX-License-Identifier: ISC */
/* Octets of a Lua file -> tokens; comments are told as events. */
#include "mgmt/cli/lua_impl.h"

#include <ctype.h>

const char *lua_keep(struct lua_parser *p, const char *start, size_t len)
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

void lua_skip_line(struct lua_parser *p)
{
	p->pos += strcspn(p->pos, "\n");
}

/* Behind the "]]" of a text that begins at `start`; its end goes to *end. */
static bool skip_long(struct lua_parser *p, const char *start, const char **end)
{
	const char *close = strstr(start, "]]");

	*end = close ? close : start + strlen(start);
	for (; p->pos < *end; p->pos++)
		p->line += *p->pos == '\n';
	p->pos += close ? 2 : 0;
	return close;
}

static void scan_comment(struct lua_parser *p)
{
	const char *start = p->pos + 2, *end;

	if (strncmp(start, "[[", 2) == 0) {
		(void)skip_long(p, start + 2, &end);
		return;
	}
	start += strspn(start, "- \t");
	lua_skip_line(p);
	if (start < p->pos && !p->quiet)
		p->ev->comment(p->arg, p->line,
			lua_keep(p, start, (size_t)(p->pos - start)));
}

static void say_odd(struct lua_parser *p, const char *what)
{
	if (!p->quiet)
		p->ev->odd(p->arg, p->line, what);
}

static void scan_space(struct lua_parser *p)
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
			say_odd(p, "'#' starts no comment in Lua: the rest of "
				   "the line is taken as one");
			lua_skip_line(p);
		} else {
			return;
		}
	}
}

/* The octet that the escape behind a backslash stands for; *s goes on. */
static char escape(const char **s)
{
	static const char letters[] = "n\nt\tr\ra\ab\bf\fv\v";
	const char *letter;
	unsigned code = 0;

	if (isdigit((unsigned char)**s)) {
		for (int i = 0; i < 3 && isdigit((unsigned char)**s); i++)
			code = code * 10 + (unsigned)(*(*s)++ - '0');
		return code > 0 && code < 128 ? (char)code : '?';
	}
	letter = strchr(letters, **s);
	if (letter && (letter - letters) % 2 == 0 && **s) {
		(*s)++;
		return letter[1];
	}
	return *(*s)++;
}

static const char *unescape(
	struct lua_parser *p, const char *s, const char *end)
{
	char *copy = arena_alloc(p->arena, (size_t)(end - s) + 1), *to = copy;

	if (!copy) {
		p->nomem = true;
		return "";
	}
	while (s < end) {
		char c = *s++;

		*to++ = c == '\\' && s < end ? escape(&s) : c;
	}
	*to = '\0';
	return copy;
}

static enum lua_token scan_string(struct lua_parser *p)
{
	size_t quote = curly(p->pos);
	char close = *p->pos;
	const char *start = p->pos + (quote ? quote : 1);
	const char *end = start;

	if (quote)
		say_odd(p, "typographic quotation marks: read as plain ones");
	while (*end && *end != '\n' && (quote ? !curly(end) : *end != close))
		end += *end == '\\' && end[1] && end[1] != '\n' ? 2 : 1;
	if (!*end || *end == '\n') {
		p->pos = end;
		p->bad = "string without end";
		return T_BAD;
	}
	p->text = unescape(p, start, end);
	p->pos = end + (quote ? quote : 1);
	return T_STRING;
}

static enum lua_token scan_long(struct lua_parser *p)
{
	const char *start = p->pos + 2, *end;

	if (!skip_long(p, start, &end)) {
		p->bad = "string without end";
		return T_BAD;
	}
	p->text = lua_keep(p, start, (size_t)(end - start));
	return T_STRING;
}

static enum lua_token scan_word(struct lua_parser *p)
{
	const char *start = p->pos;
	char *end;

	if (isdigit((unsigned char)*start)) {
		p->number = strtod(start, &end);
		p->pos = end;
		p->text = lua_keep(p, start, (size_t)(end - start));
		return T_NUMBER;
	}
	while (isalnum((unsigned char)*p->pos) || *p->pos == '_')
		p->pos++;
	p->text = lua_keep(p, start, (size_t)(p->pos - start));
	return T_NAME;
}

void lua_next(struct lua_parser *p)
{
	p->last_line = p->line;
	scan_space(p);
	p->token_line = p->line;
	p->token_pos = p->pos;
	if (!*p->pos) {
		p->token = T_END;
	} else if (*p->pos == '"' || *p->pos == '\'' || curly(p->pos)) {
		p->token = scan_string(p);
	} else if (strncmp(p->pos, "[[", 2) == 0) {
		p->token = scan_long(p);
	} else if (isalnum((unsigned char)*p->pos) || *p->pos == '_') {
		p->token = scan_word(p);
	} else if (strncmp(p->pos, "..", 2) == 0) {
		p->token = T_CONCAT;
		p->pos += 2;
	} else {
		p->token = T_PUNCT;
		p->punct = *p->pos++;
	}
}

static bool is_word(const struct lua_parser *p, const char *const *words)
{
	for (; p->token == T_NAME && *words; words++)
		if (strcmp(p->text, *words) == 0)
			return true;
	return false;
}

bool lua_skip_block(struct lua_parser *p, const char **body, unsigned *line)
{
	static const char *const opens[] = {
		"function", "if", "do", "repeat", NULL};
	static const char *const closes[] = {"end", "until", NULL};
	static const char *const loops[] = {"for", "while", NULL};
	bool before = p->quiet, loop = is_word(p, loops);
	const char *start = p->pos;
	unsigned open = loop ? 0 : 1;

	*line = p->line;
	p->quiet = true;
	do {
		lua_next(p);
		open += is_word(p, opens);
		open -= open > 0 && is_word(p, closes);
		loop = loop && open == 0 && p->token != T_END;
	} while ((open > 0 || loop) && p->token != T_END);
	*body = lua_keep(p, start, (size_t)(p->token_pos - start));
	p->quiet = before;
	p->bad = NULL;
	if (p->token == T_END)
		return false;
	lua_next(p);
	return true;
}
