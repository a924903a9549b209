/* SPDX-License-Identifier: ISC */
/*
 * dnsdist importer: selectors. Each becomes a list of alternatives, of which
 * each is what one rule of ours can match; NotRule is carried inwards.
 */
#include "mgmt/cli/import_dnsdist_select.h"

#include "common/dns/code.h"

#include <strings.h>

#define DEPTH_MAX 32
#define WORK_MAX  10000 /* selectors in one statement, variables resolved */

static bool sel_all(
	struct dd *d, const struct lua *call, bool not, struct dd_sel *out)
{
	(void)call;
	return not || dd_match_new(d, out);
}

/* ---- type, class, opcode, transport ---- */

static bool sel_type(
	struct dd *d, const struct lua *call, bool not, struct dd_sel *out)
{
	char text[64], canonical[DNS_CODE_TEXT];
	struct dd_list list = {NULL, 0, 0};
	uint16_t type;
	char *end;
	unsigned long n;

	dd_constant(d, lua_arg(call, 0), "DNSQType", text, sizeof(text));
	n = strtoul(text, &end, 10);
	if (text[0] && !*end && n > 0 && n <= UINT16_MAX) {
		type = (uint16_t)n;
	} else if (!dns_type_parse(text, &type)) {
		dd_error(d, d->now, call->line, "QTypeRule(%s): no such type",
			text);
		return false;
	}
	if (not )
		return dd_no_not(d, call);
	if (!dd_list_add(&d->arena, &list, dns_type_print(type, canonical))) {
		d->im->failed = true;
		return false;
	}
	return DD_MATCH_LIST(d, &list, out, qtype);
}

static bool sel_class(
	struct dd *d, const struct lua *call, bool not, struct dd_sel *out)
{
	static const struct {
		const char *theirs, *ours;
	} classes[] = {{"IN", "IN"}, {"1", "IN"}, {"CHAOS", "CH"}, {"CH", "CH"},
		{"3", "CH"}, {"NONE", "NONE"}, {"254", "NONE"}, {"ANY", "ANY"},
		{"255", "ANY"}, {"4", "HS"}};
	const char *class = NULL;
	struct dd_match *m;
	char text[64];

	dd_constant(d, lua_arg(call, 0), "DNSClass", text, sizeof(text));
	for (size_t i = 0; i < countof(classes) && !class; i++)
		if (strcasecmp(text, classes[i].theirs) == 0)
			class = classes[i].ours;
	if (!class) {
		dd_error(d, d->now, call->line, "QClassRule(%s): no such class",
			text);
		return false;
	}
	if (strcasecmp(text, "CH") == 0)
		dd_warn(d, call->line,
			"DNSClass.CH does not exist (DNSClass.CHAOS does): "
			"dnsdist refuses to start with it; it is read as "
			"CHAOS");
	if (not &&strcmp(class, "IN") != 0)
		return dd_no_not(d, call);
	m = dd_match_new(d, out);
	if (m)
		m->qclass = not ? "*" : class;
	return m;
}

static bool sel_opcode(
	struct dd *d, const struct lua *call, bool not, struct dd_sel *out)
{
	static const struct {
		const char *name, *number, *ours;
	} opcodes[] = {{"Query", "0", "QUERY"}, {"Status", "2", "STATUS"},
		{"Notify", "4", "NOTIFY"}, {"Update", "5", "UPDATE"}};
	struct dd_match *m;
	bool known = false, is;
	char text[64];

	dd_constant(d, lua_arg(call, 0), "DNSOpcode", text, sizeof(text));
	for (size_t i = 0; i < countof(opcodes); i++)
		known |= strcasecmp(text, opcodes[i].name) == 0 ||
			 strcmp(text, opcodes[i].number) == 0;
	if (!known) {
		dd_missing(d, d->now,
			"OpcodeRule(%s): other opcodes than QUERY, STATUS, "
			"NOTIFY and UPDATE are answered with NOTIMP",
			text);
		return false;
	}
	for (size_t i = 0; i < countof(opcodes); i++) {
		is = strcasecmp(text, opcodes[i].name) == 0 ||
		     strcmp(text, opcodes[i].number) == 0;
		if (is == not )
			continue;
		m = dd_match_new(d, out);
		if (!m)
			return false;
		m->opcode = opcodes[i].ours;
	}
	return true;
}

