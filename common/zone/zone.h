/* SPDX-License-Identifier: ISC */
#ifndef COMMON_ZONE_ZONE_H
#define COMMON_ZONE_ZONE_H

/*
 * A zone in memory: read from zone text (RFC 1035 5), checked, changed and
 * printed as flat canonical text. Class IN only. All texts that come out are
 * canonical: names absolute and in lower case, rdata as ldns prints it, so
 * two spellings of one record compare equal with strcmp. One thread per zone.
 */

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/dns/name.h"

struct zone;

/* ---- what was found wrong ---- */

enum zone_severity {
	ZONE_ERROR,   /* the zone would not be served, or served wrongly */
	ZONE_WARNING, /* served, but most likely not what was meant */
};

struct zone_problem {
	enum zone_severity severity;
	char *text; /* "file:line: message" ("zone: message" without a file) */
};

/* Filled by reading and checking; the first 200 are kept, all are counted. */
struct zone_report {
	struct zone_problem *items;
	size_t count, size;
	size_t errors, warnings;
};

void zone_report_init(struct zone_report *report);
void zone_report_fini(struct zone_report *report);
/* The first error into `err`, with "(and N more)"; `err` is left as it is
 * when there is none. Returns 0 or -EINVAL. */
int zone_report_err(const struct zone_report *report, struct err *err);

/* ---- reading ---- */

struct zone_read_options {
	const char *origin;      /* the zone's name; required */
	const char *include_dir; /* $INCLUDE only below it; NULL: never */
	uint32_t default_ttl_s;  /* without $TTL or SOA; 0: 3600 */
	size_t max_records;      /* 0: one million, $GENERATE's included */
	size_t max_generate;     /* per directive; 0: 262144 */
	bool drop_outside; /* as named: records out of zone are dropped with a
			      warning (else zone_check's error) */
};

/*
 * Read a zone file ($ORIGIN, $TTL, $INCLUDE, $GENERATE are expanded). NULL
 * when the report has errors (all of the file are listed, not the first
 * alone) or memory ran out. Free with zone_free. A relative $INCLUDE is
 * looked for in include_dir; links that leave it are refused.
 */
struct zone *zone_read_file(const char *path,
	const struct zone_read_options *options,
	struct zone_report *report) MUST_CHECK;
/* Same from memory; `label` stands for the file name in messages. */
struct zone *zone_read_text(const char *text, size_t len, const char *label,
	const struct zone_read_options *options,
	struct zone_report *report) MUST_CHECK;

/* An empty zone. NULL: not a name, or no memory. */
struct zone *zone_new(const char *origin, struct err *err) MUST_CHECK;
struct zone *zone_copy(const struct zone *zone) MUST_CHECK;
void zone_free(struct zone *zone);

const char *zone_origin(const struct zone *zone); /* "example.net." */
size_t zone_count(const struct zone *zone);       /* records */

/* ---- rrsets ---- */

/* A view into the zone, valid until its next change. */
struct zone_rrset {
	const struct zone *zone;
	const char *owner; /* "www.example.net." */
	uint16_t type;
	uint32_t ttl_s;
	size_t first, count;
};

/* Canonical order: SOA first, then by owner (RFC 4034 6.1), type, rdata.
 * Start with *it = 0. False at the end. */
bool zone_next(const struct zone *zone, size_t *it, struct zone_rrset *out);
/* Rdata text of record `i` < count. */
const char *zone_rdata(const struct zone_rrset *set, size_t i);
/* False when there is none. `owner`: "@", relative or absolute (final dot). */
bool zone_find(const struct zone *zone, const char *owner, uint16_t type,
	struct zone_rrset *out);

#define ZONE_TTL_KEEP UINT32_MAX /* the rrset's TTL, or the SOA's, or 3600 */

/*
 * Changes. `owner`: "@", relative to the zone, or absolute with final dot.
 * Nothing changed on error: -EINVAL not a name, type or rdata, or outside of
 * the zone; -EEXIST this record is there; -ENOENT nothing to delete; -ENOMEM.
 * The rrset takes the given TTL as a whole. A second SOA replaces the first.
 */
