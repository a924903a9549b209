/* SPDX-License-Identifier: ISC */
#ifndef AUTHORITY_CONFIG_H
#define AUTHORITY_CONFIG_H

/* The configuration of ispdns-authority: its schema, and what the other files
 * read of it. */

#include "common/ctl/conf.h"

extern const struct schema_item auth_schema[];

/* One zone that shall be served. Borrowed from the conf. */
struct auth_zone {
	const struct name *wire;
	const char *name;   /* canonical, final dot */
	const char *file;   /* absolute path of its text */
	const char *sha256; /* of that file; NULL: not told */
	bool has_serial;
	uint32_t serial;
};

/* A view of a conf, which must outlive it. */
struct auth_config {
	const struct conf *conf;
	long long generation; /* 0: not told */
	struct auth_zone *zones;
	size_t zone_count;
};

/* References and clashes beyond the schema; for daemon_ops.check. */
int auth_config_check(const struct conf *conf, struct err *err);
/* NULL: no memory. */
struct auth_config *auth_config_new(
	const struct conf *conf, long long generation) MUST_CHECK;
void auth_config_free(struct auth_config *config); /* NULL allowed */

const char *auth_config_state(const struct auth_config *config);
/* NSD and its tools, which lie beside it: "nsd-checkzone". */
int auth_config_tool(const struct auth_config *config, const char *tool,
	char *out, size_t size) MUST_CHECK;
/* Name of the health zone, or NULL. */
const struct name *auth_config_health(const struct auth_config *config);
/* Where NSD can be asked on this host. */
union addr auth_config_probe_addr(const struct auth_config *config);

#endif
