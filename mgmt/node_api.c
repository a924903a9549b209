/* SPDX-License-Identifier: ISC */
/*
 * A node gets manifests that are its own, and blobs that are named in the
 * manifest it got last; it tells how it goes; it renews its certificate.
 */

#include "mgmt/node_api.h"

#include <errno.h>

#include "common/base/log.h"
#include "mgmt/audit.h"

struct request {
	struct mgmt *m;
	struct link *link;
	const char *rest; /* of the path, behind the prefix */
	const json_t *body;
	struct node_reply *out;
};

static int get_manifest(struct request *r, struct err *err)
{
	struct store *store = r->m->store;
	char hex[DIGEST_HEX], *end;
	long long generation = strtoll(r->rest, &end, 10);
	json_t *manifest, *item;
	size_t i;
	int rc;

	if (*end || end == r->rest || generation < 1)
		return err_fail(err, -EINVAL, "not a generation's number");
	rc = store_manifest(store, generation, r->link->name, hex, err);
	if (!rc)
		rc = store_blob(store, hex, &r->out->data, &r->out->len, err);
	if (rc)
		return rc;
	manifest = json_loadb(r->out->data, r->out->len, 0, NULL);
	json_decref(r->link->blobs);
	r->link->blobs = json_object();
	json_array_foreach(json_object_get(manifest, "items"), i, item)
		json_object_set_new(
			r->link->blobs, row_str(item, "sha256"), json_true());
	json_decref(manifest);
	return 0;
}

static int get_blob(struct request *r, struct err *err)
{
	if (!json_object_get(r->link->blobs, r->rest))
		return err_fail(err, -ENOENT, "no blob of this node");
	r->out->json = false;
	return store_blob(
		r->m->store, r->rest, &r->out->data, &r->out->len, err);
}

static int post_ack(struct request *r, struct err *err)
{
	return fleet_ack(push_fleet(r->m->push), r->link->name, r->body, err);
}

static int post_status(struct request *r, struct err *err)
{
	return fleet_status(
		push_fleet(r->m->push), r->link->name, r->body, err);
}

static int post_result(struct request *r, struct err *err)
{
	return fleet_result(
		push_fleet(r->m->push), r->link->name, r->body, err);
}

/* In the database before the node has it. */
static int renew_save(struct request *r, const char *serial, int64_t not_after,
	struct err *err)
{
	struct audit_entry entry = {.actor = r->link->name,
		.src = "node",
		.verb = "node.renew",
		.object = r->link->name};
	struct store *store = r->m->store;
	int rc = store_begin(store, err);

	if (rc)
		return rc;
	rc = store_cert_add(store, serial, r->link->name, not_after, err);
	if (!rc)
		rc = audit_add(store, &entry, err);
	if (!rc)
		return store_commit(store, err);
	store_rollback(store);
	return rc;
}

static int post_renew(struct request *r, struct err *err)
{
	char serial[PKI_SERIAL], *cert = NULL;
	const char *csr = NULL;
	int64_t not_after = 0;
	json_t *answer;
	int rc = arg_text(r->body, "csr_pem", &csr, err);

	if (!rc)
		rc = pki_sign(r->m->pki, csr, r->link->name, &cert, serial,
			&not_after, err);
	if (!rc)
		rc = renew_save(r, serial, not_after, err);
	if (!rc) {
		answer = json_pack("{s:s, s:s}", "cert_pem", cert, "ca_pem",
			pki_ca_pem(r->m->pki));
		r->out->data = json_canonical(answer);
		json_decref(answer);
	}
	free(cert);
	return rc;
}

static const struct {
	const char *path; /* ends with '/': something follows */
	bool post;
	int (*run)(struct request *r, struct err *err);
} routes[] = {
	{"/node/v1/manifest/", false, get_manifest},
	{"/node/v1/blob/", false, get_blob},
	{"/node/v1/ack", true, post_ack},
	{"/node/v1/status", true, post_status},
	{"/node/v1/result", true, post_result},
	{"/node/v1/renew", true, post_renew},
};

static int route(
	struct request *r, const char *path, bool post, struct err *err)
{
	for (size_t i = 0; i < countof(routes); i++) {
		size_t n = strlen(routes[i].path);
		bool open = routes[i].path[n - 1] == '/';

		if (routes[i].post != post ||
			strncmp(path, routes[i].path, n) || (!open && path[n]))
			continue;
		r->rest = path + n;
		return routes[i].run(r, err);
	}
	return err_fail(err, -ENOENT, "no such request");
}

static int status_of(int rc)
{
	switch (-rc) {
	case 0:
		return 200;
	case ENOENT:
		return 404;
	case EBADR:
	case EINVAL:
		return 400;
	}
	return 500;
}

static void reply_error(struct node_reply *out, const char *text)
{
	json_t *answer = json_pack("{s:b, s:s}", "ok", 0, "error", text);

	free(out->data);
	out->json = true;
	out->data = json_canonical(answer);
	json_decref(answer);
}

void node_request(struct mgmt *m, const char *node, bool post, const char *path,
	const char *body, size_t len, struct node_reply *out)
{
	struct request r = {.m = m, .out = out};
	struct err err = {""};
	json_t *parsed = NULL;
	int rc = 0;

	*out = (struct node_reply){.json = true};
	r.link = fleet_find(push_fleet(m->push), node);
	if (post) {
		parsed = json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL);
		if (!json_is_object(parsed))
			rc = err_fail(&err, -EBADR, "body: not a JSON object");
	}
	r.body = parsed;
	if (!r.link)
		rc = err_fail(&err, -ENOENT, "node %s: is not known", node);
	if (!rc)
		rc = route(&r, path, post, &err);
	if (rc)
		reply_error(out, err.text);
	else if (!out->data)
		out->data = strdup("{\"ok\":true}");
	if (out->data && !out->len)
		out->len = strlen(out->data);
	out->status = status_of(rc);
	json_decref(parsed);
}
