/* SPDX-License-Identifier: ISC */
/*
 * Commands that ask or tell the daemons of all nodes of a role through
 * management: what backends really are, what caches hold, drain, flush. They
 * change nothing in the configuration.
 */
#include "mgmt/cli/cli.h"

#include <stdarg.h>

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static bool has_role(const json_t *node, const char *role)
{
	json_t *one;
	size_t i;

	json_array_foreach(json_object_get(node, "roles"), i, one)
		if (strcmp(json_string_value(one), role) == 0)
			return true;
	return false;
}

/* Verbs that act at once have no dry run in the daemons: say it and stop. */
static bool only_say(const struct cli *cli, const char *node, const char *part,
	const char *verb, const json_t *words)
{
	json_t *word;
	size_t i;

	if (!cli->dry_run || strcmp(verb, "show") == 0)
		return false;
	fprintf(stderr, "would tell %s of %s: %s", part, node, verb);
	json_array_foreach(words, i, word)
		fprintf(stderr, " %s", json_string_value(word));
	fputs("\n", stderr);
	return true;
}

/* One verb for a part of a node; {"words":[...]} as its arguments. */
static int tell(struct cli *cli, const char *node, const char *part,
	const char *verb, json_t *words, json_t **result, struct err *err)
{
	json_t *args = json_pack("{s:s,s:s,s:s,s:{s:O}}", "node", node, "part",
		part, "verb", verb, "args", "words", words);
	int rc = CLI_OK;

	if (only_say(cli, node, part, verb, words))
		*result = json_pack("{s:b}", "dry_run", 1);
	else
		rc = call_api(cli, "node.cmd", args, false, result, NULL, err);
	json_decref(args);
	return rc;
}

/* {"dd1": result or {"error": text}, ...}; the worst exit code. */
static int tell_all(struct cli *cli, const char *role, const char *verb,
	json_t *words, json_t **results)
{
	json_t *nodes = NULL, *node, *result, *none = json_object();
	int rc = call_or_say(cli, "node.list", none, &nodes, NULL), one;
	const char *name;
	struct err err;
	size_t i;

	*results = json_object();
	json_array_foreach(nodes, i, node) {
		if (!has_role(node, role))
			continue;
		name = *text_of(node, "name") ? text_of(node, "name")
					      : text_of(node, "node");
		err.text[0] = '\0';
		one = tell(cli, name, role, verb, words, &result, &err);
		if (one != CLI_OK) {
			result = json_pack("{s:s}", "error", err.text);
			rc = CLI_PARTIAL;
		}
		json_object_set_new(*results, name, result);
	}
	json_decref(none);
	json_decref(nodes);
	return rc;
}

static void say_errors(const json_t *results)
{
	const char *name;
	json_t *result;

	json_object_foreach((json_t *)(uintptr_t)results, name, result)
		if (*text_of(result, "error"))
			fprintf(stderr, "ispdns: %s: %s\n", name,
				text_of(result, "error"));
}

/* ---- backend list: the configured ones with what frontends see ---- */

static const json_t *seen(
	const json_t *result, const char *pool, const char *name)
{
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(result, "servers"), i, row)
		if (strcmp(text_of(row, "pool"), pool) == 0 &&
			strcmp(text_of(row, "name"), name) == 0)
			return row;
	return NULL;
}

/* "up" when all frontends agree, else "dd1:up,dd2:down". */
static json_t *state_of(
	const json_t *results, const char *pool, const char *name)
{
	const char *node, *first = NULL, *state;
	struct text all;
	json_t *result, *value;
	bool same = true;

	text_init(&all);
	json_object_foreach((json_t *)(uintptr_t)results, node, result) {
		state = text_of(seen(result, pool, name), "state");
		if (!*state)
			state = "?";
		same &= !first || strcmp(first, state) == 0;
		first = first ? first : state;
		text_add(&all, "%s%s:%s", all.len ? "," : "", node, state);
	}
	value = json_string(!first ? "" : same ? first : all.data);
	text_fini(&all);
	return value;
}

int run_backend_list(struct cli *cli, json_t *args)
{
	json_t *rows, *row, *results = NULL, *words;
	size_t i;
	int rc = call_or_say(cli, "backend.list", args, &rows, NULL);

	if (rc != CLI_OK)
		return rc;
	words = json_pack("[s]", "servers");
	(void)tell_all(cli, "frontend", "show", words, &results);
	json_array_foreach(rows, i, row)
		json_object_set_new(row, "state",
			state_of(results, text_of(row, "pool"),
				text_of(row, "name")));
	show_result(cli, rows);
	json_decref(words);
	json_decref(results);
	json_decref(rows);
	return CLI_OK;
}

