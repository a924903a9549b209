/* SPDX-License-Identifier: ISC */
/*
 * dnsdist.conf -> calls. The statements are read first (lua.c), each one
 * notes what it means in struct dd; the calls are made at the end, since a
 * server line may name a pool whose routes come later. Statements that never
 * worked as people thought get a warning that says what is done instead.
 */
#include "mgmt/cli/import_dnsdist.h"

#include "common/ctl/file.h"
#include "common/dns/name.h"
#include "common/net/prefix.h"

#include <errno.h>
#include <strings.h>

static void say_unless_wildcard(
	struct dd *d, const struct lua *call, const char *address)
{
	union addr addr;
	char ip[ADDR_TEXT];

	if (addr_parse(address, 53, &addr) < 0) {
		import_error(d->im, d->file, call->line,
			"'%s' is no address to listen on", address);
		return;
	}
	if (addr_is_any(&addr) && addr_port(&addr) == 53)
		return;
	import_warn(d->im, d->file, call->line,
		"listening on %s only would not answer on the virtual "
		"address; frontends listen on port 53 of every address "
		"instead",
		addr_print_ip(&addr, ip));
}

static void st_local(struct dd *d, const struct lua *call)
{
	const char *address = lua_string(lua_arg(call, 0));

	if (address)
		say_unless_wildcard(d, call, address);
	else
		import_error(d->im, d->file, call->line,
			"%s: an address in quotes expected",
			call->object->text);
}

static void acl_entry(struct dd *d, const struct lua *value)
{
	const char *text = lua_string(value);
	char canonical[PREFIX_TEXT];
	struct prefix prefix;
	int rc = text ? prefix_parse(text, &prefix) : -EINVAL;

	if (rc == -EDOM)
		import_warn(d->im, d->file, value->line,
			"%s has host bits: %s is taken", text,
			prefix_print(&prefix, canonical));
	else if (rc < 0) {
		import_error(d->im, d->file, value->line,
			"'%s' is no address prefix", text ? text : "?");
		return;
	}
	dd_add_unique(d->acl, json_string(prefix_print(&prefix, canonical)));
}

static void acl_values(struct dd *d, const struct lua *call)
{
	const struct lua *value = lua_arg(call, 0);

	if (!value) {
		import_error(d->im, d->file, call->line,
			"%s: a prefix expected", call->object->text);
		return;
	}
	if (value->kind != LUA_TABLE) {
		acl_entry(d, value);
		return;
	}
	for (value = value->args; value; value = value->next)
		acl_entry(d, value);
}

static void st_add_acl(struct dd *d, const struct lua *call)
{
	if (!d->acl_said)
		import_warn(d->im, d->file, call->line,
			"addACL adds to a built-in list (10.0.0.0/8, "
			"192.168.0.0/16 and more), which stayed open; only "
			"the prefixes named here and the loopback are "
			"admitted instead");
	d->acl_said = true;
	acl_values(d, call);
}

static void st_set_acl(struct dd *d, const struct lua *call)
{
	json_array_clear(d->acl);
	d->acl_said = true;
	acl_values(d, call);
}

static void st_policy(struct dd *d, const struct lua *call)
{
	static const char *const known[] = {"leastOutstanding",
		"firstAvailable", "roundrobin", "wrandom", "chashed"};
	const struct lua *arg = lua_arg(call, 0);
	const char *name =
		arg && (arg->kind == LUA_NAME || arg->kind == LUA_STRING)
			? arg->text
			: "?";

	if (strcmp(name, "whashed") == 0) {
		import_warn(d->im, d->file, call->line,
			"policy whashed: chashed is taken instead");
		name = "chashed";
	}
	for (size_t i = 0; i < countof(known); i++)
		if (strcmp(name, known[i]) == 0) {
			d->policy = known[i];
			return;
		}
	import_error(d->im, d->file, call->line,
		"policy '%s' is unknown: leastOutstanding, firstAvailable, "
		"roundrobin, wrandom or chashed",
		name);
}

static void st_pool_policy(struct dd *d, const struct lua *call)
{
	const char *before = d->policy;
	const char *pool = lua_string(lua_arg(call, 1));

	if (!pool) {
		import_error(d->im, d->file, call->line,
			"setPoolServerPolicy(policy, \"pool\") expected");
		return;
	}
	st_policy(d, call);
	json_object_set_new(dd_pool(d, pool), "policy", json_string(d->policy));
	d->policy = before;
}

static void st_control_socket(struct dd *d, const struct lua *call)
{
	d->control_line = call->line;
}

static void st_set_key(struct dd *d, const struct lua *call)
{
	d->key_set = true;
	import_note(d->im, d->file, call->line,
		"setKey: not needed, `ispdns` talks to local sockets and over "
		"TLS");
}

