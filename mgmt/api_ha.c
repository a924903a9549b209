/* SPDX-License-Identifier: ISC */
/* Verbs on virtual addresses and anycast services that do more than a row:
 * their nodes, with what these say now; moves; signed adverts. */

#include "mgmt/command.h"

#include <errno.h>

#define FIRST_PRIORITY                                                         \
	254 /* of a vip's first node; one less for each other                  \
	     */

/* ---- nodes of a vip or a service ---- */

/* Members of ha's own status that an operator looks for. */
static void add_seen(json_t *row, const json_t *seen, const char *const names[])
{
	for (size_t i = 0; names[i]; i++) {
		json_t *value = json_object_get(seen, names[i]);

		json_object_set(row, names[i], value ? value : json_null());
	}
}

static void vip_seen(struct call *call, json_t *row)
{
	static const char *const names[] = {"role", "reason", "since_ms",
		"effective_priority", "master", NULL};
	static const char *const sometimes[] = {"rival", "hmac"};
	const struct link *link =
		fleet_find(push_fleet(call->m->push), row_str(row, "node"));
	const json_t *seen =
		link ? vrrp_instance(link, row_str(row, "vip")) : NULL;

	add_seen(row, seen, names);
	for (size_t i = 0; i < countof(sometimes); i++)
		if (json_object_get(seen, sometimes[i]))
			json_object_set(row, sometimes[i],
				json_object_get(seen, sometimes[i]));
}

static void anycast_seen(struct call *call, json_t *row)
{
	static const char *const names[] = {"announced", "metric", "reason",
		"since_ms", "engine_absent", NULL};
	const struct link *link =
		fleet_find(push_fleet(call->m->push), row_str(row, "node"));
	const json_t *seen =
		link ? vrrp_service(link, row_str(row, "anycast")) : NULL;

	if (row_int(row, "metric")) /* below it is what it announces */
		json_object_set(
			row, "own_metric", json_object_get(row, "metric"));
	if (!*row_str(row, "engine"))
		json_object_del(row, "engine");
	add_seen(row, seen, names);
}

/* `row` masked, with the rows of `members` that name it. */
static int add_nodes(struct call *call, json_t *row, const char *table,
	const char *members, struct err *err)
{
	json_t *key = json_object(), *rows = NULL;
	json_t *masked = model_masked(model_table(table), row);
	int rc;

	json_object_set(key, table, json_object_get(row, table));
	rc = store_rows(call->m->store, model_table(members), key, &rows, err);
	json_object_update(row, masked);
	if (!rc)
		json_object_set(row, "nodes", rows);
	json_decref(masked);
	json_decref(rows);
	json_decref(key);
	return rc;
}

/* For a list: only the names. */
static void only_names(json_t *row)
{
	json_t *names = json_array(), *node;
	size_t i;

	json_array_foreach(json_object_get(row, "nodes"), i, node)
		json_array_append(names, json_object_get(node, "node"));
	json_object_set_new(row, "nodes", names);
}

/* ---- vips ---- */

static int vip_line(struct call *call, json_t *vip, struct err *err)
{
	int rc = add_nodes(call, vip, "vip", "vip_node", err);

	only_names(vip);
	json_object_set_new(vip, "owners",
		vrrp_owners(push_vrrp(call->m->push), row_str(vip, "vip")));
	return rc;
}

static int vip_whole(struct call *call, json_t *vip, struct err *err)
{
	const struct vrrp *vrrp = push_vrrp(call->m->push);
	int rc = add_nodes(call, vip, "vip", "vip_node", err);
	json_t *alarms = json_array(), *rows = json_pack("[O]", vip), *node;
	size_t i;

	json_array_foreach(json_object_get(vip, "nodes"), i, node)
		vip_seen(call, node);
	if (push_highest(call->m->push) > 0)
		vrrp_alarms(vrrp, rows, NULL, alarms);
	json_object_set_new(
		vip, "owners", vrrp_owners(vrrp, row_str(vip, "vip")));
	json_object_set(vip, "alarms", alarms);
	json_decref(alarms);
	json_decref(rows);
	return rc;
}

static int vip_list(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	return command_list(call, args, "vip", vip_line, result, err);
}

static int vip_show(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	return command_show(call, args, "vip", "vip", vip_whole, result, err);
}

/* Make, change or take out the row of a node; `plain` has its columns. */
static int put_member(struct call *call, const struct model_table *table,
	const json_t *plain, bool take_out, json_t **result, struct err *err)
{
	struct store *store = call->m->store;
	json_t *row = NULL, *now = NULL;
	int rc = 0;

	if (take_out) {
		rc = store_delete(store, table, plain, err);
	} else if (!store_row(store, table, plain, &now, NULL)) {
		rc = model_row_change(table, plain, &row, err);
		if (!rc)
			rc = store_update(store, table, row, err);
	} else {
		rc = model_row_new(table, plain, &row, err);
		if (!rc)
			rc = store_insert(store, table, row, err);
	}
	if (!rc && !take_out)
		rc = store_row(store, table, plain, result, err);
	json_decref(now);
	json_decref(row);
	return rc;
}

