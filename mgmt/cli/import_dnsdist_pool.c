/* SPDX-License-Identifier: ISC */
/* dnsdist importer: variables, servers, pools, the cache, and the calls. */
#include "mgmt/cli/import_dnsdist.h"

#include "common/net/addr.h"

#include <math.h>

struct dd_var *dd_var(struct dd *d, const char *name)
{
	for (size_t i = d->var_count; i-- > 0;)
		if (strcmp(d->vars[i].name, name) == 0)
			return &d->vars[i];
	return NULL;
}

void dd_assign(
	struct dd *d, unsigned line, const char *name, const struct lua *value)
{
	struct dd_var *var = dd_var(d, name);

	if (!var && d->var_count == DD_VARS) {
		import_error(d->im, d->file, line, "too many variables");
		return;
	}
	if (!var)
		var = &d->vars[d->var_count++];
	json_decref(var->suffixes);
	*var = (struct dd_var){.name = name, .value = value};
	if (lua_is_call(value, "newSuffixMatchNode"))
		var->suffixes = json_array();
	else if (value && (value->kind == LUA_CALL) &&
		 !lua_is_call(value, "newPacketCache") &&
		 !lua_is_call(value, "newServer") &&
		 !lua_is_call(value, "newDNSName"))
		import_error(d->im, d->file, line,
			"'%s' = ...: unknown kind of value", name);
	if (lua_is_call(value, "newServer"))
		dd_server(d, value);
}

json_t *dd_pool(struct dd *d, const char *name)
{
	const char *key = *name ? name : "default";
	json_t *pool = json_object_get(d->pools, key);

	if (pool)
		return pool;
	pool = json_pack("{s:[]}", "backends");
	if (!pool || json_object_set_new(d->pools, key, pool) < 0)
		d->im->failed = true;
	return pool;
}

void dd_add_unique(json_t *array, json_t *value)
{
	json_t *old;
	size_t i;

	json_array_foreach(array, i, old)
		if (json_equal(old, value)) {
			json_decref(value);
			return;
		}
	json_array_append_new(array, value);
}

static bool number(const struct lua *value, double *out)
{
	char *end;

	if (value && value->kind == LUA_NUMBER) {
		*out = value->number;
		return true;
	}
	if (!lua_string(value) || !*value->text)
		return false;
	*out = strtod(value->text, &end);
	return !*end;
}

/* ---- newPacketCache ---- */

static const struct cache_option {
	const char *name;
	const char *arg; /* of cache.set; NULL: nothing to do here */
} cache_options[] = {
	{"maxTTL", "max_ttl_s"},
	{"minTTL", "min_ttl_s"},
	{"temporaryFailureTTL", "failure_ttl_s"},
	{"staleTTL", NULL},
	{"maxNegativeTTL", NULL},
	{"numberOfShards", NULL},
	{"dontAge", NULL},
	{"deferrableInsertLock", NULL},
	{"keepStaleData", NULL},
	{"parseECS", NULL},
	{"cookieHashing", NULL},
	{"skipOptions", NULL},
	{"maximumEntrySize", NULL},
	{"truncatedTTL", NULL},
	{"shuffle", NULL},
};

static void cache_option(struct dd *d, const struct cache_option *option,
	const struct lua *value)
{
	double n;

	if (!option->arg) {
		import_note(d->im, d->file, value->line,
			"newPacketCache: %s: not needed", option->name);
		return;
	}
	if (!number(value, &n) || n < 0 || n > 604800) {
		import_error(d->im, d->file, value->line,
			"newPacketCache: %s: seconds expected", option->name);
		return;
	}
	if (strcmp(option->arg, "min_ttl_s") == 0 && n > 0) {
		import_warn(d->im, d->file, value->line,
			"newPacketCache: minTTL=%.0f kept answers with a "
			"smaller TTL out of the cache; they are cached for "
			"their own TTL instead",
			n);
		return;
	}
	json_object_set_new(d->cache, option->arg, json_integer((json_int_t)n));
}

