/* SPDX-License-Identifier: ISC */
/*
 * Rows of the model's tables: the statements are made from the description
 * in model.h, so a column is named once.
 */

#include "mgmt/store_sql.h"

#include <errno.h>

#include "common/base/buf.h"

/* Texts and numbers of the database -> the types of the model. */
static int row_decode(
	const struct model_table *table, json_t *row, struct err *err)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct model_column *c = &table->columns[i];
		const json_t *v = json_object_get(row, c->name);
		json_t *new = NULL;

		if (c->flags & MODEL_LIST)
			new = json_loads(json_string_value(v), 0, NULL);
		else if (c->type == MODEL_BOOL)
			new = json_boolean(json_integer_value(v) != 0);
		else
			continue;
		if (json_object_set_new(row, c->name, new))
			return err_fail(err, -EIO, "%s.%s: malformed",
				table->name, c->name);
	}
	return 0;
}

static void add_columns(struct text *sql, const struct model_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		text_add(
			sql, "%s\"%s\"", i ? ", " : "", table->columns[i].name);
}

static void add_order(struct text *sql, const struct model_table *table)
{
	if (table->flags & MODEL_SINGLE)
		return;
	text_add(sql, " ORDER BY ");
	for (size_t i = 0; i < table->count; i++)
		if (table->columns[i].flags & MODEL_KEY)
			text_add(sql, "%s\"%s\"", i ? ", " : "",
				table->columns[i].name);
}

/* " WHERE a = json_extract(?1, '$.a') AND ...": all values travel as one
 * JSON argument, so the number of columns does not matter. */
static void add_where(struct text *sql, const struct model_table *table,
	const json_t *key, bool keys_only)
{
	const char *word = " WHERE ";

	for (size_t i = 0; i < table->count; i++) {
		const struct model_column *c = &table->columns[i];

		if (keys_only ? !(c->flags & MODEL_KEY)
			      : !json_object_get(key, c->name))
			continue;
		text_add(sql, "%s\"%s\" = json_extract(?1, '$.\"%s\"')", word,
			c->name, c->name);
		word = " AND ";
	}
}

/* A row for json_extract: lists as their text, bools as 0 and 1. */
static json_t *row_encode(const struct model_table *table, const json_t *row)
{
	json_t *out = json_object();

	for (size_t i = 0; i < table->count; i++) {
		const struct model_column *c = &table->columns[i];
		json_t *v = json_object_get(row, c->name);
		char *text;

		if (!v)
			continue;
		if (json_is_array(v)) {
			text = json_canonical(v);
			json_object_set_new(
				out, c->name, json_string(text ? text : "[]"));
			free(text);
		} else if (json_is_boolean(v)) {
			json_object_set_new(
				out, c->name, json_integer(json_is_true(v)));
		} else {
			json_object_set(out, c->name, v);
		}
	}
	return out;
}

static int run_encoded(struct store *store, const struct model_table *table,
	const json_t *row, struct text *sql, json_t **out, struct err *err)
{
	json_t *args = row_encode(table, row);
	int rc;

	if (!args || sql->failed)
		rc = err_fail(err, -ENOMEM, "no memory");
	else
		rc = sql_run(store, out, err, sql->data,
			strstr(sql->data, "?1") ? "j" : "", args);
	json_decref(args);
	text_fini(sql);
	return rc;
}

int store_rows(struct store *store, const struct model_table *table,
	const json_t *key, json_t **out, struct err *err)
{
	struct text sql;
	json_t *rows = NULL;
	int rc;

	text_init(&sql);
	text_add(&sql, "SELECT ");
	add_columns(&sql, table);
	text_add(&sql, " FROM \"%s\"", table->name);
	add_where(&sql, table, key, false);
	add_order(&sql, table);
	rc = run_encoded(store, table, key, &sql, &rows, err);
	for (size_t i = 0; i < json_array_size(rows) && !rc; i++)
		rc = row_decode(table, json_array_get(rows, i), err);
	if (rc)
		json_decref(rows);
	else
		*out = rows;
	return rc;
}