/* Below all that are there: the new one is the last to be master. */
static int next_priority(
	struct call *call, const char *vip, json_t *plain, struct err *err)
{
	json_t *key = json_pack("{s:s}", "vip", vip), *rows = NULL, *row;
	int64_t next = FIRST_PRIORITY;
	size_t i;
	int rc = store_rows(
		call->m->store, model_table("vip_node"), key, &rows, err);

	json_array_foreach(rows, i, row)
		if (row_int(row, "priority") <= next)
			next = row_int(row, "priority") - 1;
	if (!rc)
		json_object_set_new(
			plain, "priority", json_integer(next > 1 ? next : 1));
	json_decref(rows);
	json_decref(key);
	return rc;
}

static bool is_member(struct call *call, const json_t *plain)
{
	json_t *row = NULL;
	bool is = !store_row(
		call->m->store, model_table("vip_node"), plain, &row, NULL);

	json_decref(row);
	return is;
}

static int vip_node(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	json_t *plain = json_copy((json_t *)(uintptr_t)args);
	bool take_out = json_is_true(json_object_get(args, "remove"));
	const char *vip, *node;
	int rc = arg_text(args, "vip", &vip, err);

	json_object_del(plain, "remove");
	if (!rc)
		rc = arg_text(args, "node", &node, err);
	if (!rc && !take_out && !json_object_get(plain, "priority") &&
		!is_member(call, plain))
		rc = next_priority(call, vip, plain, err);
	if (!rc)
		rc = put_member(call, model_table("vip_node"), plain, take_out,
			result, err);
	json_decref(plain);
	return rc;
}

/* ---- anycast ---- */

/* Which configuration of the BGP daemon goes with it. */
static const char *example_of(const char *engine)
{
	return !strcmp(engine, "frr") ? "/usr/share/doc/ispdns-common/examples/"
					"frr.conf"
				      : "/usr/share/doc/ispdns-common/examples/"
					"bird.conf";
}

static int anycast_line(struct call *call, json_t *row, struct err *err)
{
	int rc = add_nodes(call, row, "anycast", "anycast_node", err);
	json_t *by = json_array(), *node;
	size_t i;

	json_array_foreach(json_object_get(row, "nodes"), i, node) {
		const struct link *l = fleet_find(
			push_fleet(call->m->push), row_str(node, "node"));

		if (l && vrrp_announces(l, row_str(row, "anycast")))
			json_array_append(by, json_object_get(node, "node"));
	}
	only_names(row);
	json_object_set_new(row, "announced_by", by);
	return rc;
}

static int anycast_whole(struct call *call, json_t *row, struct err *err)
{
	int rc = add_nodes(call, row, "anycast", "anycast_node", err);
	const char *engine = row_str(row, "engine");
	json_t *node;
	size_t i;

	json_array_foreach(json_object_get(row, "nodes"), i, node) {
		const char *own = row_str(node, "engine");

		json_object_set_new(node, "example",
			json_string(example_of(*own ? own : engine)));
		anycast_seen(call, node);
	}
	return rc;
}

static int anycast_list(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	return command_list(call, args, "anycast", anycast_line, result, err);
}

static int anycast_show(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	return command_show(
		call, args, "anycast", "anycast", anycast_whole, result, err);
}

static int anycast_node(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	json_t *plain = json_copy((json_t *)(uintptr_t)args);
	const char *text;
	int rc = arg_text(args, "anycast", &text, err);

	json_object_del(plain, "remove");
	if (!rc)
		rc = arg_text(args, "node", &text, err);
	if (!rc)
		rc = put_member(call, model_table("anycast_node"), plain,
			json_is_true(json_object_get(args, "remove")), result,
			err);
	json_decref(plain);
	return rc;
}

/* ---- signed adverts ---- */

/* The next key's number; they go round, 0 is none. */
static int rotate(const json_t *row, json_t *change, struct err *err)
{
	int64_t key = row_int(row, "hmac_key");

	if (!strcmp(row_str(row, "hmac"), "off"))
		return err_fail(err, -EINVAL,
			"vip %s: its adverts are not signed: vip hmac %s on",
			row_str(row, "vip"), row_str(row, "vip"));
	json_object_set_new(
		change, "hmac_key", json_integer(key == 255 ? 1 : key + 1));
	return 0;
}

