/* SPDX-License-Identifier: ISC */
/* dnsdist importer: addAction(rule, action), the packet policy and routes. */
#include "mgmt/cli/import_dnsdist.h"

#include "common/dns/name.h"

#include <strings.h>

enum rule_kind {
	RULE_BAD, /* reported already */
	RULE_ALL,
	RULE_ANY,      /* QTYPE ANY */
	RULE_TRANSFER, /* AXFR, IXFR */
	RULE_CHAOS,
	RULE_LIMIT,
	RULE_SUFFIX,
	RULE_OTHER, /* of AndRule: a type that only narrows */
};

struct rule {
	enum rule_kind kind;
	json_t *suffixes; /* RULE_SUFFIX, owned */
	const struct lua *call;
};

void dd_suffix_values(struct dd *d, const struct lua *value, json_t *names)
{
	char text[NAME_MAX_TEXT];
	struct dd_var *var;
	struct name name;

	if (lua_is_call(value, "newDNSName")) {
		value = lua_arg(value, 0);
	} else if (value && value->kind == LUA_NAME) {
		var = dd_var(d, value->text);
		value = var && lua_is_call(var->value, "newDNSName")
				? lua_arg(var->value, 0)
				: value;
	}
	if (value && value->kind == LUA_TABLE) {
		for (value = value->args; value; value = value->next)
			dd_suffix_values(d, value, names);
		return;
	}
	if (!value)
		return;
	if (!lua_string(value) || name_parse(value->text, &name) < 0) {
		import_error(d->im, d->file, value->line,
			"'%s' is no domain name",
			value->text ? value->text : "?");
		return;
	}
	name_to_lower(name.wire, name.wire, name.len);
	dd_add_unique(names, json_string(name_print(&name, text)));
}

/* "DNSQType.ANY", "ANY" or 255 -> "ANY"; "" when it is none of these. */
static const char *constant(
	const struct lua *value, const char *family, char *out, size_t size)
{
	char path[128];
	size_t len = strlen(family);

	out[0] = '\0';
	if (!value)
		return out;
	lua_path(value, path, sizeof(path));
	if (strncmp(path, family, len) == 0 && path[len] == '.')
		snprintf(out, size, "%s", path + len + 1);
	else if (value->kind == LUA_STRING || value->kind == LUA_NUMBER)
		snprintf(out, size, "%s", value->text);
	return out;
}

static enum rule_kind rule_type(
	struct dd *d, const struct lua *call, bool alone)
{
	char type[64];

	constant(lua_arg(call, 0), "DNSQType", type, sizeof(type));
	if (strcasecmp(type, "ANY") == 0 || strcmp(type, "255") == 0)
		return RULE_ANY;
	if (strcasecmp(type, "AXFR") == 0 || strcasecmp(type, "IXFR") == 0)
		return RULE_TRANSFER;
	if (!alone)
		return RULE_OTHER;
	import_error(d->im, d->file, call->line,
		"QTypeRule(%s): no such rule here: ANY, AXFR and IXFR have one",
		type);
	return RULE_BAD;
}

static enum rule_kind rule_class(struct dd *d, const struct lua *call)
{
	char class[64];

	constant(lua_arg(call, 0), "DNSClass", class, sizeof(class));
	if (strcasecmp(class, "CH") == 0) {
		import_warn(d->im, d->file, call->line,
			"DNSClass.CH does not exist (DNSClass.CHAOS does): "
			"dnsdist refuses to start with it; every class but IN "
			"is dropped instead");
		return RULE_CHAOS;
	}
	if (strcasecmp(class, "CHAOS") == 0 || strcmp(class, "3") == 0)
		return RULE_CHAOS;
	import_error(d->im, d->file, call->line,
		"QClassRule(%s): only class CHAOS has a rule here", class);
	return RULE_BAD;
}

/* A regular expression that is no more than a name: "yourisp.com", "a\\.b$".
 * The literal text goes to out; false when it is a real expression. */
static bool plain_regex(const char *regex, char *out, size_t size)
{
	size_t n = 0;

	if (*regex == '^')
		regex++;
	if (strncmp(regex, ".*", 2) == 0)
		regex += 2;
	for (; *regex && n + 1 < size; regex++) {
		if (*regex == '$' && !regex[1])
			break;
		if (*regex == '\\')
			continue;
		if (strchr("*+?()[]{}|^$", *regex))
			return false;
		out[n++] = *regex;
	}
	out[n] = '\0';
	return n > 0 && out[0] != '\0';
}

static enum rule_kind rule_regex(
	struct dd *d, const struct lua *call, struct rule *rule)
{
	const char *regex = lua_string(lua_arg(call, 0));
	char text[256], canonical[NAME_MAX_TEXT];
	const char *start = text;
	struct name name;

