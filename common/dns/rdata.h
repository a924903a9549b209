/* SPDX-License-Identifier: ISC */
#ifndef COMMON_DNS_RDATA_H
#define COMMON_DNS_RDATA_H

/* Is the rdata of a record whole? For msg.c; pure. */

#include "common/base/base.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * True when the `rdlen` octets at `offset` have the form of `type` (RFC 1035
 * and later types with names or fixed fields; A and AAAA in class IN only)
 * and names in them end within the rdata. Types without a known form: true.
 */
bool rdata_check(const uint8_t *msg, size_t len, uint16_t type, uint16_t class,
	size_t offset, size_t rdlen);

#endif