static void cache_table(struct dd *d, const struct lua *table)
{
	const struct lua *item;
	size_t i;

	for (item = table->args; item; item = item->next) {
		for (i = 0; i < countof(cache_options); i++)
			if (item->key &&
				strcmp(item->key, cache_options[i].name) == 0)
				break;
		if (i < countof(cache_options))
			cache_option(d, &cache_options[i], item);
		else
			import_error(d->im, d->file, item->line,
				"newPacketCache: '%s': unknown option",
				item->key ? item->key : "?");
	}
}

/* newPacketCache(n, {options}) or (n, maxTTL, minTTL, failureTTL, ...) */
static void cache_value(struct dd *d, const struct lua *call)
{
	json_int_t old =
		json_integer_value(json_object_get(d->cache, "entries"));
	const struct lua *arg;
	double n;

	if (!number(lua_arg(call, 0), &n) || n < 1 || n > 1e9) {
		import_error(d->im, d->file, call->line,
			"newPacketCache: number of entries expected");
		return;
	}
	if (old > 0 && old != (json_int_t)n)
		import_warn(d->im, d->file, call->line,
			"a second packet cache: one cache with the greater "
			"number of entries serves all pools instead");
	if ((json_int_t)n > old)
		json_object_set_new(
			d->cache, "entries", json_integer((json_int_t)n));
	arg = lua_arg(call, 1);
	if (arg && arg->kind == LUA_TABLE) {
		cache_table(d, arg);
		return;
	}
	for (unsigned i = 1; i <= 3 && (arg = lua_arg(call, i)); i++)
		cache_option(d, &cache_options[i - 1], arg);
}

void dd_set_cache(struct dd *d, const struct lua *call)
{
	const char *pool = lua_string(lua_arg(call->object, 0));
	const struct lua *value = lua_arg(call, 0);
	struct dd_var *var;

	if (value && value->kind == LUA_NAME) {
		var = dd_var(d, value->text);
		value = var ? var->value : NULL;
	}
	if (!pool || !lua_is_call(value, "newPacketCache")) {
		import_error(d->im, d->file, call->line,
			"getPool(\"pool\"):setCache(cache): the cache is not "
			"made by newPacketCache above");
		return;
	}
	cache_value(d, value);
	json_object_set_new(dd_pool(d, pool), "cache", json_true());
}

/* ---- newServer ---- */

enum server_use {
	INTEGER,
	CHECK_TEXT,
	CHECK_COUNT,
	CHECK_MS,
	CHECK_S,
	NOTHING,
	ELSEWHERE
};

static const struct server_key {
	const char *name;
	enum server_use use;
	const char *arg;
} server_keys[] = {
	{"address", ELSEWHERE, NULL},
	{"pool", ELSEWHERE, NULL},
	{"name", ELSEWHERE, NULL},
	{"weight", INTEGER, "weight"},
	{"order", INTEGER, "order"},
	{"checkName", CHECK_TEXT, "name"},
	{"checkType", CHECK_TEXT, "type"},
	{"checkInterval", CHECK_S, "interval_ms"},
	{"checkTimeout", CHECK_MS, "timeout_ms"},
	{"maxCheckFailures", CHECK_COUNT, "fall"},
	{"rise", CHECK_COUNT, "rise"},
	{"mustResolve", NOTHING, "checks always ask for a good answer"},
	{"setCD", NOTHING, "not needed"},
	{"checkClass", NOTHING, "checks ask in class IN"},
	{"checkTCP", NOTHING, "not needed"},
	{"healthCheckMode", NOTHING, "probes and live traffic both count"},
	{"sockets", NOTHING, "not needed"},
	{"retries", NOTHING, "not needed"},
	{"qps", NOTHING, "no limit per backend"},
	{"id", NOTHING, "not needed"},
	{"source", NOTHING, "the kernel chooses the source address"},
	{"tcpConnectTimeout", NOTHING, "not needed"},
	{"tcpSendTimeout", NOTHING, "not needed"},
	{"tcpRecvTimeout", NOTHING, "not needed"},
	{"tcpFastOpen", NOTHING, "not needed"},
	{"reconnectOnUp", NOTHING, "not needed"},
	{"ipBindAddrNoPort", NOTHING, "not needed"},
	{"useClientSubnet", NOTHING, "the client's subnet is not passed on"},
	{"disableZeroScope", NOTHING, "not needed"},
	{"maxInFlight", NOTHING, "not needed"},
	{"cpus", NOTHING, "not needed"},
};

