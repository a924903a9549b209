/* SPDX-License-Identifier: ISC */
/*
 * Checks over the whole model, in the order in which an operator would fix
 * them: rows alone, keys and references, then each area's own rules.
 */

#include "mgmt/check_impl.h"

#include <errno.h>
#include <strings.h>

#include "common/dns/code.h"
#include "common/dns/name.h"
#include "common/net/addr.h"
#include "mgmt/model.h"

#define RANDOM_LABEL 13 /* octets that frontends put before a name */

const json_t *check_find(const json_t *doc, const char *table, const char *key)
{
	const char *column = model_table(table)->columns[0].name;
	size_t i;
	json_t *row;

	json_array_foreach(model_rows(doc, table), i, row)
		if (!strcmp(row_str(row, column), key))
			return row;
	return NULL;
}

static int check_refs(const json_t *doc, const struct model_table *table,
	const json_t *row, struct err *err)
{
	char key[MODEL_KEY_TEXT];

	for (size_t i = 0; i < table->count; i++) {
		const struct model_column *c = &table->columns[i];

		if (!c->ref || !*row_str(row, c->name) ||
			check_find(doc, c->ref, row_str(row, c->name)))
			continue;
		return err_fail(err, -EINVAL, "%s %s: there is no %s %s",
			table->noun, model_key(table, row, key),
			model_table(c->ref)->noun, row_str(row, c->name));
	}
	return 0;
}

static int check_row(const json_t *doc, const struct model_table *table,
	const json_t *row, json_t *keys, struct err *err)
{
	char key[MODEL_KEY_TEXT];
	json_t *canonical = NULL;
	int rc = model_row_new(table, row, &canonical, err);

	if (rc) {
		err_prefix(err, "%s", table->noun);
		return -EINVAL;
	}
	model_key(table, canonical, key);
	if (!json_equal(canonical, row))
		rc = err_fail(err, -EINVAL, "%s %s: is not in canonical form",
			table->noun, key);
	else if (json_object_get(keys, key))
		rc = err_fail(err, -EINVAL, "%s %s: is there twice",
			table->noun, key);
	else
		rc = check_refs(doc, table, canonical, err);
	json_object_set_new(keys, key, json_true());
	json_decref(canonical);
	return rc;
}

static int check_table(
	const json_t *doc, const struct model_table *table, struct err *err)
{
	const json_t *rows = model_rows(doc, table->name);
	json_t *keys = json_object();
	size_t i;
	json_t *row;
	int rc = 0;

	if (!json_is_array(rows))
		rc = err_fail(err, -EINVAL, "%s: is missing", table->name);
	else if ((table->flags & MODEL_SINGLE) && json_array_size(rows) != 1)
		rc = err_fail(err, -EINVAL, "%s: must be one row", table->name);
	json_array_foreach(rows, i, row) {
		if (rc)
			break;
		rc = check_row(doc, table, row, keys, err);
	}
	json_decref(keys);
	return rc;
}

/* Parts of a check that do not go together; NULL: they do. */
static const char *check_clash(const json_t *row)
{
	const char *rcode = row_str(row, "check_rcode");
	bool serial = row_int(row, "check_min_serial") > 0;
	bool label = row_bool(row, "check_random_label");
	struct name name;
	uint16_t type, value;

	if (*rcode && strcasecmp(rcode, "ANY") &&
		!dns_rcode_parse(rcode, &value))
		return "the check's rcode is not one such as NOERROR, nor ANY";
	if (serial && (!dns_type_parse(row_str(row, "check_type"), &type) ||
			      type != DNS_TYPE_SOA))
		return "a check with a serial needs type SOA";
	if (serial && label)
		return "a check has a serial or a random label, not both";
	if (label && (name_parse(row_str(row, "check_name"), &name) ||
			     name.len > NAME_MAX_WIRE - RANDOM_LABEL))
		return "the check's name is too long for a random label";
	return NULL;
}

static int check_backend(const json_t *row, struct err *err)
{
	const char *clash = check_clash(row);
	uint16_t type;

	if (clash)
		return err_fail(err, -EINVAL, "backend %s/%s: %s",
			row_str(row, "pool"), row_str(row, "name"), clash);
	if (!dns_type_parse(row_str(row, "check_type"), &type))
		return err_fail(err, -EINVAL,
			"backend %s/%s: check type \"%s\" is unknown",
			row_str(row, "pool"), row_str(row, "name"),
			row_str(row, "check_type"));
	if (row_int(row, "check_timeout_ms") >
		row_int(row, "check_interval_ms"))
		return err_fail(err, -EINVAL,
			"backend %s/%s: the check's timeout is longer than its "
			"interval",
			row_str(row, "pool"), row_str(row, "name"));
	return 0;
}

