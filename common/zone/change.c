/* SPDX-License-Identifier: ISC */
/* Changes of a zone in memory. What can fail is done before the first record
 * moves, so a failed change leaves the zone as it was. */

#include "common/zone/private.h"

#include "common/dns/code.h"

#include <errno.h>

#define TTL_DEFAULT 3600
#define TTL_LARGEST 2147483647u

static int parse_owner(const struct zone *zone, const char *owner,
	struct name *name, struct err *err)
{
	if (zone_owner_parse(owner, &zone->origin, name) != 0)
		return err_fail(
			err, -EINVAL, "\"%s\" is not a domain name", owner);
	if (!name_under(name->wire, zone->origin.wire))
		return err_fail(err, -EINVAL, "%s is not in zone %s", owner,
			zone->origin_text);
	return 0;
}

/* -EINVAL or -ENOMEM of a NULL from zone_rdata_parse. */
static int rdata_error(const struct err *err)
{
	return strcmp(err->text, "out of memory") == 0 ? -ENOMEM : -EINVAL;
}

static int make_rr(const struct zone *zone, const struct name *owner,
	uint16_t type, uint32_t ttl_s, const char *rdata, struct zone_rr **out,
	struct err *err)
{
	struct err why = {""};
	char *canonical = zone_rdata_parse(&zone->origin, type, rdata, &why);

	if (!canonical) {
		err_set(err, "%s", why.text);
		return rdata_error(&why);
	}
	*out = zone_rr_new(owner, type, ttl_s, canonical);
	free(canonical);
	return *out ? 0 : err_fail(err, -ENOMEM, "out of memory");
}

/* Bounds of the rrset (type 0: of the owner) in the array. */
static size_t run_end(const struct zone *zone, size_t first,
	const uint8_t *wire, uint16_t type)
{
	size_t end = first;

	while (end < zone->count && name_equal(zone->rrs[end]->wire, wire) &&
		(type == 0 || zone->rrs[end]->type == type))
		end++;
	return end;
}

static void remove_range(struct zone *zone, size_t first, size_t end)
{
	for (size_t i = first; i < end; i++)
		free(zone->rrs[i]);
	memmove(zone->rrs + first, zone->rrs + end,
		(zone->count - end) * sizeof(struct zone_rr *));
	zone->count -= end - first;
}

static void insert(struct zone *zone, struct zone_rr *rr)
{
	size_t at = zone_lower_bound(zone, rr->wire, rr->type);

	while (at < zone->count && zone_rr_compare(zone->rrs[at], rr) < 0)
		at++;
	memmove(zone->rrs + at + 1, zone->rrs + at,
		(zone->count - at) * sizeof(struct zone_rr *));
	zone->rrs[at] = rr;
	zone->count++;
}

/* The TTL a record gets, and -EINVAL for one that RFC 2181 8 forbids. */
static int choose_ttl(const struct zone *zone, const uint8_t *wire,
	uint16_t type, uint32_t *ttl_s, struct err *err)
{
	size_t i = zone_lower_bound(zone, wire, type);

	if (*ttl_s != ZONE_TTL_KEEP)
		return *ttl_s <= TTL_LARGEST
			       ? 0
			       : err_fail(err, -EINVAL,
					 "TTL %u is over 2147483647", *ttl_s);
	if (run_end(zone, i, wire, type) > i)
		*ttl_s = zone->rrs[i]->ttl_s;
	else if (zone->count > 0 && zone->rrs[0]->type == DNS_TYPE_SOA)
		*ttl_s = zone->rrs[0]->ttl_s;
	else
		*ttl_s = TTL_DEFAULT;
	return 0;
}

static int check_place(const struct zone *zone, const struct name *owner,
	uint16_t type, struct err *err)
{
	if (type == DNS_TYPE_SOA && !name_equal(owner->wire, zone->origin.wire))
		return err_fail(err, -EINVAL, "the SOA belongs at %s",
			zone->origin_text);
	return 0;
}

int zone_add(struct zone *zone, const char *owner, uint32_t ttl_s,
	uint16_t type, const char *rdata, struct err *err)
{
	struct zone_rr *rr = NULL;
	struct name name;
	size_t first, end;
	int ret;

	if (type == DNS_TYPE_SOA)
		return zone_set(zone, owner, ttl_s, type, &rdata, 1, err);
	ret = parse_owner(zone, owner, &name, err);
	if (ret == 0)
		ret = choose_ttl(zone, name.wire, type, &ttl_s, err);
	if (ret == 0)
		ret = make_rr(zone, &name, type, ttl_s, rdata, &rr, err);
	if (ret != 0)
		return ret;
	first = zone_lower_bound(zone, name.wire, type);
	end = run_end(zone, first, name.wire, type);
	for (size_t i = first; i < end; i++) {
		if (strcmp(zone->rrs[i]->rdata, rr->rdata) == 0) {
			free(rr);
			return err_fail(err, -EEXIST,
				"%s: this record is there already",
				zone->rrs[i]->owner);
		}
	}
	if (zone_reserve(zone) != 0) {
		free(rr);
		return err_fail(err, -ENOMEM, "out of memory");
	}
	for (size_t i = first; i < end; i++)
		zone->rrs[i]->ttl_s = ttl_s;
	insert(zone, rr);
	return 0;
}

/* All records of the new rrset, in a zone of their own so that doubles are
 * found and freeing is one call. */
