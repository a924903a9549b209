/* SPDX-License-Identifier: ISC */
/* ispdns: the command line of the platform. */
#include "mgmt/cli/cli.h"

#include <signal.h>

static int help(const struct cli *cli, const char *topic)
{
	struct text text;
	bool found;

	text_init(&text);
	if (!*topic)
		text_add(&text, "ispdns NOUN VERB [ARGUMENT ...] [OPTION ...]"
				"\n\n");
	found = command_help(topic, &text);
	if (found)
		fputs(text.data, stdout);
	text_fini(&text);
	return found ? CLI_OK
		     : cli_fail(cli, CLI_USAGE, "no command '%s'", topic);
}

/* The words behind "help" as one topic. */
static int help_words(const struct cli *cli, const json_t *args)
{
	const json_t *words = json_object_get(args, "words");
	struct text topic;
	json_t *word;
	size_t i;
	int rc;

	text_init(&topic);
	json_array_foreach(words, i, word)
		text_add(&topic, "%s%s", i ? " " : "", json_string_value(word));
	rc = help(cli, topic.data);
	text_fini(&topic);
	return rc;
}

static int run_plain(struct cli *cli, json_t *args)
{
	json_t *result;
	int rc = call_or_say(cli, cli->command->verb, args, &result, NULL);

	if (rc == CLI_OK)
		show_result(cli, result);
	json_decref(result);
	return rc;
}

static int run(struct cli *cli, json_t *args)
{
	const struct command *c = cli->command;
	struct err err = {""};
	int rc;

	if (cli->help || !c)
		return help(cli, c ? c->words : "");
	if (strcmp(c->words, "help") == 0)
		return help_words(cli, args);
	rc = context_load(cli, &err);
	if (rc != CLI_OK)
		return cli_fail(cli, rc, "%s", err.text);
	return c->run ? c->run(cli, args) : run_plain(cli, args);
}

/* An empty variable is as good as none. */
static const char *env(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

int main(int argc, char **argv)
{
	struct cli cli = {.wait_s = 60, .timeout_ms = 30000};
	struct err err = {""};
	json_t *args;
	int rc;

	signal(SIGPIPE, SIG_IGN);
	cli.socket = env("ISPDNS_SOCKET");
	cli.server = env("ISPDNS_SERVER");
	cli.token = env("ISPDNS_TOKEN");
	cli.ca_pin = env("ISPDNS_CA_PIN");
	cli.context = env("ISPDNS_CONTEXT");
	rc = command_parse(&cli, argc - 1, argv + 1, &args, &err);
	if (rc != CLI_OK)
		rc = cli_fail(&cli, rc, "%s", err.text);
	else
		rc = run(&cli, args);
	json_decref(args);
	for (size_t i = 0; i < countof(cli.owned); i++)
		free(cli.owned[i]);
	if (fflush(stdout) != 0 && rc == CLI_OK)
		rc = CLI_FAIL;
	return rc;
}
