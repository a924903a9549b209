/* SPDX-License-Identifier: ISC */
/*
 * The files of a node, and the manifest that lists them with their digests
 * and with what the node must prove by query before it says "applied".
 */

#include "mgmt/revision.h"

#include <errno.h>

#include "common/base/digest.h"
#include "common/net/addr.h"
#include "mgmt/model.h"
#include "mgmt/render.h"

#define HEALTH_NAME "health.ispdns.invalid."
#define PROVE_ZONES 64 /* with up to so many zones all are proven */

static int file_add(
	json_t *files, const char *key, struct text *text, struct err *err)
{
	int rc = 0;

	if (text->failed ||
		json_object_set_new(files, key,
			json_stringn_nocheck(text->data, text->len)))
		rc = err_fail(err, -ENOMEM, "%s: too big", key);
	text_fini(text);
	return rc;
}

static int resolver_files(const json_t *doc, json_t *files)
{
	const json_t *r = model_single(doc, "resolver");

	if (*row_str(r, "root_hints_text"))
		json_object_set(files, "root.hints",
			json_object_get(r, "root_hints_text"));
	if (*row_str(r, "trust_anchor_text"))
		json_object_set(files, "root.key",
			json_object_get(r, "trust_anchor_text"));
	return 0;
}

int revision_files(
	const json_t *doc, const json_t *node, json_t **files, struct err *err)
{
	json_t *out = json_object();
	struct text text;
	int rc = 0;

	text_init(&text);
	if (node_has_role(node, "frontend")) {
		render_frontend(&text, doc, node);
		rc = file_add(out, "frontend.yaml", &text, err);
	}
	if (!rc && node_has_role(node, "resolver")) {
		render_resolver(&text, doc, node);
		rc = file_add(out, "resolver.yaml", &text, err);
		if (!rc)
			rc = resolver_files(doc, out);
	}
	if (!rc && node_has_role(node, "authority")) {
		rc = render_authority(&text, doc, node, err);
		if (!rc)
			rc = file_add(out, "authority.yaml", &text, err);
	}
	if (!rc && node_has_role(node, "ha")) {
		render_ha(&text, doc, node);
		rc = file_add(out, "ha.yaml", &text, err);
	}
	text_fini(&text);
	if (rc)
		json_decref(out);
	else
		*files = out;
	return rc;
}

static int items_of(const json_t *doc, const json_t *node, const json_t *files,
	json_t *items)
{
	char hex[DIGEST_HEX], key[RENDER_KEY];
	const char *name;
	size_t i;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)files, name, value) {
		digest_hex(json_string_value(value), json_string_length(value),
			hex);
		json_array_append_new(items,
			json_pack("{s:s, s:s, s:s, s:I}", "key", name, "kind",
				strstr(name, ".yaml") ? "config" : "file",
				"sha256", hex, "size",
				(json_int_t)json_string_length(value)));
	}
	if (!node_has_role(node, "authority"))
		return 0;
	json_array_foreach(model_rows(doc, "zones"), i, value) {
		if (render_zone_key(row_str(value, "zone"), key, sizeof(key)))
			return -EINVAL;
		json_array_append_new(items,
			json_pack("{s:s, s:s, s:s, s:I}", "key", key, "kind",
				"zone", "sha256", row_str(value, "sha256"),
				"size", (json_int_t)row_int(value, "size")));
	}
	return 0;
}

static int by_key(const void *a, const void *b)
{
	const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;

	return strcmp(row_str(x, "key"), row_str(y, "key"));
}

static json_t *sorted(json_t *items)
{
	size_t n = json_array_size(items);
	json_t **v = calloc(n + 1, sizeof(*v));
	json_t *out = json_array();

	for (size_t i = 0; v && i < n; i++)
		v[i] = json_array_get(items, i);
	if (v)
		qsort(v, n, sizeof(*v), by_key);
	for (size_t i = 0; v && i < n; i++)
		json_array_append(out, v[i]);
	free(v);
	json_decref(items);
	return out;
}

/* The first address that a part listens on, to ask it from the node. */
static void ask_at(const json_t *node, const char *part, char out[ADDR_TEXT])
{
	json_t *list = node_listen(node, part);
	union addr a;

	snprintf(out, ADDR_TEXT, "127.0.0.1:53");
	if (!addr_parse(json_string_value(json_array_get(list, 0)), 53, &a)) {
		uint16_t port = addr_port(&a);

		if (addr_is_any(&a))
			snprintf(out, ADDR_TEXT, "127.0.0.1:%u", port);
		else
			addr_print(&a, out);
	}
	json_decref(list);
}

static void prove_answer(json_t *prove, const json_t *node, const char *part,
	const char *kind, const char *name)
{
	char at[ADDR_TEXT];

	if (!node_has_role(node, part))
		return;
	ask_at(node, part, at);
	json_array_append_new(
		prove, json_pack("{s:s, s:s, s:s, s:s}", "kind", kind, "name",
			       name, "type", "A", "at", at));
}

static json_t *prove_of(
	const json_t *doc, const json_t *node, const json_t *changed)
{
	const json_t *zones = model_rows(doc, "zones");
	bool all = json_array_size(zones) <= PROVE_ZONES;
	json_t *prove = json_array();
	char at[ADDR_TEXT];
	size_t i;
	json_t *z;

	prove_answer(prove, node, "resolver", "answer", "localhost.");
	prove_answer(prove, node, "frontend", "reply", HEALTH_NAME);
	if (!node_has_role(node, "authority"))
		return prove;
	ask_at(node, "authority", at);
	json_array_foreach(zones, i, z)
		if (all || json_object_get(changed, row_str(z, "zone")))
			json_array_append_new(prove,
				json_pack("{s:s, s:s, s:I, s:s}", "kind", "soa",
					"name", row_str(z, "zone"), "serial",
					(json_int_t)row_int(z, "serial"), "at",
					at));
	return prove;
}

int revision_manifest(const json_t *doc, const json_t *node,
	const json_t *files, const json_t *changed,
	const struct revision_id *id, char **manifest, struct err *err)
{
	json_t *items = json_array(), *all;

	if (items_of(doc, node, files, items)) {
		json_decref(items);
		return err_fail(err, -EINVAL, "node %s: a zone has no name",
			row_str(node, "node"));
	}
	all = json_pack("{s:I, s:I, s:I, s:i, s:s, s:o, s:o}", "epoch",
		(json_int_t)id->epoch, "generation", (json_int_t)id->generation,
		"parent", (json_int_t)id->parent, "min_proto", 1, "node",
		row_str(node, "node"), "items", sorted(items), "prove",
		prove_of(doc, node, changed));
	*manifest = json_canonical(all);
	json_decref(all);
	return *manifest ? 0 : err_fail(err, -ENOMEM, "no memory");
}
