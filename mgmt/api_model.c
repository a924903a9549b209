/* SPDX-License-Identifier: ISC */
/*
 * Verbs that are rows of the model and no more: list, show, create, set,
 * delete of a table. What they take and check is in model_table.c.
 */

#include "mgmt/command.h"

#include <errno.h>

static const struct model_table *table_of(const struct call *call);

/* {"check":{"name":..}} of a backend becomes check_name and so on. */
static int flatten_check(const json_t *args, json_t *flat, struct err *err)
{
	const json_t *check = json_object_get(args, "check");
	const char *key;
	char name[64];
	json_t *value;

	if (!check)
		return 0;
	if (!json_is_object(check))
		return err_fail(err, -EBADR, "\"check\" must be an object");
	json_object_del(flat, "check");
	json_object_foreach((json_t *)(uintptr_t)check, key, value) {
		snprintf(name, sizeof(name), "check_%.50s",
			strcmp(key, "require_aa") ? key : "aa");
		json_object_set(flat, name, value);
	}
	return 0;
}

/* "preset" of a vip becomes version and interval_ms, unless they are given. */
static int flatten_preset(const json_t *args, json_t *flat, struct err *err)
{
	static const struct {
		const char *name;
		int version, interval_ms;
	} presets[] = {
		{"legacy", 2, 1000}, {"default", 3, 100}, {"fast", 3, 20}};
	const char *preset;
	int rc = arg_maybe(args, "preset", &preset, err);

	if (rc || !preset)
		return rc;
	json_object_del(flat, "preset");
	for (size_t i = 0; i < countof(presets); i++) {
		if (strcmp(presets[i].name, preset))
			continue;
		if (!json_object_get(args, "version"))
			json_object_set_new(flat, "version",
				json_integer(presets[i].version));
		if (!json_object_get(args, "interval_ms"))
			json_object_set_new(flat, "interval_ms",
				json_integer(presets[i].interval_ms));
		return 0;
	}
	return err_fail(err, -EINVAL,
		"preset: \"%.40s\": must be one of legacy, default, fast",
		preset);
}

static int flat_args(const struct model_table *table, const json_t *args,
	json_t **flat, struct err *err)
{
	*flat = json_copy((json_t *)(uintptr_t)args);
	if (!*flat)
		return err_fail(err, -ENOMEM, "no memory");
	if (!strcmp(table->name, "backend"))
		return flatten_check(args, *flat, err);
	return strcmp(table->name, "vip") ? 0
					  : flatten_preset(args, *flat, err);
}

/* Only the members of `args` that are keys of the table, canonical; all of
 * them must be there. */
static int key_of(const struct model_table *table, const json_t *args,
	json_t **key, struct err *err)
{
	json_t *only = json_object();
	int rc = 0;

	for (size_t i = 0; i < table->count && !rc; i++) {
		const struct model_column *c = &table->columns[i];
		json_t *v = json_object_get(args, c->name);

		if (!(c->flags & MODEL_KEY))
			continue;
		if (!v)
			rc = err_fail(
				err, -EBADR, "\"%s\" is missing", c->name);
		else
			json_object_set(only, c->name, v);
	}
	if (!rc)
		rc = model_row_change(table, only, key, err);
	json_decref(only);
	return rc;
}

static int mask_rows(const struct model_table *table, json_t *rows)
{
	for (size_t i = 0; i < json_array_size(rows); i++)
		json_array_set_new(
			rows, i, model_masked(table, json_array_get(rows, i)));
	return 0;
}

/* All rows, or those with the columns that are given. */
static int model_list(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	const struct model_table *table = table_of(call);
	json_t *key = NULL;
	int rc = model_row_change(table, args, &key, err);

	if (!rc)
		rc = store_rows(call->m->store, table, key, result, err);
	json_decref(key);
	return rc ? rc : mask_rows(table, *result);
}

