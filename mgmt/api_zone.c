/* SPDX-License-Identifier: ISC */
/* Verbs on zones and records. */

#include "mgmt/command.h"

#include <errno.h>

#include "common/dns/code.h"
#include "mgmt/change.h"
#include "mgmt/zone.h"

#define DELETE_SURE 10 /* more records than this need "force" */

static int zone_arg(
	const json_t *args, char name[NAME_MAX_TEXT], struct err *err)
{
	const char *text;
	int rc = arg_text(args, "zone", &text, err);

	if (rc)
		return rc;
	rc = mzone_name(text, name, err);
	if (rc)
		err_prefix(err, "zone");
	return rc;
}

/* {zone: serial} of the generation that nodes may serve. New. */
static int served_serials(struct call *call, json_t **out, struct err *err)
{
	json_t *doc = NULL, *row;
	size_t i;
	int rc = change_current(call->m->store, &doc, err);

	*out = json_object();
	json_array_foreach(model_rows(doc, "zones"), i, row)
		json_object_set(*out, row_str(row, "zone"),
			json_object_get(row, "serial"));
	json_decref(doc);
	return rc;
}

static json_t *zone_view(const json_t *row, const json_t *served)
{
	json_t *serial = json_object_get(served, row_str(row, "zone"));

	return json_pack("{s:s, s:I, s:I, s:o, s:b}", "name",
		row_str(row, "zone"), "serial",
		(json_int_t)row_int(row, "serial"), "records",
		(json_int_t)row_int(row, "records"), "served_serial",
		serial ? json_incref(serial) : json_null(), "changed",
		(int)row_int(row, "dirty"));
}

static int zone_list(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	json_t *rows = NULL, *served = NULL, *row;
	size_t i;
	int rc = arg_only(args, "", err);

	if (!rc)
		rc = store_zones(call->m->store, &rows, err);
	if (!rc)
		rc = served_serials(call, &served, err);
	*result = json_array();
	json_array_foreach(rows, i, row)
		json_array_append_new(*result, zone_view(row, served));
	json_decref(served);
	json_decref(rows);
	return rc;
}

static int zone_text(struct call *call, const json_t *args, json_t **result,
	bool whole, struct err *err)
{
	char name[NAME_MAX_TEXT];
	struct zone *zone = NULL;
	json_t *row = NULL;
	struct text text;
	int rc = arg_only(args, "zone", err);

	text_init(&text);
	if (!rc)
		rc = zone_arg(args, name, err);
	if (!rc)
		rc = store_zone(call->m->store, name, &row, err);
	if (!rc)
		rc = mzone_load(call->m->store, name,
			(uint32_t)row_int(row, "serial"), &zone, err);
	if (!rc) {
		zone_print(zone, &text);
		*result = whole ? json_pack("{s:s, s:I, s:s, s:I}", "name",
					  name, "serial",
					  (json_int_t)row_int(row, "serial"),
					  "text", text.data, "records",
					  (json_int_t)zone_count(zone))
				: json_pack("{s:s}", "text", text.data);
	}
	text_fini(&text);
	zone_free(zone);
	json_decref(row);
	return rc;
}

static int zone_show(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	return zone_text(call, args, result, true, err);
}

static int zone_export(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	return zone_text(call, args, result, false, err);
}

static int zone_create(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	char name[NAME_MAX_TEXT];
	struct mzone_new spec = {.name = name};
	struct zone *zone = NULL;
	long long ttl = 3600;
	size_t i;
	json_t *v;
	int rc = arg_only(args, "zone primary_ns contact ns ttl", err);

	if (!rc)
		rc = zone_arg(args, name, err);
	if (!rc)
		rc = arg_maybe(args, "primary_ns", &spec.primary_ns, err);
	if (!rc)
		rc = arg_maybe(args, "contact", &spec.contact, err);
	if (!rc)
		rc = arg_int(args, "ttl", 0, 2147483647, &ttl, err);
	spec.ns = json_object_get(args, "ns");
	json_array_foreach(spec.ns, i, v)
		if (!rc && !json_is_string(v))
			rc = err_fail(err, -EBADR, "\"ns\" must be texts");
	spec.ttl_s = (uint32_t)ttl;
	if (!rc)
		rc = mzone_create(&spec, &zone, err);
	if (!rc)
		rc = mzone_store(call->m->store, zone, call->upsert, err);
	if (!rc)
		*result = json_pack("{s:s, s:I}", "zone", name, "records",
			(json_int_t)zone_count(zone));
	zone_free(zone);
	return rc;
}