/* ---- tables that each frontend shows ---- */

/* The rows of all nodes, each with its node. */
static json_t *flatten(const json_t *results, const char *member)
{
	json_t *rows = json_array(), *result, *list, *row;
	const char *node;
	size_t i;

	json_object_foreach((json_t *)(uintptr_t)results, node, result) {
		list = json_object_get(result, member);
		json_array_foreach(list, i, row) {
			json_object_set_new(row, "node", json_string(node));
			json_array_append(rows, row);
		}
		if (!list && !*text_of(result, "error")) {
			json_object_set_new(result, "node", json_string(node));
			json_array_append(rows, result);
		}
	}
	return rows;
}

/* The last word of the verb in the table names what is shown. */
int run_frontends(struct cli *cli, json_t *args)
{
	const char *what = cli->command->verb;
	json_t *words = json_pack("[s]", what), *results = NULL, *rows;
	int rc = tell_all(cli, "frontend", "show", words, &results);

	(void)args;
	if (rc == CLI_OK || rc == CLI_PARTIAL) {
		rows = flatten(results, what);
		say_errors(results);
		show_result(cli, rows);
		json_decref(rows);
	}
	json_decref(words);
	json_decref(results);
	return rc;
}

/* ---- verbs for all frontends ---- */

static int done(
	struct cli *cli, int rc, const json_t *results, const char *what)
{
	const char *node;
	json_t *result;

	say_errors(results);
	if (cli->json) {
		show_json(results);
		return rc;
	}
	json_object_foreach((json_t *)(uintptr_t)results, node, result)
		if (!*text_of(result, "error"))
			printf("%s: %s\n", node, what);
	return rc;
}

/* backend up|down|drain|undrain NAME [POOL] */
int run_backend_mode(struct cli *cli, json_t *args)
{
	const char *mode = strrchr(cli->command->words, ' ') + 1;
	const char *pool = "", *name = "";
	json_t *words, *results = NULL;
	char what[256];
	int rc;

	(void)json_unpack(args, "{s:s,s?s}", "name", &name, "pool", &pool);
	words = json_pack("[s,s,s]",
		strcmp(mode, "undrain") == 0 ? "auto" : mode, name, pool);
	rc = tell_all(cli, "frontend", "backend", words, &results);
	snprintf(what, sizeof(what), "%.100s %s", name,
		strcmp(mode, "undrain") == 0 ? "by its probes again" : mode);
	rc = done(cli, rc, results, what);
	json_decref(words);
	json_decref(results);
	return rc;
}

/* cache flush [NAME] [--suffix]: frontends, then resolvers. */
int run_cache_flush(struct cli *cli, json_t *args)
{
	static const char *const roles[] = {"frontend", "resolver"};
	bool suffix = json_is_true(json_object_get(args, "suffix"));
	const char *name = text_of(args, "name");
	json_t *words, *results, *all = json_object();
	int rc = CLI_OK, one;

	for (size_t i = 0; i < countof(roles); i++) {
		words = i == 0 ? json_array() : NULL;
		if (words)
			json_array_append_new(words, json_string("flush"));
		else
			words = json_array();
		json_array_append_new(words, json_string(!*name   ? "all"
							 : suffix ? "suffix"
								  : "name"));
		if (*name)
			json_array_append_new(words, json_string(name));
		one = tell_all(cli, roles[i], i == 0 ? "cache" : "flush", words,
			&results);
		rc = one == CLI_OK ? rc : one;
		json_object_update(all, results);
		json_decref(words);
		json_decref(results);
	}
	rc = done(cli, rc, all, "flushed");
	json_decref(all);
	return rc;
}

/* ---- blocks: management asks all frontends ---- */

/* Who could not be asked or told; the exit code. */
static int say_missing(const json_t *result)
{
	json_t *errors = json_object_get(result, "errors"), *row;
	size_t i;

	json_array_foreach(errors, i, row)
		fprintf(stderr, "ispdns: %s: %s\n", text_of(row, "node"),
			text_of(row, "error"));
	return json_array_size(errors) > 0 ? CLI_PARTIAL : CLI_OK;
}

