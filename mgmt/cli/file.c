/* SPDX-License-Identifier: ISC */
/* Commands that read files here: zone import, zone check, import. */
#include "mgmt/cli/cli.h"
#include "mgmt/cli/import.h"
#include "mgmt/cli/mend.h"

#include "common/ctl/file.h"
#include "common/zone/zone.h"

#include <errno.h>
#include <unistd.h>

/* ---- zones ---- */

static int read_input(
	const char *path, char **text, size_t *len, struct err *err)
{
	char chunk[4096];
	struct text in;
	ssize_t n;

	if (strcmp(path, "-") != 0)
		return file_read(path, 256U << 20, text, len, err);
	text_init(&in);
	while ((n = read(0, chunk, sizeof(chunk))) > 0)
		text_add_bytes(&in, chunk, (size_t)n);
	*len = in.len;
	*text = text_take(&in);
	return 0;
}

static struct zone *parse_zone(const char *origin, const char *path,
	const char *text, size_t len, struct zone_report *report)
{
	struct zone_read_options options = {.origin = origin};
	char *folder = strdup(path), *slash;
	struct zone *zone;

	if (!folder)
		return NULL;
	slash = strrchr(folder, '/');
	if (slash)
		*slash = '\0';
	options.include_dir = slash ? folder : ".";
	zone = zone_read_text(text, len, path, &options, report);
	if (zone)
		(void)zone_check(zone, NULL, report);
	free(folder);
	return zone;
}

/* Read and check; problems go to stderr. NULL when it cannot be served. */
static struct zone *load_zone(struct cli *cli, const char *origin,
	const char *path, json_t *warnings, int *code)
{
	struct zone_report report;
	struct zone *zone = NULL;
	struct err err = {""};
	char *text = NULL;
	size_t len = 0;

	*code = CLI_INVALID;
	zone_report_init(&report);
	if (read_input(path, &text, &len, &err) < 0) {
		*code = cli_fail(cli, CLI_NOT_FOUND, "%s", err.text);
		goto out;
	}
	zone = parse_zone(origin, path, text, len, &report);
	for (size_t i = 0; i < report.count; i++) {
		fprintf(stderr, "%s: %s\n",
			report.items[i].severity == ZONE_ERROR ? "error"
							       : "warning",
			report.items[i].text);
		json_array_append_new(
			warnings, json_string(report.items[i].text));
	}
	if (report.errors > 0 || !zone) {
		zone_free(zone);
		zone = NULL;
		*code = cli_fail(cli, CLI_INVALID,
			"%s: zone %s has %zu error(s), nothing changed", path,
			origin, report.errors);
	}
out:
	free(text);
	zone_report_fini(&report);
	return zone;
}

int run_zone_check(struct cli *cli, json_t *args)
{
	const char *origin = "", *path = "";
	json_t *warnings = json_array(), *result;
	struct zone *zone;
	int code;

	(void)json_unpack(args, "{s:s,s:s}", "zone", &origin, "path", &path);
	zone = load_zone(cli, origin, path, warnings, &code);
	if (zone) {
		result = json_pack("{s:s,s:I,s:O}", "zone", zone_origin(zone),
			"records", (json_int_t)zone_count(zone), "warnings",
			warnings);
		if (cli->json)
			show_json(result);
		else
			printf("%s: ok, %zu records\n", zone_origin(zone),
				zone_count(zone));
		json_decref(result);
		code = CLI_OK;
	}
	json_decref(warnings);
	zone_free(zone);
	return code;
}

int run_zone_import(struct cli *cli, json_t *args)
{
	const char *origin = "", *path = NULL;
	json_t *warnings = json_array(), *call, *result = NULL;
	struct zone *zone;
	struct text text;
	int code;

	(void)json_unpack(args, "{s:s,s?s}", "zone", &origin, "path", &path);
	zone = load_zone(cli, origin, path ? path : "-", warnings, &code);
	json_decref(warnings);
	if (!zone)
		return code;
	text_init(&text);
	zone_print(zone, &text);
	call = json_pack(
		"{s:s,s:s}", "zone", zone_origin(zone), "text", text.data);
	code = call_or_say(cli, "zone.import", call, &result, NULL);
	if (code == CLI_OK)
		show_result(cli, result);
	json_decref(call);
	json_decref(result);
	text_fini(&text);
	zone_free(zone);
	return code;
}

