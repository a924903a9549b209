/* SPDX-License-Identifier: ISC */
#ifndef RESOLVER_POLICY_H
#define RESOLVER_POLICY_H

/* What a question gets before any lookup, and the bound on REFUSED. */

#include "resolver/config.h"

enum policy {
	POLICY_RESOLVE,
	POLICY_CACHE_ONLY, /* RD=0: what the cache has, else REFUSED */
	POLICY_REFUSE,
	POLICY_NOTIMP,
	POLICY_FORMERR,
	POLICY_TC, /* come again over TCP */
	POLICY_DROP,
};

/* `flags`: of the query's header. Pure. */
enum policy policy_question(const struct settings *s, const struct question *q,
	uint16_t flags, bool tcp);

#define REFUSAL_SLOTS 4096

/* REFUSED per source and second; sources that share a slot share the
 * bound. */
struct refusals {
	struct hash_key key;
	int64_t second;
	uint32_t counts[REFUSAL_SLOTS];
};
void refusals_init(struct refusals *r);
/* May one more be sent to this source? */
bool refusals_take(struct refusals *r, const union addr *client, uint32_t per_s,
	struct mtime now);

#endif
