/* SPDX-License-Identifier: ISC */
/*
 * Completion: `ispdns __complete WORD ...` prints what may stand in place of
 * the last word, one a line: nouns, verbs, options, and the names of zones,
 * nodes, pools and VIPs when management answers. `ispdns completion bash`
 * prints the few lines of shell that ask for it.
 */
#include "mgmt/cli/args.h"

/* Arguments whose values management knows: where they are listed. */
static const struct {
	const char *key, *verb, *member;
} lists[] = {
	{"zone", "zone.list", "name"},
	{"node", "node.list", "name"},
	{"pool", "pool.list", "pool"},
	{"vip", "vip.list", "vip"},
	{"suffix", "route.list", "suffix"},
};

static void offer(const char *word, size_t len, const char *typed)
{
	if (strncmp(word, typed, strlen(typed)) == 0)
		printf("%.*s\n", (int)len, word);
}

static void offer_word(const char *word, size_t len, void *typed)
{
	offer(word, len, typed);
}

static void options(const struct command *c, const char *typed)
{
	char option[64];

	for (size_t i = 0; i < c->count; i++) {
		if (!(c->params[i].flags & PARAM_OPTION))
			continue;
		snprintf(option, sizeof(option), "--%s", c->params[i].word);
		offer(option, strlen(option), typed);
	}
	offer("--json", 6, typed);
	offer("--dry-run", 9, typed);
	offer("--message", 9, typed);
}

static void names(struct cli *cli, const char *key, const char *typed)
{
	json_t *args = json_object(), *rows = NULL, *row;
	struct err err = {""};
	const char *name;
	size_t i, l = 0;

	while (l < countof(lists) && strcmp(lists[l].key, key) != 0)
		l++;
	if (l < countof(lists) && context_load(cli, &err) == CLI_OK &&
		call_api(cli, lists[l].verb, args, false, &rows, NULL, &err) ==
			CLI_OK) {
		json_array_foreach(rows, i, row) {
			name = json_string_value(
				json_object_get(row, lists[l].member));
			if (name)
				offer(name, strlen(name), typed);
		}
	}
	json_decref(rows);
	json_decref(args);
}

/* The positional argument number `place`. */
static void place(
	struct cli *cli, const struct command *c, size_t n, const char *typed)
{
	for (size_t i = 0; i < c->count; i++) {
		if (c->params[i].flags & PARAM_OPTION)
			continue;
		if (n-- == 0) {
			names(cli, c->params[i].key, typed);
			return;
		}
	}
}

int run_complete(struct cli *cli, json_t *args)
{
	static char nothing[] = "";
	int n = cli->raw_count, used = 0;
	char *typed = n > 0 ? cli->raw[n - 1] : nothing;
	int before = n > 0 ? n - 1 : 0;
	const struct command *c;

	(void)args;
	cli->timeout_ms = 1000;
	if (command_depth(before, cli->raw) == before) {
		command_next(cli->raw, before, offer_word, typed);
		return CLI_OK;
	}
	c = command_find(before, cli->raw, &used);
	if (c && typed[0] == '-')
		options(c, typed);
	else if (c)
		place(cli, c, (size_t)(before - used), typed);
	return CLI_OK;
}

int run_completion(struct cli *cli, json_t *args)
{
	(void)cli;
	(void)args;
	puts("# Completion of ispdns: . <(ispdns completion bash)\n"
	     "_ispdns()\n"
	     "{\n"
	     "\tlocal words=(\"${COMP_WORDS[@]:1:COMP_CWORD}\")\n"
	     "\tmapfile -t COMPREPLY < <(ispdns __complete \"${words[@]}\" "
	     "2> /dev/null)\n"
	     "}\n"
	     "complete -o default -F _ispdns ispdns");
	return CLI_OK;
}
