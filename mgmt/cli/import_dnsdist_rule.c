/* SPDX-License-Identifier: ISC */
/* dnsdist importer: an entry of the chain as rules, or as the limit. */
#include "mgmt/cli/import_dnsdist_chain.h"

static const char *const verdicts[] = {
	[DD_ACT_DROP] = "drop",
	[DD_ACT_REFUSE] = "refuse",
	[DD_ACT_NXDOMAIN] = "nxdomain",
	[DD_ACT_SERVFAIL] = "servfail",
	[DD_ACT_NOTIMP] = "notimp",
	[DD_ACT_TC] = "truncate",
	[DD_ACT_POOL] = "pool",
	[DD_ACT_SPOOF] = "spoof",
	[DD_ACT_ALLOW] = "allow",
	[DD_ACT_TAG] = "tag",
	[DD_ACT_RATE] = "rate-limit",
	[DD_ACT_SET_POOL] = "set-pool",
	[DD_ACT_NO_RECURSE] = "no-recurse",
};

/* What happens over a limit. */
static const char *over(enum dd_act act)
{
	if (act == DD_ACT_TC)
		return "tc";
	return act == DD_ACT_REFUSE ? "refuse" : "drop";
}

/* One length of prefixes counts for all limits per client. */
static bool same_masks(struct dd *d, struct chain *c, const struct dd_entry *e,
	const struct dd_rate *rate)
{
	if (rate->shared || rate->v4 == 0)
		return true;
	if (c->masks_set && (rate->v4 != c->v4 || rate->v6 != c->v6)) {
		dd_missing(d, e->st,
			"all limits per client count the same prefixes (/%lld "
			"and /%lld by a line above): choose one (`ispdns limit "
			"set --v4-prefix`)",
			c->v4, c->v6);
		return false;
	}
	c->masks_set = true;
	c->v4 = rate->v4;
	c->v6 = rate->v6;
	if (rate->v4 != 32)
		json_object_set_new(
			d->limit, "v4_prefix", json_integer(rate->v4));
	if (rate->v6 != 64)
		json_object_set_new(
			d->limit, "v6_prefix", json_integer(rate->v6));
	return true;
}

void chain_limit(struct dd *d, struct chain *c, struct dd_entry *e)
{
	const struct dd_rate *rate = e->sel.first->rate;

	if (!same_masks(d, c, e, rate))
		return;
	e->taken = true;
	c->limit = e;
	json_object_set_new(d->limit, "qps", json_integer(rate->qps));
	json_object_set_new(d->limit, "action", json_string(over(e->act)));
	json_object_set_new(d->limit, "burst", json_integer(rate->burst));
	if (c->before_limit > 0)
		dd_note(d, e->line,
			"the limit comes before all rules here: what line %u "
			"stops counts, too",
			c->before_limit);
	dd_done(d, e->st, "limit per client: %lld/s, then %s", rate->qps,
		over(e->act));
}

/* ---- rules ---- */

static json_t *texts(const struct dd_list *list, size_t from, size_t count)
{
	json_t *out = json_array();

	for (size_t i = from; i < list->count && i < from + count; i++)
		json_array_append_new(out, json_string(list->v[i]));
	return out;
}

static void put_list(json_t *rule, const char *key, const struct dd_list *list)
{
	if (list)
		json_object_set_new(rule, key, texts(list, 0, DD_LIST));
}

static void put_word(json_t *rule, const char *key, const char *word)
{
	if (word)
		json_object_set_new(rule, key, json_string(word));
}

static void put_rate(
	json_t *rule, const struct dd_rate *rate, const char *verdict)
{
	json_object_set_new(rule, "qps", json_integer(rate->qps));
	json_object_set_new(rule, "burst", json_integer(rate->burst));
	put_word(rule, "per", rate->shared ? "rule" : "client");
	put_word(rule, "over", verdict);
}

/* The types to which dnsdist gives these addresses; others go on. */
static void put_spoof(
	json_t *rule, const struct dd_entry *e, const struct dd_match *m)
{
	bool v4 = false, v6 = false;
	json_t *types = json_array();
	const char *const names[] = {"A", "AAAA", "ANY"};

	for (size_t i = 0; i < e->addresses->count; i++) {
		v6 |= strchr(e->addresses->v[i], ':') != NULL;
		v4 |= strchr(e->addresses->v[i], ':') == NULL;
	}
	for (size_t i = 0; i < countof(names); i++) {
		bool own = i == 0 ? v4 : i == 1 ? v6 : true;

		for (size_t k = 0; m->qtype && k < m->qtype->count && own; k++)
			if (strcmp(m->qtype->v[k], names[i]) == 0)
				break;
			else if (k + 1 == m->qtype->count)
				own = false;
		if (own)
			json_array_append_new(types, json_string(names[i]));
	}
	json_object_set_new(rule, "qtype", types);
	put_list(rule, "addresses", e->addresses);
	if (e->ttl_s >= 0)
		json_object_set_new(rule, "ttl_s", json_integer(e->ttl_s));
}

bool chain_own_default(const struct dd *d)
{
	json_t *pool = json_object_get(d->pools, "default");
	bool own = json_array_size(json_object_get(pool, "backends")) > 0;

	return own && d->catch_all &&
	       strcmp(d->catch_all->pool, "default") != 0;
}

/* The pool of what dnsdist only allows: its own default pool, when that has
 * servers and others go elsewhere; else NULL: as all others, or that which is
 * set. */
