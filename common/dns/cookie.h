/* SPDX-License-Identifier: ISC */
#ifndef COMMON_DNS_COOKIE_H
#define COMMON_DNS_COOKIE_H

/*
 * Server side of DNS cookies (RFC 7873) in the form that several servers can
 * share (RFC 9018): version, reserved, time, SipHash-2-4 over client cookie
 * and address. No state per client. Pure.
 */

#include "common/base/hash.h"

#include <stdbool.h>

#define COOKIE_CLIENT 8  /* octets of a client cookie */
#define COOKIE_SIZE   24 /* client cookie and our server cookie */

/* The secret that cookies are made with, and another that is accepted too:
 * the one before, or the next one that a peer makes cookies with already
 * (RFC 9018 5). */
struct cookie_secrets {
	struct hash_key now, other;
	bool has_other;
};

/* From 32 hex digits (16 octets). False: it is something else. */
bool cookie_secret_parse(const char *hex, struct hash_key *out);

/*
 * Answer the COOKIE option `in` (8, or 16..40 octets: edns_read has checked
 * it) of a client at `ip` (4 or 16 octets): `out` is what the reply's option
 * holds. True: its server cookie is ours, at most an hour old and not from
 * more than 5 minutes ahead, so the client receives what is sent to `ip`.
 * `now_s`: wall time, seconds since 1970, modulo 2^32. A good cookie younger
 * than half an hour is given back as it is.
 */
bool cookie_answer(const struct cookie_secrets *secrets, const uint8_t *in,
	size_t len, const uint8_t *ip, size_t ip_len, uint32_t now_s,
	uint8_t out[COOKIE_SIZE]);

#endif