int zone_add(struct zone *zone, const char *owner, uint32_t ttl_s,
	uint16_t type, const char *rdata, struct err *err) MUST_CHECK;
/* The rrset becomes exactly these; `count` >= 1. */
int zone_set(struct zone *zone, const char *owner, uint32_t ttl_s,
	uint16_t type, const char *const *rdata, size_t count,
	struct err *err) MUST_CHECK;
/* Delete one record, or with `rdata` NULL the rrset, or with `type` 0 too all
 * of the owner (the SOA stays). Returns how many went. */
int zone_delete(struct zone *zone, const char *owner, uint16_t type,
	const char *rdata, struct err *err) MUST_CHECK;

/* One record alone, from the words of a command line. */
struct zone_record {
	char owner[NAME_MAX_TEXT]; /* canonical */
	uint32_t ttl_s;
	uint16_t type;
	char *rdata; /* canonical; zone_record_fini frees it */
};
/* `type` and `rdata` as text ("MX", "10 mail"). Names in rdata without final
 * dot are relative to `origin`. -EINVAL, -ENOMEM; nothing to free then. */
int zone_record_parse(const char *origin, const char *owner, uint32_t ttl_s,
	const char *type, const char *rdata, struct zone_record *out,
	struct err *err) MUST_CHECK;
void zone_record_fini(struct zone_record *record);
/* "3600", "1h30m", "1w" -> seconds, at most 2^31-1; false: not a TTL. */
bool zone_ttl_parse(const char *text, uint32_t *ttl_s);

/* ---- serial ---- */

enum zone_serial_policy {
	ZONE_SERIAL_DATE,      /* YYYYMMDDnn */
	ZONE_SERIAL_UNIXTIME,  /* seconds */
	ZONE_SERIAL_INCREMENT, /* plus one */
};

/* False when the zone has no SOA. */
bool zone_serial(const struct zone *zone, uint32_t *serial);
int zone_serial_set(
	struct zone *zone, uint32_t serial, struct err *err) MUST_CHECK;
/* a > b in the arithmetic of RFC 1982. */
bool zone_serial_gt(uint32_t a, uint32_t b);
/*
 * The serial that follows both `current` and `served` (equal when nothing is
 * served yet): the policy's value at wall time `now_s` when that is greater
 * than both, else the greater of both plus one. Pure.
 */
uint32_t zone_serial_next(enum zone_serial_policy policy, uint32_t current,
	uint32_t served, int64_t now_s);

/* ---- checking and printing ---- */

struct zone_check_options {
	const struct zone *served;     /* the version served now; NULL: none */
	const uint32_t *served_serial; /* or only its serial; NULL: none */
};

/*
 * Errors: what makes NSD lose the zone (no SOA, two SOAs, SOA not at the
 * apex, CNAME and other data, two CNAMEs, record out of zone, data below a
 * DNAME, malformed rdata). Warnings: what named refuses or what is most
 * likely a slip (no NS, NS without address or to a CNAME, missing glue, MX
 * or SRV to a CNAME, wildcard NS, a serial not above the served one with
 * other data). `options` may be NULL. Returns 0, or -EINVAL on errors.
 */
int zone_check(const struct zone *zone,
	const struct zone_check_options *options, struct zone_report *report);

/* Flat text: one "owner ttl IN type rdata" a line, no directives, in the
 * order of zone_next. Reading and printing it again gives the same octets. */
void zone_print(const struct zone *zone, struct text *out);
/* Same records, TTLs and order? The serial of the SOA apart when
 * `but_serial`. */
bool zone_equal(const struct zone *a, const struct zone *b, bool but_serial);

/*
 * File name of a zone: "<name>.zone" (no final dot, lower case) when all of
 * its octets are in [a-z0-9_-] and it fits, else the SHA-256 of its wire form
 * in hex and ".zone". True for the first kind, which NSD's "%s.zone" finds.
 */
#define ZONE_FILE_NAME 256
bool zone_file_name(const struct name *zone, char out[ZONE_FILE_NAME]);

#endif
