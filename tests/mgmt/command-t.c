/* SPDX-License-Identifier: ISC */
/*
 * The table of verbs: rights by role for every verb, the documentation in
 * API.md, requests that are malformed, dry runs that leave the database as it
 * is.
 */

#include "mgmt/command.h"

#include <errno.h>
#include <unistd.h>

#include "common/ctl/file.h"
#include "tests/tap/tap.h"

static struct mgmt m;
static char dir[64];
static char got[32]; /* code of the last answer, "ok" */
static char got_error[256];

static void on_done(struct call *call, const char *code, const json_t *result,
	const char *error)
{
	(void)call;
	(void)result;
	snprintf(got, sizeof(got), "%s", code ? code : "ok");
	snprintf(got_error, sizeof(got_error), "%s", error ? error : "");
}

static void run(unsigned rights, const char *body)
{
	struct call *call = calloc(1, sizeof(*call));

	call->m = &m;
	call->done = on_done;
	call->rights = rights;
	snprintf(call->actor, sizeof(call->actor), "tester");
	snprintf(call->src, sizeof(call->src), "here");
	snprintf(got, sizeof(got), "none");
	command_run(call, body, strlen(body));
}

static const struct command_def *table(size_t i)
{
	switch (i) {
	case 0:
		return api_zone_commands();
	case 1:
		return api_model_commands();
	case 2:
		return api_policy_commands();
	case 3:
		return api_node_commands();
	case 4:
		return api_change_commands();
	case 5:
		return api_rule_commands();
	}
	return NULL;
}

static void test_verb(const struct command_def *c, const char *api)
{
	char body[128], name[64];
	const char *dot = strchr(c->verb, '.');

	snprintf(body, sizeof(body), "{\"verb\":\"%s\",\"args\":{\"?\":1}}",
		c->verb);
	run(role_rights("viewer"), body);
	if (c->rights & RIGHT_VIEW)
		is_string(got, "usage", "%s: a viewer may ask", c->verb);
	else
		is_string(got, "denied", "%s: not for a viewer", c->verb);
	ok(!(c->flags & CALL_WRITE) || !(c->rights & RIGHT_VIEW),
		"%s: what changes is not for viewers", c->verb);
	run(RIGHT_JOIN, body);
	ok(!strcmp(got, "denied") == !!strcmp(c->verb, "node.join"),
		"%s: with a join token: %s", c->verb, got);
	run(role_rights("zone-editor"), body);
	ok(!(c->rights & RIGHT_ADMIN) || (c->rights & RIGHT_ZONE) ||
			(c->rights & RIGHT_VIEW) || !strcmp(got, "denied"),
		"%s: zone-editor: %s", c->verb, got);
	run(RIGHT_LOCAL, body);
	is_string(got, "usage", "%s: an unknown argument is refused", c->verb);
	snprintf(name, sizeof(name), "%s", c->verb);
	ok(strstr(api, name) != NULL || (dot && strstr(api, dot + 1)),
		"%s: is in API.md", c->verb);
}

static void test_table(void)
{
	char path[512], *api = NULL;
	const char *src = getenv("ISPDNS_SRCDIR");
	const struct command_def *c;
	struct err err = {""};
	size_t len;

	snprintf(path, sizeof(path), "%s/mgmt/API.md", src ? src : ".");
	if (file_read(path, 1 << 20, &api, &len, &err))
		tap_bail("%s", err.text);
	for (size_t i = 0; (c = table(i)) != NULL; i++)
		for (; c->verb; c++)
			test_verb(c, api);
	free(api);
}

