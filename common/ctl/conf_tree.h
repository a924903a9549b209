/* SPDX-License-Identifier: ISC */
#ifndef COMMON_CTL_CONF_TREE_H
#define COMMON_CTL_CONF_TREE_H

/*
 * Inside of conf: the tree that conf.c builds from YAML events, conf_value.c
 * fills with values and conf_tree.c reads and prints. Only those three
 * include it.
 */

#include "common/base/arena.h"
#include "common/ctl/conf.h"

struct conf_index; /* dict: key -> node */

struct conf_node {
	const struct schema_item *item;
	const char *key; /* in a map or dict, else NULL */
	unsigned line;   /* 0: from the table's default */
	unsigned count;  /* children */
	struct conf_node *first, *last, *next;
	const char *text; /* canonical text of a scalar */
	union {
		int64_t i;
		double r;
		bool b;
		const union addr *addr;
		const struct prefix *prefix;
		const struct name *name;
		struct conf_index *index;
	} u;
};

struct conf {
	struct arena arena;
	const char *file;
	const char *folder; /* of the file, absolute or "." */
	struct schema_item *root_item;
	struct conf_node *root;
};

/* Append `child` to the children of `node`. */
void conf_node_add(struct conf_node *node, struct conf_node *child);
/* Set a scalar's value from `text`; -EINVAL with "TEXT: what is allowed",
 * -ENOMEM. */
int conf_value_set(struct conf *conf, struct conf_node *node, const char *text,
	struct err *err) MUST_CHECK;
/* What a value of this item may be, for messages and the reference page. */
void conf_value_allowed(const struct schema_item *item, struct text *out);
/* The scalar as YAML that parses to the same value. */
void conf_value_print(const struct conf_node *node, struct text *out);
/* `text` as a YAML scalar, quoted where it must be. */
void conf_text_print(const char *text, struct text *out);
bool conf_value_equal(const struct conf_node *a, const struct conf_node *b);

/* Keys of a dict: constant-time find; 0, -EEXIST or -ENOMEM. */
int conf_index_add(struct conf *conf, struct conf_node *dict,
	struct conf_node *child) MUST_CHECK;
struct conf_node *conf_index_find(
	const struct conf_node *dict, const char *key);

#endif
