/* SPDX-License-Identifier: ISC */
/*
 * Zones between rows, text and generations. The rows of the working set hold
 * canonical texts; a whole zone is put together, checked and printed only
 * when it is published, exported or compared, so that the edit of one record
 * costs the same in a small and in a big zone.
 */

#include "mgmt/zone.h"

#include <errno.h>

#include "common/base/clock.h"
#include "common/base/digest.h"
#include "common/dns/code.h"

int mzone_name(const char *text, char out[NAME_MAX_TEXT], struct err *err)
{
	struct name name;

	if (name_parse(text, &name))
		return err_fail(
			err, -EINVAL, "\"%.200s\": not a domain name", text);
	name_to_lower(name.wire, name.wire, name.len);
	name_print(&name, out);
	return 0;
}

static int read_text(const char *name, const char *label, const char *text,
	size_t len, json_t *warnings, struct zone **out, struct err *err)
{
	struct zone_read_options options = {.origin = name};
	struct zone_report report;
	struct zone *zone;
	int rc = 0;

	zone_report_init(&report);
	zone = zone_read_text(text, len, label, &options, &report);
	if (zone && warnings)
		rc = zone_check(zone, NULL, &report);
	if (!zone || rc) {
		err_set(err, "zone %s: cannot be read", name);
		rc = zone_report_err(&report, err);
		rc = rc ? rc : -ENOMEM;
		zone_free(zone);
		zone = NULL;
	}
	for (size_t i = 0; !rc && warnings && i < report.count; i++)
		json_array_append_new(
			warnings, json_string(report.items[i].text));
	zone_report_fini(&report);
	*out = zone;
	return rc;
}

int mzone_load(struct store *store, const char *name, uint32_t serial,
	struct zone **out, struct err *err)
{
	json_t *rows = NULL;
	struct text text;
	size_t i;
	json_t *row;
	int rc = store_records(store, name, NULL, NULL, &rows, err);

	if (rc)
		return rc;
	text_init(&text);
	json_array_foreach(rows, i, row)
		text_add(&text, "%s %lld IN %s %s\n", row_str(row, "owner"),
			(long long)row_int(row, "ttl"), row_str(row, "type"),
			row_str(row, "data"));
	if (text.failed)
		rc = err_fail(err, -ENOMEM, "zone %s: too big", name);
	else
		rc = read_text(name, name, text.data, text.len, NULL, out, err);
	if (!rc)
		rc = zone_serial_set(*out, serial, err);
	if (rc == -ENOENT || (rc == 0 && !*out))
		rc = -EINVAL;
	if (rc) {
		zone_free(*out);
		*out = NULL;
	}
	text_fini(&text);
	json_decref(rows);
	return rc;
}

int mzone_blob(struct store *store, const char *name, const char *sha256,
	struct zone **out, struct err *err)
{
	char *data = NULL;
	size_t len = 0;
	int rc = store_blob(store, sha256, &data, &len, err);

	if (!rc)
		rc = read_text(name, name, data, len, NULL, out, err);
	free(data);
	return rc;
}

static int store_rrsets(
	struct store *store, const struct zone *zone, struct err *err)
{
	const char *name = zone_origin(zone);
	char type[DNS_CODE_TEXT];
	struct zone_rrset set;
	size_t it = 0;
	int rc = 0;

	while (!rc && zone_next(zone, &it, &set)) {
		dns_type_print(set.type, type);
		for (size_t i = 0; i < set.count && !rc; i++)
			rc = store_record_put(store, name, set.owner, type,
				set.ttl_s, zone_rdata(&set, i), err);
	}
	return rc;
}

int mzone_store(struct store *store, const struct zone *zone, bool replace,
	struct err *err)
{
	const char *name = zone_origin(zone);
	uint32_t serial = 0, served = 0;
	json_t *row = NULL;
	int rc = store_zone(store, name, &row, NULL);
	bool exists = rc == 0;

	json_decref(row);
	if (rc && rc != -ENOENT)
		return err_fail(err, rc, "zone %s: cannot be read", name);
	if (exists && !replace)
		return err_fail(err, -EEXIST, "zone %s: exists already", name);
	if (!zone_serial(zone, &serial))
		return err_fail(err, -EINVAL, "zone %s: has no SOA", name);
	rc = store_zone_served(store, name, &served, err);
	if (rc)
		return rc;
	if (served && !zone_serial_gt(serial, served))
		serial = zone_serial_next(
			ZONE_SERIAL_DATE, served, served, wall_now_s());
	rc = store_zone_put(store, name, serial, exists, err);
	return rc ? rc : store_rrsets(store, zone, err);
}