static int hmac_change(
	const json_t *row, const char *what, json_t *change, struct err *err)
{
	if (!strcmp(what, "rotate"))
		return rotate(row, change, err);
	if (strcmp(what, "on") && strcmp(what, "off"))
		return err_fail(err, -EINVAL,
			"what: \"%.40s\": must be one of on, off, rotate",
			what);
	json_object_set_new(change, "hmac",
		json_string(!strcmp(what, "on") ? "enforce" : "off"));
	return 0;
}

/* What apply brings to the nodes step by step (step.h). */
static int vip_hmac(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	const struct model_table *table = model_table("vip");
	struct store *store = call->m->store;
	json_t *row = NULL, *change = NULL, *now = NULL;
	const char *vip, *what;
	int rc = arg_only(args, "vip what", err);

	if (!rc)
		rc = arg_text(args, "vip", &vip, err);
	if (!rc)
		rc = arg_text(args, "what", &what, err);
	if (rc)
		return rc;
	change = json_pack("{s:s}", "vip", vip);
	rc = store_row(store, table, change, &row, err);
	if (!rc)
		rc = hmac_change(row, what, change, err);
	if (!rc)
		rc = store_update(store, table, change, err);
	if (!rc)
		rc = store_row(store, table, change, &now, err);
	if (!rc)
		*result = model_masked(table, now);
	json_decref(now);
	json_decref(row);
	json_decref(change);
	return rc;
}

/* ---- moves ---- */

/* Whom to ask what: `to` to take it, or the owner to give it away. */
static int move_target(struct call *call, const json_t *nodes, const char *vip,
	const char *to, const char **node, struct err *err)
{
	const char *owner = NULL;
	size_t i;
	json_t *row;
	bool known = false;

	json_array_foreach(nodes, i, row) {
		const char *name = row_str(row, "node");
		const struct link *link =
			fleet_find(push_fleet(call->m->push), name);

		known = known || (to && !strcmp(to, name));
		if (link && link_alive(link) && vrrp_owns(link, vip))
			owner = name;
	}
	if (to && !known)
		return err_fail(
			err, -ENOENT, "node %s: is not of vip %s", to, vip);
	if (to && owner && !strcmp(to, owner))
		return err_fail(err, -EEXIST, "node %s owns it already", to);
	if (!to && !owner)
		return err_fail(err, -EHOSTUNREACH,
			"no node that is reachable owns vip %s", vip);
	*node = to ? to : owner;
	return 0;
}

static int move_nodes(
	struct call *call, const char *vip, json_t **nodes, struct err *err)
{
	json_t *key = json_pack("{s:s}", "vip", vip);
	int rc = store_rows(
		call->m->store, model_table("vip_node"), key, nodes, err);

	json_decref(key);
	if (!rc && json_array_size(*nodes) == 0)
		rc = err_fail(err, -ENOENT, "vip %s: has no nodes", vip);
	return rc;
}

static int vip_move(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	const char *vip, *to, *node = NULL;
	json_t *nodes = NULL, *inner = NULL;
	int rc = arg_only(args, "vip to", err);

	(void)result;
	if (!rc)
		rc = arg_text(args, "vip", &vip, err);
	if (!rc)
		rc = arg_maybe(args, "to", &to, err);
	if (!rc)
		rc = move_nodes(call, vip, &nodes, err);
	if (!rc)
		rc = move_target(call, nodes, vip, to, &node, err);
	if (rc || call->dry_run)
		goto out;
	inner = json_pack("{s:s}", "instance", vip);
	rc = command_note(call, args, err);
	if (!rc)
		rc = fleet_command(push_fleet(call->m->push), node, "ha",
			to ? "take" : "move", inner, command_answer, call, err);
	rc = rc ? rc : CALL_LATER;
out:
	json_decref(inner);
	json_decref(nodes);
	return rc;
}

static const struct command_def commands[] = {
	{"vip.list", RIGHT_VIEW, 0, vip_list, NULL},
	{"vip.show", RIGHT_VIEW, 0, vip_show, NULL},
	{"vip.node", RIGHT_OPERATE, CALL_WRITE, vip_node, NULL},
	{"vip.hmac", RIGHT_OPERATE, CALL_WRITE, vip_hmac, NULL},
	{"vip.move", RIGHT_OPERATE | RIGHT_DRILL, 0, vip_move, NULL},
	{"anycast.list", RIGHT_VIEW, 0, anycast_list, NULL},
	{"anycast.show", RIGHT_VIEW, 0, anycast_show, NULL},
	{"anycast.node", RIGHT_OPERATE, CALL_WRITE, anycast_node, NULL},
	{NULL, 0, 0, NULL, NULL},
};

const struct command_def *api_ha_commands(void)
{
	return commands;
}
