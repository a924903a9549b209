/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_CONFIG_IMPL_H
#define FRONTEND_CONFIG_IMPL_H

/* What the files behind config.h share. */

#include "frontend/config.h"

/* Index of the pool of this name, or -ENOENT. */
int config_pool_index(const struct conf *conf, const char *name);

/* config_limits.c: the key "limit", and a list of prefixes. */
int config_build_limits(
	const struct conf *conf, struct policy *p, struct err *err) MUST_CHECK;
int config_add_prefixes(const struct conf *conf, struct prefix_map *map,
	const struct conf_node *list, uint32_t value,
	struct err *err) MUST_CHECK;

/* config_transfer.c: what a route allows beside queries, "transfers". */
int config_check_permits(const struct conf *conf, const struct conf_node *route,
	bool auth, struct err *err) MUST_CHECK;
int config_build_transfers(
	const struct conf *conf, struct policy *p, struct err *err) MUST_CHECK;

/* config_rules.c: the key "rules". The pools of `p` are built. */
int config_check_rules(const struct conf *conf, struct err *err) MUST_CHECK;
int config_build_rules(const struct conf *conf, struct registry *registry,
	struct policy *p, struct err *err) MUST_CHECK;
/* Give the counters back. */
void config_release_rules(struct policy *p, struct registry *registry);

#endif
