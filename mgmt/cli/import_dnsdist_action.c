/* SPDX-License-Identifier: ISC */
/* dnsdist importer: addAction(rule, action) -> an entry of the chain. */
#include "mgmt/cli/import_dnsdist.h"

#include "common/net/addr.h"

#include <strings.h>

/* Fills the entry; false: it is none (said). */
typedef bool (*action_fn)(
	struct dd *d, const struct lua *action, struct dd_entry *e);

static bool act_drop(struct dd *d, const struct lua *action, struct dd_entry *e)
{
	(void)d;
	(void)action;
	e->act = DD_ACT_DROP;
	return true;
}

static bool act_tc(struct dd *d, const struct lua *action, struct dd_entry *e)
{
	(void)d;
	(void)action;
	e->act = DD_ACT_TC;
	return true;
}

static bool act_allow(
	struct dd *d, const struct lua *action, struct dd_entry *e)
{
	(void)d;
	(void)action;
	e->act = DD_ACT_ALLOW;
	return true;
}

static bool act_rcode(
	struct dd *d, const struct lua *action, struct dd_entry *e)
{
	static const struct {
		const char *name, *number;
		enum dd_act act;
	} codes[] = {{"REFUSED", "5", DD_ACT_REFUSE},
		{"NXDOMAIN", "3", DD_ACT_NXDOMAIN},
		{"SERVFAIL", "2", DD_ACT_SERVFAIL},
		{"NOTIMP", "4", DD_ACT_NOTIMP}};
	char code[64];

	dd_constant(d, lua_arg(action, 0), "DNSRCode", code, sizeof(code));
	for (size_t i = 0; i < countof(codes); i++)
		if (strcasecmp(code, codes[i].name) == 0 ||
			strcmp(code, codes[i].number) == 0) {
			e->act = codes[i].act;
			return true;
		}
	if (!code[0])
		dd_error(d, d->now, action->line,
			"RCodeAction: DNSRCode.REFUSED or the like expected");
	else
		dd_missing(d, d->now,
			"RCodeAction(%s): rules answer REFUSED, NXDOMAIN, "
			"SERVFAIL and NOTIMP: choose one (`ispdns rule add "
			"--action refuse`)",
			code);
	return false;
}

/* NegativeAndSOAAction(nxd, zone, ttl, ...) */
static bool act_negative(
	struct dd *d, const struct lua *action, struct dd_entry *e)
{
	const struct lua *nxd = dd_value(d, lua_arg(action, 0));

	if (!nxd || nxd->kind != LUA_BOOL || nxd->number == 0) {
		dd_missing(d, d->now,
			"NegativeAndSOAAction: rules answer NXDOMAIN, no empty "
			"NOERROR: `ispdns rule add --action nxdomain`");
		return false;
	}
	dd_warn(d, action->line,
		"NegativeAndSOAAction: NXDOMAIN goes out without the SOA");
	e->act = DD_ACT_NXDOMAIN;
	return true;
}

static bool act_pool(struct dd *d, const struct lua *action, struct dd_entry *e)
{
	const char *pool = lua_string(dd_value(d, lua_arg(action, 0)));
	const struct lua *stop = dd_value(d, lua_arg(action, 1));

	if (!pool) {
		dd_error(d, d->now, action->line,
			"PoolAction: pool in quotes expected");
		return false;
	}
	e->act = stop && stop->kind == LUA_BOOL && stop->number == 0
			 ? DD_ACT_SET_POOL
			 : DD_ACT_POOL;
	e->pool = *pool ? pool : "default";
	return true;
}

static bool add_address(
	struct dd *d, const struct lua *value, struct dd_list *list)
{
	const char *text = lua_string(dd_value(d, value));
	char ip[ADDR_TEXT];
	union addr addr;

	if (!text || addr_parse(text, 0, &addr) < 0 || addr_port(&addr) != 0) {
		dd_error(d, d->now, d->now->line,
			"SpoofAction: '%s' is no address", text ? text : "?");
		return false;
	}
	if (!dd_list_add(&d->arena, list, addr_print_ip(&addr, ip)))
		d->im->failed = true;
	return true;
}

