/* SPDX-License-Identifier: ISC */
/* Results for people: tables, key: value lines, plain text; or JSON. */
#include "mgmt/cli/cli.h"

#include "common/base/clock.h"

#define COLUMNS 16

void show_json(const json_t *value)
{
	char *text = json_dumps(
		value, JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_PRESERVE_ORDER);

	puts(text ? text : "null");
	free(text);
}

/* What stands for a row in a list: its name. */
static const json_t *row_name(const json_t *row)
{
	static const char *const keys[] = {"node", "name", "prefix"};
	const json_t *value = NULL;

	for (size_t i = 0; i < countof(keys) && !value; i++)
		value = json_object_get(row, keys[i]);
	return value;
}

/* One value on one line: texts bare, lists with commas. */
static void cell(const json_t *value, struct text *out)
{
	json_t *item;
	size_t i;
	char *dump;

	if (!value || json_is_null(value)) {
		text_add(out, "-");
	} else if (json_is_string(value)) {
		text_add(out, "%s",
			json_string_length(value) ? json_string_value(value)
						  : "-");
	} else if (json_is_boolean(value)) {
		text_add(out, json_is_true(value) ? "yes" : "no");
	} else if (json_is_array(value)) {
		json_array_foreach(value, i, item) {
			text_add(out, i ? "," : "");
			if (json_is_object(item))
				cell(row_name(item), out);
			else
				cell(item, out);
		}
		if (json_array_size(value) == 0)
			text_add(out, "-");
	} else {
		dump = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
		text_add(out, "%s", dump ? dump : "?");
		free(dump);
	}
}

struct column {
	char title[32], key[32];
	size_t width;
};

/* "NAME:key TTL:ttl" -> columns. */
static size_t parse_columns(const char *spec, struct column *columns)
{
	size_t n = 0, len;

	while (*spec && n < COLUMNS) {
		len = strcspn(spec, ":");
		snprintf(columns[n].title, sizeof(columns[n].title), "%.*s",
			(int)len, spec);
		spec += len + (spec[len] == ':');
		len = strcspn(spec, " ");
		snprintf(columns[n].key, sizeof(columns[n].key), "%.*s",
			(int)len, spec);
		spec += len;
		spec += strspn(spec, " ");
		columns[n].width = strlen(columns[n].title);
		n++;
	}
	return n;
}

/* A row's value; "name" and "node" stand for each other. */
static const json_t *row_value(const json_t *row, const char *key)
{
	const json_t *value = json_object_get(row, key);

	if (!value && strcmp(key, "name") == 0)
		value = json_object_get(row, "node");
	if (!value && strcmp(key, "name") == 0)
		value = json_object_get(row, "zone");
	return value;
}

/* A value of a column; seconds since 1970 become a date. */
static void column_cell(const json_t *row, const char *key, struct text *out)
{
	const json_t *value = row_value(row, key);
	char time[32];

	if (json_is_integer(value) && json_integer_value(value) > 0 &&
		(strcmp(key, "ts") == 0 || strcmp(key, "expires") == 0))
		text_add(out, "%s",
			wall_format(
				json_integer_value(value), time, sizeof(time)));
	else if (json_is_integer(value) && json_integer_value(value) < 0 &&
		 strcmp(key, "last_seen_s") == 0)
		text_add(out, "never");
	else
		cell(value, out);
}

