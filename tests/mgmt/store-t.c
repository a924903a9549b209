/* SPDX-License-Identifier: ISC */
/*
 * The database: rows, references, append-only tables, newer and foreign
 * files, the audit's chain, and kill -9 in the middle of transactions.
 */

#include "mgmt/store.h"

#include <errno.h>
#include <glob.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/digest.h"
#include "common/base/hash.h"
#include "common/ctl/file.h"
#include "mgmt/audit.h"
#include "mgmt/change.h"
#include "mgmt/embed.h"
#include "mgmt/store_sql.h"
#include "mgmt/zone.h"
#include "tests/tap/tap.h"

static char dir[64], path[96];

static struct store *open_fresh(void)
{
	struct err err = {""};
	struct store *store;

	if (dir_remove(dir, &err) || dir_make(dir, 0700, &err))
		tap_bail("%s", err.text);
	store = store_open(path, &err);
	if (!store)
		tap_bail("%s", err.text);
	return store;
}

static void begin(struct store *store)
{
	if (store_begin(store, NULL))
		tap_bail("cannot begin");
}

static int put(struct store *store, const char *table, const char *json,
	struct err *err)
{
	json_t *args = json_loads(json, 0, NULL), *row = NULL;
	int rc = model_row_new(model_table(table), args, &row, err);

	if (!rc)
		rc = store_insert(store, model_table(table), row, err);
	json_decref(row);
	json_decref(args);
	return rc;
}

static void test_rows(void)
{
	struct store *store = open_fresh();
	json_t *key = json_pack("{s:s}", "pool", "a"), *row = NULL;
	struct err err = {""};
	struct stat st;

	is_int(stat(path, &st) ? -1 : (int)(st.st_mode & 0777), 0600, "0600");
	begin(store);
	is_int(put(store, "pool", "{\"pool\":\"a\"}", &err), 0, "insert");
	is_int(put(store, "pool", "{\"pool\":\"a\"}", &err), -EEXIST, "twice");
	is_string(err.text, "pool a: exists already", "says so");
	is_int(put(store, "route", "{\"suffix\":\"x\",\"pool\":\"b\"}", &err),
		-ENOENT, "reference to nothing");
	is_string(err.text, "pool b: not found", "says what is missing");
	is_int(put(store, "route", "{\"suffix\":\"x\",\"pool\":\"a\"}", &err),
		0, "reference");
	is_int(store_delete(store, model_table("pool"), key, &err), -EBUSY,
		"in use");
	is_string(err.text, "pool a: is used by route x.", "by whom");
	is_int(put(store, "node",
		       "{\"node\":\"n\",\"address\":\"10.0.0.1\",\"roles\":"
		       "[\"ha\",\"frontend\"]}",
		       &err),
		0, "a list");
	is_int(store_commit(store, &err), 0, "commit");
	store_close(store);
	store = store_open(path, &err);
	json_object_set_new(key, "node", json_string("n"));
	is_int(store_row(store, model_table("node"), key, &row, &err), 0,
		"is there after a reopen");
	is_string(json_string_value(json_array_get(row_list(row, "roles"), 1)),
		"frontend", "lists come back as lists");
	json_decref(row);
	is_int(store_row(store, model_table("pool"), key, &row, &err), 0,
		"pool");
	ok(row_bool(row, "cache"), "bools come back as bools");
	json_decref(row);
	json_decref(key);
	store_close(store);
}

static void test_append_only(void)
{
	static const char *const forbidden[] = {
		"UPDATE generation SET message = 'x'",
		"DELETE FROM generation",
		"DELETE FROM manifest",
		"UPDATE blob SET data = x'00'",
		"UPDATE audit SET actor = 'x'",
		"DELETE FROM audit",
	};
	struct store *store = open_fresh();
	struct change change = {.author = "tester", .message = ""};
	struct audit_entry entry = {"a", "s", "v", "o", NULL, NULL};
	struct err err = {""};
	long long gen = 0;

	begin(store);
	is_int(put(store, "node",
		       "{\"node\":\"n\",\"address\":\"10.0.0.1\",\"roles\":"
		       "[\"resolver\"]}",
		       &err),
		0, "a node");
	is_int(audit_add(store, &entry, &err), 0, "an audit row");
	is_int(change_make(store, &change, &gen, &err), 0, "a generation");
	is_int(store_commit(store, &err), 0, "commit");
	for (size_t i = 0; i < countof(forbidden); i++) {
		begin(store);
		is_int(sql_run(store, NULL, &err, forbidden[i], ""), -EIO,
			"refused: %s", forbidden[i]);
		store_rollback(store);
	}
	begin(store);
	is_int(sql_run(store, NULL, &err, "INSERT INTO acl VALUES ('x', x'00')",
		       ""),
		-EIO, "STRICT: a blob is no text");
	store_rollback(store);
	store_close(store);
}