static int model_show(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	const struct model_table *table = table_of(call);
	json_t *key = NULL, *row = NULL;
	int rc = key_of(table, args, &key, err);

	if (!rc && json_object_size(args) != json_object_size(key))
		rc = err_fail(err, -EBADR, "only the name is expected");
	if (!rc)
		rc = store_row(call->m->store, table, key, &row, err);
	if (!rc)
		*result = model_masked(table, row);
	json_decref(row);
	json_decref(key);
	return rc;
}

static int row_set(struct call *call, const struct model_table *table,
	const json_t *args, json_t **result, struct err *err)
{
	json_t *row = NULL, *now = NULL;
	int rc = model_row_change(table, args, &row, err);

	if (!rc)
		rc = store_update(call->m->store, table, row, err);
	if (!rc)
		rc = store_row(call->m->store, table, row, &now, err);
	if (!rc)
		*result = model_masked(table, now);
	json_decref(row);
	json_decref(now);
	return rc;
}

static int model_set(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	const struct model_table *table = table_of(call);
	json_t *flat = NULL, *key = NULL;
	int rc = flat_args(table, args, &flat, err);

	if (!rc)
		rc = key_of(table, flat, &key, err);
	if (!rc)
		rc = row_set(call, table, flat, result, err);
	json_decref(key);
	json_decref(flat);
	return rc;
}

/* The row that `args` name, when it is there; else NULL. */
static json_t *row_there(
	struct call *call, const struct model_table *table, const json_t *args)
{
	json_t *key = NULL, *row = NULL;

	if (key_of(table, args, &key, NULL) ||
		store_row(call->m->store, table, key, &row, NULL))
		row = NULL;
	json_decref(key);
	return row;
}

static size_t keys_count(const struct model_table *table)
{
	size_t n = 0;

	for (size_t i = 0; i < table->count; i++)
		n += (table->columns[i].flags & MODEL_KEY) != 0;
	return n;
}

static int model_create(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	const struct model_table *table = table_of(call);
	json_t *flat = NULL, *row = NULL, *now = NULL;
	int rc = flat_args(table, args, &flat, err);

	if (!rc && call->upsert && (now = row_there(call, table, flat))) {
		if (json_object_size(flat) > keys_count(table))
			rc = row_set(call, table, flat, result, err);
		else
			*result = model_masked(table, now);
		goto out;
	}
	if (!rc)
		rc = model_row_new(table, flat, &row, err);
	if (!rc)
		rc = store_insert(call->m->store, table, row, err);
	if (!rc)
		*result = model_masked(table, row);
	json_decref(row);
out:
	json_decref(now);
	json_decref(flat);
	return rc;
}

/* Create or change, whichever it needs. */
static int model_put(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	bool before = call->upsert;
	int rc;

	call->upsert = true;
	rc = model_create(call, args, result, err);
	call->upsert = before;
	return rc;
}

static int model_delete(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	const struct model_table *table = table_of(call);
	json_t *key = NULL;
	int rc = key_of(table, args, &key, err);

	(void)result;
	if (!rc && json_object_size(args) != json_object_size(key))
		rc = err_fail(err, -EBADR, "only the name is expected");
	if (!rc)
		rc = store_delete(call->m->store, table, key, err);
	json_decref(key);
	return rc;
}

