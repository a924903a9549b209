/* SPDX-License-Identifier: ISC */
/* The limits of frontend.yaml on their way into the snapshot. */

#include "frontend/config_impl.h"

#include <errno.h>

static const enum policy_action actions[] = {
	POLICY_DROP, POLICY_TC, POLICY_REFUSE, POLICY_CACHE_ONLY};

int config_add_prefixes(const struct conf *conf, struct prefix_map *map,
	const struct conf_node *list, uint32_t value, struct err *err)
{
	const struct conf_node *n;

	for (n = conf_first(list); n; n = conf_next(n)) {
		int rc = prefix_map_add(map, conf_prefix(n), value);

		if (rc == -EEXIST)
			return conf_error(
				conf, n, err, "the prefix is listed twice");
		if (rc < 0)
			return err_fail(err, rc, "out of memory");
	}
	return 0;
}

static void build_rate(const struct conf_node *n, struct limit_rule *out)
{
	out->qps = (uint32_t)conf_get_int(n, "qps");
	out->burst = (uint32_t)conf_get_int(n, "burst");
	if (out->burst == 0)
		out->burst = out->qps ? out->qps : 1;
}

static void build_limit(const struct conf_node *n, struct policy_limit *out)
{
	build_rate(n, &out->rule);
	out->action = actions[conf_get_int(n, "action")];
}

/* Without a limit of its own the source has that of all others. */
static void build_override_misses(
	const struct conf_node *n, struct policy *p, struct limit_rule *out)
{
	*out = p->misses.client;
	if (!conf_has(n, "misses"))
		return;
	build_rate(conf_get(n, "misses"), out);
	p->misses.on |= out->qps > 0;
}

static int build_overrides(const struct conf *conf,
	const struct conf_node *list, struct policy *p, struct err *err)
{
	const struct conf_node *n;
	uint32_t i = 0;

	if (conf_count(list) == 0)
		return 0;
	p->overrides = prefix_map_new(&p->arena);
	p->override =
		arena_array(&p->arena, conf_count(list), sizeof(*p->override));
	if (!p->overrides || !p->override)
		return err_fail(err, -ENOMEM, "out of memory");
	for (n = conf_first(list); n; n = conf_next(n), i++) {
		const struct conf_node *prefix = conf_get(n, "prefix");
		int rc = prefix_map_add(p->overrides, conf_prefix(prefix), i);

		build_limit(n, &p->override[i]);
		build_override_misses(n, p, &p->override[i].misses);
		if (rc == -EEXIST)
			return conf_error(conf, prefix, err,
				"the prefix is listed twice");
		if (rc < 0)
			return err_fail(err, rc, "out of memory");
	}
	return 0;
}

static int build_registries(const struct conf *conf,
	const struct conf_node *list, struct policy *p, struct err *err)
{
	const struct conf_node *n;

	if (conf_count(list) == 0)
		return 0;
	p->misses.registries = suffix_map_new(&p->arena, conf_count(list));
	if (!p->misses.registries)
		return err_fail(err, -ENOMEM, "out of memory");
	for (n = conf_first(list); n; n = conf_next(n)) {
		int rc = suffix_map_add(p->misses.registries, conf_name(n), 1);

		if (rc == -EEXIST)
			return conf_error(
				conf, n, err, "the name is listed twice");
		if (rc < 0)
			return err_fail(err, rc, "out of memory");
	}
	return 0;
}

static int build_misses(const struct conf *conf, const struct conf_node *n,
	struct policy *p, struct err *err)
{
	const struct conf_node *suffix = conf_get(n, "per_suffix");

	build_rate(conf_get(n, "per_client"), &p->misses.client);
	build_rate(suffix, &p->misses.suffix);
	p->misses.on = p->misses.client.qps || p->misses.suffix.qps;
	p->limit.misses = p->misses.client;
	p->misses.labels = (unsigned)conf_get_int(suffix, "labels");
	p->misses.action = actions[conf_get_int(n, "action")];
	return build_registries(conf, conf_get(suffix, "registries"), p, err);
}

static int build_exempt(const struct conf *conf, const struct conf_node *list,
	struct policy *p, struct prefix_map **map, struct err *err)
{
	if (conf_count(list) == 0)
		return 0;
	*map = prefix_map_new(&p->arena);
	if (!*map)
		return err_fail(err, -ENOMEM, "out of memory");
	return config_add_prefixes(conf, *map, list, 1, err);
}

static int build_dynamic(
	const struct conf *conf, struct policy *p, struct err *err)
{
	const struct conf_node *n = conf_get(conf_root(conf), "dynamic_blocks");
	struct policy_dynamic *d = &p->dynamic;

	d->rules.qps = (uint32_t)conf_get_int(n, "qps");
	d->rules.nxdomain_pct = (unsigned)conf_get_int(n, "nxdomain_percent");
	d->rules.servfail_pct = (unsigned)conf_get_int(n, "servfail_percent");
	d->rules.min_answers = (uint32_t)conf_get_int(n, "min_answers");
	d->rules.window_us = conf_get_int(n, "window") * 1000;
	d->rules.v4_bits = p->limit_v4_bits;
	d->rules.v6_bits = p->limit_v6_bits;
	d->duration_us = conf_get_int(n, "duration") * 1000;
	d->action = (enum block_action)conf_get_int(n, "action");
	d->max = (unsigned)conf_get_int(n, "max");
	return build_exempt(conf, conf_get(n, "exempt"), p, &d->exempt, err);
}

int config_build_limits(
	const struct conf *conf, struct policy *p, struct err *err)
{
	const struct conf_node *limit = conf_get(conf_root(conf), "limit");
	int rc;

	build_limit(limit, &p->limit);
	p->limit_v4_bits = (unsigned)conf_get_int(limit, "v4_prefix");
	p->limit_v6_bits = (unsigned)conf_get_int(limit, "v6_prefix");
	rc = build_misses(conf, conf_get(limit, "misses"), p, err);
	if (rc == 0)
		rc = build_overrides(
			conf, conf_get(limit, "overrides"), p, err);
	if (rc == 0)
		rc = build_exempt(
			conf, conf_get(limit, "exempt"), p, &p->exempt, err);
	return rc == 0 ? build_dynamic(conf, p, err) : rc;
}