static void refused(const char *sql, int rc, const char *why)
{
	struct store *store = open_fresh();
	struct err err = {""};

	if (sql_script(store, sql, &err))
		tap_bail("%s", err.text);
	store_close(store);
	err.text[0] = '\0';
	store = store_open(path, &err);
	ok(!store && strstr(err.text, why), "refused: %s (%s)", why, err.text);
	store_close(store);
	(void)rc;
}

static void test_foreign(void)
{
	struct err err = {""};

	refused("PRAGMA user_version = 99", -EPROTO, "newer than this program");
	refused("PRAGMA application_id = 5", -EINVAL, "not a database of");
	if (dir_remove(dir, &err) || dir_make(dir, 0700, &err) ||
		file_write(path, "no database at all, only text\n", 30, 0600,
			&err))
		tap_bail("%s", err.text);
	ok(!store_open(path, &err) && strstr(err.text, "not a database"),
		"a file of something else: %s", err.text);
}

static void test_secret(void)
{
	struct store *store = open_fresh();
	char first[DIGEST_HEX] = "", second[DIGEST_HEX] = "";
	json_t *doc = NULL;
	struct err err = {""};

	begin(store);
	is_int(store_secret(store, first, &err), 0, "a secret is made");
	is_int(store_commit(store, &err), 0, "and kept");
	is_int((long long)strspn(first, "0123456789abcdef"), 64,
		"of 64 hex digits");
	store_close(store);
	store = store_open(path, &err);
	begin(store);
	is_int(store_secret(store, second, &err), 0, "asked for again");
	store_rollback(store);
	is_string(second, first, "it is the same");
	is_int(store_doc(store, &doc, &err), 0, "a doc");
	ok(doc && !json_object_get(doc, "secret"), "does not hold it");
	json_decref(doc);
	store_close(store);
	store = open_fresh();
	begin(store);
	(void)!store_secret(store, second, &err);
	store_rollback(store);
	ok(strcmp(first, second) != 0, "another site has another one");
	store_close(store);
}

static void test_audit(void)
{
	struct store *store = open_fresh();
	json_t *args = json_pack(
		"{s:s,s:{s:s}}", "zone", "x", "in", "password", "secret");
	struct audit_entry entry = {
		"root", "unix", "zone.create", "zone x", args, "why"};
	json_t *rows = NULL;
	struct err err = {""};
	long long n = 0;

	begin(store);
	for (int i = 0; i < 1200; i++)
		if (audit_add(store, &entry, &err))
			tap_bail("%s", err.text);
	is_int(store_commit(store, &err), 0, "1200 rows");
	is_int(audit_verify(store, &n, &err), 0, "the chain holds");
	is_int(n, 1200, "all rows were seen");
	is_int(store_audit_rows(store, -1, 1, &rows, &err), 0, "a row");
	ok(!strstr(row_str(json_array_get(rows, 0), "detail"), "secret"),
		"without the secret");
	json_decref(rows);
	begin(store);
	if (sql_script(store,
		    "DROP TRIGGER audit_update; DROP TRIGGER audit_delete;"
		    "UPDATE audit SET actor = 'nobody' WHERE id = 700",
		    &err))
		tap_bail("%s", err.text);
	is_int(audit_verify(store, &n, &err), -EINVAL, "an edit shows");
	is_string(err.text, "audit: row 700 was changed after it was written",
		"and where");
	store_rollback(store);
	begin(store);
	if (sql_script(store,
		    "DROP TRIGGER audit_delete; DELETE FROM audit WHERE "
		    "id = 600",
		    &err))
		tap_bail("%s", err.text);
	is_int(audit_verify(store, &n, &err), -EINVAL, "a gap shows");
	is_string(err.text, "audit: row 600 is missing", "and where");
	store_rollback(store);
	store_close(store);
	json_decref(args);
}

