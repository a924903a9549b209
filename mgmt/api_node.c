/* SPDX-License-Identifier: ISC */
/* Verbs on nodes, their credentials, operators' tokens, and commands that go
 * to a node's daemons. */

#include "mgmt/command.h"

#include <errno.h>

#include "common/base/clock.h"
#include "common/base/hash.h"

#define JOIN_S 1800

static const struct {
	const char *name;
	unsigned rights;
} roles[] = {
	{"viewer", RIGHT_VIEW},
	{"zone-editor", RIGHT_VIEW | RIGHT_ZONE},
	{"drill", RIGHT_VIEW | RIGHT_DRILL},
	{"operator", RIGHT_VIEW | RIGHT_ZONE | RIGHT_OPERATE | RIGHT_DRILL},
	{"admin", RIGHT_VIEW | RIGHT_ZONE | RIGHT_OPERATE | RIGHT_DRILL |
			  RIGHT_ADMIN},
};

unsigned role_rights(const char *role)
{
	for (size_t i = 0; i < countof(roles); i++)
		if (!strcmp(roles[i].name, role))
			return roles[i].rights;
	return 0;
}

/* "<kind>.<id>.<secret>", and the hash that is kept of it. */
static void token_make(const char *kind, char out[96], char hash[DIGEST_HEX])
{
	uint8_t id[4], secret[16];
	char id_hex[9], secret_hex[33];

	random_bytes(id, sizeof(id));
	random_bytes(secret, sizeof(secret));
	snprintf(out, 96, "%s.%s.%s", kind, hex_print(id, sizeof(id), id_hex),
		hex_print(secret, sizeof(secret), secret_hex));
	digest_hex(out, strlen(out), hash);
}

static int join_make(
	struct call *call, const char *node, json_t **out, struct err *err)
{
	char token[96], hash[DIGEST_HEX];
	struct mgmt *m = call->m;
	int rc;

	token_make("ispdns1", token, hash);
	rc = store_join_add(m->store, hash, node, wall_now_s() + JOIN_S, err);
	if (!rc)
		*out = json_pack("{s:s, s:s, s:i, s:o}", "token", token,
			"ca_pin", pki_pin(m->pki), "expires_s", JOIN_S,
			"command",
			json_sprintf("ispdns join %s --node %s --token %s "
				     "--ca-pin %s",
				m->join_host, node, token, pki_pin(m->pki)));
	return rc;
}

static int node_row(
	struct call *call, const json_t *args, json_t **row, struct err *err)
{
	const char *node;
	json_t *key;
	int rc = arg_text(args, "node", &node, err);

	if (rc)
		return rc;
	key = json_pack("{s:s}", "node", node);
	rc = store_row(call->m->store, model_table("node"), key, row, err);
	json_decref(key);
	return rc;
}

static int node_add(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	const struct model_table *table = model_table("node");
	json_t *row = NULL, *join = NULL;
	int rc = model_row_new(table, args, &row, err);

	if (!rc)
		rc = store_insert(call->m->store, table, row, err);
	if (!rc)
		rc = join_make(call, row_str(row, "node"), &join, err);
	if (!rc)
		*result = json_pack("{s:O, s:O}", "node",
			json_object_get(row, "node"), "join", join);
	call->sync = true;
	json_decref(join);
	json_decref(row);
	return rc;
}

static int node_set(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	const struct model_table *table = model_table("node");
	json_t *row = NULL;
	const char *node;
	int rc = arg_text(args, "node", &node, err);

	if (!rc)
		rc = model_row_change(table, args, &row, err);
	if (!rc)
		rc = store_update(call->m->store, table, row, err);
	json_decref(row);
	call->sync = true;
	return rc ? rc : node_row(call, args, result, err);
}

