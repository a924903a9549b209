/* SPDX-License-Identifier: ISC */
/*
 * dnsdist.conf -> calls. The statements are read first (lua.c), each one
 * notes what it means in struct dd; the calls are made at the end, since a
 * server line may name a pool whose routes come later. Statements that never
 * worked as people thought get a warning that says what is done instead.
 */
#include "mgmt/cli/import_dnsdist.h"

#include "common/net/addr.h"

#include <errno.h>

static void listen_on(struct dd *d, const struct lua *call, const char *address)
{
	union addr addr;
	char text[ADDR_TEXT];

	if (addr_parse(address, 53, &addr) < 0) {
		dd_error(d, d->now, call->line,
			"'%s' is no address to listen on", address);
		return;
	}
	if (addr_port(&addr) != 53)
		dd_warn(d, call->line,
			"frontends listen on port 53, not on %s (`ispdns node "
			"set NODE --frontend-listen` names other addresses)",
			addr_print(&addr, text));
	else if (!addr_is_any(&addr))
		dd_warn(d, call->line,
			"listening on %s only would not answer on the virtual "
			"address; frontends listen on port 53 of every address "
			"instead",
			addr_print_ip(&addr, text));
	dd_done(d, d->now, "frontends listen on port 53 of every address");
}

static void st_local(struct dd *d, const struct lua *call)
{
	const char *address = lua_string(dd_value(d, lua_arg(call, 0)));

	if (address)
		listen_on(d, call, address);
	else
		dd_error(d, d->now, call->line,
			"%s: an address in quotes expected",
			call->object->text);
}

static void acl_values(struct dd *d, const struct lua *call)
{
	d->acl_said = true;
	if (!lua_arg(call, 0))
		dd_error(d, d->now, call->line, "%s: a prefix expected",
			call->object->text);
	else if (dd_masks(d, lua_arg(call, 0), &d->acl, NULL))
		dd_done(d, d->now,
			"access list clients; others get REFUSED (`ispdns acl "
			"set --action drop`: nothing)");
}

static void st_add_acl(struct dd *d, const struct lua *call)
{
	if (!d->acl_said)
		dd_warn(d, call->line,
			"addACL adds to a built-in list (10.0.0.0/8, "
			"192.168.0.0/16 and more), which stayed open; only "
			"the prefixes named here and the loopback are "
			"admitted instead");
	acl_values(d, call);
}

static void st_set_acl(struct dd *d, const struct lua *call)
{
	d->acl.count = 0;
	acl_values(d, call);
}

/* A policy's name here; NULL: said. */
static const char *policy_name(struct dd *d, const struct lua *call)
{
	static const char *const known[] = {"leastOutstanding",
		"firstAvailable", "roundrobin", "wrandom", "chashed"};
	const struct lua *arg = dd_value(d, lua_arg(call, 0));
	const char *name =
		arg && (arg->kind == LUA_NAME || arg->kind == LUA_STRING)
			? arg->text
			: "?";

	if (strcmp(name, "whashed") == 0) {
		dd_warn(d, call->line,
			"policy whashed: chashed is taken instead");
		name = "chashed";
	}
	for (size_t i = 0; i < countof(known); i++)
		if (strcmp(name, known[i]) == 0)
			return known[i];
	dd_error(d, d->now, call->line,
		"policy '%s' is unknown: leastOutstanding, firstAvailable, "
		"roundrobin, wrandom or chashed",
		name);
	return NULL;
}

static void st_policy(struct dd *d, const struct lua *call)
{
	const char *name = policy_name(d, call);

	if (!name)
		return;
	d->policy = name;
	dd_done(d, d->now, "policy of pools without their own: %s", name);
}

static void st_pool_policy(struct dd *d, const struct lua *call)
{
	const char *pool = lua_string(dd_value(d, lua_arg(call, 1)));
	const char *name;
	json_t *object;

	if (!pool) {
		dd_error(d, d->now, call->line,
			"setPoolServerPolicy(policy, \"pool\") expected");
		return;
	}
	name = policy_name(d, call);
	object = name ? dd_pool(d, pool) : NULL;
	if (!object)
		return;
	json_object_set_new(object, "policy", json_string(name));
	dd_done(d, d->now, "pool %s: policy %s", *pool ? pool : "default",
		name);
}

static void st_control_socket(struct dd *d, const struct lua *call)
{
	(void)call;
	d->control = d->now;
	dd_not_needed(d, d->now,
		"`ispdns` and the daemons' control sockets are there");
}

static void st_set_key(struct dd *d, const struct lua *call)
{
	(void)call;
	d->key_set = true;
	(void)dd_plain(d, "setKey");
}

