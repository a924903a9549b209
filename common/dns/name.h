/* SPDX-License-Identifier: ISC */
#ifndef COMMON_DNS_NAME_H
#define COMMON_DNS_NAME_H

/*
 * Domain names in uncompressed wire form (RFC 1035 3.1): labels with their
 * length octet, ending in the root label; at most 255 octets. Pure.
 */

#include "common/base/hash.h"

#include <stdbool.h>
#include <stdint.h>

#define NAME_MAX_WIRE 255
/* Every octet as \DDD, dots, NUL. */
#define NAME_MAX_TEXT 1024

struct name {
	uint8_t len; /* octets used in wire, root label included; >= 1 */
	uint8_t wire[NAME_MAX_WIRE];
};

/* Length of the uncompressed name at `wire`, or -EINVAL when it does not
 * end within `size`, is over 255 octets or holds a pointer. */
int name_wire_len(const uint8_t *wire, size_t size);
/* Read the (possibly compressed) name at `offset` of a message. Returns the
 * number of octets it takes there, or -EINVAL. Pointers must point backwards
 * (so it ends). `out` may be NULL (only check). */
int name_read(
	const uint8_t *msg, size_t msg_len, size_t offset, struct name *out);
/* Text with \DDD and \X escapes; the final dot is optional; "." is root.
 * -EINVAL when not a name; *out is as before then. */
int name_parse(const char *text, struct name *out) MUST_CHECK;
/* Absolute text with final dot, escaped; returns `out`. */
char *name_print(const struct name *name, char out[NAME_MAX_TEXT]);
char *name_wire_print(const uint8_t *wire, char out[NAME_MAX_TEXT]);

static inline uint8_t name_lower(uint8_t c)
{
	return (uint8_t)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/* Lower-case `len` octets of an uncompressed name in place / copying. Length
 * octets are <= 63, so they are not changed. */
void name_to_lower(uint8_t *dst, const uint8_t *src, size_t len);
/* Case-insensitive (RFC 4343). Both uncompressed. */
bool name_equal(const uint8_t *a, const uint8_t *b);
/* Is `name` equal to or below `suffix`, label-wise? */
bool name_under(const uint8_t *name, const uint8_t *suffix);
/* Labels without the root. */
unsigned name_labels(const uint8_t *wire);
/* The name without its first label; wire must not be the root. */
static inline const uint8_t *name_parent(const uint8_t *wire)
{
	return wire + wire[0] + 1;
}
/* Hash of the lower-cased name. */
uint64_t name_hash(const struct hash_key *key, const uint8_t *wire, size_t len);
/* Canonical order (RFC 4034 6.1): <0, 0, >0. */
int name_compare(const uint8_t *a, const uint8_t *b);

#endif