static int node_delete(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	json_t *row = NULL;
	int rc = arg_only(args, "node", err);

	(void)result;
	if (!rc)
		rc = node_row(call, args, &row, err);
	if (!rc)
		rc = store_cert_revoke(
			call->m->store, row_str(row, "node"), err);
	if (!rc)
		rc = store_delete(
			call->m->store, model_table("node"), row, err);
	call->sync = true;
	json_decref(row);
	return rc;
}

/* Certificates are no longer believed; the node stays in the model. */
static int node_revoke(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	json_t *row = NULL;
	int rc = arg_only(args, "node", err);

	(void)result;
	if (!rc)
		rc = node_row(call, args, &row, err);
	if (!rc)
		rc = store_cert_revoke(
			call->m->store, row_str(row, "node"), err);
	call->sync = true;
	json_decref(row);
	return rc;
}

static int node_token(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	json_t *row = NULL;
	int rc = arg_only(args, "node", err);

	if (!rc)
		rc = node_row(call, args, &row, err);
	if (!rc)
		rc = join_make(call, row_str(row, "node"), result, err);
	json_decref(row);
	return rc;
}

static int sign(struct call *call, const char *node, const char *csr,
	json_t **result, struct err *err)
{
	struct mgmt *m = call->m;
	char serial[PKI_SERIAL], *cert = NULL;
	int64_t not_after = 0;
	int rc = pki_sign(m->pki, csr, node, &cert, serial, &not_after, err);

	if (!rc)
		rc = store_cert_add(m->store, serial, node, not_after, err);
	if (!rc)
		*result = json_pack("{s:s, s:s, s:s}", "cert_pem", cert,
			"ca_pem", pki_ca_pem(m->pki), "serial", serial);
	free(cert);
	return rc;
}

/* With a join token (8444), or for the local root without one. */
static int node_join(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	const char *node, *csr;
	json_t *row = NULL;
	int rc = arg_only(args, "node csr_pem", err);

	if (!rc)
		rc = arg_text(args, "node", &node, err);
	if (!rc)
		rc = arg_text(args, "csr_pem", &csr, err);
	if (!rc && call->bearer_hash[0])
		rc = store_join_use(call->m->store, call->bearer_hash, node,
			wall_now_s(), err);
	if (!rc)
		rc = node_row(call, args, &row, err);
	if (!rc)
		rc = sign(call, node, csr, result, err);
	call->sync = true;
	json_decref(row);
	return rc;
}

/* What the model says of a node, joined with what is seen of it. */
static void node_view(struct call *call, json_t *row)
{
	struct push *push = call->m->push;
	const struct link *link =
		fleet_find(push_fleet(push), row_str(row, "node"));
	json_t *seen = link ? push_node(push, link) : NULL;

	if (seen)
		json_object_update(row, seen);
	json_object_set(row, "name", json_object_get(row, "node"));
	json_decref(seen);
}

static int node_line(struct call *call, json_t *row, struct err *err)
{
	(void)err;
	node_view(call, row);
	json_object_del(row, "parts");
	return 0;
}

static int node_whole(struct call *call, json_t *row, struct err *err)
{
	json_t *certs = NULL;
	int rc = store_certs(call->m->store, row_str(row, "node"), &certs, err);

	node_view(call, row);
	if (certs)
		json_object_set_new(row, "certificates", certs);
	return rc;
}

static int node_list(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	return command_list(call, args, "node", node_line, result, err);
}

static int node_show(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	return command_show(
		call, args, "node", "node", node_whole, result, err);
}

/* ---- commands that travel ---- */

void command_answer(void *arg, bool ok, const json_t *result, const char *error)
{
	struct call *call = arg;
	struct err err = {""};

	if (!ok)
		err_set(&err, "%s", error);
	call_end(call, ok ? 0 : -EHOSTUNREACH,
		json_incref((json_t *)(uintptr_t)result), &err);
}

