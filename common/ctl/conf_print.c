/* SPDX-License-Identifier: ISC */
/*
 * A configuration as YAML again, and the reference page of a schema. What is
 * printed is block style, one key per line; text is quoted unless it is
 * certain to stay a plain scalar.
 */

#include "common/ctl/conf_tree.h"

/* One UTF-8 sequence at *p (libyaml has checked it) -> code point. */
static unsigned next_code(const char **p)
{
	const unsigned char *s = (const unsigned char *)*p;
	unsigned more = s[0] < 0xc0 ? 0 : s[0] < 0xe0 ? 1 : s[0] < 0xf0 ? 2 : 3;
	unsigned code = more ? s[0] & (0x3fu >> more) : s[0];
	unsigned i;

	for (i = 1; i <= more && (s[i] & 0xc0) == 0x80; i++)
		code = code << 6 | (s[i] & 0x3f);
	*p += i;
	return code;
}

/* May it stand in a quoted scalar as it is? */
static bool is_printable(unsigned code)
{
	return (code >= 0x20 && code < 0x7f) ||
	       (code >= 0xa0 && code < 0xd800 && code != 0x2028 &&
		       code != 0x2029) ||
	       (code >= 0xe000 && code < 0xfffe && code != 0xfeff) ||
	       (code >= 0x10000 && code < 0x110000);
}

static void print_quoted(const char *text, struct text *out)
{
	text_add(out, "\"");
	while (*text) {
		const char *at = text;
		unsigned code = next_code(&text);

		if (code == '"' || code == '\\')
			text_add(out, "\\%c", (char)code);
		else if (is_printable(code))
			text_add_bytes(out, at, (size_t)(text - at));
		else if (code < 0x100)
			text_add(out, "\\x%02x", code);
		else
			text_add(out, "\\u%04x", code & 0xffff);
	}
	text_add(out, "\"");
}

/* Letters, digits and harmless marks, and no word with a meaning. */
static bool is_plain(const char *text)
{
	static const char first[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789/_";

	return text[0] != '\0' && strchr(first, text[0]) &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_.-") ==
		       strlen(text) &&
	       strcmp(text, "null") != 0;
}

void conf_text_print(const char *text, struct text *out)
{
	if (is_plain(text))
		text_add(out, "%s", text);
	else
		print_quoted(text, out);
}

void conf_value_print(const struct conf_node *node, struct text *out)
{
	if (node->item->type == SCHEMA_REAL || node->item->type == SCHEMA_INT)
		text_add(out, "%s", node->text); /* may start with '-' */
	else
		conf_text_print(node->text, out);
}

/* Where it goes, and does a person read it? */
struct sink {
	struct text *out;
	bool masked;
};

static void print_children(
	const struct conf_node *node, int depth, const struct sink *sink);

static void print_value(const struct conf_node *node, const struct sink *sink)
{
	const char *text = node->item->secret ? conf_str(node) : NULL;

	if (sink->masked && text && *text)
		text_add(sink->out, "\"***\"");
	else
		conf_value_print(node, sink->out);
}

/* What follows "key:" or "-". */
static void print_node(
	const struct conf_node *node, int depth, const struct sink *sink)
{
	struct text *out = sink->out;

	if (schema_is_scalar(node->item)) {
		text_add(out, " ");
		print_value(node, sink);
		text_add(out, "\n");
	} else if (node->count == 0) {
		text_add(out,
			node->item->type == SCHEMA_LIST ? " []\n" : " {}\n");
	} else {
		text_add(out, "\n");
		print_children(node, depth + 1, sink);
	}
}

static void print_children(
	const struct conf_node *node, int depth, const struct sink *sink)
{
	const struct conf_node *child;
	struct text *out = sink->out;

	for (child = node->first; child; child = child->next) {
		text_add(out, "%*s", depth * 2, "");
		if (child->key) {
			conf_text_print(child->key, out);
			text_add(out, ":");
		} else {
			text_add(out, "-");
		}
		print_node(child, depth, sink);
	}
}

static void print_all(const struct conf *conf, const struct sink *sink)
{
	if (conf->root->count == 0)
		text_add(sink->out, "{}\n");
	else
		print_children(conf->root, 0, sink);
}

void conf_print(const struct conf *conf, struct text *out)
{
	print_all(conf, &(struct sink){out, false});
}

void conf_show(const struct conf *conf, struct text *out)
{
	print_all(conf, &(struct sink){out, true});
}

static void reference_row(
	const struct schema_item *item, const char *path, struct text *out)
{
	struct text allowed;
	char *p;

	text_init(&allowed);
	conf_value_allowed(item, &allowed);
	while ((p = strchr(allowed.data, '|')) != NULL && allowed.len > 0)
		*p = ','; /* a bar ends a cell */
	text_add(out, "| `%s` | %s%s%s | %s%s%s | %s | %s |\n", path,
		allowed.data, item->unit ? ", in " : "",
		item->unit ? item->unit : "", item->dflt ? "`" : "",
		item->dflt       ? (item->dflt[0] ? item->dflt : "\"\"")
		: item->required ? "required"
				 : "none",
		item->dflt ? "`" : "",
		item->reload == SCHEMA_RESTART ? "restart" : "live",
		item->help);
	text_fini(&allowed);
}

static void reference_items(
	const struct schema_item *table, const char *parent, struct text *out)
{
	const struct schema_item *item, *below;
	char path[256], inner[300];

	for (item = table; item->type != SCHEMA_END; item++) {
		snprintf(path, sizeof(path), "%s%s%s", parent,
			parent[0] ? "." : "", item->name);
		reference_row(item, path, out);
		if (item->type == SCHEMA_MAP) {
			reference_items(item->children, path, out);
			continue;
		}
		if (schema_is_scalar(item))
			continue;
		below = item->children;
		snprintf(inner, sizeof(inner), "%s%s", path,
			item->type == SCHEMA_LIST ? "[]" : ".NAME");
		if (below->type == SCHEMA_MAP)
			reference_items(below->children, inner, out);
		else
			reference_row(below, inner, out);
	}
}

void schema_print_reference(
	const struct schema_item *schema, const char *title, struct text *out)
{
	text_add(out,
		"# %s\n\n| key | value | default | change | meaning |\n"
		"|---|---|---|---|---|\n",
		title);
	reference_items(schema, "", out);
}
