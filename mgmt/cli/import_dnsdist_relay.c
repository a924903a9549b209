/* SPDX-License-Identifier: ISC */
/*
 * dnsdist importer: rules that send NOTIFY, UPDATE or transfers to a pool. No
 * rule of ours does: routes say who may, and rules are looked at before. So
 * such a rule becomes what the routes to its pool allow, when no rule would
 * stop it there and none behind it would here.
 */
#include "mgmt/cli/import_dnsdist_chain.h"

#define SOURCES 1000 /* of one list of a route */

static bool has(const struct dd_list *list, const char *text)
{
	for (size_t i = 0; list && i < list->count; i++)
		if (strcmp(list->v[i], text) == 0)
			return true;
	return false;
}

static bool is(const char *word, const char *text)
{
	return word && strcmp(word, text) == 0;
}

static bool only_transfers(const struct dd_list *qtype)
{
	size_t known = has(qtype, "AXFR") + has(qtype, "IXFR");

	return qtype && qtype->count == known;
}

/* The list of a route that is meant, or NULL. */
static const char *relay_key(const struct dd_match *m)
{
	if (m->exact || m->transport || m->rd || m->dnssec || m->rate ||
		(m->qclass && !is(m->qclass, "IN")) ||
		(m->source && m->source->count > SOURCES))
		return NULL;
	if (is(m->opcode, "NOTIFY"))
		return m->qtype ? NULL : "allow_notify";
	if (is(m->opcode, "UPDATE"))
		return m->qtype ? NULL : "allow_update";
	if (m->opcode && !is(m->opcode, "QUERY"))
		return NULL;
	return only_transfers(m->qtype) && has(m->qtype, "AXFR")
		       ? "allow_transfer"
		       : NULL;
}

bool dd_is_relay(const struct dd_entry *e)
{
	const struct dd_match *m = e->sel.first;

	if (e->act != DD_ACT_POOL || e->inverted || !m)
		return false;
	for (; m; m = m->next)
		if (!relay_key(m))
			return false;
	return true;
}

bool dd_has_transfers(const struct dd_match *m)
{
	return has(m->qtype, "AXFR") || has(m->qtype, "IXFR");
}

void chain_relays_find(struct dd *d)
{
	for (struct dd_entry *e = d->chain; e; e = e->next) {
		e->relay = !e->taken && dd_is_relay(e);
		e->taken |= e->relay;
	}
}

/* ---- other rules for the same messages ---- */

static bool is_transfer(const struct dd_match *m)
{
	return !m->opcode || is(m->opcode, "QUERY");
}

/* Can there be a message that both match? */
static bool overlap(
	struct dd *d, const struct dd_match *e, const struct dd_match *f)
{
	struct dd_list both = {NULL, 0, 0};
	bool transfer = is_transfer(e);

	if ((f->qclass && !is(f->qclass, "IN")) ||
		(f->opcode && !is(f->opcode, transfer ? "QUERY" : e->opcode)))
		return false;
	if (f->qtype &&
		!(transfer ? dd_has_transfers(f) : has(f->qtype, "SOA")))
		return false;
	if (e->source && f->source &&
		dd_prefixes_and(&d->arena, e->source, f->source, &both) == 0 &&
		both.count == 0)
		return false;
	both = (struct dd_list){NULL, 0, 0};
	for (size_t i = 0; e->suffix && f->exact; i++)
		if (i == f->exact->count)
			return false;
		else if (dd_suffixes_hold(e->suffix, f->exact->v[i]))
			break;
	return !e->suffix || !f->suffix ||
	       dd_suffixes_and(&d->arena, e->suffix, f->suffix, &both) < 0 ||
	       both.count > 0;
}

/* Does a rule of ours with this action keep such a message from the route? */
static bool stops(const struct dd_entry *f, bool transfer)
{
	switch (f->act) {
	case DD_ACT_DROP:
	case DD_ACT_REFUSE:
	case DD_ACT_RATE:
		return true;
	case DD_ACT_NXDOMAIN:
	case DD_ACT_SERVFAIL:
	case DD_ACT_NOTIMP:
	case DD_ACT_SPOOF:
	case DD_ACT_TC:
		return transfer;
	default:
		return false;
	}
}

/* Leaves what `e` takes out of `f`, which is behind it. False: cannot be said.
 * `keep` is false to see whether it can. */
static bool narrow(
	struct dd *d, const struct dd_match *e, struct dd_match *f, bool keep)
{
	struct dd_list others = {NULL, 0, 0};
	struct dd_list *left = arena_alloc(&d->arena, sizeof(*left));
	bool same = is_transfer(e) ? only_transfers(f->qtype)
				   : is(f->opcode, e->opcode);

