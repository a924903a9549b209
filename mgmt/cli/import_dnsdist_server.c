/* SPDX-License-Identifier: ISC */
/* dnsdist importer: newServer. */
#include "mgmt/cli/import_dnsdist.h"

#include "common/dns/code.h"
#include "common/dns/name.h"
#include "common/net/addr.h"

#include <strings.h>

enum server_use {
	NUMBER, /* of the backend */
	CHECK,  /* a number of its check */
	CHECK_TEXT,
	CHECK_S,
	CHECK_MODE,
	SUBNET,
	NOTHING,
	BY_HAND,
	ELSEWHERE
};

static const struct server_key {
	const char *name;
	enum server_use use;
	const char *arg; /* of the API; else what is said */
	long long min, max;
} server_keys[] = {
	{"address", ELSEWHERE, NULL, 0, 0},
	{"pool", ELSEWHERE, NULL, 0, 0},
	{"name", ELSEWHERE, NULL, 0, 0},
	{"weight", NUMBER, "weight", 1, 1000},
	{"order", NUMBER, "order", 0, 1000},
	{"qps", NUMBER, "qps", 0, 10000000},
	{"checkName", CHECK_TEXT, "name", 0, 0},
	{"checkType", CHECK_TEXT, "type", 0, 0},
	{"checkInterval", CHECK_S, "interval_ms", 1, 3600},
	{"checkTimeout", CHECK, "timeout_ms", 10, 60000},
	{"maxCheckFailures", CHECK, "fall", 1, 100},
	{"rise", CHECK, "rise", 1, 100},
	{"mustResolve", NOTHING, "checks always ask for a good answer", 0, 0},
	{"setCD", NOTHING, "not needed", 0, 0},
	{"checkClass", NOTHING, "checks ask in class IN", 0, 0},
	{"checkFunction", BY_HAND,
		"no Lua is run: `ispdns backend set --check-name` and "
		"--check-type say what is asked",
		0, 0},
	{"checkTCP", NOTHING, "not needed", 0, 0},
	{"healthCheckMode", CHECK_MODE, NULL, 0, 0},
	{"lazyHealthCheckSampleSize", NOTHING, "live traffic always counts", 0,
		0},
	{"lazyHealthCheckMinSampleCount", NOTHING, "live traffic always counts",
		0, 0},
	{"lazyHealthCheckThreshold", NOTHING, "live traffic always counts", 0,
		0},
	{"lazyHealthCheckFailedInterval", NOTHING, "live traffic always counts",
		0, 0},
	{"lazyHealthCheckMode", NOTHING, "live traffic always counts", 0, 0},
	{"lazyHealthCheckUseExponentialBackOff", NOTHING,
		"live traffic always counts", 0, 0},
	{"lazyHealthCheckMaxBackOff", NOTHING, "live traffic always counts", 0,
		0},
	{"lazyHealthCheckWhenUpgraded", NOTHING, "live traffic always counts",
		0, 0},
	{"sockets", NOTHING, "not needed", 0, 0},
	{"retries", NOTHING, "not needed", 0, 0},
	{"id", NOTHING, "not needed", 0, 0},
	{"source", NOTHING, "the kernel chooses the source address", 0, 0},
	{"addXPF", NOTHING, "not passed on", 0, 0},
	{"tcpConnectTimeout", NOTHING, "not needed", 0, 0},
	{"tcpSendTimeout", NOTHING, "not needed", 0, 0},
	{"tcpRecvTimeout", NOTHING, "not needed", 0, 0},
	{"tcpFastOpen", NOTHING, "not needed", 0, 0},
	{"tcpOnly", BY_HAND, "backends are asked over UDP first", 0, 0},
	{"tls", BY_HAND, "backends are asked in plain DNS", 0, 0},
	{"dohPath", BY_HAND, "backends are asked in plain DNS", 0, 0},
	{"autoUpgrade", NOTHING, "backends are asked in plain DNS", 0, 0},
	{"useProxyProtocol", BY_HAND,
		"no PROXY protocol: backends see the frontend's address", 0, 0},
	{"reconnectOnUp", NOTHING, "not needed", 0, 0},
	{"ipBindAddrNoPort", NOTHING, "not needed", 0, 0},
	{"useClientSubnet", SUBNET, NULL, 0, 0},
	{"disableZeroScope", NOTHING, "not needed", 0, 0},
	{"maxInFlight", NOTHING, "not needed", 0, 0},
	{"maxConcurrentTCPConnections", NOTHING, "not needed", 0, 0},
	{"maxUDPOutstanding", NOTHING, "not needed", 0, 0},
	{"dscp", NOTHING, "not set", 0, 0},
	{"cpus", NOTHING, "not needed", 0, 0},
};

static void server_number(struct dd *d, const struct server_key *key,
	const struct lua *value, json_t *into)
{
	char what[64];
	long long n;

	snprintf(what, sizeof(what), "newServer: %s", key->name);
	if (dd_int(d, value, what, key->min, key->max, &n))
		json_object_set_new(into, key->arg,
			json_integer(key->use == CHECK_S ? n * 1000 : n));
}

static void server_text(struct dd *d, const struct server_key *key,
	const struct lua *value, json_t *check)
{
	bool type = strcmp(key->arg, "type") == 0;
	char text[256];
	struct name name;
	uint16_t number;

	dd_constant(d, value, "DNSQType", text, sizeof(text));
	if (type ? dns_type_parse(text, &number)
		 : text[0] && name_parse(text, &name) == 0)
		json_object_set_new(check, key->arg, json_string(text));
	else
		dd_error(d, d->now, value->line, "newServer: %s: a %s expected",
			key->name, type ? "type such as A" : "name");
}

