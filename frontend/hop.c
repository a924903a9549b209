/* SPDX-License-Identifier: ISC */
/*
 * All is known when the query comes, so an answer costs a copy, however late
 * it leaves and wherever it is from.
 */

#include "frontend/hop.h"

#include "common/base/buf.h"

#define OPT_RDLEN 9 /* in an OPT whose owner is the root */

static uint8_t *add(struct hop *hop, uint16_t code, uint16_t len)
{
	uint8_t *option = hop->octets + hop->len;

	put16(option, code);
	put16(option + 2, len);
	hop->len = (uint8_t)(hop->len + 4 + len);
	return option + 4;
}

static void add_keepalive(struct hop *hop, uint32_t idle_ms)
{
	uint32_t tenths = idle_ms / 100;

	put16(add(hop, EDNS_OPTION_KEEPALIVE, 2),
		(uint16_t)(tenths < UINT16_MAX ? tenths : UINT16_MAX));
}

void hop_read(struct hop *hop, const struct hop_rules *rules,
	const uint8_t *msg, const struct edns *edns, bool tcp,
	const uint8_t *ip, size_t ip_len, uint32_t now_s)
{
	hop->cookie = rules->cookies && edns->cookie_offset != 0;
	if (hop->cookie)
		hop->proven = cookie_answer(&rules->secrets,
			msg + edns->cookie_offset, edns->cookie_len, ip, ip_len,
			now_s, add(hop, EDNS_OPTION_COOKIE, COOKIE_SIZE));
	if (tcp && edns->keepalive) /* over UDP it is ignored: 3.2.1 */
		add_keepalive(hop, rules->idle_ms);
}

void hop_add_ecs(struct hop *hop, const struct ecs *ecs)
{
	hop->scope_at = (uint8_t)(hop->len + ECS_OPTION_SCOPE);
	hop->len =
		(uint8_t)(hop->len + ecs_write(ecs, 0, hop->octets + hop->len));
}

size_t hop_write(const struct hop *hop, uint8_t scope, uint8_t *opt,
	size_t opt_len, size_t room)
{
	if (hop->len == 0 || opt_len < EDNS_OPT_SIZE ||
		opt_len + hop->len > room)
		return opt_len;
	memcpy(opt + opt_len, hop->octets, hop->len);
	if (hop->scope_at)
		opt[opt_len + hop->scope_at] = scope;
	put16(opt + OPT_RDLEN, (uint16_t)(get16(opt + OPT_RDLEN) + hop->len));
	return opt_len + hop->len;
}