static int zone_import(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	json_t *warnings = json_array();
	const char *name = NULL, *text, *file;
	struct zone *zone = NULL;
	int rc = arg_only(args, "zone text file", err);

	if (!rc)
		rc = arg_maybe(args, "zone", &name, err);
	if (!rc)
		rc = arg_maybe(args, "file", &file, err);
	if (!rc)
		rc = arg_text(args, "text", &text, err);
	if (!rc)
		rc = mzone_read(name, text, &zone, warnings, err);
	if (!rc)
		rc = mzone_store(call->m->store, zone, true, err);
	if (!rc)
		*result = json_pack("{s:s, s:I, s:O}", "zone",
			zone_origin(zone), "records",
			(json_int_t)zone_count(zone), "warnings", warnings);
	zone_free(zone);
	json_decref(warnings);
	return rc;
}

static int zone_remove(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	char name[NAME_MAX_TEXT];
	json_t *row = NULL;
	int rc = arg_only(args, "zone force", err);

	(void)result;
	if (!rc)
		rc = zone_arg(args, name, err);
	if (!rc)
		rc = store_zone(call->m->store, name, &row, err);
	if (!rc && row_int(row, "records") > DELETE_SURE &&
		!json_is_true(json_object_get(args, "force")))
		rc = err_fail(err, -EBUSY,
			"zone %s: has %lld records, deleting it needs force",
			name, (long long)row_int(row, "records"));
	if (!rc)
		rc = store_zone_delete(call->m->store, name, err);
	json_decref(row);
	return rc;
}

/* ---- records ---- */

/* The zone, its serial, and the owner made absolute. */
struct at {
	char zone[NAME_MAX_TEXT], owner[NAME_MAX_TEXT];
	uint32_t serial;
};

static int owner_absolute(const char *text, struct at *at, struct err *err)
{
	char joined[2 * NAME_MAX_TEXT];
	struct name name, zone;
	size_t len = strlen(text);

	if (!strcmp(text, "@"))
		snprintf(joined, sizeof(joined), "%s", at->zone);
	else if (len && text[len - 1] == '.')
		snprintf(joined, sizeof(joined), "%.1023s", text);
	else
		snprintf(joined, sizeof(joined), "%.1000s.%s", text,
			strcmp(at->zone, ".") ? at->zone : "");
	if (name_parse(joined, &name) || name_parse(at->zone, &zone))
		return err_fail(err, -EINVAL,
			"name: \"%.80s\": not a domain name", text);
	if (!name_under(name.wire, zone.wire))
		return err_fail(err, -EINVAL, "name: %.200s is not in zone %s",
			joined, at->zone);
	name_to_lower(name.wire, name.wire, name.len);
	name_print(&name, at->owner);
	return 0;
}

static int record_at(struct call *call, const json_t *args, struct at *at,
	const char **name, struct err *err)
{
	json_t *row = NULL;
	int rc = zone_arg(args, at->zone, err);

	if (!rc)
		rc = store_zone(call->m->store, at->zone, &row, err);
	if (!rc)
		at->serial = (uint32_t)row_int(row, "serial");
	json_decref(row);
	if (!rc)
		rc = arg_maybe(args, "name", name, err);
	at->owner[0] = '\0';
	return rc || !*name ? rc : owner_absolute(*name, at, err);
}

static int type_arg(const json_t *args, bool required, char out[DNS_CODE_TEXT],
	const char **type, struct err *err)
{
	const char *text;
	uint16_t number;
	int rc = arg_maybe(args, "type", &text, err);

	*type = NULL;
	if (!rc && !text && required)
		rc = err_fail(err, -EBADR, "\"type\" is missing");
	if (rc || !text)
		return rc;
	if (!dns_type_parse(text, &number))
		return err_fail(
			err, -EINVAL, "type: \"%.40s\": is unknown", text);
	*type = dns_type_print(number, out);
	return 0;
}

