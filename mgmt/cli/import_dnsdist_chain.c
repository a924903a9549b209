/* SPDX-License-Identifier: ISC */
/*
 * dnsdist importer: the rules of the file, in order, of which the first that
 * ends decides. Here every query first passes the limit per client, then the
 * rules, then the policy on classes, transfers and ANY, then the routes. So
 * a file that has these in this order becomes just that; of any other file
 * what stands elsewhere becomes a rule in its place.
 */
#include "mgmt/cli/import_dnsdist_chain.h"

#include "common/dns/name.h"

enum place {
	PLACE_LIMIT,
	PLACE_POLICY,
	PLACE_ROUTE,
	PLACE_RULE,
};

/* Whatever comes, the next one is looked at. */
static bool goes_on(const struct dd_entry *e)
{
	return e->act == DD_ACT_TAG || e->act == DD_ACT_SET_POOL ||
	       e->act == DD_ACT_NO_RECURSE;
}

static bool takes_all(const struct dd_entry *e)
{
	const struct dd_match *m = e->sel.first;

	if (goes_on(e) || e->act == DD_ACT_RATE || e->act == DD_ACT_SPOOF ||
		e->act == DD_ACT_TC)
		return false;
	for (; m; m = m->next)
		if (dd_match_is_all(m) && !m->rate)
			return true;
	return false;
}

static bool has_only(const struct dd_list *list, const char *text)
{
	return list && list->count == 1 && strcmp(list->v[0], text) == 0;
}

bool chain_is_route(const struct dd_entry *e)
{
	struct dd_match rest;

	if (e->act != DD_ACT_POOL || e->sel.count != 1 || !e->sel.first->suffix)
		return false;
	rest = *e->sel.first;
	rest.suffix = NULL;
	return dd_match_is_all(&rest);
}

static bool is_limit(const struct dd_entry *e)
{
	const struct dd_match *m = e->sel.first;

	return e->sel.count == 1 && dd_match_is_all(m) && m->rate &&
	       !m->rate->shared;
}

const char *chain_policy_key(const struct dd_entry *e)
{
	const struct dd_match *m = e->sel.first;
	bool verdict = e->act == DD_ACT_DROP || e->act == DD_ACT_REFUSE;
	struct dd_match rest;

	if (e->sel.count != 1 || m->rate)
		return NULL;
	rest = *m;
	rest.qtype = NULL;
	rest.qclass = NULL;
	if (!dd_match_is_all(&rest))
		return NULL;
	if (has_only(m->qtype, "ANY") && !m->qclass)
		return verdict || e->act == DD_ACT_TC ? "any" : NULL;
	if (!verdict)
		return NULL;
	if (m->qclass && (!m->qtype || has_only(m->qtype, "TXT")))
		return strcmp(m->qclass, "CH") == 0 ||
				       strcmp(m->qclass, "*") == 0
			       ? "chaos"
			       : NULL;
	for (size_t i = 0; m->qtype && i < m->qtype->count; i++)
		if (strcmp(m->qtype->v[i], "AXFR") != 0 &&
			strcmp(m->qtype->v[i], "IXFR") != 0)
			return NULL;
	return m->qtype && !m->qclass ? "transfer" : NULL;
}

static enum place place_of(const struct dd_entry *e)
{
	if (is_limit(e))
		return PLACE_LIMIT;
	if (chain_policy_key(e))
		return PLACE_POLICY;
	return chain_is_route(e) ? PLACE_ROUTE : PLACE_RULE;
}

/* ---- what takes every query ---- */

static void drop_empty(struct dd *d)
{
	for (struct dd_entry *e = d->chain; e; e = e->next) {
		if (e->sel.count > 0)
			continue;
		dd_not_needed(d, e->st, "it matches no query");
		e->taken = true;
	}
}

