/* SPDX-License-Identifier: ISC */
/*
 * Certificates of nodes, join tokens, operators' tokens: what mgmt believes.
 * Secrets are kept as hashes only; revoking is setting a column.
 */

#include "mgmt/store_sql.h"

#include <errno.h>

int store_cert_add(struct store *store, const char *serial, const char *node,
	int64_t not_after, struct err *err)
{
	return sql_run(store, NULL, err,
		"INSERT INTO cert (serial, node, not_after) "
		"VALUES (?1, ?2, ?3)",
		"ssi", serial, node, (long long)not_after);
}

bool store_cert_valid(struct store *store, const char *serial, const char *node)
{
	json_t *rows = NULL;
	bool valid;

	if (sql_run(store, &rows, NULL,
		    "SELECT 1 AS one FROM cert JOIN node USING (node) WHERE "
		    "serial = ?1 AND node = ?2 AND revoked = 0",
		    "ss", serial, node))
		return false;
	valid = json_array_size(rows) == 1;
	json_decref(rows);
	return valid;
}

int store_cert_revoke(struct store *store, const char *node, struct err *err)
{
	int rc = sql_run(store, NULL, err,
		"UPDATE cert SET revoked = 1 WHERE node = ?1", "s", node);

	if (rc)
		return rc;
	return sql_run(store, NULL, err,
		"UPDATE join_token SET used = 1 WHERE node = ?1", "s", node);
}

int store_certs(
	struct store *store, const char *node, json_t **out, struct err *err)
{
	return sql_run(store, out, err,
		"SELECT serial, not_after, revoked FROM cert WHERE node = ?1 "
		"ORDER BY not_after",
		"s", node);
}

int store_join_add(struct store *store, const char *hash, const char *node,
	int64_t expires, struct err *err)
{
	return sql_run(store, NULL, err,
		"INSERT INTO join_token (hash, node, expires) "
		"VALUES (?1, ?2, ?3)",
		"ssi", hash, node, (long long)expires);
}

int store_join_use(struct store *store, const char *hash, const char *node,
	int64_t now, struct err *err)
{
	int rc = sql_run(store, NULL, err,
		"UPDATE join_token SET used = 1 WHERE hash = ?1 AND node = ?2 "
		"AND used = 0 AND expires > ?3",
		"ssi", hash, node, (long long)now);

	if (!rc && sql_changes(store) != 1)
		rc = err_fail(err, -EACCES,
			"the join token is unknown, used, expired, or of "
			"another node");
	return rc;
}

int store_token_add(struct store *store, const char *name, const char *hash,
	const char *role, int64_t now, int64_t expires, struct err *err)
{
	int rc = sql_run(store, NULL, err,
		"INSERT INTO token (name, hash, role, created, expires) "
		"VALUES (?1, ?2, ?3, ?4, ?5)",
		"sssii", name, hash, role, (long long)now, (long long)expires);

	if (rc == -EEXIST)
		err_set(err, "token %s: exists already", name);
	return rc;
}

int store_token(struct store *store, const char *hash, int64_t now,
	json_t **out, struct err *err)
{
	int rc = sql_one(store, out, "token", err,
		"SELECT name, role FROM token WHERE hash = ?1 AND revoked = 0 "
		"AND (expires = 0 OR expires > ?2)",
		"si", hash, (long long)now);

	if (rc == -ENOENT)
		rc = err_fail(err, -EACCES,
			"the token is unknown, revoked or expired");
	return rc;
}

int store_tokens(struct store *store, json_t **out, struct err *err)
{
	return sql_run(store, out, err,
		"SELECT name, role, created, expires, revoked FROM token "
		"ORDER BY name",
		"");
}

int store_token_revoke(struct store *store, const char *name, struct err *err)
{
	int rc = sql_run(store, NULL, err,
		"UPDATE token SET revoked = 1 WHERE name = ?1", "s", name);

	if (!rc && sql_changes(store) == 0)
		rc = err_fail(err, -ENOENT, "token %s: not found", name);
	return rc;
}
