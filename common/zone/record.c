/* SPDX-License-Identifier: ISC */
/*
 * The only user of ldns: rdata text to canonical text. ldns takes numbers
 * modulo their field's size and prints names with a bare quote; both are
 * caught here: numbers are checked against the field they are for, and what
 * is printed must parse to the same octets again.
 */

#include "common/zone/private.h"

#include "common/dns/code.h"
#include "common/dns/rdata.h"

#include <errno.h>
#include <ldns/ldns.h>

static bool is_meta(uint16_t type)
{
	return type == 0 || type == DNS_TYPE_OPT ||
	       (type >= DNS_TYPE_TKEY && type <= DNS_TYPE_ANY);
}

/* Largest number a field of this kind holds; 0: not a plain number. */
static uint64_t field_max(ldns_rdf_type field)
{
	switch (field) {
	case LDNS_RDF_TYPE_INT8:
		return UINT8_MAX;
	case LDNS_RDF_TYPE_INT16:
		return UINT16_MAX;
	case LDNS_RDF_TYPE_INT32:
		return UINT32_MAX;
	default:
		return 0;
	}
}

/* The decimal number at *p, which ends at a blank; it is skipped. */
static bool number_fits(const char **p, uint64_t max)
{
	uint64_t n = 0;

	if (**p < '0' || **p > '9')
		return false;
	for (; **p >= '0' && **p <= '9'; (*p)++) {
		n = n * 10 + (uint64_t)(**p - '0');
		if (n > max)
			return false;
	}
	return **p == ' ' || **p == '\0';
}

static const char *skip_word(const char *p)
{
	bool quoted = false;

	for (; *p != '\0' && (quoted || *p != ' '); p++) {
		if (*p == '\\' && p[1] != '\0')
			p++;
		else if (*p == '"')
			quoted = !quoted;
	}
	return p;
}

/* Words and fields go together up to the first field that may take several
 * words. */
static int check_numbers(uint16_t type, const char *text, struct err *err)
{
	const ldns_rr_descriptor *d = ldns_rr_descript(type);
	size_t fields = ldns_rr_descriptor_minimum(d);
	const char *p = text;

	if (strncmp(text, "\\# ", 3) == 0)
		return 0;
	for (size_t i = 0; i < fields && *p != '\0'; i++) {
		ldns_rdf_type field = ldns_rr_descriptor_field_type(d, i);
		uint64_t max = field_max(field);
		const char *word = p;

		if (max > 0 && !number_fits(&p, max))
			return err_fail(err, -EINVAL,
				"\"%.*s\" is not a number from 0 to %llu",
				(int)(skip_word(word) - word), word,
				(unsigned long long)max);
		p = skip_word(p);
		p += *p == ' ';
	}
	return 0;
}

static ldns_rr *parse(const struct name *origin, uint16_t type,
	const char *rdata, struct err *err)
{
	ldns_rdf *base = ldns_rdf_new_frm_data(
		LDNS_RDF_TYPE_DNAME, origin->len, origin->wire);
	char name[DNS_CODE_TEXT];
	ldns_rr *rr = NULL;
	ldns_status status = LDNS_STATUS_MEM_ERR;
	struct text line;

	text_init(&line);
	dns_type_print(type, name);
	text_add(&line, ". 0 IN %s %s", name, rdata);
	if (base && !line.failed)
		status = ldns_rr_new_frm_str(&rr, line.data, 0, base, NULL);
	if (status == LDNS_STATUS_MEM_ERR)
		err_set(err, "out of memory");
	else if (status != LDNS_STATUS_OK)
		err_set(err, "%s: %s", name, ldns_get_errorstr_by_id(status));
	ldns_rdf_deep_free(base);
	text_fini(&line);
	if (status != LDNS_STATUS_OK)
		return NULL;
	ldns_rr2canonical(rr);
	return rr;
}

/* Does the rdata have the form its type asks for? */
static bool form_ok(const ldns_rr *rr, uint16_t type)
{
	uint8_t *msg = NULL;
	size_t len = 0;
	bool good;

	/* owner (the root) 1, type, class, TTL and length 10 */
	if (ldns_rr2wire(&msg, rr, LDNS_SECTION_ANSWER, &len) != LDNS_STATUS_OK)
		return false;
	good = len >= 11 && len - 11 <= UINT16_MAX &&
	       rdata_check(msg, len, type, DNS_CLASS_IN, 11, len - 11, NULL);
	free(msg);
	return good;
}

/* Single blanks between words, none at the end, in place. */
static void squeeze(char *text)
{
	const char *from = text;
	char *to = text;

	while (*from != '\0') {
		const char *end = skip_word(from);

		if (end > from && to > text)
			*to++ = ' ';
		memmove(to, from, (size_t)(end - from));
		to += end - from;
		from = end + (*end == ' ');
	}
	*to = '\0';
}

static char *print(const ldns_rr *rr)
{
	struct text out;

	text_init(&out);
	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
		char *part = ldns_rdf2str(ldns_rr_rdf(rr, i));

		if (!part) {
			text_fini(&out);
			return NULL;
		}
		text_add(&out, "%s%s", i > 0 ? " " : "", part);
		free(part);
	}
	if (out.failed) {
		text_fini(&out);
		return NULL;
	}
	squeeze(out.data);
	return text_take(&out);
}

/* Control characters, and quotes that are not closed. */
static bool is_printable(const char *text)
{
	bool quoted = false;

	for (const char *p = text; *p != '\0'; p++) {
		if ((unsigned char)*p < ' ' || (unsigned char)*p >= 0x7f)
			return false;
		if (*p == '\\') {
			if (*++p == '\0')
				return false;
		} else if (*p == '"') {
			quoted = !quoted;
		} else if (!quoted && strchr(";()", *p)) {
			return false;
		}
	}
	return !quoted;
}

static bool reads_back(const ldns_rr *rr, const struct name *origin,
	uint16_t type, const char *text)
{
	ldns_rr *again = NULL;
	bool same;

	if (!is_printable(text))
		return false;
	again = parse(origin, type, text, NULL);
	same = again && ldns_rr_compare(rr, again) == 0;
	ldns_rr_free(again);
	return same;
}

char *zone_rdata_parse(const struct name *origin, uint16_t type,
	const char *text, struct err *err)
{
	char name[DNS_CODE_TEXT];
	ldns_rr *rr;
	char *out = zone_simple_parse(origin, type, text);

	if (out)
		return out;

	dns_type_print(type, name);
	if (is_meta(type)) {
		err_set(err, "type %s is not for zones", name);
		return NULL;
	}
	if (check_numbers(type, text, err) != 0) {
		err_prefix(err, "%s", name);
		return NULL;
	}
	rr = parse(origin, type, text, err);
	if (!rr)
		return NULL;
	if (!form_ok(rr, type)) {
		err_set(err, "%s: rdata does not have the form of its type",
			name);
		goto out;
	}
	out = print(rr);
	if (!out) {
		err_set(err, "out of memory");
	} else if (zone_simple_type(type)) {
		/* Unusual text of a simple type: one canonical form. */
		char *simple = zone_simple_parse(origin, type, out);

		free(out);
		out = simple;
		if (!out)
			err_set(err, "%s: not a name or address", name);
	} else if (!reads_back(rr, origin, type, out)) {
		err_set(err, "%s: rdata cannot be written as text", name);
		free(out);
		out = NULL;
	}
out:
	ldns_rr_free(rr);
	return out;
}