/* ---- credentials ---- */

static void test_tokens(void)
{
	struct store *store = open_fresh();
	struct err err = {""};
	json_t *row = NULL;

	begin(store);
	is_int(store_join_add(store, "h1", "n1", 1000, &err), 0, "a token");
	is_int(store_join_use(store, "h1", "n2", 500, &err), -EACCES,
		"of another node: %s", err.text);
	is_int(store_join_use(store, "h1", "n1", 1000, &err), -EACCES,
		"expired");
	is_int(store_join_use(store, "h1", "n1", 999, &err), 0, "in time");
	is_int(store_join_use(store, "h1", "n1", 999, &err), -EACCES, "once");
	is_int(store_join_add(store, "h2", "n1", 1000, &err), 0, "another");
	is_int(store_cert_add(store, "abc", "n1", 1000, &err), 0, "a cert");
	ok(!store_cert_valid(store, "abc", "n1"), "of a node that is not here");
	is_int(put(store, "node",
		       "{\"node\":\"n1\",\"address\":\"10.0.0.1\",\"roles\":"
		       "[\"ha\"]}",
		       &err),
		0, "the node");
	ok(store_cert_valid(store, "abc", "n1"), "believed");
	ok(!store_cert_valid(store, "abc", "n2"), "not for another name");
	is_int(store_cert_revoke(store, "n1", &err), 0, "revoked");
	ok(!store_cert_valid(store, "abc", "n1"), "no longer");
	is_int(store_join_use(store, "h2", "n1", 1, &err), -EACCES,
		"nor its open join token");
	is_int(store_token_add(store, "t", "th", "viewer", 10, 20, &err), 0,
		"an operator's token");
	is_int(store_token(store, "th", 19, &row, &err), 0, "good");
	json_decref(row);
	is_int(store_token(store, "th", 20, &row, &err), -EACCES, "expired");
	is_int(store_commit(store, &err), 0, "commit");
	store_close(store);
}

/* ---- serials ---- */

static struct zone *zone_of(uint32_t serial, const char *address)
{
	char text[256];
	struct zone *zone = NULL;
	struct err err = {""};

	snprintf(text, sizeof(text),
		"@ 300 IN SOA ns h %u 1 1 1 1\n@ 300 IN NS ns\n"
		"ns 300 IN A %s\n",
		serial, address);
	if (mzone_read("s.test", text, &zone, NULL, &err))
		tap_bail("%s", err.text);
	return zone;
}

static void write_zone(
	struct store *store, uint32_t serial, const char *address)
{
	struct zone *zone = zone_of(serial, address);
	struct err err = {""};

	begin(store);
	if (mzone_store(store, zone, true, &err) || store_commit(store, &err))
		tap_bail("%s", err.text);
	zone_free(zone);
}

static uint32_t publish(struct store *store)
{
	struct change change = {.author = "tester", .message = ""};
	struct err err = {""};
	json_t *row = NULL;
	long long gen = 0;
	uint32_t serial = 0;

	begin(store);
	if (change_make(store, &change, &gen, &err) ||
		store_commit(store, &err) ||
		store_zone(store, "s.test.", &row, &err))
		tap_bail("%s", err.text);
	serial = (uint32_t)row_int(row, "serial");
	json_decref(row);
	return serial;
}

static void test_serials(void)
{
	struct store *store = open_fresh();
	struct err err = {""};
	uint32_t first, second, third;

	write_zone(store, 4000000000u, "192.0.2.1");
	first = publish(store);
	is_int(first, 4000000000u, "an imported serial is served as it is");
	is_int(publish(store), first, "nothing changed: the same");
	write_zone(store, 5, "192.0.2.1");
	is_int(publish(store), first, "same records, other serial: the same");
	write_zone(store, 5, "192.0.2.2");
	second = publish(store);
	ok(zone_serial_gt(second, first), "%u follows %u", second, first);
	begin(store);
	is_int(store_zone_delete(store, "s.test.", &err), 0, "deleted");
	is_int(store_commit(store, &err), 0, "commit");
	write_zone(store, 5, "192.0.2.3");
	third = publish(store);
	ok(zone_serial_gt(third, second), "made anew: %u follows %u", third,
		second);
	store_close(store);
}