static const struct command_def commands[] = {
	{"limit.set", RIGHT_OPERATE, CALL_WRITE, model_set, "limits"},
	{"limit.override", RIGHT_OPERATE, CALL_WRITE, model_put,
		"limit_override"},
	{"limit.del", RIGHT_OPERATE, CALL_WRITE, model_delete,
		"limit_override"},
	{"limit.exempt.list", RIGHT_VIEW, 0, model_list, "limit_exempt"},
	{"limit.exempt.add", RIGHT_OPERATE, CALL_WRITE, model_create,
		"limit_exempt"},
	{"limit.exempt.del", RIGHT_OPERATE, CALL_WRITE, model_delete,
		"limit_exempt"},
	{"limit.misses.show", RIGHT_VIEW, 0, model_show, "limit_misses"},
	{"limit.misses.set", RIGHT_OPERATE, CALL_WRITE, model_set,
		"limit_misses"},
	{"block.policy.show", RIGHT_VIEW, 0, model_show, "block_policy"},
	{"block.policy.set", RIGHT_OPERATE, CALL_WRITE, model_set,
		"block_policy"},
	{"policy.show", RIGHT_VIEW, 0, model_show, "policy"},
	{"policy.set", RIGHT_OPERATE, CALL_WRITE, model_set, "policy"},
	{"cache.show", RIGHT_VIEW, 0, model_show, "cache"},
	{"cache.set", RIGHT_OPERATE, CALL_WRITE, model_set, "cache"},
	{"frontend.show", RIGHT_VIEW, 0, model_show, "frontend"},
	{"frontend.set", RIGHT_OPERATE, CALL_WRITE, model_set, "frontend"},
	{"frontend.retry.show", RIGHT_VIEW, 0, model_show, "frontend_retry"},
	{"frontend.retry.set", RIGHT_OPERATE, CALL_WRITE, model_set,
		"frontend_retry"},
	{"frontend.transfers.show", RIGHT_VIEW, 0, model_show,
		"frontend_transfers"},
	{"frontend.transfers.set", RIGHT_OPERATE, CALL_WRITE, model_set,
		"frontend_transfers"},
	{"frontend.tcp.show", RIGHT_VIEW, 0, model_show, "frontend_tcp"},
	{"frontend.tcp.set", RIGHT_OPERATE, CALL_WRITE, model_set,
		"frontend_tcp"},
	{"pool.create", RIGHT_OPERATE, CALL_WRITE, model_create, "pool"},
	{"pool.set", RIGHT_OPERATE, CALL_WRITE, model_set, "pool"},
	{"pool.delete", RIGHT_OPERATE, CALL_WRITE, model_delete, "pool"},
	{"backend.list", RIGHT_VIEW, 0, model_list, "backend"},
	{"backend.add", RIGHT_OPERATE, CALL_WRITE, model_create, "backend"},
	{"backend.set", RIGHT_OPERATE, CALL_WRITE, model_set, "backend"},
	{"backend.del", RIGHT_OPERATE, CALL_WRITE, model_delete, "backend"},
	{"route.add", RIGHT_OPERATE, CALL_WRITE, model_create, "route"},
	{"route.set", RIGHT_OPERATE, CALL_WRITE, model_set, "route"},
	{"route.del", RIGHT_OPERATE, CALL_WRITE, model_delete, "route"},
	{"resolver.show", RIGHT_VIEW, 0, model_show, "resolver"},
	{"resolver.set", RIGHT_OPERATE, CALL_WRITE, model_set, "resolver"},
	{"forward.list", RIGHT_VIEW, 0, model_list, "forward"},
	{"forward.add", RIGHT_OPERATE, CALL_WRITE, model_create, "forward"},
	{"forward.del", RIGHT_OPERATE, CALL_WRITE, model_delete, "forward"},
	{"vip.create", RIGHT_OPERATE, CALL_WRITE, model_create, "vip"},
	{"vip.set", RIGHT_OPERATE, CALL_WRITE, model_set, "vip"},
	{"vip.delete", RIGHT_OPERATE, CALL_WRITE, model_delete, "vip"},
	{"ha.show", RIGHT_VIEW, 0, model_show, "ha"},
	{"ha.set", RIGHT_OPERATE, CALL_WRITE, model_set, "ha"},
	{"anycast.create", RIGHT_OPERATE, CALL_WRITE, model_create, "anycast"},
	{"anycast.set", RIGHT_OPERATE, CALL_WRITE, model_set, "anycast"},
	{"anycast.delete", RIGHT_OPERATE, CALL_WRITE, model_delete, "anycast"},
	{NULL, 0, 0, NULL, NULL},
};

static const struct model_table *table_of(const struct call *call)
{
	return model_table(call->def->table);
}

const struct command_def *api_model_commands(void)
{
	return commands;
}