static const char *allowed_pool(const struct dd *d)
{
	return chain_own_default(d) && !d->sets ? "default" : NULL;
}

static void put_action(struct dd *d, json_t *rule, const struct dd_entry *e,
	const struct dd_match *m)
{
	bool allow = e->act == DD_ACT_ALLOW;
	const char *pool = allow ? allowed_pool(d) : e->pool;
	const struct dd_rate *rate = m->rate ? m->rate : e->rate;

	put_word(rule, "action",
		rate            ? "rate-limit"
		: pool && allow ? "pool"
				: verdicts[e->act]);
	if (rate)
		put_rate(rule, rate, over(e->act));
	else
		put_word(rule, "pool", pool);
	if (e->act == DD_ACT_SPOOF)
		put_spoof(rule, e, m);
	put_word(rule, "tag", e->tag);
}

/* A name that no rule has yet: the given one, or "dnsdist-LINE". */
static void put_name(struct dd *d, json_t *rule, const struct dd_entry *e)
{
	char name[80], base[48];

	if (e->name)
		snprintf(base, sizeof(base), "%.40s", e->name);
	else
		snprintf(base, sizeof(base), "dnsdist-%u", e->line);
	snprintf(name, sizeof(name), "%s", base);
	for (unsigned i = 2; json_object_get(d->rules, name); i++)
		snprintf(name, sizeof(name), "%s-%u", base, i);
	json_object_set_new(rule, "name", json_string(name));
	if (json_object_set(d->rules, name, rule) < 0)
		d->im->failed = true;
}

static void add_rule(struct dd *d, const struct dd_entry *e,
	const struct dd_match *m, const char *class)
{
	json_t *rule = json_object();
	size_t place = json_object_size(d->rules) + 1;

	put_name(d, rule, e);
	json_object_set_new(
		rule, "position", json_integer(10 * (json_int_t)place));
	put_list(rule, "suffix", m->suffix);
	put_list(rule, "exact", m->exact);
	put_list(rule, "qtype", m->qtype);
	put_word(rule, "qclass", class);
	put_word(rule, "opcode", m->opcode);
	put_word(rule, "transport", m->transport);
	put_word(rule, "rd", m->rd);
	put_word(rule, "dnssec", m->dnssec);
	put_list(rule, "source", m->source);
	put_action(d, rule, e, m);
	if (json_array_size(json_object_get(rule, "qtype")) == 0 &&
		e->act == DD_ACT_SPOOF)
		json_object_del(d->rules,
			json_string_value(json_object_get(rule, "name")));
	json_decref(rule);
}

/* Lists longer than one rule takes go into several. */
static void add_parts(struct dd *d, const struct dd_entry *e,
	const struct dd_match *m, const char *class)
{
	const struct dd_list *const lists[] = {m->suffix, m->exact, m->source};
	struct dd_match part = *m;
	const struct dd_list **cut[] = {
		&part.suffix, &part.exact, &part.source};
	struct dd_list piece;

	for (size_t i = 0; i < countof(lists); i++) {
		if (!lists[i] || lists[i]->count <= DD_LIST)
			continue;
		for (size_t from = 0; from < lists[i]->count; from += DD_LIST) {
			piece.v = lists[i]->v + from;
			piece.count = lists[i]->count - from;
			piece.count =
				piece.count < DD_LIST ? piece.count : DD_LIST;
			*cut[i] = &piece;
			add_parts(d, e, &part, class);
		}
		return;
	}
	add_rule(d, e, m, class);
}

/* "*" is not IN. */
static void add_classes(
	struct dd *d, const struct dd_entry *e, const struct dd_match *m)
{
	static const char *const foreign[] = {"CH", "HS", "NONE", "ANY"};

	if (!m->qclass || strcmp(m->qclass, "*") != 0) {
		add_parts(d, e, m, m->qclass);
		return;
	}
	for (size_t i = 0; i < countof(foreign); i++)
		add_parts(d, e, m, foreign[i]);
}

static bool fits(struct dd *d, struct dd_entry *e)
{
	if (json_object_size(d->rules) < DD_RULES)
		return true;
	dd_error(d, e->st, e->line, "more than %d rules", DD_RULES);
	return false;
}

static void say_rules(struct dd *d, struct dd_entry *e, size_t before)
{
	size_t made = json_object_size(d->rules) - before, i = 0;
	const char *first = "", *action = "", *name;
	json_t *rule;

	json_object_foreach(d->rules, name, rule) {
		if (i++ != before)
			continue;
		first = name;
		action = json_string_value(json_object_get(rule, "action"));
	}
	if (made == 0)
		dd_not_needed(d, e->st, "it matches no query");
	else if (made == 1)
		dd_done(d, e->st, "rule %s: %s", first, action);
	else
		dd_done(d, e->st, "%zu rules from %s on: %s", made, first,
			action);
}

void chain_rule(struct dd *d, struct chain *c, struct dd_entry *e)
{
	size_t before = json_object_size(d->rules);
	const struct dd_match *m;

	e->taken = true;
	for (m = e->sel.first; m; m = m->next)
		if (m->rate && !same_masks(d, c, e, m->rate))
			return;
	if (e->act == DD_ACT_ALLOW && d->catch_all && !allowed_pool(d) &&
		!d->sets)
		dd_note(d, e->line,
			"AllowAction: what is allowed goes where the routes "
			"say; dnsdist sends it to the pool \"\"");
	for (m = e->sel.first; m; m = m->next) {
		if (!fits(d, e))
			return;
		add_classes(d, e, m);
	}
	say_rules(d, e, before);
}