#define METRICS "metrics are on 127.0.0.1:8083 of each frontend"

static void st_webserver(struct dd *d, const struct lua *call)
{
	const char *address = lua_string(dd_value(d, lua_arg(call, 0)));

	d->web = d->now;
	d->web_address = address ? address : "?";
	if (lua_arg(call, 3))
		d->web_acl = true;
	dd_not_needed(d, d->now, METRICS ", `ispdns status` shows all of them");
}

static void st_web_config(struct dd *d, const struct lua *call)
{
	const struct lua *table = dd_value(d, lua_arg(call, 0));

	if (lua_field(table, "acl"))
		d->web_acl = true;
	if (lua_field(table, "password") || lua_field(table, "apiKey"))
		dd_warn(d, call->line,
			"password and apiKey in plain text are not taken "
			"over; make tokens with `ispdns token create` instead");
	dd_not_needed(d, d->now, METRICS);
}

/* Limits on clients' connections; 0 is none. */
static void tcp_limit(struct dd *d, const struct lua *call, const char *key,
	long long factor, long long max, long long none)
{
	long long n;

	if (!dd_int(d, lua_arg(call, 0), call->object->text, 0, max, &n))
		return;
	n = n == 0 ? none : n * factor;
	json_object_set_new(d->tcp, key, json_integer(n));
	dd_done(d, d->now, "frontend tcp: %s %lld%s", key, n,
		strcmp(key, "per_client") == 0 ? " (for each worker)" : "");
}

static void st_tcp_per_client(struct dd *d, const struct lua *call)
{
	tcp_limit(d, call, "per_client", 1, 1000000, 1000000);
}

static void st_tcp_queries(struct dd *d, const struct lua *call)
{
	tcp_limit(d, call, "queries", 1, 1000000000, 0);
}

static void st_tcp_duration(struct dd *d, const struct lua *call)
{
	tcp_limit(d, call, "lifetime_s", 1, 86400, 0);
}

static void st_tcp_idle(struct dd *d, const struct lua *call)
{
	tcp_limit(d, call, "idle_ms", 1000, 600, 600000);
}

static void st_tcp_reads(struct dd *d, const struct lua *call)
{
	tcp_limit(d, call, "reads", 1, 65535, 0);
}

static void st_tcp_ban(struct dd *d, const struct lua *call)
{
	tcp_limit(d, call, "ban_s", 1, 86400, 0);
}

/* setDropEmptyQueries(true); else they get NOTIMP. */
static void st_empty(struct dd *d, const struct lua *call)
{
	const struct lua *arg = dd_value(d, lua_arg(call, 0));
	bool silent = arg && arg->kind == LUA_BOOL && arg->number != 0;
	const char *action = silent ? "drop" : "notimp";

	json_object_set_new(d->policy_set, "empty", json_string(action));
	dd_done(d, d->now, "policy empty %s", action);
}

/* Ours, where a pool has ecs: a client's own stays; else /24, or /56. */
static void st_ecs_override(struct dd *d, const struct lua *call)
{
	const struct lua *arg = dd_value(d, lua_arg(call, 0));

	if (arg && arg->kind == LUA_BOOL && arg->number == 0)
		dd_not_needed(d, d->now, "a client's own subnet is kept");
	else
		dd_missing(d, d->now,
			"a client's own subnet is kept (`ispdns pool set "
			"--ecs add`), or with --ecs strip none is told");
}

static void ecs_prefix(struct dd *d, const struct lua *call, long long ours)
{
	long long n;

	if (!dd_int(d, lua_arg(call, 0), call->object->text, 0, 128, &n))
		return;
	if (n == ours)
		dd_not_needed(d, d->now, "/%lld is what is told", ours);
	else
		dd_missing(d, d->now,
			"/%lld is what is told (`ispdns pool set --ecs add`), "
			"no other length",
			ours);
}

static void st_ecs_v4(struct dd *d, const struct lua *call)
{
	ecs_prefix(d, call, 24);
}

static void st_ecs_v6(struct dd *d, const struct lua *call)
{
	ecs_prefix(d, call, 56);
}

static void st_no_server(struct dd *d, const struct lua *call)
{
	const struct lua *arg = dd_value(d, lua_arg(call, 0));

	d->silent = arg && arg->kind == LUA_BOOL && arg->number == 0;
	if (d->silent)
		dd_done(d, d->now, "pools without a server: no answer");
	else
		dd_not_needed(d, d->now,
			"always done, after a stale answer was looked for");
}

