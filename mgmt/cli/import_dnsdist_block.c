/* SPDX-License-Identifier: ISC */
/*
 * dnsdist importer: dynamic blocks. dnsdist has any number of rules with
 * windows and times of their own; frontends have one policy.
 */
#include "mgmt/cli/import_dnsdist.h"

#include <strings.h>

#define SHARE 50 /* per cent, in place of a rate of answers */

/* Set once; what comes later and differs is said. */
static void set_once(struct dd *d, const char *key, json_t *value)
{
	json_t *old = json_object_get(d->blocks.set, key);

	if (!old)
		json_object_set(d->blocks.set, key, value);
	else if (!json_equal(old, value))
		dd_warn(d, d->now->line,
			"blocks have one %s for all: that of line %u stays",
			strcmp(key, "window_ms") == 0     ? "window"
			: strcmp(key, "duration_s") == 0  ? "duration"
			: strcmp(key, "min_answers") == 0 ? "least number of "
							    "answers"
							  : key,
			d->blocks.line);
	json_decref(value);
}

/* Words of DNSAction; NULL (said): none of ours. */
static const char *block_action(struct dd *d, const struct lua *value)
{
	static const struct {
		const char *theirs, *ours;
	} actions[] = {{"Drop", "drop"}, {"Refused", "refuse"},
		{"Truncate", "tc"}, {"None", "drop"}, {"Nxdomain", "nxdomain"},
		{"NoOp", "log"}};
	char text[64];

	dd_constant(d, value, "DNSAction", text, sizeof(text));
	for (size_t i = 0; i < countof(actions); i++)
		if (strcasecmp(text, actions[i].theirs) == 0)
			return actions[i].ours;
	dd_missing(d, d->now,
		"DNSAction.%s: blocks drop, refuse, truncate, answer NXDOMAIN "
		"or only log (`ispdns block policy set --action`)",
		text[0] ? text : "?");
	return NULL;
}

/* rate, seconds, reason, blocking time [, action], from argument `i` on. */
struct rule_args {
	long long rate, seconds, duration;
	const char *action;
};

static bool read_args(
	struct dd *d, const struct lua *call, unsigned i, struct rule_args *out)
{
	const char *name = call->text;

	out->action = d->blocks.action ? d->blocks.action : "drop";
	if (!dd_int(d, lua_arg(call, i), name, 1, 10000000, &out->rate) ||
		!dd_int(d, lua_arg(call, i + 1), "seconds of the window", 1,
			3600, &out->seconds) ||
		!dd_int(d, lua_arg(call, i + 3), "seconds of the block", 1,
			86400, &out->duration))
		return false;
	if (lua_arg(call, i + 4))
		out->action = block_action(d, lua_arg(call, i + 4));
	return out->action;
}

static void set_common(struct dd *d, const struct rule_args *a)
{
	if (!d->blocks.set)
		d->blocks.set = json_object();
	if (!d->blocks.set)
		d->im->failed = true;
	if (d->blocks.line == 0)
		d->blocks.line = d->now->line;
	set_once(d, "window_ms", json_integer(a->seconds * 1000));
	set_once(d, "duration_s", json_integer(a->duration));
	set_once(d, "action", json_string(a->action));
}

static void block_queries(struct dd *d, const struct lua *call)
{
	struct rule_args a;

	if (!read_args(d, call, 0, &a))
		return;
	set_common(d, &a);
	set_once(d, "qps", json_integer(a.rate));
	dd_done(d, d->now, "block policy: %lld queries a second over %lld s",
		a.rate, a.seconds);
}

/* "nxdomain_percent" of DNSRCode.NXDOMAIN; NULL: said. */
static const char *share_key(struct dd *d, const struct lua *value)
{
	char code[64];

	dd_constant(d, value, "DNSRCode", code, sizeof(code));
	if (strcasecmp(code, "NXDOMAIN") == 0 || strcmp(code, "3") == 0)
		return "nxdomain_percent";
	if (strcasecmp(code, "SERVFAIL") == 0 || strcmp(code, "2") == 0)
		return "servfail_percent";
	dd_missing(d, d->now,
		"%s: blocks count NXDOMAIN and SERVFAIL: `ispdns block policy "
		"set`",
		code[0] ? code : "?");
	return NULL;
}