bool check_pool_has_backend(const json_t *doc, const char *pool)
{
	size_t i;
	json_t *row;

	json_array_foreach(model_rows(doc, "backend"), i, row)
		if (!strcmp(row_str(row, "pool"), pool))
			return true;
	return false;
}

bool check_route_allows(const json_t *row)
{
	return json_array_size(row_list(row, "allow_transfer")) > 0 ||
	       json_array_size(row_list(row, "allow_notify")) > 0 ||
	       json_array_size(row_list(row, "allow_update")) > 0;
}

/* As the frontend does, but a check with AA is not enough: it may go. */
static int check_allowed(const json_t *doc, const json_t *row, struct err *err)
{
	const char *name = row_str(row, "pool");
	const json_t *pool = check_find(doc, "pool", name);
	const char *kind = row_str(pool, "kind");

	if (!check_route_allows(row))
		return 0;
	if (!strcmp(row_str(row, "suffix"), "."))
		return err_fail(err, -EINVAL,
			"route .: the default pool gets queries only, no "
			"transfers, NOTIFY or UPDATE");
	if (!strcmp(kind, "auth") ||
		(!strcmp(kind, "auto") && !strcmp(name, "auth")))
		return 0;
	return err_fail(err, -EINVAL,
		"route %s: only a pool of kind auth gets transfers, NOTIFY or "
		"UPDATE: pool set %s --kind auth",
		row_str(row, "suffix"), name);
}

static int check_routing(const json_t *doc, struct err *err)
{
	const json_t *retry = model_single(doc, "frontend_retry");
	size_t i;
	json_t *row;
	int rc;

	if (row_int(retry, "timeout_ms") > row_int(retry, "deadline_ms"))
		return err_fail(err, -EINVAL,
			"frontend retry: the timeout is longer than the "
			"deadline");

	json_array_foreach(model_rows(doc, "backend"), i, row)
		if ((rc = check_backend(row, err)))
			return rc;
	json_array_foreach(model_rows(doc, "route"), i, row)
		if (!check_pool_has_backend(doc, row_str(row, "pool")))
			return err_fail(err, -EINVAL,
				"route %s: pool %s has no backend",
				row_str(row, "suffix"), row_str(row, "pool"));
		else if ((rc = check_allowed(doc, row, err)))
			return rc;
	return 0;
}

/* Roles that answer on port 53 need addresses of their own on one node. */
static int check_listen(const json_t *node, struct err *err)
{
	static const char *const part[] = {"frontend", "resolver", "authority"};
	static const char *const column[] = {
		"frontend_listen", "resolver_listen", "authority_listen"};
	unsigned usual = 0;

	for (size_t i = 0; i < countof(part); i++)
		if (list_has(row_list(node, "roles"), part[i]) &&
			json_array_size(row_list(node, column[i])) == 0)
			usual++;
	if (usual > 1)
		return err_fail(err, -EINVAL,
			"node %s: two roles would listen on port 53: set "
			"frontend_listen, resolver_listen or authority_listen",
			row_str(node, "node"));
	return 0;
}

static int check_nodes(const json_t *doc, struct err *err)
{
	const json_t *nodes = model_rows(doc, "node");
	size_t i, j;
	json_t *a, *b;
	int rc;

	json_array_foreach(nodes, i, a) {
		if ((rc = check_listen(a, err)))
			return rc;
		if (list_has(row_list(a, "roles"), "frontend") &&
			!check_find(doc, "route", "."))
			return err_fail(err, -EINVAL,
				"node %s: a frontend needs a default pool: "
				"route add . POOL",
				row_str(a, "node"));
		for (j = i + 1; j < json_array_size(nodes); j++) {
			b = json_array_get(nodes, j);
			if (!strcmp(row_str(a, "address"),
				    row_str(b, "address")))
				return err_fail(err, -EINVAL,
					"node %s: address %s is that of node "
					"%s",
					row_str(b, "node"),
					row_str(b, "address"),
					row_str(a, "node"));
		}
	}
	return 0;
}

int check_model(const json_t *doc, struct err *err)
{
	size_t count;
	const struct model_table *t = model_tables(&count);
	int rc = 0;

	for (size_t i = 0; i < count && !rc; i++)
		rc = check_table(doc, &t[i], err);
	if (!rc)
		rc = check_routing(doc, err);
	if (!rc)
		rc = check_rules(doc, err);
	if (!rc)
		rc = check_vips(doc, err);
	if (!rc)
		rc = check_anycasts(doc, err);
	if (!rc)
		rc = check_nodes(doc, err);
	return rc;
}
