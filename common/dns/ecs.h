/* SPDX-License-Identifier: ISC */
#ifndef COMMON_DNS_ECS_H
#define COMMON_DNS_ECS_H

/* The EDNS Client Subnet option (RFC 7871 6): read, write. Pure. */

#include "common/base/base.h"

#include <stdbool.h>
#include <stdint.h>

#define ECS_FAMILY_NONE 0 /* of /0 only */
#define ECS_FAMILY_IP4  1
#define ECS_FAMILY_IP6  2
/* An option with its code and length, and the longest address. */
#define ECS_OPTION_MAX (4 + 4 + 16)
/* In a whole option: where its scope is. */
#define ECS_OPTION_SCOPE 7

/* What is asked for. Octets only, so two are equal when their memory is. */
struct ecs {
	uint8_t family;
	uint8_t source;   /* SOURCE PREFIX-LENGTH */
	uint8_t addr[16]; /* zero behind the prefix */
};

/* From an option's data. False: an unknown family, a prefix or scope longer
 * than an address, or an address that is not of the prefix's octets or has
 * bits behind it. */
bool ecs_read(const uint8_t *data, size_t len, struct ecs *ecs,
	uint8_t *scope) MUST_CHECK;

/* The network of this address (`len` 4 or 16), cut to `source` bits. */
void ecs_make(struct ecs *ecs, const uint8_t *ip, size_t len, uint8_t source);

/* Write the option, code and length too, to `out` of ECS_OPTION_MAX octets;
 * its length. */
size_t ecs_write(const struct ecs *ecs, uint8_t scope, uint8_t *out);

#endif