	if (!left || !same || e->suffix || !e->source ||
		dd_prefixes_not(&d->arena, e->source, &others) < 0)
		return false;
	*left = others;
	if (f->source) {
		memset(left, 0, sizeof(*left));
		if (dd_prefixes_and(&d->arena, f->source, &others, left) < 0)
			return false;
	}
	if (left->count == 0)
		return false;
	if (keep)
		f->source = left;
	return true;
}

/* A rule behind `e`. */
static bool clear_behind(
	struct dd *d, const struct dd_entry *e, struct dd_entry *f, bool keep)
{
	const struct dd_match *m;
	struct dd_match *n;

	for (m = e->sel.first; m; m = m->next)
		for (n = f->sel.first; n; n = n->next)
			if (stops(f, is_transfer(m)) && overlap(d, m, n) &&
				!narrow(d, m, n, keep))
				return false;
	return true;
}

/* One in front of it, that sends some of it to another pool. */
static bool clear_before(
	struct dd *d, const struct dd_entry *e, const struct dd_entry *f)
{
	const struct dd_match *m, *n;

	if ((f->act != DD_ACT_POOL && f->act != DD_ACT_ALLOW) ||
		is(f->pool, e->pool) || chain_is_route(f))
		return true;
	for (m = e->sel.first; m; m = m->next)
		for (n = f->sel.first; n; n = n->next)
			if (overlap(d, m, n))
				return false;
	return true;
}

/* A rule behind `e` that keeps all others away, which the policy and the
 * routes do, too. */
static bool is_rest(struct dd *d, const struct dd_entry *e, struct dd_entry *f)
{
	const struct dd_match *m = f->sel.first;
	struct dd_match other;

	if (f->sel.count != 1)
		return false;
	if (is_transfer(e->sel.first) && is(chain_policy_key(f), "transfer")) {
		f->policy = true;
		return true;
	}
	other = *m;
	other.opcode = NULL;
	if (f->act != DD_ACT_REFUSE || !m->opcode || !dd_match_is_all(&other) ||
		!is(m->opcode, e->sel.first->opcode))
		return false;
	f->taken = true;
	dd_not_needed(d, f->st,
		"whom no route allows it gets REFUSED, or "
		"NOTIMP for names without a route");
	return true;
}

static bool clear_all(struct dd *d, const struct dd_entry *e, bool keep)
{
	bool behind = false, clear = true;

	for (struct dd_entry *f = d->chain; f && clear; f = f->next) {
		behind |= f == e;
		if (f == e || f->policy || (f->taken && !f->relay))
			continue;
		clear = behind ? clear_behind(d, e, f, keep)
			       : clear_before(d, e, f);
		if (!clear && !keep)
			dd_missing(d, e->st,
				"NOTIFY, UPDATE and transfers go where a route "
				"allows it, behind all rules, and line %u is "
				"one for the same: `ispdns route set "
				"--allow-notify`, --allow-update, "
				"--allow-transfer",
				f->line);
	}
	return clear;
}

/* A line in front of it that is the policy on transfers takes all of them. */
static bool reached(struct dd *d, const struct dd_entry *e)
{
	for (const struct dd_entry *f = d->chain; f != e; f = f->next) {
		if (f->taken || !is(chain_policy_key(f), "transfer") ||
			!is_transfer(e->sel.first) ||
			!has(f->sel.first->qtype, "AXFR"))
			continue;
		dd_not_needed(d, e->st,
			"never reached: line %u takes every transfer", f->line);
		return false;
	}
	return true;
}

void chain_relays_clear(struct dd *d)
{
	for (struct dd_entry *e = d->chain; e; e = e->next) {
		e->relay = e->relay && reached(d, e);
		for (struct dd_entry *f = e->next; e->relay && f; f = f->next)
			if (!f->taken)
				(void)is_rest(d, e, f);
		e->relay = e->relay && clear_all(d, e, false) &&
			   clear_all(d, e, true);
	}
}

/* ---- routes ---- */

/* The route of `suffix`, made when only a rule says it; NULL: it goes to
 * another pool. */