/* Display width of UTF-8 text. */
static size_t width(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

static void measure(const json_t *rows, struct column *columns, size_t count)
{
	struct text text;
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
		for (size_t c = 0; c < count; c++) {
			text_init(&text);
			column_cell(row, columns[c].key, &text);
			if (width(text.data) > columns[c].width)
				columns[c].width = width(text.data);
			text_fini(&text);
		}
}

static void put_cell(const char *text, const struct column *column, bool last,
	struct text *out)
{
	size_t w = width(text);

	text_add(out, "%s", text);
	if (last)
		text_add(out, "\n");
	else
		text_add(out, "%*s",
			(int)(column->width > w ? column->width - w : 0) + 2,
			"");
}

void show_table(const json_t *rows, const char *spec, struct text *out)
{
	struct column columns[COLUMNS];
	size_t count = parse_columns(spec, columns), i;
	struct text text;
	json_t *row;

	measure(rows, columns, count);
	for (size_t c = 0; c < count; c++)
		put_cell(columns[c].title, &columns[c], c + 1 == count, out);
	json_array_foreach(rows, i, row)
		for (size_t c = 0; c < count; c++) {
			text_init(&text);
			column_cell(row, columns[c].key, &text);
			put_cell(text.data, &columns[c], c + 1 == count, out);
			text_fini(&text);
		}
}

/* key: value lines; nested objects and lists of objects indented. */
static void lines(const json_t *value, int indent, struct text *out)
{
	const char *key;
	json_t *member;
	size_t i;

	if (json_is_array(value)) {
		json_array_foreach(value, i, member) {
			if (json_is_object(member))
				text_add(out, "%s", i ? "\n" : "");
			lines(member, indent, out);
		}
		return;
	}
	if (!json_is_object(value)) {
		text_add(out, "%*s", indent, "");
		cell(value, out);
		text_add(out, "\n");
		return;
	}
	json_object_foreach((json_t *)(uintptr_t)value, key, member) {
		text_add(out, "%*s%s:", indent, "", key);
		if (json_is_object(member) ||
			(json_is_array(member) &&
				json_is_object(json_array_get(member, 0)))) {
			text_add(out, "\n");
			lines(member, indent + 2, out);
			continue;
		}
		text_add(out, " ");
		cell(member, out);
		text_add(out, "\n");
	}
}

/* "=a.b": the text there. */
static void plain(const json_t *result, const char *path, struct text *out)
{
	const char *dot = strchr(path, '.');
	char key[64];
	const char *text;

	if (dot) {
		snprintf(key, sizeof(key), "%.*s", (int)(dot - path), path);
		plain(json_object_get(result, key), dot + 1, out);
		return;
	}
	text = json_string_value(json_object_get(result, path));
	if (!text)
		return;
	text_add(out, "%s", text);
	if (out->len > 0 && out->data[out->len - 1] != '\n')
		text_add(out, "\n");
}

void show_result(const struct cli *cli, const json_t *result)
{
	const char *show = cli->command->show;
	struct text out;

	if (cli->json) {
		show_json(result);
		return;
	}
	text_init(&out);
	if (show && show[0] == '=')
		plain(result, show + 1, &out);
	else if (show && json_is_array(result))
		show_table(result, show, &out);
	else if (!json_is_null(result) && !json_is_true(result))
		lines(result, 0, &out);
	fputs(out.data, stdout);
	text_fini(&out);
}

/* ---- status ---- */

static void status_part(const char *name, const json_t *part, struct text *out)
{
	const json_t *state = json_object_get(part, "state");

	text_add(out, "    %-10s ", name);
	if (!json_is_object(part))
		cell(part, out);
	else if (state)
		cell(state, out);
	else
		text_add(out, "running");
	if (json_object_get(part, "generation")) {
		text_add(out, ", generation ");
		cell(json_object_get(part, "generation"), out);
	}
	if (json_object_get(part, "error")) {
		text_add(out, ", ");
		cell(json_object_get(part, "error"), out);
	}
	text_add(out, "\n");
}

static void status_nodes(const json_t *nodes, struct text *out)
{
	const char *name;
	json_t *node, *parts, *part;
	size_t i;

	text_add(out, "\n");
	show_table(nodes,
		"NODE:name ROLES:roles STATE:state WANT:want HAVE:have "
		"SEEN:last_seen_s",
		out);
	json_array_foreach(nodes, i, node) {
		parts = json_object_get(node, "parts");
		if (json_object_size(parts) == 0)
			continue;
		text_add(out, "\n  ");
		cell(row_value(node, "name"), out);
		text_add(out, "\n");
		json_object_foreach(parts, name, part)
			status_part(name, part, out);
	}
}

void show_status(const json_t *status, struct text *out)
{
	const json_t *alarms = json_object_get(status, "alarms");
	json_t *alarm;
	size_t i;

	text_add(out, "version ");
	cell(json_object_get(status, "version"), out);
	text_add(out, ", generation ");
	cell(json_object_get(status, "generation"), out);
	text_add(out, ", pending changes ");
	cell(json_object_get(status, "pending"), out);
	text_add(out, "\n");
	json_array_foreach(alarms, i, alarm) {
		text_add(out, "ALARM ");
		cell(alarm, out);
		text_add(out, "\n");
	}
	if (json_array_size(alarms) == 0)
		text_add(out, "no alarms\n");
	if (json_array_size(json_object_get(status, "vips")) > 0) {
		text_add(out, "\n");
		show_table(json_object_get(status, "vips"),
			"VIP:ip OWNERS:owners INSTANCES:instances", out);
	}
	if (json_array_size(json_object_get(status, "anycast")) > 0) {
		text_add(out, "\n");
		show_table(json_object_get(status, "anycast"),
			"ANYCAST:name ADDRESSES:addresses VIP:vip "
			"ANNOUNCED_BY:announced_by",
			out);
	}
	if (json_array_size(json_object_get(status, "nodes")) > 0)
		status_nodes(json_object_get(status, "nodes"), out);
}
