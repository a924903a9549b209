/* SPDX-License-Identifier: ISC */
/*
 * "NAME VERB [ARG ...]": ask the running daemon and print its answer for a
 * person (or as JSON). An ARG "key=value" is a member of args, numbers and
 * true/false as such; other words go into the array "words".
 */

#include <errno.h>

#include "common/ctl/daemon_impl.h"

#define CLIENT_TIMEOUT_MS 120000

static json_t *parse_value(const char *text)
{
	json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);

	if (json_is_integer(value) || json_is_boolean(value))
		return value;
	json_decref(value);
	return json_string(text);
}

static json_t *parse_args(int argc, char **argv, int at)
{
	json_t *args = json_object(), *words = json_array();

	for (; at < argc; at++) {
		const char *equals = strchr(argv[at], '=');
		char key[64];

		if (strcmp(argv[at], "--json") == 0)
			continue;
		if (!equals || equals == argv[at] ||
			equals - argv[at] >= (int)sizeof(key)) {
			json_array_append_new(words, json_string(argv[at]));
			continue;
		}
		snprintf(key, sizeof(key), "%.*s", (int)(equals - argv[at]),
			argv[at]);
		json_object_set_new(args, key, parse_value(equals + 1));
	}
	if (json_array_size(words) > 0)
		json_object_set(args, "words", words);
	json_decref(words);
	return args;
}

/* Scalars as a person writes them, anything else as JSON in one line. */
static char *cell_text(const json_t *value)
{
	if (json_is_string(value))
		return strdup(json_string_value(value));
	if (!value || json_is_null(value))
		return strdup("-");
	return json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
}

static int text_width(const char *text)
{
	int width = 0;

	for (; *text; text++)
		width += (*text & 0xc0) != 0x80;
	return width;
}

static void print_cell(const json_t *value, int width, bool last, FILE *out)
{
	char *text = cell_text(value);

	if (text && last)
		fprintf(out, "%s", text);
	else if (text)
		fprintf(out, "%s%*s", text, width - text_width(text) + 2, "");
	free(text);
}

static int column_width(const json_t *rows, const char *key)
{
	int width = text_width(key);
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		char *text = cell_text(json_object_get(row, key));
		int w = text ? text_width(text) : 0;

		width = w > width ? w : width;
		free(text);
	}
	return width;
}

#define COLUMNS_MAX 32 /* wider tables have the rest unaligned */

/* Of all rows, so that a long table is walked once for each column. */
static void column_widths(const json_t *rows, int widths[COLUMNS_MAX])
{
	json_t *first = json_array_get(rows, 0);
	void *iter = json_object_iter(first);

	for (int i = 0; iter && i < COLUMNS_MAX; i++) {
		widths[i] = column_width(rows, json_object_iter_key(iter));
		iter = json_object_iter_next(first, iter);
	}
}

/* A row of the table, or its head (`row` NULL). The columns are those of the
 * first row. */
static void print_row(json_t *first, const json_t *row,
	const int widths[COLUMNS_MAX], int indent, FILE *out)
{
	void *iter = json_object_iter(first);

	fprintf(out, "%*s", indent, "");
	for (int i = 0; iter; i++) {
		const char *key = json_object_iter_key(iter);
		json_t *name = json_string(key);

		iter = json_object_iter_next(first, iter);
		print_cell(row ? json_object_get(row, key) : name,
			i < COLUMNS_MAX ? widths[i] : 0, !iter, out);
		json_decref(name);
	}
	fprintf(out, "\n");
}

static void print_array(const json_t *array, int indent, FILE *out)
{
	json_t *first = json_array_get(array, 0);
	int widths[COLUMNS_MAX] = {0};
	const json_t *row;
	size_t i;

	column_widths(array, widths);
	if (json_is_object(first))
		print_row(first, NULL, widths, indent, out);
	json_array_foreach(array, i, row) {
		if (json_is_object(row)) {
			print_row(first, row, widths, indent, out);
			continue;
		}
		fprintf(out, "%*s", indent, "");
		print_cell(row, 0, true, out);
		fprintf(out, "\n");
	}
}

static void print_object(json_t *object, int indent, FILE *out)
{
	const char *key;
	json_t *value;
	int width = 0;

	json_object_foreach(object, key, value) {
		int w = text_width(key);

		width = w > width ? w : width;
	}
	json_object_foreach(object, key, value) {
		bool deep = (json_is_object(value) || json_is_array(value)) &&
			    (json_object_size(value) > 0 ||
				    json_array_size(value) > 0);

		fprintf(out, "%*s%s%*s", indent, "", key,
			deep ? 0 : width - text_width(key) + 2, "");
		if (deep)
			fprintf(out, "\n");
		daemon_render(value, deep ? indent + 2 : 0, out);
	}
}

void daemon_render(const json_t *value, int indent, FILE *out)
{
	if (json_object_size(value) > 0) {
		json_t *copy = json_deep_copy(value);

		print_object(copy, indent, out);
		json_decref(copy);
	} else if (json_array_size(value) > 0) {
		print_array(value, indent, out);
	} else {
		fprintf(out, "%*s", indent, "");
		print_cell(value, 0, true, out);
		fprintf(out, "\n");
	}
}

static bool render_common(const char *verb, const json_t *result)
{
	const char *text = json_string_value(json_object_get(result, "text"));

	if (strcmp(verb, "config") == 0 && text) {
		fputs(text, stdout);
		return true;
	}
	return json_is_object(result) && json_object_size(result) == 0;
}

static void print_result(const struct daemon_ops *ops, const char *verb,
	const json_t *result, bool json)
{
	if (json) {
		json_dumpf(result, stdout, JSON_INDENT(2));
		putchar('\n');
	} else if (!(ops->render && ops->render(verb, result)) &&
		   !render_common(verb, result)) {
		daemon_render(result, 0, stdout);
	}
}

int daemon_client(const struct daemon_ops *ops, const char *control_path,
	int argc, char **argv, int at, bool json)
{
	json_t *args = parse_args(argc, argv, at + 1);
	json_t *result;
	struct err err;
	int rc = control_call_path(
		control_path, argv[at], args, CLIENT_TIMEOUT_MS, &result, &err);

	json_decref(args);
	if (rc < 0) {
		fprintf(stderr, "%s: %s: %s\n", ops->name, argv[at], err.text);
		return 1;
	}
	print_result(ops, argv[at], result, json);
	json_decref(result);
	return fflush(stdout) == 0 ? 0 : 1;
}