	if (regex && plain_regex(regex, text, sizeof(text)))
		start = text + (text[0] == '.' && text[1]);
	if (!regex || start[0] == '\0' ||
		!plain_regex(regex, text, sizeof(text)) ||
		name_parse(start, &name) < 0) {
		import_error(d->im, d->file, call->line,
			"RegexRule(\"%s\"): no regular expressions here; name "
			"the suffix",
			regex ? regex : "?");
		return RULE_BAD;
	}
	name_to_lower(name.wire, name.wire, name.len);
	import_warn(d->im, d->file, call->line,
		"RegexRule(\"%s\") matches anywhere in a name (%s.evil.example "
		"too): the suffix %s is routed instead",
		regex, start, name_print(&name, canonical));
	dd_add_unique(rule->suffixes, json_string(canonical));
	return RULE_SUFFIX;
}

static enum rule_kind rule_suffix(
	struct dd *d, const struct lua *call, struct rule *rule)
{
	const struct lua *arg = lua_arg(call, 0);
	struct dd_var *var =
		arg && arg->kind == LUA_NAME ? dd_var(d, arg->text) : NULL;

	if (var && var->suffixes)
		json_array_extend(rule->suffixes, var->suffixes);
	else
		dd_suffix_values(d, arg, rule->suffixes);
	if (json_array_size(rule->suffixes) > 0)
		return RULE_SUFFIX;
	import_error(d->im, d->file, call->line,
		"SuffixMatchNodeRule without any name");
	return RULE_BAD;
}

static enum rule_kind rule_and(struct dd *d, const struct lua *call);

static enum rule_kind rule_read(
	struct dd *d, const struct lua *call, bool alone, struct rule *rule)
{
	struct dd_var *var =
		call->kind == LUA_NAME ? dd_var(d, call->text) : NULL;
	char name[128];

	if (var && var->value)
		call = var->value;
	if (!call)
		return RULE_BAD;
	rule->call = call;
	if (lua_is_call(call, "AllRule"))
		return RULE_ALL;
	if (lua_is_call(call, "QTypeRule"))
		return rule_type(d, call, alone);
	if (lua_is_call(call, "QClassRule"))
		return rule_class(d, call);
	if (lua_is_call(call, "MaxQPSIPRule"))
		return RULE_LIMIT;
	if (lua_is_call(call, "AndRule"))
		return rule_and(d, call);
	if (lua_is_call(call, "SuffixMatchNodeRule") ||
		lua_is_call(call, "QNameSuffixRule"))
		return rule_suffix(d, call, rule);
	if (lua_is_call(call, "RegexRule") || lua_is_call(call, "RE2Rule"))
		return rule_regex(d, call, rule);
	if (call->kind == LUA_STRING || call->kind == LUA_TABLE) {
		dd_suffix_values(d, call, rule->suffixes);
		return json_array_size(rule->suffixes) ? RULE_SUFFIX : RULE_BAD;
	}
	import_error(d->im, d->file, call->line, "'%s': unknown rule",
		call->object ? lua_path(call->object, name, sizeof(name))
			     : "?");
	return RULE_BAD;
}

/* Only "class CHAOS and some type" has an equivalent. */
static enum rule_kind rule_and(struct dd *d, const struct lua *call)
{
	const struct lua *arg = lua_arg(call, 0);
	bool chaos = false, bad = false, other = false;
	struct rule part = {.suffixes = json_array()};

	if (arg && arg->kind == LUA_TABLE)
		arg = arg->args;
	for (; arg; arg = arg->next) {
		switch (rule_read(d, arg, false, &part)) {
		case RULE_CHAOS:
			chaos = true;
			break;
		case RULE_OTHER:
		case RULE_ANY:
			break;
		case RULE_BAD:
			bad = true;
			break;
		default:
			other = true;
		}
	}
	json_decref(part.suffixes);
	if (chaos && !other && !bad)
		return RULE_CHAOS;
	if (!bad)
		import_error(d->im, d->file, call->line,
			"AndRule: only class CHAOS with a type is known");
	return RULE_BAD;
}

/* ---- actions ---- */

/* "drop", "refuse", "tc", or NULL when the action is none of these. */
static const char *verdict(const struct lua *action)
{
	char code[64];

	if (lua_is_call(action, "DropAction"))
		return "drop";
	if (lua_is_call(action, "TCAction"))
		return "tc";
	if (!lua_is_call(action, "RCodeAction"))
		return NULL;
	constant(lua_arg(action, 0), "DNSRCode", code, sizeof(code));
	return strcmp(code, "REFUSED") == 0 || strcmp(code, "5") == 0 ? "refuse"
								      : NULL;
}

