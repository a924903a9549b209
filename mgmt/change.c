/* SPDX-License-Identifier: ISC */
/*
 * Generations. The doc of a generation is kept as canonical JSON; its zones
 * are named by digest, so one whose content is equal is stored once and keeps
 * its serial. Serials only rise: going back to an old content gives the zone
 * a new serial.
 */

#include "mgmt/change.h"

#include <errno.h>

#include "common/base/clock.h"
#include "common/base/digest.h"
#include "mgmt/check.h"
#include "mgmt/diff.h"
#include "mgmt/revision.h"
#include "mgmt/zone.h"

static int doc_of(
	struct store *store, const char *sha256, json_t **doc, struct err *err)
{
	char *data = NULL;
	size_t len = 0;
	int rc = store_blob(store, sha256, &data, &len, err);

	if (!rc && !(*doc = json_loadb(data, len, 0, NULL)))
		rc = err_fail(err, -EIO, "cannot be read");
	if (!rc && (rc = model_complete(*doc, err))) {
		json_decref(*doc);
		*doc = NULL;
	}
	free(data);
	return rc;
}

int change_doc(struct store *store, long long generation, json_t **doc,
	struct err *err)
{
	json_t *gen = NULL;
	int rc = store_gen(store, generation, &gen, err);

	if (rc)
		return rc;
	rc = doc_of(store, row_str(gen, "doc_sha256"), doc, err);
	if (rc)
		err_prefix(err, "generation %lld", generation);
	json_decref(gen);
	return rc;
}

int change_current(struct store *store, json_t **doc, struct err *err)
{
	long long newest = 0;
	int rc = store_gen_newest(store, true, &newest, err);

	*doc = NULL;
	return rc || newest == 0 ? rc : change_doc(store, newest, doc, err);
}

int change_pending(
	struct store *store, bool brief, json_t **changes, struct err *err)
{
	json_t *old = NULL, *new = NULL;
	int rc = change_current(store, &old, err);

	if (!rc)
		rc = store_doc(store, &new, err);
	if (!rc)
		rc = diff_docs(store, old, new, brief, changes, err);
	json_decref(old);
	json_decref(new);
	return rc;
}

static int zone_entry(struct store *store, json_t *zones, const char *name,
	const char *sha256, uint32_t serial, struct err *err)
{
	size_t len = 0;
	int rc = store_blob_size(store, sha256, &len, err);

	if (!rc && json_array_append_new(zones,
			   json_pack("{s:s, s:I, s:s, s:I}", "zone", name,
				   "serial", (json_int_t)serial, "sha256",
				   sha256, "size", (json_int_t)len)))
		rc = err_fail(err, -ENOMEM, "no memory");
	return rc;
}

/* The doc's zones as they are served: published, with size, not dirty. */
static int publish_zones(struct store *store, json_t *doc, struct err *err)
{
	json_t *zones = json_array();
	char sha256[DIGEST_HEX];
	uint32_t serial;
	size_t i;
	json_t *row;
	int rc = 0;

	json_array_foreach(model_rows(doc, "zones"), i, row) {
		if (rc)
			break;
		rc = mzone_publish(store, row, sha256, &serial, err);
		if (!rc)
			rc = zone_entry(store, zones, row_str(row, "zone"),
				sha256, serial, err);
	}
	if (rc)
		json_decref(zones);
	else
		json_object_set_new(doc, "zones", zones);
	return rc;
}

/* {zone: true} for zones whose text is another than in `old`. */
static json_t *changed_zones(const json_t *old, const json_t *new)
{
	json_t *was = json_object(), *out = json_object();
	size_t i;
	json_t *row;

	json_array_foreach(model_rows(old, "zones"), i, row)
		json_object_set(was, row_str(row, "zone"),
			json_object_get(row, "sha256"));
	json_array_foreach(model_rows(new, "zones"), i, row)
		if (!json_equal(json_object_get(was, row_str(row, "zone")),
			    json_object_get(row, "sha256")))
			json_object_set_new(
				out, row_str(row, "zone"), json_true());
	json_decref(was);
	return out;
}

static int store_files(
	struct store *store, const json_t *files, struct err *err)
{
	char hex[DIGEST_HEX];
	const char *key;
	json_t *text;
	int rc = 0;

	json_object_foreach((json_t *)(uintptr_t)files, key, text)
		if (!rc)
			rc = store_blob_put(store, json_string_value(text),
				json_string_length(text), hex, err);
	return rc;
}