static void catch_pool(struct dd *d, struct dd_entry *e)
{
	e->taken = true;
	if (d->catch_all) {
		dd_not_needed(d, e->st,
			"never reached: line %u takes every query",
			d->catch_all->line);
		return;
	}
	d->catch_all = e;
	json_array_append_new(d->routes,
		json_pack("{s:s,s:s}", "suffix", ".", "pool", e->pool));
	dd_done(d, e->st, "all other names go to pool %s", e->pool);
}

/* What stands behind a rule that takes every query: meant in front of the
 * default route, never reached behind another. */
static void find_ends(struct dd *d, struct chain *c)
{
	for (struct dd_entry *e = d->chain; e; e = e->next) {
		if (e->taken)
			continue;
		if (c->end) {
			if (e->act == DD_ACT_POOL && takes_all(e))
				catch_pool(d, e);
			dd_not_needed(d, e->st,
				"never reached: line %u takes every query",
				c->end->line);
			e->taken = true;
		} else if (takes_all(e) && e->act == DD_ACT_POOL) {
			catch_pool(d, e);
		} else if (d->catch_all && takes_all(e)) {
			e->taken = true;
			dd_not_needed(d, e->st,
				"never reached: line %u takes every query",
				d->catch_all->line);
		} else if (d->catch_all) {
			dd_warn(d, e->line,
				"dnsdist never comes here: AllRule() in line "
				"%u takes every query; it is applied instead",
				d->catch_all->line);
		} else if (takes_all(e)) {
			c->end = e;
		}
	}
}

/* ---- the limit ---- */

static void limit_lower(struct dd *d, struct chain *c, struct dd_entry *e)
{
	const struct dd_rate *rate = e->sel.first->rate;
	long long qps = c->limit->sel.first->rate->qps;

	dd_warn(d, e->line,
		"a second limit per address: the lower one, %lld/s, decides",
		qps < rate->qps ? qps : rate->qps);
	if (rate->qps < qps) {
		c->limit->st->outcome = DD_OPEN;
		dd_not_needed(
			d, c->limit->st, "line %u has a lower limit", e->line);
		chain_limit(d, c, e);
		return;
	}
	e->taken = true;
	dd_not_needed(d, e->st, "line %u has a lower limit", c->limit->line);
}

static bool same_limit(const struct dd_entry *a, const struct dd_entry *b)
{
	const struct dd_rate *x = a->sel.first->rate, *y = b->sel.first->rate;

	return a->act == b->act && x->v4 == y->v4 && x->v6 == y->v6;
}

/* The first plain limit is that of all clients, unless some queries were let
 * through before they came to it. */
static void place_limits(struct dd *d, struct chain *c)
{
	bool passed = false;

	for (struct dd_entry *e = d->chain; e; e = e->next) {
		if (e->taken)
			continue;
		if (is_limit(e) && !passed) {
			if (!c->limit)
				chain_limit(d, c, e);
			else if (same_limit(c->limit, e))
				limit_lower(d, c, e);
			else
				c->plain = false;
		}
		passed |= e->act == DD_ACT_POOL || e->act == DD_ACT_ALLOW;
		if (!c->limit && !goes_on(e))
			c->before_limit = e->line;
	}
}

/* ---- is the file in our order? ---- */

static void look_at_order(struct dd *d, struct chain *c)
{
	bool routes = false;

	c->plain = c->plain && !c->end;
	for (const struct dd_entry *e = d->chain; e; e = e->next) {
		enum place place = place_of(e);

		if (e->taken || e->policy)
			continue;
		d->sets |= e->act == DD_ACT_SET_POOL;
		routes |= place == PLACE_ROUTE;
		if (place == PLACE_RULE || place == PLACE_LIMIT ||
			(routes && place != PLACE_ROUTE))
			c->plain = false;
	}
	/* routes at the end are routes in any case */
	for (struct dd_entry *e = d->chain; e; e = e->next)
		if (!e->taken && !e->policy &&
			(place_of(e) != PLACE_ROUTE || c->end))
			c->last_rule = e;
}

