/* SPDX-License-Identifier: ISC */
/*
 * Verbs that all frontends are asked, or told, at once: what they see, and
 * the blocks, which are theirs and not of the model: they end by themselves.
 * The answer has what came from each, and who could not be asked.
 */

#include "mgmt/command.h"

#include <errno.h>

#include "common/dns/name.h"
#include "common/net/prefix.h"

#define NO_BLOCK "there is no block of" /* as frontends say it */

struct spread {
	struct call *call;
	unsigned waiting;
	json_t *answers; /* {node: result} */
	json_t *errors;  /* [{node, error}] */
	/* The result of the call, from both; NULL: err says why not. */
	json_t *(*gather)(const struct spread *s, int *rc, struct err *err);
};

struct part {
	struct spread *spread;
	char node[FLEET_NAME];
};

/* ---- asking ---- */

static void add_error(struct spread *s, const char *node, const char *error)
{
	json_array_append_new(s->errors,
		json_pack("{s:s, s:s}", "node", node, "error", error));
}

/* One is heard of, or the hold of the beginning is given up. */
static void spread_less(struct spread *s)
{
	struct err err = {""};
	json_t *result;
	int rc = 0;

	if (--s->waiting > 0)
		return;
	result = s->gather(s, &rc, &err);
	call_end(s->call, rc, result, &err);
	json_decref(s->answers);
	json_decref(s->errors);
	free(s);
}

static void spread_answer(
	void *arg, bool ok, const json_t *result, const char *error)
{
	struct part *part = arg;
	struct spread *s = part->spread;

	if (ok)
		json_object_set_new(s->answers, part->node,
			result ? json_deep_copy(result) : json_object());
	else
		add_error(s, part->node, error);
	free(part);
	spread_less(s);
}

static void spread_ask(struct spread *s, const struct link *link,
	const char *verb, const json_t *args)
{
	struct part *part = calloc(1, sizeof(*part));
	struct err err = {"no memory"};

	if (part) {
		part->spread = s;
		snprintf(part->node, sizeof(part->node), "%s", link->name);
		if (fleet_command(push_fleet(s->call->m->push), link->name,
			    "frontend", verb, args, spread_answer, part,
			    &err) == 0) {
			s->waiting++;
			return;
		}
	}
	free(part);
	add_error(s, link->name, err.text);
}

/* CALL_LATER, or an error. `args` is borrowed. */
static int ask_frontends(struct call *call, const char *verb,
	const json_t *args,
	json_t *(*gather)(const struct spread *, int *, struct err *),
	struct err *err)
{
	struct spread *s = calloc(1, sizeof(*s));
	unsigned count = 0;
	struct list *pos;

	if (!s)
		return err_fail(err, -ENOMEM, "no memory");
	s->call = call;
	s->gather = gather;
	s->answers = json_object();
	s->errors = json_array();
	s->waiting = 1;
	list_each(pos, fleet_links(push_fleet(call->m->push))) {
		const struct link *link = list_entry(pos, struct link, list);

		if (!list_has(link->roles, "frontend"))
			continue;
		spread_ask(s, link, verb, args);
		count++;
	}
	if (count == 0)
		add_error(s, "none", "no node has the role frontend");
	spread_less(s);
	return CALL_LATER;
}

/* Nobody did it: the first that says why. */
static int nobody(const struct spread *s, struct err *err)
{
	const json_t *first = json_array_get(s->errors, 0);

	return err_fail(err, -EHOSTUNREACH, "%s: %s", row_str(first, "node"),
		row_str(first, "error"));
}

/* ---- what frontends see ---- */

