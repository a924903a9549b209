/* SPDX-License-Identifier: ISC */
/*
 * Comparison of two docs: tables by their keys and columns, zones by record
 * sets. A zone whose digest is equal and which is not dirty is not read.
 */

#include "mgmt/diff.h"

#include <errno.h>

#include "mgmt/zone.h"

#define BRIEF_RECORDS 2000

static int change_add(json_t *out, const char *op, const char *kind,
	const char *key, json_t *detail)
{
	return json_array_append_new(
		       out, json_pack("{s:s, s:s, s:s, s:o}", "op", op, "kind",
				    kind, "key", key, "detail",
				    detail ? detail : json_array()))
		       ? -ENOMEM
		       : 0;
}

/* {key: row}, so that big tables are compared in one pass. New. */
static json_t *index_of(const struct model_table *table, const json_t *rows)
{
	char key[MODEL_KEY_TEXT];
	json_t *index = json_object();
	size_t i;
	json_t *row;

	json_array_foreach(rows, i, row)
		json_object_set(index, model_key(table, row, key), row);
	return index;
}

/* "" and [] say that something is not given. */
static bool is_nothing(const json_t *value)
{
	return (json_is_string(value) && json_string_length(value) == 0) ||
	       (json_is_array(value) && json_array_size(value) == 0);
}

/* "column: old -> new" for each that differs; old NULL: "column: new" for
 * each that says something. */
static json_t *row_detail(
	const struct model_table *table, const json_t *old, const json_t *new)
{
	json_t *detail = json_array();
	json_t *a = old ? model_masked(table, old) : NULL;
	json_t *b = model_masked(table, new);

	for (size_t i = 0; i < table->count; i++) {
		const struct model_column *c = &table->columns[i];
		const json_t *was = json_object_get(old, c->name);
		const json_t *is = json_object_get(new, c->name);
		char *x, *y;

		if ((c->flags & MODEL_KEY) || (was && json_equal(was, is)) ||
			(!was && is_nothing(is)))
			continue;
		x = was ? json_canonical(json_object_get(a, c->name)) : NULL;
		y = json_canonical(json_object_get(b, c->name));
		json_array_append_new(detail,
			x ? json_sprintf("%s: %.200s -> %.200s", c->name, x,
				    y ? y : "")
			  : json_sprintf("%s: %.200s", c->name, y ? y : ""));
		free(x);
		free(y);
	}
	json_decref(a);
	json_decref(b);
	return detail;
}

/* A single row as it is at the first start is no change. */
static bool is_default(const struct model_table *table, const json_t *row)
{
	json_t *dflt = NULL;
	bool same = (table->flags & MODEL_SINGLE) &&
		    !model_row_new(table, NULL, &dflt, NULL) &&
		    json_equal(dflt, row);

	json_decref(dflt);
	return same;
}

static int diff_table(const struct model_table *table, const json_t *old,
	const json_t *new, json_t *out)
{
	json_t *was = index_of(table, old), *is = index_of(table, new);
	const char *key;
	json_t *row;
	int rc = 0;

	json_object_foreach(is, key, row) {
		const json_t *before = json_object_get(was, key);

		if (rc || (before && json_equal(before, row)) ||
			(!before && is_default(table, row)))
			continue;
		rc = change_add(out, before ? "mod" : "add", table->noun, key,
			row_detail(table, before, row));
	}
	json_object_foreach(was, key, row)
		if (!rc && !json_object_get(is, key))
			rc = change_add(out, "del", table->noun, key, NULL);
	json_decref(was);
	json_decref(is);
	return rc;
}

/* {zone: row}. New. */
static json_t *zone_index(const json_t *doc)
{
	json_t *index = json_object();
	size_t i;
	json_t *row;

	json_array_foreach(model_rows(doc, "zones"), i, row)
		json_object_set(index, row_str(row, "zone"), row);
	return index;
}

/* The zone that a doc's row means. */
static int zone_of(struct store *store, const json_t *row, struct zone **out,
	struct err *err)
{
	const char *name = row_str(row, "zone");

	if (json_is_true(json_object_get(row, "dirty")) ||
		!*row_str(row, "sha256"))
		return mzone_load(store, name, (uint32_t)row_int(row, "serial"),
			out, err);
	return mzone_blob(store, name, row_str(row, "sha256"), out, err);
}

static bool is_big(struct store *store, const char *zone)
{
	json_t *row = NULL;
	bool big = !store_zone(store, zone, &row, NULL) &&
		   row_int(row, "records") > BRIEF_RECORDS;

	json_decref(row);
	return big;
}

static int diff_zone(struct store *store, const json_t *old, const json_t *new,
	bool brief, json_t *out, struct err *err)
{
	struct zone *a = NULL, *b = NULL;
	int rc;

	if (brief && is_big(store, row_str(new, "zone")))
		return change_add(
			out, "mod", "zone", row_str(new, "zone"), NULL);
	rc = zone_of(store, old, &a, err);
	if (!rc)
		rc = zone_of(store, new, &b, err);
	if (!rc)
		rc = mzone_diff(a, b, out, err);
	zone_free(a);
	zone_free(b);
	return rc;
}

static int diff_zones(struct store *store, const json_t *old, const json_t *new,
	bool brief, json_t *out, struct err *err)
{
	json_t *was = zone_index(old), *is = zone_index(new), *row;
	const char *zone;
	int rc = 0;

	json_object_foreach(is, zone, row) {
		const json_t *before = json_object_get(was, zone);

		if (rc)
			break;
		if (!before)
			rc = change_add(out, "add", "zone", zone, NULL);
		else if (json_is_true(json_object_get(row, "dirty")) ||
			 strcmp(row_str(before, "sha256"),
				 row_str(row, "sha256")))
			rc = diff_zone(store, before, row, brief, out, err);
	}
	json_object_foreach(was, zone, row)
		if (!rc && !json_object_get(is, zone))
			rc = change_add(out, "del", "zone", zone, NULL);
	json_decref(was);
	json_decref(is);
	return rc;
}

int diff_docs(struct store *store, const json_t *old, const json_t *new,
	bool brief, json_t **changes, struct err *err)
{
	size_t count;
	const struct model_table *t = model_tables(&count);
	json_t *out = json_array();
	int rc = 0;

	for (size_t i = 0; i < count && !rc; i++)
		rc = diff_table(&t[i], model_rows(old, t[i].name),
			model_rows(new, t[i].name), out);
	if (!rc)
		rc = diff_zones(store, old, new, brief, out, err);
	if (rc)
		json_decref(out);
	else
		*changes = out;
	return rc;
}