static void server_number(struct dd *d, const struct server_key *key,
	const struct lua *value, json_t *into)
{
	double n;

	if (!number(value, &n) || n < 0 || n > 1e6 || isnan(n)) {
		import_error(d->im, d->file, value->line,
			"newServer: %s: number expected", key->name);
		return;
	}
	if (key->use == CHECK_S)
		n *= 1000;
	json_object_set_new(into, key->arg, json_integer((json_int_t)n));
}

static void server_key(struct dd *d, const struct server_key *key,
	const struct lua *value, json_t *args)
{
	json_t *check = json_object_get(args, "check");

	switch (key->use) {
	case INTEGER:
		server_number(d, key, value, args);
		break;
	case CHECK_TEXT:
		if (lua_string(value))
			json_object_set_new(
				check, key->arg, json_string(value->text));
		else
			import_error(d->im, d->file, value->line,
				"newServer: %s: text expected", key->name);
		break;
	case CHECK_COUNT:
	case CHECK_MS:
	case CHECK_S:
		server_number(d, key, value, check);
		break;
	case NOTHING:
		import_note(d->im, d->file, value->line, "newServer: %s: %s",
			key->name, key->arg);
		break;
	case ELSEWHERE:
		break;
	}
}

static void server_keys_read(
	struct dd *d, const struct lua *table, json_t *args)
{
	const struct lua *item;
	size_t i;

	for (item = table->args; item; item = item->next) {
		for (i = 0; i < countof(server_keys); i++)
			if (item->key &&
				strcmp(item->key, server_keys[i].name) == 0)
				break;
		if (i < countof(server_keys))
			server_key(d, &server_keys[i], item, args);
		else
			import_error(d->im, d->file, item->line,
				"newServer: '%s': unknown key (dnsdist "
				"ignores it in silence)",
				item->key ? item->key : "?");
	}
}

static void server_in_pool(struct dd *d, const char *pool, const char *name,
	const char *address, const json_t *args)
{
	json_t *backends = json_object_get(dd_pool(d, pool), "backends");
	json_t *copy = json_deep_copy(args);
	char text[128];

	if (!name) {
		snprintf(text, sizeof(text), "%s%zu", *pool ? pool : "default",
			json_array_size(backends) + 1);
		name = text;
	}
	if (json_object_set_new(copy, "name", json_string(name)) < 0 ||
		json_object_set_new(copy, "address", json_string(address)) <
			0 ||
		json_array_append_new(backends, copy) < 0)
		d->im->failed = true;
}

static void server_pools(struct dd *d, const struct lua *table,
	const char *address, const json_t *args)
{
	const struct lua *pool = lua_field(table, "pool");
	const char *name = lua_string(lua_field(table, "name"));

	if (!pool) {
		server_in_pool(d, "", name, address, args);
	} else if (lua_string(pool)) {
		server_in_pool(d, pool->text, name, address, args);
	} else {
		for (pool = pool->args; pool; pool = pool->next)
			if (lua_string(pool))
				server_in_pool(
					d, pool->text, name, address, args);
	}
}

