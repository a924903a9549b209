/* SPDX-License-Identifier: ISC */
/* Commands whose words need a little work before the call. */
#include "mgmt/cli/cli.h"

#include "config.h"

#include <errno.h>
#include <strings.h>
#include <unistd.h>

#ifndef ISPDNS_PKGDATA_DIR
#define ISPDNS_PKGDATA_DIR "/usr/share/ispdns"
#endif

static int call_and_show(struct cli *cli, const char *verb, json_t *args)
{
	json_t *result;
	int rc = call_or_say(cli, verb, args, &result, NULL);

	if (rc == CLI_OK)
		show_result(cli, result);
	json_decref(result);
	return rc;
}

int run_status(struct cli *cli, json_t *args)
{
	json_t *result;
	struct text out;
	int rc = call_or_say(cli, "status", args, &result, NULL);

	if (rc != CLI_OK)
		return rc;
	if (cli->json) {
		show_json(result);
	} else {
		text_init(&out);
		show_status(result, &out);
		fputs(out.data, stdout);
		text_fini(&out);
	}
	json_decref(result);
	return CLI_OK;
}

/* Types whose rdata is several words: "MX 10 mail" is one record. */
static bool many_words(const char *type)
{
	static const char *const types[] = {"MX", "SRV", "SOA", "CAA", "NAPTR",
		"TLSA", "SSHFP", "DS", "DNSKEY", "SVCB", "HTTPS", "HINFO", "RP",
		"AFSDB", "LOC"};

	for (size_t i = 0; i < countof(types); i++)
		if (strcasecmp(type, types[i]) == 0)
			return true;
	return false;
}

/* Join the words to one rdata when none of them is a whole one already. */
static void join_words(json_t *args)
{
	json_t *data = json_object_get(args, "data"), *word;
	struct text text;
	size_t i;

	json_array_foreach(data, i, word)
		if (strchr(json_string_value(word), ' '))
			return;
	text_init(&text);
	json_array_foreach(data, i, word)
		text_add(&text, "%s%s", i ? " " : "", json_string_value(word));
	json_array_clear(data);
	json_array_append_new(data, json_string(text.data));
	text_fini(&text);
}

int run_record(struct cli *cli, json_t *args)
{
	const char *type = json_string_value(json_object_get(args, "type"));

	if (json_object_get(args, "data") && many_words(type))
		join_words(args);
	return call_and_show(cli, cli->command->verb, args);
}

int run_acl(struct cli *cli, json_t *args)
{
	if (!json_object_get(args, "list"))
		json_object_set_new(args, "list", json_string("clients"));
	if (json_is_true(json_object_get(args, "deny")))
		json_object_set_new(args, "action", json_string("deny"));
	json_object_del(args, "deny");
	if (strcmp(cli->command->verb, "acl.add") == 0 &&
		!json_object_get(args, "action"))
		json_object_set_new(args, "action", json_string("allow"));
	return call_and_show(cli, cli->command->verb, args);
}

/* Where the drills are: told, installed, beside this program (a prefix other
 * than configured), or in the tree it was built in. */
static bool find_drill(char *out, size_t size)
{
	static const char *const beside[] = {
		"../share/ispdns/ispdns-drill", "deploy/lab/ispdns-drill"};
	const char *told = getenv("ISPDNS_DRILL");
	char self[2048], *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	snprintf(out, size, "%s",
		told ? told : ISPDNS_PKGDATA_DIR "/ispdns-drill");
	if (told || access(out, X_OK) == 0 || n <= 0)
		return true;
	self[n] = '\0';
	slash = strrchr(self, '/');
	if (slash)
		*slash = '\0';
	for (size_t i = 0; i < countof(beside); i++) {
		snprintf(out, size, "%s/%s", self, beside[i]);
		if (access(out, X_OK) == 0)
			return true;
	}
	return false;
}

/* The drills are a script of the lab and of installations with a client. */
int run_drill(struct cli *cli, json_t *args)
{
	char path[4096], *argv[64];
	int n = 0;

	(void)args;
	if (!find_drill(path, sizeof(path)))
		return cli_fail(cli, CLI_DRILL,
			"no ispdns-drill here (it comes with the package "
			"ispdns-lab)");
	argv[n++] = path;
	for (int i = 0; i < cli->raw_count && n < 62; i++)
		argv[n++] = cli->raw[i];
	argv[n] = NULL;
	execv(path, argv);
	return cli_fail(cli, CLI_DRILL,
		"%s: %s (drills come with the package ispdns-lab)", path,
		strerror(errno));
}

int run_version(struct cli *cli, json_t *args)
{
	json_t *version = json_pack("{s:s}", "version", PACKAGE_VERSION);

	(void)args;
	if (cli->json)
		show_json(version);
	else
		printf("ispdns %s\n", PACKAGE_VERSION);
	json_decref(version);
	return CLI_OK;
}
