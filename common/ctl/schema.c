/* SPDX-License-Identifier: ISC */
/*
 * What can be said of a schema table without a configuration: look up a row,
 * name a type, and check the table itself (a daemon's tests do).
 */

#include "common/ctl/schema.h"

#include <errno.h>

static const char *const type_names[] = {
	[SCHEMA_END] = "end",
	[SCHEMA_BOOL] = "boolean",
	[SCHEMA_INT] = "integer",
	[SCHEMA_DURATION] = "duration",
	[SCHEMA_SIZE] = "size",
	[SCHEMA_REAL] = "number",
	[SCHEMA_STRING] = "string",
	[SCHEMA_ENUM] = "one of",
	[SCHEMA_ADDR] = "address with port",
	[SCHEMA_IP] = "IP address",
	[SCHEMA_PREFIX] = "prefix",
	[SCHEMA_NAME] = "domain name",
	[SCHEMA_PATH] = "path",
	[SCHEMA_MAP] = "map",
	[SCHEMA_LIST] = "list",
	[SCHEMA_DICT] = "map of names",
};

const char *schema_type_name(enum schema_type type)
{
	return type_names[type];
}

const struct schema_item *schema_find(
	const struct schema_item *table, const char *name)
{
	for (; table->type != SCHEMA_END; table++) {
		if (strcmp(table->name, name) == 0)
			return table;
	}
	return NULL;
}

bool schema_is_scalar(const struct schema_item *item)
{
	return item->type < SCHEMA_MAP;
}

static int check_item(const struct schema_item *item, struct err *err)
{
	if (!item->help)
		return err_fail(err, -EINVAL, "%s: no help", item->name);
	if (item->type == SCHEMA_ENUM && !item->choices)
		return err_fail(err, -EINVAL, "%s: no choices", item->name);
	if (item->min > item->max && item->max != 0)
		return err_fail(err, -EINVAL, "%s: empty range", item->name);
	if (!schema_is_scalar(item) && !item->children)
		return err_fail(err, -EINVAL, "%s: no children", item->name);
	if (item->required && item->dflt)
		return err_fail(err, -EINVAL, "%s: required with a default",
			item->name);
	return 0;
}

static int check_below(const struct schema_item *item, struct err *err)
{
	int rc;

	if (item->type == SCHEMA_MAP)
		rc = schema_check(item->children, err);
	else if (schema_is_scalar(item))
		return 0;
	else if ((rc = check_item(item->children, err)) == 0)
		rc = check_below(item->children, err);
	if (rc < 0)
		err_prefix(err, "%s", item->name);
	return rc;
}

int schema_check(const struct schema_item *table, struct err *err)
{
	const struct schema_item *item;
	int rc;

	for (item = table; item->type != SCHEMA_END; item++) {
		if (!item->name || item->name[0] == '\0')
			return err_fail(err, -EINVAL, "row %d: no name",
				(int)(item - table));
		if (schema_find(table, item->name) != item)
			return err_fail(err, -EINVAL, "%s: twice", item->name);
		rc = check_item(item, err);
		if (rc == 0)
			rc = check_below(item, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}
