/* SPDX-License-Identifier: ISC */
/*
 * Generations, their blobs and manifests (append-only by triggers), what
 * became of their roll-out, and the audit's rows.
 */

#include "mgmt/store_sql.h"

#include <errno.h>
#include <time.h>

#include "common/base/digest.h"
#include "common/base/hash.h"

void store_blob_limit(struct store *store, size_t octets)
{
	store->blob_max = octets;
}

int store_blob_put(struct store *store, const void *data, size_t len, char *hex,
	struct err *err)
{
	if (store->blob_max && len > store->blob_max)
		return err_fail(err, -EINVAL,
			"%zu octets in one file are over limits.blob (%zu)",
			len, store->blob_max);
	digest_hex(data, len, hex);
	return sql_run(store, NULL, err,
		"INSERT INTO blob (sha256, data) VALUES (?1, ?2) "
		"ON CONFLICT (sha256) DO NOTHING",
		"sb", hex, data, len);
}

int store_blob_size(
	struct store *store, const char *hex, size_t *len, struct err *err)
{
	json_t *row = NULL;
	int rc = sql_one(store, &row, hex, err,
		"SELECT length(data) AS n FROM blob WHERE sha256 = ?1", "s",
		hex);

	if (!rc)
		*len = (size_t)row_int(row, "n");
	json_decref(row);
	return rc;
}

int store_blob(struct store *store, const char *hex, char **data, size_t *len,
	struct err *err)
{
	return sql_blob(store, "SELECT data FROM blob WHERE sha256 = ?1", hex,
		data, len, err);
}

int store_gen_add(struct store *store, const char *author, const char *message,
	const char *doc_sha256, const char *goal_sha256, long long *generation,
	struct err *err)
{
	long long newest = 0, next;
	int rc = store_gen_newest(store, false, &newest, err);

	if (rc)
		return rc;
	next = (newest > *generation ? newest : *generation) + 1;
	*generation = next;
	return sql_run(store, NULL, err,
		"INSERT INTO generation VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
		"iiissss", next, newest, (long long)time(NULL), author, message,
		doc_sha256, goal_sha256);
}

int store_manifest_add(struct store *store, long long generation,
	const char *node, const char *sha256, struct err *err)
{
	return sql_run(store, NULL, err,
		"INSERT INTO manifest VALUES (?1, ?2, ?3)", "iss", generation,
		node, sha256);
}

int store_manifest(struct store *store, long long generation, const char *node,
	char *hex, struct err *err)
{
	json_t *row = NULL;
	int rc = sql_one(store, &row, "manifest", err,
		"SELECT sha256 FROM manifest WHERE generation = ?1 AND "
		"node = ?2",
		"is", generation, node);

	if (!rc)
		snprintf(hex, DIGEST_HEX, "%s", row_str(row, "sha256"));
	json_decref(row);
	return rc;
}

#define GEN_SELECT                                                             \
	"SELECT g.generation, parent, ts, author, message, doc_sha256, "       \
	"goal_sha256, "                                                        \
	"coalesce(state, 'running') AS state, coalesce(error, '') AS error, "  \
	"coalesce(approved, 0) AS approved, "                                  \
	"coalesce(allow_missing, 0) AS allow_missing "                         \
	"FROM generation g LEFT JOIN rollout r ON r.generation = "             \
	"g.generation "

int store_gen(struct store *store, long long generation, json_t **out,
	struct err *err)
{
	char what[48];

	snprintf(what, sizeof(what), "generation %lld", generation);
	if (generation == 0)
		return sql_one(store, out, "generation", err,
			GEN_SELECT "ORDER BY g.generation DESC LIMIT 1", "");
	return sql_one(store, out, what, err,
		GEN_SELECT "WHERE g.generation = ?1", "i", generation);
}

int store_gen_newest(struct store *store, bool approved, long long *generation,
	struct err *err)
{
	json_t *row = NULL;
	int rc;

	if (approved)
		rc = sql_one(store, &row, "generation", err,
			"SELECT coalesce(max(generation), 0) AS n FROM rollout "
			"WHERE approved = 1",
			"");
	else
		rc = sql_one(store, &row, "generation", err,
			"SELECT coalesce(max(generation), 0) AS n FROM "
			"generation",
			"");
	if (!rc)
		*generation = row_int(row, "n");
	json_decref(row);
	return rc;
}