static void block_rcodes(struct dd *d, const struct lua *call)
{
	const char *key = share_key(d, lua_arg(call, 0));
	struct rule_args a;
	long long least;

	if (!key || !read_args(d, call, 1, &a))
		return;
	least = a.rate * a.seconds < 10000000 ? a.rate * a.seconds : 10000000;
	set_common(d, &a);
	set_once(d, key, json_integer(SHARE));
	set_once(d, "min_answers", json_integer(least));
	dd_warn(d, d->now->line,
		"setRCodeRate: blocks go by the share of a source's answers: "
		"%d %% of at least %lld in %lld s",
		SHARE, least, a.seconds);
	dd_done(d, d->now, "block policy: %s %d", key, SHARE);
}

static bool read_share(struct dd *d, const struct lua *value, long long *out)
{
	value = dd_value(d, value);
	if (value && value->kind == LUA_NUMBER && value->number > 0 &&
		value->number <= 1) {
		*out = (long long)(value->number * 100 + 0.5);
		*out = *out > 0 ? *out : 1;
		return true;
	}
	dd_error(d, d->now, d->now->line,
		"setRCodeRatio: a share from 0 to 1 expected");
	return false;
}

/* (rcode, ratio, seconds, reason, blocking time, minimum [, action]) */
static void block_ratio(struct dd *d, const struct lua *call)
{
	const char *key = share_key(d, lua_arg(call, 0));
	struct rule_args a = {.action = d->blocks.action};
	long long share, least = 200;

	if (!key || !read_share(d, lua_arg(call, 1), &share) ||
		!dd_int(d, lua_arg(call, 2), "seconds of the window", 1, 3600,
			&a.seconds) ||
		!dd_int(d, lua_arg(call, 4), "seconds of the block", 1, 86400,
			&a.duration) ||
		!dd_int(d, lua_arg(call, 5), "least number of answers", 1,
			10000000, &least))
		return;
	if (lua_arg(call, 6))
		a.action = block_action(d, lua_arg(call, 6));
	else if (!a.action)
		a.action = "drop";
	if (!a.action)
		return;
	set_common(d, &a);
	set_once(d, key, json_integer(share));
	set_once(d, "min_answers", json_integer(least));
	dd_done(d, d->now, "block policy: %s %lld", key, share);
}

static bool is_limit_action(struct dd *d, const char *action)
{
	if (strcmp(action, "nxdomain") != 0 && strcmp(action, "log") != 0)
		return true;
	dd_missing(d, d->now,
		"over a limit queries are dropped, refused or truncated: "
		"`ispdns rule add --action rate-limit --over`");
	return false;
}

/* A limit on a type, in front of all other rules. */
static void block_types(struct dd *d, const struct lua *call)
{
	struct dd_entry *e = arena_alloc(&d->arena, sizeof(*e));
	struct dd_rate *rate = arena_alloc(&d->arena, sizeof(*rate));
	struct lua *type = arena_alloc(&d->arena, sizeof(*type));
	struct rule_args a;

	if (!e || !rate || !type) {
		d->im->failed = true;
		return;
	}
	if (!read_args(d, call, 1, &a) || !is_limit_action(d, a.action))
		return;
	*type = *call; /* QTypeRule(type): its first argument is the type */
	type->kind = LUA_CALL;
	type->object = arena_alloc(&d->arena, sizeof(*type->object));
	if (!type->object) {
		d->im->failed = true;
		return;
	}
	*type->object = (struct lua){
		.kind = LUA_NAME, .line = call->line, .text = "QTypeRule"};
	if (!dd_select(d, type, &e->sel) || !e->sel.first)
		return;
	rate->qps = a.rate;
	rate->burst =
		a.rate * a.seconds < 10000000 ? a.rate * a.seconds : 10000000;
	e->sel.first->rate = rate;
	e->st = d->now;
	e->line = call->line;
	e->ttl_s = -1;
	e->act = strcmp(a.action, "refuse") == 0 ? DD_ACT_REFUSE
		 : strcmp(a.action, "tc") == 0   ? DD_ACT_TC
						 : DD_ACT_DROP;
	e->next = d->chain;
	if (!d->chain)
		d->chain_end = &e->next;
	d->chain = e;
	dd_warn(d, call->line,
		"setQTypeRate: queries of this type are limited to %lld a "
		"second; the source is not blocked",
		a.rate);
}

