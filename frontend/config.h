/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_CONFIG_H
#define FRONTEND_CONFIG_H

/*
 * The frontend's configuration file: its schema, the checks that the schema
 * cannot make, and the way from text to a policy snapshot. The only file that
 * knows both. Main thread.
 */

#include "common/ctl/conf.h"
#include "common/serve/serve.h"
#include "frontend/policy.h"
#include "frontend/registry.h"

#define CONFIG_LISTEN_MAX  64
#define CONFIG_WORKERS_MAX 64

const struct schema_item *config_schema(void);

/* References between the parts, duplicates; FILE:LINE in err. */
int config_check(const struct conf *conf, struct err *err) MUST_CHECK;

/* A new snapshot without cache and limiter; its servers are taken from the
 * registry (give them back with config_release). `conf` must have passed
 * config_check. */
int config_build(const struct conf *conf, struct registry *registry,
	struct policy **policy, struct err *err) MUST_CHECK;
/* The part of config_build on `cookies`; the file of secrets is read. */
int config_cookies(const struct conf *conf, const struct registry *registry,
	struct hop_rules *out, struct err *err) MUST_CHECK;
/* Give the servers back and free the snapshot. NULL allowed. */
void config_release(struct policy *policy, struct registry *registry);

/* What the listeners need; `addrs` has room for CONFIG_LISTEN_MAX. */
void config_serve(
	const struct conf *conf, union addr *addrs, struct serve_config *out);

struct config_sizes {
	unsigned workers;
	size_t cache_entries, cache_bytes, limit_entries, offender_entries;
	uint32_t inflight; /* client queries waiting, per worker */
};

void config_sizes(const struct conf *conf, struct config_sizes *out);
/* NULL: no metrics page. */
const union addr *config_metrics(const struct conf *conf);
/* NULL: the cache is not kept over a restart. */
const char *config_cache_file(const struct conf *conf);
/* Where blocks are kept over a restart: as configured, else in the state
 * directory that systemd tells; "": nowhere. -ENAMETOOLONG. */
int config_blocks_file(const struct conf *conf, char *out, size_t size,
	struct err *err) MUST_CHECK;
/* NULL: no heartbeat. */
const char *config_ha_socket(const struct conf *conf);

#endif