static void st_webserver(struct dd *d, const struct lua *call)
{
	const char *address = lua_string(lua_arg(call, 0));

	d->web_line = call->line;
	d->web_address = address ? address : "?";
	if (lua_arg(call, 3))
		d->web_acl = true;
}

static void st_web_config(struct dd *d, const struct lua *call)
{
	const struct lua *table = lua_arg(call, 0);

	if (lua_field(table, "acl"))
		d->web_acl = true;
	if (lua_field(table, "password") || lua_field(table, "apiKey"))
		import_warn(d->im, d->file, call->line,
			"password and apiKey in plain text are not taken "
			"over; make tokens with `ispdns token create` instead");
}

static void st_stale(struct dd *d, const struct lua *call)
{
	const struct lua *arg = lua_arg(call, 0);

	if (arg && arg->kind == LUA_NUMBER)
		json_object_set_new(d->cache, "stale_s",
			json_integer((json_int_t)arg->number));
	else
		import_error(d->im, d->file, call->line,
			"setStaleCacheEntriesTTL: seconds expected");
}

/* Statements that need nothing here, or never did what was wanted. */
static const struct plain {
	const char *name;
	enum import_level level;
	const char *text;
} plain[] = {
	{"setVerboseHealthChecks", IMPORT_NOTE,
		"not needed: every change of a backend's state is logged and "
		"counted"},
	{"setMaxTCPClientThreads", IMPORT_NOTE,
		"not needed: TCP is served by the workers' event loops"},
	{"setMaxTCPConnectionsPerClient", IMPORT_NOTE,
		"the frontends' own limit of connections per client (20) "
		"stays"},
	{"setMaxTCPQueuedConnections", IMPORT_NOTE, "not needed"},
	{"setMaxTCPQueriesPerConnection", IMPORT_NOTE, "not needed"},
	{"setMaxTCPConnectionDuration", IMPORT_NOTE, "not needed"},
	{"setMaxUDPOutstanding", IMPORT_NOTE, "not needed"},
	{"setUDPTimeout", IMPORT_NOTE,
		"not needed: a query is tried on another backend after 400 ms"},
	{"setTCPRecvTimeout", IMPORT_NOTE, "not needed"},
	{"setTCPSendTimeout", IMPORT_NOTE, "not needed"},
	{"setTCPUseSinglePipe", IMPORT_NOTE, "not needed"},
	{"setUDPMultipleMessagesVectorSize", IMPORT_NOTE,
		"not needed: batches are always used"},
	{"setRingBuffersSize", IMPORT_NOTE, "not needed"},
	{"setRandomizedOutgoingSockets", IMPORT_NOTE,
		"not needed: always done"},
	{"setRandomizedIdsOverUDP", IMPORT_NOTE, "not needed: always done"},
	{"setSecurityPollSuffix", IMPORT_NOTE,
		"not needed: nothing is asked on the Internet"},
	{"setServFailWhenNoServer", IMPORT_NOTE, "not needed: always done"},
	{"setConsoleACL", IMPORT_NOTE, "not needed: there is no console"},
	{"addConsoleACL", IMPORT_NOTE, "not needed: there is no console"},
	{"setConsoleConnectionsLogging", IMPORT_NOTE, "not needed"},
	{"setSyslogFacility", IMPORT_NOTE, "not needed"},
	{"makeKey", IMPORT_WARNING,
		"a console command, no configuration: ignored"},
	{"showServers", IMPORT_WARNING,
		"a console command, no configuration: ignored; use `ispdns "
		"backend list`"},
	{"showPools", IMPORT_WARNING,
		"a console command, no configuration: ignored; use `ispdns "
		"pool list`"},
	{"showCacheHitResponseCounts", IMPORT_WARNING,
		"no version of dnsdist has this function: ignored; use "
		"`ispdns status` for hits and misses"},
	{"showCacheHitResponseRules", IMPORT_WARNING,
		"a console command, no configuration: ignored"},
	{"showRules", IMPORT_WARNING,
		"a console command, no configuration: ignored; use `ispdns "
		"route list`"},
	{"showACL", IMPORT_WARNING,
		"a console command, no configuration: ignored; use `ispdns "
		"acl list`"},
	{"topClients", IMPORT_WARNING,
		"a console command, no configuration: ignored"},
	{"topQueries", IMPORT_WARNING,
		"a console command, no configuration: ignored"},
	{"dumpStats", IMPORT_WARNING,
		"a console command, no configuration: ignored; use `ispdns "
		"status`"},
};

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
	{"setStaleCacheEntriesTTL", st_stale},
};

