/* SPDX-License-Identifier: ISC */
/*
 * YAML events to a checked tree, in one pass guided by the schema: the depth
 * of the recursion is the table's, never the input's. Values are parsed in
 * conf_value.c; this file knows the YAML library.
 */

#include "common/ctl/conf.h"

#include <errno.h>
#include <yaml.h>

#include "common/ctl/conf_tree.h"
#include "common/ctl/file.h"

#define CONF_MAX  ((size_t)64 << 20)
#define PATH_KEYS 32

struct reader {
	struct conf *conf;
	yaml_parser_t yaml;
	yaml_event_t event; /* the current one */
	bool have_event;
	bool is_default;             /* reads a default of the table */
	const char *keys[PATH_KEYS]; /* where we are, for messages */
	unsigned depth;
	struct err *err;
};

static unsigned event_line(const struct reader *r)
{
	return (unsigned)r->event.start_mark.line + 1;
}

/* "FILE:LINE: a.b.c: " before the text in r->err; returns `code`. */
static int locate(struct reader *r, unsigned line, int code)
{
	for (unsigned i = r->depth; i-- > 0;) {
		struct err below = *r->err;
		bool last = i + 1 == r->depth;

		err_set(r->err, "%s%s%s", r->keys[i], last ? ": " : ".",
			below.text);
	}
	err_prefix(r->err, "%s:%u", r->conf->file, line);
	return code;
}

static int next_event(struct reader *r)
{
	unsigned line;

	if (r->have_event)
		yaml_event_delete(&r->event);
	r->have_event = false;
	if (yaml_parser_parse(&r->yaml, &r->event)) {
		r->have_event = true;
		return 0;
	}
	line = (unsigned)r->yaml.problem_mark.line + 1;
	r->depth = 0;
	if (r->yaml.error == YAML_MEMORY_ERROR)
		return err_fail(r->err, -ENOMEM, "out of memory");
	if (r->yaml.error == YAML_READER_ERROR)
		return err_fail(r->err, -EINVAL, "%s: octet %zu: not YAML: %s",
			r->conf->file, r->yaml.problem_offset, r->yaml.problem);
	return err_fail(r->err, -EINVAL, "%s:%u: not YAML: %s", r->conf->file,
		line, r->yaml.problem);
}

/* Anchors, aliases and tags have no use here and hide what a file says. */
static int refuse_features(struct reader *r)
{
	const yaml_event_t *e = &r->event;
	const yaml_char_t *anchor = NULL, *tag = NULL;

	if (e->type == YAML_SCALAR_EVENT) {
		anchor = e->data.scalar.anchor;
		tag = e->data.scalar.tag;
	} else if (e->type == YAML_SEQUENCE_START_EVENT) {
		anchor = e->data.sequence_start.anchor;
		tag = e->data.sequence_start.tag;
	} else if (e->type == YAML_MAPPING_START_EVENT) {
		anchor = e->data.mapping_start.anchor;
		tag = e->data.mapping_start.tag;
	}
	if (!anchor && !tag && e->type != YAML_ALIAS_EVENT)
		return 0;
	err_set(r->err, "%s are not allowed here",
		tag ? "tags (!)" : "anchors (&) and aliases (*)");
	return locate(r, event_line(r), -EINVAL);
}

static struct conf_node *node_new(
	struct reader *r, const struct schema_item *item)
{
	struct conf_node *node = arena_alloc(&r->conf->arena, sizeof(*node));

	if (!node) {
		err_set(r->err, "%s: out of memory", r->conf->file);
		return NULL;
	}
	node->item = item;
	node->line = r->is_default ? 0 : event_line(r);
	return node;
}

/* The current event is not what the item needs. */
static int wrong_type(struct reader *r, const struct schema_item *item)
{
	struct text allowed;

	text_init(&allowed);
	conf_value_allowed(item, &allowed);
	err_set(r->err, "must be %s", allowed.data);
	text_fini(&allowed);
	return locate(r, event_line(r), -EINVAL);
}

static bool is_null(const yaml_event_t *e)
{
	const char *text = (const char *)e->data.scalar.value;

	return e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       (text[0] == '\0' || strcmp(text, "~") == 0 ||
		       strcmp(text, "null") == 0);
}

static int read_scalar(struct reader *r, struct conf_node *node)
{
	const char *text = (const char *)r->event.data.scalar.value;
	int rc;

	if (r->event.type != YAML_SCALAR_EVENT)
		return wrong_type(r, node->item);
	if (is_null(&r->event)) {
		err_set(r->err, "no value");
		return locate(r, event_line(r), -EINVAL);
	}
	if (strlen(text) != r->event.data.scalar.length) {
		err_set(r->err, "a NUL octet is not allowed");
		return locate(r, event_line(r), -EINVAL);
	}
	rc = conf_value_set(r->conf, node, text, r->err);
	return rc < 0 ? locate(r, event_line(r), rc) : 0;
}

static int read_node(struct reader *r, const struct schema_item *item,
	struct conf_node **out);

