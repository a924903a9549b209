/* SPDX-License-Identifier: ISC */
/* dnsdist importer: sets of names, prefixes and words. */
#include "mgmt/cli/import_dnsdist_set.h"

#include "common/dns/name.h"
#include "common/net/prefix.h"

#include <errno.h>

static bool add_borrowed(
	struct arena *arena, struct dd_list *list, const char *text)
{
	if (list->count == list->room) {
		size_t room = list->room ? list->room * 2 : 8;
		const char **v = arena_array(arena, room, sizeof(*v));

		if (!v)
			return false;
		if (list->count)
			memcpy(v, list->v, list->count * sizeof(*v));
		list->v = v;
		list->room = room;
	}
	list->v[list->count++] = text;
	return true;
}

bool dd_list_add(struct arena *arena, struct dd_list *list, const char *text)
{
	const char *copy = arena_strdup(arena, text);

	return copy && add_borrowed(arena, list, copy);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void dd_list_sort(struct dd_list *list)
{
	size_t n = 0;

	if (list->count == 0)
		return;
	qsort(list->v, list->count, sizeof(*list->v), by_text);
	for (size_t i = 0; i < list->count; i++)
		if (n == 0 || strcmp(list->v[n - 1], list->v[i]) != 0)
			list->v[n++] = list->v[i];
	list->count = n;
}

bool dd_list_equal(const struct dd_list *a, const struct dd_list *b)
{
	if (!a || !b || a == b)
		return a == b;
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->v[i], b->v[i]) != 0)
			return false;
	return true;
}

int dd_list_union(struct arena *arena, const struct dd_list *a,
	const struct dd_list *b, struct dd_list *out)
{
	struct dd_list all = {NULL, 0, 0};

	for (size_t i = 0; i < a->count; i++)
		if (!add_borrowed(arena, &all, a->v[i]))
			return -ENOMEM;
	for (size_t i = 0; i < b->count; i++)
		if (!add_borrowed(arena, &all, b->v[i]))
			return -ENOMEM;
	dd_list_sort(&all);
	*out = all;
	return 0;
}

int dd_list_and(struct arena *arena, const struct dd_list *a,
	const struct dd_list *b, struct dd_list *out)
{
	size_t i = 0, j = 0;
	int cmp;

	while (i < a->count && j < b->count) {
		cmp = strcmp(a->v[i], b->v[j]);
		if (cmp == 0 && !add_borrowed(arena, out, a->v[i]))
			return -ENOMEM;
		i += cmp <= 0;
		j += cmp >= 0;
	}
	return 0;
}

/* ---- names ---- */

static bool is_under(const char *name, const char *suffix)
{
	struct name a, b;

	return name_parse(name, &a) == 0 && name_parse(suffix, &b) == 0 &&
	       name_under(a.wire, b.wire);
}

bool dd_suffixes_hold(const struct dd_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (is_under(name, list->v[i]))
			return true;
	return false;
}

static bool too_many(const struct dd_list *a, const struct dd_list *b)
{
	return b->count > 0 && a->count > DD_PAIRS / b->count;
}

/* The narrower of each pair of which one holds the other. */
static int pairs(struct arena *arena, const struct dd_list *a,
	const struct dd_list *b, bool (*within)(const char *x, const char *y),
	struct dd_list *out)
{
	if (too_many(a, b))
		return -E2BIG;
	for (size_t i = 0; i < a->count; i++)
		for (size_t j = 0; j < b->count; j++) {
			const char *both = within(a->v[i], b->v[j])   ? a->v[i]
					   : within(b->v[j], a->v[i]) ? b->v[j]
								      : NULL;

			if (both && !add_borrowed(arena, out, both))
				return -ENOMEM;
		}
	dd_list_sort(out);
	return 0;
}

int dd_suffixes_and(struct arena *arena, const struct dd_list *a,
	const struct dd_list *b, struct dd_list *out)
{
	return pairs(arena, a, b, is_under, out);
}

/* ---- prefixes ---- */

static bool is_inside(const char *inner, const char *outer)
{
	struct prefix a, b;

	return prefix_parse(inner, &a) == 0 && prefix_parse(outer, &b) == 0 &&
	       a.len >= b.len && prefix_contains(&b, &a.addr);
}

int dd_prefixes_and(struct arena *arena, const struct dd_list *a,
	const struct dd_list *b, struct dd_list *out)
{
	return pairs(arena, a, b, is_inside, out);
}

int dd_prefixes_inside(struct arena *arena, const struct dd_list *a,
	const struct dd_list *b, bool *inside)
{
	*inside = false;
	(void)arena;
	if (too_many(a, b))
		return -E2BIG;
	for (size_t i = 0; i < a->count && !*inside; i++)
		for (size_t j = 0; j < b->count && !*inside; j++)
			*inside = is_inside(a->v[i], b->v[j]);
	return 0;
}

/* The two halves of a prefix. */
static void halves(const struct prefix *p, struct prefix half[2])
{
	const uint8_t *octets;
	union addr high = p->addr;
	size_t size = addr_octets(&p->addr, &octets);
	uint8_t *at = size == 4 ? (uint8_t *)&high.v4.sin_addr
				: high.v6.sin6_addr.s6_addr;

	at[p->len / 8] |= (uint8_t)(0x80 >> p->len % 8);
	prefix_mask(&p->addr, p->len + 1u, &half[0]);
	prefix_mask(&high, p->len + 1u, &half[1]);
}

struct subtract {
	struct arena *arena;
	const struct prefix *minus;
	struct dd_list *out;
};

/* What of `whole` is in none of the `count` prefixes at `some` of s->minus. */
static int subtract(struct subtract *s, const struct prefix *whole,
	const size_t *some, size_t count)
{
	struct prefix half[2];
	char text[PREFIX_TEXT];
	size_t *inner, n;
	int rc = 0;

	if (count == 0)
		return dd_list_add(s->arena, s->out, prefix_print(whole, text))
			       ? 0
			       : -ENOMEM;
	for (size_t i = 0; i < count; i++)
		if (s->minus[some[i]].len <= whole->len)
			return 0; /* all of it */
	inner = malloc(count * sizeof(*inner));
	if (!inner)
		return -ENOMEM;
	halves(whole, half);
	for (int h = 0; h < 2 && rc == 0; h++) {
		n = 0;
		for (size_t i = 0; i < count; i++)
			if (prefix_contains(&half[h], &s->minus[some[i]].addr))
				inner[n++] = some[i];
		rc = subtract(s, &half[h], inner, n);
	}
	free(inner);
	return rc;
}

int dd_prefixes_not(
	struct arena *arena, const struct dd_list *list, struct dd_list *out)
{
	static const char *const wholes[] = {"0.0.0.0/0", "::/0"};
	struct prefix *minus = calloc(list->count + 1, sizeof(*minus)), whole;
	size_t *some = calloc(list->count + 1, sizeof(*some)), n;
	struct subtract s = {arena, minus, out};
	int rc = minus && some ? 0 : -ENOMEM;

	for (size_t w = 0; w < countof(wholes) && rc == 0; w++) {
		n = 0;
		rc = prefix_parse(wholes[w], &whole);
		for (size_t i = 0; i < list->count && rc == 0; i++) {
			rc = prefix_parse(list->v[i], &minus[i]);
			if (prefix_contains(&whole, &minus[i].addr))
				some[n++] = i;
		}
		if (rc == 0)
			rc = list->count > DD_PAIRS / 128
				     ? -E2BIG
				     : subtract(&s, &whole, some, n);
	}
	free(minus);
	free(some);
	dd_list_sort(out);
	return rc;
}
