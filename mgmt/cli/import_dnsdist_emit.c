/* SPDX-License-Identifier: ISC */
/* dnsdist importer: what was read -> calls. */
#include "mgmt/cli/import_dnsdist.h"

/* The suffix that a rule sends to `pool`, or NULL. */
static const char *ruled_suffix(const struct dd *d, const char *pool)
{
	const struct dd_entry *e;
	const char *to;

	for (e = d->chain; e; e = e->next) {
		to = e->act == DD_ACT_ALLOW ? "default" : e->pool;
		if (to && strcmp(to, pool) == 0 && e->sel.first &&
			e->sel.first->suffix)
			return e->sel.first->suffix->v[0];
	}
	return NULL;
}

/* The suffix that is routed to `pool`, or NULL; NULL for that of all other
 * names. */
static const char *pool_suffix(const struct dd *d, const char *pool)
{
	const char *suffix, *to;
	json_t *route;
	size_t i;

	if (d->catch_all && strcmp(d->catch_all->pool, pool) == 0)
		return NULL;
	json_array_foreach(d->routes, i, route)
		if (json_unpack(route, "{s:s,s:s}", "suffix", &suffix, "pool",
			    &to) == 0 &&
			strcmp(to, pool) == 0 && strcmp(suffix, ".") != 0)
			return suffix;
	return ruled_suffix(d, pool);
}

/* dnsdist's own default check counts REFUSED as good; ours must prove
 * something: the routed zone's SOA, or the root's NS for a resolver. */
static void default_check(const struct dd *d, const char *pool, json_t *check)
{
	const char *suffix = pool_suffix(d, pool);

	if (json_object_get(check, "name"))
		return;
	json_object_set_new(check, "name", json_string(suffix ? suffix : "."));
	json_object_set_new(check, "type", json_string(suffix ? "SOA" : "NS"));
}

static void emit_backends(struct dd *d, const char *pool, json_t *backends)
{
	json_t *backend, *check;
	size_t i;

	json_array_foreach(backends, i, backend) {
		json_object_set_new(backend, "pool", json_string(pool));
		check = json_object_get(backend, "check");
		if (!json_object_get(check, "type"))
			json_object_set_new(check, "type", json_string("A"));
		if (!json_object_get(check, "name"))
			default_check(d, pool, check);
		import_call(d->im, "backend.add", json_incref(backend));
	}
}

/* Flags of answers are set by the kind of a pool. */
static void say_kind(struct dd *d, const char *pool)
{
	if (strcmp(pool, "auth") != 0 && pool_suffix(d, pool) &&
		!json_object_get(json_object_get(d->pools, pool), "kind"))
		import_note(d->im, d->file, 0,
			"pool %s: its answers get RA and lose AA, as those of "
			"a resolver; when they are authoritative: `ispdns pool "
			"set %s --kind auth`",
			pool, pool);
}

static void emit_pools(struct dd *d)
{
	const char *name;
	json_t *pool, *policy, *args;
	bool cache;

	json_object_foreach(d->pools, name, pool) {
		policy = json_object_get(pool, "policy");
		cache = json_is_true(json_object_get(pool, "cache"));
		args = json_pack("{s:s,s:s,s:b}", "pool", name, "policy",
			policy ? json_string_value(policy) : d->policy, "cache",
			cache);
		if (d->silent)
			json_object_set_new(
				args, "no_server", json_string("drop"));
		if (json_object_get(pool, "kind"))
			json_object_set(
				args, "kind", json_object_get(pool, "kind"));
		if (json_object_get(pool, "ecs"))
			json_object_set(
				args, "ecs", json_object_get(pool, "ecs"));
		import_call(d->im, "pool.create", args);
		emit_backends(d, name, json_object_get(pool, "backends"));
		say_kind(d, name);
	}
}

/* The loopback is admitted by every daemon anyway. */
static void emit_acl(struct dd *d)
{
	static const char *const built_in[] = {"10.0.0.0/8", "100.64.0.0/10",
		"127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
		"192.168.0.0/16", "::1/128", "fc00::/7", "fe80::/10"};

	if (!d->acl_said && d->statements) {
		import_note(d->im, d->file, 0,
			"no addACL or setACL: dnsdist's built-in list is "
			"taken (10.0.0.0/8, 192.168.0.0/16 and more)");
		for (size_t i = 0; i < countof(built_in); i++)
			if (!dd_list_add(&d->arena, &d->acl, built_in[i]))
				d->im->failed = true;
	}
	dd_list_sort(&d->acl);
	for (size_t i = 0; i < d->acl.count; i++)
		import_call(d->im, "acl.add",
			json_pack("{s:s,s:s,s:s}", "list", "clients", "prefix",
				d->acl.v[i], "action", "allow"));
}

static void emit_object(struct dd *d, const char *verb, json_t *args)
{
	if (json_object_size(args) > 0)
		import_call(d->im, verb, json_incref(args));
}

/* Frontends need a pool for what has no route. */
static void default_route(struct dd *d)
{
	const char *pool = NULL, *name;
	json_t *object;

	if (d->catch_all)
		return;
	json_object_foreach(d->pools, name, object)
		if (!pool || strcmp(name, "default") == 0)
			pool = name;
	if (pool)
		json_array_append_new(d->routes,
			json_pack("{s:s,s:s}", "suffix", ".", "pool", pool));
	if (pool && strcmp(pool, "default") != 0)
		import_note(d->im, d->file, 0,
			"no rule takes all other names: they go to pool %s "
			"(`ispdns route add . POOL`)",
			pool);
}

void dd_emit(struct dd *d)
{
	const char *name;
	json_t *item;
	size_t i;

	default_route(d);
	emit_acl(d);
	emit_object(d, "policy.set", d->policy_set);
	emit_object(d, "limit.set", d->limit);
	emit_object(d, "block.policy.set", d->blocks.set);
	emit_object(d, "cache.set", d->cache);
	emit_object(d, "frontend.tcp.set", d->tcp);
	emit_pools(d);
	json_array_foreach(d->routes, i, item)
		import_call(d->im, "route.add", json_incref(item));
	json_object_foreach(d->rules, name, item)
		import_call(d->im, "rule.add", json_incref(item));
}
