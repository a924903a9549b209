/* SPDX-License-Identifier: ISC */
/*
 * The rules for a whole zone. One walk in canonical order: what is below a
 * name follows it at once, so the delegation or DNAME that covers a record is
 * the last one seen that is above it.
 */

#include "common/zone/private.h"

#include "common/dns/code.h"

#include <errno.h>

struct walk {
	const struct zone *zone;
	struct zone_report *report;
	const struct zone_rr *cut;   /* last delegation seen */
	const struct zone_rr *dname; /* last DNAME seen */
};

static void PRINTF_LIKE(4, 5) say(struct walk *w, enum zone_severity severity,
	const struct zone_rr *rr, const char *fmt, ...)
{
	char message[ERR_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	zone_problem(w->report, severity, w->zone, rr ? rr->file : NULL,
		rr ? rr->line : 0, "%s%s%s", rr ? rr->owner : "",
		rr ? ": " : "", message);
}

static bool is_apex(const struct walk *w, const struct zone_rr *rr)
{
	return name_equal(rr->wire, w->zone->origin.wire);
}

/* Strictly below. */
static bool is_below(const struct zone_rr *rr, const struct zone_rr *top)
{
	return top && name_under(rr->wire, top->wire) &&
	       !name_equal(rr->wire, top->wire);
}

static void check_soa(struct walk *w)
{
	const struct zone *zone = w->zone;
	size_t count = 0;

	for (size_t i = 0; i < zone->count; i++) {
		const struct zone_rr *rr = zone->rrs[i];

		if (rr->type != DNS_TYPE_SOA)
			break;
		if (!is_apex(w, rr))
			say(w, ZONE_ERROR, rr, "SOA not at the zone's name");
		else if (++count > 1)
			say(w, ZONE_ERROR, rr, "second SOA record");
	}
	if (count == 0)
		say(w, ZONE_ERROR, NULL, "no SOA record");
	if (!zone_has(zone, zone->origin.wire, DNS_TYPE_NS))
		say(w, ZONE_WARNING, NULL, "no NS record at the zone's name");
}

static bool beside_cname(uint16_t type)
{
	return type == DNS_TYPE_CNAME || type == DNS_TYPE_RRSIG ||
	       type == DNS_TYPE_NSEC;
}

/* At the first record of an owner: CNAME with other data (RFC 2181 10.1), and
 * types of which there may be one only. `i` indexes the array. */
static void check_owner(struct walk *w, size_t i)
{
	const struct zone *zone = w->zone;
	const struct zone_rr *rr = zone->rrs[i];
	const struct zone_rr *cname = NULL, *other = NULL;

	if (is_apex(w, rr) && zone->rrs[0]->type == DNS_TYPE_SOA)
		other = zone->rrs[0];
	for (size_t j = i; j < zone->count; j++) {
		const struct zone_rr *next = zone->rrs[j];
		bool single = next->type == DNS_TYPE_CNAME ||
			      next->type == DNS_TYPE_DNAME;

		if (!name_equal(next->wire, rr->wire))
			break;
		if (single && j > i && zone->rrs[j - 1]->type == next->type)
			say(w, ZONE_ERROR, next, "second %s record",
				next->type == DNS_TYPE_CNAME ? "CNAME"
							     : "DNAME");
		if (next->type == DNS_TYPE_CNAME)
			cname = next;
		else if (!beside_cname(next->type))
			other = next;
	}
	if (cname && other)
		say(w, ZONE_ERROR, cname, "CNAME and other data");
}

static bool is_glue(uint16_t type)
{
	return type == DNS_TYPE_A || type == DNS_TYPE_AAAA;
}

static void check_place(struct walk *w, const struct zone_rr *rr)
{
	if (!name_under(rr->wire, w->zone->origin.wire))
		say(w, ZONE_ERROR, rr, "not in zone %s", w->zone->origin_text);
	else if (is_below(rr, w->dname))
		say(w, ZONE_ERROR, rr, "data below the DNAME of %s",
			w->dname->owner);
	else if (is_below(rr, w->cut) && !is_glue(rr->type))
		say(w, ZONE_WARNING, rr, "hidden below the delegation of %s",
			w->cut->owner);
}

/* Does the name, or a wildcard that stands for it, have this type? */
static bool answers(const struct zone *zone, const uint8_t *wire, uint16_t type)
{
	uint8_t star[NAME_MAX_WIRE + 2] = {1, '*'};

	if (zone_has(zone, wire, 0))
		return zone_has(zone, wire, type);
	while (!name_equal(wire, zone->origin.wire)) {
		int len;

		wire = name_parent(wire);
		len = name_wire_len(wire, NAME_MAX_WIRE);
		memcpy(star + 2, wire, (size_t)len);
		if (zone_has(zone, star, 0))
			return zone_has(zone, star, type);
	}
	return false;
}

/* Is there a delegation at or above the name, below the apex? */
static bool is_delegated(const struct zone *zone, const uint8_t *wire)
{
	for (; !name_equal(wire, zone->origin.wire); wire = name_parent(wire)) {
		if (zone_has(zone, wire, DNS_TYPE_NS))
			return true;
	}
	return false;
}

static void check_target(struct walk *w, const struct zone_rr *rr,
	const char *kind, const struct name *target)
{
	const struct zone *zone = w->zone;
	char text[NAME_MAX_TEXT];

	if (!name_under(target->wire, zone->origin.wire))
		return;
	name_print(target, text);
	if (answers(zone, target->wire, DNS_TYPE_CNAME))
		say(w, ZONE_WARNING, rr, "%s points to %s, which is a CNAME",
			kind, text);
	else if (answers(zone, target->wire, DNS_TYPE_A) ||
		 answers(zone, target->wire, DNS_TYPE_AAAA))
		return;
	else if (!is_delegated(zone, target->wire))
		say(w, ZONE_WARNING, rr, "%s points to %s without address",
			kind, text);
	else if (rr->type == DNS_TYPE_NS && name_under(target->wire, rr->wire))
		say(w, ZONE_WARNING, rr, "%s points to %s without glue", kind,
			text);
}

/* The name that NS, MX or SRV points to: the last word. */
static void check_rdata(struct walk *w, const struct zone_rr *rr)
{
	const char *last = strrchr(rr->rdata, ' ');
	struct name target;

	if (rr->type != DNS_TYPE_NS && rr->type != DNS_TYPE_MX &&
		rr->type != DNS_TYPE_SRV)
		return;
	last = last ? last + 1 : rr->rdata;
	/* "." says that there is no such service (RFC 7505, 2782). */
	if (strcmp(last, ".") == 0 || name_parse(last, &target) != 0)
		return;
	check_target(w, rr,
		rr->type == DNS_TYPE_NS   ? "NS"
		: rr->type == DNS_TYPE_MX ? "MX"
					  : "SRV",
		&target);
}

static void note(struct walk *w, const struct zone_rr *rr)
{
	if (rr->type == DNS_TYPE_NS && !is_apex(w, rr) &&
		!is_below(rr, w->cut)) {
		w->cut = rr;
		if (rr->wire[0] == 1 && rr->wire[1] == '*')
			say(w, ZONE_WARNING, rr, "NS at a wildcard");
	}
	if (rr->type == DNS_TYPE_DNAME && !is_below(rr, w->dname))
		w->dname = rr;
}

static void check_serial(
	struct walk *w, const struct zone_check_options *options)
{
	uint32_t ours, served;

	if (!options || !zone_serial(w->zone, &ours))
		return;
	if (options->served_serial)
		served = *options->served_serial;
	else if (!options->served || !zone_serial(options->served, &served))
		return;
	if (zone_serial_gt(served, ours))
		say(w, ZONE_WARNING, w->zone->rrs[0],
			"serial %u is lower than %u, which is served", ours,
			served);
	else if (served == ours && options->served &&
		 !zone_equal(w->zone, options->served, false))
		say(w, ZONE_WARNING, w->zone->rrs[0],
			"other data under the serial %u that is served", ours);
}

int zone_check(const struct zone *zone,
	const struct zone_check_options *options, struct zone_report *report)
{
	struct walk w = {.zone = zone, .report = report};
	size_t errors = report->errors;

	check_soa(&w);
	for (size_t i = 0; i < zone->count; i++) {
		const struct zone_rr *rr = zone->rrs[i];

		if (rr->type == DNS_TYPE_SOA)
			continue;
		if (i == 0 || zone->rrs[i - 1]->type == DNS_TYPE_SOA ||
			!name_equal(zone->rrs[i - 1]->wire, rr->wire))
			check_owner(&w, i);
		check_place(&w, rr);
		note(&w, rr);
		check_rdata(&w, rr);
	}
	check_serial(&w, options);
	return report->errors > errors ? -EINVAL : 0;
}