/* Rows of the store as the API shows them. `rows` is stolen. New. */
static json_t *records_view(json_t *rows)
{
	json_t *out = json_array(), *row;
	size_t i;

	json_array_foreach(rows, i, row)
		json_array_append_new(
			out, json_pack("{s:O, s:O, s:O, s:O}", "name",
				     json_object_get(row, "owner"), "ttl",
				     json_object_get(row, "ttl"), "type",
				     json_object_get(row, "type"), "data",
				     json_object_get(row, "data")));
	json_decref(rows);
	return out;
}

static int record_list(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	char code[DNS_CODE_TEXT];
	const char *name, *type;
	json_t *rows = NULL;
	struct at at;
	int rc = arg_only(args, "zone name type", err);

	if (!rc)
		rc = record_at(call, args, &at, &name, err);
	if (!rc)
		rc = type_arg(args, false, code, &type, err);
	if (!rc)
		rc = store_records(call->m->store, at.zone,
			name ? at.owner : NULL, type, &rows, err);
	*result = records_view(rows);
	return rc;
}

/* CNAME stands alone; said here, at the edit, and not first at the apply. */
static int cname_alone(struct call *call, const struct at *at, const char *type,
	struct err *err)
{
	json_t *rows = NULL, *row;
	bool cname = !strcmp(type, "CNAME");
	size_t i;
	int rc = store_records(
		call->m->store, at->zone, at->owner, NULL, &rows, err);

	json_array_foreach(rows, i, row) {
		const char *other = row_str(row, "type");

		if (rc || !strcmp(other, "RRSIG") || !strcmp(other, "NSEC"))
			continue;
		if (cname != !strcmp(other, "CNAME"))
			rc = err_fail(err, -EINVAL,
				"%s: CNAME and other data (%s) cannot be at "
				"one name",
				at->owner, cname ? other : type);
	}
	if (!rc && cname && json_array_size(rows) > 1)
		rc = err_fail(
			err, -EINVAL, "%s: more than one CNAME", at->owner);
	json_decref(rows);
	return rc;
}

/* The TTL that a new record takes: of its rrset, or of the SOA. */
static int usual_ttl(struct call *call, const struct at *at, const char *type,
	long long *ttl, struct err *err)
{
	json_t *rows = NULL;
	int rc = store_records(
		call->m->store, at->zone, at->owner, type, &rows, err);

	if (!rc && json_array_size(rows) == 0) {
		json_decref(rows);
		rows = NULL;
		rc = store_records(
			call->m->store, at->zone, at->zone, "SOA", &rows, err);
	}
	*ttl = 3600;
	if (!rc && json_array_size(rows) > 0)
		*ttl = row_int(json_array_get(rows, 0), "ttl");
	json_decref(rows);
	return rc;
}

static int add_one(struct call *call, const struct at *at, const char *type,
	long long ttl, const char *data, struct err *err)
{
	struct zone_record record;
	char code[DNS_CODE_TEXT];
	int rc = zone_record_parse(
		at->zone, at->owner, (uint32_t)ttl, type, data, &record, err);

	if (rc)
		return rc;
	rc = store_record_add(call->m->store, at->zone, record.owner,
		dns_type_print(record.type, code), record.ttl_s, record.rdata,
		err);
	if (rc == -EEXIST && call->upsert)
		rc = 0;
	zone_record_fini(&record);
	return rc;
}

static int data_arg(const json_t *args, json_t **list, struct err *err)
{
	json_t *data = json_object_get(args, "data");
	size_t i;
	json_t *v;

	if (json_is_string(data)) {
		*list = json_pack("[O]", data);
		return 0;
	}
	if (!json_is_array(data) || json_array_size(data) == 0)
		return err_fail(err, -EBADR, "\"data\" is missing");
	json_array_foreach(data, i, v)
		if (!json_is_string(v))
			return err_fail(err, -EBADR, "\"data\" must be texts");
	*list = json_incref(data);
	return 0;
}

/* An SOA is replaced as a whole, and its serial is that of the zone. */
static int soa_serial(struct call *call, const struct at *at, struct err *err)
{
	struct zone *zone = NULL;
	int rc = mzone_load(call->m->store, at->zone, at->serial, &zone, err);

	zone_free(zone);
	return rc;
}