static bool only_reads(const char *verb)
{
	static const char *const verbs[] = {
		"status", "stats", "config", "show", "events"};

	for (size_t i = 0; i < countof(verbs); i++)
		if (!strcmp(verbs[i], verb))
			return true;
	return false;
}

/* Changes nothing here, so it is written down apart from any transaction. */
static int node_cmd(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	const char *node, *verb, *part;
	const json_t *inner = json_object_get(args, "args");
	int rc = arg_only(args, "node verb part args", err);

	(void)result;
	if (!rc)
		rc = arg_text(args, "node", &node, err);
	if (!rc)
		rc = arg_text(args, "verb", &verb, err);
	if (!rc)
		rc = arg_text(args, "part", &part, err);
	if (!rc && inner && !json_is_object(inner))
		rc = err_fail(err, -EBADR, "\"args\" must be an object");
	if (!rc && call->dry_run)
		return 0;
	if (!rc && !only_reads(verb))
		rc = command_note(call, args, err);
	if (!rc)
		rc = fleet_command(push_fleet(call->m->push), node, part, verb,
			inner, command_answer, call, err);
	return rc ? rc : CALL_LATER;
}

/* ---- operators' tokens ---- */

static int token_create(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	char token[96], hash[DIGEST_HEX];
	const char *name, *role;
	long long expires = 0;
	int rc = arg_only(args, "name role expires_s", err);

	if (!rc)
		rc = arg_text(args, "name", &name, err);
	if (!rc)
		rc = arg_text(args, "role", &role, err);
	if (!rc)
		rc = arg_int(args, "expires_s", 1, 315360000, &expires, err);
	if (!rc && !role_rights(role))
		rc = err_fail(err, -EINVAL,
			"role: \"%.40s\": must be one of viewer, zone-editor, "
			"drill, operator, admin",
			role);
	if (!rc && (!*name || strlen(name) > 63))
		rc = err_fail(err, -EINVAL, "name: 1 to 63 octets");
	if (rc)
		return rc;
	token_make("ispdns-token", token, hash);
	rc = store_token_add(call->m->store, name, hash, role, wall_now_s(),
		expires ? wall_now_s() + expires : 0, err);
	if (!rc)
		*result = json_pack("{s:s, s:s, s:s}", "name", name, "role",
			role, "token", token);
	return rc;
}

static int token_list(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	int rc = arg_only(args, "", err);

	return rc ? rc : store_tokens(call->m->store, result, err);
}

static int token_revoke(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	const char *name;
	int rc = arg_only(args, "name", err);

	(void)result;
	if (!rc)
		rc = arg_text(args, "name", &name, err);
	return rc ? rc : store_token_revoke(call->m->store, name, err);
}

static const struct command_def commands[] = {
	{"node.list", RIGHT_VIEW, 0, node_list, NULL},
	{"node.show", RIGHT_VIEW, 0, node_show, NULL},
	{"node.add", RIGHT_ADMIN, CALL_WRITE, node_add, NULL},
	{"node.set", RIGHT_ADMIN, CALL_WRITE, node_set, NULL},
	{"node.delete", RIGHT_ADMIN, CALL_WRITE, node_delete, NULL},
	{"node.revoke", RIGHT_ADMIN, CALL_WRITE, node_revoke, NULL},
	{"node.token", RIGHT_ADMIN, CALL_WRITE, node_token, NULL},
	{"node.join", RIGHT_JOIN | RIGHT_ADMIN, CALL_WRITE, node_join, NULL},
	{"node.cmd", RIGHT_OPERATE | RIGHT_DRILL, 0, node_cmd, NULL},
	{"token.create", RIGHT_ADMIN, CALL_WRITE, token_create, NULL},
	{"token.list", RIGHT_ADMIN, 0, token_list, NULL},
	{"token.revoke", RIGHT_ADMIN, CALL_WRITE, token_revoke, NULL},
	{NULL, 0, 0, NULL, NULL},
};

const struct command_def *api_node_commands(void)
{
	return commands;
}
