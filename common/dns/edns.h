/* SPDX-License-Identifier: ISC */
#ifndef COMMON_DNS_EDNS_H
#define COMMON_DNS_EDNS_H

/* The OPT record (RFC 6891): find, read, write. Pure. */

#include "common/base/base.h"

#include <stdbool.h>
#include <stdint.h>

#define EDNS_OUR_PAYLOAD      1232 /* what we announce and never exceed (UDP) */
#define EDNS_OPT_SIZE         11   /* an OPT without options */
#define EDNS_OPTION_ECS       8
#define EDNS_OPTION_COOKIE    10
#define EDNS_OPTION_KEEPALIVE 11
#define EDNS_OPTION_PADDING   12
#define EDNS_OPTION_EDE       15

struct edns {
	bool present;
	bool dnssec_ok; /* DO */
	uint8_t version;
	uint8_t ext_rcode;      /* upper 8 bits */
	uint16_t payload;       /* as sent */
	uint16_t offset;        /* of the OPT's owner octet in the message */
	uint16_t length;        /* of the whole OPT record */
	uint16_t cookie_offset; /* of the COOKIE option's data; 0: none */
	uint8_t cookie_len;
	bool keepalive;      /* RFC 7828 */
	uint16_t ecs_offset; /* of the ECS option's data; 0: none */
	uint16_t ecs_len;
};

/* Fill `out` from the OPT record whose class, TTL and rdata are given; false
 * when an option runs past the rdata, there are more than 64, or a COOKIE has
 * a length that RFC 7873 forbids. Of repeated options the first counts. With
 * a version other than 0 the options are not looked at. */
bool edns_read(const uint8_t *msg, uint16_t offset, uint16_t class,
	uint32_t ttl, uint16_t rdata_offset, uint16_t rdlen, struct edns *out);

/* Largest UDP answer for this client: 512 without EDNS, else its payload
 * clamped to 512..limit. */
uint16_t edns_udp_limit(const struct edns *edns, uint16_t limit);

/* Append an OPT (and EDE `ede` when >= 0, with an optional text of at most
 * 255 octets) at `out`; `ext_rcode` is rcode >> 4. Returns its length, 0 when
 * `room` is too small. */
size_t edns_write(uint8_t *out, size_t room, uint16_t payload, bool dnssec_ok,
	unsigned ext_rcode, int ede, const char *ede_text);

#endif