/* "up": no probes; "lazy": only while real queries fail. */
static void server_mode(struct dd *d, const struct lua *value, json_t *check)
{
	const char *mode = lua_string(dd_value(d, value));

	if (mode && strcasecmp(mode, "up") == 0)
		json_object_set_new(check, "enabled", json_false());
	else if (mode && strcasecmp(mode, "down") == 0)
		dd_missing(d, d->now,
			"healthCheckMode \"down\": take it out of work with "
			"`ispdns backend down` (the rest is imported)");
	else if (mode && strcasecmp(mode, "lazy") == 0)
		json_object_set_new(check, "lazy", json_true());
	else if (mode && strcasecmp(mode, "auto") == 0)
		dd_note(d, value->line,
			"newServer: healthCheckMode: probes and live traffic "
			"both count");
	else
		dd_error(d, d->now, value->line,
			"newServer: healthCheckMode: auto, lazy, up or down "
			"expected");
}

/* Of the pool (server_in_pool): told to all backends of it, or to none. */
static void server_subnet(struct dd *d, const struct lua *value, json_t *args)
{
	const struct lua *is = dd_value(d, value);

	if (!is || is->kind != LUA_BOOL)
		dd_error(d, d->now, value->line,
			"newServer: useClientSubnet: true or false expected");
	else if (is->number != 0)
		json_object_set_new(args, "ecs", json_string("add"));
}

static void server_key(struct dd *d, const struct server_key *key,
	const struct lua *value, json_t *args)
{
	json_t *check = json_object_get(args, "check");

	switch (key->use) {
	case NUMBER:
		server_number(d, key, value, args);
		break;
	case CHECK_TEXT:
		server_text(d, key, value, check);
		break;
	case CHECK:
	case CHECK_S:
		server_number(d, key, value, check);
		break;
	case SUBNET:
		server_subnet(d, value, args);
		break;
	case CHECK_MODE:
		server_mode(d, value, check);
		break;
	case NOTHING:
		dd_note(d, value->line, "newServer: %s: %s", key->name,
			key->arg);
		break;
	case BY_HAND:
		dd_missing(d, d->now, "%s: %s (the rest is imported)",
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
			dd_error(d, d->now, item->line,
				"newServer: '%s': unknown key (dnsdist "
				"ignores it in silence)",
				item->key ? item->key : "?");
	}
}

static void pool_subnet(
	struct dd *d, const char *pool, json_t *object, json_t *backend)
{
	json_t *ecs = json_object_get(backend, "ecs");
	bool told = json_object_get(object, "ecs") != NULL;

	if (told != (ecs != NULL) &&
		json_array_size(json_object_get(object, "backends")) > 0)
		dd_warn(d, d->now->line,
			"useClientSubnet: all backends of pool %s are told the "
			"client's subnet",
			*pool ? pool : "default");
	if (ecs)
		json_object_set(object, "ecs", ecs);
	json_object_del(backend, "ecs");
}

static void server_in_pool(struct dd *d, const char *pool, const char *name,
	const char *address, const json_t *args)
{
	json_t *object = dd_pool(d, pool), *backends, *copy;
	char text[128];

	if (!object)
		return;
	backends = json_object_get(object, "backends");
	copy = json_deep_copy(args);
	pool_subnet(d, pool, object, copy);
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
	dd_done(d, d->now, "backend %s of pool %s", name,
		*pool ? pool : "default");
}

static void server_pools(struct dd *d, const struct lua *table,
	const char *address, const json_t *args)
{
	const struct lua *pool = dd_value(d, lua_field(table, "pool"));
	const char *name = lua_string(dd_value(d, lua_field(table, "name")));

	if (name && !dd_is_ident(name)) {
		dd_warn(d, d->now->line,
			"'%s' is no name for a backend here: it gets another",
			name);
		name = NULL;
	}
	if (!pool) {
		server_in_pool(d, "", name, address, args);
	} else if (lua_string(pool)) {
		server_in_pool(d, pool->text, name, address, args);
	} else {
		for (pool = pool->args; pool; pool = pool->next)
			if (lua_string(dd_value(d, pool)))
				server_in_pool(d, dd_value(d, pool)->text, name,
					address, args);
		if (d->now->outcome == DD_OPEN)
			dd_error(d, d->now, d->now->line,
				"newServer: pool: a name in quotes, or several "
				"in a table, expected");
	}
}

void dd_server(struct dd *d, const struct lua *call)
{
	const struct lua *arg = dd_value(d, lua_arg(call, 0));
	const struct lua *table = arg && arg->kind == LUA_TABLE ? arg : NULL;
	const char *address = lua_string(arg);
	json_t *args = json_pack("{s:{}}", "check");
	char canonical[ADDR_TEXT];
	union addr addr;

	if (table)
		address = lua_string(dd_value(d, lua_field(table, "address")));
	if (!args || !address) {
		dd_error(d, d->now, call->line, "newServer: address missing");
	} else if (addr_parse(address, 53, &addr) < 0) {
		dd_error(d, d->now, call->line, "newServer: '%s' is no address",
			address);
	} else {
		if (table)
			server_keys_read(d, table, args);
		server_pools(d, table, addr_print(&addr, canonical), args);
	}
	json_decref(args);
}
