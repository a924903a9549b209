/* SPDX-License-Identifier: ISC */
/*
 * Zone text to logical lines (RFC 1035 5.1): comments go, parentheses join
 * lines, quotes and escapes stay in the tokens as they were written, since
 * only the rdata parser knows what they mean there.
 */

#include "common/zone/private.h"

#include <errno.h>

#define LINE_BYTES_MAX 65536
#define STORE_FIRST    4096

int zone_lexer_init(struct zone_lexer *lexer, const char *text, size_t len)
{
	memset(lexer, 0, sizeof(*lexer));
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3; /* byte order mark */
		len -= 3;
	}
	lexer->pos = text;
	lexer->end = text + len;
	lexer->line = 1;
	lexer->store_size = STORE_FIRST;
	lexer->store = malloc(lexer->store_size);
	return lexer->store ? 0 : -ENOMEM;
}

void zone_lexer_fini(struct zone_lexer *lexer)
{
	free(lexer->store);
	lexer->store = NULL;
}

static int fail(struct zone_lexer *lexer, const char *error)
{
	lexer->error = error;
	return -EINVAL;
}

/* Tokens point into the store: when it moves, so do they. */
static int grow(struct zone_lexer *lexer)
{
	char *old = lexer->store;
	ptrdiff_t offsets[ZONE_TOKENS_MAX];
	char *store;

	for (size_t i = 0; i < lexer->count; i++)
		offsets[i] = lexer->tokens[i] - old;
	store = realloc(old, lexer->store_size * 2);
	if (!store)
		return -ENOMEM;
	lexer->store = store;
	lexer->store_size *= 2;
	for (size_t i = 0; i < lexer->count; i++)
		lexer->tokens[i] = store + offsets[i];
	return 0;
}

static int put(struct zone_lexer *lexer, char c)
{
	if (lexer->store_len == lexer->store_size) {
		if (lexer->store_size >= LINE_BYTES_MAX)
			return fail(lexer, "line is longer than 64 KiB");
		if (grow(lexer) != 0)
			return -ENOMEM;
	}
	lexer->store[lexer->store_len++] = c;
	return 0;
}

static bool is_end_of_token(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ';' ||
	       c == '(' || c == ')';
}

static bool is_control(char c)
{
	return ((unsigned char)c < ' ' && c != '\t') || c == 0x7f;
}

/* The characters of one token; a token that starts with a quote ends with
 * the closing one, elsewhere a quoted part belongs to its token
 * (alpn="h2,h3"). */
static int lex_token(struct zone_lexer *lexer)
{
	bool quoted = false, starts_quoted = *lexer->pos == '"';
	int ret = 0;

	while (ret == 0 && lexer->pos < lexer->end) {
		char c = *lexer->pos;

		if (!quoted && is_end_of_token(c))
			break;
		if (is_control(c))
			return fail(lexer, quoted && c == '\n'
						   ? "string is not closed"
						   : "control character");
		lexer->pos++;
		ret = put(lexer, c);
		if (c == '\\' && ret == 0) {
			if (lexer->pos == lexer->end || is_control(*lexer->pos))
				return fail(lexer, "nothing behind \\");
			ret = put(lexer, *lexer->pos++);
		} else if (c == '"') {
			quoted = !quoted;
			if (!quoted && starts_quoted)
				break;
		}
	}
	if (ret == 0 && quoted)
		return fail(lexer, "string is not closed");
	return ret ? ret : put(lexer, '\0');
}

static int add_token(struct zone_lexer *lexer)
{
	if (lexer->count == ZONE_TOKENS_MAX)
		return fail(lexer, "more than 1024 words in a record");
	/* The store may move while the token is read: note its place first. */
	lexer->tokens[lexer->count++] = lexer->store + lexer->store_len;
	return lex_token(lexer);
}

static void skip_comment(struct zone_lexer *lexer)
{
	while (lexer->pos < lexer->end && *lexer->pos != '\n')
		lexer->pos++;
}

/* One step inside a logical line; 1: the line has ended. */
static int lex_step(struct zone_lexer *lexer, int *depth)
{
	char c = *lexer->pos;

	switch (c) {
	case ' ':
	case '\t':
	case '\r':
		lexer->pos++;
		return 0;
	case ';':
		skip_comment(lexer);
		return 0;
	case '(':
		lexer->pos++;
		(*depth)++;
		return 0;
	case ')':
		lexer->pos++;
		return --*depth < 0 ? fail(lexer, ") without (") : 0;
	case '\n':
		lexer->pos++;
		lexer->line++;
		return *depth == 0;
	default:
		return add_token(lexer);
	}
}

int zone_lex(struct zone_lexer *lexer)
{
	int ret = 0, depth = 0;

	lexer->count = 0;
	while (lexer->count == 0 && lexer->pos < lexer->end) {
		lexer->store_len = 0;
		lexer->first = lexer->line;
		lexer->indented = *lexer->pos == ' ' || *lexer->pos == '\t';
		for (ret = 0; ret == 0 && lexer->pos < lexer->end;)
			ret = lex_step(lexer, &depth);
		if (ret == 0 && depth > 0)
			ret = fail(lexer, "( is not closed");
		if (ret < 0) {
			skip_comment(lexer); /* the rest of the bad line */
			return ret;
		}
	}
	return lexer->count > 0;
}