/* The owner of the first SOA line: "name [ttl] [IN] SOA". */
static int soa_owner(const char *text, char *out, size_t size)
{
	char line[2048], owner[512], word[4][64];

	for (const char *p = text; p && *p; p = strchr(p, '\n')) {
		p += *p == '\n';
		snprintf(line, sizeof(line), "%.*s", (int)strcspn(p, "\n"), p);
		int n = sscanf(line, "%511s %63s %63s %63s", owner, word[0],
			word[1], word[2]);

		for (int i = 0; i < n - 1; i++) {
			if (strcmp(word[i], "SOA") && strcmp(word[i], "soa"))
				continue;
			if (owner[strlen(owner) - 1] != '.')
				return -EINVAL;
			snprintf(out, size, "%s", owner);
			return 0;
		}
	}
	return -EINVAL;
}

int mzone_read(const char *name, const char *text, struct zone **out,
	json_t *warnings, struct err *err)
{
	char owner[512], canonical[NAME_MAX_TEXT];
	int rc;

	if (!name && soa_owner(text, owner, sizeof(owner)))
		return err_fail(err, -EINVAL,
			"the zone's name is not given and no SOA line with an "
			"absolute owner was found");
	rc = mzone_name(name ? name : owner, canonical, err);
	if (rc)
		return rc;
	return read_text(
		canonical, canonical, text, strlen(text), warnings, out, err);
}

/* A name as the operator wrote it: relative to the zone without final dot
 * when it has no dot at all, else absolute. */
static void absolute(const char *text, const char *zone, char *out, size_t size)
{
	size_t len = strlen(text);

	if (len && text[len - 1] == '.')
		snprintf(out, size, "%s", text);
	else if (strchr(text, '.'))
		snprintf(out, size, "%s.", text);
	else
		snprintf(out, size, "%s.%s", text,
			strcmp(zone, ".") ? zone : "");
}

int mzone_create(
	const struct mzone_new *spec, struct zone **out, struct err *err)
{
	char ns[NAME_MAX_TEXT], contact[NAME_MAX_TEXT];
	uint32_t ttl = spec->ttl_s ? spec->ttl_s : 3600;
	struct zone *zone = zone_new(spec->name, err);
	struct text soa;
	int rc = 0;

	if (!zone)
		return -EINVAL;
	absolute(spec->primary_ns ? spec->primary_ns
		 : json_array_size(spec->ns)
			 ? json_string_value(json_array_get(spec->ns, 0))
			 : "ns1",
		spec->name, ns, sizeof(ns));
	absolute(spec->contact ? spec->contact : "hostmaster", spec->name,
		contact, sizeof(contact));
	text_init(&soa);
	text_add(&soa, "%s %s %u 3600 900 1209600 300", ns, contact,
		zone_serial_next(ZONE_SERIAL_DATE, 0, 0, wall_now_s()));
	rc = zone_add(zone, "@", ttl, DNS_TYPE_SOA, soa.data, err);
	if (!rc && json_array_size(spec->ns) == 0)
		rc = zone_add(zone, "@", ttl, DNS_TYPE_NS, ns, err);
	for (size_t i = 0; i < json_array_size(spec->ns) && !rc; i++) {
		absolute(json_string_value(json_array_get(spec->ns, i)),
			spec->name, ns, sizeof(ns));
		rc = zone_add(zone, "@", ttl, DNS_TYPE_NS, ns, err);
	}
	text_fini(&soa);
	if (rc)
		zone_free(zone);
	else
		*out = zone;
	return rc;
}

/* Whole and fit to serve? */
static int publishable(const struct zone *zone, struct err *err)
{
	struct zone_report report;
	int rc;

	zone_report_init(&report);
	rc = zone_check(zone, NULL, &report);
	if (rc)
		zone_report_err(&report, err);
	zone_report_fini(&report);
	if (rc)
		err_prefix(err, "zone %s", zone_origin(zone));
	return rc;
}

/* Is the working zone equal to what is served, serial apart? */
static int unchanged(struct store *store, const struct zone *zone,
	const char *sha256, bool *same, struct err *err)
{
	struct zone *old = NULL;
	int rc = 0;

	*same = false;
	if (*sha256)
		rc = mzone_blob(store, zone_origin(zone), sha256, &old, err);
	if (old)
		*same = zone_equal(zone, old, true);
	zone_free(old);
	return rc;
}

static int publish_new(struct store *store, struct zone *zone,
	const json_t *row, char *sha256, uint32_t *serial, struct err *err)
{
	uint32_t served = 0;
	struct text text;
	int rc = store_zone_served(store, zone_origin(zone), &served, err);

	*serial = (uint32_t)row_int(row, "serial");
	if (served && !zone_serial_gt(*serial, served))
		*serial = zone_serial_next(
			ZONE_SERIAL_DATE, *serial, served, wall_now_s());
	if (!rc)
		rc = zone_serial_set(zone, *serial, err);
	if (rc)
		return rc;
	text_init(&text);
	zone_print(zone, &text);
	if (text.failed)
		rc = err_fail(
			err, -EFBIG, "zone %s: too big", zone_origin(zone));
	else
		rc = store_blob_put(store, text.data, text.len, sha256, err);
	text_fini(&text);
	return rc;
}

