/* SPDX-License-Identifier: ISC */
/*
 * The zone in memory: an array of records kept in canonical order, so that an
 * rrset is a run of neighbours and a look-up a binary search. Reading appends
 * and sorts once at the end.
 */

#include "common/zone/zone.h"

#include "common/dns/code.h"
#include "common/zone/private.h"

#include <errno.h>

#define COUNT_FIRST 16

struct zone *zone_new(const char *origin, struct err *err)
{
	struct zone *zone = calloc(1, sizeof(*zone));

	if (!zone) {
		err_set(err, "out of memory");
		return NULL;
	}
	if (name_parse(origin, &zone->origin) != 0) {
		err_set(err, "\"%s\" is not a domain name", origin);
		free(zone);
		return NULL;
	}
	name_to_lower(zone->origin.wire, zone->origin.wire, zone->origin.len);
	name_print(&zone->origin, zone->origin_text);
	return zone;
}

void zone_free(struct zone *zone)
{
	if (!zone)
		return;
	for (size_t i = 0; i < zone->count; i++)
		free(zone->rrs[i]);
	free(zone->rrs);
	while (zone->files) {
		struct zone_file *next = zone->files->next;

		free(zone->files);
		zone->files = next;
	}
	free(zone);
}

const char *zone_origin(const struct zone *zone)
{
	return zone->origin_text;
}

size_t zone_count(const struct zone *zone)
{
	return zone->count;
}

const char *zone_file_intern(struct zone *zone, const char *name)
{
	size_t len = strlen(name) + 1;
	struct zone_file *file = malloc(sizeof(*file) + len);

	if (!file)
		return NULL;
	memcpy(file->name, name, len);
	file->next = zone->files;
	zone->files = file;
	return file->name;
}

struct zone_rr *zone_rr_new(const struct name *owner, uint16_t type,
	uint32_t ttl_s, const char *rdata)
{
	char text[NAME_MAX_TEXT];
	size_t owner_size = strlen(name_print(owner, text)) + 1;
	size_t rdata_size = strlen(rdata) + 1;
	struct zone_rr *rr =
		malloc(sizeof(*rr) + owner->len + owner_size + rdata_size);

	if (!rr)
		return NULL;
	rr->wire = (uint8_t *)(rr + 1);
	rr->owner = (char *)rr->wire + owner->len;
	rr->rdata = rr->owner + owner_size;
	memcpy(rr->wire, owner->wire, owner->len);
	memcpy(rr->owner, text, owner_size);
	memcpy(rr->rdata, rdata, rdata_size);
	rr->file = NULL;
	rr->line = 0;
	rr->ttl_s = ttl_s;
	rr->type = type;
	return rr;
}

struct zone *zone_copy(const struct zone *zone)
{
	struct zone *copy = zone_new(zone->origin_text, NULL);

	if (!copy)
		return NULL;
	for (size_t i = 0; i < zone->count; i++) {
		const struct zone_rr *rr = zone->rrs[i];
		struct name owner;

		owner.len = (uint8_t)name_wire_len(rr->wire, NAME_MAX_WIRE);
		memcpy(owner.wire, rr->wire, owner.len);
		if (zone_reserve(copy) != 0)
			goto fail;
		copy->rrs[copy->count] =
			zone_rr_new(&owner, rr->type, rr->ttl_s, rr->rdata);
		if (!copy->rrs[copy->count])
			goto fail;
		copy->count++;
	}
	return copy;
fail:
	zone_free(copy);
	return NULL;
}

int zone_reserve(struct zone *zone)
{
	size_t size = zone->size ? 2 * zone->size : COUNT_FIRST;
	struct zone_rr **rrs;

	if (zone->count < zone->size)
		return 0;
	rrs = reallocarray(zone->rrs, size, sizeof(struct zone_rr *));
	if (!rrs)
		return -ENOMEM;
	zone->rrs = rrs;
	zone->size = size;
	return 0;
}

/* Order of (owner, type), the SOA before all. */
static int key_compare(const uint8_t *a_wire, uint16_t a_type,
	const uint8_t *b_wire, uint16_t b_type)
{
	int diff = (b_type == DNS_TYPE_SOA) - (a_type == DNS_TYPE_SOA);

	if (diff == 0)
		diff = name_compare(a_wire, b_wire);
	return diff ? diff : (int)a_type - (int)b_type;
}

int zone_rr_compare(const struct zone_rr *a, const struct zone_rr *b)
{
	int diff = key_compare(a->wire, a->type, b->wire, b->type);

	return diff ? diff : strcmp(a->rdata, b->rdata);
}

static int compare_pointers(const void *a, const void *b)
{
	const struct zone_rr *const *ra = a, *const *rb = b;
	int diff = zone_rr_compare(*ra, *rb);

	return diff ? diff : (*ra)->line - (*rb)->line;
}

static bool same_set(const struct zone_rr *a, const struct zone_rr *b)
{
	return a->type == b->type && name_equal(a->wire, b->wire);
}

static void drop_equal(struct zone *zone, struct zone_report *report)
{
	size_t kept = 0;

	for (size_t i = 0; i < zone->count; i++) {
		struct zone_rr *rr = zone->rrs[i];

		if (kept == 0 || zone_rr_compare(zone->rrs[kept - 1], rr)) {
			zone->rrs[kept++] = rr;
			continue;
		}
		zone_problem(report, ZONE_WARNING, zone, rr->file, rr->line,
			"%s: the same record twice", rr->owner);
		free(rr);
	}
	zone->count = kept;
}

