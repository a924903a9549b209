/* SPDX-License-Identifier: ISC */
/* One API call: over the unix socket, or over TLS with a token. */
#include "mgmt/cli/cli.h"

#include "common/ctl/conf.h"
#include "common/net/http.h"
#include "common/net/resolve.h"
#include "common/net/tls.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
	const char *code;
	int exit;
} codes[] = {
	{"usage", CLI_USAGE},
	{"invalid", CLI_INVALID},
	{"not_found", CLI_NOT_FOUND},
	{"conflict", CLI_CONFLICT},
	{"denied", CLI_DENIED},
	{"unavailable", CLI_UNREACHABLE},
	{"internal", CLI_FAIL},
};

static const char *code_name(int exit_code)
{
	for (size_t i = 0; i < countof(codes); i++)
		if (codes[i].exit == exit_code)
			return codes[i].code;
	return "error";
}

int cli_fail(const struct cli *cli, int code, const char *fmt, ...)
{
	char text[1024];
	json_t *json;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(stderr, "ispdns: %s\n", text);
	if (cli->json) {
		json = json_pack("{s:b,s:s,s:s}", "ok", 0, "code",
			code_name(code), "error", text);
		show_json(json);
		json_decref(json);
	}
	return code;
}

int call_decode(int status, const char *body, size_t len, json_t **result,
	long long *changes, struct err *err)
{
	json_error_t why;
	json_t *root = json_loadb(body, len, JSON_REJECT_DUPLICATES, &why);
	const char *code, *text;
	int rc = CLI_FAIL;

	*result = NULL;
	if (json_is_true(json_object_get(root, "ok"))) {
		*result = json_incref(json_object_get(root, "result"));
		if (!*result)
			*result = json_null();
		if (changes)
			*changes = json_integer_value(
				json_object_get(root, "changes"));
		rc = CLI_OK;
	} else if (json_unpack(root, "{s:s,s:s}", "code", &code, "error",
			   &text) == 0) {
		err_set(err, "%s", text);
		for (size_t i = 0; i < countof(codes); i++)
			if (strcmp(code, codes[i].code) == 0)
				rc = codes[i].exit;
	} else if (status == 401 || status == 403) {
		err_set(err, "management says: not allowed (HTTP %d)", status);
		rc = CLI_DENIED;
	} else {
		err_set(err, "management's answer is not understood (HTTP %d)",
			status);
	}
	json_decref(root);
	return rc;
}

/* ---- where management is ---- */

static const struct schema_item context_schema[] = {
	{.name = "server", .type = SCHEMA_STRING, .help = "HOST:PORT"},
	{.name = "token", .type = SCHEMA_STRING, .help = "bearer token"},
	{.name = "ca_pin",
		.type = SCHEMA_STRING,
		.help = "sha256 of the authority's public key"},
	{.name = "socket", .type = SCHEMA_PATH, .help = "unix socket instead"},
	{.type = SCHEMA_END},
};

static void fill(const struct conf *conf, const char *key, const char **into,
	char **owned)
{
	const char *value = conf_get_str(conf_root(conf), key);

	if (*into || !value)
		return;
	*owned = strdup(value);
	*into = *owned;
}

int context_load(struct cli *cli, struct err *err)
{
	const char *home = getenv("HOME"), *path = cli->context;
	char by_default[4096];
	struct conf *conf;
	struct stat st;

	if (cli->socket || (cli->server && cli->token))
		return CLI_OK;
	if (!path) {
		if (!home)
			return CLI_OK;
		snprintf(by_default, sizeof(by_default),
			"%s/.config/ispdns/config.yaml", home);
		if (access(by_default, F_OK) < 0)
			return CLI_OK;
		path = by_default;
	}
	if (stat(path, &st) == 0 && st.st_mode & 077) {
		err_set(err, "%s: others can read it: chmod 600", path);
		return CLI_DENIED;
	}
	conf = conf_read(path, context_schema, err);
	if (!conf)
		return CLI_INVALID;
	fill(conf, "server", &cli->server, &cli->owned[0]);
	fill(conf, "token", &cli->token, &cli->owned[1]);
	fill(conf, "ca_pin", &cli->ca_pin, &cli->owned[2]);
	conf_free(conf);
	return CLI_OK;
}

/* ---- the call ---- */

static int target_tls(
	const struct cli *cli, struct http_target *target, struct err *err)
{
	int rc;

	if (!cli->token) {
		err_set(err, "--server needs --token (or a context file)");
		return CLI_USAGE;
	}
	if (!cli->ca_pin) {
		err_set(err, "--server needs --ca-pin (or a context file)");
		return CLI_USAGE;
	}
	rc = resolve_host(cli->server, 8444, &target->addr, err);
	if (rc < 0)
		return rc == -EINVAL ? CLI_USAGE : CLI_UNREACHABLE;
	target->tls = tls_client(NULL, NULL, NULL, cli->ca_pin, err);
	target->bearer = cli->token;
	return target->tls ? CLI_OK : CLI_USAGE;
}

static char *encode(
	const struct cli *cli, const char *verb, json_t *args, bool dry_run)
{
	json_t *call = json_pack("{s:s,s:O,s:b}", "verb", verb, "args", args,
		"dry_run", dry_run);
	char *body;

	if (call && cli->message)
		json_object_set_new(call, "message", json_string(cli->message));
	body = call ? json_dumps(call, JSON_COMPACT) : NULL;
	json_decref(call);
	return body;
}

static int send_call(const struct cli *cli, const char *body,
	struct http_reply *reply, struct err *err)
{
	struct http_target target = {.timeout_ms = cli->timeout_ms};
	const char *path = cli->socket ? cli->socket : CLI_SOCKET;
	int rc = CLI_OK, sent;

	if (cli->server && !cli->socket)
		rc = target_tls(cli, &target, err);
	else
		target.unix_path = path;
	if (rc == CLI_OK) {
		sent = http_call(&target, "POST", "/api/v1/call", body,
			strlen(body), CLI_BODY_MAX, reply, err);
		if (sent < 0) {
			err_prefix(err, "management is not reachable at %s",
				target.unix_path ? path : cli->server);
			rc = sent == -EACCES ? CLI_DENIED : CLI_UNREACHABLE;
		}
	}
	tls_free(target.tls);
	return rc;
}

int call_api(const struct cli *cli, const char *verb, json_t *args,
	bool dry_run, json_t **result, long long *changes, struct err *err)
{
	struct http_reply reply = {0};
	char *body = encode(cli, verb, args, dry_run);
	int rc;

	*result = NULL;
	if (!body) {
		err_set(err, "out of memory");
		return CLI_FAIL;
	}
	rc = send_call(cli, body, &reply, err);
	if (rc == CLI_OK)
		rc = call_decode(reply.status, reply.body, reply.body_len,
			result, changes, err);
	http_reply_fini(&reply);
	free(body);
	return rc;
}

int call_or_say(const struct cli *cli, const char *verb, json_t *args,
	json_t **result, long long *changes)
{
	struct err err = {""};
	int rc = call_api(cli, verb, args, cli->dry_run, result, changes, &err);

	if (rc != CLI_OK)
		cli_fail(cli, rc, "%s", err.text);
	return rc;
}