int store_history(struct store *store, int limit, json_t **out, struct err *err)
{
	return sql_run(store, out, err,
		GEN_SELECT "ORDER BY g.generation DESC LIMIT ?1", "i",
		(long long)limit);
}

int store_rollout_set(struct store *store, long long generation,
	const char *state, bool approved, bool allow_missing, const char *error,
	struct err *err)
{
	return sql_run(store, NULL, err,
		"INSERT INTO rollout VALUES (?1, ?2, ?3, ?4, ?5) "
		"ON CONFLICT (generation) DO UPDATE SET state = "
		"excluded.state, approved = excluded.approved, "
		"allow_missing = excluded.allow_missing, "
		"error = excluded.error",
		"isiis", generation, state, (long long)approved,
		(long long)allow_missing, error);
}

int store_rollout_node(struct store *store, long long generation,
	const char *node, const char *phase, const char *error, int took_ms,
	struct err *err)
{
	return sql_run(store, NULL, err,
		"INSERT INTO rollout_node VALUES (?1, ?2, ?3, ?4, ?5) "
		"ON CONFLICT (generation, node) DO UPDATE SET phase = "
		"excluded.phase, error = excluded.error, "
		"took_ms = excluded.took_ms",
		"isssi", generation, node, phase, error, (long long)took_ms);
}

int store_rollout_nodes(struct store *store, long long generation, json_t **out,
	struct err *err)
{
	return sql_run(store, out, err,
		"SELECT node AS name, phase, error AS err, took_ms FROM "
		"rollout_node WHERE generation = ?1 ORDER BY node",
		"i", generation);
}

int store_audit_tip(struct store *store, char *hex, struct err *err)
{
	json_t *rows = NULL;
	const json_t *row;
	int rc = sql_run(store, &rows, err,
		"SELECT hash FROM audit ORDER BY id DESC LIMIT 1", "");

	row = json_array_get(rows, 0);
	if (!rc && row)
		snprintf(hex, DIGEST_HEX, "%s", row_str(row, "hash"));
	else if (!rc)
		snprintf(hex, DIGEST_HEX, "%064d", 0);
	json_decref(rows);
	return rc;
}

int store_audit_add(struct store *store, const json_t *row, struct err *err)
{
	return sql_run(store, NULL, err,
		"INSERT INTO audit (ts, actor, src, verb, object, detail, "
		"prev_hash, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
		"jjjjjjjj", json_object_get(row, "ts"),
		json_object_get(row, "actor"), json_object_get(row, "src"),
		json_object_get(row, "verb"), json_object_get(row, "object"),
		json_object_get(row, "detail"),
		json_object_get(row, "prev_hash"),
		json_object_get(row, "hash"));
}

#define AUDIT_SELECT                                                           \
	"SELECT id, ts, actor, src, verb, object, detail, prev_hash, hash "    \
	"FROM audit "

int store_audit_rows(struct store *store, long long id, int limit, json_t **out,
	struct err *err)
{
	if (id < 0)
		return sql_run(store, out, err,
			AUDIT_SELECT "ORDER BY id DESC LIMIT ?1", "i",
			(long long)limit);
	return sql_run(store, out, err,
		AUDIT_SELECT "WHERE id > ?1 ORDER BY id LIMIT ?2", "ii", id,
		(long long)limit);
}

int store_secret(struct store *store, char out[DIGEST_HEX], struct err *err)
{
	uint8_t fresh[32];
	char hex[DIGEST_HEX], *value = NULL;
	int rc;

	random_bytes(fresh, sizeof(fresh));
	hex_print(fresh, sizeof(fresh), hex);
	rc = sql_run(store, NULL, err,
		"INSERT OR IGNORE INTO meta (key, value) VALUES ('secret', ?1)",
		"s", hex);
	if (!rc)
		rc = store_meta(store, "secret", &value, err);
	if (!rc)
		(void)snprintf(out, DIGEST_HEX, "%s", value ? value : "");
	free(value);
	return rc;
}

int store_meta(
	struct store *store, const char *key, char **value, struct err *err)
{
	json_t *row = NULL;
	int rc = sql_one(store, &row, key, err,
		"SELECT value FROM meta WHERE key = ?1", "s", key);

	if (!rc)
		*value = strdup(row_str(row, "value"));
	json_decref(row);
	return rc;
}
