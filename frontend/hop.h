/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_HOP_H
#define FRONTEND_HOP_H

/*
 * EDNS options that belong to one hop (RFC 6891 6.2.6): what a client sent of
 * them ends here, what it gets is made here for it alone. DNS cookies (RFC
 * 7873, 9018) and the keepalive of TCP (RFC 7828). Pure.
 */

#include "common/dns/cookie.h"
#include "common/dns/msg.h"

/* COOKIE (4 + 24) and KEEPALIVE (4 + 2). */
#define HOP_MAX 36

/* The options of the answer, ready to be copied behind others. */
struct hop {
	uint8_t len;
	bool cookie; /* the client speaks of cookies, and we do */
	bool proven; /* its address is proven by a cookie of ours */
	uint8_t octets[HOP_MAX];
};

/* Part of the policy snapshot. */
struct hop_rules {
	bool cookies;
	struct cookie_secrets secrets;
	uint32_t idle_ms; /* an idle TCP connection is kept so long */
};

/* From a query that was parsed without error; `ip` as cookie_answer's. */
void hop_read(struct hop *hop, const struct hop_rules *rules,
	const uint8_t *msg, const struct edns *edns, bool tcp,
	const uint8_t *ip, size_t ip_len, uint32_t now_s);

/* Put the options into the OPT of `opt_len` octets at `opt`, the last thing
 * in its message; `room` is from `opt` on. Returns its new length; the same
 * when there is no room. */
size_t hop_write(
	const struct hop *hop, uint8_t *opt, size_t opt_len, size_t room);

#endif