static const struct statement {
	const char *name;
	void (*run)(struct dd *d, const struct lua *call);
} statements[] = {
	{"setLocal", st_local},
	{"addLocal", st_local},
	{"addACL", st_add_acl},
	{"setACL", st_set_acl},
	{"newServer", dd_server},
	{"addAction", dd_action},
	{"setServerPolicy", st_policy},
	{"setPoolServerPolicy", st_pool_policy},
	{"controlSocket", st_control_socket},
	{"setKey", st_set_key},
	{"webserver", st_webserver},
	{"setWebserverConfig", st_web_config},
	{"setStaleCacheEntriesTTL", dd_stale},
	{"setDynBlocksAction", dd_blocks_action},
	{"setMaxTCPConnectionsPerClient", st_tcp_per_client},
	{"setMaxTCPQueriesPerConnection", st_tcp_queries},
	{"setMaxTCPConnectionDuration", st_tcp_duration},
	{"setTCPRecvTimeout", st_tcp_idle},
	{"setMaxTCPReadIOsPerQuery", st_tcp_reads},
	{"setBanDurationForExceedingMaxReadIOsPerQuery", st_tcp_ban},
	{"setDropEmptyQueries", st_empty},
	{"setServFailWhenNoServer", st_no_server},
	{"setECSOverride", st_ecs_override},
	{"setECSSourcePrefixV4", st_ecs_v4},
	{"setECSSourcePrefixV6", st_ecs_v6},
};

static void on_function(struct dd *d, const struct lua *call, const char *name)
{
	dd_begin(d, call->line, *name ? name : "call");
	for (size_t i = 0; i < countof(statements); i++)
		if (strcmp(name, statements[i].name) == 0) {
			statements[i].run(d, call);
			return;
		}
	if (!dd_plain(d, name))
		dd_error(
			d, d->now, call->line, "'%s': unknown statement", name);
}

/* ---- methods ---- */

/* suffixes:add(newDNSName("x")), masks:addMask("192.0.2.0/24") */
static void add_to(struct dd *d, struct dd_var *var, const struct lua *call)
{
	bool ok = var->kind == DD_MASKS
			  ? dd_masks(d, lua_arg(call, 0), &var->list,
				    &var->without)
			  : dd_names(d, lua_arg(call, 0), &var->list);

	if (!ok)
		return;
	if (var->used == 0) {
		dd_done(d, d->now, "for the rules that use it");
		return;
	}
	dd_warn(d, call->line,
		"'%s' is added to behind line %u, which uses it as it was: "
		"this never had an effect",
		var->name, var->used);
	dd_not_needed(d, d->now, "it never had an effect");
}

static bool is_adder(const struct dd_var *var, const char *method)
{
	if (var->kind == DD_MASKS)
		return strcmp(method, "addMask") == 0 ||
		       strcmp(method, "addMasks") == 0;
	return (var->kind == DD_SUFFIXES || var->kind == DD_NAMES) &&
	       strcmp(method, "add") == 0;
}

static void on_method(struct dd *d, const struct lua *call)
{
	const struct lua *object = dd_value(d, call->object);
	struct dd_var *var = NULL;
	char what[256];

	if (call->object->kind == LUA_NAME)
		snprintf(what, sizeof(what), "%.120s:%.120s",
			call->object->text, call->text);
	else
		snprintf(what, sizeof(what), "%.120s:%.120s",
			call->object->object ? call->object->object->text : "",
			call->text);
	dd_begin(d, call->line, what);
	if (object && object->kind == LUA_NAME)
		var = dd_var(d, object->text);
	if (lua_is_call(object, "getPool") &&
		strcmp(call->text, "setCache") == 0)
		dd_set_cache(d, call);
	else if (var && is_adder(var, call->text))
		add_to(d, var, call);
	else if (var && var->kind == DD_BLOCKS)
		dd_block_rule(d, call);
	else if (lua_is_call(object, "newServer") ||
		 lua_is_call(object, "getServer"))
		dd_missing(d, d->now,
			"what is done with a server goes into its newServer "
			"line, or `ispdns backend`");
	else
		dd_error(d, d->now, call->line, "':%s': unknown statement",
			call->text);
}

/* ---- events of the reader ---- */

static void say_tight(struct dd *d, unsigned line, bool tight)
{
	if (tight)
		dd_warn(d, line, "two statements on one line: both are read");
}

static void on_call(
	void *arg, unsigned line, const struct lua *call, bool tight)
{
	struct dd *d = arg;
	char name[256];

	say_tight(d, line, tight);
	if (call->kind == LUA_METHOD)
		on_method(d, call);
	else
		on_function(
			d, call, lua_path(call->object, name, sizeof(name)));
}

