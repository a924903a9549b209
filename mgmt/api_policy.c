/* SPDX-License-Identifier: ISC */
/* Access lists, and the verbs on pools, routes, limits and vips that do more
 * than a row. */

#include "mgmt/command.h"

#include <errno.h>

#include "common/dns/name.h"
#include "common/net/prefix.h"
#include "mgmt/render.h"

#define DEFAULT_LIST "clients"

/* `args` with the list filled in. New. */
static json_t *with_list(const json_t *args)
{
	json_t *copy = json_copy((json_t *)(uintptr_t)args);

	if (!json_object_get(copy, "list"))
		json_object_set_new(copy, "list", json_string(DEFAULT_LIST));
	return copy;
}

/* The list is made when its first entry comes. */
static int list_ensure(struct call *call, const json_t *args, struct err *err)
{
	const struct model_table *table = model_table("acl");
	json_t *key = json_pack("{s:O}", "list", json_object_get(args, "list"));
	json_t *row = NULL, *now = NULL;
	int rc = model_row_new(table, key, &row, err);

	if (!rc && store_row(call->m->store, table, row, &now, NULL))
		rc = store_insert(call->m->store, table, row, err);
	json_decref(now);
	json_decref(row);
	json_decref(key);
	return rc;
}

static int put_row(struct store *store, const struct model_table *table,
	const json_t *row, struct err *err)
{
	json_t *now = NULL;
	int rc = store_row(store, table, row, &now, NULL);

	json_decref(now);
	return rc ? store_insert(store, table, row, err)
		  : store_update(store, table, row, err);
}

static int acl_add(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	const struct model_table *table = model_table("acl_entry");
	json_t *full = with_list(args), *row = NULL;
	int rc = model_row_new(table, full, &row, err);

	if (!rc)
		rc = list_ensure(call, full, err);
	if (!rc)
		rc = put_row(call->m->store, table, row, err);
	if (!rc)
		*result = json_incref(row);
	json_decref(row);
	json_decref(full);
	return rc;
}

static int acl_del(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	const struct model_table *table = model_table("acl_entry");
	json_t *full = with_list(args), *row = NULL;
	int rc = arg_only(full, "list prefix", err);

	(void)result;
	if (!rc)
		rc = model_row_new(table, full, &row, err);
	if (!rc)
		rc = store_delete(call->m->store, table, row, err);
	json_decref(row);
	json_decref(full);
	return rc;
}

static int acl_set(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	const struct model_table *table = model_table("acl");
	json_t *full = with_list(args), *row = NULL;
	int rc = model_row_new(table, full, &row, err);

	if (!rc)
		rc = put_row(call->m->store, table, row, err);
	if (!rc)
		*result = json_incref(row);
	json_decref(row);
	json_decref(full);
	return rc;
}

static int acl_entries(
	struct call *call, const char *list, json_t **out, struct err *err)
{
	json_t *key = json_pack("{s:s}", "list", list);
	int rc = store_rows(
		call->m->store, model_table("acl_entry"), key, out, err);

	json_decref(key);
	return rc;
}

static int acl_count(struct call *call, json_t *row, struct err *err)
{
	json_t *entries = NULL;
	int rc = acl_entries(call, row_str(row, "list"), &entries, err);

	json_object_set_new(row, "entries",
		json_integer((json_int_t)json_array_size(entries)));
	json_decref(entries);
	return rc;
}

/* [{"list","action","entries":N}] */
static int acl_list(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	return command_list(call, args, "acl", acl_count, result, err);
}

static int acl_row(
	struct call *call, const json_t *args, json_t **row, struct err *err)
{
	json_t *full = with_list(args);
	const char *list;
	int rc = arg_text(full, "list", &list, err);

	if (!rc)
		rc = store_row(
			call->m->store, model_table("acl"), full, row, err);
	json_decref(full);
	return rc;
}

static int acl_show(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	json_t *row = NULL, *entries = NULL;
	int rc = arg_only(args, "list", err);

	if (!rc)
		rc = acl_row(call, args, &row, err);
	if (!rc)
		rc = acl_entries(call, row_str(row, "list"), &entries, err);
	if (!rc) {
		json_object_set(row, "entries", entries);
		*result = json_incref(row);
	}
	json_decref(entries);
	json_decref(row);
	return rc;
}

/* The longest prefix that holds the address decides. */
static const json_t *acl_match(const json_t *entries, const union addr *addr)
{
	const json_t *best = NULL;
	struct prefix prefix;
	size_t i;
	json_t *row;
	int len = -1;

	json_array_foreach(entries, i, row) {
		if (prefix_parse(row_str(row, "prefix"), &prefix) ||
			!prefix_contains(&prefix, addr) || prefix.len <= len)
			continue;
		len = prefix.len;
		best = row;
	}
	return best;
}

static int acl_test(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	json_t *row = NULL, *entries = NULL;
	const json_t *match;
	const char *ip;
	union addr addr;
	int rc = arg_only(args, "list ip", err);

	if (!rc)
		rc = arg_text(args, "ip", &ip, err);
	if (!rc && addr_parse(ip, 0, &addr))
		rc = err_fail(
			err, -EINVAL, "ip: \"%.80s\": not an address", ip);
	if (!rc)
		rc = acl_row(call, args, &row, err);
	if (!rc)
		rc = acl_entries(call, row_str(row, "list"), &entries, err);
	if (!rc) {
		match = acl_match(entries, &addr);
		*result = json_pack("{s:s, s:s, s:s, s:s}", "list",
			row_str(row, "list"), "ip", ip, "action",
			match && !strcmp(row_str(match, "action"), "allow")
				? "allow"
				: row_str(row, "action"),
			"prefix", match ? row_str(match, "prefix") : "");
	}
	json_decref(entries);
	json_decref(row);
	return rc;
}

