/* SPDX-License-Identifier: ISC */
/*
 * The form of rdata as a word, one letter per field, walked once:
 *	b h w q		1, 2, 4, 16 octets
 *	n		a name, compression allowed on receipt
 *	N		a name, never compressed (RFC 3597 4 and later types)
 *	s		a character string;  S: one or more to the end
 *	P		SvcParams to the end;  L: APL items to the end
 *	r		the rest, may be empty;  +: the rest, not empty
 */

#include "common/dns/rdata.h"

#include "common/base/buf.h"
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
		return "hNP";
	case 42: /* APL */
		return "L";
	case 11: /* WKS */
		return "wbr";
	case 13: /* HINFO */
		return "ss";
	case 14: /* MINFO */
	case 17: /* RP */
		return "nn";
	case 24: /* SIG */
		return "hbbwwwhn+";
	case 26: /* PX */
		return "hnn";
	case 30: /* NXT */
		return "nr";
	case 35: /* NAPTR */
		return "hhsssn";
	case 257: /* CAA */
		return "bsr";
	default:
		return "r";
	}
}

void name_marks_init(struct name_marks *marks, size_t msg_len)
{
	if (msg_len > NAME_MARKS_MAX - 1)
		msg_len = NAME_MARKS_MAX - 1;
	memset(marks->bits, 0, (msg_len / 64 + 1) * sizeof(marks->bits[0]));
}

/* Mark the labels at `pos` up to the root label or a pointer, and tell
 * whether the pointer leads to a mark. The name was read already. */
static bool mark(struct name_marks *marks, const uint8_t *msg, size_t pos)
{
	while (msg[pos] != 0 && msg[pos] < 0xc0) {
		if (pos < NAME_MARKS_MAX)
			marks->bits[pos / 64] |= 1ULL << pos % 64;
		pos += msg[pos] + 1u;
	}
	if (pos < NAME_MARKS_MAX)
		marks->bits[pos / 64] |= 1ULL << pos % 64;
	if (msg[pos] == 0)
		return true;
	pos = (msg[pos] & 0x3fu) << 8 | msg[pos + 1];
	return marks->bits[pos / 64] >> pos % 64 & 1;
}

int name_marks_read(struct name_marks *marks, const uint8_t *msg,
	size_t msg_len, size_t offset)
{
	int n = name_read(msg, msg_len, offset, NULL);

	if (n > 0 && marks && !mark(marks, msg, offset))
		return -EINVAL;
	return n;
}

/* An uncompressed name of at most `left` octets. */
static int plain_name(
	struct name_marks *marks, const uint8_t *msg, size_t pos, size_t left)
{
	int n = name_wire_len(msg + pos, left);

	if (n > 0 && marks)
		(void)mark(marks, msg, pos);
	return n;
}

/* RFC 9460 2.2: keys rise, values are whole. */
static int svc_params(const uint8_t *p, size_t left)
{
	size_t pos = 0;
	int last = -1;

	while (pos < left) {
		if (left - pos < 4 || get16(p + pos) <= last)
			return -EINVAL;
		last = get16(p + pos);
		pos += 4u + get16(p + pos + 2);
		if (pos > left)
			return -EINVAL;
	}
	return (int)left;
}

/* RFC 3123 4: family, prefix, negation and length of the address part. */
static int apl_items(const uint8_t *p, size_t left)
{
	size_t pos = 0;

	while (pos < left) {
		unsigned family, prefix, n;

		if (left - pos < 4)
			return -EINVAL;
		family = get16(p + pos);
		prefix = p[pos + 2];
		n = p[pos + 3] & 0x7f;
		if ((family == 1 && (prefix > 32 || n > 4)) ||
			(family == 2 && (prefix > 128 || n > 16)) ||
			n > left - pos - 4)
			return -EINVAL;
		pos += 4 + n;
	}
	return (int)left;
}

/* Octets taken by one field with `left` octets to the end, or -EINVAL. */
static int field_len(const uint8_t *msg, size_t len, char field, size_t pos,
	size_t left, struct name_marks *marks)
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
		return name_marks_read(marks, msg, len, pos);
	case 'N':
		return plain_name(marks, msg, pos, left);
	case 's':
	case 'S':
		return left > 0 ? msg[pos] + 1 : -EINVAL;
	case 'P':
		return svc_params(msg + pos, left);
	case 'L':
		return apl_items(msg + pos, left);
	case '+':
		return left > 0 ? (int)left : -EINVAL;
	default:
		return (int)left;
	}
}

bool rdata_check(const uint8_t *msg, size_t len, uint16_t type, uint16_t class,
	size_t offset, size_t rdlen, struct name_marks *marks)
{
	const char *form = rdata_form(type, class);
	size_t pos = offset, end = offset + rdlen;

	while (*form != '\0') {
		int n = field_len(msg, len, *form, pos, end - pos, marks);

		if (n < 0 || (size_t)n > end - pos)
			return false;
		pos += (size_t)n;
		if (*form != 'S' || pos == end)
			form++;
	}
	return pos == end;
}