static void action_limit(
	struct dd *d, const struct rule *rule, const char *verb)
{
	static const char *const args[] = {
		"qps", "v4_prefix", "v6_prefix", "burst"};
	json_t *limit = json_object();
	json_int_t old = json_integer_value(json_object_get(d->limit, "qps"));
	json_int_t qps;
	const struct lua *arg;

	for (unsigned i = 0; i < countof(args); i++) {
		arg = lua_arg(rule->call, i);
		if (arg && arg->kind == LUA_NUMBER)
			json_object_set_new(limit, args[i],
				json_integer((json_int_t)arg->number));
	}
	json_object_set_new(limit, "action", json_string(verb));
	qps = json_integer_value(json_object_get(limit, "qps"));
	if (!json_object_get(limit, "burst"))
		json_object_set_new(limit, "burst", json_integer(qps));
	if (qps < 1)
		import_error(d->im, d->file, rule->call->line,
			"MaxQPSIPRule: queries per second expected");
	else if (old > 0 && old != qps)
		import_warn(d->im, d->file, rule->call->line,
			"a second limit per address: the lower one, %lld/s, "
			"decides",
			(long long)(old < qps ? old : qps));
	if (qps > 0 && (old == 0 || qps < old)) {
		json_object_clear(d->limit);
		json_object_update(d->limit, limit);
	}
	json_decref(limit);
}

static void action_pool(
	struct dd *d, const struct rule *rule, const struct lua *action)
{
	const char *pool = lua_string(lua_arg(action, 0));
	json_t *suffix;
	size_t i;

	if (!pool) {
		import_error(d->im, d->file, action->line,
			"PoolAction: pool in quotes expected");
		return;
	}
	if (!*pool)
		pool = "default";
	if (rule->kind == RULE_ALL) {
		if (d->catch_all == 0)
			json_array_append_new(
				d->routes, json_pack("{s:s,s:s}", "suffix", ".",
						   "pool", pool));
		d->catch_all = rule->call->line;
	} else if (rule->kind == RULE_SUFFIX) {
		json_array_foreach(rule->suffixes, i, suffix)
			dd_add_unique(
				d->routes, json_pack("{s:O,s:s}", "suffix",
						   suffix, "pool", pool));
	} else {
		import_error(d->im, d->file, action->line,
			"PoolAction: only a suffix or AllRule() selects a "
			"pool");
	}
}

static void action_verdict(struct dd *d, const struct rule *rule,
	const struct lua *action, const char *verb)
{
	switch (rule->kind) {
	case RULE_ANY:
		json_object_set_new(d->rules, "any", json_string(verb));
		break;
	case RULE_TRANSFER:
	case RULE_CHAOS:
		if (strcmp(verb, "tc") == 0) {
			import_error(d->im, d->file, action->line,
				"TCAction: only for ANY and for limits");
			break;
		}
		json_object_set_new(d->rules,
			rule->kind == RULE_CHAOS ? "chaos" : "transfer",
			json_string(verb));
		break;
	case RULE_LIMIT:
		action_limit(d, rule, verb);
		break;
	default:
		import_error(d->im, d->file, action->line,
			"no such rule here: only ANY, transfers, class CHAOS "
			"and the limit per address are dropped or refused");
	}
}

static void action_run(
	struct dd *d, const struct rule *rule, const struct lua *action)
{
	const char *verb = verdict(action);
	char name[128];

	if (d->catch_all > 0 && rule->call->line > d->catch_all)
		import_warn(d->im, d->file, rule->call->line,
			"dnsdist never comes here: AllRule() in line %u takes "
			"every query; it is applied instead",
			d->catch_all);
	if (verb)
		action_verdict(d, rule, action, verb);
	else if (lua_is_call(action, "PoolAction"))
		action_pool(d, rule, action);
	else if (lua_is_call(action, "LogAction"))
		import_warn(d->im, d->file, action->line,
			"LogAction: no query log is written; counters and "
			"`ispdns status` are there instead");
	else
		import_error(d->im, d->file, action->line,
			"'%s': unknown action",
			action->object
				? lua_path(action->object, name, sizeof(name))
				: "?");
}

void dd_action(struct dd *d, const struct lua *call)
{
	struct rule rule = {.suffixes = json_array()};
	const struct lua *what = lua_arg(call, 0), *action = lua_arg(call, 1);

	if (!what || !action)
		import_error(d->im, d->file, call->line,
			"addAction(rule, action) expected");
	else if ((rule.kind = rule_read(d, what, true, &rule)) != RULE_BAD)
		action_run(d, &rule, action);
	json_decref(rule.suffixes);
}
