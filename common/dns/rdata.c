/* SPDX-License-Identifier: ISC */
/*
 * The form of rdata as a word, one letter per field, walked once:
 *	b h w q		1, 2, 4, 16 octets
 *	n		a name, compression allowed on receipt
 *	N		a name, never compressed (RFC 3597 4 and later types)
 *	s		a character string;  S: one or more to the end
 *	r		the rest, may be empty;  +: the rest, not empty
 */

#include "common/dns/rdata.h"

#include "common/dns/code.h"
#include "common/dns/name.h"

#include <errno.h>

static const char *rdata_form(uint16_t type, uint16_t class)
{
	switch (type) {
	case DNS_TYPE_A:
		return class == DNS_CLASS_IN ? "w" : "r";
	case DNS_TYPE_AAAA:
		return class == DNS_CLASS_IN ? "q" : "r";
	case DNS_TYPE_CNAME:
	case DNS_TYPE_NS:
	case DNS_TYPE_PTR:
	case DNS_TYPE_DNAME:
	case 3: /* MD */
	case 4: /* MF */
	case 7: /* MB */
	case 8: /* MG */
	case 9: /* MR */
		return "n";
	case DNS_TYPE_SOA:
		return "nnwwwww";
	case DNS_TYPE_TXT:
	case 99: /* SPF */
		return "S";
	case DNS_TYPE_MX:
	case 18: /* AFSDB */
	case 21: /* RT */
	case 36: /* KX */
		return "hn";
	case DNS_TYPE_RRSIG:
		return "hbbwwwhN+";
	case DNS_TYPE_DS:
	case DNS_TYPE_DNSKEY:
		return "hbb+";
	case DNS_TYPE_NSEC:
		return "Nr";
	case DNS_TYPE_NSEC3:
		return "bbhssr";
	case DNS_TYPE_SRV:
		return "hhhn";
	case DNS_TYPE_SVCB:
	case DNS_TYPE_HTTPS:
		return "hNr";
	case 11: /* WKS */
		return "wbr";
	case 13: /* HINFO */
		return "ss";
	case 14: /* MINFO */
	case 17: /* RP */
		return "nn";
	case 35: /* NAPTR */
		return "hhsssn";
	case 257: /* CAA */
		return "bsr";
	default:
		return "r";
	}
}

/* Octets taken by one field with `left` octets to the end, or -EINVAL. */
static int field_len(
	const uint8_t *msg, size_t len, char field, size_t pos, size_t left)
{
	switch (field) {
	case 'b':
		return 1;
	case 'h':
		return 2;
	case 'w':
		return 4;
	case 'q':
		return 16;
	case 'n':
		return name_read(msg, len, pos, NULL);
	case 'N':
		return name_wire_len(msg + pos, left);
	case 's':
	case 'S':
		return left > 0 ? msg[pos] + 1 : -EINVAL;
	case '+':
		return left > 0 ? (int)left : -EINVAL;
	default:
		return (int)left;
	}
}

bool rdata_check(const uint8_t *msg, size_t len, uint16_t type, uint16_t class,
	size_t offset, size_t rdlen)
{
	const char *form = rdata_form(type, class);
	size_t pos = offset, end = offset + rdlen;

	while (*form != '\0') {
		int n = field_len(msg, len, *form, pos, end - pos);

		if (n < 0 || (size_t)n > end - pos)
			return false;
		pos += (size_t)n;
		if (*form != 'S' || pos == end)
			form++;
	}
	return pos == end;
}
