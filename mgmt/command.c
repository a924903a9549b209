/* SPDX-License-Identifier: ISC */
/*
 * One way for every verb: parse, authorise, begin, run, audit, commit (or go
 * back), then what must wait for the commit.
 */

#include "mgmt/command.h"

#include <errno.h>

#include "common/base/log.h"
#include "mgmt/audit.h"
#include "mgmt/change.h"

static const struct command_def *command_find(const char *verb)
{
	const struct command_def *const tables[] = {api_zone_commands(),
		api_model_commands(), api_policy_commands(),
		api_rule_commands(), api_ha_commands(), api_node_commands(),
		api_front_commands(), api_change_commands()};

	for (size_t i = 0; i < countof(tables); i++)
		for (const struct command_def *c = tables[i]; c->verb; c++)
			if (!strcmp(c->verb, verb))
				return c;
	return NULL;
}

static const char *code_of(int rc)
{
	switch (-rc) {
	case EBADR:
		return "usage";
	case EINVAL:
		return "invalid";
	case ENOENT:
		return "not_found";
	case EEXIST:
	case EBUSY:
		return "conflict";
	case EACCES:
		return "denied";
	case EHOSTUNREACH:
	case EAGAIN:
		return "unavailable";
	}
	return "internal";
}

void call_end(struct call *call, int rc, json_t *result, const struct err *err)
{
	struct mgmt *m = call->m;

	m->calls++;
	m->denied += rc == -EACCES;
	m->errors += rc < 0;
	if (rc < 0)
		call->done(call, code_of(rc), NULL,
			err->text[0] ? err->text : "failed");
	else
		call->done(call, NULL, result, NULL);
	json_decref(result);
	json_decref(call->request);
	free(call);
}

/* ---- arguments ---- */

int arg_maybe(
	const json_t *args, const char *name, const char **out, struct err *err)
{
	const json_t *v = json_object_get(args, name);

	*out = NULL;
	if (!v || json_is_null(v))
		return 0;
	if (!json_is_string(v) ||
		strlen(json_string_value(v)) != json_string_length(v))
		return err_fail(err, -EBADR, "\"%s\" must be a text", name);
	*out = json_string_value(v);
	return 0;
}

int arg_text(
	const json_t *args, const char *name, const char **out, struct err *err)
{
	int rc = arg_maybe(args, name, out, err);

	if (!rc && !*out)
		rc = err_fail(err, -EBADR, "\"%s\" is missing", name);
	return rc;
}

int arg_int(const json_t *args, const char *name, long long min, long long max,
	long long *out, struct err *err)
{
	const json_t *v = json_object_get(args, name);

	if (!v || json_is_null(v))
		return 0;
	if (!json_is_integer(v) || json_integer_value(v) < min ||
		json_integer_value(v) > max)
		return err_fail(err, -EINVAL,
			"\"%s\" must be a number from %lld to %lld", name, min,
			max);
	*out = json_integer_value(v);
	return 0;
}

int arg_only(const json_t *args, const char *names, struct err *err)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)args, key, value) {
		const char *p = names;
		size_t len = strlen(key);

		while ((p = strstr(p, key)) != NULL) {
			if ((p == names || p[-1] == ' ') &&
				(p[len] == ' ' || p[len] == '\0'))
				break;
			p++;
		}
		if (!p || !len)
			return err_fail(
				err, -EBADR, "unknown argument \"%.80s\"", key);
	}
	return 0;
}

/* ---- rows shown ---- */

int command_list(struct call *call, const json_t *args, const char *table,
	row_view_fn view, json_t **result, struct err *err)
{
	size_t i;
	json_t *row;
	int rc = arg_only(args, "", err);

	if (!rc)
		rc = store_rows(
			call->m->store, model_table(table), NULL, result, err);
	json_array_foreach(*result, i, row)
		if (!rc)
			rc = view(call, row, err);
	return rc;
}

int command_show(struct call *call, const json_t *args, const char *table,
	const char *key, row_view_fn view, json_t **result, struct err *err)
{
	const char *text;
	int rc = arg_only(args, key, err);

	if (!rc)
		rc = arg_text(args, key, &text, err);
	if (!rc)
		rc = store_row(
			call->m->store, model_table(table), args, result, err);
	return rc ? rc : view(call, *result, err);
}

/* ---- audit ---- */

/* "zone example.net." of the first naming argument that is there. */
static void object_of(const json_t *args, char *out, size_t size)
{
	static const char *const names[] = {"zone", "node", "vip", "pool",
		"anycast", "suffix", "list", "prefix", "name", "generation",
		"kind", "target"};
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < countof(names) && used < size; i++) {
		const json_t *v = json_object_get(args, names[i]);

		if (json_is_string(v))
			snprintf(out + used, size - used, "%s%s %.200s",
				used ? " " : "", names[i],
				json_string_value(v));
		else if (json_is_integer(v))
			snprintf(out + used, size - used, "%s%s %lld",
				used ? " " : "", names[i],
				(long long)json_integer_value(v));
		used = strlen(out);
	}
}