static bool spoof_options(
	struct dd *d, const struct lua *table, struct dd_entry *e)
{
	const struct lua *item;

	for (item = table->args; item; item = item->next) {
		if (item->key && strcmp(item->key, "ttl") == 0) {
			if (!dd_int(d, item, "SpoofAction: ttl", 0, 604800,
				    &e->ttl_s))
				return false;
		} else {
			dd_note(d, item->line,
				"SpoofAction: %s: not needed, flags are those "
				"of a resolver",
				item->key ? item->key : "?");
		}
	}
	return true;
}

/* SpoofAction(ip|{ips} [, options]), or with two addresses as once. */
static bool act_spoof(
	struct dd *d, const struct lua *action, struct dd_entry *e)
{
	const struct lua *what = dd_value(d, lua_arg(action, 0));
	const struct lua *more = dd_value(d, lua_arg(action, 1));
	struct dd_list *list = arena_alloc(&d->arena, sizeof(*list));
	bool ok = true;

	if (!list || !what) {
		d->im->failed |= !list;
		dd_error(d, d->now, action->line,
			"SpoofAction: an address expected");
		return false;
	}
	if (what->kind == LUA_TABLE) {
		for (what = what->args; what; what = what->next)
			ok &= add_address(d, what, list);
	} else {
		ok = add_address(d, what, list);
	}
	if (lua_string(more))
		ok &= add_address(d, more, list);
	else if (more && more->kind == LUA_TABLE)
		ok &= spoof_options(d, more, e);
	dd_list_sort(list);
	e->act = DD_ACT_SPOOF;
	e->addresses = list;
	if (ok && list->count == 0)
		dd_error(d, d->now, action->line,
			"SpoofAction: an address expected");
	return ok && list->count > 0;
}

static bool act_no_recurse(
	struct dd *d, const struct lua *action, struct dd_entry *e)
{
	(void)d;
	(void)action;
	e->act = DD_ACT_NO_RECURSE;
	return true;
}

static bool act_tag(struct dd *d, const struct lua *action, struct dd_entry *e)
{
	const char *value = lua_string(dd_value(d, lua_arg(action, 1)));

	e->act = DD_ACT_TAG;
	e->tag = lua_string(dd_value(d, lua_arg(action, 0)));
	e->tag_value = value ? value : "";
	if (e->tag && dd_is_ident(e->tag))
		return true;
	dd_error(d, d->now, action->line,
		"%s: a tag of at most 63 letters, digits, '_', '.' and '-' "
		"expected",
		action->object->text);
	return false;
}

static bool act_qps(struct dd *d, const struct lua *action, struct dd_entry *e)
{
	struct dd_rate *rate = arena_alloc(&d->arena, sizeof(*rate));

	if (!rate) {
		d->im->failed = true;
		return false;
	}
	rate->shared = true;
	e->act = DD_ACT_RATE;
	e->rate = rate;
	if (!dd_int(d, lua_arg(action, 0), "QPSAction", 1, 10000000,
		    &rate->qps))
		return false;
	rate->burst = rate->qps;
	return true;
}

static bool act_log(struct dd *d, const struct lua *action, struct dd_entry *e)
{
	(void)e;
	dd_warn(d, action->line,
		"LogAction: no query log is written; counters and `ispdns "
		"status` are there instead");
	dd_not_needed(d, d->now,
		"counters, `ispdns-frontend show top` and examples of dropped "
		"queries in the log are there instead");
	return false;
}

static bool act_delay(
	struct dd *d, const struct lua *action, struct dd_entry *e)
{
	(void)action;
	(void)e;
	dd_not_needed(d, d->now,
		"DelayAction: answers are not delayed; `ispdns limit set` and "
		"rules with action rate-limit say what happens over a rate");
	return false;
}

static bool act_none(struct dd *d, const struct lua *action, struct dd_entry *e)
{
	(void)e;
	dd_not_needed(d, d->now, "%s", action->object->text);
	return false;
}

