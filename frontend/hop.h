/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_HOP_H
#define FRONTEND_HOP_H

/*
 * EDNS options that belong to one hop (RFC 6891 6.2.6): what a client sent of
 * them ends here, what it gets is made here for it alone. DNS cookies (RFC
 * 7873, 9018), the keepalive of TCP (RFC 7828) and, where a pool wants it, the
 * client's subnet (RFC 7871). Pure.
 */

#include "common/dns/cookie.h"
#include "common/dns/ecs.h"
#include "common/dns/msg.h"

/* COOKIE (4 + 24), KEEPALIVE (4 + 2), ECS. */
#define HOP_MAX (34 + ECS_OPTION_MAX)

/* The options of the answer, ready to be copied behind others. */
struct hop {
	uint8_t len;
	bool cookie;      /* the client speaks of cookies, and we do */
	bool proven;      /* its address is proven by a cookie of ours */
	uint8_t scope_at; /* in octets: the scope of the ECS; 0: none */
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

/* The client sent this; behind hop_read. */
void hop_add_ecs(struct hop *hop, const struct ecs *ecs);

/* Put the options into the OPT of `opt_len` octets at `opt`, the last thing
 * in its message; `room` is from `opt` on; `scope` is for the ECS. Returns its
 * new length; the same when there is no room. */
size_t hop_write(const struct hop *hop, uint8_t scope, uint8_t *opt,
	size_t opt_len, size_t room);

#endif
