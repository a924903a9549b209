/* SPDX-License-Identifier: ISC */
/* Verbs that look at the whole: status, diff, apply, history, rollback,
 * audit, import. */

#include "mgmt/command.h"

#include "config.h"

#include <errno.h>
#include <sys/stat.h>

#include "common/base/clock.h"
#include "common/ctl/file.h"
#include "mgmt/audit.h"
#include "mgmt/change.h"
#include "mgmt/diff.h"

#define WAIT_MAX_MS  120000
#define IMPORT_CALLS 200000

/* ---- status ---- */

static json_t *bare_address(const char *text)
{
	return json_sprintf("%.*s", (int)strcspn(text, "/"), text);
}

/* A line for each address of a vip. */
static void status_vip(struct call *call, const json_t *vip, json_t *out)
{
	const struct vrrp *vrrp = push_vrrp(call->m->push);
	const char *name = row_str(vip, "vip");
	json_t *owners = vrrp_owners(vrrp, name), *address;
	const char *owner = json_string_value(json_array_get(owners, 0));
	size_t i;

	json_array_foreach(row_list(vip, "addresses"), i, address)
		json_array_append_new(out,
			json_pack("{s:o, s:s, s:O, s:b, s:[s]}", "ip",
				bare_address(json_string_value(address)),
				"owner", owner ? owner : "", "owners", owners,
				"split_brain", vrrp_is_split(vrrp, name),
				"instances", name));
	json_decref(owners);
}

/* A line for each service, with the nodes that announce it. */
static void status_anycast(struct call *call, const json_t *row, json_t *out)
{
	const char *name = row_str(row, "anycast");
	json_t *nodes = json_array();
	struct list *pos;

	list_each(pos, fleet_links(push_fleet(call->m->push))) {
		const struct link *l = list_entry(pos, struct link, list);

		if (vrrp_announces(l, name))
			json_array_append_new(nodes, json_string(l->name));
	}
	json_array_append_new(out,
		json_pack("{s:s, s:O, s:s, s:o}", "name", name, "addresses",
			json_object_get(row, "addresses"), "vip",
			row_str(row, "vip"), "announced_by", nodes));
}

static int status_ha(struct call *call, json_t *vips, json_t *services,
	json_t *alarms, struct err *err)
{
	struct store *store = call->m->store;
	json_t *rows = NULL, *more = NULL, *row;
	size_t i;
	int rc = store_rows(store, model_table("vip"), NULL, &rows, err);

	if (!rc)
		rc = store_rows(
			store, model_table("anycast"), NULL, &more, err);
	json_array_foreach(rows, i, row)
		status_vip(call, row, vips);
	json_array_foreach(more, i, row)
		status_anycast(call, row, services);
	if (push_highest(call->m->push) > 0)
		vrrp_alarms(push_vrrp(call->m->push), rows, more, alarms);
	json_decref(rows);
	json_decref(more);
	return rc;
}

static int status(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	json_t *pending = NULL, *vips = json_array(), *anycast = json_array();
	json_t *alarms = push_alarms(call->m->push);
	long long newest = 0, approved = 0;
	struct store *store = call->m->store;
	int rc = arg_only(args, "", err);

	if (!rc)
		rc = change_pending(store, true, &pending, err);
	if (!rc)
		rc = store_gen_newest(store, false, &newest, err);
	if (!rc)
		rc = store_gen_newest(store, true, &approved, err);
	if (!rc)
		rc = status_ha(call, vips, anycast, alarms, err);
	if (!rc)
		*result = json_pack("{s:s, s:I, s:I, s:I, s:O, s:O, s:o, s:O}",
			"version", PACKAGE_VERSION, "generation",
			(json_int_t)approved, "newest", (json_int_t)newest,
			"pending", (json_int_t)json_array_size(pending), "vips",
			vips, "anycast", anycast, "nodes",
			push_nodes(call->m->push), "alarms", alarms);
	json_decref(alarms);
	json_decref(anycast);
	json_decref(vips);
	json_decref(pending);
	return rc;
}

/* ---- diff ---- */

static int diff_side(struct call *call, const json_t *args, const char *name,
	json_t **doc, struct err *err)
{
	long long generation = 0;
	int rc = arg_int(args, name, 1, INT64_MAX, &generation, err);

	if (rc)
		return rc;
	if (generation > 0)
		return change_doc(call->m->store, generation, doc, err);
	if (!strcmp(name, "from"))
		return change_current(call->m->store, doc, err);
	return store_doc(call->m->store, doc, err);
}

static int diff(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	json_t *from = NULL, *to = NULL, *changes = NULL;
	int rc = arg_only(args, "from to", err);

	if (!rc)
		rc = diff_side(call, args, "from", &from, err);
	if (!rc)
		rc = diff_side(call, args, "to", &to, err);
	if (!rc)
		rc = diff_docs(call->m->store, from, to, false, &changes, err);
	if (!rc)
		*result = json_pack("{s:O}", "changes", changes);
	json_decref(changes);
	json_decref(from);
	json_decref(to);
	return rc;
}

/* ---- apply ---- */

