/* SPDX-License-Identifier: ISC */
/*
 * Verbs of rules. A row is checked as soon as it is written; the list has the
 * order in which frontends look at it, with what each rule says in words.
 */

#include "mgmt/command.h"

#include <errno.h>

#include "mgmt/check.h"
#include "mgmt/render.h"

#define SHOWN 4 /* values of one matcher, in the list */

static const struct model_table *rules(void)
{
	return model_table("rule");
}

static int rule_row(
	struct call *call, const json_t *args, json_t **row, struct err *err)
{
	json_t *change = NULL;
	const char *name;
	int rc = arg_text(args, "name", &name, err);

	if (!rc)
		rc = model_row_change(rules(), args, &change, err);
	if (!rc)
		rc = store_row(call->m->store, rules(), change, row, err);
	json_decref(change);
	return rc;
}

/* With another action, what belonged to the old one goes unless it is given:
 * all columns behind `action`. */
static int drop_parameters(const json_t *now, json_t *change, struct err *err)
{
	const json_t *action = json_object_get(change, "action");
	bool behind = false;

	if (!action || json_equal(action, json_object_get(now, "action")))
		return 0;
	for (size_t i = 0; i < rules()->count; i++) {
		const struct model_column *c = &rules()->columns[i];

		if (behind && !json_object_get(change, c->name) &&
			json_object_set_new(change, c->name, model_default(c)))
			return err_fail(err, -ENOMEM, "no memory");
		behind |= !strcmp(c->name, "action");
	}
	return 0;
}

static int rule_set(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	json_t *now = NULL, *change = NULL;
	int rc = rule_row(call, args, &now, err);

	if (!rc)
		rc = model_row_change(rules(), args, &change, err);
	if (!rc)
		rc = drop_parameters(now, change, err);
	if (!rc)
		rc = store_update(call->m->store, rules(), change, err);
	if (!rc && json_object_update(now, change))
		rc = err_fail(err, -ENOMEM, "no memory");
	if (!rc)
		rc = check_rule(now, err);
	if (!rc)
		*result = json_incref(now);
	json_decref(change);
	json_decref(now);
	return rc;
}

static int rule_add(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	json_t *row = NULL, *now = NULL;
	int rc = model_row_new(rules(), args, &row, err);

	if (!rc && call->upsert &&
		!store_row(call->m->store, rules(), row, &now, NULL)) {
		rc = rule_set(call, args, result, err);
		goto out;
	}
	if (!rc)
		rc = check_rule(row, err);
	if (!rc)
		rc = store_insert(call->m->store, rules(), row, err);
	if (!rc)
		*result = json_incref(row);
out:
	json_decref(now);
	json_decref(row);
	return rc;
}

static int rule_del(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	json_t *row = NULL;
	int rc = arg_only(args, "name", err);

	(void)result;
	if (!rc)
		rc = rule_row(call, args, &row, err);
	if (!rc)
		rc = store_delete(call->m->store, rules(), row, err);
	json_decref(row);
	return rc;
}

static int rule_show(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	int rc = arg_only(args, "name", err);

	return rc ? rc : rule_row(call, args, result, err);
}

/* ---- the list ---- */

static void say_values(struct text *out, const json_t *value)
{
	size_t i, count = json_array_size(value);
	json_t *v;

	if (json_is_string(value))
		text_add(out, "%s", json_string_value(value));
	json_array_foreach(value, i, v)
		if (i < SHOWN)
			text_add(out, "%s%s", i ? "," : "",
				json_string_value(v));
	if (count > SHOWN)
		text_add(out, ",+%zu", count - SHOWN);
}

/* "suffix=a.test.,b.test. qtype=TXT", or "all". */
static void say_match(struct text *out, const json_t *row)
{
	static const char *const matchers[] = {"suffix", "exact", "qtype",
		"qclass", "opcode", "transport", "source", "rd", "dnssec"};

	for (size_t i = 0; i < countof(matchers); i++) {
		const json_t *v = json_object_get(row, matchers[i]);

		if (json_array_size(v) == 0 && json_string_length(v) == 0)
			continue;
		text_add(out, "%s%s=", out->len ? " " : "", matchers[i]);
		say_values(out, v);
	}
	if (out->len == 0)
		text_add(out, "all");
}

/* "pool rec", "rate-limit 20/s per client, then tc". */
static void say_effect(struct text *out, const json_t *row)
{
	const char *action = row_str(row, "action");

	text_add(out, "%s", action);
	if (!strcmp(action, "pool") || !strcmp(action, "tag"))
		text_add(out, " %s", row_str(row, action));
	if (!strcmp(action, "set-pool"))
		text_add(out, " %s", row_str(row, "pool"));
	if (!strcmp(action, "spoof")) {
		text_add(out, " ");
		say_values(out, row_list(row, "addresses"));
	}
	if (!strcmp(action, "rate-limit"))
		text_add(out, " %lld/s per %s, then %s",
			(long long)row_int(row, "qps"), row_str(row, "per"),
			row_str(row, "over"));
}

static int say(json_t *row, const char *key,
	void (*print)(struct text *out, const json_t *row), struct err *err)
{
	struct text text;
	int rc = 0;

	text_init(&text);
	print(&text, row);
	if (text.failed ||
		json_object_set_new(row, key, json_string(text.data)))
		rc = err_fail(err, -ENOMEM, "no memory");
	text_fini(&text);
	return rc;
}

static int rule_list(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	json_t *rows = NULL, *row;
	size_t i;
	int rc = arg_only(args, "", err);

	if (!rc)
		rc = store_rows(call->m->store, rules(), NULL, &rows, err);
	if (!rc && !(*result = render_rule_order(rows)))
		rc = err_fail(err, -ENOMEM, "no memory");
	json_array_foreach(*result, i, row) {
		if (!rc)
			rc = say(row, "match", say_match, err);
		if (!rc)
			rc = say(row, "effect", say_effect, err);
	}
	json_decref(rows);
	return rc;
}

static const struct command_def commands[] = {
	{"rule.list", RIGHT_VIEW, 0, rule_list, NULL},
	{"rule.show", RIGHT_VIEW, 0, rule_show, NULL},
	{"rule.add", RIGHT_OPERATE, CALL_WRITE, rule_add, NULL},
	{"rule.set", RIGHT_OPERATE, CALL_WRITE, rule_set, NULL},
	{"rule.del", RIGHT_OPERATE, CALL_WRITE, rule_del, NULL},
	{NULL, 0, 0, NULL, NULL},
};

const struct command_def *api_rule_commands(void)
{
	return commands;
}
