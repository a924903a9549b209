/* SPDX-License-Identifier: ISC */
/*
 * hash = SHA-256 of the canonical JSON of all other columns, the hash of the
 * row before among them.
 */

#include "mgmt/audit.h"

#include <errno.h>

#include "common/base/clock.h"
#include "common/base/digest.h"

#define PAGE 500

static const char *const secret_args[] = {
	"password", "token", "csr_pem", "secret"};
static const char *const long_args[] = {
	"text", "root_hints_text", "trust_anchor_text"};

static void mask(json_t *value);

static void mask_long(json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);
	char hex[DIGEST_HEX];

	if (!json_is_string(v) || json_string_length(v) < 200)
		return;
	digest_hex(json_string_value(v), json_string_length(v), hex);
	json_object_set_new(object, key,
		json_sprintf(
			"%zu octets, sha256 %s", json_string_length(v), hex));
}

static void mask_object(json_t *object)
{
	const char *key;
	json_t *value;

	for (size_t i = 0; i < countof(secret_args); i++)
		if (json_object_get(object, secret_args[i]))
			json_object_set_new(
				object, secret_args[i], json_string("***"));
	for (size_t i = 0; i < countof(long_args); i++)
		mask_long(object, long_args[i]);
	json_object_foreach(object, key, value)
		mask(value);
}

static void mask(json_t *value)
{
	size_t i;
	json_t *item;

	if (json_is_object(value))
		mask_object(value);
	json_array_foreach(value, i, item)
		mask(item);
}

static char *detail_of(const struct audit_entry *entry)
{
	json_t *copy =
		entry->args ? json_deep_copy(entry->args) : json_object();
	char *text;

	mask(copy);
	if (entry->message && *entry->message)
		json_object_set_new(
			copy, "message", json_string(entry->message));
	text = json_canonical(copy);
	json_decref(copy);
	return text;
}

/* Hash of a row: of everything in it but `id` and `hash`. */
static int row_hash(const json_t *row, char hex[DIGEST_HEX])
{
	json_t *copy = json_copy((json_t *)(uintptr_t)row);
	char *text;

	json_object_del(copy, "id");
	json_object_del(copy, "hash");
	text = json_canonical(copy);
	json_decref(copy);
	if (!text)
		return -ENOMEM;
	digest_hex(text, strlen(text), hex);
	free(text);
	return 0;
}

int audit_add(
	struct store *store, const struct audit_entry *entry, struct err *err)
{
	char prev[DIGEST_HEX], hash[DIGEST_HEX];
	char *detail = detail_of(entry);
	json_t *row = NULL;
	int rc = store_audit_tip(store, prev, err);

	if (!rc)
		row = json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s}", "ts",
			(json_int_t)wall_now_s(), "actor", entry->actor, "src",
			entry->src, "verb", entry->verb, "object",
			entry->object, "detail", detail ? detail : "{}",
			"prev_hash", prev);
	if (!rc && (!row || row_hash(row, hash)))
		rc = err_fail(err, -ENOMEM, "audit: no memory");
	if (!rc) {
		json_object_set_new(row, "hash", json_string(hash));
		rc = store_audit_add(store, row, err);
	}
	json_decref(row);
	free(detail);
	return rc;
}

static int verify_row(const json_t *row, char prev[DIGEST_HEX], long long *id,
	struct err *err)
{
	char hash[DIGEST_HEX];
	long long at = row_int(row, "id");

	if (at != *id + 1)
		return err_fail(
			err, -EINVAL, "audit: row %lld is missing", *id + 1);
	if (strcmp(row_str(row, "prev_hash"), prev))
		return err_fail(err, -EINVAL,
			"audit: row %lld does not follow the row before", at);
	if (row_hash(row, hash) || strcmp(row_str(row, "hash"), hash))
		return err_fail(err, -EINVAL,
			"audit: row %lld was changed after it was written", at);
	snprintf(prev, DIGEST_HEX, "%s", hash);
	*id = at;
	return 0;
}

int audit_verify(struct store *store, long long *rows, struct err *err)
{
	char prev[DIGEST_HEX];
	long long id = 0;
	int rc = 0;

	snprintf(prev, sizeof(prev), "%064d", 0);
	for (;;) {
		json_t *page = NULL, *row;
		size_t i, n;

		rc = store_audit_rows(store, id, PAGE, &page, err);
		n = json_array_size(page);
		json_array_foreach(page, i, row)
			if (!rc)
				rc = verify_row(row, prev, &id, err);
		json_decref(page);
		if (rc || n == 0)
			break;
	}
	*rows = id;
	return rc;
}
