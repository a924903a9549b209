/* SPDX-License-Identifier: ISC */
#ifndef MGMT_ZONE_H
#define MGMT_ZONE_H

/*
 * Zones between the three forms they have here: text (common/zone), rows of
 * the store, and the text of a generation. Main thread.
 */

#include "common/base/err.h"
#include "common/zone/zone.h"
#include "mgmt/store.h"

#include <jansson.h>

/* Canonical name ("example.net."): lower case, final dot. -EINVAL. */
int mzone_name(
	const char *text, char out[NAME_MAX_TEXT], struct err *err) MUST_CHECK;
/* The working set's zone, its SOA with `serial`. Free with zone_free. */
int mzone_load(struct store *store, const char *name, uint32_t serial,
	struct zone **out, struct err *err) MUST_CHECK;
/* A generation's text of a zone. */
int mzone_blob(struct store *store, const char *name, const char *sha256,
	struct zone **out, struct err *err) MUST_CHECK;
/* Write all records of `zone`; an existing one is replaced when `replace`,
 * else -EEXIST. */
int mzone_store(struct store *store, const struct zone *zone, bool replace,
	struct err *err) MUST_CHECK;
/* Read text of a file or a command; `name` NULL: the SOA's owner, which must
 * be absolute or under $ORIGIN. Warnings are appended to the array. */
int mzone_read(const char *name, const char *text, struct zone **out,
	json_t *warnings, struct err *err) MUST_CHECK;
/* The zone as an operator creates it: SOA and NS only. */
struct mzone_new {
	const char *name, *primary_ns, *contact; /* may be NULL but name */
	const json_t *ns;                        /* array or NULL */
	uint32_t ttl_s;
};
int mzone_create(const struct mzone_new *spec, struct zone **out,
	struct err *err) MUST_CHECK;
/*
 * Publish: when the rows differ from the newest generation's text, give the
 * zone its next serial, store the text as blob and mark it clean. *sha256
 * (DIGEST_HEX) and *serial are those of the text to serve.
 */
int mzone_publish(struct store *store, const json_t *row, char *sha256,
	uint32_t *serial, struct err *err) MUST_CHECK;
/* Append {"op","kind":"record","key","detail"} for each rrset that differs,
 * serials apart. Either may be NULL (a new zone, a deleted one). */
int mzone_diff(const struct zone *old, const struct zone *new, json_t *out,
	struct err *err) MUST_CHECK;

#endif