static void test_requests(void)
{
	static const struct {
		const char *body, *code;
	} cases[] = {
		{"", "usage"},
		{"{", "usage"},
		{"[]", "usage"},
		{"{}", "usage"},
		{"{\"verb\":5}", "usage"},
		{"{\"verb\":\"status\",\"args\":[]}", "usage"},
		{"{\"verb\":\"status\",\"args\":5}", "usage"},
		{"{\"verb\":\"status\",\"dry_run\":\"yes\"}", "usage"},
		{"{\"verb\":\"status\",\"extra\":1}", "usage"},
		{"{\"verb\":\"status\"} x", "usage"},
		{"{\"verb\":\"status\",\"verb\":\"diff\"}", "usage"},
		{"{\"verb\":\"nothing\"}", "usage"},
		{"{\"verb\":\"\"}", "usage"},
		{"{\"verb\":\"status\"}", "ok"},
		{"{\"verb\":\"import.plan\",\"args\":{\"calls\":[{\"verb\":"
		 "\"import.plan\",\"args\":{\"calls\":[]}}]}}",
			"usage"},
		{"{\"verb\":\"import.plan\",\"args\":{\"calls\":[{\"verb\":"
		 "\"status\",\"args\":{}}]}}",
			"usage"},
		{"{\"verb\":\"generation.wait\",\"args\":{\"generation\":9}}",
			"not_found"},
		{"{\"verb\":\"rollback\"}", "not_found"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		run(RIGHT_LOCAL, cases[i].body);
		is_string(got, cases[i].code, "%s (%s)", cases[i].body,
			got_error);
		ok(!strchr(got_error, '\n'), "in one line");
	}
	/* a plan does not give rights that the caller has not */
	run(role_rights("operator"),
		"{\"verb\":\"import.plan\",\"args\":{\"calls\":[{\"verb\":"
		"\"token.create\",\"args\":{\"name\":\"x\",\"role\":\"admin\"}"
		"}]}}");
	is_string(got, "denied", "a plan gives no rights (%s)", got_error);
}

/* Canonical text of everything that a writer could change. */
static char *everything(void)
{
	json_t *doc = NULL, *all, *audit = NULL, *tokens = NULL;
	struct err err = {""};
	char *text;

	if (store_doc(m.store, &doc, &err) ||
		store_audit_rows(m.store, -1, 1000, &audit, &err) ||
		store_tokens(m.store, &tokens, &err))
		tap_bail("%s", err.text);
	all = json_pack("[o, o, o]", doc, audit, tokens);
	text = json_canonical(all);
	json_decref(all);
	return text;
}

static void test_dry_run(void)
{
	static const char *const calls[] = {
		"\"zone.create\",\"args\":{\"zone\":\"x.test\"}",
		"\"acl.add\",\"args\":{\"prefix\":\"10.0.0.0/8\"}",
		"\"limit.set\",\"args\":{\"qps\":5}",
		"\"pool.create\",\"args\":{\"pool\":\"p\"}",
		"\"node.add\",\"args\":{\"node\":\"n\",\"address\":\"10.0.0."
		"1\","
		"\"roles\":[\"resolver\"]}",
		"\"token.create\",\"args\":{\"name\":\"t\",\"role\":\"admin\"}",
		"\"apply\",\"args\":{}",
		"\"import.plan\",\"args\":{\"calls\":[{\"verb\":\"limit.set\","
		"\"args\":{\"qps\":7}}]}",
	};
	char body[512], *before = everything(), *after;

	/* pki is not there: node.add needs its pin */
	for (size_t i = 0; i < countof(calls); i++) {
		if (strstr(calls[i], "node.add") && !m.pki)
			continue;
		snprintf(body, sizeof(body), "{\"dry_run\":true,\"verb\":%s}",
			calls[i]);
		run(RIGHT_LOCAL, body);
		is_string(got, "ok", "dry run: %s (%s)", calls[i], got_error);
		after = everything();
		is_string(after, before, "leaves no trace");
		free(after);
	}
	free(before);
	is_int(list_empty(fleet_links(push_fleet(m.push))), 1, "no node");
}

/* One who edits zones cannot let others' changes out. */
static void test_zone_editor(void)
{
	unsigned editor = role_rights("zone-editor");

	run(editor,
		"{\"verb\":\"zone.create\",\"args\":{\"zone\":\"e.test\"}}");
	is_string(got, "ok", "creates a zone");
	run(RIGHT_LOCAL, "{\"verb\":\"limit.set\",\"args\":{\"qps\":9}}");
	is_string(got, "ok", "another sets a limit");
	run(editor, "{\"verb\":\"apply\"}");
	is_string(got, "denied", "not both at once: %s", got_error);
	run(RIGHT_LOCAL, "{\"verb\":\"limit.set\",\"args\":{\"qps\":0}}");
	run(editor, "{\"verb\":\"apply\"}");
	is_string(got, "ok", "zones alone: %s", got_error);
}

int main(void)
{
	json_t *names = json_array();
	struct err err = {""};
	char path[96];

	snprintf(dir, sizeof(dir), "/tmp/ispdns-command-t.%d", (int)getpid());
	snprintf(path, sizeof(path), "%s/mgmt.db", dir);
	if (dir_make(dir, 0700, &err))
		tap_bail("%s", err.text);
	m.loop = loop_new();
	m.store = store_open(path, &err);
	m.pki = pki_open(dir, names, &err);
	m.push = m.store && m.pki ? push_new(m.loop, m.store, &err) : NULL;
	m.state = dir;
	if (!m.push)
		tap_bail("%s", err.text);
	test_table();
	test_requests();
	test_dry_run();
	test_zone_editor();
	push_free(m.push);
	pki_free(m.pki);
	store_close(m.store);
	loop_free(m.loop);
	json_decref(names);
	if (dir_remove(dir, NULL))
		tap_diag("%s is left", dir);
	return tap_done();
}