static void block_exclude(struct dd *d, const struct lua *call)
{
	if (dd_masks(d, lua_arg(call, 0), &d->blocks.exempt, NULL))
		dd_done(d, d->now, "block policy: exempt");
}

static void block_masks(struct dd *d, const struct lua *call)
{
	long long v4, v6;

	if (!dd_int(d, lua_arg(call, 0), "setMasks: v4", 0, 32, &v4) ||
		!dd_int(d, lua_arg(call, 1), "setMasks: v6", 0, 128, &v6))
		return;
	if (v4 == 32 && (v6 == 64 || v6 == 128))
		dd_not_needed(d, d->now, "sources are counted so");
	else
		dd_missing(d, d->now,
			"blocks count the prefixes of the limit: `ispdns limit "
			"set --v4-prefix %lld --v6-prefix %lld`",
			v4, v6);
}

static void block_apply(struct dd *d, const struct lua *call)
{
	(void)call;
	d->blocks.applied = true;
	dd_not_needed(d, d->now, "blocks are looked at all the time");
}

static void block_nothing(struct dd *d, const struct lua *call)
{
	dd_not_needed(d, d->now, "%s", call->text);
}

static const struct method {
	const char *name;
	void (*run)(struct dd *d, const struct lua *call);
} methods[] = {
	{"setQueryRate", block_queries},
	{"setRCodeRate", block_rcodes},
	{"setRCodeRatio", block_ratio},
	{"setQTypeRate", block_types},
	{"excludeRange", block_exclude},
	{"setMasks", block_masks},
	{"apply", block_apply},
	{"setQuiet", block_nothing},
	{"toString", block_nothing},
};

static const struct {
	const char *name, *text;
} by_hand[] = {
	{"setResponseByteRate", "octets are not counted: `ispdns block policy "
				"set --qps`"},
	{"setCacheMissRatio", "`ispdns limit misses set --client-qps`"},
	{"setSuffixMatchRule", "no Lua is run: `ispdns limit misses set "
			       "--suffix-qps` is there against floods of "
			       "random names"},
	{"setSuffixMatchRuleFFI", "no Lua is run: `ispdns limit misses set "
				  "--suffix-qps` is there against floods of "
				  "random names"},
	{"setNewBlockInsertedHook", "no Lua is run"},
	{"excludeDomains", "blocks are of sources: `ispdns block policy set "
			   "--exempt` names those that never are"},
	{"includeRange", "`ispdns block policy set --exempt` names the "
			 "sources that are not watched"},
	{"removeRange", "leave it out of excludeRange"},
};

void dd_block_rule(struct dd *d, const struct lua *call)
{
	for (size_t i = 0; i < countof(methods); i++)
		if (strcmp(call->text, methods[i].name) == 0) {
			methods[i].run(d, call);
			return;
		}
	for (size_t i = 0; i < countof(by_hand); i++)
		if (strcmp(call->text, by_hand[i].name) == 0) {
			dd_missing(d, d->now, "%s", by_hand[i].text);
			return;
		}
	dd_error(d, d->now, call->line, "':%s': unknown statement", call->text);
}