static int call_audit(struct call *call, const char *verb, const json_t *args,
	struct err *err)
{
	char object[512];
	struct audit_entry entry = {.actor = call->actor,
		.src = call->src,
		.verb = verb,
		.object = object,
		.args = args,
		.message = call->message};

	object_of(args, object, sizeof(object));
	return audit_add(call->m->store, &entry, err);
}

int command_note(struct call *call, const json_t *args, struct err *err)
{
	struct store *store = call->m->store;
	int rc = store_begin(store, err);

	if (rc)
		return rc;
	rc = call_audit(call, call->verb, args, err);
	if (!rc)
		return store_commit(store, err);
	store_rollback(store);
	return rc;
}

/* ---- running ---- */

/* How many items differ now; for the answer only. */
static void count_changes(struct call *call)
{
	json_t *changes = NULL;

	if (change_pending(call->m->store, true, &changes, NULL) == 0)
		call->changes = (long long)json_array_size(changes);
	json_decref(changes);
}

int command_nested(struct call *call, const char *verb, const json_t *args,
	json_t **result, struct err *err)
{
	const struct command_def *c = command_find(verb), *outer;
	int rc;

	if (!c || !(c->flags & CALL_WRITE) || !strcmp(verb, call->verb))
		return err_fail(
			err, -EBADR, "%.80s: is no verb that changes", verb);
	if (!(c->rights & call->rights))
		return err_fail(err, -EACCES, "%s: is not allowed", verb);
	outer = call->def;
	call->def = c;
	rc = c->run(call, args, result, err);
	call->def = outer;
	return rc ? rc : call_audit(call, verb, args, err);
}

static void after_commit(struct call *call, struct err *err)
{
	struct mgmt *m = call->m;
	int rc = 0;

	if (call->sync)
		rc = fleet_sync(push_fleet(m->push), err);
	if (!rc && call->start)
		rc = push_start(m->push, call->start, call->allow_missing, err);
	if (rc)
		log_error("command: after commit: verb=%s: %s", call->verb,
			err->text);
}

/* A verb that changes: all of it or nothing. */
static int run_write(struct call *call, const struct command_def *c,
	json_t **result, struct err *err)
{
	struct store *store = call->m->store;
	int rc = store_begin(store, err);

	if (rc)
		return rc;
	rc = c->run(call, call->args, result, err);
	if (!rc)
		rc = call_audit(call, call->verb, call->args, err);
	if (!rc)
		count_changes(call);
	if (!rc && !call->dry_run) {
		rc = store_commit(store, err);
		if (!rc)
			after_commit(call, err);
		return rc;
	}
	store_rollback(store);
	return rc;
}

static int dispatch(struct call *call, json_t **result, struct err *err)
{
	const struct command_def *c = command_find(call->verb);

	if (!c)
		return err_fail(
			err, -EBADR, "unknown verb \"%.80s\"", call->verb);
	if (!(c->rights & call->rights))
		return err_fail(err, -EACCES, "%s: is not allowed for %s",
			call->verb, call->actor);
	call->def = c;
	if (c->flags & CALL_WRITE)
		return run_write(call, c, result, err);
	return c->run(call, call->args, result, err);
}

static int request_read(
	struct call *call, const char *body, size_t len, struct err *err)
{
	json_error_t why;
	int dry_run = 0;

	call->request = json_loadb(body, len, JSON_REJECT_DUPLICATES, &why);
	if (!call->request)
		return err_fail(
			err, -EBADR, "body: %s (line %d)", why.text, why.line);
	if (json_unpack_ex(call->request, &why, 0, "{s:s, s?o, s?b, s?s}",
		    "verb", &call->verb, "args", &call->args, "dry_run",
		    &dry_run, "message", &call->message))
		return err_fail(err, -EBADR, "body: %s", why.text);
	if (call->args && !json_is_object(call->args))
		return err_fail(err, -EBADR, "body: args must be an object");
	if (!call->args) {
		call->args = json_object();
		json_object_set_new(call->request, "args", call->args);
	}
	call->dry_run = call->dry_run || dry_run;
	return arg_only(call->request, "verb args dry_run message", err);
}

void command_run(struct call *call, const char *body, size_t len)
{
	struct err err = {""};
	json_t *result = NULL;
	int rc = request_read(call, body, len, &err);

	call->changes = -1;

	if (!rc)
		rc = dispatch(call, &result, &err);
	if (rc != CALL_LATER)
		call_end(call, rc, result, &err);
}
