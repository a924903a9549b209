/* SPDX-License-Identifier: ISC */
/* What every importer fills: the list of calls and the list of remarks. */
#include "mgmt/cli/import.h"

#include "common/ctl/file.h"

#include <errno.h>
#include <stdarg.h>

static const char *const level_names[] = {
	"imported", "not needed", "note", "warning", "not imported", "error"};

int import_init(struct import *im, const char *node)
{
	memset(im, 0, sizeof(*im));
	im->node = node;
	im->calls = json_array();
	im->notes = json_array();
	if (im->calls && im->notes)
		return 0;
	import_fini(im);
	return -ENOMEM;
}

void import_fini(struct import *im)
{
	json_decref(im->calls);
	json_decref(im->notes);
	memset(im, 0, sizeof(*im));
}

void import_call(struct import *im, const char *verb, json_t *args)
{
	json_t *call = json_pack("{s:s,s:o}", "verb", verb, "args", args);

	if (!call || json_array_append_new(im->calls, call) < 0)
		im->failed = true;
}

void import_say(struct import *im, enum import_level level, const char *file,
	unsigned line, const char *fmt, ...)
{
	char text[1024];
	json_t *note;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (level == IMPORT_WARNING)
		im->warnings++;
	if (level == IMPORT_ERROR)
		im->errors++;
	note = json_pack("{s:s,s:s,s:i,s:s}", "level", level_names[level],
		"file", file, "line", (int)line, "text", text);
	if (!note) /* text that is no UTF-8 */
		note = json_pack("{s:s,s:s,s:i,s:s}", "level",
			level_names[level], "file", file, "line", (int)line,
			"text", "not readable as UTF-8 text");
	if (!note || json_array_append_new(im->notes, note) < 0)
		im->failed = true;
}

/* Octets of the UTF-8 character at `s`; 0: it is none (RFC 3629). */
static size_t utf8_len(const unsigned char *s)
{
	static const struct {
		unsigned char mask, lead;
		unsigned long least;
	} forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800},
		{0xf8, 0xf0, 0x10000}};
	unsigned long code;
	size_t i, n = 0;

	while (n < countof(forms) && (s[0] & forms[n].mask) != forms[n].lead)
		n++;
	if (n == countof(forms))
		return 0;
	code = s[0] & (unsigned char)~forms[n].mask;
	for (i = 1; i <= n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	if (code < forms[n].least || code > 0x10ffff ||
		(code >= 0xd800 && code <= 0xdfff))
		return 0;
	return n + 1;
}

int import_text(struct import *im, const char *path, size_t max, char **text,
	struct err *err)
{
	unsigned char *s;
	unsigned line = 1;
	bool said = false;
	size_t len, n;
	int rc = file_read(path, max, text, &len, err);

	if (rc < 0)
		return rc;
	if (strlen(*text) != len) {
		free(*text);
		*text = NULL;
		return err_fail(
			err, -EINVAL, "%s: NUL octets in the file", path);
	}
	for (s = (unsigned char *)*text; *s; s += n) {
		line += *s == '\n';
		n = utf8_len(s);
		if (n > 0)
			continue;
		if (!said)
			import_warn(im, path, line,
				"octets that are no UTF-8 are read as '?'");
		said = true;
		*s = '?';
		n = 1;
	}
	return 0;
}

/* A note and its place, so that the sort is stable. */
struct placed {
	json_int_t line;
	size_t place;
	json_t *note;
};

static int by_line(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->place < y->place ? -1 : 1;
}

void import_sort_notes(struct import *im)
{
	size_t n = json_array_size(im->notes);
	struct placed *all = calloc(n + 1, sizeof(*all));
	json_t *sorted = json_array();

	for (size_t i = 0; all && i < n; i++) {
		json_t *note = json_array_get(im->notes, i);

		all[i] = (struct placed){
			json_integer_value(json_object_get(note, "line")), i,
			note};
	}
	if (all)
		qsort(all, n, sizeof(*all), by_line);
	for (size_t i = 0; all && i < n; i++)
		im->failed |= json_array_append(sorted, all[i].note) < 0;
	if (all && sorted && !im->failed) {
		json_decref(im->notes);
		im->notes = sorted;
	} else {
		im->failed = true;
		json_decref(sorted);
	}
	free(all);
}

json_t *import_json(const struct import *im)
{
	json_t *all = json_pack("{s:O,s:O,s:i,s:i}", "calls", im->calls,
		"notes", im->notes, "warnings", (int)im->warnings, "errors",
		(int)im->errors);

	if (all && im->imported + im->not_needed + im->not_imported > 0)
		json_object_set_new(all, "statements",
			json_pack("{s:i,s:i,s:i}", "imported",
				(int)im->imported, "not_needed",
				(int)im->not_needed, "not_imported",
				(int)im->not_imported));
	return all;
}

void import_print_notes(const struct import *im, struct text *out)
{
	const char *level, *file, *text;
	json_t *note;
	size_t i;
	int line;

	json_array_foreach(im->notes, i, note) {
		if (json_unpack(note, "{s:s,s:s,s:i,s:s}", "level", &level,
			    "file", &file, "line", &line, "text", &text) < 0)
			continue;
		text_add(out, "%s", file);
		if (line > 0)
			text_add(out, ":%d", line);
		text_add(out, ": %s: %s\n", level, text);
	}
}

static void print_value(const json_t *value, struct text *out)
{
	const char *text = json_string_value(value);
	char *dump;

	if (text && !strpbrk(text, " \n\t\"")) {
		text_add(out, "%s", text);
		return;
	}
	if (text && strlen(text) > 60) {
		text_add(out, "(%zu octets)", strlen(text));
		return;
	}
	dump = json_dumps(
		value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_PRESERVE_ORDER);
	text_add(out, "%s", dump ? dump : "?");
	free(dump);
}

void import_print_calls(const struct import *im, struct text *out)
{
	const char *key;
	json_t *call, *value;
	size_t i;

	json_array_foreach(im->calls, i, call) {
		text_add(out, "%s",
			json_string_value(json_object_get(call, "verb")));
		json_object_foreach(json_object_get(call, "args"), key, value) {
			text_add(out, " %s=", key);
			print_value(value, out);
		}
		text_add(out, "\n");
	}
}
