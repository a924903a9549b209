/* SPDX-License-Identifier: ISC */
/* dnsdist importer: what one rule can match, AND and OR of those. */
#include "mgmt/cli/import_dnsdist_select.h"

#include <errno.h>

struct dd_match *dd_match_new(struct dd *d, struct dd_sel *sel)
{
	struct dd_match **end = &sel->first, *m;

	if (sel->count >= DD_ALTS) {
		dd_missing(d, d->now,
			"more than %d alternatives: make simpler rules with "
			"`ispdns rule add`",
			DD_ALTS);
		return NULL;
	}
	m = arena_alloc(&d->arena, sizeof(*m));
	if (!m) {
		d->im->failed = true;
		return NULL;
	}
	while (*end)
		end = &(*end)->next;
	*end = m;
	sel->count++;
	return m;
}

bool dd_match_list(struct dd *d, const struct dd_list *list, struct dd_sel *out,
	size_t offset)
{
	static const struct dd_list none = {NULL, 0, 0};
	struct dd_list *sorted = arena_alloc(&d->arena, sizeof(*sorted));
	struct dd_match *m;

	if (!sorted || dd_list_union(&d->arena, list, &none, sorted) < 0) {
		d->im->failed = true;
		return false;
	}
	if (sorted->count == 0)
		return true; /* matches nothing */
	m = dd_match_new(d, out);
	if (!m)
		return false;
	memcpy((char *)m + offset, &sorted, sizeof(sorted));
	return true;
}

bool dd_no_not(struct dd *d, const struct lua *call)
{
	dd_missing(d, d->now,
		"NotRule of %s: say it the other way round: a rule for what is "
		"meant, in front (`ispdns rule add --position`)",
		call->object ? call->object->text : "this");
	return false;
}

typedef int (*and_fn)(struct arena *arena, const struct dd_list *a,
	const struct dd_list *b, struct dd_list *out);

/* *out: what is in both. False: nothing can be (or said: *bad). */
static bool both(struct dd *d, const struct dd_list *a, const struct dd_list *b,
	and_fn and, const struct dd_list **out, bool *bad)
{
	struct dd_list *list;
	int rc;

	*out = a ? a : b;
	if (!a || !b || a == b)
		return true;
	list = arena_alloc(&d->arena, sizeof(*list));
	rc = list ? and(&d->arena, a, b, list) : -ENOMEM;
	if (rc == -E2BIG)
		dd_missing(d, d->now,
			"too many values to compare: make it with `ispdns "
			"rule add`");
	else if (rc < 0)
		d->im->failed = true;
	*bad = *bad || rc < 0;
	*out = list;
	return rc == 0 && list->count > 0;
}

static bool both_words(const char *a, const char *b, const char **out)
{
	*out = a ? a : b;
	return !a || !b || strcmp(a, b) == 0;
}

/* "*" is every class but IN. */
static bool both_classes(const char *a, const char *b, const char **out)
{
	*out = a && strcmp(a, "*") == 0 && b ? b : a;
	if (a && b && (strcmp(a, "*") == 0 || strcmp(b, "*") == 0))
		return strcmp(a, "IN") != 0 && strcmp(b, "IN") != 0 &&
		       both_words(*out, strcmp(b, "*") == 0 ? *out : b, out);
	return both_words(a, b, out);
}

