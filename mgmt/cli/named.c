/* SPDX-License-Identifier: ISC */
/* Scanner and tree builder for named.conf. */
#include "mgmt/cli/named.h"

#include "common/ctl/file.h"

#include <ctype.h>
#include <errno.h>
#include <unistd.h>

#define DEPTH_MAX   16
#define INCLUDE_MAX 8
#define FILE_MAX    (4U << 20)

struct scan {
	struct import *im;
	struct arena *arena;
	const char *root; /* path of the first file */
	const char *file;
	const char *pos;
	unsigned line;
	unsigned includes; /* nesting */
	char word[1024];   /* the present word; "" at the end */
	bool quoted;
	unsigned word_line;
	bool nomem, cut;
};

static void skip_comment(struct scan *s)
{
	const char *end;

	if (strncmp(s->pos, "/*", 2) != 0) {
		s->pos += strcspn(s->pos, "\n");
		return;
	}
	end = strstr(s->pos + 2, "*/");
	end = end ? end + 2 : s->pos + strlen(s->pos);
	for (; s->pos < end; s->pos++)
		s->line += *s->pos == '\n';
}

static void skip_space(struct scan *s)
{
	for (;;) {
		if (*s->pos == '#' || strncmp(s->pos, "//", 2) == 0 ||
			strncmp(s->pos, "/*", 2) == 0) {
			skip_comment(s);
		} else if (isspace((unsigned char)*s->pos)) {
			s->line += *s->pos == '\n';
			s->pos++;
		} else {
			return;
		}
	}
}

static void next(struct scan *s)
{
	const char *start;
	size_t len;

	skip_space(s);
	s->word_line = s->line;
	s->quoted = *s->pos == '"';
	start = s->pos + s->quoted;
	if (s->quoted)
		len = strcspn(start, "\"\n");
	else if (*start && strchr("{};", *start))
		len = 1;
	else
		len = strcspn(start, " \t\r\n{};\"");
	s->pos = start + len;
	if (s->quoted && *s->pos == '"')
		s->pos++;
	else if (s->quoted)
		import_error(s->im, s->file, s->line, "text without end quote");
	if (len >= sizeof(s->word)) {
		import_error(s->im, s->file, s->line, "word too long");
		len = sizeof(s->word) - 1;
	}
	memcpy(s->word, start, len);
	s->word[len] = '\0';
}

static bool at(const struct scan *s, const char *text)
{
	return !s->quoted && strcmp(s->word, text) == 0;
}

static bool at_end(const struct scan *s)
{
	return at(s, "");
}

static struct named **read_list(
	struct scan *s, struct named **tail, unsigned depth);

static void add_word(struct scan *s, struct named *st)
{
	if (st->count == NAMED_WORDS) {
		if (!s->cut)
			import_error(s->im, s->file, s->word_line,
				"';' is missing: a statement of more than %d "
				"words",
				NAMED_WORDS);
		s->cut = true;
		return;
	}
	st->words[st->count] = arena_strdup(s->arena, s->word);
	if (st->words[st->count])
		st->count++;
	else
		s->nomem = true;
}

static struct named *read_statement(struct scan *s, unsigned depth)
{
	struct named *st = arena_alloc(s->arena, sizeof(*st));

	if (!st) {
		s->nomem = true;
		return NULL;
	}
	s->cut = false;
	st->file = s->file;
	st->line = s->word_line;
	while (!at_end(s) && !at(s, ";") && !at(s, "}") && !s->nomem) {
		if (!at(s, "{")) {
			add_word(s, st);
			next(s);
			continue;
		}
		next(s);
		st->block = true;
		read_list(s, &st->children, depth + 1);
		if (!at(s, "}"))
			import_error(s->im, s->file, st->line,
				"'}' is missing for this block");
		else
			next(s);
	}
	if (at(s, ";"))
		next(s);
	else
		import_error(s->im, s->file, st->line,
			"';' is missing behind '%s'",
			st->count > 0 ? st->words[0] : "}");
	return st;
}

static struct named **read_file(
	struct scan *outer, const char *path, struct named **tail);

static struct named **include(
	struct scan *s, const struct named *st, struct named **tail)
{
	char path[4096];

	if (st->count != 2 || s->includes >= INCLUDE_MAX ||
		named_locate(s->root, NULL, st->words[1], path, sizeof(path)) <
			0) {
		import_error(s->im, st->file, st->line,
			"include: one readable file expected, at most %d deep",
			INCLUDE_MAX);
		return tail;
	}
	if (access(path, R_OK) < 0) {
		import_error(s->im, st->file, st->line, "include \"%s\": %s",
			st->words[1], strerror(errno));
		return tail;
	}
	return read_file(s, path, tail);
}

static struct named **read_list(
	struct scan *s, struct named **tail, unsigned depth)
{
	struct named *st;

	if (depth >= DEPTH_MAX) {
		import_error(s->im, s->file, s->word_line, "nested too deep");
		while (!at_end(s))
			next(s);
		return tail;
	}
	while (!at_end(s) && !at(s, "}") && !s->nomem) {
		if (at(s, ";")) {
			next(s);
			continue;
		}
		st = read_statement(s, depth);
		if (!st)
			break;
		if (st->count > 0 && strcmp(st->words[0], "include") == 0) {
			tail = include(s, st, tail);
			continue;
		}
		*tail = st;
		tail = &st->next;
	}
	return tail;
}

static struct named **read_file(
	struct scan *outer, const char *path, struct named **tail)
{
	struct scan s = {.im = outer->im,
		.arena = outer->arena,
		.root = outer->root,
		.line = 1,
		.includes = outer->includes + 1};
	struct err err = {""};
	char *text = NULL;

	s.file = arena_strdup(s.arena, path);
	if (!s.file || import_text(s.im, path, FILE_MAX, &text, &err) < 0) {
		import_error(s.im, path, 0, "%s", err.text);
		return tail;
	}
	s.pos = text;
	next(&s);
	while (!at_end(&s) && !s.nomem) {
		tail = read_list(&s, tail, 0);
		if (at(&s, "}")) {
			import_error(
				s.im, s.file, s.word_line, "'}' without '{'");
			next(&s);
		}
	}
	outer->nomem |= s.nomem;
	free(text);
	return tail;
}

int named_read(const char *path, struct import *im, struct arena *arena,
	struct named **out, struct err *err)
{
	struct scan s = {.im = im, .arena = arena, .root = path};

	*out = NULL;
	if (access(path, R_OK) < 0)
		return err_fail(err, -errno, "%s: %s", path, strerror(errno));
	read_file(&s, path, out);
	return s.nomem ? err_fail(err, -ENOMEM, "out of memory") : 0;
}

int named_locate(const char *conf_path, const char *directory, const char *file,
	char *out, size_t size)
{
	const char *slash = strrchr(conf_path, '/');
	const char *base = strrchr(file, '/');
	int len = slash ? (int)(slash - conf_path + 1) : 0;
	int rc;

	rc = path_join(
		out, size, "%.*s%s", len, conf_path, base ? base + 1 : file);
	if (rc < 0 || access(out, F_OK) == 0)
		return rc;
	if (file[0] == '/')
		return path_join(out, size, "%s", file);
	if (directory)
		return path_join(out, size, "%s/%s", directory, file);
	return path_join(out, size, "%.*s%s", len, conf_path, file);
}

const struct named *named_find(const struct named *parent, const char *name)
{
	const struct named *st;

	for (st = parent->children; st; st = st->next)
		if (st->count > 0 && strcmp(st->words[0], name) == 0)
			return st;
	return NULL;
}
