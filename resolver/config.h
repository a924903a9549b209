/* SPDX-License-Identifier: ISC */
#ifndef RESOLVER_CONFIG_H
#define RESOLVER_CONFIG_H

/*
 * resolver.yaml: the schema, and the settings built from it. Settings are a
 * snapshot: made once, then only read, freed as a whole.
 */

#include "common/ctl/conf.h"
#include "common/dns/suffix.h"
#include "common/net/prefix.h"
#include "resolver/cache.h"

extern const struct schema_item resolver_schema[];

enum acl_action {
	ACL_REFUSE,
	ACL_DROP
};

enum any_action {
	ANY_TC,
	ANY_REFUSE,
	ANY_DROP,
	ANY_ALLOW
};

#define INFLIGHT_MAX 65536

struct settings {
	struct arena arena;
	unsigned workers;
	const union addr *listen;
	size_t listen_count;
	const struct prefix_map *acl; /* 1: allowed, 0: denied */
	enum acl_action acl_action;
	uint32_t acl_refuse_per_s; /* per source, then silence */
	enum any_action any;
	bool rd0_cache; /* answer RD=0 from the cache, not REFUSED */
	uint16_t payload;
	struct cache_limits cache;
	const char *save; /* folder; NULL: none */
	uint32_t max_ttl_s, max_negative_ttl_s, failure_ttl_s, bogus_ttl_s;
	uint32_t stale_ttl_s, stale_wait_ms, stale_retry_ms;
	uint32_t inflight, per_client, per_zone, deadline_ms;
	uint32_t tcp_max, tcp_per_client, tcp_idle_ms, tcp_message_ms;
	bool metrics;
	union addr metrics_addr;
	/* Configuration text of the library. */
	const char *library;
	/* The same with the content of its files (digests) in place of their
	 * paths, as each generation has a folder of its own. Another key (or
	 * other listeners, another number of workers) needs new processes. */
	const char *library_key;
};

/* NULL with a line in err. */
struct settings *settings_new(
	const struct conf *conf, struct err *err) MUST_CHECK;
void settings_free(struct settings *settings); /* NULL allowed */
/* daemon_ops.check */
int settings_check(const struct conf *conf, struct err *err);
/* Must workers be replaced to go from a to b? */
bool settings_need_roll(const struct settings *a, const struct settings *b);
/* May this client ask? */
bool settings_allow(const struct settings *s, const union addr *client);

#endif
