/* SPDX-License-Identifier: ISC */
/*
 * The database file: open, migrate, check, back up; transactions. The
 * version of the schema is sqlite's user_version; a file of a newer version
 * is refused.
 */

#include "mgmt/store.h"

#include <assert.h>
#include <errno.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <time.h>

#include "mgmt/embed.h"
#include "mgmt/store_sql.h"

#define APPLICATION_ID 0x49535044 /* "ISPD" */
#define BUSY_MS        5000

static int pragma_int(struct store *store, const char *pragma, long long *out,
	struct err *err)
{
	json_t *rows = NULL;
	int rc = sql_run(store, &rows, err, pragma, "");
	const json_t *row = json_array_get(rows, 0);

	*out = json_integer_value(json_object_iter_value(
		json_object_iter((json_t *)(uintptr_t)row)));
	json_decref(rows);
	return rc;
}

static int store_setup(struct store *store, struct err *err)
{
	sqlite3_extended_result_codes(store->db, 1);
	sqlite3_busy_timeout(store->db, BUSY_MS);
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	return sql_script(store,
		"PRAGMA journal_mode = WAL;"
		"PRAGMA synchronous = FULL;"
		"PRAGMA foreign_keys = ON;"
		"PRAGMA trusted_schema = OFF;",
		err);
}

/* Rows that say what is wrong; "ok" is none. */
static int pragma_clean(
	struct store *store, const char *pragma, struct err *err)
{
	json_t *rows = NULL;
	int rc = sql_run(store, &rows, err, pragma, "");
	char *text;

	if (rc)
		return rc;
	text = json_canonical(rows);
	if (json_array_size(rows) > 0 && !(text && strstr(text, "\"ok\"")))
		rc = err_fail(err, -EINVAL, "database is damaged: %.300s",
			text ? text : "no memory");
	free(text);
	json_decref(rows);
	return rc;
}

int store_integrity(struct store *store, struct err *err)
{
	int rc = pragma_clean(store, "PRAGMA integrity_check", err);

	return rc ? rc : pragma_clean(store, "PRAGMA foreign_key_check", err);
}

/* The one row of each MODEL_SINGLE table, with its defaults. */
int store_fill(struct store *store, struct err *err)
{
	size_t count;
	const struct model_table *t = model_tables(&count);
	int rc = 0;

	for (size_t i = 0; i < count && !rc; i++) {
		json_t *rows = NULL, *row = NULL;

		if (!(t[i].flags & MODEL_SINGLE))
			continue;
		rc = store_rows(store, &t[i], NULL, &rows, err);
		if (!rc && json_array_size(rows) == 0)
			rc = model_row_new(&t[i], NULL, &row, err);
		if (row)
			rc = store_insert(store, &t[i], row, err);
		json_decref(row);
		json_decref(rows);
	}
	return rc;
}

static int migrate_backup(
	struct store *store, int version, const char *path, struct err *err)
{
	char to[512];

	if (version == 0)
		return 0;
	snprintf(to, sizeof(to), "%s.backup-v%d-%lld", path, version,
		(long long)time(NULL));
	return store_backup(store, to, err);
}

/* Run what is missing; all steps in one transaction. */
static int migrate(
	struct store *store, int version, const char *path, struct err *err)
{
	const struct embed *step = embed_migration(version + 1);
	char set[96];
	int rc;

	if (!step)
		return 0;
	rc = migrate_backup(store, version, path, err);
	if (rc || (rc = store_begin(store, err)))
		return rc;
	for (; step && !rc; step = embed_migration(version + 1)) {
		rc = sql_script(store, step->data, err);
		err_prefix(rc ? err : NULL, "migration %s", step->name);
		version++;
	}
	snprintf(set, sizeof(set),
		"PRAGMA user_version = %d; PRAGMA application_id = %d", version,
		APPLICATION_ID);
	if (!rc)
		rc = sql_script(store, set, err);
	if (!rc)
		rc = store_fill(store, err);
	if (!rc)
		return store_commit(store, err);
	store_rollback(store);
	return rc;
}

static int store_check(struct store *store, const char *path, struct err *err)
{
	long long id = 0, version = 0, objects = 0;
	int rc = pragma_int(store, "PRAGMA application_id", &id, err);

	if (!rc)
		rc = pragma_int(store, "PRAGMA user_version", &version, err);
	if (!rc)
		rc = pragma_int(store, "SELECT count(*) FROM sqlite_schema",
			&objects, err);
	if (rc)
		return rc;
	if (objects > 0 && id != APPLICATION_ID)
		return err_fail(err, -EINVAL, "not a database of ispdns-mgmt");
	if (version > 0 && !embed_migration((int)version))
		return err_fail(err, -EPROTO,
			"the database has schema version %lld, which is newer "
			"than this program: install the newer version, or put "
			"back %s.backup-v*",
			version, path);
	rc = pragma_clean(store, "PRAGMA quick_check", err);
	return rc ? rc : migrate(store, (int)version, path, err);
}

struct store *store_open(const char *path, struct err *err)
{
	struct store *store = calloc(1, sizeof(*store));
	mode_t mask = umask(077);
	int rc = -ENOMEM;

	if (!store || !(store->cache = sql_cache_new()))
		goto out;
	rc = sqlite3_open_v2(path, &store->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
			SQLITE_OPEN_NOFOLLOW,
		NULL);
	if (rc != SQLITE_OK)
		rc = err_fail(err, -EIO, "%s",
			store->db ? sqlite3_errmsg(store->db) : "no memory");
	if (!rc)
		rc = store_setup(store, err);
	if (!rc)
		rc = store_check(store, path, err);
out:
	umask(mask);
	if (!rc)
		return store;
	err_prefix(err, "%s", path);
	store_close(store);
	return NULL;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	if (store->writing)
		store_rollback(store);
	sql_cache_free(store->cache);
	sqlite3_close(store->db);
	free(store);
}

int store_begin(struct store *store, struct err *err)
{
	int rc;

	assert(!store->writing);
	rc = sql_script(store, "BEGIN IMMEDIATE", err);
	store->writing = rc == 0;
	return rc;
}

int store_commit(struct store *store, struct err *err)
{
	int rc;

	assert(store->writing);
	rc = sql_script(store, "COMMIT", err);
	if (rc)
		store_rollback(store);
	store->writing = false;
	return rc;
}

void store_rollback(struct store *store)
{
	struct err err = {""};

	assert(store->writing);
	if (!sqlite3_get_autocommit(store->db) &&
		sql_script(store, "ROLLBACK", &err))
		abort(); /* the file's state is unknown: a restart recovers */
	store->writing = false;
}

int store_backup(struct store *store, const char *path, struct err *err)
{
	sqlite3 *to = NULL;
	sqlite3_backup *run;
	int rc = sqlite3_open(path, &to);

	if (rc != SQLITE_OK)
		goto out;
	if (chmod(path, 0600)) {
		rc = SQLITE_PERM;
		goto out;
	}
	run = sqlite3_backup_init(to, "main", store->db, "main");
	rc = run ? sqlite3_backup_step(run, -1) : sqlite3_errcode(to);
	if (run)
		sqlite3_backup_finish(run);
	rc = rc == SQLITE_DONE ? SQLITE_OK : rc;
out:
	if (rc != SQLITE_OK)
		err_set(err, "backup to %s: %s", path, sqlite3_errstr(rc));
	sqlite3_close(to);
	return rc == SQLITE_OK ? 0 : -EIO;
}