/* RFC 2181 5.2: the records of an rrset have one TTL. */
static void level_ttls(struct zone *zone, struct zone_report *report)
{
	size_t end;

	for (size_t i = 0; i < zone->count; i = end) {
		const struct zone_rr *first = zone->rrs[i];
		uint32_t ttl = first->ttl_s;
		bool differ = false;

		for (end = i + 1;
			end < zone->count && same_set(first, zone->rrs[end]);
			end++) {
			differ = differ || zone->rrs[end]->ttl_s != ttl;
			if (zone->rrs[end]->ttl_s < ttl)
				ttl = zone->rrs[end]->ttl_s;
		}
		if (!differ)
			continue;
		zone_problem(report, ZONE_WARNING, zone, first->file,
			first->line,
			"%s: TTLs differ within an rrset, all become %u",
			first->owner, ttl);
		for (size_t j = i; j < end; j++)
			zone->rrs[j]->ttl_s = ttl;
	}
}

void zone_finish(struct zone *zone, struct zone_report *report)
{
	if (zone->count == 0)
		return;
	qsort(zone->rrs, zone->count, sizeof(struct zone_rr *),
		compare_pointers);
	drop_equal(zone, report);
	level_ttls(zone, report);
}

size_t zone_lower_bound(
	const struct zone *zone, const uint8_t *wire, uint16_t type)
{
	size_t low = 0, high = zone->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct zone_rr *rr = zone->rrs[mid];

		if (key_compare(rr->wire, rr->type, wire, type) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool zone_has(const struct zone *zone, const uint8_t *wire, uint16_t type)
{
	size_t i = zone_lower_bound(zone, wire, type);

	if (i < zone->count && name_equal(zone->rrs[i]->wire, wire) &&
		(type == 0 || zone->rrs[i]->type == type))
		return true;
	return type == 0 && zone_has(zone, wire, DNS_TYPE_SOA);
}

static void view(const struct zone *zone, size_t first, struct zone_rrset *out)
{
	const struct zone_rr *rr = zone->rrs[first];
	size_t end = first + 1;

	while (end < zone->count && same_set(rr, zone->rrs[end]))
		end++;
	out->zone = zone;
	out->owner = rr->owner;
	out->type = rr->type;
	out->ttl_s = rr->ttl_s;
	out->first = first;
	out->count = end - first;
}

bool zone_next(const struct zone *zone, size_t *it, struct zone_rrset *out)
{
	if (*it >= zone->count)
		return false;
	view(zone, *it, out);
	*it += out->count;
	return true;
}

const char *zone_rdata(const struct zone_rrset *set, size_t i)
{
	return i < set->count ? set->zone->rrs[set->first + i]->rdata : NULL;
}

int zone_owner_parse(
	const char *text, const struct name *origin, struct name *out)
{
	size_t len = strlen(text), slashes = 0;
	struct name name;

	if (strcmp(text, "@") == 0) {
		*out = *origin;
		return 0;
	}
	if (name_parse(text, &name) != 0)
		return -EINVAL;
	name_to_lower(name.wire, name.wire, name.len);
	while (len > 1 + slashes && text[len - 2 - slashes] == '\\')
		slashes++;
	if (text[len - 1] != '.' || slashes % 2 == 1) {
		if (name.len - 1 + origin->len > NAME_MAX_WIRE)
			return -EINVAL;
		memcpy(name.wire + name.len - 1, origin->wire, origin->len);
		name.len = (uint8_t)(name.len - 1 + origin->len);
	}
	*out = name;
	return 0;
}

bool zone_find(const struct zone *zone, const char *owner, uint16_t type,
	struct zone_rrset *out)
{
	struct name name;
	size_t i;

	if (zone_owner_parse(owner, &zone->origin, &name) != 0 ||
		!zone_has(zone, name.wire, type))
		return false;
	i = zone_lower_bound(zone, name.wire, type);
	if (i == zone->count)
		return false;
	view(zone, i, out);
	return true;
}

bool zone_equal(const struct zone *a, const struct zone *b, bool but_serial)
{
	uint32_t serial;

	if (a->count != b->count || !name_equal(a->origin.wire, b->origin.wire))
		return false;
	for (size_t i = 0; i < a->count; i++) {
		const struct zone_rr *ra = a->rrs[i], *rb = b->rrs[i];
		char *fa, *fb;

		if (!same_set(ra, rb) || ra->ttl_s != rb->ttl_s)
			return false;
		if (strcmp(ra->rdata, rb->rdata) == 0)
			continue;
		if (!but_serial || ra->type != DNS_TYPE_SOA)
			return false;
		fa = zone_soa_serial(ra->rdata, &serial);
		fb = zone_soa_serial(rb->rdata, &serial);
		if (!fa || !fb || fa - ra->rdata != fb - rb->rdata ||
			memcmp(ra->rdata, rb->rdata,
				(size_t)(fa - ra->rdata)) != 0 ||
			strcmp(strchr(fa, ' '), strchr(fb, ' ')) != 0)
			return false;
	}
	return true;
}
