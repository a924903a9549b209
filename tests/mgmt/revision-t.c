/* SPDX-License-Identifier: ISC */
/*
 * The files of each node of the blueprint's site against golden ones
 * (tests/data/mgmt; ISPDNS_GOLDEN=write makes them anew), and the manifest.
 */

#include "mgmt/revision.h"

#include "common/base/digest.h"
#include "common/ctl/file.h"
#include "mgmt/render.h"
#include "tests/mgmt/site.h"
#include "tests/tap/tap.h"

static const char *srcdir;

static void golden(const char *node, const char *key, const char *text)
{
	char path[512];
	char *want = NULL;
	size_t len = 0;
	struct err err = {""};

	snprintf(path, sizeof(path), "%s/tests/data/mgmt/%s-%s", srcdir, node,
		key);
	if (getenv("ISPDNS_GOLDEN") &&
		file_write(path, text, strlen(text), 0644, &err))
		tap_bail("%s", err.text);
	if (file_read(path, 1 << 20, &want, &len, &err))
		tap_diag("%s", err.text);
	is_string(text, want ? want : "", "%s: %s is as expected", node, key);
	free(want);
}

static void test_files(json_t *doc, const char *name, const char *keys)
{
	json_t *node = site_row(doc, "node", name), *files = NULL,
	       *again = NULL;
	struct err err = {""};
	const char *key;
	json_t *text;
	char all[256] = "";

	is_int(revision_files(doc, node, &files, &err), 0, "%s: files", name);
	json_object_foreach(files, key, text) {
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s ",
			key);
		golden(name, key, json_string_value(text));
	}
	is_string(all, keys, "%s: exactly these files", name);
	is_int(revision_files(doc, node, &again, &err), 0, "once more");
	ok(json_equal(files, again), "%s: the same octets each time", name);
	json_decref(files);
	json_decref(again);
}

static json_t *manifest_of(json_t *doc, const char *name, json_t *changed)
{
	const struct revision_id id = {1, 7, 6};
	json_t *node = site_row(doc, "node", name), *files = NULL, *out;
	char *text = NULL, *again;
	struct err err = {""};

	if (revision_files(doc, node, &files, &err) ||
		revision_manifest(doc, node, files, changed, &id, &text, &err))
		tap_bail("%s", err.text);
	out = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	again = json_canonical(out);
	is_string(again, text, "%s: the manifest is canonical", name);
	free(again);
	free(text);
	json_decref(files);
	return out;
}

static void test_manifest(json_t *doc)
{
	json_t *none = json_object();
	json_t *m = manifest_of(doc, "auth1", none);
	const json_t *items = json_object_get(m, "items");
	const json_t *prove = json_object_get(m, "prove");

	is_int(row_int(m, "generation"), 7, "generation");
	is_int(row_int(m, "parent"), 6, "parent");
	is_int((long long)json_array_size(items), 3, "a file and two zones");
	is_string(row_str(json_array_get(items, 1), "key"),
		"zones/other.test.zone", "sorted by key");
	is_int((long long)json_array_size(prove), 2, "few zones: all proven");
	is_string(row_str(json_array_get(prove, 1), "at"), "10.10.2.163:53",
		"asked at its own address");
	is_int(row_int(json_array_get(prove, 1), "serial"), 2026021401,
		"with the serial");
	json_decref(m);
	m = manifest_of(doc, "rec1", none);
	items = json_object_get(m, "items");
	is_string(row_str(json_array_get(items, 1), "key"), "root.hints",
		"files that are named are delivered");
	is_string(
		row_str(json_array_get(json_object_get(m, "prove"), 0), "kind"),
		"answer", "a resolver must answer");
	json_decref(m);
	m = manifest_of(doc, "dd1", none);
	is_string(
		row_str(json_array_get(json_object_get(m, "prove"), 0), "kind"),
		"reply", "a frontend must reply, whatever its backends do");
	json_decref(m);
	json_decref(none);
}

/* With many zones only the changed ones are proven. */
static void test_many(json_t *doc)
{
	json_t *zones = json_object_get(doc, "zones"), *changed, *m;
	char name[32];

	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "z%d.test.", i);
		json_array_append_new(
			zones, json_pack("{s:s,s:i,s:s,s:i}", "zone", name,
				       "serial", 1, "sha256", "cc", "size", 1));
	}
	changed = json_pack("{s:b}", "z7.test.", 1);
	m = manifest_of(doc, "auth1", changed);
	is_int((long long)json_array_size(json_object_get(m, "prove")), 1,
		"many zones: the changed one");
	json_decref(m);
	json_decref(changed);
}