static bool sel_tcp(
	struct dd *d, const struct lua *call, bool not, struct dd_sel *out)
{
	const struct lua *arg = dd_value(d, lua_arg(call, 0));
	struct dd_match *m;

	if (!arg || arg->kind != LUA_BOOL) {
		dd_error(d, d->now, call->line,
			"TCPRule: true or false expected");
		return false;
	}
	m = dd_match_new(d, out);
	if (m)
		m->transport = (arg->number != 0) != not ? "tcp" : "udp";
	return m;
}

static bool sel_rd(
	struct dd *d, const struct lua *call, bool not, struct dd_sel *out)
{
	struct dd_match *m = dd_match_new(d, out);

	(void)call;
	if (m)
		m->rd = not ? "clear" : "set";
	return m;
}

static bool sel_dnssec(
	struct dd *d, const struct lua *call, bool not, struct dd_sel *out)
{
	struct dd_match *m = dd_match_new(d, out);

	(void)call;
	if (m)
		m->dnssec = not ? "clear" : "set";
	return m;
}

/* ---- sources ---- */

bool dd_match_masks(struct dd *d, struct dd_list *masks,
	struct dd_list *without, bool not, struct dd_sel *out)
{
	struct dd_list rest = {NULL, 0, 0}, both = {NULL, 0, 0};
	struct dd_list *list = masks;
	bool inside = false;
	int rc = 0;

	dd_list_sort(masks);
	if (without->count > 0)
		rc = dd_prefixes_inside(&d->arena, masks, without, &inside);
	if (inside) {
		dd_missing(d, d->now,
			"a mask inside of one with '!': make the sources of "
			"the rule with `ispdns rule add --source`");
		return false;
	}
	if (rc == 0 && without->count > 0) {
		rc = dd_prefixes_not(&d->arena, without, &rest);
		if (rc == 0)
			rc = dd_prefixes_and(&d->arena, masks, &rest, &both);
		list = &both;
		rest = (struct dd_list){NULL, 0, 0};
	}
	if (rc == 0 && not ) {
		rc = dd_prefixes_not(&d->arena, list, &rest);
		list = &rest;
	}
	if (rc < 0) {
		dd_missing(d, d->now, "too many masks for one rule");
		return false;
	}
	return DD_MATCH_LIST(d, list, out, source);
}

static bool sel_mask(
	struct dd *d, const struct lua *call, bool not, struct dd_sel *out)
{
	const struct lua *arg = lua_arg(call, 0);
	const struct lua *source = dd_value(d, lua_arg(call, 1));
	struct dd_var *var = dd_var_of(d, arg, DD_MASKS);
	struct dd_list masks = {NULL, 0, 0}, without = {NULL, 0, 0};

	if (source && source->kind == LUA_BOOL && source->number == 0) {
		dd_missing(d, d->now,
			"NetmaskGroupRule on the destination: frontends do not "
			"look at it");
		return false;
	}
	if (var) {
		var->used = call->line;
		masks = var->list;
		without = var->without;
	} else if (!arg) {
		dd_error(d, d->now, call->line,
			"NetmaskGroupRule: masks expected");
		return false;
	} else if (!dd_masks(d, arg, &masks, &without)) {
		return false;
	}
	return dd_match_masks(d, &masks, &without, not, out);
}

/* ---- limits ---- */

static bool sel_rate(struct dd *d, const struct lua *call, bool not,
	bool shared, struct dd_sel *out)
{
	struct dd_rate *rate = arena_alloc(&d->arena, sizeof(*rate));
	unsigned burst = shared ? 1 : 3;
	struct dd_match *m;

	if (not )
		return dd_no_not(d, call);
	if (!rate) {
		d->im->failed = true;
		return false;
	}
	rate->v4 = 32;
	rate->v6 = 64;
	rate->shared = shared;
	if (!dd_int(d, lua_arg(call, 0), call->object->text, 1, 10000000,
		    &rate->qps) ||
		(!shared && lua_arg(call, 1) &&
			!dd_int(d, lua_arg(call, 1), "MaxQPSIPRule: v4Mask", 8,
				32, &rate->v4)) ||
		(!shared && lua_arg(call, 2) &&
			!dd_int(d, lua_arg(call, 2), "MaxQPSIPRule: v6Mask", 16,
				128, &rate->v6)))
		return false;
	rate->burst = rate->qps;
	if (lua_arg(call, burst) && !dd_int(d, lua_arg(call, burst), "burst", 1,
					    10000000, &rate->burst))
		return false;
	m = dd_match_new(d, out);
	if (m)
		m->rate = rate;
	return m;
}

