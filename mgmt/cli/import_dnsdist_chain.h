/* SPDX-License-Identifier: ISC */
#ifndef MGMT_CLI_IMPORT_DNSDIST_CHAIN_H
#define MGMT_CLI_IMPORT_DNSDIST_CHAIN_H

/* Between the files that place the rules of a dnsdist.conf only. */

#include "mgmt/cli/import_dnsdist.h"

struct chain {
	bool plain;                 /* limit, policy and routes say all of it */
	const struct dd_entry *end; /* takes every query, and no pool */
	struct dd_entry *limit;     /* that of all clients */
	const struct dd_entry *last_rule; /* behind it are routes only */
	unsigned before_limit; /* line of a rule in front of it; 0: none */
	json_t *suffixes;      /* routed so far: name -> pool */
	json_t *fresh;         /* by the entry at hand */
	long long v4, v6;      /* prefixes that count as one client */
	bool masks_set;
};

/* Names to a pool, and nothing else. */
bool chain_is_route(const struct dd_entry *e);
/* The key of policy.set for it, or NULL. */
const char *chain_policy_key(const struct dd_entry *e);

/* Relays (dd_is_relay) become none of the things below: they are taken; what is
 * in the way of one is narrowed, or it is said; the routes of all others being
 * there, they become what these allow. */
void chain_relays_find(struct dd *d);
void chain_relays_clear(struct dd *d);
void chain_relays_place(struct dd *d);

/* The entry is the limit of all clients. */
void chain_limit(struct dd *d, struct chain *c, struct dd_entry *e);
/* Has dnsdist's own default pool servers, and do others go elsewhere? */
bool chain_own_default(const struct dd *d);
/* The entry becomes one rule or more, in its place. */
void chain_rule(struct dd *d, struct chain *c, struct dd_entry *e);

#endif