static void place_policy(struct dd *d, struct dd_entry *e)
{
	static const char *const verbs[] = {
		[DD_ACT_DROP] = "drop",
		[DD_ACT_REFUSE] = "refuse",
		[DD_ACT_TC] = "tc",
	};
	const char *key = chain_policy_key(e);

	e->taken = true;
	json_object_set_new(d->policy_set, key, json_string(verbs[e->act]));
	if (strcmp(key, "chaos") == 0)
		dd_done(d, e->st, "policy %s %s: of every class but IN", key,
			verbs[e->act]);
	else if (strcmp(key, "transfer") == 0)
		dd_done(d, e->st, "policy %s %s: of AXFR and IXFR", key,
			verbs[e->act]);
	else
		dd_done(d, e->st, "policy %s %s", key, verbs[e->act]);
}

/* ---- routes ---- */

/* The route that takes `suffix` already: of itself or of a name above. */
static const char *taken_by(const struct chain *c, const char *suffix)
{
	char text[NAME_MAX_TEXT];
	const char *pool = NULL;
	const uint8_t *at;
	struct name name;

	if (name_parse(suffix, &name) < 0)
		return NULL;
	for (at = name.wire; !pool; at = name_parent(at)) {
		pool = json_string_value(json_object_get(
			c->suffixes, name_wire_print(at, text)));
		if (*at == 0)
			break;
	}
	return pool;
}

static void place_route(struct dd *d, struct chain *c, struct dd_entry *e)
{
	const struct dd_list *suffix = e->sel.first->suffix;
	const char *pool;
	size_t made = 0;

	e->taken = true;
	for (size_t i = 0; i < suffix->count; i++) {
		pool = taken_by(c, suffix->v[i]);
		if (pool && strcmp(pool, e->pool) != 0)
			dd_warn(d, e->line,
				"%s: never reached: a rule above sends it to "
				"pool %s",
				suffix->v[i], pool);
		if (pool)
			continue;
		json_object_set_new(
			c->fresh, suffix->v[i], json_string(e->pool));
		json_array_append_new(
			d->routes, json_pack("{s:s,s:s}", "suffix",
					   suffix->v[i], "pool", e->pool));
		made++;
	}
	json_object_update(c->suffixes, c->fresh);
	json_object_clear(c->fresh);
	if (made == 0)
		dd_not_needed(d, e->st, "the routes above say so already");
	else if (suffix->count == 1)
		dd_done(d, e->st, "names below %s go to pool %s", suffix->v[0],
			e->pool);
	else
		dd_done(d, e->st, "%zu routes to pool %s", made, e->pool);
}

/* As every query begins there: that is where AllowAction() leaves it when no
 * pool was set since. */
static void begin_in_default(struct dd *d, struct chain *c)
{
	struct dd_entry *first = arena_alloc(&d->arena, sizeof(*first));

	if (!first) {
		d->im->failed = true;
		return;
	}
	*first = *d->catch_all;
	first->act = DD_ACT_SET_POOL;
	first->pool = "default";
	chain_rule(d, c, first);
}

static void place_rest(struct dd *d, struct chain *c)
{
	bool after = !c->last_rule;

	if (d->sets && chain_own_default(d))
		begin_in_default(d, c);
	for (struct dd_entry *e = d->chain; e; e = e->next) {
		if (!e->taken && chain_policy_key(e) && (c->plain || e->policy))
			place_policy(d, e);
		else if (!e->taken && (c->plain || after) &&
			 chain_is_route(e) && !d->sets)
			place_route(d, c, e);
		else if (!e->taken)
			chain_rule(d, c, e);
		after |= e == c->last_rule;
	}
	/* the default route says it behind rules that only set a pool */
	if (d->sets && d->catch_all && !c->end)
		chain_rule(d, c, d->catch_all);
}

