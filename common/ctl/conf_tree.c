/* SPDX-License-Identifier: ISC */
/*
 * Reading a checked configuration: children, values, messages with a line,
 * and what differs between two of one schema.
 */

#include "common/ctl/conf_tree.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>

struct conf_index {
	struct conf_node **slots; /* open addressing, size a power of two */
	size_t size;
	struct hash_key hash;
};

void conf_node_add(struct conf_node *node, struct conf_node *child)
{
	if (node->last)
		node->last->next = child;
	else
		node->first = child;
	node->last = child;
	node->count++;
}

static struct conf_node **index_slot(
	const struct conf_index *index, const char *key)
{
	size_t i = hash_bytes(&index->hash, key, strlen(key));

	for (;; i++) {
		struct conf_node **slot = &index->slots[i & (index->size - 1)];

		if (!*slot || strcmp((*slot)->key, key) == 0)
			return slot;
	}
}

static int index_grow(struct conf *conf, struct conf_index *index)
{
	struct conf_node **old = index->slots;
	size_t size = index->size;

	index->size = size ? size * 2 : 16;
	index->slots = arena_array(
		&conf->arena, index->size, sizeof(struct conf_node *));
	if (!index->slots)
		return -ENOMEM;
	for (size_t i = 0; i < size; i++) {
		if (old[i])
			*index_slot(index, old[i]->key) = old[i];
	}
	return 0;
}

int conf_index_add(
	struct conf *conf, struct conf_node *dict, struct conf_node *child)
{
	struct conf_index *index = dict->u.index;
	struct conf_node **slot;

	if (!index) {
		index = arena_alloc(&conf->arena, sizeof(*index));
		if (!index)
			return -ENOMEM;
		hash_key_random(&index->hash);
		dict->u.index = index;
	}
	if ((size_t)(dict->count + 1) * 2 > index->size &&
		index_grow(conf, index) < 0)
		return -ENOMEM;
	slot = index_slot(index, child->key);
	if (*slot)
		return -EEXIST;
	*slot = child;
	return 0;
}

struct conf_node *conf_index_find(const struct conf_node *dict, const char *key)
{
	return dict->u.index ? *index_slot(dict->u.index, key) : NULL;
}

const struct conf_node *conf_root(const struct conf *conf)
{
	return conf->root;
}

const char *conf_file(const struct conf *conf)
{
	return conf->file;
}

void conf_free(struct conf *conf)
{
	struct arena arena;

	if (!conf)
		return;
	arena = conf->arena; /* which holds `conf` itself */
	arena_fini(&arena);
}

const struct conf_node *conf_get(const struct conf_node *node, const char *key)
{
	const struct conf_node *child;

	if (!node)
		return NULL;
	if (node->item->type == SCHEMA_DICT)
		return conf_index_find(node, key);
	assert(node->item->type == SCHEMA_MAP);
	assert(schema_find(node->item->children, key));
	for (child = node->first; child; child = child->next) {
		if (strcmp(child->key, key) == 0)
			return child;
	}
	return NULL;
}

const struct conf_node *conf_path(
	const struct conf_node *node, const char *path)
{
	char key[256];

	while (node && *path) {
		size_t n = strcspn(path, ".");

		assert(n < sizeof(key));
		memcpy(key, path, n);
		key[n] = '\0';
		node = conf_get(node, key);
		path += n + (path[n] == '.');
	}
	return node;
}

bool conf_has(const struct conf_node *node, const char *key)
{
	return conf_get(node, key) != NULL;
}

bool conf_bool(const struct conf_node *node)
{
	assert(node && node->item->type == SCHEMA_BOOL);
	return node->u.b;
}

int64_t conf_int(const struct conf_node *node)
{
	assert(node && (node->item->type == SCHEMA_INT ||
			       node->item->type == SCHEMA_SIZE ||
			       node->item->type == SCHEMA_DURATION ||
			       node->item->type == SCHEMA_ENUM));
	return node->u.i;
}