/* All lists of rows of all answers as one, each row with its node. */
static json_t *gather_rows(const struct spread *s, int *rc, struct err *err)
{
	json_t *rows = json_array(), *answer, *list, *row;
	const char *node, *key;
	size_t i;

	json_object_foreach(s->answers, node, answer) {
		json_object_set_new(answer, "node", json_string(node));
		json_object_foreach(answer, key, list) {
			json_array_foreach(list, i, row) {
				json_object_set_new(
					row, "node", json_string(node));
				json_array_append(rows, row);
			}
		}
		if (json_array_size(rows) == 0)
			json_array_append(rows, answer);
	}
	if (json_object_size(s->answers) == 0)
		*rc = nobody(s, err);
	return json_pack("{s:o, s:O}", "rows", rows, "errors", s->errors);
}

static int frontend_seen(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	static const char *const tables[] = {"servers", "pools", "cache",
		"rules", "limits", "drops", "latency", "top", "transfers"};
	const char *what;
	bool known = false;
	json_t *words;
	int rc = arg_only(args, "what", err);

	(void)result;
	if (!rc)
		rc = arg_text(args, "what", &what, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < countof(tables); i++)
		known = known || !strcmp(tables[i], what);
	if (!known)
		return err_fail(err, -EINVAL,
			"what: \"%.40s\": must be one of servers, pools, "
			"cache, rules, limits, drops, latency, top, transfers",
			what);
	words = json_pack("{s:[s]}", "words", what);
	rc = ask_frontends(call, "show", words, gather_rows, err);
	json_decref(words);
	return rc;
}

/* ---- blocks ---- */

static json_t *find_block(json_t *rows, const json_t *block)
{
	size_t i;
	json_t *row;

	json_array_foreach(rows, i, row)
		if (json_equal(json_object_get(row, "kind"),
			    json_object_get(block, "kind")) &&
			json_equal(json_object_get(row, "target"),
				json_object_get(block, "target")))
			return row;
	return NULL;
}

static json_int_t number(const json_t *row, const char *key)
{
	return json_integer_value(json_object_get(row, key));
}

/* The same block on another node: the longer time, all its queries. */
static void merge_block(json_t *row, const json_t *block)
{
	json_int_t left = number(row, "left_s"), more = number(block, "left_s");

	json_object_set_new(
		row, "left_s", json_integer(left > more ? left : more));
	json_object_set_new(row, "queries",
		json_integer(
			number(row, "queries") + number(block, "queries")));
}

static json_t *gather_blocks(const struct spread *s, int *rc, struct err *err)
{
	json_t *rows = json_array(), *answer, *block, *row;
	const char *node;
	size_t i;

	json_object_foreach(s->answers, node, answer) {
		json_array_foreach(
			json_object_get(answer, "blocks"), i, block) {
			row = find_block(rows, block);
			if (row) {
				merge_block(row, block);
			} else {
				row = block;
				json_object_set_new(row, "nodes", json_array());
				json_array_append(rows, row);
			}
			json_array_append_new(json_object_get(row, "nodes"),
				json_string(node));
		}
	}
	if (json_object_size(s->answers) == 0)
		*rc = nobody(s, err);
	return json_pack("{s:o, s:O}", "blocks", rows, "errors", s->errors);
}

static int block_list(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	json_t *words = json_pack("{s:[s]}", "words", "list");
	int rc = arg_only(args, "", err);

	(void)result;
	if (!rc)
		rc = ask_frontends(call, "block", words, gather_blocks, err);
	json_decref(words);
	return rc;
}

static json_t *names_of(const json_t *answers)
{
	json_t *names = json_array(), *answer;
	const char *node;

	json_object_foreach((json_t *)(uintptr_t)answers, node, answer)
		json_array_append_new(names, json_string(node));
	return names;
}

static json_t *gather_added(const struct spread *s, int *rc, struct err *err)
{
	if (json_object_size(s->answers) == 0)
		*rc = nobody(s, err);
	return json_pack("{s:o, s:O}", "nodes", names_of(s->answers), "errors",
		s->errors);
}