void dd_server(struct dd *d, const struct lua *call)
{
	const struct lua *arg = lua_arg(call, 0);
	const char *address = lua_string(arg);
	json_t *args = json_pack("{s:{}}", "check");
	char canonical[ADDR_TEXT];
	union addr addr;

	if (arg && arg->kind == LUA_TABLE)
		address = lua_string(lua_field(arg, "address"));
	if (!args || !address) {
		import_error(d->im, d->file, call->line,
			"newServer: address missing");
	} else if (addr_parse(address, 53, &addr) < 0) {
		import_error(d->im, d->file, call->line,
			"newServer: '%s' is no address", address);
	} else {
		if (arg->kind == LUA_TABLE)
			server_keys_read(d, arg, args);
		server_pools(d, arg->kind == LUA_TABLE ? arg : NULL,
			addr_print(&addr, canonical), args);
	}
	json_decref(args);
}

/* ---- the calls ---- */

/* The suffix that is routed to `pool`, or NULL. */
static const char *pool_suffix(const struct dd *d, const char *pool)
{
	const char *suffix, *to;
	json_t *route;
	size_t i;

	json_array_foreach(d->routes, i, route)
		if (json_unpack(route, "{s:s,s:s}", "suffix", &suffix, "pool",
			    &to) == 0 &&
			strcmp(to, pool) == 0)
			return suffix;
	return NULL;
}

/* dnsdist's own default check counts REFUSED as good; ours must prove
 * something: the routed zone's SOA, or the root's NS for a resolver. */
static void default_check(const struct dd *d, const char *pool, json_t *check)
{
	const char *suffix = pool_suffix(d, pool);
	bool routed = suffix && strcmp(suffix, ".") != 0;

	if (json_object_get(check, "name"))
		return;
	json_object_set_new(check, "name", json_string(routed ? suffix : "."));
	json_object_set_new(check, "type", json_string(routed ? "SOA" : "NS"));
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

static void emit_pools(struct dd *d)
{
	const char *name;
	json_t *pool, *policy;
	bool cache;

	json_object_foreach(d->pools, name, pool) {
		policy = json_object_get(pool, "policy");
		cache = json_is_true(json_object_get(pool, "cache"));
		import_call(d->im, "pool.create",
			json_pack("{s:s,s:s,s:b}", "pool", name, "policy",
				policy ? json_string_value(policy) : d->policy,
				"cache", cache));
		emit_backends(d, name, json_object_get(pool, "backends"));
	}
}

static void check_routes(struct dd *d)
{
	const char *pool;
	json_t *route, *known;
	size_t i;

	json_array_foreach(d->routes, i, route) {
		pool = json_string_value(json_object_get(route, "pool"));
		known = json_object_get(d->pools, pool);
		if (!known ||
			!json_array_size(json_object_get(known, "backends")))
			import_error(d->im, d->file, 0,
				"pool '%s' is routed to but has no server",
				pool);
	}
}

void dd_emit(struct dd *d)
{
	json_t *item;
	size_t i;

	if (d->catch_all == 0 && json_object_get(d->pools, "default"))
		json_array_append_new(
			d->routes, json_pack("{s:s,s:s}", "suffix", ".", "pool",
					   "default"));
	check_routes(d);
	/* The loopback is admitted by every daemon anyway. */
	json_array_foreach(d->acl, i, item)
		import_call(d->im, "acl.add",
			json_pack("{s:s,s:O,s:s}", "list", "clients", "prefix",
				item, "action", "allow"));
	if (json_object_size(d->rules) > 0)
		import_call(d->im, "policy.set", json_incref(d->rules));
	if (json_object_size(d->limit) > 0)
		import_call(d->im, "limit.set", json_incref(d->limit));
	if (json_object_size(d->cache) > 0)
		import_call(d->im, "cache.set", json_incref(d->cache));
	emit_pools(d);
	json_array_foreach(d->routes, i, item)
		import_call(d->im, "route.add", json_incref(item));
}
