/* SPDX-License-Identifier: ISC */
#ifndef MGMT_STORE_H
#define MGMT_STORE_H

/*
 * The database of the management host: one sqlite file (WAL, synchronous
 * FULL, STRICT tables). Nothing else knows sqlite. Every write belongs to a
 * transaction (store_begin ... store_commit); a write outside of one is a bug
 * (assert). All calls return 0 or a negative errno with a line in err:
 * -ENOENT no such row, -EEXIST it is there, -EBUSY something refers to it,
 * -EIO the database failed. Main thread only.
 */

#include "common/base/digest.h"
#include "common/base/err.h"
#include "mgmt/model.h"

#include <jansson.h>

struct store;

/* Open or create; runs missing migrations in one transaction (after a backup
 * beside the file), checks the file. -EPROTO: made by a newer version;
 * -EINVAL: not ours or damaged. */
struct store *store_open(const char *path, struct err *err) MUST_CHECK;
void store_close(struct store *store); /* NULL allowed; rolls back */

int store_begin(struct store *store, struct err *err) MUST_CHECK;
int store_commit(struct store *store, struct err *err) MUST_CHECK;
void store_rollback(struct store *store);
/* A copy of the whole database as a new file. */
int store_backup(
	struct store *store, const char *path, struct err *err) MUST_CHECK;
/* integrity_check and foreign_key_check. */
int store_integrity(struct store *store, struct err *err) MUST_CHECK;

/* ---- rows of the model's tables ---- */

/* All rows ordered by key: new array. `key`: only where these columns are
 * equal (an object, may be NULL). */
int store_rows(struct store *store, const struct model_table *table,
	const json_t *key, json_t **out, struct err *err) MUST_CHECK;
/* The one row with the key columns of `key` (ignored for MODEL_SINGLE). */
int store_row(struct store *store, const struct model_table *table,
	const json_t *key, json_t **out, struct err *err) MUST_CHECK;
int store_insert(struct store *store, const struct model_table *table,
	const json_t *row, struct err *err) MUST_CHECK;
/* Set the non-key columns that are in `row`. */
int store_update(struct store *store, const struct model_table *table,
	const json_t *row, struct err *err) MUST_CHECK;
/* Owned rows go too; -EBUSY with who refers to it. */
int store_delete(struct store *store, const struct model_table *table,
	const json_t *key, struct err *err) MUST_CHECK;
/* The model as a doc (see model.h), zones with name, serial, sha256 and
 * `dirty` (true: rows changed since that sha256). New reference. */
int store_doc(struct store *store, json_t **out, struct err *err) MUST_CHECK;
/* Replace the tables of the model (not zones, not MODEL_KEEP) by a doc's. */
/* Give each MODEL_SINGLE table that is empty its row of defaults. */
int store_fill(struct store *store, struct err *err) MUST_CHECK;
int store_restore(
	struct store *store, const json_t *doc, struct err *err) MUST_CHECK;

/* ---- zones (texts canonical; the caller made them so) ---- */

/* {"zone","serial","published","dirty","sha256","records":N} */
int store_zone(struct store *store, const char *zone, json_t **out,
	struct err *err) MUST_CHECK;
int store_zones(struct store *store, json_t **out, struct err *err) MUST_CHECK;
/* A new zone without records, or with `exists` the old one emptied. The
 * serial never goes below one that was served under this name. */
int store_zone_put(struct store *store, const char *zone, uint32_t serial,
	bool exists, struct err *err) MUST_CHECK;
int store_zone_delete(
	struct store *store, const char *zone, struct err *err) MUST_CHECK;
/* The newest generation serves `sha256` with `serial`: clean again. */
int store_zone_published(struct store *store, const char *zone, uint32_t serial,
	const char *sha256, struct err *err) MUST_CHECK;
/* A generation serves this serial (its text is not the working set's). */
int store_zone_serve(struct store *store, const char *zone, uint32_t serial,
	struct err *err) MUST_CHECK;
/* Highest serial ever served under the name, 0 when none. */
int store_zone_served(struct store *store, const char *zone, uint32_t *serial,
	struct err *err) MUST_CHECK;
/* [{"owner","type","ttl","data"}]; owner and type may be NULL. */
int store_records(struct store *store, const char *zone, const char *owner,
	const char *type, json_t **out, struct err *err) MUST_CHECK;
/* The rrset of the record takes its ttl as a whole. */
int store_record_add(struct store *store, const char *zone, const char *owner,
	const char *type, uint32_t ttl_s, const char *data,
	struct err *err) MUST_CHECK;
/* Fast path of an import: the zone is new and `data` canonical. */
int store_record_put(struct store *store, const char *zone, const char *owner,
	const char *type, uint32_t ttl_s, const char *data,
	struct err *err) MUST_CHECK;