static bool sel_qps_ip(
	struct dd *d, const struct lua *call, bool not, struct dd_sel *out)
{
	return sel_rate(d, call, not, false, out);
}

static bool sel_qps(
	struct dd *d, const struct lua *call, bool not, struct dd_sel *out)
{
	return sel_rate(d, call, not, true, out);
}

/* ---- tags: what the rules that set them match ---- */

static bool has_rate(const struct dd_sel *sel)
{
	for (const struct dd_match *m = sel->first; m; m = m->next)
		if (m->rate)
			return true;
	return false;
}

static bool sel_tag(
	struct dd *d, const struct lua *call, bool not, struct dd_sel *out)
{
	const char *tag = lua_string(dd_value(d, lua_arg(call, 0)));
	const char *value = lua_string(dd_value(d, lua_arg(call, 1)));
	const struct dd_entry *e;
	bool unclear = not || !tag;

	for (e = d->chain; e && tag; e = e->next) {
		if (e->act != DD_ACT_TAG || strcmp(e->tag, tag) != 0)
			continue;
		unclear |= has_rate(&e->sel) ||
			   (value && strcmp(e->tag_value, value) != 0);
		if (!unclear && !dd_sel_or(d, out, &e->sel))
			return false;
	}
	if (unclear)
		dd_missing(d, d->now,
			"TagRule: which queries have this tag is not plain: "
			"repeat what the rule that sets it matches");
	return !unclear;
}

/* ---- combinations ---- */

static bool select_one(struct dd *d, const struct lua *node, bool not,
	unsigned depth, struct dd_sel *out);

static bool sel_list(struct dd *d, const struct lua *call, bool not, bool all,
	unsigned depth, struct dd_sel *out)
{
	const struct lua *item = dd_value(d, lua_arg(call, 0));
	struct dd_sel one, both;

	item = item && item->kind == LUA_TABLE ? item->args : item;
	if (all && !dd_match_new(d, out))
		return false;
	for (; item; item = item->next) {
		memset(&one, 0, sizeof(one));
		memset(&both, 0, sizeof(both));
		if (!select_one(d, item, not, depth + 1, &one))
			return false;
		if (!all) {
			if (!dd_sel_or(d, out, &one))
				return false;
			continue;
		}
		if (!dd_sel_and(d, out, &one, &both))
			return false;
		*out = both;
	}
	return true;
}

static const struct selector {
	const char *name;
	select_fn read;
} selectors[] = {
	{"AllRule", sel_all},
	{"QTypeRule", sel_type},
	{"QClassRule", sel_class},
	{"OpcodeRule", sel_opcode},
	{"TCPRule", sel_tcp},
	{"RDRule", sel_rd},
	{"DNSSECRule", sel_dnssec},
	{"NetmaskGroupRule", sel_mask},
	{"SuffixMatchNodeRule", dd_sel_suffix},
	{"QNameSuffixRule", dd_sel_suffix},
	{"QNameRule", dd_sel_exact},
	{"QNameSetRule", dd_sel_exact},
	{"RegexRule", dd_sel_regex},
	{"RE2Rule", dd_sel_regex},
	{"makeRule", dd_sel_make},
	{"MaxQPSIPRule", sel_qps_ip},
	{"MaxQPSRule", sel_qps},
	{"TagRule", sel_tag},
};