/* A database that was put back from a copy: nodes have seen higher numbers. */
static void test_above(void)
{
	struct store *store = open_fresh();
	struct change change = {
		.author = "tester", .message = "", .above = 500};
	struct err err = {""};
	long long gen = 0;

	begin(store);
	is_int(change_make(store, &change, &gen, &err), 0, "a generation");
	is_int(gen, 501, "above what nodes have");
	change.above = 0;
	is_int(change_make(store, &change, &gen, &err), 0, "the next");
	is_int(gen, 502, "goes on from there");
	is_int(store_commit(store, &err), 0, "commit");
	store_close(store);
}

/* ---- docs of older versions ---- */

/* The newest generation, made by a version that knew less. */
static void make_older(struct store *store, json_t *doc)
{
	char hex[DIGEST_HEX], *text = json_canonical(doc);
	struct err err = {""};
	long long gen = 0;

	begin(store);
	if (store_blob_put(store, text, strlen(text), hex, &err) ||
		store_gen_add(store, "older", "", hex, "", &gen, &err) ||
		store_rollout_set(store, gen, "done", true, false, "", &err) ||
		store_commit(store, &err))
		tap_bail("%s", err.text);
	free(text);
}

static void test_older_doc(void)
{
	struct store *store = open_fresh();
	struct change change = {.author = "tester", .message = ""};
	json_t *doc = NULL, *again = NULL, *changes = NULL;
	struct err err = {""};
	long long gen = 0;

	begin(store);
	if (put(store, "pool", "{\"pool\":\"a\"}", &err) ||
		put(store, "node",
			"{\"node\":\"n\",\"address\":\"10.0.0.1\",\"roles\":"
			"[\"frontend\",\"resolver\"]}",
			&err) ||
		store_commit(store, &err) || store_doc(store, &doc, &err))
		tap_bail("%s", err.text);
	json_object_del(doc, "limit_override");
	json_object_del(doc, "cache");
	json_object_del(
		json_array_get(json_object_get(doc, "policy"), 0), "transfer");
	json_object_del(
		json_array_get(json_object_get(doc, "pool"), 0), "cache");
	make_older(store, doc);
	is_int(change_doc(store, 1, &again, &err), 0, "an older doc is read");
	is_string(row_str(model_single(again, "policy"), "transfer"), "refuse",
		"a column that it lacks has its default");
	is_int(row_int(model_single(again, "cache"), "entries"), 500000,
		"so has a table of one row");
	is_int((long long)json_array_size(model_rows(again, "limit_override")),
		0, "a table of rows has none");
	is_int(change_pending(store, false, &changes, &err), 0, "diff");
	is_int((long long)json_array_size(changes), 0, "shows no change");
	begin(store);
	is_int(change_return(store, 1, &change, &gen, &err), 0,
		"its content can be a generation again %s", err.text);
	is_int(change_restore(store, 1, &err), 0, "and the working set");
	store_rollback(store);
	json_object_clear(json_array_get(json_object_get(doc, "pool"), 0));
	make_older(store, doc);
	json_decref(again);
	is_int(change_doc(store, 2, &again, &err), -EINVAL,
		"a pool of no name");
	is_string(
		err.text, "generation 2: pool: \"pool\" is missing", "says so");
	json_decref(changes);
	json_decref(doc);
	store_close(store);
}

/* ---- databases of older versions ---- */

static void raw_sql(sqlite3 *db, const char *sql)
{
	char *why = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		tap_bail("%s", why);
}