static void on_assign(void *arg, unsigned line, const char *name,
	const struct lua *value, bool tight)
{
	say_tight(arg, line, tight);
	dd_assign(arg, line, name, value);
}

static void on_block(void *arg, unsigned line, const char *word,
	const char *name, const char *body, unsigned body_line)
{
	struct dd *d = arg;
	char what[128];

	snprintf(what, sizeof(what), "%s%s%.80s", word, name ? " " : "",
		name ? name : "");
	dd_begin(d, line, what);
	if (name && strcmp(name, "maintenance") == 0)
		dd_maintenance(d, body, body_line);
	else
		dd_missing(d, d->now,
			"no Lua is run: what stands in it is left out; write "
			"it out line by line");
}

static void read_swallowed(struct dd *d, unsigned line, const char *text);

/*
 * "-- text addAction(...)": words, then a statement that the comment swallows.
 * A comment that begins with the statement was switched off on purpose.
 */
static void on_comment(void *arg, unsigned line, const char *text)
{
	static const char *const names[] = {
		"addAction(", "newServer(", "setLocal(", "addACL("};
	struct dd *d = arg;
	const char *found = NULL;

	for (size_t i = 0; i < countof(names) && !found; i++)
		found = strstr(text, names[i]);
	if (!found || found == text || d->in_comment)
		return;
	dd_warn(d, line,
		"the comment swallows '%.60s': it never had an effect; it is "
		"read as meant",
		found);
	read_swallowed(d, line, found);
}

static void on_odd(void *arg, unsigned line, const char *what)
{
	struct dd *d = arg;

	dd_warn(d, line, "%s", what);
}

static void on_error(void *arg, unsigned line, const char *what)
{
	struct dd *d = arg;

	dd_begin(d, line, "?");
	if (d->now)
		dd_error(d, d->now, line, "%s", what ? what : "unreadable");
}

static const struct lua_events events = {
	.assign = on_assign,
	.call = on_call,
	.block = on_block,
	.comment = on_comment,
	.odd = on_odd,
	.error = on_error,
};

static void read_swallowed(struct dd *d, unsigned line, const char *text)
{
	d->in_comment = true;
	if (lua_read(text, line, &d->arena, &events, d) < 0)
		d->im->failed = true;
	d->in_comment = false;
}

static void say_late(struct dd *d)
{
	if (d->control && !d->key_set)
		dd_warn(d, d->control->line,
			"controlSocket without setKey: every console call "
			"failed");
	if (d->web && !d->web_acl)
		dd_warn(d, d->web->line,
			"webserver(\"%s\") without acl answered the loopback "
			"only",
			d->web_address);
}

static int dd_init(struct dd *d, struct import *im, const char *path)
{
	d->im = im;
	d->file = path;
	d->policy = "leastOutstanding";
	arena_init(&d->arena, 1U << 16, 256U << 20);
	d->statements_end = &d->statements;
	d->chain_end = &d->chain;
	d->cache = json_object();
	d->pools = json_object();
	d->routes = json_array();
	d->policy_set = json_object();
	d->limit = json_object();
	d->tcp = json_object();
	d->rules = json_object();
	return d->cache && d->pools && d->routes && d->policy_set && d->limit &&
			       d->tcp && d->rules
		       ? 0
		       : -ENOMEM;
}

static void dd_fini(struct dd *d)
{
	json_decref(d->cache);
	json_decref(d->pools);
	json_decref(d->routes);
	json_decref(d->policy_set);
	json_decref(d->limit);
	json_decref(d->tcp);
	json_decref(d->rules);
	json_decref(d->blocks.set);
	arena_fini(&d->arena);
}

/* Without memory for a statement nothing can be said about it: stop. */
static bool is_open(const struct dd *d)
{
	return !d->im->failed;
}

int import_dnsdist(struct import *im, const char *path, struct err *err)
{
	struct dd *d = calloc(1, sizeof(*d));
	char *text = NULL;
	int rc = d ? dd_init(d, im, path) : -ENOMEM;

	if (rc == 0)
		rc = import_text(im, path, 4U << 20, &text, err);
	if (rc == 0)
		rc = lua_read(text, 1, &d->arena, &events, d);
	if (rc == 0 && is_open(d)) {
		say_late(d);
		dd_chain(d);
		dd_blocks_end(d);
		dd_emit(d);
		dd_report(d);
		import_sort_notes(im);
	}
	if (im->failed)
		rc = -ENOMEM;
	if (rc == -ENOMEM)
		err_set(err, "%s: out of memory", path);
	free(text);
	if (d)
		dd_fini(d);
	free(d);
	return rc;
}
