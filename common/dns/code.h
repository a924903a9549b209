/* SPDX-License-Identifier: ISC */
#ifndef COMMON_DNS_CODE_H
#define COMMON_DNS_CODE_H

/* Numbers and texts of types, classes, rcodes, opcodes (IANA's registry). */

#include "common/base/base.h"

#include <stdbool.h>
#include <stdint.h>

enum dns_type {
	DNS_TYPE_A = 1,
	DNS_TYPE_NS = 2,
	DNS_TYPE_CNAME = 5,
	DNS_TYPE_SOA = 6,
	DNS_TYPE_PTR = 12,
	DNS_TYPE_MX = 15,
	DNS_TYPE_TXT = 16,
	DNS_TYPE_AAAA = 28,
	DNS_TYPE_SRV = 33,
	DNS_TYPE_DNAME = 39,
	DNS_TYPE_OPT = 41,
	DNS_TYPE_DS = 43,
	DNS_TYPE_RRSIG = 46,
	DNS_TYPE_NSEC = 47,
	DNS_TYPE_DNSKEY = 48,
	DNS_TYPE_NSEC3 = 50,
	DNS_TYPE_SVCB = 64,
	DNS_TYPE_HTTPS = 65,
	DNS_TYPE_TKEY = 249,
	DNS_TYPE_TSIG = 250,
	DNS_TYPE_IXFR = 251,
	DNS_TYPE_AXFR = 252,
	DNS_TYPE_ANY = 255,
};

enum dns_class {
	DNS_CLASS_IN = 1,
	DNS_CLASS_CH = 3,
	DNS_CLASS_HS = 4,
	DNS_CLASS_NONE = 254,
	DNS_CLASS_ANY = 255,
};

enum dns_rcode {
	DNS_RCODE_NOERROR = 0,
	DNS_RCODE_FORMERR = 1,
	DNS_RCODE_SERVFAIL = 2,
	DNS_RCODE_NXDOMAIN = 3,
	DNS_RCODE_NOTIMP = 4,
	DNS_RCODE_REFUSED = 5,
	DNS_RCODE_NOTAUTH = 9,
	DNS_RCODE_BADVERS = 16, /* extended: needs an OPT */
	DNS_RCODE_BADCOOKIE = 23,
};

enum dns_opcode {
	DNS_OPCODE_QUERY = 0,
	DNS_OPCODE_STATUS = 2,
	DNS_OPCODE_NOTIFY = 4,
	DNS_OPCODE_UPDATE = 5,
};

/* Extended DNS errors (RFC 8914) that we give. */
enum dns_ede {
	DNS_EDE_OTHER = 0,
	DNS_EDE_STALE_ANSWER = 3,
	DNS_EDE_FORGED_ANSWER = 4,
	DNS_EDE_DNSSEC_BOGUS = 6,
	DNS_EDE_NOT_READY = 14,
	DNS_EDE_BLOCKED = 15,
	DNS_EDE_PROHIBITED = 18,
	DNS_EDE_NO_REACHABLE_AUTHORITY = 22,
	DNS_EDE_NETWORK_ERROR = 23,
};

#define DNS_CODE_TEXT 16 /* room for any text made here, with NUL */

/* "A", "TYPE65280" (RFC 3597). Returns `out`. */
char *dns_type_print(uint16_t type, char out[DNS_CODE_TEXT]);
/* Case-insensitive, TYPEn accepted; false when unknown. */
bool dns_type_parse(const char *text, uint16_t *type);
char *dns_class_print(uint16_t class, char out[DNS_CODE_TEXT]);
bool dns_class_parse(const char *text, uint16_t *class);
/* "NOERROR", "RCODE11". */
char *dns_rcode_print(uint16_t rcode, char out[DNS_CODE_TEXT]);
bool dns_rcode_parse(const char *text, uint16_t *rcode);

#endif