/* Served as it is: nothing was edited, and no other serial was served since
 * (as after an automatic return). */
static int is_clean(
	struct store *store, const json_t *row, bool *clean, struct err *err)
{
	uint32_t served = 0;
	int rc = store_zone_served(store, row_str(row, "zone"), &served, err);

	*clean = !row_bool(row, "dirty") && *row_str(row, "sha256") &&
		 served == (uint32_t)row_int(row, "serial");
	return rc;
}

int mzone_publish(struct store *store, const json_t *row, char *sha256,
	uint32_t *serial, struct err *err)
{
	const char *name = row_str(row, "zone");
	struct zone *zone = NULL;
	uint32_t served = 0;
	bool same = false, clean;
	int rc = is_clean(store, row, &clean, err);

	snprintf(sha256, DIGEST_HEX, "%s", row_str(row, "sha256"));
	*serial = (uint32_t)row_int(row, "serial");
	if (rc || clean)
		return rc;
	rc = mzone_load(store, name, *serial, &zone, err);
	if (!rc)
		rc = publishable(zone, err);
	if (!rc)
		rc = store_zone_served(store, name, &served, err);
	if (!rc && served == *serial)
		rc = unchanged(store, zone, sha256, &same, err);
	if (!rc && !same)
		rc = publish_new(store, zone, row, sha256, serial, err);
	if (!rc)
		rc = store_zone_published(store, name, *serial, sha256, err);
	zone_free(zone);
	return rc;
}

/* Rdata with the serial of an SOA made 0, so that it does not differ. */
static void plain_rdata(
	const struct zone_rrset *set, size_t i, struct text *out)
{
	const char *text = zone_rdata(set, i);
	const char *serial, *rest;

	if (set->type != DNS_TYPE_SOA || !(serial = strchr(text, ' ')) ||
		!(serial = strchr(serial + 1, ' ')) ||
		!(rest = strchr(serial + 1, ' '))) {
		text_add(out, "%s", text);
		return;
	}
	text_add(out, "%.*s serial%s", (int)(serial - text), text, rest);
}

static json_t *rrset_lines(const struct zone_rrset *set)
{
	json_t *lines = json_array();

	for (size_t i = 0; set && i < set->count; i++) {
		struct text line;

		text_init(&line);
		text_add(&line, "%u ", (unsigned)set->ttl_s);
		plain_rdata(set, i, &line);
		json_array_append_new(lines, json_string(line.data));
		text_fini(&line);
	}
	return lines;
}

static void add_lines(json_t *detail, const char *sign, const json_t *lines,
	const json_t *but)
{
	for (size_t i = 0; i < json_array_size(lines); i++) {
		const char *text = json_string_value(json_array_get(lines, i));

		if (text && !list_has(but, text))
			json_array_append_new(
				detail, json_sprintf("%s%s", sign, text));
	}
}

static int rrset_diff(
	const struct zone_rrset *old, const struct zone_rrset *new, json_t *out)
{
	const struct zone_rrset *any = new ? new : old;
	json_t *a = rrset_lines(old), *b = rrset_lines(new);
	json_t *detail = json_array();
	char type[DNS_CODE_TEXT];
	int rc = 0;

	add_lines(detail, "- ", a, b);
	add_lines(detail, "+ ", b, a);
	if (json_array_size(detail) > 0)
		rc = json_array_append_new(
			out, json_pack("{s:s, s:s, s:o, s:O}", "op",
				     !old   ? "add"
				     : !new ? "del"
					    : "mod",
				     "kind", "record", "key",
				     json_sprintf("%s %s", any->owner,
					     dns_type_print(any->type, type)),
				     "detail", detail));
	json_decref(detail);
	json_decref(a);
	json_decref(b);
	return rc ? -ENOMEM : 0;
}

int mzone_diff(const struct zone *old, const struct zone *new, json_t *out,
	struct err *err)
{
	struct zone_rrset a, b;
	size_t it = 0;
	int rc = 0;

	while (!rc && new &&zone_next(new, &it, &b)) {
		bool had = old && zone_find(old, b.owner, b.type, &a);

		rc = rrset_diff(had ? &a : NULL, &b, out);
	}
	for (it = 0; !rc && old && zone_next(old, &it, &a);)
		if (!new || !zone_find(new, a.owner, a.type, &b))
			rc = rrset_diff(&a, NULL, out);
	return rc ? err_fail(err, rc, "no memory") : 0;
}