double conf_real(const struct conf_node *node)
{
	assert(node && node->item->type == SCHEMA_REAL);
	return node->u.r;
}

const char *conf_str(const struct conf_node *node)
{
	assert(node && schema_is_scalar(node->item));
	return node->text;
}

const union addr *conf_addr(const struct conf_node *node)
{
	assert(node && (node->item->type == SCHEMA_ADDR ||
			       node->item->type == SCHEMA_IP));
	return node->u.addr;
}

const struct prefix *conf_prefix(const struct conf_node *node)
{
	assert(node && node->item->type == SCHEMA_PREFIX);
	return node->u.prefix;
}

const struct name *conf_name(const struct conf_node *node)
{
	assert(node && node->item->type == SCHEMA_NAME);
	return node->u.name;
}

bool conf_get_bool(const struct conf_node *node, const char *key)
{
	return conf_bool(conf_get(node, key));
}

int64_t conf_get_int(const struct conf_node *node, const char *key)
{
	return conf_int(conf_get(node, key));
}

const char *conf_get_str(const struct conf_node *node, const char *key)
{
	const struct conf_node *child = conf_get(node, key);

	return child ? conf_str(child) : NULL;
}

const struct conf_node *conf_first(const struct conf_node *node)
{
	return node ? node->first : NULL;
}

const struct conf_node *conf_next(const struct conf_node *node)
{
	return node->next;
}

size_t conf_count(const struct conf_node *node)
{
	return node ? node->count : 0;
}

const char *conf_key(const struct conf_node *node)
{
	return node->key;
}

unsigned conf_line(const struct conf_node *node)
{
	return node->line;
}

int conf_error(const struct conf *conf, const struct conf_node *node,
	struct err *err, const char *fmt, ...)
{
	char what[ERR_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	if (node && node->line > 0)
		return err_fail(err, -EINVAL, "%s:%u: %s", conf->file,
			node->line, what);
	return err_fail(err, -EINVAL, "%s: %s", conf->file, what);
}

/* The path of the first RESTART difference below a and b into `path`. */
static bool restart_differs(const struct conf_node *a,
	const struct conf_node *b, bool restart, struct text *path);

/* Children of a against theirs in b; `missing`: only those b lacks. */
static bool children_differ(const struct conf_node *a,
	const struct conf_node *b, bool restart, bool missing,
	struct text *path)
{
	bool list = b && b->item->type == SCHEMA_LIST;
	const struct conf_node *child, *twin = list ? b->first : NULL;

	for (child = conf_first(a); child; child = child->next) {
		const struct conf_node *other = twin; /* at its position */
		size_t len = path->len;

		if (twin)
			twin = twin->next;
		else if (b && !list)
			other = conf_get(b, child->key);
		if (missing && other)
			continue;
		text_add(path, "%s%s", path->len ? "." : "",
			child->key ? child->key : "-");
		if (restart_differs(child, other, restart, path))
			return true;
		path->len = len;
	}
	return false;
}

static bool restart_differs(const struct conf_node *a,
	const struct conf_node *b, bool restart, struct text *path)
{
	const struct schema_item *item = a ? a->item : b->item;

	restart |= item->reload == SCHEMA_RESTART;
	if (schema_is_scalar(item))
		return restart && (!a || !b || !conf_value_equal(a, b));
	if (restart && (!a || !b))
		return true;
	return children_differ(a, b, restart, false, path) ||
	       children_differ(b, a, restart, true, path);
}

const char *conf_restart_key(const struct conf *a, const struct conf *b)
{
	static _Thread_local char key[512];
	struct text path;
	bool differs;

	text_init(&path);
	differs = restart_differs(a->root, b->root, false, &path);
	snprintf(key, sizeof(key), "%.*s", (int)path.len, path.data);
	text_fini(&path);
	return differs ? key : NULL;
}