/* The file as version 1 left it, with a pool, a route and a generation. */
static void make_v1(void)
{
	struct err err = {""};
	sqlite3 *db = NULL;

	if (dir_remove(dir, &err) || dir_make(dir, 0700, &err))
		tap_bail("%s", err.text);
	if (sqlite3_open(path, &db) != SQLITE_OK)
		tap_bail("sqlite3_open");
	raw_sql(db, embed_migration(1)->data);
	raw_sql(db,
		"PRAGMA user_version = 1; PRAGMA application_id = 1230196804;"
		"INSERT INTO pool VALUES ('a', 'roundrobin', 1);"
		"INSERT INTO route VALUES ('.', 'a');"
		"INSERT INTO vip VALUES ('V', 5, 2, 1000, 'none', '', "
		"'[\"10.0.0.1/24\"]', '[]', 1, 0, 1, 1, '');"
		"INSERT INTO limits VALUES (1, 5, 6, 32, 64, 'tc', 65536);"
		"INSERT INTO blob VALUES ('d', "
		"CAST('{\"pool\":[{\"pool\":\"a\"}],"
		"\"route\":[{\"suffix\":\".\",\"pool\":\"a\"}],"
		"\"vip\":[{\"vip\":\"V\",\"vrid\":5,\"version\":2,"
		"\"interval_ms\":1000,\"addresses\":[\"10.0.0.1/24\"]}],"
		"\"zones\":[]}' "
		"AS BLOB));"
		"INSERT INTO generation VALUES (1, 0, 1, 'old', '', 'd');"
		"INSERT INTO rollout VALUES (1, 'done', 1, 0, '')");
	sqlite3_close(db);
}

/* user_version of a file, and does it have table `rule`? */
static int raw_version(const char *file, bool *has_rule)
{
	sqlite3_stmt *stmt = NULL;
	sqlite3 *db = NULL;
	int version = -1;

	*has_rule = false;
	if (sqlite3_open(file, &db) == SQLITE_OK &&
		sqlite3_prepare_v2(db,
			"SELECT user_version, (SELECT count(*) FROM "
			"sqlite_schema WHERE name = 'rule') FROM "
			"pragma_user_version",
			-1, &stmt, NULL) == SQLITE_OK &&
		sqlite3_step(stmt) == SQLITE_ROW) {
		version = sqlite3_column_int(stmt, 0);
		*has_rule = sqlite3_column_int(stmt, 1) > 0;
	}
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return version;
}

static void test_backup_of_v1(void)
{
	char pattern[128];
	bool has_rule = true;
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s.backup-v1-*", path);
	is_int(glob(pattern, 0, NULL, &found), 0, "a copy is beside the file");
	is_int((long long)found.gl_pathc, 1, "one");
	is_int(found.gl_pathc ? raw_version(found.gl_pathv[0], &has_rule) : -1,
		1, "of version 1");
	ok(!has_rule, "without the new tables");
	globfree(&found);
}

static int newest_version(void)
{
	int n = 0;

	while (embed_migration(n + 1))
		n++;
	return n;
}

static void test_migration(void)
{
	struct store *store;
	struct change change = {.author = "tester", .message = ""};
	json_t *doc = NULL, *changes = NULL, *rows = NULL;
	struct err err = {""};
	bool has_rule = false;
	long long gen = 0;

	make_v1();
	store = store_open(path, &err);
	if (!store)
		tap_bail("%s", err.text);
	test_backup_of_v1();
	is_int(raw_version(path, &has_rule), newest_version(),
		"the file has the newest version");
	ok(has_rule, "and the new tables");
	is_int(store_integrity(store, &err), 0, "it is sound %s", err.text);
	is_int(store_doc(store, &doc, &err), 0, "a doc");
	is_int(row_int(model_single(doc, "limits"), "burst"), 6,
		"rows are kept");
	is_int(row_int(model_single(doc, "frontend_tcp"), "per_client"), 20,
		"new tables have their row");
	is_string(row_str(json_array_get(model_rows(doc, "pool"), 0),
			  "no_server"),
		"servfail", "and new columns the old meaning");
	is_string(row_str(json_array_get(model_rows(doc, "vip"), 0), "hmac"),
		"off", "with defaults in new columns");
	is_int((long long)json_array_size(
		       row_list(json_array_get(model_rows(doc, "route"), 0),
			       "allow_transfer")),
		0, "and empty lists");
	is_int(row_int(model_single(doc, "ha"), "linger_ms"), 2000,
		"and new single rows");
	begin(store);
	is_int(put(store, "rule",
		       "{\"name\":\"r\",\"action\":\"pool\",\"pool\":\"a\"}",
		       &err),
		0, "a rule %s", err.text);
	is_int(change_pending(store, false, &changes, &err), 0, "diff");
	is_int((long long)json_array_size(changes), 3,
		"a pool's policy, the limit, the rule");
	is_string(row_str(json_array_get(changes, 2), "kind"), "rule",
		"which is one of them");
	is_int(change_return(store, 1, &change, &gen, &err), 0,
		"back to the generation of version 1 %s", err.text);
	is_int(change_restore(store, 1, &err), 0, "and the working set");
	is_int(store_rows(store, model_table("rule"), NULL, &rows, &err), 0,
		"rules");
	is_int((long long)json_array_size(rows), 0, "are gone");
	store_rollback(store);
	json_decref(rows);
	json_decref(changes);
	json_decref(doc);
	store_close(store);
	store = store_open(path, &err);
	ok(store != NULL, "opens again %s", err.text);
	test_backup_of_v1();
	store_close(store);
}