static void on_function(struct dd *d, const struct lua *call, const char *name)
{
	for (size_t i = 0; i < countof(statements); i++)
		if (strcmp(name, statements[i].name) == 0) {
			statements[i].run(d, call);
			return;
		}
	for (size_t i = 0; i < countof(plain); i++)
		if (strcmp(name, plain[i].name) == 0) {
			import_say(d->im, plain[i].level, d->file, call->line,
				"%s: %s", name, plain[i].text);
			return;
		}
	import_error(
		d->im, d->file, call->line, "'%s': unknown statement", name);
}

/* getPool("rec"):setCache(pc), suffixes:add(newDNSName("x")) */
static void on_method(struct dd *d, const struct lua *call)
{
	const struct lua *object = call->object;
	struct dd_var *var;

	if (lua_is_call(object, "getPool") &&
		strcmp(call->text, "setCache") == 0) {
		dd_set_cache(d, call);
		return;
	}
	var = object->kind == LUA_NAME ? dd_var(d, object->text) : NULL;
	if (var && var->suffixes && strcmp(call->text, "add") == 0) {
		dd_suffix_values(d, lua_arg(call, 0), var->suffixes);
		return;
	}
	import_error(d->im, d->file, call->line, "':%s': unknown statement",
		call->text);
}

static void on_call(
	void *arg, unsigned line, const struct lua *call, bool tight)
{
	struct dd *d = arg;
	char name[256];

	if (tight)
		import_warn(d->im, d->file, line,
			"two statements on one line: both are read");
	if (call->kind == LUA_METHOD)
		on_method(d, call);
	else
		on_function(
			d, call, lua_path(call->object, name, sizeof(name)));
}

static void on_assign(void *arg, unsigned line, const char *name,
	const struct lua *value, bool tight)
{
	struct dd *d = arg;

	if (tight)
		import_warn(d->im, d->file, line,
			"two statements on one line: both are read");
	dd_assign(d, line, name, value);
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
	import_warn(d->im, d->file, line,
		"the comment swallows '%.60s': it never had an effect; it is "
		"read as meant",
		found);
	read_swallowed(d, line, found);
}

static void on_odd(void *arg, unsigned line, const char *what)
{
	struct dd *d = arg;

	import_warn(d->im, d->file, line, "%s", what);
}

static void on_error(void *arg, unsigned line, const char *what)
{
	struct dd *d = arg;

	import_error(d->im, d->file, line, "%s", what ? what : "unreadable");
}

static const struct lua_events events = {
	.assign = on_assign,
	.call = on_call,
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
	if (d->control_line > 0 && !d->key_set)
		import_warn(d->im, d->file, d->control_line,
			"controlSocket without setKey: every console call "
			"failed; `ispdns status` and the daemons' control "
			"sockets are there instead");
	if (d->web_line > 0 && !d->web_acl)
		import_warn(d->im, d->file, d->web_line,
			"webserver(\"%s\") without acl answered the loopback "
			"only; metrics are on 127.0.0.1:8083 of each frontend, "
			"and `ispdns status` shows all of them, instead",
			d->web_address);
	else if (d->web_line > 0)
		import_note(d->im, d->file, d->web_line,
			"webserver: metrics are on 127.0.0.1:8083 of each "
			"frontend");
}

static int dd_init(struct dd *d, struct import *im, const char *path)
{
	memset(d, 0, sizeof(*d));
	d->im = im;
	d->file = path;
	d->policy = "leastOutstanding";
	arena_init(&d->arena, 0, 16U << 20);
	d->acl = json_array();
	d->cache = json_object();
	d->pools = json_object();
	d->routes = json_array();
	d->rules = json_object();
	d->limit = json_object();
	return d->acl && d->cache && d->pools && d->routes && d->rules &&
			       d->limit
		       ? 0
		       : -ENOMEM;
}

static void dd_fini(struct dd *d)
{
	for (size_t i = 0; i < d->var_count; i++)
		json_decref(d->vars[i].suffixes);
	json_decref(d->acl);
	json_decref(d->cache);
	json_decref(d->pools);
	json_decref(d->routes);
	json_decref(d->rules);
	json_decref(d->limit);
	arena_fini(&d->arena);
}

int import_dnsdist(struct import *im, const char *path, struct err *err)
{
	struct dd d;
	char *text = NULL;
	int rc = dd_init(&d, im, path);

	if (rc == 0)
		rc = import_text(im, path, 4U << 20, &text, err);
	if (rc == 0)
		rc = lua_read(text, 1, &d.arena, &events, &d);
	if (rc == 0) {
		say_late(&d);
		dd_emit(&d);
		import_sort_notes(im);
		if (im->failed)
			rc = -ENOMEM;
	}
	if (rc == -ENOMEM)
		err_set(err, "%s: out of memory", path);
	free(text);
	dd_fini(&d);
	return rc;
}
