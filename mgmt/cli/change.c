/* SPDX-License-Identifier: ISC */
/* diff, apply, rollback, history: changes on their way to the nodes. */
#include "mgmt/cli/cli.h"

#include "common/base/clock.h"

#include <unistd.h>

static void print_change(const json_t *change)
{
	const char *op = "?", *kind = "", *key = "";
	json_t *detail = json_object_get(change, "detail"), *line;
	size_t i;

	(void)json_unpack((json_t *)(uintptr_t)change, "{s?s,s?s,s?s}", "op",
		&op, "kind", &kind, "key", &key);
	printf("%c %s %s\n",
		strcmp(op, "add") == 0   ? '+'
		: strcmp(op, "del") == 0 ? '-'
					 : '~',
		kind, key);
	json_array_foreach(detail, i, line)
		if (json_is_string(line))
			printf("    %s\n", json_string_value(line));
}

int run_diff(struct cli *cli, json_t *args)
{
	json_t *result, *changes, *change;
	size_t i, count;
	int rc = call_or_say(cli, "diff", args, &result, NULL);

	if (rc != CLI_OK)
		return rc;
	changes = json_object_get(result, "changes");
	count = json_array_size(changes);
	if (cli->json)
		show_json(result);
	else
		json_array_foreach(changes, i, change)
			print_change(change);
	if (!cli->json && count == 0)
		puts("no changes");
	json_decref(result);
	return count > 0 ? CLI_PENDING : CLI_OK;
}

/* ---- the wait for the nodes ---- */

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* Phases that a node may stay in when all is well. */
static bool proven(const json_t *node)
{
	const char *phase = text_of(node, "phase");

	return strcmp(phase, "applied") == 0 || strcmp(phase, "current") == 0 ||
	       strcmp(phase, "confirmed") == 0;
}

static int verdict(const json_t *result)
{
	const char *state = text_of(result, "state");
	const json_t *nodes = json_object_get(result, "nodes"), *node;
	bool back = strcmp(state, "rolled_back") == 0, all = true;
	size_t i;

	json_array_foreach(nodes, i, node) {
		back |= strcmp(text_of(node, "phase"), "rolled_back") == 0;
		/* "new": added, but has never joined */
		all &= proven(node) ||
		       strcmp(text_of(node, "phase"), "new") == 0;
	}
	if (back)
		return CLI_ROLLED_BACK;
	if (strcmp(state, "failed") == 0)
		return CLI_FAIL;
	return strcmp(state, "done") == 0 && all ? CLI_OK : CLI_PARTIAL;
}

static void print_nodes(const struct cli *cli, const json_t *result, int code)
{
	static const char *const verdicts[] = {
		[CLI_OK] = "every node has proven it",
		[CLI_FAIL] = "failed",
		[CLI_ROLLED_BACK] = "rolled back",
		[CLI_PARTIAL] = "some nodes have not proven it",
	};
	json_t *nodes = json_object_get(result, "nodes"), *node;
	long long gen =
		json_integer_value(json_object_get(result, "generation"));
	size_t i;

	if (cli->json) {
		show_json(result);
		return;
	}
	json_array_foreach(nodes, i, node) {
		printf("%-12s %-12s",
			*text_of(node, "name") ? text_of(node, "name")
					       : text_of(node, "node"),
			text_of(node, "phase"));
		if (json_integer_value(json_object_get(node, "took_ms")) > 0)
			printf(" %lld ms",
				(long long)json_integer_value(
					json_object_get(node, "took_ms")));
		if (*text_of(node, "err"))
			printf("  %s", text_of(node, "err"));
		puts("");
	}
	if (*text_of(result, "error"))
		printf("%s\n", text_of(result, "error"));
	printf("generation %lld: %s\n", gen, verdicts[code]);
}

static void progress(const struct cli *cli, const json_t *result, size_t *shown)
{
	json_t *nodes = json_object_get(result, "nodes"), *node;
	size_t i, done = 0;

	json_array_foreach(nodes, i, node)
		done += proven(node);
	if (cli->quiet || !isatty(2) || done == *shown)
		return;
	*shown = done;
	fprintf(stderr, "%zu of %zu nodes have proven it\n", done,
		json_array_size(nodes));
}

/* Hold on until the generation's fate is known or the time is over. */
static int wait_for(struct cli *cli, long long generation)
{
	struct mtime end = mtime_add_ms(mtime_now(), cli->wait_s * 1000LL);
	json_t *result = NULL, *args;
	size_t shown = 0;
	long long left;
	int rc;

	for (;;) {
		left = mtime_sub_us(end, mtime_now()) / 1000;
		json_decref(result);
		args = json_pack("{s:I,s:I}", "generation",
			(json_int_t)generation, "timeout_ms",
			(json_int_t)(left < 0       ? 0
				     : left > 10000 ? 10000
						    : left));
		rc = call_or_say(cli, "generation.wait", args, &result, NULL);
		json_decref(args);
		if (rc != CLI_OK)
			return rc;
		progress(cli, result, &shown);
		if (strcmp(text_of(result, "state"), "running") != 0 ||
			!mtime_before(mtime_now(), end))
			break;
	}
	rc = verdict(result);
	print_nodes(cli, result, rc);
	json_decref(result);
	return rc;
}

static int change(struct cli *cli, const char *verb, json_t *args)
{
	json_t *result;
	long long generation;
	int rc;

	if (cli->message)
		json_object_set_new(args, "message", json_string(cli->message));
	rc = call_or_say(cli, verb, args, &result, NULL);
	if (rc != CLI_OK)
		return rc;
	generation = json_integer_value(json_object_get(result, "generation"));
	if (cli->dry_run || cli->wait_s == 0 || generation <= 0) {
		show_result(cli, result);
		json_decref(result);
		return CLI_OK;
	}
	json_decref(result);
	return wait_for(cli, generation);
}

int run_apply(struct cli *cli, json_t *args)
{
	return change(cli, "apply", args);
}

int run_rollback(struct cli *cli, json_t *args)
{
	return change(cli, "rollback", args);
}

int run_history(struct cli *cli, json_t *args)
{
	bool one = json_object_get(args, "generation") != NULL;
	json_t *result;
	struct text out;
	int rc = call_or_say(
		cli, one ? "history.show" : "history", args, &result, NULL);

	if (rc != CLI_OK)
		return rc;
	if (one || cli->json) {
		show_result(cli, result);
	} else {
		text_init(&out);
		show_table(result,
			"GENERATION:generation TIME:ts AUTHOR:author "
			"STATE:state MESSAGE:message",
			&out);
		fputs(out.data, stdout);
		text_fini(&out);
	}
	json_decref(result);
	return CLI_OK;
}