/* Selectors that look at what rules of ours do not look at. */
static const struct unknown {
	const char *name, *by_hand;
} unknowns[] = {
	{"DSTPortRule", "the port asked is no matcher"},
	{"EDNSOptionRule", "options are no matcher: cookies, keepalive and "
			   "padding are answered by the frontend itself"},
	{"EDNSVersionRule", "not needed as a rule: other versions than 0 get "
			    "BADVERS by themselves"},
	{"ERCodeRule", "answers are not looked at"},
	{"HTTPHeaderRule", "no DNS over HTTPS here"},
	{"HTTPPathRegexRule", "no DNS over HTTPS here"},
	{"HTTPPathRule", "no DNS over HTTPS here"},
	{"IncomingProtocolRule", "`ispdns rule add --transport udp` or tcp"},
	{"KeyValueStoreLookupRule", "no look-ups in files: name the suffixes"},
	{"KeyValueStoreRangeLookupRule",
		"no look-ups in files: name the sources"},
	{"LuaRule", "no Lua is run: `ispdns rule add` with plain matchers"},
	{"LuaFFIRule", "no Lua is run: `ispdns rule add` with plain matchers"},
	{"LuaFFIPerThreadRule",
		"no Lua is run: `ispdns rule add` with plain matchers"},
	{"PayloadSizeRule", "not needed as a rule: sizes are checked"},
	{"PoolAvailableRule", "give the backends in reserve a higher order"},
	{"PoolOutstandingRule", "give the backends in reserve a higher order"},
	{"ProbaRule", "chance is no matcher"},
	{"ProxyProtocolValueRule", "no PROXY protocol here"},
	{"QNameLabelsCountRule",
		"against floods of random names: `ispdns limit misses set "
		"--suffix-qps`"},
	{"QNameWireLengthRule",
		"against floods of random names: `ispdns limit misses set "
		"--suffix-qps`"},
	{"RCodeRule", "answers are not looked at"},
	{"RecordsCountRule", "not needed as a rule: messages are parsed whole "
			     "and others get FORMERR"},
	{"RecordsTypeCountRule", "not needed as a rule: messages are parsed "
				 "whole and others get FORMERR"},
	{"SNIRule", "no DNS over TLS here"},
	{"TimedIPSetRule", "`ispdns block policy set` blocks for a while"},
	{"TrailingDataRule", "not needed as a rule: messages are parsed whole"},
};

static bool unknown_selector(struct dd *d, const struct lua *node)
{
	char name[128] = "?";

	if (node->object)
		lua_path(node->object, name, sizeof(name));
	for (size_t i = 0; i < countof(unknowns); i++)
		if (strcmp(name, unknowns[i].name) == 0) {
			dd_missing(
				d, d->now, "%s: %s", name, unknowns[i].by_hand);
			return false;
		}
	dd_error(d, d->now, node->line, "'%s': unknown rule",
		node->kind == LUA_NAME ? node->text : name);
	return false;
}

static bool select_one(struct dd *d, const struct lua *node, bool not,
	unsigned depth, struct dd_sel *out)
{
	node = dd_value(d, node);
	if (!node || depth > DEPTH_MAX || d->work++ > WORK_MAX) {
		dd_error(d, d->now, d->now->line,
			node ? "a rule nested too deep" : "a rule expected");
		return false;
	}
	if (lua_is_call(node, "NotRule"))
		return select_one(d, lua_arg(node, 0), !not, depth + 1, out);
	if (lua_is_call(node, "AndRule"))
		return sel_list(d, node, not, !not, depth, out);
	if (lua_is_call(node, "OrRule"))
		return sel_list(d, node, not, not, depth, out);
	for (size_t i = 0; i < countof(selectors); i++)
		if (lua_is_call(node, selectors[i].name))
			return selectors[i].read(d, node, not, out);
	if (node->kind == LUA_STRING || node->kind == LUA_TABLE ||
		lua_is_call(node, "newDNSName"))
		return dd_sel_made(d, node, not, out);
	return unknown_selector(d, node);
}

bool dd_select(struct dd *d, const struct lua *node, struct dd_sel *out)
{
	memset(out, 0, sizeof(*out));
	d->work = 0;
	return select_one(d, node, false, 0, out);
}

bool dd_select_or_not(struct dd *d, const struct lua *node, struct dd_sel *out,
	bool *inverted)
{
	*inverted = false;
	if (dd_select(d, node, out))
		return true;
	node = dd_value(d, node);
	if (!lua_is_call(node, "NotRule") || d->now->outcome != DD_MISSING)
		return false;
	d->now->outcome = DD_OPEN;
	*inverted = true;
	return dd_select(d, lua_arg(node, 0), out);
}