/* type NULL: all types but SOA; data NULL: the rrset. *count may be 0. */
int store_record_delete(struct store *store, const char *zone,
	const char *owner, const char *type, const char *data, int *count,
	struct err *err) MUST_CHECK;

/* ---- generations ---- */

/* Blobs over `octets` are refused from now on (0: no limit). */
void store_blob_limit(struct store *store, size_t octets);

/* Store octets under their sha256 (hex, DIGEST_HEX); known ones cost one
 * look-up. */
int store_blob_put(struct store *store, const void *data, size_t len, char *hex,
	struct err *err) MUST_CHECK;
/* Its octets. */
int store_blob_size(struct store *store, const char *hex, size_t *len,
	struct err *err) MUST_CHECK;
/* malloc'ed, NUL-terminated. */
int store_blob(struct store *store, const char *hex, char **data, size_t *len,
	struct err *err) MUST_CHECK;
/* *generation: on call a number that the new one must be higher than, after
 * it the new one. `goal_sha256`: the doc that it is a step to, or "". */
int store_gen_add(struct store *store, const char *author, const char *message,
	const char *doc_sha256, const char *goal_sha256, long long *generation,
	struct err *err) MUST_CHECK;
int store_manifest_add(struct store *store, long long generation,
	const char *node, const char *sha256, struct err *err) MUST_CHECK;
/* sha256 hex of a node's manifest in a generation. */
int store_manifest(struct store *store, long long generation, const char *node,
	char *hex, struct err *err) MUST_CHECK;
/* {"generation","parent","ts","author","message","doc_sha256","state",
 * "error","approved","allow_missing"}; generation 0: the newest. */
int store_gen(struct store *store, long long generation, json_t **out,
	struct err *err) MUST_CHECK;
/* Newest generation's number (0: none); approved: the newest that nodes may
 * switch to. */
int store_gen_newest(struct store *store, bool approved, long long *generation,
	struct err *err) MUST_CHECK;
int store_history(struct store *store, int limit, json_t **out,
	struct err *err) MUST_CHECK;
int store_rollout_set(struct store *store, long long generation,
	const char *state, bool approved, bool allow_missing, const char *error,
	struct err *err) MUST_CHECK;
int store_rollout_node(struct store *store, long long generation,
	const char *node, const char *phase, const char *error, int took_ms,
	struct err *err) MUST_CHECK;
/* [{"name","phase","err","took_ms"}] */
int store_rollout_nodes(struct store *store, long long generation, json_t **out,
	struct err *err) MUST_CHECK;
/* ---- credentials ---- */

int store_cert_add(struct store *store, const char *serial, const char *node,
	int64_t not_after, struct err *err) MUST_CHECK;
/* True: known, not revoked, of this node. */
bool store_cert_valid(
	struct store *store, const char *serial, const char *node);
int store_cert_revoke(
	struct store *store, const char *node, struct err *err) MUST_CHECK;
/* [{"serial","not_after","revoked"}] of a node. */
int store_certs(struct store *store, const char *node, json_t **out,
	struct err *err) MUST_CHECK;
int store_join_add(struct store *store, const char *hash, const char *node,
	int64_t expires, struct err *err) MUST_CHECK;
/* Use it up. -EACCES: unknown, used, expired, or of another node. */
int store_join_use(struct store *store, const char *hash, const char *node,
	int64_t now, struct err *err) MUST_CHECK;
int store_token_add(struct store *store, const char *name, const char *hash,
	const char *role, int64_t now, int64_t expires,
	struct err *err) MUST_CHECK;
/* {"name","role"}; -EACCES when unknown, revoked or expired. */
int store_token(struct store *store, const char *hash, int64_t now,
	json_t **out, struct err *err) MUST_CHECK;
int store_tokens(struct store *store, json_t **out, struct err *err) MUST_CHECK;
int store_token_revoke(
	struct store *store, const char *name, struct err *err) MUST_CHECK;

/* ---- audit rows (the chain is audit.c's) and small values ---- */

/* Hash of the newest row, or 64 zeros. */
int store_audit_tip(struct store *store, char *hex, struct err *err) MUST_CHECK;
/* `row` has all columns but id. */
int store_audit_add(
	struct store *store, const json_t *row, struct err *err) MUST_CHECK;
/* Rows after `id` in order, at most `limit`; or with id < 0 the newest. */
int store_audit_rows(struct store *store, long long id, int limit, json_t **out,
	struct err *err) MUST_CHECK;
/* The site's secret in hex, made when it is first asked for; inside of a
 * transaction. Keys that nodes share are derived from it; it is in no doc,
 * so going back to an old generation keeps it. */
int store_secret(
	struct store *store, char out[DIGEST_HEX], struct err *err) MUST_CHECK;
/* "epoch" and the like; -ENOENT. malloc'ed. */
int store_meta(struct store *store, const char *key, char **value,
	struct err *err) MUST_CHECK;

#endif
