/* SPDX-License-Identifier: ISC */
/* The keys allow_* of routes, and "transfers". */

#include "frontend/config_impl.h"

#include <errno.h>

static const char *const keys[PERMIT_KINDS] = {
	"allow_transfer", "allow_notify", "allow_update"};

int config_check_permits(const struct conf *conf, const struct conf_node *route,
	bool auth, struct err *err)
{
	for (unsigned i = 0; i < PERMIT_KINDS; i++) {
		const struct conf_node *list = conf_get(route, keys[i]);

		if (!auth && conf_count(list) > 0)
			return conf_error(conf, list, err,
				"%s: goes with a pool of kind auth only, not "
				"with \"%s\"",
				keys[i], conf_get_str(route, "pool"));
	}
	return 0;
}

static bool permits_any(const struct conf_node *list)
{
	const struct conf_node *n;

	for (n = conf_first(list); n; n = conf_next(n))
		for (unsigned i = 0; i < PERMIT_KINDS; i++)
			if (conf_count(conf_get(n, keys[i])) > 0)
				return true;
	return false;
}

static int build_route(const struct conf *conf, const struct conf_node *n,
	struct policy *p, struct permit_route *route, struct err *err)
{
	route->pool =
		(unsigned)config_pool_index(conf, conf_get_str(n, "pool"));
	for (unsigned i = 0; i < PERMIT_KINDS; i++) {
		const struct conf_node *list = conf_get(n, keys[i]);
		int rc;

		if (conf_count(list) == 0)
			continue;
		route->allow[i] = prefix_map_new(&p->arena);
		if (!route->allow[i])
			return err_fail(err, -ENOMEM, "out of memory");
		rc = config_add_prefixes(conf, route->allow[i], list, 1, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* All routes are in it: the longest suffix decides. */
static int build_permits(
	const struct conf *conf, struct policy *p, struct err *err)
{
	const struct conf_node *list = conf_get(conf_root(conf), "routes"), *n;
	struct permits *permits;
	uint32_t i = 0;

	if (!permits_any(list))
		return 0;
	permits = arena_array(&p->arena, 1, sizeof(*permits));
	if (!permits)
		return err_fail(err, -ENOMEM, "out of memory");
	permits->zones = suffix_map_new(&p->arena, conf_count(list));
	permits->routes = arena_array(
		&p->arena, conf_count(list), sizeof(*permits->routes));
	if (!permits->zones || !permits->routes)
		return err_fail(err, -ENOMEM, "out of memory");
	for (n = conf_first(list); n; n = conf_next(n), i++) {
		int rc = build_route(conf, n, p, &permits->routes[i], err);

		if (rc == 0)
			rc = suffix_map_add(permits->zones,
				conf_name(conf_get(n, "suffix")), i);
		if (rc < 0)
			return rc;
	}
	p->permits = permits;
	return 0;
}

int config_build_transfers(
	const struct conf *conf, struct policy *p, struct err *err)
{
	const struct conf_node *n = conf_get(conf_root(conf), "transfers");

	p->transfers.max = (uint32_t)conf_get_int(n, "max");
	p->transfers.per_client = (uint32_t)conf_get_int(n, "per_client");
	p->transfers.idle_ms = (uint32_t)conf_get_int(n, "idle");
	p->transfers.lifetime_ms = (uint32_t)conf_get_int(n, "lifetime");
	p->transfers.answer_ms = (uint32_t)conf_get_int(n, "answer");
	return build_permits(conf, p, err);
}