static struct zone *make_set(const struct zone *zone, const struct name *name,
	uint16_t type, uint32_t ttl_s, const char *const *rdata, size_t count,
	int *ret, struct err *err)
{
	struct zone *set = zone_new(zone->origin_text, err);

	*ret = set ? 0 : -ENOMEM;
	for (size_t i = 0; *ret == 0 && i < count; i++) {
		struct zone_rr *rr = NULL;

		*ret = make_rr(zone, name, type, ttl_s, rdata[i], &rr, err);
		if (*ret != 0)
			break;
		if (zone_reserve(set) != 0) {
			free(rr);
			*ret = err_fail(err, -ENOMEM, "out of memory");
			break;
		}
		insert(set, rr);
		for (size_t j = 1; j < set->count; j++) {
			if (zone_rr_compare(set->rrs[j - 1], set->rrs[j]) == 0)
				*ret = err_fail(err, -EEXIST,
					"%s: the same record twice",
					set->rrs[j]->owner);
		}
	}
	if (*ret == 0)
		return set;
	zone_free(set);
	return NULL;
}

/* Room for `n` records more than there are. */
static int reserve_many(struct zone *zone, size_t n)
{
	struct zone_rr **rrs;

	if (zone->count + n <= zone->size)
		return 0;
	rrs = reallocarray(
		zone->rrs, zone->count + n, sizeof(struct zone_rr *));
	if (!rrs)
		return -ENOMEM;
	zone->rrs = rrs;
	zone->size = zone->count + n;
	return 0;
}

int zone_set(struct zone *zone, const char *owner, uint32_t ttl_s,
	uint16_t type, const char *const *rdata, size_t count, struct err *err)
{
	struct zone *set;
	struct name name;
	size_t first;
	int ret;

	if (count == 0 || (type == DNS_TYPE_SOA && count > 1))
		return err_fail(err, -EINVAL, "wrong number of records");
	ret = parse_owner(zone, owner, &name, err);
	if (ret == 0)
		ret = check_place(zone, &name, type, err);
	if (ret == 0)
		ret = choose_ttl(zone, name.wire, type, &ttl_s, err);
	if (ret != 0)
		return ret;
	set = make_set(zone, &name, type, ttl_s, rdata, count, &ret, err);
	if (!set)
		return ret;
	if (reserve_many(zone, count) != 0) {
		zone_free(set);
		return err_fail(err, -ENOMEM, "out of memory");
	}
	first = zone_lower_bound(zone, name.wire, type);
	remove_range(zone, first, run_end(zone, first, name.wire, type));
	for (size_t i = 0; i < set->count; i++)
		insert(zone, set->rrs[i]);
	set->count = 0;
	zone_free(set);
	return 0;
}

static int delete_one(struct zone *zone, const struct name *name, uint16_t type,
	const char *rdata, struct err *err)
{
	size_t i = zone_lower_bound(zone, name->wire, type);
	size_t end = run_end(zone, i, name->wire, type);
	struct err why = {""};
	char *canonical = zone_rdata_parse(&zone->origin, type, rdata, &why);

	if (!canonical) {
		err_set(err, "%s", why.text);
		return rdata_error(&why);
	}
	while (i < end && strcmp(zone->rrs[i]->rdata, canonical) != 0)
		i++;
	free(canonical);
	if (i == end)
		return err_fail(err, -ENOENT, "no such record");
	remove_range(zone, i, i + 1);
	return 1;
}

int zone_delete(struct zone *zone, const char *owner, uint16_t type,
	const char *rdata, struct err *err)
{
	struct name name;
	size_t first, end;
	int ret = parse_owner(zone, owner, &name, err);

	if (ret != 0)
		return ret;
	if (type == 0 && rdata)
		return err_fail(err, -EINVAL, "rdata without a type");
	if (rdata)
		return delete_one(zone, &name, type, rdata, err);
	first = zone_lower_bound(zone, name.wire, type);
	end = run_end(zone, first, name.wire, type);
	if (first == end)
		return err_fail(err, -ENOENT, "no such record");
	remove_range(zone, first, end);
	return (int)(end - first);
}

int zone_record_parse(const char *origin, const char *owner, uint32_t ttl_s,
	const char *type, const char *rdata, struct zone_record *out,
	struct err *err)
{
	struct zone *zone = zone_new(origin, err);
	struct err why = {""};
	struct name name;
	int ret = -EINVAL;

	memset(out, 0, sizeof(*out));
	if (!zone)
		return -EINVAL;
	if (!dns_type_parse(type, &out->type)) {
		err_set(err, "\"%s\" is not a type", type);
		goto out;
	}
	if (ttl_s > TTL_LARGEST) {
		err_set(err, "TTL %u is over 2147483647", ttl_s);
		goto out;
	}
	ret = parse_owner(zone, owner, &name, err);
	if (ret != 0)
		goto out;
	name_print(&name, out->owner);
	out->ttl_s = ttl_s;
	out->rdata = zone_rdata_parse(&zone->origin, out->type, rdata, &why);
	if (!out->rdata) {
		err_set(err, "%s", why.text);
		ret = rdata_error(&why);
	}
out:
	zone_free(zone);
	return ret;
}

void zone_record_fini(struct zone_record *record)
{
	free(record->rdata);
	record->rdata = NULL;
}