/* ---- foreign configuration ---- */

static int import_read(struct cli *cli, struct import *im, json_t *args)
{
	const char *path = json_string_value(json_object_get(args, "path"));
	const char *kind = cli->command->verb;
	struct err err = {""};
	int rc;

	if (strcmp(kind, "dnsdist") == 0)
		rc = import_dnsdist(im, path, &err);
	else if (strcmp(kind, "bind") == 0)
		rc = import_bind(im, path, &err);
	else
		rc = import_keepalived(im, path, &err);
	if (rc == -ENOENT || rc == -EACCES)
		return cli_fail(cli, CLI_NOT_FOUND, "%s", err.text);
	return rc < 0 ? cli_fail(cli, CLI_FAIL, "%s", err.text) : CLI_OK;
}

/* How much of the file it was. */
static void import_print_count(const struct import *im)
{
	if (im->imported + im->not_needed + im->not_imported > 0)
		printf("statements: %u imported, %u not needed, %u not "
		       "imported\n",
			im->imported, im->not_needed, im->not_imported);
}

/* The exit status when all went well but what could not be imported. */
static int import_code(const struct import *im)
{
	return im->not_imported > 0 ? CLI_NOT_IMPORTED : CLI_OK;
}

static int import_send(struct cli *cli, const struct import *im)
{
	json_t *result = NULL, *report = import_json(im), *call;
	long long changes = 0;
	int rc;

	call = json_pack("{s:s,s:{s:O}}", "kind", cli->command->verb, "model",
		"calls", im->calls);
	json_object_set(call, "calls", im->calls);
	rc = call_or_say(cli, "import.plan", call, &result, &changes);
	if (rc == CLI_OK && cli->json) {
		json_object_set(report, "result", result);
		show_json(report);
	} else if (rc == CLI_OK) {
		import_print_count(im);
		printf("%zu settings imported, %u warning(s); %lld change(s) "
		       "wait for `ispdns apply`\n",
			json_array_size(im->calls), im->warnings, changes);
	}
	json_decref(call);
	json_decref(result);
	json_decref(report);
	return rc == CLI_OK ? import_code(im) : rc;
}

static int import_show(struct cli *cli, const struct import *im)
{
	json_t *report = import_json(im);
	struct text text;

	text_init(&text);
	import_print_calls(im, &text);
	if (cli->json)
		show_json(report);
	else
		fputs(text.data, stdout);
	text_fini(&text);
	json_decref(report);
	return im->errors > 0 ? CLI_INVALID : import_code(im);
}

int run_import(struct cli *cli, json_t *args)
{
	bool partial = json_is_true(json_object_get(args, "partial"));
	struct import im;
	struct text notes;
	int rc;

	if (import_init(&im, json_string_value(json_object_get(args, "node"))) <
		0)
		return cli_fail(cli, CLI_FAIL, "out of memory");
	rc = import_read(cli, &im, args);
	if (rc == CLI_OK) {
		text_init(&notes);
		import_print_notes(&im, &notes);
		fputs(notes.data, stderr);
		text_fini(&notes);
		if (cli->dry_run)
			rc = import_show(cli, &im);
		else if (im.errors > 0)
			rc = cli_fail(cli, CLI_INVALID,
				"%u error(s): nothing was imported", im.errors);
		else if (im.not_imported > 0 && !partial)
			rc = cli_fail(cli, CLI_NOT_IMPORTED,
				"%u statement(s) cannot be imported, so "
				"nothing "
				"was; --partial imports the rest",
				im.not_imported);
		else
			rc = import_send(cli, &im);
	}
	import_fini(&im);
	return rc;
}