/* Names that are no file names, addresses that are no IPv4. */
static void test_odd(json_t *doc)
{
	json_t *node = site_row(doc, "node", "auth1"), *files = NULL;
	char key[RENDER_KEY];
	struct err err = {""};

	is_int(render_zone_key("a\\047b.test.", key, sizeof(key)), 0, "a/b");
	ok(!strchr(key + 6, '/') && strlen(key) > 60, "hashed: %s", key);
	is_int(render_zone_key(".", key, sizeof(key)), 0, "the root");
	json_object_set_new(node, "address", json_string("2001:db8::3"));
	is_int(revision_files(doc, node, &files, &err), 0, "IPv6 node");
	ok(strstr(row_str(files, "authority.yaml"),
		   "listen: [\"[2001:db8::3]:53\", \"127.0.0.1:53\"]") != NULL,
		"listens in brackets");
	json_decref(files);
}

/* The rows as a version wrote them that knew fewer columns. */
static void strip(json_t *doc, const char *table, size_t kept)
{
	const struct model_table *t = model_table(table);
	size_t i;
	json_t *row;

	json_array_foreach(json_object_get(doc, table), i, row)
		for (size_t c = kept; c < t->count; c++)
			json_object_del(row, t->columns[c].name);
}

/* What is not used is not in the file: after an upgrade of the management it
 * is the same, and its daemon is left alone. */
static void test_unused(json_t *doc)
{
	static const char *const rows[] = {
		"rule", "limit_exempt", "anycast", "anycast_node"};
	static const struct {
		const char *table;
		size_t kept; /* columns that version 1 had */
	} tables[] = {{"limit_override", 4}, {"pool", 3}, {"backend", 12},
		{"vip", 13}, {"route", 2}, {"policy", 3}};
	static const char *const singles[] = {"limit_misses", "block_policy",
		"frontend", "frontend_retry", "frontend_tcp",
		"frontend_transfers", "cache", "ha"};
	static const char *const sections[] = {"rules:", "  exempt:", "misses:",
		"dynamic_blocks:", "udp_size:", "upstream:", "retry:", "tcp:",
		"transfers:", "previous:", "enabled:", "truncated_ttl:",
		"prefetch:", "cap_served_ttl:", "file:", "kind:", "tiers:",
		"no_server:", " qps: 1",
		"ecs:", "min_serial:", "random_label:", "rcode:", "allow_",
		"empty:", "lazy:", "reads:", "ban:"};
	static const char *const plain[] = {"anycast:", "linger:", "probe: {n",
		"port:", "fencing:", "hmac", "sync_group", "startup_delay",
		"advertise", "accept", "checksum", "strict"};
	json_t *files = NULL;
	struct err err = {""};

	for (size_t i = 0; i < countof(rows); i++)
		json_object_set_new(doc, rows[i], json_array());
	for (size_t i = 0; i < countof(singles); i++)
		json_object_del(doc, singles[i]);
	for (size_t i = 0; i < countof(tables); i++)
		strip(doc, tables[i].table, tables[i].kept);
	is_int(model_complete(doc, &err), 0, "a doc of an older version");
	is_int(revision_files(doc, site_row(doc, "node", "dd1"), &files, &err),
		0, "its files");
	for (size_t i = 0; i < countof(sections); i++)
		ok(!strstr(row_str(files, "frontend.yaml"), sections[i]),
			"have no %s", sections[i]);
	for (size_t i = 0; i < countof(plain); i++)
		ok(!strstr(row_str(files, "ha.yaml"), plain[i]),
			"nor %s in ha.yaml", plain[i]);
	json_decref(files);
}

static void test_no_cookies(json_t *doc)
{
	json_t *files = NULL, *row = site_row(doc, "frontend", "");
	struct err err = {""};

	json_object_set_new(row, "cookies", json_false());
	json_object_set_new(row, "metrics_listen", json_string(""));
	is_int(revision_files(doc, site_row(doc, "node", "dd1"), &files, &err),
		0, "without cookies and metrics");
	ok(strstr(row_str(files, "frontend.yaml"),
		   "cookies: {enabled: false}\n") &&
			!strstr(row_str(files, "frontend.yaml"), "secret") &&
			!strstr(row_str(files, "frontend.yaml"), "metrics:"),
		"they are off");
	json_decref(files);
}

int main(void)
{
	json_t *doc = site_doc();

	srcdir = getenv("ISPDNS_SRCDIR") ? getenv("ISPDNS_SRCDIR") : ".";
	test_files(doc, "dd1", "frontend.yaml ha.yaml ");
	test_files(doc, "dd2", "frontend.yaml ha.yaml ");
	test_files(doc, "rec1", "resolver.yaml root.hints ");
	test_files(doc, "auth1", "authority.yaml ");
	test_manifest(doc);
	test_many(doc);
	test_odd(doc);
	test_no_cookies(doc);
	test_unused(doc);
	json_decref(doc);
	return tap_done();
}