/* All rows of a table as a member of `row`. */
static int add_rows(struct call *call, json_t *row, const char *key,
	const char *table, struct err *err)
{
	json_t *rows = NULL;
	int rc = store_rows(
		call->m->store, model_table(table), NULL, &rows, err);

	if (!rc)
		json_object_set_new(row, key, rows);
	return rc;
}

static int limit_list(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	struct store *store = call->m->store;
	json_t *row = NULL;
	int rc = arg_only(args, "", err);

	if (!rc)
		rc = store_row(store, model_table("limits"), args, &row, err);
	if (!rc)
		rc = add_rows(call, row, "overrides", "limit_override", err);
	if (!rc)
		rc = add_rows(call, row, "exempt", "limit_exempt", err);
	if (!rc)
		*result = json_incref(row);
	json_decref(row);
	return rc;
}

static int pool_backends(struct call *call, json_t *pool, struct err *err)
{
	json_t *key = json_pack("{s:O}", "pool", json_object_get(pool, "pool"));
	json_t *rows = NULL;
	int rc = store_rows(
		call->m->store, model_table("backend"), key, &rows, err);

	if (!rc)
		json_object_set(pool, "backends", rows);
	json_decref(rows);
	json_decref(key);
	return rc;
}

static int pool_count(struct call *call, json_t *pool, struct err *err)
{
	int rc = pool_backends(call, pool, err);
	size_t n = json_array_size(json_object_get(pool, "backends"));

	json_object_set_new(pool, "backends", json_integer((json_int_t)n));
	return rc;
}

static int pool_list(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	return command_list(call, args, "pool", pool_count, result, err);
}

static int pool_show(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	return command_show(
		call, args, "pool", "pool", pool_backends, result, err);
}

/* Routes as given, and those that zones get by themselves ("auto"). */
static int routes_all(struct call *call, json_t **out, struct err *err)
{
	json_t *doc = NULL, *routes, *seen = json_object();
	const char *pool;
	size_t i;
	json_t *row;
	int rc = store_doc(call->m->store, &doc, err);

	if (rc)
		goto out;
	routes = json_incref(json_object_get(doc, "route"));
	pool = render_authority_pool(doc);
	json_array_foreach(routes, i, row)
		json_object_set_new(seen, row_str(row, "suffix"), json_true());
	json_array_foreach(json_object_get(doc, "zones"), i, row)
		if (pool && !json_object_get(seen, row_str(row, "zone")))
			json_array_append_new(
				routes, json_pack("{s:s, s:s, s:b}", "suffix",
						row_str(row, "zone"), "pool",
						pool, "auto", 1));
	*out = routes;
out:
	json_decref(seen);
	json_decref(doc);
	return rc;
}

static int route_list(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	int rc = arg_only(args, "", err);

	return rc ? rc : routes_all(call, result, err);
}

static int route_test(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	json_t *routes = NULL, *row, *best = NULL;
	struct name name, suffix;
	const char *text;
	unsigned len = 0;
	size_t i;
	int rc = arg_only(args, "name", err);

	if (!rc)
		rc = arg_text(args, "name", &text, err);
	if (!rc && name_parse(text, &name))
		rc = err_fail(err, -EINVAL,
			"name: \"%.80s\": not a domain name", text);
	if (!rc)
		rc = routes_all(call, &routes, err);
	json_array_foreach(routes, i, row) {
		if (name_parse(row_str(row, "suffix"), &suffix) ||
			!name_under(name.wire, suffix.wire) ||
			(best && name_labels(suffix.wire) < len))
			continue;
		best = row;
		len = name_labels(suffix.wire);
	}
	if (!rc && !best)
		rc = err_fail(err, -ENOENT, "no route and no default pool");
	if (!rc)
		*result = json_incref(best);
	json_decref(routes);
	return rc;
}

static const struct command_def commands[] = {
	{"acl.list", RIGHT_VIEW, 0, acl_list, NULL},
	{"acl.show", RIGHT_VIEW, 0, acl_show, NULL},
	{"acl.test", RIGHT_VIEW, 0, acl_test, NULL},
	{"acl.add", RIGHT_OPERATE, CALL_WRITE, acl_add, NULL},
	{"acl.del", RIGHT_OPERATE, CALL_WRITE, acl_del, NULL},
	{"acl.set", RIGHT_OPERATE, CALL_WRITE, acl_set, NULL},
	{"limit.list", RIGHT_VIEW, 0, limit_list, NULL},
	{"pool.list", RIGHT_VIEW, 0, pool_list, NULL},
	{"pool.show", RIGHT_VIEW, 0, pool_show, NULL},
	{"route.list", RIGHT_VIEW, 0, route_list, NULL},
	{"route.test", RIGHT_VIEW, 0, route_test, NULL},
	{NULL, 0, 0, NULL, NULL},
};

const struct command_def *api_policy_commands(void)
{
	return commands;
}
