/* SPDX-License-Identifier: ISC */
/* Words of keepalived.conf: blanks, comments, quotes of both kinds, braces. */
#include "mgmt/cli/ka_words.h"

#include <ctype.h>

static size_t curly(const char *s)
{
	static const char *const marks[] = {
		"\xe2\x80\x9c", "\xe2\x80\x9d", "\xe2\x80\x98", "\xe2\x80\x99"};

	for (size_t i = 0; i < countof(marks); i++)
		if (strncmp(s, marks[i], 3) == 0)
			return 3;
	return 0;
}

static void skip_space(struct ka_words *k)
{
	for (; *k->pos; k->pos++) {
		if (*k->pos == '\n')
			k->line++;
		else if (*k->pos == '#' || *k->pos == '!')
			k->pos += strcspn(k->pos, "\n") - 1;
		else if (!isspace((unsigned char)*k->pos))
			return;
	}
}

static void take(struct ka_words *k, const char *start, size_t len)
{
	if (len >= WORD_MAX) {
		import_error(k->im, k->file, k->line, "word too long");
		len = WORD_MAX - 1;
	}
	memcpy(k->text, start, len);
	k->text[len] = '\0';
}

static void take_quoted(struct ka_words *k, size_t mark)
{
	const char *start = k->pos + mark, *end = start;

	if (mark == 3 && !k->quotes_said) {
		import_warn(k->im, k->file, k->line,
			"typographic quotation marks: keepalived takes them as "
			"part of the word; read as plain ones");
		k->quotes_said = true;
	}
	while (*end && *end != '\n' &&
		(mark == 3 ? !curly(end) : *end != *k->pos))
		end++;
	take(k, start, (size_t)(end - start));
	k->quoted = true;
	if (!*end || *end == '\n')
		import_error(k->im, k->file, k->line, "text without end quote");
	else
		end += mark;
	k->pos = end;
}

void ka_next(struct ka_words *k)
{
	size_t len, mark;

	skip_space(k);
	k->word_line = k->line;
	k->quoted = false;
	mark = curly(k->pos);
	if (mark || *k->pos == '"') {
		take_quoted(k, mark ? mark : 1);
		return;
	}
	len = *k->pos == '{' || *k->pos == '}' ? 1
					       : strcspn(k->pos, " \t\r\n{}");
	take(k, k->pos, len);
	k->pos += len;
}

bool ka_end(const struct ka_words *k)
{
	return !k->text[0] && !k->quoted;
}

bool ka_at(const struct ka_words *k, const char *text)
{
	return !k->quoted && strcmp(k->text, text) == 0;
}