static int record_put(struct call *call, const json_t *args, bool replace,
	json_t **result, struct err *err)
{
	char code[DNS_CODE_TEXT];
	const char *name, *type = NULL;
	json_t *data = NULL, *rows = NULL;
	long long ttl = -1;
	struct at at;
	size_t i;
	json_t *v;
	int count = 0, rc = arg_only(args, "zone name type ttl data", err);

	if (!rc)
		rc = record_at(call, args, &at, &name, err);
	if (!rc && !name)
		rc = err_fail(err, -EBADR, "\"name\" is missing");
	if (!rc)
		rc = type_arg(args, true, code, &type, err);
	if (!rc)
		rc = arg_int(args, "ttl", 0, 2147483647, &ttl, err);
	if (!rc)
		rc = data_arg(args, &data, err);
	if (!rc && ttl < 0)
		rc = usual_ttl(call, &at, type, &ttl, err);
	if (!rc && (replace || !strcmp(type, "SOA")))
		rc = store_record_delete(call->m->store, at.zone, at.owner,
			type, NULL, &count, err);
	json_array_foreach(data, i, v)
		if (!rc)
			rc = add_one(call, &at, type, ttl, json_string_value(v),
				err);
	if (!rc)
		rc = cname_alone(call, &at, type, err);
	if (!rc && !strcmp(type, "SOA"))
		rc = soa_serial(call, &at, err);
	if (!rc)
		rc = store_records(
			call->m->store, at.zone, at.owner, type, &rows, err);
	*result = records_view(rows);
	json_decref(data);
	return rc;
}

static int record_add(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	return record_put(call, args, false, result, err);
}

static int record_set(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	return record_put(call, args, true, result, err);
}

static int del_one(struct call *call, const struct at *at, const char *type,
	const char *data, int *gone, struct err *err)
{
	struct zone_record record;
	int count = 0, rc = zone_record_parse(at->zone, at->owner, 0, type,
			       data, &record, err);

	if (rc)
		return rc;
	rc = store_record_delete(call->m->store, at->zone, at->owner, type,
		record.rdata, &count, err);
	if (!rc && count == 0)
		rc = err_fail(err, -ENOENT, "record %s %s %.200s: not found",
			at->owner, type, record.rdata);
	*gone += count;
	zone_record_fini(&record);
	return rc;
}

static int record_del(
	struct call *call, const json_t *args, json_t **result, struct err *err)
{
	char code[DNS_CODE_TEXT];
	const char *name, *type = NULL;
	json_t *data = NULL;
	struct at at;
	size_t i;
	json_t *v;
	int gone = 0, rc = arg_only(args, "zone name type data", err);

	if (!rc)
		rc = record_at(call, args, &at, &name, err);
	if (!rc && !name)
		rc = err_fail(err, -EBADR, "\"name\" is missing");
	if (!rc)
		rc = type_arg(args, true, code, &type, err);
	if (!rc && !strcmp(type, "SOA"))
		rc = err_fail(err, -EINVAL, "the SOA cannot be deleted");
	if (!rc && json_object_get(args, "data"))
		rc = data_arg(args, &data, err);
	json_array_foreach(data, i, v)
		if (!rc)
			rc = del_one(call, &at, type, json_string_value(v),
				&gone, err);
	if (!rc && !data) {
		rc = store_record_delete(call->m->store, at.zone, at.owner,
			type, NULL, &gone, err);
		if (!rc && gone == 0)
			rc = err_fail(err, -ENOENT, "record %s %s: not found",
				at.owner, type);
	}
	if (!rc)
		*result = json_pack("{s:i}", "deleted", gone);
	json_decref(data);
	return rc;
}

static const struct command_def commands[] = {
	{"zone.list", RIGHT_VIEW, 0, zone_list, NULL},
	{"zone.show", RIGHT_VIEW, 0, zone_show, NULL},
	{"zone.export", RIGHT_VIEW, 0, zone_export, NULL},
	{"zone.create", RIGHT_ZONE, CALL_WRITE, zone_create, NULL},
	{"zone.import", RIGHT_ZONE, CALL_WRITE, zone_import, NULL},
	{"zone.delete", RIGHT_ZONE, CALL_WRITE, zone_remove, NULL},
	{"record.list", RIGHT_VIEW, 0, record_list, NULL},
	{"record.add", RIGHT_ZONE, CALL_WRITE, record_add, NULL},
	{"record.set", RIGHT_ZONE, CALL_WRITE, record_set, NULL},
	{"record.del", RIGHT_ZONE, CALL_WRITE, record_del, NULL},
	{NULL, 0, 0, NULL, NULL},
};

const struct command_def *api_zone_commands(void)
{
	return commands;
}