static int add_manifest(struct store *store, const json_t *doc,
	const json_t *node, const json_t *changed, const struct revision_id *id,
	struct err *err)
{
	char hex[DIGEST_HEX], *manifest = NULL;
	json_t *files = NULL;
	int rc = revision_files(doc, node, &files, err);

	if (!rc)
		rc = store_files(store, files, err);
	if (!rc)
		rc = revision_manifest(
			doc, node, files, changed, id, &manifest, err);
	if (!rc)
		rc = store_blob_put(
			store, manifest, strlen(manifest), hex, err);
	if (!rc)
		rc = store_manifest_add(
			store, id->generation, row_str(node, "node"), hex, err);
	free(manifest);
	json_decref(files);
	return rc;
}

static int epoch_of(struct store *store, long long *epoch, struct err *err)
{
	char *text = NULL;
	int rc = store_meta(store, "epoch", &text, err);

	*epoch = text ? strtoll(text, NULL, 10) : 0;
	free(text);
	return rc;
}

/* The doc with the site's secret, which is in no stored doc. */
static int with_secret(
	struct store *store, const json_t *doc, json_t **out, struct err *err)
{
	char secret[DIGEST_HEX];
	int rc = store_secret(store, secret, err);

	if (rc)
		return rc;
	*out = json_copy((json_t *)(uintptr_t)doc);
	return json_object_set_new(*out, "secret", json_string(secret))
		       ? err_fail(err, -ENOMEM, "no memory")
		       : 0;
}

static int make_manifests(struct store *store, const json_t *doc,
	const json_t *old, struct revision_id *id, struct err *err)
{
	json_t *changed = changed_zones(old, doc), *whole = NULL;
	size_t i;
	json_t *node;
	int rc = epoch_of(store, &id->epoch, err);

	if (!rc)
		rc = with_secret(store, doc, &whole, err);
	json_array_foreach(model_rows(doc, "node"), i, node)
		if (!rc)
			rc = add_manifest(store, whole, node, changed, id, err);
	json_decref(whole);
	json_decref(changed);
	return rc;
}

/* A doc whose zones are published becomes a generation. `goal`: digest of the
 * doc that it is a step to, or "". */
static int make_of(struct store *store, const json_t *doc, const char *goal,
	const struct change *change, long long *generation, struct err *err)
{
	char hex[DIGEST_HEX], *text = json_canonical(doc);
	struct revision_id id = {0};
	json_t *old = NULL, *gen = NULL;
	int rc = text ? 0 : err_fail(err, -ENOMEM, "no memory");

	if (!rc)
		rc = change_current(store, &old, err);
	if (!rc)
		rc = store_blob_put(store, text, strlen(text), hex, err);
	*generation = change->above;
	if (!rc)
		rc = store_gen_add(store, change->author, change->message, hex,
			goal, generation, err);
	if (!rc)
		rc = store_gen(store, *generation, &gen, err);
	if (!rc) {
		id.generation = *generation;
		id.parent = row_int(gen, "parent");
		rc = make_manifests(store, doc, old, &id, err);
	}
	free(text);
	json_decref(gen);
	json_decref(old);
	return rc;
}

static bool always(void *arg, const char *node)
{
	(void)arg;
	(void)node;
	return true;
}

/* The doc that brings `now` (NULL: the first) nearer to `goal`. */
static int next_doc(const json_t *now, const json_t *goal,
	const struct change *change, json_t **doc, json_t *waits,
	struct err *err)
{
	return step_doc(now, goal, change->ready ? change->ready : always,
		change->arg, doc, waits, err);
}

static int make_towards(struct store *store, const json_t *doc,
	const json_t *goal, const struct change *change, long long *generation,
	struct err *err)
{
	bool last = json_equal(doc, goal);
	char *text = last ? NULL : json_canonical(goal);
	char hex[DIGEST_HEX] = "";
	int rc = last || text ? 0 : err_fail(err, -ENOMEM, "no memory");

	if (!rc && text)
		rc = store_blob_put(store, text, strlen(text), hex, err);
	free(text);
	return rc ? rc : make_of(store, doc, hex, change, generation, err);
}

int change_make(struct store *store, const struct change *change,
	long long *generation, struct err *err)
{
	json_t *goal = NULL, *now = NULL, *doc = NULL;
	int rc = store_doc(store, &goal, err);

	if (!rc)
		rc = check_model(goal, err);
	if (!rc)
		rc = publish_zones(store, goal, err);
	if (!rc)
		rc = change_current(store, &now, err);
	if (!rc)
		rc = next_doc(now, goal, change, &doc, NULL, err);
	if (!rc)
		rc = make_towards(store, doc, goal, change, generation, err);
	json_decref(doc);
	json_decref(now);
	json_decref(goal);
	return rc;
}