/* One who may edit zones only may not let others' changes out. */
static int only_zones(const json_t *changes, struct err *err)
{
	size_t i;
	json_t *c;

	json_array_foreach(changes, i, c)
		if (strcmp(row_str(c, "kind"), "record") &&
			strcmp(row_str(c, "kind"), "zone"))
			return err_fail(err, -EACCES,
				"apply: %s %s is pending too, which is not "
				"yours to apply",
				row_str(c, "kind"), row_str(c, "key"));
	return 0;
}

/* Nothing to do when nothing differs and the newest went well. */
static int is_applied(struct call *call, const json_t *changes, bool *applied,
	struct err *err)
{
	json_t *gen = NULL;
	long long newest = 0;
	int rc = store_gen_newest(call->m->store, false, &newest, err);

	*applied = false;
	if (rc || newest == 0 || json_array_size(changes) > 0)
		return rc;
	rc = store_gen(call->m->store, newest, &gen, err);
	*applied = !rc && !strcmp(row_str(gen, "state"), "done");
	json_decref(gen);
	return rc;
}

static int make(struct call *call, const char *message, json_t **result,
	struct err *err)
{
	const struct change change = {.author = call->actor,
		.message = message ? message : "",
		.above = push_highest(call->m->push),
		.ready = push_node_is_ready,
		.arg = call->m->push};
	json_t *changes = NULL;
	bool applied = false;
	int rc = change_pending(call->m->store, true, &changes, err);

	if (!rc && !(call->rights & RIGHT_OPERATE))
		rc = only_zones(changes, err);
	if (!rc)
		rc = is_applied(call, changes, &applied, err);
	json_decref(changes);
	if (rc)
		return rc;
	if (applied)
		return push_report(call->m->push, 0, result, err);
	rc = change_make(call->m->store, &change, &call->start, err);
	if (!rc)
		*result = json_pack("{s:I, s:s, s:o}", "generation",
			(json_int_t)call->start, "state", "running", "nodes",
			push_nodes(call->m->push));
	return rc;
}

static int apply(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	const char *message = NULL;
	int rc = arg_only(args, "message allow_missing", err);

	if (!rc)
		rc = arg_maybe(args, "message", &message, err);
	call->allow_missing =
		json_is_true(json_object_get(args, "allow_missing"));
	if (!rc)
		rc = push_ready(call->m->push, call->allow_missing, err);
	return rc ? rc
		  : make(call, message ? message : call->message, result, err);
}

/* The generation before the newest change; its steps count as one. */
static int before_newest(struct call *call, long long *to, struct err *err)
{
	json_t *gen = NULL;
	bool step = true;
	int rc = 0;

	for (long long at = 0; !rc && step; at = *to) {
		rc = store_gen(call->m->store, at, &gen, err);
		if (rc)
			break;
		step = at == 0 || *row_str(gen, "goal_sha256");
		if (step)
			*to = row_int(gen, "parent");
		json_decref(gen);
		if (*to == 0)
			rc = err_fail(err, -ENOENT,
				"there is no generation to go back to");
	}
	return rc;
}

static int rollback(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	long long to = 0;
	char message[64];
	int rc = arg_only(args, "generation message allow_missing", err);

	if (!rc)
		rc = arg_int(args, "generation", 1, INT64_MAX, &to, err);
	call->allow_missing =
		json_is_true(json_object_get(args, "allow_missing"));
	if (!rc)
		rc = push_ready(call->m->push, call->allow_missing, err);
	if (!rc && to == 0)
		rc = before_newest(call, &to, err);
	if (!rc)
		rc = change_restore(call->m->store, to, err);
	snprintf(message, sizeof(message), "rollback to %lld", to);
	return rc ? rc : make(call, message, result, err);
}

static void wait_over(void *arg)
{
	struct call *call = arg;
	long long generation = 0;
	struct err err = {""};
	json_t *result = NULL;
	int rc = arg_int(
		call->args, "generation", 1, INT64_MAX, &generation, &err);

	if (!rc)
		rc = push_report(call->m->push, generation, &result, &err);
	call_end(call, rc, result, &err);
}

static int generation_wait(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	long long generation = 0, timeout = 30000;
	const char *state;
	int rc = arg_only(args, "generation timeout_ms", err);

	if (!rc)
		rc = arg_int(
			args, "generation", 1, INT64_MAX, &generation, err);
	if (!rc && generation == 0)
		rc = err_fail(err, -EBADR, "\"generation\" is missing");
	if (!rc)
		rc = arg_int(args, "timeout_ms", 0, WAIT_MAX_MS, &timeout, err);
	if (!rc)
		rc = push_report(call->m->push, generation, result, err);
	if (rc)
		return rc;
	state = row_str(*result, "state");
	if (strcmp(state, "running") || timeout == 0)
		return 0;
	json_decref(*result);
	*result = NULL;
	rc = push_wait(
		call->m->push, generation, (int)timeout, wait_over, call, err);
	return rc ? rc : CALL_LATER;
}

