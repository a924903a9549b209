/* SPDX-License-Identifier: ISC */
/* Manifest text -> struct, strict. */
#include "mgmt/agent/manifest.h"

#include "common/dns/code.h"

#include <errno.h>
#include <jansson.h>

#define ITEMS_MAX  200000
#define PROOFS_MAX 100000

bool manifest_key_ok(const char *key)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_.-/";
	const char *part = key;
	unsigned parts = 0;

	if (!*key || strlen(key) >= MANIFEST_KEY || key[strspn(key, allowed)])
		return false;
	while (part) {
		if (*part == '.' || *part == '/' || !*part || ++parts > 2)
			return false;
		part = strchr(part, '/');
		part = part ? part + 1 : NULL;
	}
	return strcmp(key, "manifest.json") != 0;
}

static bool sha_ok(const char *hex)
{
	uint8_t raw[DIGEST_SIZE];

	return strlen(hex) == DIGEST_HEX - 1 &&
	       hex_parse(hex, raw, sizeof(raw)) &&
	       strspn(hex, "0123456789abcdef") == DIGEST_HEX - 1;
}

static int parse_item(json_t *json, struct manifest_item *item, struct err *err)
{
	const char *key, *kind, *sha;
	json_int_t size;

	if (json_unpack(json, "{s:s,s:s,s:s,s:I !}", "key", &key, "kind", &kind,
		    "sha256", &sha, "size", &size) < 0)
		return err_fail(err, -EINVAL, "manifest: item malformed");
	if (!manifest_key_ok(key))
		return err_fail(
			err, -EINVAL, "manifest: item '%.80s': bad name", key);
	if (!sha_ok(sha) || size < 0 || strlen(kind) >= sizeof(item->kind))
		return err_fail(err, -EINVAL,
			"manifest: item %s: bad digest, size or kind", key);
	snprintf(item->key, sizeof(item->key), "%s", key);
	snprintf(item->kind, sizeof(item->kind), "%s", kind);
	snprintf(item->sha256, sizeof(item->sha256), "%s", sha);
	item->size = size;
	return 0;
}

static int parse_proof(
	json_t *json, struct manifest_proof *proof, struct err *err)
{
	const char *kind, *name, *at, *type = "SOA";
	json_int_t serial = -1;

	if (json_unpack(json, "{s:s,s:s,s:s,s?s,s?I !}", "kind", &kind, "name",
		    &name, "at", &at, "type", &type, "serial", &serial) < 0)
		return err_fail(err, -EINVAL, "manifest: proof malformed");
	proof->soa = strcmp(kind, "soa") == 0;
	proof->any = strcmp(kind, "reply") == 0;
	if (!proof->soa && !proof->any && strcmp(kind, "answer") != 0)
		return err_fail(err, -EINVAL,
			"manifest: proof of unknown kind '%.40s'", kind);
	if (proof->soa && (serial < 0 || serial > UINT32_MAX))
		return err_fail(err, -EINVAL, "manifest: proof without serial");
	if (name_parse(name, &proof->name) < 0 ||
		!dns_type_parse(type, &proof->type) ||
		addr_parse(at, 53, &proof->at) < 0)
		return err_fail(err, -EINVAL,
			"manifest: proof of '%.80s': bad name, type or address",
			name);
	proof->serial = (uint32_t)serial;
	return 0;
}

static int by_key(const struct manifest_item *a, const struct manifest_item *b)
{
	return strcmp(a->key, b->key);
}

static int parse_items(json_t *items, struct manifest *m, struct err *err)
{
	size_t n = json_array_size(items), i;
	json_t *item;
	int rc;

	if (n > ITEMS_MAX)
		return err_fail(err, -EINVAL, "manifest: too many items");
	m->items = calloc(n + 1, sizeof(*m->items));
	if (!m->items)
		return err_fail(err, -ENOMEM, "out of memory");
	json_array_foreach(items, i, item) {
		rc = parse_item(item, &m->items[i], err);
		if (rc < 0)
			return rc;
		/* sorted, so that equal keys are neighbours */
		if (i > 0 && by_key(&m->items[i - 1], &m->items[i]) >= 0)
			return err_fail(err, -EINVAL,
				"manifest: item %s: twice or out of order",
				m->items[i].key);
		m->count++;
	}
	return 0;
}

static int parse_proofs(json_t *proofs, struct manifest *m, struct err *err)
{
	size_t n = json_array_size(proofs), i;
	json_t *proof;
	int rc;

	if (n > PROOFS_MAX)
		return err_fail(err, -EINVAL, "manifest: too many proofs");
	m->proofs = calloc(n + 1, sizeof(*m->proofs));
	if (!m->proofs)
		return err_fail(err, -ENOMEM, "out of memory");
	json_array_foreach(proofs, i, proof) {
		rc = parse_proof(proof, &m->proofs[i], err);
		if (rc < 0)
			return rc;
		m->proof_count++;
	}
	return 0;
}

static int parse_root(json_t *root, struct manifest *m, struct err *err)
{
	json_int_t epoch, generation, parent;
	json_t *items, *proofs;
	const char *node;
	int min_proto, rc;

	if (!root || json_unpack(root, "{s:I,s:I,s:I,s:i,s:s,s:o,s:o}", "epoch",
			     &epoch, "generation", &generation, "parent",
			     &parent, "min_proto", &min_proto, "node", &node,
			     "items", &items, "prove", &proofs) < 0)
		return err_fail(err, -EINVAL, "manifest: malformed");
	if (min_proto > MANIFEST_PROTO)
		return err_fail(err, -EINVAL,
			"manifest: needs node protocol %d, this agent speaks "
			"%d: update it",
			min_proto, MANIFEST_PROTO);
	if (generation < 1 || epoch < 0 || strlen(node) >= sizeof(m->node) ||
		!json_is_array(items) || !json_is_array(proofs))
		return err_fail(err, -EINVAL, "manifest: malformed");
	m->epoch = epoch;
	m->generation = generation;
	m->parent = parent;
	snprintf(m->node, sizeof(m->node), "%s", node);
	rc = parse_items(items, m, err);
	return rc == 0 ? parse_proofs(proofs, m, err) : rc;
}

int manifest_parse(
	const char *text, size_t len, struct manifest *out, struct err *err)
{
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	int rc;

	memset(out, 0, sizeof(*out));
	digest_hex(text, len, out->sha256);
	rc = parse_root(root, out, err);
	json_decref(root);
	if (rc < 0)
		manifest_fini(out);
	return rc;
}

void manifest_fini(struct manifest *m)
{
	free(m->items);
	free(m->proofs);
	memset(m, 0, sizeof(*m));
}

const struct manifest_item *manifest_find(
	const struct manifest *m, const char *key)
{
	size_t low = 0, high = m->count, mid;
	int order;

	while (low < high) {
		mid = low + (high - low) / 2;
		order = strcmp(key, m->items[mid].key);
		if (order == 0)
			return &m->items[mid];
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

const struct manifest_item *manifest_find_sha(
	const struct manifest *m, const char *sha256)
{
	for (size_t i = 0; i < m->count; i++)
		if (strcmp(m->items[i].sha256, sha256) == 0)
			return &m->items[i];
	return NULL;
}