static void check_pools(struct dd *d)
{
	json_t *pool;

	for (const struct dd_entry *e = d->chain; e; e = e->next) {
		if (e->act != DD_ACT_POOL && e->act != DD_ACT_SET_POOL)
			continue;
		pool = json_object_get(d->pools, e->pool);
		if (json_array_size(json_object_get(pool, "backends")) == 0)
			dd_error(d, e->st, e->line,
				"pool '%s' is routed to but has no server",
				e->pool);
	}
}

/* ---- NotRule of names or types ---- */

static bool has_rate(const struct dd_entry *e)
{
	for (const struct dd_match *m = e->sel.first; m; m = m->next)
		if (m->rate)
			return true;
	return e->rate;
}

/* What is behind it is meant for what it excludes only: all of it, or it is
 * left as it was. `keep` is false to see whether that can be. */
static bool narrow_rest(struct dd *d, struct dd_entry *e, bool keep)
{
	struct dd_entry *f;
	struct dd_sel both;

	d->now = e->st;
	for (f = e->next; f; f = f->next) {
		memset(&both, 0, sizeof(both));
		if (f->inverted || (has_rate(f) && e->sel.count > 1) ||
			!dd_sel_and(d, &f->sel, &e->sel, &both)) {
			dd_missing(d, e->st,
				"NotRule: the rules behind it cannot be "
				"narrowed to what it excludes: say it the "
				"other way round (`ispdns rule add "
				"--position`)");
			return false;
		}
		if (keep)
			f->sel = both;
	}
	return true;
}

/* Does every query that `e` excludes meet an end behind it? */
static bool rest_ends(const struct dd_entry *e)
{
	for (const struct dd_entry *f = e->next; f; f = f->next)
		if (takes_all(f))
			return true;
	return false;
}

/* A rule for all goes to the end; what no rule behind it ended goes to
 * dnsdist's default pool before. */
static bool invert(struct dd *d, struct dd_entry **at)
{
	struct dd_entry *e = *at, *rest = arena_alloc(&d->arena, sizeof(*rest));
	struct dd_entry all = *e;
	bool ends = rest_ends(e);

	memset(&all.sel, 0, sizeof(all.sel));
	d->now = e->st;
	if (!rest || !dd_match_new(d, &all.sel))
		return false;
	all.inverted = false;
	if (!takes_all(&all)) {
		dd_missing(d, e->st,
			"NotRule: only with an action that ends: say it the "
			"other way round (`ispdns rule add --position`)");
		return false;
	}
	if (!narrow_rest(d, e, false) || !narrow_rest(d, e, true))
		return false;
	*rest = *e;
	rest->inverted = false;
	rest->act = DD_ACT_ALLOW;
	rest->next = NULL;
	*at = e->next;
	d->chain_end = at;
	while (*d->chain_end)
		d->chain_end = &(*d->chain_end)->next;
	if (!ends) {
		*d->chain_end = rest;
		d->chain_end = &rest->next;
	}
	all.next = NULL;
	*e = all;
	*d->chain_end = e;
	d->chain_end = &e->next;
	return true;
}

static void invert_all(struct dd *d)
{
	struct dd_entry **at = &d->chain;

	while (*at) {
		if ((*at)->inverted && !invert(d, at))
			*at = (*at)->next; /* said */
		else
			at = &(*at)->next;
	}
}

void dd_chain(struct dd *d)
{
	struct chain c = {.plain = true,
		.suffixes = json_object(),
		.fresh = json_object(),
		.v4 = 32,
		.v6 = 64};

	if (!c.suffixes || !c.fresh)
		d->im->failed = true;
	invert_all(d);
	drop_empty(d);
	find_ends(d, &c);
	chain_relays_find(d);
	place_limits(d, &c);
	chain_relays_clear(d);
	look_at_order(d, &c);
	place_rest(d, &c);
	chain_relays_place(d);
	check_pools(d);
	json_decref(c.suffixes);
	json_decref(c.fresh);
}