int run_block_list(struct cli *cli, json_t *args)
{
	json_t *result;
	int rc = call_or_say(cli, "block.list", args, &result, NULL);

	if (rc != CLI_OK)
		return rc;
	rc = say_missing(result);
	show_result(cli, json_object_get(result, "blocks"));
	json_decref(result);
	return rc;
}

/* block add TARGET, block remove TARGET */
int run_block(struct cli *cli, json_t *args)
{
	json_t *result, *node;
	size_t i;
	int rc = call_or_say(cli, cli->command->verb, args, &result, NULL);

	if (rc != CLI_OK)
		return rc;
	rc = say_missing(result);
	if (cli->dry_run)
		fprintf(stderr, "would tell all frontends: %s %s\n",
			cli->command->words, text_of(args, "target"));
	else if (cli->json)
		show_json(result);
	else
		json_array_foreach(json_object_get(result, "nodes"), i, node)
			printf("%s: %s\n", json_string_value(node),
				text_of(args, "target"));
	json_decref(result);
	return rc;
}

/* vip move VIP [--to NODE] */
int run_vip_move(struct cli *cli, json_t *args)
{
	json_t *result;
	int rc;

	if (cli->dry_run) {
		fprintf(stderr, "would move %s to %s\n", text_of(args, "vip"),
			*text_of(args, "to") ? text_of(args, "to")
					     : "the next node");
		return CLI_OK;
	}
	rc = call_or_say(cli, "vip.move", args, &result, NULL);
	if (rc == CLI_OK)
		show_result(cli, result);
	json_decref(result);
	return rc;
}

/* node cmd NODE PART VERB [WORD | KEY=VALUE ...] */
int run_node_cmd(struct cli *cli, json_t *args)
{
	json_t *words = json_object_get(args, "words"), *word;
	json_t *inner = json_object(), *plain = json_array(), *result;
	const char *text, *equals;
	char key[128];
	size_t i;
	int rc;

	json_array_foreach(words, i, word) {
		text = json_string_value(word);
		equals = strchr(text, '=');
		if (!equals) {
			json_array_append(plain, word);
			continue;
		}
		snprintf(key, sizeof(key), "%.*s", (int)(equals - text), text);
		json_object_set_new(inner, key, json_string(equals + 1));
	}
	if (json_array_size(plain) > 0)
		json_object_set(inner, "words", plain);
	json_object_del(args, "words");
	json_object_set_new(args, "args", inner);
	if (only_say(cli, text_of(args, "node"), text_of(args, "part"),
		    text_of(args, "verb"), plain)) {
		json_decref(plain);
		return CLI_OK;
	}
	rc = call_or_say(cli, "node.cmd", args, &result, NULL);
	if (rc == CLI_OK)
		show_result(cli, result);
	json_decref(result);
	json_decref(plain);
	return rc;
}

/*
 * VIPs are given away first, so that no query comes to a draining frontend;
 * on the way back they are taken last. A daemon that has no drain (it is left
 * by those who ask it) is no obstacle.
 */
int run_node_drain(struct cli *cli, json_t *args)
{
	static const char *const order[] = {"ha", "frontend"};
	const char *verb = cli->command->verb, *name = text_of(args, "node");
	bool back = strcmp(verb, "undrain") == 0;
	json_t *node, *result, *all = json_object(), *words = json_array();
	struct err err = {""};
	int rc = call_or_say(cli, "node.show", args, &node, NULL);
	size_t told = 0;

	for (size_t i = 0; i < countof(order) && rc == CLI_OK; i++) {
		const char *part = order[back ? countof(order) - 1 - i : i];

		if (!has_role(node, part))
			continue;
		rc = tell(cli, name, part, verb, words, &result, &err);
		if (rc != CLI_OK) {
			cli_fail(cli, rc, "%s: %s: %s", name, part, err.text);
			break;
		}
		json_object_set_new(all, part, result);
		told++;
	}
	if (rc == CLI_OK && told == 0)
		rc = cli_fail(cli, CLI_INVALID,
			"%s has neither frontend nor ha: drain its backends "
			"with `ispdns backend drain`",
			name);
	else if (rc == CLI_OK && cli->json)
		show_json(all);
	else if (rc == CLI_OK)
		printf("%s: %sed\n", name, verb);
	json_decref(words);
	json_decref(node);
	json_decref(all);
	return rc;
}