static json_t *only_keys(const struct model_table *table, const json_t *row)
{
	json_t *key = json_object();

	for (size_t i = 0; i < table->count; i++)
		if (table->columns[i].flags & MODEL_KEY)
			json_object_set(key, table->columns[i].name,
				json_object_get(row, table->columns[i].name));
	return key;
}

int store_row(struct store *store, const struct model_table *table,
	const json_t *key, json_t **out, struct err *err)
{
	json_t *keys = only_keys(table, key), *rows = NULL;
	char text[MODEL_KEY_TEXT];
	int rc = store_rows(store, table, keys, &rows, err);

	if (!rc && json_array_size(rows) == 0)
		rc = err_fail(err, -ENOENT, "%s %s: not found", table->noun,
			model_key(table, key, text));
	else if (!rc)
		*out = json_incref(json_array_get(rows, 0));
	json_decref(rows);
	json_decref(keys);
	return rc;
}

/* Everything that a row names must be there. */
static int refs_exist(struct store *store, const struct model_table *table,
	const json_t *row, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < table->count && !rc; i++) {
		const struct model_column *c = &table->columns[i];
		const struct model_table *to =
			c->ref ? model_table(c->ref) : NULL;
		json_t *key, *found = NULL;

		if (!to || !json_object_get(row, c->name) ||
			!*row_str(row, c->name))
			continue;
		key = json_object();
		json_object_set(key, to->columns[0].name,
			json_object_get(row, c->name));
		rc = store_row(store, to, key, &found, err);
		json_decref(found);
		json_decref(key);
	}
	return rc;
}

int store_insert(struct store *store, const struct model_table *table,
	const json_t *row, struct err *err)
{
	char key[MODEL_KEY_TEXT];
	struct text sql;
	int rc = refs_exist(store, table, row, err);

	if (rc)
		return rc;
	text_init(&sql);
	text_add(&sql, "INSERT INTO \"%s\" (", table->name);
	add_columns(&sql, table);
	text_add(&sql, ") VALUES (");
	for (size_t i = 0; i < table->count; i++)
		text_add(&sql, "%sjson_extract(?1, '$.\"%s\"')", i ? ", " : "",
			table->columns[i].name);
	text_add(&sql, ")");
	rc = run_encoded(store, table, row, &sql, NULL, err);
	if (rc == -EEXIST)
		err_set(err, "%s %s: exists already", table->noun,
			model_key(table, row, key));
	return rc;
}

int store_update(struct store *store, const struct model_table *table,
	const json_t *row, struct err *err)
{
	char key[MODEL_KEY_TEXT];
	struct text sql;
	bool any = false;
	int rc = refs_exist(store, table, row, err);

	if (rc)
		return rc;
	text_init(&sql);
	text_add(&sql, "UPDATE \"%s\" SET ", table->name);
	for (size_t i = 0; i < table->count; i++) {
		const struct model_column *c = &table->columns[i];

		if ((c->flags & MODEL_KEY) || !json_object_get(row, c->name))
			continue;
		text_add(&sql, "%s\"%s\" = json_extract(?1, '$.\"%s\"')",
			any ? ", " : "", c->name, c->name);
		any = true;
	}
	if (!any) {
		text_fini(&sql);
		return err_fail(err, -EBADR, "nothing to change is given");
	}
	add_where(&sql, table, row, true);
	rc = run_encoded(store, table, row, &sql, NULL, err);
	if (!rc && sql_changes(store) == 0)
		rc = err_fail(err, -ENOENT, "%s %s: not found", table->noun,
			model_key(table, row, key));
	return rc;
}

