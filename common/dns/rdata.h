/* SPDX-License-Identifier: ISC */
#ifndef COMMON_DNS_RDATA_H
#define COMMON_DNS_RDATA_H

/* Is the rdata of a record whole? For msg.c; pure. */

#include "common/base/base.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Where labels start in a message, as far as it was walked. A compression
 * pointer may lead to such a place only: one into a TTL or an address would
 * make a name that changes when the TTL is aged in place.
 */
#define NAME_MARKS_MAX 0x4000 /* what 14 bits can point to */
struct name_marks {
	uint64_t bits[NAME_MARKS_MAX / 64];
};

void name_marks_init(struct name_marks *marks, size_t msg_len);
/* As name_read, and the labels there are marked; -EINVAL also when its
 * pointer leads elsewhere. */
int name_marks_read(struct name_marks *marks, const uint8_t *msg,
	size_t msg_len, size_t offset);

/*
 * True when the `rdlen` octets at `offset` have the form of `type` (RFC 1035
 * and later types with names or fixed fields; A and AAAA in class IN only)
 * and names in them end within the rdata. Types without a known form: true.
 * `marks` may be NULL (then pointers may lead to any place before).
 */
bool rdata_check(const uint8_t *msg, size_t len, uint16_t type, uint16_t class,
	size_t offset, size_t rdlen, struct name_marks *marks);

#endif