/* The pool of a rule: "" or one that is there, which then stays. */
static void test_rule_pool(void)
{
	struct store *store = open_fresh();
	json_t *key = json_pack("{s:s}", "pool", "a");
	struct err err = {""};

	begin(store);
	is_int(put(store, "rule", "{\"name\":\"q\",\"action\":\"drop\"}", &err),
		0, "a rule without a pool");
	is_int(put(store, "rule",
		       "{\"name\":\"r\",\"action\":\"pool\",\"pool\":\"a\"}",
		       &err),
		-ENOENT, "with one that is not there");
	is_int(put(store, "pool", "{\"pool\":\"a\"}", &err), 0, "the pool");
	is_int(put(store, "rule",
		       "{\"name\":\"r\",\"action\":\"pool\",\"pool\":\"a\"}",
		       &err),
		0, "now it is");
	is_int(store_delete(store, model_table("pool"), key, &err), -EBUSY,
		"in use");
	is_string(err.text, "pool a: is used by rule r", "by whom");
	store_rollback(store);
	json_decref(key);
	store_close(store);
}

/* ---- kill -9 ---- */

static void writer(void)
{
	struct err err = {""};
	struct store *store = store_open(path, &err);
	struct audit_entry entry = {"a", "s", "v", "o", NULL, NULL};
	struct change change = {.author = "child", .message = "x"};
	long long gen;

	for (int i = 0; store; i++) {
		char name[64];

		snprintf(name, sizeof(name), "{\"list\":\"l%d-%d\"}",
			(int)getpid(), i);
		if (store_begin(store, &err) || put(store, "acl", name, &err) ||
			audit_add(store, &entry, &err) ||
			change_make(store, &change, &gen, &err) ||
			store_commit(store, &err))
			break;
	}
	_exit(1);
}

/* Each generation's doc holds exactly as many lists as its number. */
static long long consistent(int round)
{
	struct err err = {""};
	struct store *store = store_open(path, &err);
	long long newest = 0, rows = 0;
	json_t *doc = NULL;

	ok(store != NULL, "round %d: opens %s", round, err.text);
	if (!store)
		return 0;
	is_int(store_integrity(store, &err), 0, "integrity %s", err.text);
	is_int(audit_verify(store, &rows, &err), 0, "chain %s", err.text);
	is_int(store_gen_newest(store, false, &newest, &err), 0, "newest");
	is_int(rows, newest, "as many audit rows as generations");
	if (newest > 0)
		is_int(change_doc(store, newest, &doc, &err), 0, "its doc");
	is_int((long long)json_array_size(model_rows(doc, "acl")), newest,
		"which is whole");
	json_decref(doc);
	store_close(store);
	return newest;
}

static void test_kill(void)
{
	struct rng rng;
	long long made = 0;

	store_close(open_fresh());
	rng_init(&rng);
	for (int round = 0; round < 12; round++) {
		pid_t pid = fork();

		if (pid == 0)
			writer();
		usleep(3000 + rng_below(&rng, 60000)); /* when it is hit */
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		made = consistent(round);
	}
	ok(made > 0, "generations were made meanwhile: %lld", made);
}

int main(void)
{
	snprintf(dir, sizeof(dir), "/tmp/ispdns-store-t.%d", (int)getpid());
	snprintf(path, sizeof(path), "%s/mgmt.db", dir);
	test_rows();
	test_append_only();
	test_foreign();
	test_secret();
	test_audit();
	test_tokens();
	test_serials();
	test_above();
	test_older_doc();
	test_migration();
	test_rule_pool();
	test_kill();
	if (dir_remove(dir, NULL))
		tap_diag("%s is left", dir);
	return tap_done();
}