static int check_count(struct reader *r, const struct conf_node *node)
{
	const struct schema_item *item = node->item;

	if ((item->min == 0 && item->max == 0) ||
		(node->count >= item->min && node->count <= item->max))
		return 0;
	err_set(r->err, "%u entries: must have %lld to %lld", node->count,
		(long long)item->min, (long long)item->max);
	return locate(r, node->line, -EINVAL);
}

static int read_list(struct reader *r, struct conf_node *node)
{
	struct conf_node *child;
	int rc;

	if (r->event.type != YAML_SEQUENCE_START_EVENT)
		return wrong_type(r, node->item);
	while ((rc = next_event(r)) == 0 &&
		r->event.type != YAML_SEQUENCE_END_EVENT) {
		rc = read_node(r, node->item->children, &child);
		if (rc < 0)
			return rc;
		conf_node_add(node, child);
	}
	return rc < 0 ? rc : check_count(r, node);
}

/* The key of the current event; what it may be is the caller's. */
static int read_key(struct reader *r, const char **key)
{
	const char *text = (const char *)r->event.data.scalar.value;
	size_t len;

	if (r->event.type != YAML_SCALAR_EVENT) {
		err_set(r->err, "a key must be a plain word");
		return locate(r, event_line(r), -EINVAL);
	}
	len = r->event.data.scalar.length;
	if (len == 0 || len > 255 || strlen(text) != len) {
		err_set(r->err, "a key must have 1 to 255 octets");
		return locate(r, event_line(r), -EINVAL);
	}
	*key = arena_strdup(&r->conf->arena, text);
	return *key ? 0
		    : err_fail(r->err, -ENOMEM, "%s: out of memory",
			      r->conf->file);
}

/* The row for `key`; an unknown one is told with those there are. */
static int key_item(struct reader *r, const struct conf_node *node,
	const char *key, const struct schema_item **item)
{
	const struct schema_item *i;
	struct text known;

	*item = node->item->type == SCHEMA_DICT
			? node->item->children
			: schema_find(node->item->children, key);
	if (*item)
		return 0;
	text_init(&known);
	for (i = node->item->children; i->type != SCHEMA_END; i++)
		text_add(&known, "%s%s", known.len ? ", " : "", i->name);
	err_set(r->err, "unknown key: known here: %.300s", known.data);
	text_fini(&known);
	return locate(r, event_line(r), -EINVAL);
}

static int check_duplicate(
	struct reader *r, struct conf_node *node, struct conf_node *stub)
{
	const struct conf_node *first;
	int rc = 0;

	if (node->item->type == SCHEMA_DICT) {
		first = conf_index_find(node, stub->key);
		if (!first)
			rc = conf_index_add(r->conf, node, stub);
	} else {
		first = conf_get(node, stub->key);
	}
	if (first) {
		err_set(r->err, "duplicate key: first in line %u", first->line);
		return locate(r, event_line(r), -EINVAL);
	}
	return rc < 0 ? err_fail(r->err, rc, "out of memory") : 0;
}

/* One "key: value" of a map or dict; the event is the key. */
static int read_member(struct reader *r, struct conf_node *node)
{
	const struct schema_item *item;
	struct conf_node *child, *value;
	const char *key;
	int rc;

	if ((rc = refuse_features(r)) < 0 || (rc = read_key(r, &key)) < 0)
		return rc;
	if (r->depth < PATH_KEYS)
		r->keys[r->depth++] = key;
	if ((rc = key_item(r, node, key, &item)) < 0)
		return rc;
	child = node_new(r, item);
	if (!child)
		return -ENOMEM;
	child->key = key;
	if ((rc = check_duplicate(r, node, child)) < 0 ||
		(rc = next_event(r)) < 0 ||
		(rc = read_node(r, item, &value)) < 0)
		return rc;
	value->key = key;
	*child = *value; /* the index points to `child` */
	conf_node_add(node, child);
	r->depth--;
	return 0;
}

static int read_default(struct reader *r, const struct schema_item *item,
	struct conf_node **out);

/* Absent keys of a map: their default, or an error where required. */
static int fill_defaults(struct reader *r, struct conf_node *node)
{
	const struct schema_item *item;
	struct conf_node *child;
	int rc;

	for (item = node->item->children; item->type != SCHEMA_END; item++) {
		if (conf_get(node, item->name))
			continue;
		if (item->required) {
			err_set(r->err, "%s: is required here", item->name);
			return locate(r, node->line ? node->line : 1, -EINVAL);
		}
		if (!item->dflt)
			continue;
		if ((rc = read_default(r, item, &child)) < 0)
			return rc;
		child->key = item->name;
		conf_node_add(node, child);
	}
	return 0;
}

static int read_map(struct reader *r, struct conf_node *node)
{
	int rc;

	if (r->event.type != YAML_MAPPING_START_EVENT)
		return wrong_type(r, node->item);
	while ((rc = next_event(r)) == 0 &&
		r->event.type != YAML_MAPPING_END_EVENT) {
		if ((rc = read_member(r, node)) < 0)
			return rc;
	}
	if (rc < 0)
		return rc;
	return node->item->type == SCHEMA_DICT ? check_count(r, node)
					       : fill_defaults(r, node);
}

