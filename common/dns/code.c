/* SPDX-License-Identifier: ISC */
/* Names of numbers. The tables are short: linear search, never on the packet
 * path. */

#include "common/dns/code.h"

#include <strings.h>

struct code {
	uint16_t value;
	const char *text;
};

static const struct code types[] = {
	{1, "A"},
	{2, "NS"},
	{3, "MD"},
	{4, "MF"},
	{5, "CNAME"},
	{6, "SOA"},
	{7, "MB"},
	{8, "MG"},
	{9, "MR"},
	{10, "NULL"},
	{11, "WKS"},
	{12, "PTR"},
	{13, "HINFO"},
	{14, "MINFO"},
	{15, "MX"},
	{16, "TXT"},
	{17, "RP"},
	{18, "AFSDB"},
	{19, "X25"},
	{20, "ISDN"},
	{21, "RT"},
	{22, "NSAP"},
	{24, "SIG"},
	{25, "KEY"},
	{26, "PX"},
	{28, "AAAA"},
	{29, "LOC"},
	{33, "SRV"},
	{35, "NAPTR"},
	{36, "KX"},
	{37, "CERT"},
	{39, "DNAME"},
	{41, "OPT"},
	{42, "APL"},
	{43, "DS"},
	{44, "SSHFP"},
	{45, "IPSECKEY"},
	{46, "RRSIG"},
	{47, "NSEC"},
	{48, "DNSKEY"},
	{49, "DHCID"},
	{50, "NSEC3"},
	{51, "NSEC3PARAM"},
	{52, "TLSA"},
	{53, "SMIMEA"},
	{55, "HIP"},
	{59, "CDS"},
	{60, "CDNSKEY"},
	{61, "OPENPGPKEY"},
	{62, "CSYNC"},
	{63, "ZONEMD"},
	{64, "SVCB"},
	{65, "HTTPS"},
	{99, "SPF"},
	{104, "NID"},
	{105, "L32"},
	{106, "L64"},
	{107, "LP"},
	{108, "EUI48"},
	{109, "EUI64"},
	{249, "TKEY"},
	{250, "TSIG"},
	{251, "IXFR"},
	{252, "AXFR"},
	{253, "MAILB"},
	{254, "MAILA"},
	{255, "ANY"},
	{256, "URI"},
	{257, "CAA"},
	{258, "AVC"},
	{260, "AMTRELAY"},
	{261, "RESINFO"},
	{32769, "DLV"},
};

static const struct code classes[] = {
	{DNS_CLASS_IN, "IN"},
	{DNS_CLASS_CH, "CH"},
	{DNS_CLASS_HS, "HS"},
	{DNS_CLASS_NONE, "NONE"},
	{DNS_CLASS_ANY, "ANY"},
};

static const struct code rcodes[] = {
	{0, "NOERROR"},
	{1, "FORMERR"},
	{2, "SERVFAIL"},
	{3, "NXDOMAIN"},
	{4, "NOTIMP"},
	{5, "REFUSED"},
	{6, "YXDOMAIN"},
	{7, "YXRRSET"},
	{8, "NXRRSET"},
	{9, "NOTAUTH"},
	{10, "NOTZONE"},
	{16, "BADVERS"},
	{17, "BADKEY"},
	{18, "BADTIME"},
	{19, "BADMODE"},
	{20, "BADNAME"},
	{21, "BADALG"},
	{22, "BADTRUNC"},
	{23, "BADCOOKIE"},
};

static char *print(const struct code *table, size_t count, uint16_t value,
	const char *generic, char out[DNS_CODE_TEXT])
{
	for (size_t i = 0; i < count; i++) {
		if (table[i].value != value)
			continue;
		snprintf(out, DNS_CODE_TEXT, "%s", table[i].text);
		return out;
	}
	snprintf(out, DNS_CODE_TEXT, "%s%u", generic, (unsigned)value);
	return out;
}

/* "<generic><decimal up to 65535>" */
static bool parse_generic(
	const char *text, const char *generic, uint16_t *value)
{
	size_t len = strlen(generic);
	uint32_t n = 0;

	if (strncasecmp(text, generic, len) != 0 || text[len] == '\0')
		return false;
	for (const char *p = text + len; *p != '\0'; p++) {
		if (*p < '0' || *p > '9')
			return false;
		n = n * 10 + (uint32_t)(*p - '0');
		if (n > 65535)
			return false;
	}
	*value = (uint16_t)n;
	return true;
}

static bool parse(const struct code *table, size_t count, const char *text,
	const char *generic, uint16_t *value)
{
	for (size_t i = 0; i < count; i++) {
		if (strcasecmp(table[i].text, text) != 0)
			continue;
		*value = table[i].value;
		return true;
	}
	return parse_generic(text, generic, value);
}

char *dns_type_print(uint16_t type, char out[DNS_CODE_TEXT])
{
	return print(types, countof(types), type, "TYPE", out);
}

bool dns_type_parse(const char *text, uint16_t *type)
{
	return parse(types, countof(types), text, "TYPE", type);
}

char *dns_class_print(uint16_t class, char out[DNS_CODE_TEXT])
{
	return print(classes, countof(classes), class, "CLASS", out);
}

bool dns_class_parse(const char *text, uint16_t *class)
{
	return parse(classes, countof(classes), text, "CLASS", class);
}

char *dns_rcode_print(uint16_t rcode, char out[DNS_CODE_TEXT])
{
	return print(rcodes, countof(rcodes), rcode, "RCODE", out);
}

bool dns_rcode_parse(const char *text, uint16_t *rcode)
{
	return parse(rcodes, countof(rcodes), text, "RCODE", rcode);
}