static const struct action {
	const char *name;
	action_fn read;
} actions[] = {
	{"DropAction", act_drop},
	{"TCAction", act_tc},
	{"AllowAction", act_allow},
	{"RCodeAction", act_rcode},
	{"ERCodeAction", act_rcode},
	{"NegativeAndSOAAction", act_negative},
	{"SetNegativeAndSOAAction", act_negative},
	{"PoolAction", act_pool},
	{"SpoofAction", act_spoof},
	{"TagAction", act_tag},
	{"SetTagAction", act_tag},
	{"NoRecurseAction", act_no_recurse},
	{"SetNoRecurseAction", act_no_recurse},
	{"QPSAction", act_qps},
	{"LogAction", act_log},
	{"DelayAction", act_delay},
	{"NoneAction", act_none},
	{"DisableECSAction", act_none},
	{"SetDisableECSAction", act_none},
};

/* Actions without an equivalent, and what to do instead. */
static const struct by_hand {
	const char *name, *text;
} by_hand[] = {
	{"ContinueAction", "write the action alone, if it is one that goes on"},
	{"DisableValidationAction", "validation is the resolvers' (`ispdns "
				    "resolver set --dnssec`)"},
	{"DnstapLogAction", "no query log is written"},
	{"ECSOverrideAction", "by pool: `ispdns pool set --ecs`"},
	{"ECSPrefixLengthAction", "by pool: `ispdns pool set --ecs`"},
	{"HTTPStatusAction", "no DNS over HTTPS here"},
	{"KeyValueStoreLookupAction",
		"no look-ups in files: name the suffixes"},
	{"LuaAction", "no Lua is run: rules with plain matchers and actions"},
	{"LuaFFIAction",
		"no Lua is run: rules with plain matchers and actions"},
	{"LuaFFIPerThreadAction",
		"no Lua is run: rules with plain matchers and actions"},
	{"MacAddrAction", "the client's MAC address is not passed on"},
	{"QPSPoolAction", "a pool for what is within a limit: give the other "
			  "pool to all (`ispdns route add`), and a rule with "
			  "action rate-limit in front"},
	{"RemoteLogAction", "no query log is written"},
	{"SNMPTrapAction", "alarms go by the metrics and `ispdns status`"},
	{"SetAdditionalProxyProtocolValueAction", "no PROXY protocol here"},
	{"SetDisableValidationAction", "validation is the resolvers' (`ispdns "
				       "resolver set --dnssec`)"},
	{"SetECSAction", "by pool: `ispdns pool set --ecs`"},
	{"SetECSOverrideAction", "by pool: `ispdns pool set --ecs`"},
	{"SetECSPrefixLengthAction", "by pool: `ispdns pool set --ecs`"},
	{"SetEDNSOptionAction", "no option of ours is added towards backends"},
	{"SetExtendedDNSErrorAction", "extended errors are set by themselves"},
	{"SetMacAddrAction", "the client's MAC address is not passed on"},
	{"SetMaxReturnedTTLAction", "`ispdns cache set --max-ttl`"},
	{"SetProxyProtocolValuesAction", "no PROXY protocol here"},
	{"SetSkipCacheAction", "a pool of its own without a cache (`ispdns "
			       "pool create --no-cache`) and a rule to it"},
	{"SetTempFailureCacheTTLAction", "`ispdns cache set --failure-ttl` "
					 "is for all"},
	{"SkipCacheAction", "a pool of its own without a cache (`ispdns pool "
			    "create --no-cache`) and a rule to it"},
	{"SpoofCNAMEAction", "rules spoof addresses: name them with "
			     "SpoofAction, or make a zone of ours"},
	{"SpoofPacketAction", "rules spoof addresses; for other records make a "
			      "zone of ours (`ispdns zone create`)"},
	{"SpoofRawAction", "rules spoof addresses; for other records make a "
			   "zone of ours (`ispdns zone create`)"},
	{"SpoofSVCAction", "rules spoof addresses; for other records make a "
			   "zone of ours (`ispdns zone create`)"},
	{"SpoofSVCBAction", "rules spoof addresses; for other records make a "
			    "zone of ours (`ispdns zone create`)"},
	{"TeeAction", "queries are not copied to another server"},
	{"TempFailureCacheTTLAction", "`ispdns cache set --failure-ttl` is "
				      "for all"},
};