/* The value that starts at the current event; ends at its last event. */
static int read_node(struct reader *r, const struct schema_item *item,
	struct conf_node **out)
{
	int rc = refuse_features(r);

	if (rc < 0)
		return rc;
	*out = node_new(r, item);
	if (!*out)
		return -ENOMEM;
	if (item->type == SCHEMA_LIST)
		return read_list(r, *out);
	if (schema_is_scalar(item))
		return read_scalar(r, *out);
	return read_map(r, *out);
}

static int expect(struct reader *r, yaml_event_type_t type, const char *what)
{
	int rc = next_event(r);

	if (rc < 0 || r->event.type == type)
		return rc;
	r->depth = 0;
	err_set(r->err, "%s", what);
	return locate(r, event_line(r), -EINVAL);
}

/* A whole stream of one document; an empty one is an empty map. */
static int read_stream(struct reader *r, const struct schema_item *item,
	struct conf_node **out)
{
	int rc = expect(r, YAML_STREAM_START_EVENT, "not YAML");

	if (rc == 0)
		rc = next_event(r);
	if (rc == 0 && r->event.type == YAML_STREAM_END_EVENT) {
		*out = node_new(r, item);
		return *out ? fill_defaults(r, *out) : -ENOMEM;
	}
	if (rc == 0)
		rc = next_event(r);
	if (rc == 0)
		rc = read_node(r, item, out);
	if (rc == 0)
		rc = expect(r, YAML_DOCUMENT_END_EVENT, "not YAML");
	if (rc == 0)
		rc = expect(r, YAML_STREAM_END_EVENT,
			"a second document is not allowed");
	return rc;
}

static int read_text(struct reader *r, const char *text, size_t len,
	const struct schema_item *item, struct conf_node **out)
{
	int rc;

	if (!yaml_parser_initialize(&r->yaml))
		return err_fail(r->err, -ENOMEM, "out of memory");
	yaml_parser_set_encoding(&r->yaml, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
		&r->yaml, (const unsigned char *)text, len);
	r->have_event = false;
	rc = read_stream(r, item, out);
	if (r->have_event)
		yaml_event_delete(&r->event);
	yaml_parser_delete(&r->yaml);
	return rc;
}

/* A scalar's default is its text as it is, unless quoted; that of a list,
 * map or dict is YAML. */
static int read_default(struct reader *r, const struct schema_item *item,
	struct conf_node **out)
{
	struct reader sub = {
		.conf = r->conf, .is_default = true, .err = r->err};
	int rc;

	if (schema_is_scalar(item) && item->dflt[0] != '"') {
		*out = node_new(&sub, item);
		rc = !*out ? -ENOMEM
			   : conf_value_set(r->conf, *out, item->dflt, r->err);
	} else {
		rc = read_text(&sub, item->dflt, strlen(item->dflt), item, out);
	}
	if (rc < 0)
		err_prefix(r->err, "default of %s", item->name);
	return rc;
}

static int set_file(struct conf *conf, const char *file)
{
	const char *slash = strrchr(file, '/');
	char *folder;

	conf->file = arena_strdup(&conf->arena, file);
	folder = arena_strdup(&conf->arena, slash ? file : ".");
	if (!conf->file || !folder)
		return -ENOMEM;
	if (slash)
		folder[slash == file ? 1 : slash - file] = '\0';
	conf->folder = folder;
	return 0;
}

/* An empty configuration; it lives in its own arena. */
static struct conf *conf_new(const char *file, const struct schema_item *schema)
{
	struct conf *conf;
	struct arena arena;

	arena_init(&arena, 65536, (size_t)2 << 30);
	conf = arena_alloc(&arena, sizeof(*conf));
	if (!conf)
		return NULL;
	conf->arena = arena;
	conf->root_item = arena_alloc(&conf->arena, sizeof(*conf->root_item));
	if (!conf->root_item || set_file(conf, file) < 0) {
		conf_free(conf);
		return NULL;
	}
	*conf->root_item = (struct schema_item){
		.name = "", .type = SCHEMA_MAP, .children = schema, .help = ""};
	return conf;
}

struct conf *conf_parse(const char *text, size_t len, const char *file,
	const struct schema_item *schema, struct err *err)
{
	struct err unused = {.text = ""};
	struct reader r = {.err = err ? err : &unused};

	if (len > CONF_MAX) {
		err_set(err, "%s: larger than 64 MiB", file);
		return NULL;
	}
	r.conf = conf_new(file, schema);
	if (!r.conf) {
		err_set(err, "%s: out of memory", file);
		return NULL;
	}
	if (read_text(&r, text, len, r.conf->root_item, &r.conf->root) < 0) {
		conf_free(r.conf);
		return NULL;
	}
	return r.conf;
}

struct conf *conf_read(
	const char *file, const struct schema_item *schema, struct err *err)
{
	struct conf *conf;
	size_t len;
	char *text;

	if (file_read(file, CONF_MAX, &text, &len, err) < 0)
		return NULL;
	conf = conf_parse(text, len, file, schema, err);
	free(text);
	return conf;
}