/* -EBUSY with the first row of `from` that names `key` without being owned. */
static int refs_from(struct store *store, const struct model_table *from,
	const struct model_table *table, const json_t *key, struct err *err)
{
	char a[MODEL_KEY_TEXT], b[MODEL_KEY_TEXT];
	int rc = 0;

	for (size_t i = 0; i < from->count && !rc; i++) {
		const struct model_column *c = &from->columns[i];
		json_t *where, *rows = NULL;

		if (!c->ref || c->owned || strcmp(c->ref, table->name))
			continue;
		where = json_object();
		json_object_set(where, c->name,
			json_object_get(key, table->columns[0].name));
		rc = store_rows(store, from, where, &rows, err);
		if (!rc && json_array_size(rows) > 0)
			rc = err_fail(err, -EBUSY, "%s %s: is used by %s %s",
				table->noun, model_key(table, key, a),
				from->noun,
				model_key(from, json_array_get(rows, 0), b));
		json_decref(rows);
		json_decref(where);
	}
	return rc;
}

int store_delete(struct store *store, const struct model_table *table,
	const json_t *key, struct err *err)
{
	char text[MODEL_KEY_TEXT];
	size_t count;
	const struct model_table *t = model_tables(&count);
	struct text sql;
	int rc = 0;

	for (size_t i = 0; i < count && !rc; i++)
		rc = refs_from(store, &t[i], table, key, err);
	if (rc)
		return rc;
	text_init(&sql);
	text_add(&sql, "DELETE FROM \"%s\"", table->name);
	add_where(&sql, table, key, true);
	rc = run_encoded(store, table, key, &sql, NULL, err);
	if (!rc && sql_changes(store) == 0)
		rc = err_fail(err, -ENOENT, "%s %s: not found", table->noun,
			model_key(table, key, text));
	return rc;
}

static int doc_zones(struct store *store, json_t *doc, struct err *err)
{
	json_t *rows = NULL;
	size_t i;
	json_t *row;
	int rc = sql_run(store, &rows, err,
		"SELECT zone, serial, sha256, dirty FROM zone ORDER BY zone",
		"");

	if (rc)
		return rc;
	json_array_foreach(rows, i, row)
		json_object_set_new(row, "dirty",
			json_boolean(json_integer_value(
				json_object_get(row, "dirty"))));
	return json_object_set_new(doc, "zones", rows) ? -ENOMEM : 0;
}

int store_doc(struct store *store, json_t **out, struct err *err)
{
	size_t count;
	const struct model_table *t = model_tables(&count);
	json_t *doc = json_object();
	int rc = 0;

	for (size_t i = 0; i < count && !rc; i++) {
		json_t *rows = NULL;

		rc = store_rows(store, &t[i], NULL, &rows, err);
		if (!rc && json_object_set_new(doc, t[i].name, rows))
			rc = err_fail(err, -ENOMEM, "no memory");
	}
	if (!rc)
		rc = doc_zones(store, doc, err);
	if (rc)
		json_decref(doc);
	else
		*out = doc;
	return rc;
}

static int restore_table(struct store *store, const struct model_table *table,
	const json_t *rows, struct err *err)
{
	size_t i;
	json_t *old;
	int rc = 0;

	json_array_foreach(rows, i, old) {
		json_t *row = NULL, *known = json_object();

		/* columns of a later version are dropped, new ones default */
		for (size_t c = 0; c < table->count; c++) {
			const char *name = table->columns[c].name;

			if (json_object_get(old, name))
				json_object_set(known, name,
					json_object_get(old, name));
		}
		rc = model_row_new(table, known, &row, err);
		if (!rc)
			rc = store_insert(store, table, row, err);
		json_decref(row);
		json_decref(known);
		if (rc)
			return rc;
	}
	return 0;
}

int store_restore(struct store *store, const json_t *doc, struct err *err)
{
	size_t count;
	const struct model_table *t = model_tables(&count);
	char sql[96];
	int rc = 0;

	for (size_t i = count; i-- > 0 && !rc;) {
		if (t[i].flags & MODEL_KEEP)
			continue;
		snprintf(sql, sizeof(sql), "DELETE FROM \"%s\"", t[i].name);
		rc = sql_run(store, NULL, err, sql, "");
	}
	for (size_t i = 0; i < count && !rc; i++)
		if (!(t[i].flags & MODEL_KEEP))
			rc = restore_table(
				store, &t[i], model_rows(doc, t[i].name), err);
	return rc ? rc : store_fill(store, err);
}