int change_next(struct store *store, const struct change *change,
	long long *generation, json_t *waits, struct err *err)
{
	json_t *goal = NULL, *now = NULL, *doc = NULL, *gen = NULL;
	int rc = store_gen(store, 0, &gen, NULL);

	*generation = 0;
	if (rc || !*row_str(gen, "goal_sha256") || !row_int(gen, "approved") ||
		strcmp(row_str(gen, "state"), "done")) {
		rc = 0;
		goto out;
	}
	rc = doc_of(store, row_str(gen, "goal_sha256"), &goal, err);
	if (!rc)
		rc = change_current(store, &now, err);
	if (!rc)
		rc = next_doc(now, goal, change, &doc, waits, err);
	if (!rc && !json_equal(doc, now))
		rc = make_towards(store, doc, goal, change, generation, err);
out:
	json_decref(doc);
	json_decref(now);
	json_decref(goal);
	json_decref(gen);
	return rc;
}

/* An old text served again: under the next serial, when another one was
 * served since. */
static int reserial(struct store *store, json_t *row, struct err *err)
{
	const char *name = row_str(row, "zone");
	uint32_t served = 0, serial = (uint32_t)row_int(row, "serial");
	char hex[DIGEST_HEX];
	struct zone *zone = NULL;
	struct text text;
	int rc = store_zone_served(store, name, &served, err);

	if (rc || served == serial)
		return rc;
	serial = zone_serial_next(
		ZONE_SERIAL_DATE, serial, served, wall_now_s());
	text_init(&text);
	rc = mzone_blob(store, name, row_str(row, "sha256"), &zone, err);
	if (!rc)
		rc = zone_serial_set(zone, serial, err);
	if (!rc) {
		zone_print(zone, &text);
		rc = store_blob_put(store, text.data, text.len, hex, err);
	}
	if (!rc)
		rc = store_zone_serve(store, name, serial, err);
	if (!rc) {
		json_object_set_new(row, "serial", json_integer(serial));
		json_object_set_new(row, "sha256", json_string(hex));
		json_object_set_new(
			row, "size", json_integer((json_int_t)text.len));
	}
	text_fini(&text);
	zone_free(zone);
	return rc;
}

int change_return(struct store *store, long long to,
	const struct change *change, long long *generation, struct err *err)
{
	json_t *doc = NULL;
	size_t i;
	json_t *row;
	int rc = change_doc(store, to, &doc, err);

	json_array_foreach(model_rows(doc, "zones"), i, row)
		if (!rc)
			rc = reserial(store, row, err);
	if (!rc)
		rc = make_of(store, doc, "", change, generation, err);
	json_decref(doc);
	return rc;
}

/* One zone of the old generation into the rows, unless it is there. */
static int restore_zone(struct store *store, const json_t *row, struct err *err)
{
	const char *name = row_str(row, "zone");
	struct zone *zone = NULL;
	json_t *now = NULL;
	int rc = store_zone(store, name, &now, NULL);
	bool same = !rc && !row_int(now, "dirty") &&
		    !strcmp(row_str(now, "sha256"), row_str(row, "sha256"));

	json_decref(now);
	if (same)
		return 0;
	rc = mzone_blob(store, name, row_str(row, "sha256"), &zone, err);
	if (!rc)
		rc = mzone_store(store, zone, true, err);
	zone_free(zone);
	return rc;
}

/* Zones that the old generation did not have. */
static int drop_zones(struct store *store, const json_t *doc, struct err *err)
{
	json_t *old = json_object(), *zones = NULL;
	size_t i;
	json_t *row;
	int rc = store_zones(store, &zones, err);

	json_array_foreach(model_rows(doc, "zones"), i, row)
		json_object_set_new(old, row_str(row, "zone"), json_true());
	json_array_foreach(zones, i, row)
		if (!rc && !json_object_get(old, row_str(row, "zone")))
			rc = store_zone_delete(
				store, row_str(row, "zone"), err);
	json_decref(zones);
	json_decref(old);
	return rc;
}

int change_restore(struct store *store, long long from, struct err *err)
{
	json_t *doc = NULL;
	size_t i;
	json_t *row;
	int rc = change_doc(store, from, &doc, err);

	if (!rc)
		rc = store_restore(store, doc, err);
	if (!rc)
		rc = drop_zones(store, doc, err);
	json_array_foreach(model_rows(doc, "zones"), i, row)
		if (!rc)
			rc = restore_zone(store, row, err);
	json_decref(doc);
	return rc;
}