static int history(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	long long limit = 50;
	size_t i;
	json_t *row;
	int rc = arg_only(args, "limit", err);

	if (!rc)
		rc = arg_int(args, "limit", 1, 10000, &limit, err);
	if (!rc)
		rc = store_history(call->m->store, (int)limit, result, err);
	json_array_foreach(*result, i, row)
		json_object_del(row, "doc_sha256");
	return rc;
}

static int history_show(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	long long generation = 0;
	json_t *nodes = NULL;
	int rc = arg_only(args, "generation", err);

	if (!rc)
		rc = arg_int(
			args, "generation", 1, INT64_MAX, &generation, err);
	if (!rc)
		rc = store_gen(call->m->store, generation, result, err);
	if (!rc)
		rc = store_rollout_nodes(call->m->store,
			row_int(*result, "generation"), &nodes, err);
	if (!rc)
		json_object_set(*result, "nodes", nodes);
	json_decref(nodes);
	return rc;
}

/* ---- audit ---- */

static int audit_list(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	long long limit = 50;
	int rc = arg_only(args, "limit", err);

	if (!rc)
		rc = arg_int(args, "limit", 1, 10000, &limit, err);
	return rc ? rc
		  : store_audit_rows(
			    call->m->store, -1, (int)limit, result, err);
}

static int audit_check(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	long long rows = 0;
	int rc = arg_only(args, "", err);

	if (!rc)
		rc = audit_verify(call->m->store, &rows, err);
	if (!rc)
		*result = json_pack("{s:I}", "rows", (json_int_t)rows);
	return rc;
}

/* ---- backup ---- */

/* A whole copy beside the database; to go back: stop, put it in the place of
 * mgmt.db, start. */
static int backup_create(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	char path[4096], dir[4000];
	struct stat st;
	int rc = arg_only(args, "", err);

	if (!rc && path_join(dir, sizeof(dir), "%s/backup", call->m->state))
		rc = err_fail(err, -ENAMETOOLONG, "state: path is too long");
	if (!rc)
		rc = dir_make(dir, 0700, err);
	if (!rc && path_join(path, sizeof(path), "%s/mgmt-%lld.db", dir,
			   (long long)wall_now_s()))
		rc = err_fail(err, -ENAMETOOLONG, "state: path is too long");
	if (rc || call->dry_run)
		return rc;
	rc = command_note(call, args, err);
	if (!rc)
		rc = store_backup(call->m->store, path, err);
	if (!rc && !stat(path, &st))
		*result = json_pack("{s:s, s:I}", "path", path, "octets",
			(json_int_t)st.st_size);
	return rc;
}

/* ---- import ---- */

static int import_one(
	struct call *call, const json_t *one, json_t **result, struct err *err)
{
	const char *verb;
	const json_t *args = json_object_get(one, "args");
	int rc = arg_only(one, "verb args", err);

	if (!rc)
		rc = arg_text(one, "verb", &verb, err);
	if (!rc && !json_is_object(args))
		rc = err_fail(err, -EBADR, "args must be an object");
	return rc ? rc : command_nested(call, verb, args, result, err);
}

/* What an importer read, as calls, all in this one transaction; what is
 * there already is changed, so that a second import is no error. */
static int import_plan(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	const json_t *calls = json_object_get(args, "calls");
	json_t *out = json_array(), *one;
	const char *kind;
	size_t i;
	int rc = arg_only(args, "kind calls model", err);

	if (!rc)
		rc = arg_maybe(args, "kind", &kind, err);
	if (!rc && (!json_is_array(calls) ||
			   json_array_size(calls) > IMPORT_CALLS))
		rc = err_fail(err, -EBADR, "\"calls\" must be a list");
	call->upsert = true;
	json_array_foreach(calls, i, one) {
		json_t *answer = NULL;

		if (rc)
			break;
		rc = import_one(call, one, &answer, err);
		json_array_append_new(out, answer ? answer : json_null());
		if (rc)
			err_prefix(err, "call %zu", i + 1);
	}
	call->upsert = false;
	if (rc)
		json_decref(out);
	else
		*result = json_pack("{s:o}", "results", out);
	return rc;
}

static const struct command_def commands[] = {
	{"status", RIGHT_VIEW, 0, status, NULL},
	{"diff", RIGHT_VIEW, 0, diff, NULL},
	{"apply", RIGHT_OPERATE | RIGHT_ZONE, CALL_WRITE, apply, NULL},
	{"rollback", RIGHT_OPERATE, CALL_WRITE, rollback, NULL},
	{"generation.wait", RIGHT_VIEW, 0, generation_wait, NULL},
	{"history", RIGHT_VIEW, 0, history, NULL},
	{"history.show", RIGHT_VIEW, 0, history_show, NULL},
	{"audit.list", RIGHT_VIEW, 0, audit_list, NULL},
	{"audit.verify", RIGHT_VIEW, 0, audit_check, NULL},
	{"backup.create", RIGHT_ADMIN, 0, backup_create, NULL},
	{"import.plan", RIGHT_OPERATE, CALL_WRITE, import_plan, NULL},
	{NULL, 0, 0, NULL, NULL},
};

const struct command_def *api_change_commands(void)
{
	return commands;
}