void dd_blocks_action(struct dd *d, const struct lua *call)
{
	const char *action = block_action(d, lua_arg(call, 0));

	if (!action)
		return;
	d->blocks.action = action;
	if (d->blocks.set)
		json_object_set_new(
			d->blocks.set, "action", json_string(action));
	dd_done(d, d->now, "block policy: action %s", action);
}

/* ---- function maintenance() ---- */

/* addDynBlocks(exceedQRate(rate, seconds), reason, time [, action]) */
static bool old_block(struct dd *d, const struct lua *call)
{
	const struct lua *what = dd_value(d, lua_arg(call, 0));
	struct rule_args a = {.action = "drop"};

	if (!lua_is_call(call, "addDynBlocks") ||
		!lua_is_call(what, "exceedQRate") ||
		!dd_int(d, lua_arg(what, 0), "exceedQRate", 1, 10000000,
			&a.rate) ||
		!dd_int(d, lua_arg(what, 1), "seconds of the window", 1, 3600,
			&a.seconds) ||
		!dd_int(d, lua_arg(call, 2), "seconds of the block", 1, 86400,
			&a.duration))
		return false;
	if (d->blocks.action)
		a.action = d->blocks.action;
	set_common(d, &a);
	set_once(d, "qps", json_integer(a.rate));
	d->blocks.applied = true;
	return true;
}

static void inside_call(
	void *arg, unsigned line, const struct lua *call, bool tight)
{
	struct dd *d = arg;
	char name[256] = "";

	(void)line;
	(void)tight;
	if (call->kind == LUA_METHOD && strcmp(call->text, "apply") == 0 &&
		dd_var_of(d, call->object, DD_BLOCKS)) {
		d->blocks.applied = true;
		return;
	}
	if (call->kind == LUA_CALL && old_block(d, call))
		return;
	if (call->object)
		lua_path(call->object, name, sizeof(name));
	dd_missing(d, d->now, "no Lua is run: '%.60s' in it has no effect here",
		call->kind == LUA_METHOD ? call->text : name);
}

static void inside_other(struct dd *d)
{
	dd_missing(d, d->now,
		"no Lua is run: only group:apply() and "
		"addDynBlocks(exceedQRate("
		"...)) in it are understood");
}

static void inside_assign(void *arg, unsigned line, const char *name,
	const struct lua *value, bool tight)
{
	(void)line;
	(void)name;
	(void)value;
	(void)tight;
	inside_other(arg);
}

static void inside_block(void *arg, unsigned line, const char *word,
	const char *name, const char *body, unsigned body_line)
{
	(void)line;
	(void)word;
	(void)name;
	(void)body;
	(void)body_line;
	inside_other(arg);
}

static void inside_text(void *arg, unsigned line, const char *text)
{
	(void)arg;
	(void)line;
	(void)text;
}

static void inside_error(void *arg, unsigned line, const char *what)
{
	(void)line;
	(void)what;
	inside_other(arg);
}

void dd_maintenance(struct dd *d, const char *body, unsigned line)
{
	static const struct lua_events inside = {
		.assign = inside_assign,
		.call = inside_call,
		.block = inside_block,
		.comment = inside_text,
		.odd = inside_text,
		.error = inside_error,
	};

	if (lua_read(body, line, &d->arena, &inside, d) < 0)
		d->im->failed = true;
	dd_done(d, d->now, "automatic blocks are looked at all the time");
}

void dd_blocks_end(struct dd *d)
{
	json_t *exempt;

	if (!d->blocks.set)
		return;
	if (!d->blocks.applied)
		dd_warn(d, d->blocks.line,
			"no apply() in function maintenance(): these blocks "
			"never took effect; they are imported as meant");
	if (d->blocks.exempt.count == 0)
		return;
	dd_list_sort(&d->blocks.exempt);
	exempt = json_array();
	for (size_t i = 0; i < d->blocks.exempt.count; i++)
		json_array_append_new(
			exempt, json_string(d->blocks.exempt.v[i]));
	json_object_set_new(d->blocks.set, "exempt", exempt);
}