static bool read_action(
	struct dd *d, const struct lua *action, struct dd_entry *e)
{
	char name[128] = "?";

	action = dd_value(d, action);
	for (size_t i = 0; i < countof(actions); i++)
		if (lua_is_call(action, actions[i].name))
			return actions[i].read(d, action, e);
	if (action && action->object)
		lua_path(action->object, name, sizeof(name));
	for (size_t i = 0; i < countof(by_hand); i++)
		if (strcmp(name, by_hand[i].name) == 0) {
			dd_missing(d, d->now, "%s: %s", name, by_hand[i].text);
			return false;
		}
	dd_error(d, d->now, action ? action->line : d->now->line,
		"'%s': unknown action",
		action && action->kind == LUA_NAME ? action->text : name);
	return false;
}

/* {name="x"}; others are not needed. */
static void read_options(
	struct dd *d, const struct lua *table, struct dd_entry *e)
{
	const char *name = lua_string(dd_value(d, lua_field(table, "name")));

	if (!name)
		return;
	if (dd_is_ident(name))
		e->name = name;
	else
		dd_warn(d, table->line,
			"'%s' is no name for a rule here: it gets another",
			name);
}

/* Only plain limits have an equivalent, with what is done over them. */
static bool check_rates(struct dd *d, const struct dd_entry *e)
{
	const struct dd_match *m;
	bool verdict = e->act == DD_ACT_DROP || e->act == DD_ACT_REFUSE ||
		       e->act == DD_ACT_TC;

	for (m = e->sel.first; m; m = m->next) {
		if (!m->rate)
			continue;
		if (!verdict || e->sel.count > 1) {
			dd_missing(d, d->now,
				"over a limit queries are dropped, refused or "
				"truncated, and a rule has one limit: `ispdns "
				"rule add --action rate-limit --over`");
			return false;
		}
		if (m->rate_early)
			dd_warn(d, d->now->line,
				"dnsdist counts all queries that come to this "
				"limit; here it counts those that the rest of "
				"the rule matches");
	}
	return true;
}

/* Other opcodes than QUERY, and transfers, reach no backend. */
static bool check_reach(struct dd *d, const struct dd_entry *e)
{
	const struct dd_match *m;
	bool asks = e->act == DD_ACT_POOL || e->act == DD_ACT_SET_POOL ||
		    e->act == DD_ACT_ALLOW;

	if (dd_is_relay(e))
		return true;
	for (m = e->sel.first; m; m = m->next) {
		if (asks && dd_has_transfers(m)) {
			dd_missing(d, d->now,
				"transfers go where a route allows it: `ispdns "
				"route set --allow-transfer`");
			return false;
		}
		if (m->opcode && strcmp(m->opcode, "QUERY") != 0 &&
			e->act != DD_ACT_DROP && e->act != DD_ACT_REFUSE &&
			e->act != DD_ACT_TAG && e->act != DD_ACT_RATE) {
			dd_missing(d, d->now,
				"opcode %s: frontends hand NOTIFY and UPDATE "
				"on where "
				"a route allows it (allow_notify, "
				"allow_update)",
				m->opcode);
			return false;
		}
	}
	return true;
}

void dd_action(struct dd *d, const struct lua *call)
{
	struct dd_entry *e = arena_alloc(&d->arena, sizeof(*e));
	const struct lua *what = lua_arg(call, 0), *action = lua_arg(call, 1);

	if (!e) {
		d->im->failed = true;
		return;
	}
	e->st = d->now;
	e->line = call->line;
	e->ttl_s = -1;
	if (!what || !action) {
		dd_error(d, d->now, call->line,
			"addAction(rule, action) expected");
		return;
	}
	if (!dd_select_or_not(d, what, &e->sel, &e->inverted) ||
		!read_action(d, action, e))
		return;
	read_options(d, dd_value(d, lua_arg(call, 2)), e);
	if (!check_rates(d, e) || !check_reach(d, e))
		return;
	*d->chain_end = e;
	d->chain_end = &e->next;
}
