/* SPDX-License-Identifier: ISC */
/*
 * Statements: prepared once, kept in a small table by their text, bound from
 * a list of arguments, their rows turned to JSON.
 */

#include "mgmt/store_sql.h"

#include <assert.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdarg.h>

#define CACHE_SIZE 256

struct sql_cache {
	size_t count;
	sqlite3_stmt *items[CACHE_SIZE];
};

struct sql_cache *sql_cache_new(void)
{
	return calloc(1, sizeof(struct sql_cache));
}

void sql_cache_free(struct sql_cache *cache)
{
	for (size_t i = 0; cache && i < cache->count; i++)
		sqlite3_finalize(cache->items[i]);
	free(cache);
}

static int sql_error(struct store *store, struct err *err, const char *sql)
{
	int code = sqlite3_extended_errcode(store->db);

	err_set(err, "database: %s", sqlite3_errmsg(store->db));
	switch (code) {
	case SQLITE_CONSTRAINT_PRIMARYKEY:
	case SQLITE_CONSTRAINT_UNIQUE:
		return -EEXIST;
	case SQLITE_CONSTRAINT_FOREIGNKEY:
		return -EBUSY;
	case SQLITE_NOMEM:
		return -ENOMEM;
	}
	err_prefix(err, "%.60s", sql);
	return -EIO;
}

static sqlite3_stmt *sql_prepare(struct store *store, const char *sql)
{
	struct sql_cache *c = store->cache;
	sqlite3_stmt *stmt = NULL;

	for (size_t i = 0; i < c->count; i++)
		if (!strcmp(sqlite3_sql(c->items[i]), sql))
			return c->items[i];
	if (sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
		    &stmt, NULL) != SQLITE_OK)
		return NULL;
	if (c->count == CACHE_SIZE)
		sqlite3_finalize(c->items[--c->count]);
	c->items[c->count++] = stmt;
	return stmt;
}

static int bind_json(sqlite3_stmt *stmt, int at, const json_t *value)
{
	char *text;

	if (json_is_string(value))
		return sqlite3_bind_text(stmt, at, json_string_value(value), -1,
			SQLITE_TRANSIENT);
	if (json_is_integer(value))
		return sqlite3_bind_int64(stmt, at, json_integer_value(value));
	if (json_is_boolean(value))
		return sqlite3_bind_int64(stmt, at, json_is_true(value));
	text = json_canonical(value);
	if (!text)
		return SQLITE_NOMEM;
	return sqlite3_bind_text(stmt, at, text, -1, free);
}

static int sql_bind(sqlite3_stmt *stmt, const char *types, va_list args)
{
	int rc = SQLITE_OK;

	for (int at = 1; *types && rc == SQLITE_OK; types++, at++) {
		const void *data;

		switch (*types) {
		case 's':
			rc = sqlite3_bind_text(stmt, at,
				va_arg(args, const char *), -1,
				SQLITE_TRANSIENT);
			break;
		case 'i':
			rc = sqlite3_bind_int64(
				stmt, at, va_arg(args, long long));
			break;
		case 'j':
			rc = bind_json(stmt, at, va_arg(args, const json_t *));
			break;
		case 'b':
			data = va_arg(args, const void *);
			rc = sqlite3_bind_blob64(stmt, at, data,
				va_arg(args, size_t), SQLITE_STATIC);
			break;
		default:
			abort(); /* not a known type of argument */
		}
	}
	return rc;
}

static json_t *sql_row(sqlite3_stmt *stmt)
{
	json_t *row = json_object();

	for (int i = 0; i < sqlite3_column_count(stmt); i++) {
		json_t *v;

		if (sqlite3_column_type(stmt, i) == SQLITE_INTEGER)
			v = json_integer(sqlite3_column_int64(stmt, i));
		else if (sqlite3_column_type(stmt, i) == SQLITE_NULL)
			v = json_null();
		else
			v = json_string(
				(const char *)sqlite3_column_text(stmt, i));
		if (json_object_set_new(row, sqlite3_column_name(stmt, i), v)) {
			json_decref(row);
			return NULL;
		}
	}
	return row;
}

static int sql_step(
	struct store *store, sqlite3_stmt *stmt, json_t **out, struct err *err)
{
	json_t *rows = out ? json_array() : NULL;
	int rc;

	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
		if (rows && json_array_append_new(rows, sql_row(stmt)))
			break;
	if (rc == SQLITE_DONE) {
		if (out)
			*out = rows;
		return 0;
	}
	json_decref(rows);
	if (rc == SQLITE_ROW)
		return err_fail(err, -ENOMEM, "no memory");
	return sql_error(store, err, sqlite3_sql(stmt));
}

static int sql_vrun(struct store *store, json_t **out, struct err *err,
	const char *sql, const char *types, va_list args)
{
	sqlite3_stmt *stmt = sql_prepare(store, sql);
	int rc;

	if (!stmt)
		return sql_error(store, err, sql);
	assert(store->writing || sqlite3_stmt_readonly(stmt));
	if (sql_bind(stmt, types, args) != SQLITE_OK)
		rc = sql_error(store, err, sql);
	else
		rc = sql_step(store, stmt, out, err);
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	return rc;
}

int sql_run(struct store *store, json_t **out, struct err *err, const char *sql,
	const char *types, ...)
{
	va_list args;
	int rc;

	va_start(args, types);
	rc = sql_vrun(store, out, err, sql, types, args);
	va_end(args);
	return rc;
}

int sql_changes(const struct store *store)
{
	return sqlite3_changes(store->db);
}

int sql_one(struct store *store, json_t **out, const char *what,
	struct err *err, const char *sql, const char *types, ...)
{
	json_t *rows = NULL;
	va_list args;
	int rc;

	va_start(args, types);
	rc = sql_vrun(store, &rows, err, sql, types, args);
	va_end(args);
	if (rc)
		return rc;
	if (json_array_size(rows) == 0)
		rc = err_fail(err, -ENOENT, "%s: not found", what);
	else
		*out = json_incref(json_array_get(rows, 0));
	json_decref(rows);
	return rc;
}

int sql_script(struct store *store, const char *sql, struct err *err)
{
	if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return sql_error(store, err, sql);
	return 0;
}

int sql_blob(struct store *store, const char *sql, const char *key, char **data,
	size_t *len, struct err *err)
{
	sqlite3_stmt *stmt = sql_prepare(store, sql);
	int rc = 0;

	if (!stmt)
		return sql_error(store, err, sql);
	sqlite3_bind_text(stmt, 1, key, -1, SQLITE_TRANSIENT);
	switch (sqlite3_step(stmt)) {
	case SQLITE_ROW:
		*len = (size_t)sqlite3_column_bytes(stmt, 0);
		*data = malloc(*len + 1);
		if (*data) {
			if (*len)
				memcpy(*data, sqlite3_column_blob(stmt, 0),
					*len);
			(*data)[*len] = '\0';
		} else {
			rc = err_fail(err, -ENOMEM, "no memory");
		}
		break;
	case SQLITE_DONE:
		rc = err_fail(err, -ENOENT, "%s: not found", key);
		break;
	default:
		rc = sql_error(store, err, sql);
	}
	sqlite3_reset(stmt);
	return rc;
}