static json_t *route_of(struct dd *d, const char *suffix, const char *pool)
{
	const struct dd_entry *e;
	json_t *route;
	size_t i;

	json_array_foreach(d->routes, i, route)
		if (is(json_string_value(json_object_get(route, "suffix")),
			    suffix))
			return is(json_string_value(
					  json_object_get(route, "pool")),
				       pool)
				       ? route
				       : NULL;
	for (e = d->chain; e; e = e->next)
		if (chain_is_route(e) &&
			dd_suffixes_hold(e->sel.first->suffix, suffix))
			break;
	if (!e || strcmp(e->pool, pool) != 0)
		return NULL;
	route = json_pack("{s:s,s:s}", "suffix", suffix, "pool", pool);
	if (!route || json_array_append_new(d->routes, route) < 0) {
		d->im->failed = true;
		return NULL;
	}
	return route;
}

static void allow(json_t *route, const struct dd_match *m)
{
	static const char *const all[] = {"0.0.0.0/0", "::/0"};
	const char *const *v = m->source ? m->source->v : all;
	size_t count = m->source ? m->source->count : countof(all), i;
	json_t *list = json_object_get(route, relay_key(m)), *old;
	bool known;

	if (!list) {
		list = json_array();
		json_object_set_new(route, relay_key(m), list);
	}
	for (size_t k = 0; k < count; k++) {
		known = false;
		json_array_foreach(list, i, old)
			known |= is(json_string_value(old), v[k]);
		if (!known)
			json_array_append_new(list, json_string(v[k]));
	}
}

/* Makes the routes that it needs. False: some name goes elsewhere. */
static bool make_routes(
	struct dd *d, const char *pool, const struct dd_match *m)
{
	const struct dd_entry *e;
	size_t i;

	for (i = 0; m->suffix && i < m->suffix->count; i++)
		if (!route_of(d, m->suffix->v[i], pool))
			return false;
	for (e = d->chain; e && !m->suffix; e = e->next)
		for (i = 0;
			chain_is_route(e) && i < e->sel.first->suffix->count;
			i++)
			(void)route_of(d, e->sel.first->suffix->v[i], pool);
	return true;
}

/* On each route to the pool that is for its names, or below. Their number. */
static size_t allow_all(
	struct dd *d, const char *pool, const struct dd_match *m)
{
	const char *suffix, *to;
	size_t i, count = 0;
	json_t *route;

	json_array_foreach(d->routes, i, route)
		if (json_unpack(route, "{s:s,s:s}", "suffix", &suffix, "pool",
			    &to) == 0 &&
			strcmp(to, pool) == 0 && strcmp(suffix, ".") != 0 &&
			(!m->suffix || dd_suffixes_hold(m->suffix, suffix))) {
			allow(route, m);
			count++;
		}
	return count;
}

/* All other names go there, too: queries only. */
static bool is_default(const struct dd *d, const char *pool)
{
	return strcmp(d->catch_all ? d->catch_all->pool : "default", pool) == 0;
}

static bool can_route(struct dd *d, const struct dd_entry *e)
{
	const struct dd_match *m;

	for (m = e->sel.first; m; m = m->next)
		if (is_default(d, e->pool) || !make_routes(d, e->pool, m))
			return false;
	return true;
}

static void place(struct dd *d, struct dd_entry *e)
{
	json_t *pool = json_object_get(d->pools, e->pool);
	const struct dd_match *m;
	size_t count = 0;

	for (m = e->sel.first; m && e->relay; m = m->next) {
		count = allow_all(d, e->pool, m);
		if (!m->suffix)
			dd_note(d, e->line,
				"of names that are routed to pool %s; all "
				"others get REFUSED or NOTIMP",
				e->pool);
		if (!m->source)
			dd_warn(d, e->line,
				"%s for every client: name the sources "
				"(`ispdns route set`)",
				relay_key(m));
		if (is_transfer(m) && !has(m->qtype, "IXFR"))
			dd_note(d, e->line, "AXFR is allowed with IXFR");
	}
	if (count == 0) {
		dd_missing(d, e->st,
			"NOTIFY, UPDATE and transfers go on by a route of a "
			"suffix to a pool of kind auth, and none to pool %s is "
			"known for these names: `ispdns route set` with "
			"--allow-notify, --allow-update or --allow-transfer",
			e->pool);
		return;
	}
	json_object_set_new(pool, "kind", json_string("auth"));
	dd_done(d, e->st, "%s of %zu route%s to pool %s",
		relay_key(e->sel.first), count, count == 1 ? "" : "s", e->pool);
}

/* All routes first: that of the longest suffix decides. */
void chain_relays_place(struct dd *d)
{
	struct dd_entry *e;

	for (e = d->chain; e; e = e->next)
		if (e->relay && !can_route(d, e)) {
			e->relay = false;
			place(d, e);
		}
	for (e = d->chain; e; e = e->next)
		if (e->relay)
			place(d, e);
}
