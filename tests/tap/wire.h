/* SPDX-License-Identifier: ISC */
#ifndef TESTS_TAP_WIRE_H
#define TESTS_TAP_WIRE_H

/* Packets in tables of tests, as text. */

#include <stddef.h>
#include <stdint.h>

/*
 * Octets from text: hex digits in pairs, blanks anywhere between them,
 * <www.example.> for a name in wire form, 'text' for ASCII. Bails out when
 * the text is wrong or `size` too small. Returns the length.
 */
size_t wire(uint8_t *out, size_t size, const char *text);

#endif
