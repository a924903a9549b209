/* SPDX-License-Identifier: ISC */
#ifndef COMMON_ZONE_PRIVATE_H
#define COMMON_ZONE_PRIVATE_H

/* What the files of common/zone share among themselves; zone.h is for all
 * others. */

#include "common/zone/zone.h"

#include <limits.h>
#include <stdarg.h>

/* One record; wire, owner and rdata are parts of the same allocation. */
struct zone_rr {
	uint8_t *wire; /* owner, lower case */
	char *owner;   /* its text */
	char *rdata;
	const char *file; /* owned by the zone; NULL: not from a file */
	int line;
	uint32_t ttl_s;
	uint16_t type;
};

struct zone_file {
	struct zone_file *next;
	char name[];
};

struct zone {
	struct name origin; /* lower case */
	char origin_text[NAME_MAX_TEXT];
	struct zone_rr **rrs; /* in order, except while reading */
	size_t count, size;
	struct zone_file *files;
};

/* record.c, the only user of ldns: rdata text -> checked canonical text (heap)
 * or NULL with *err (-ENOMEM too). Relative names get `origin`. */
char *zone_rdata_parse(const struct name *origin, uint16_t type,
	const char *text, struct err *err);

/* simple.c: the same for plain forms of the commonest types. NULL: let ldns
 * look (and say what is wrong). */
bool zone_simple_type(uint16_t type);
char *zone_simple_parse(
	const struct name *origin, uint16_t type, const char *text);

/* A record with canonical rdata; NULL: no memory. */
struct zone_rr *zone_rr_new(const struct name *owner, uint16_t type,
	uint32_t ttl_s, const char *rdata);
/* By SOA first, owner, type, rdata. */
int zone_rr_compare(const struct zone_rr *a, const struct zone_rr *b);
/* Room for one record more. */
int zone_reserve(struct zone *zone);
/* Put them in order, drop equal ones and level the TTLs of each rrset to the
 * smallest, each with a warning. */
void zone_finish(struct zone *zone, struct zone_report *report);
/* The first record that is not before (wire, type). */
size_t zone_lower_bound(
	const struct zone *zone, const uint8_t *wire, uint16_t type);
/* Is there a record of this owner and type? type 0: of any. */
bool zone_has(const struct zone *zone, const uint8_t *wire, uint16_t type);
/* A copy of a file name that lives as long as the zone. */
const char *zone_file_intern(struct zone *zone, const char *name);

/* "@", relative or absolute (unescaped final dot) -> lower-case name;
 * -EINVAL, and *out is as before. */
int zone_owner_parse(
	const char *text, const struct name *origin, struct name *out);

/* Where the serial stands in canonical SOA rdata; NULL: not there. */
char *zone_soa_serial(char *rdata, uint32_t *serial);

/* Add a problem; `file` NULL: the zone's name stands for it. */
void zone_problem(struct zone_report *report, enum zone_severity severity,
	const struct zone *zone, const char *file, int line, const char *fmt,
	...) PRINTF_LIKE(6, 7);

/* ---- lex.c: logical lines of zone text ---- */

#define ZONE_TOKENS_MAX 1024

struct zone_lexer {
	const char *pos, *end;
	int line;                      /* of pos */
	int first;                     /* where the last logical line started */
	bool indented;                 /* it started with a blank */
	char *tokens[ZONE_TOKENS_MAX]; /* escapes and quotes as written */
	size_t count;
	char *store; /* their text */
	size_t store_size, store_len;
	const char *error; /* why zone_lex gave -EINVAL */
};

int zone_lexer_init(
	struct zone_lexer *lexer, const char *text, size_t len) MUST_CHECK;
void zone_lexer_fini(struct zone_lexer *lexer);
/* The next line with tokens: 1; 0 at the end; -EINVAL on an error (`error`,
 * `first`), after which the next line can be read; -ENOMEM. */
int zone_lex(struct zone_lexer *lexer) MUST_CHECK;

/* ---- file.c ---- */

/* The whole regular file on the heap; NULL with *err ("PATH: why"). */
char *zone_slurp(const char *path, size_t *len, struct err *err);
/* The real path of the file that $INCLUDE names, when it is below `dir`. */
bool zone_include_path(const char *dir, const char *word, char path[PATH_MAX],
	struct err *err);

/* ---- generate.c: $GENERATE ---- */

struct zone_range {
	long start, stop, step;
};

/* "1-254" or "0-100/2". */
bool zone_range_parse(const char *text, struct zone_range *range);
/* `pattern` with $, ${offset,width,base}, \$ and $$ replaced for `value`, into
 * `out`; -EINVAL when malformed or too long. */
int zone_generate(const char *pattern, long value, char *out, size_t size);

#endif