/* Who does not have the block need not lose it. */
static json_t *gather_removed(const struct spread *s, int *rc, struct err *err)
{
	json_t *errors = json_array(), *row;
	size_t i;

	json_array_foreach(s->errors, i, row)
		if (strncmp(row_str(row, "error"), NO_BLOCK,
			    strlen(NO_BLOCK)) != 0)
			json_array_append(errors, row);
	if (json_object_size(s->answers) == 0) {
		*rc = nobody(s, err);
		if (json_array_size(errors) == 0)
			*rc = -ENOENT;
	}
	return json_pack(
		"{s:o, s:o}", "nodes", names_of(s->answers), "errors", errors);
}

/* {"words":[verb, ("suffix",) target]}: what is meant, in its plain form. */
static int block_words(
	const json_t *args, const char *verb, json_t **out, struct err *err)
{
	bool suffix = json_is_true(json_object_get(args, "suffix"));
	char print[NAME_MAX_TEXT];
	struct prefix prefix;
	struct name name;
	const char *target;
	int rc = arg_text(args, "target", &target, err);

	if (rc)
		return rc;
	if (suffix && name_parse(target, &name) < 0)
		return err_fail(err, -EINVAL,
			"target: \"%.80s\": not a domain name", target);
	rc = suffix ? 0 : prefix_parse(target, &prefix);
	if (rc == -EDOM)
		return err_fail(err, -EINVAL,
			"target: \"%.80s\" has host bits set, did you mean %s?",
			target, prefix_print(&prefix, print));
	if (rc)
		return err_fail(err, -EINVAL,
			"target: \"%.80s\": not an address or prefix (a name: "
			"with suffix)",
			target);
	if (suffix)
		*out = json_pack("{s:[s, s, s]}", "words", verb, "suffix",
			name_print(&name, print));
	else
		*out = json_pack("{s:[s, s]}", "words", verb,
			prefix_print(&prefix, print));
	return 0;
}

static int block_action(const json_t *args, json_t *words, struct err *err)
{
	static const char *const actions[] = {
		"drop", "refuse", "tc", "nxdomain", "log"};
	const char *action;
	int rc = arg_maybe(args, "action", &action, err);

	if (rc || !action)
		return rc;
	for (size_t i = 0; i < countof(actions); i++)
		if (!strcmp(action, actions[i])) {
			json_object_set_new(
				words, "action", json_string(action));
			return 0;
		}
	return err_fail(err, -EINVAL,
		"action: \"%.40s\": must be one of drop, refuse, tc, "
		"nxdomain, log",
		action);
}

static int block_add(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	long long for_s = 600;
	json_t *words = NULL;
	int rc = arg_only(args, "target suffix for_s action", err);

	(void)result;
	if (!rc)
		rc = arg_int(args, "for_s", 1, 2592000, &for_s, err);
	if (!rc)
		rc = block_words(args, "add", &words, err);
	if (!rc)
		rc = block_action(args, words, err);
	if (!rc && !call->dry_run)
		rc = command_note(call, args, err);
	if (!rc && !call->dry_run) {
		json_object_set_new(words, "for", json_integer(for_s));
		rc = ask_frontends(call, "block", words, gather_added, err);
	}
	json_decref(words);
	return rc;
}

static int block_remove(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	json_t *words = NULL;
	int rc = arg_only(args, "target suffix", err);

	(void)result;
	if (!rc)
		rc = block_words(args, "remove", &words, err);
	if (!rc && !call->dry_run)
		rc = command_note(call, args, err);
	if (!rc && !call->dry_run)
		rc = ask_frontends(call, "block", words, gather_removed, err);
	json_decref(words);
	return rc;
}

static const struct command_def commands[] = {
	{"frontend.seen", RIGHT_VIEW, 0, frontend_seen, NULL},
	{"block.list", RIGHT_VIEW, 0, block_list, NULL},
	{"block.add", RIGHT_OPERATE, 0, block_add, NULL},
	{"block.remove", RIGHT_OPERATE, 0, block_remove, NULL},
	{NULL, 0, 0, NULL, NULL},
};

const struct command_def *api_front_commands(void)
{
	return commands;
}
