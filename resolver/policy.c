/* SPDX-License-Identifier: ISC */
/*
 * Questions that no recursion can answer end here: other classes (they would
 * tell about the server), transfers, meta types (RFC 6895 3.1), and ANY as
 * configured (RFC 8482).
 */

#include "resolver/policy.h"

#include "common/dns/code.h"

static enum policy policy_any(const struct settings *s, bool tcp)
{
	switch (s->any) {
	case ANY_TC:
		return tcp ? POLICY_RESOLVE : POLICY_TC;
	case ANY_REFUSE:
		return POLICY_REFUSE;
	case ANY_DROP:
		return POLICY_DROP;
	case ANY_ALLOW:
		break;
	}
	return POLICY_RESOLVE;
}

enum policy policy_question(const struct settings *s, const struct question *q,
	uint16_t flags, bool tcp)
{
	enum policy p = POLICY_RESOLVE;

	if (q->class != DNS_CLASS_IN)
		return POLICY_REFUSE;
	if (q->type == 0 || q->type == DNS_TYPE_OPT)
		return POLICY_FORMERR;
	if (q->type == DNS_TYPE_AXFR || q->type == DNS_TYPE_IXFR)
		return POLICY_REFUSE;
	if (q->type >= 128 && q->type <= 254)
		return POLICY_NOTIMP;
	if (q->type == DNS_TYPE_ANY)
		p = policy_any(s, tcp);
	if (p == POLICY_RESOLVE && !(flags & MSG_RD))
		return s->rd0_cache ? POLICY_CACHE_ONLY : POLICY_REFUSE;
	return p;
}

void refusals_init(struct refusals *r)
{
	memset(r, 0, sizeof(*r));
	hash_key_random(&r->key);
}

bool refusals_take(struct refusals *r, const union addr *client, uint32_t per_s,
	struct mtime now)
{
	uint32_t *count =
		&r->counts[addr_hash_ip(&r->key, client) % REFUSAL_SLOTS];

	if (now.us / 1000000 != r->second) {
		r->second = now.us / 1000000;
		memset(r->counts, 0, sizeof(r->counts));
	}
	if (*count >= per_s)
		return false;
	(*count)++;
	return true;
}