/* 1: *out is true when both are; 0: that cannot be; -1: said. */
static int match_and(struct dd *d, const struct dd_match *a,
	const struct dd_match *b, struct dd_match *out)
{
	bool bad = false, can;

	if (a->rate && b->rate) {
		dd_missing(d, d->now,
			"two limits in one rule: make two with `ispdns rule "
			"add NAME --action rate-limit`");
		return -1;
	}
	out->rate = a->rate ? a->rate : b->rate;
	out->rate_early = a->rate ? true : b->rate_early;
	can = both(d, a->suffix, b->suffix, dd_suffixes_and, &out->suffix,
		      &bad) &&
	      both(d, a->exact, b->exact, dd_list_and, &out->exact, &bad) &&
	      both(d, a->qtype, b->qtype, dd_list_and, &out->qtype, &bad) &&
	      both(d, a->source, b->source, dd_prefixes_and, &out->source,
		      &bad) &&
	      both_classes(a->qclass, b->qclass, &out->qclass) &&
	      both_words(a->opcode, b->opcode, &out->opcode) &&
	      both_words(a->transport, b->transport, &out->transport) &&
	      both_words(a->rd, b->rd, &out->rd) &&
	      both_words(a->dnssec, b->dnssec, &out->dnssec);
	return bad ? -1 : can;
}

bool dd_match_is_all(const struct dd_match *m)
{
	return !m->suffix && !m->exact && !m->qtype && !m->source &&
	       !m->qclass && !m->opcode && !m->transport && !m->rd &&
	       !m->dnssec;
}

bool dd_sel_and(struct dd *d, const struct dd_sel *a, const struct dd_sel *b,
	struct dd_sel *out)
{
	const struct dd_match *x, *y;
	struct dd_match both, *m;
	int rc;

	for (x = a->first; x; x = x->next)
		for (y = b->first; y; y = y->next) {
			memset(&both, 0, sizeof(both));
			rc = match_and(d, x, y, &both);
			if (rc < 0)
				return false;
			/* AndRule({limit, AllRule()}) */
			if (x->rate && dd_match_is_all(y))
				both.rate_early = x->rate_early;
			if (rc == 0)
				continue;
			m = dd_match_new(d, out);
			if (!m)
				return false;
			*m = both;
		}
	return true;
}

/* ---- OR ---- */

static bool same_words(const struct dd_match *a, const struct dd_match *b)
{
	const char *const x[] = {
		a->qclass, a->opcode, a->transport, a->rd, a->dnssec};
	const char *const y[] = {
		b->qclass, b->opcode, b->transport, b->rd, b->dnssec};

	for (size_t i = 0; i < countof(x); i++)
		if (x[i] != y[i] && (!x[i] || !y[i] || strcmp(x[i], y[i]) != 0))
			return false;
	return true;
}

/* Two that differ in the values of one matcher are one. 1: done; 0: they
 * differ in more; -1: no memory. */
static int match_merge(
	struct dd *d, struct dd_match *into, const struct dd_match *m)
{
	const struct dd_list **to[] = {
		&into->suffix, &into->exact, &into->qtype, &into->source};
	const struct dd_list *from[] = {
		m->suffix, m->exact, m->qtype, m->source};
	size_t differ = countof(to);
	struct dd_list *all;

	if (into->rate || m->rate || !same_words(into, m))
		return 0;
	for (size_t i = 0; i < countof(to); i++) {
		if (dd_list_equal(*to[i], from[i]))
			continue;
		if (differ != countof(to) || !*to[i] || !from[i])
			return 0;
		differ = i;
	}
	if (differ == countof(to))
		return 1;
	all = arena_alloc(&d->arena, sizeof(*all));
	if (!all ||
		dd_list_union(&d->arena, *to[differ], from[differ], all) < 0) {
		d->im->failed = true;
		return -1;
	}
	*to[differ] = all;
	return 1;
}

bool dd_sel_or(struct dd *d, struct dd_sel *into, const struct dd_sel *other)
{
	const struct dd_match *m;
	struct dd_match *old, *copy;
	int rc;

	for (m = other->first; m; m = m->next) {
		rc = 0;
		for (old = into->first; old && rc == 0; old = old->next)
			rc = match_merge(d, old, m);
		if (rc < 0)
			return false;
		if (rc == 1)
			continue;
		copy = dd_match_new(d, into);
		if (!copy)
			return false;
		*copy = *m;
		copy->next = NULL;
	}
	return true;
}
