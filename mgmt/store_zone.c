/* SPDX-License-Identifier: ISC */
/*
 * Zones and their records. A write marks its zone dirty; publishing makes it
 * clean. zone_serial outlives a zone, so that its name never goes back.
 */

#include "mgmt/store_sql.h"

#include <errno.h>

static int touch(struct store *store, const char *zone, struct err *err)
{
	return sql_run(store, NULL, err,
		"UPDATE zone SET dirty = 1 WHERE zone = ?1", "s", zone);
}

int store_zone(
	struct store *store, const char *zone, json_t **out, struct err *err)
{
	char what[300];

	snprintf(what, sizeof(what), "zone %.255s", zone);
	return sql_one(store, out, what, err,
		"SELECT zone, serial, published, dirty, sha256, (SELECT "
		"count(*) FROM record r WHERE r.zone = z.zone) AS records "
		"FROM zone z WHERE zone = ?1",
		"s", zone);
}

int store_zones(struct store *store, json_t **out, struct err *err)
{
	return sql_run(store, out, err,
		"SELECT zone, serial, published, dirty, sha256, (SELECT "
		"count(*) FROM record r WHERE r.zone = z.zone) AS records "
		"FROM zone z ORDER BY zone",
		"");
}

int store_zone_put(struct store *store, const char *zone, uint32_t serial,
	bool exists, struct err *err)
{
	int rc;

	if (exists) {
		rc = sql_run(store, NULL, err,
			"DELETE FROM record WHERE zone = ?1", "s", zone);
		return rc ? rc : touch(store, zone, err);
	}
	rc = sql_run(store, NULL, err,
		"INSERT INTO zone (zone, serial) VALUES (?1, ?2)", "si", zone,
		(long long)serial);
	if (rc == -EEXIST)
		err_set(err, "zone %s: exists already", zone);
	return rc;
}

int store_zone_delete(struct store *store, const char *zone, struct err *err)
{
	int rc = sql_run(store, NULL, err, "DELETE FROM zone WHERE zone = ?1",
		"s", zone);

	if (!rc && sql_changes(store) == 0)
		rc = err_fail(err, -ENOENT, "zone %s: not found", zone);
	return rc;
}

int store_zone_published(struct store *store, const char *zone, uint32_t serial,
	const char *sha256, struct err *err)
{
	int rc = sql_run(store, NULL, err,
		"UPDATE zone SET serial = ?2, sha256 = ?3, dirty = 0, "
		"published = 1 WHERE zone = ?1",
		"sis", zone, (long long)serial, sha256);

	return rc ? rc : store_zone_serve(store, zone, serial, err);
}

int store_zone_serve(
	struct store *store, const char *zone, uint32_t serial, struct err *err)
{
	return sql_run(store, NULL, err,
		"INSERT INTO zone_serial VALUES (?1, ?2) ON CONFLICT (zone) "
		"DO UPDATE SET serial = excluded.serial",
		"si", zone, (long long)serial);
}

int store_zone_served(struct store *store, const char *zone, uint32_t *serial,
	struct err *err)
{
	json_t *rows = NULL;
	int rc = sql_run(store, &rows, err,
		"SELECT serial FROM zone_serial WHERE zone = ?1", "s", zone);

	*serial = (uint32_t)json_integer_value(
		json_object_get(json_array_get(rows, 0), "serial"));
	json_decref(rows);
	return rc;
}

int store_records(struct store *store, const char *zone, const char *owner,
	const char *type, json_t **out, struct err *err)
{
	const char *order = "SELECT owner, type, ttl, data FROM record WHERE "
			    "zone = ?1 ORDER BY owner, type, data";

	if (owner && type)
		return sql_run(store, out, err,
			"SELECT owner, type, ttl, data FROM record WHERE "
			"zone = ?1 AND owner = ?2 AND type = ?3 ORDER BY data",
			"sss", zone, owner, type);
	if (owner)
		return sql_run(store, out, err,
			"SELECT owner, type, ttl, data FROM record WHERE "
			"zone = ?1 AND owner = ?2 ORDER BY type, data",
			"ss", zone, owner);
	if (type)
		return sql_run(store, out, err,
			"SELECT owner, type, ttl, data FROM record WHERE "
			"zone = ?1 AND type = ?2 ORDER BY owner, data",
			"ss", zone, type);
	return sql_run(store, out, err, order, "s", zone);
}

int store_record_put(struct store *store, const char *zone, const char *owner,
	const char *type, uint32_t ttl_s, const char *data, struct err *err)
{
	int rc = sql_run(store, NULL, err,
		"INSERT INTO record (zone, owner, type, ttl, data) "
		"VALUES (?1, ?2, ?3, ?4, ?5)",
		"sssis", zone, owner, type, (long long)ttl_s, data);

	if (rc == -EEXIST)
		err_set(err, "record %s %s %.200s: exists already", owner, type,
			data);
	return rc;
}

int store_record_add(struct store *store, const char *zone, const char *owner,
	const char *type, uint32_t ttl_s, const char *data, struct err *err)
{
	int rc = store_record_put(store, zone, owner, type, ttl_s, data, err);

	if (!rc)
		rc = sql_run(store, NULL, err,
			"UPDATE record SET ttl = ?4 WHERE zone = ?1 AND "
			"owner = ?2 AND type = ?3 AND ttl <> ?4",
			"sssi", zone, owner, type, (long long)ttl_s);
	return rc ? rc : touch(store, zone, err);
}

int store_record_delete(struct store *store, const char *zone,
	const char *owner, const char *type, const char *data, int *count,
	struct err *err)
{
	int rc;

	if (type && data)
		rc = sql_run(store, NULL, err,
			"DELETE FROM record WHERE zone = ?1 AND owner = ?2 "
			"AND type = ?3 AND data = ?4",
			"ssss", zone, owner, type, data);
	else if (type)
		rc = sql_run(store, NULL, err,
			"DELETE FROM record WHERE zone = ?1 AND owner = ?2 "
			"AND type = ?3",
			"sss", zone, owner, type);
	else
		rc = sql_run(store, NULL, err,
			"DELETE FROM record WHERE zone = ?1 AND owner = ?2 "
			"AND type <> 'SOA'",
			"ss", zone, owner);
	if (rc)
		return rc;
	*count = sql_changes(store);
	return *count ? touch(store, zone, err) : 0;
}
