/* SPDX-License-Identifier: ISC */
/* One form for all that means the same: what is not of the prefix is zero. */

#include "common/dns/ecs.h"

#include "common/base/buf.h"
#include "common/dns/edns.h"

#define FIXED 4 /* octets before the address */

/* -1: not known. */
static int family_bits(unsigned family)
{
	switch (family) {
	case ECS_FAMILY_NONE:
		return 0;
	case ECS_FAMILY_IP4:
		return 32;
	case ECS_FAMILY_IP6:
		return 128;
	default:
		return -1;
	}
}

static size_t octets_of(uint8_t source)
{
	return (source + 7u) / 8;
}

static uint8_t last_mask(uint8_t source)
{
	return (uint8_t)(0xff << (7 - (source + 7) % 8));
}

bool ecs_read(const uint8_t *data, size_t len, struct ecs *ecs, uint8_t *scope)
{
	size_t octets;
	int bits;

	if (len < FIXED)
		return false;
	bits = family_bits(get16(data));
	octets = octets_of(data[2]);
	if (data[2] > bits || data[3] > bits || len != FIXED + octets)
		return false;
	if (octets > 0 &&
		(data[FIXED + octets - 1] & (uint8_t)~last_mask(data[2])))
		return false;
	memset(ecs, 0, sizeof(*ecs));
	ecs->family = data[1];
	ecs->source = data[2];
	memcpy(ecs->addr, data + FIXED, octets);
	*scope = data[3];
	return true;
}

void ecs_make(struct ecs *ecs, const uint8_t *ip, size_t len, uint8_t source)
{
	size_t octets = octets_of(source);

	memset(ecs, 0, sizeof(*ecs));
	ecs->family = len == 4 ? ECS_FAMILY_IP4 : ECS_FAMILY_IP6;
	ecs->source = source;
	if (octets == 0)
		return;
	memcpy(ecs->addr, ip, octets);
	ecs->addr[octets - 1] &= last_mask(source);
}

size_t ecs_write(const struct ecs *ecs, uint8_t scope, uint8_t *out)
{
	size_t octets = octets_of(ecs->source);

	put16(out, EDNS_OPTION_ECS);
	put16(out + 2, (uint16_t)(FIXED + octets));
	put16(out + 4, ecs->family);
	out[6] = ecs->source;
	out[ECS_OPTION_SCOPE] = scope;
	memcpy(out + 8, ecs->addr, octets);
	return 8 + octets;
}
