/* SPDX-License-Identifier: ISC */
/*
 * From lists of (value, rule) to one set per value: the rules that name the
 * value, those that name a place around it (a shorter suffix or prefix), and
 * those that name none. Equal sets are kept once, so a list of a hundred
 * thousand names in one rule costs one set.
 */

#include "frontend/rule_impl.h"

#include <errno.h>

#define BUCKETS 1024

struct bitmap {
	uint64_t words[RULE_WORDS];
};

struct digit_pair {
	uint16_t value;
	uint16_t rule;
};

struct place_pair {
	const void *place; /* struct name or struct prefix */
	unsigned depth;    /* labels, or length of the prefix */
	uint16_t rule;
};

/* A list that grows by doubling in the scratch arena. */
struct pairs {
	void *at;
	size_t count, room;
};

struct known_set {
	struct known_set *chain;
	size_t words;
	const struct rule_set *set;
};

struct rules_builder {
	struct arena *arena; /* of the snapshot */
	struct arena scratch;
	struct rules *rules;
	size_t room;
	struct pairs digits[RULE_DIGITS], suffix, exact, source;
	struct known_set *known[BUCKETS];
};

struct rules_builder *rules_begin(struct arena *arena, size_t count)
{
	struct rules_builder *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	arena_init(&b->scratch, 0, 0);
	b->arena = arena;
	b->room = count < RULES_MAX ? count : RULES_MAX;
	b->rules = arena_alloc(arena, sizeof(*b->rules));
	if (b->rules)
		b->rules->rules =
			arena_array(arena, b->room, sizeof(struct rule));
	if (b->rules && b->rules->rules)
		return b;
	rules_abort(b);
	return NULL;
}

void rules_abort(struct rules_builder *b)
{
	if (!b)
		return;
	arena_fini(&b->scratch);
	free(b);
}

struct rule *rules_add(struct rules_builder *b)
{
	if (b->rules->count == b->room)
		return NULL;
	return &b->rules->rules[b->rules->count++];
}

/* --- what a rule matches ----------------------------------------------- */

static void *pairs_add(struct rules_builder *b, struct pairs *p, size_t size)
{
	if (p->count == p->room) {
		size_t room = p->room ? p->room * 2 : 16;
		void *at = arena_array(&b->scratch, room, size);

		if (!at)
			return NULL;
		if (p->count)
			memcpy(at, p->at, p->count * size);
		p->at = at;
		p->room = room;
	}
	return (char *)p->at + p->count++ * size;
}

static uint16_t last_rule(const struct rules_builder *b)
{
	return (uint16_t)(b->rules->count - 1);
}

int rules_match_digit(
	struct rules_builder *b, enum rule_digit digit, uint16_t value)
{
	struct digit_pair *pair =
		pairs_add(b, &b->digits[digit], sizeof(*pair));

	if (!pair)
		return -ENOMEM;
	*pair = (struct digit_pair){value, last_rule(b)};
	return 0;
}

static int match_place(struct rules_builder *b, struct pairs *p,
	const void *place, unsigned depth)
{
	struct place_pair *pair = pairs_add(b, p, sizeof(*pair));

	if (!pair)
		return -ENOMEM;
	*pair = (struct place_pair){place, depth, last_rule(b)};
	return 0;
}

int rules_match_suffix(struct rules_builder *b, const struct name *name)
{
	return match_place(b, &b->suffix, name, name_labels(name->wire));
}

int rules_match_exact(struct rules_builder *b, const struct name *name)
{
	return match_place(b, &b->exact, name, name_labels(name->wire));
}

int rules_match_source(struct rules_builder *b, const struct prefix *prefix)
{
	return match_place(b, &b->source, prefix, prefix->len);
}

/* --- sets -------------------------------------------------------------- */

static void put(struct bitmap *m, size_t rule)
{
	m->words[rule / 64] |= 1ULL << rule % 64;
}

static void merge(struct bitmap *m, const struct rule_set *set)
{
	const uint64_t *word = set->words;

	for (unsigned i = 0; i < RULE_WORDS; i++)
		if (set->summary >> i & 1)
			m->words[i] |= *word++;
}

/* The set of these rules, made when there is no such one yet. */
static const struct rule_set *make_set(
	struct rules_builder *b, const struct bitmap *m)
{
	static const struct hash_key key = {0x69737072756c6573, 0x7365747321};
	uint64_t buf[1 + RULE_WORDS] = {0};
	size_t n = 1;
	struct known_set **bucket, *known;

	for (unsigned i = 0; i < RULE_WORDS; i++) {
		if (!m->words[i])
			continue;
		buf[0] |= 1ULL << i;
		buf[n++] = m->words[i];
	}
	bucket = &b->known[hash_bytes(&key, buf, n * sizeof(*buf)) % BUCKETS];
	for (known = *bucket; known; known = known->chain)
		if (known->words == n &&
			memcmp(known->set, buf, n * sizeof(*buf)) == 0)
			return known->set;
	known = arena_alloc(&b->scratch, sizeof(*known));
	if (!known)
		return NULL;
	known->set = arena_memdup(b->arena, buf, n * sizeof(*buf));
	if (!known->set)
		return NULL;
	known->words = n;
	known->chain = *bucket;
	*bucket = known;
	return known->set;
}

/* All rules but those of the list. */
static void others(const struct rules_builder *b, const struct pairs *p,
	size_t size, size_t rule_at, struct bitmap *out)
{
	struct bitmap named = {{0}};

	for (size_t i = 0; i < p->count; i++) {
		const char *pair = (const char *)p->at + i * size;
		uint16_t rule;

		memcpy(&rule, pair + rule_at, sizeof(rule));
		put(&named, rule);
	}
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < b->rules->count; i++)
		put(out, i);
	for (size_t i = 0; i < RULE_WORDS; i++)
		out->words[i] &= ~named.words[i];
}

/* --- numbers ----------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
	const struct digit_pair *x = a, *y = b;

	return x->value - y->value;
}

static int compile_digits(struct rules_builder *b, enum rule_digit digit)
{
	struct rule_digits *d = &b->rules->digits[digit];
	struct pairs *p = &b->digits[digit];
	struct digit_pair *pair = p->at;
	struct bitmap any;

	others(b, p, sizeof(*pair), offsetof(struct digit_pair, rule), &any);
	d->any = make_set(b, &any);
	d->values = arena_array(b->arena, p->count, sizeof(*d->values));
	d->sets = arena_array(b->arena, p->count, sizeof(*d->sets));
	if (!d->any || !d->values || !d->sets)
		return -ENOMEM;
	for (size_t i = 0; i < countof(d->low); i++)
		d->low[i] = d->any;
	d->used = p->count > 0;
	if (d->used)
		qsort(pair, p->count, sizeof(*pair), by_value);
	for (size_t i = 0; i < p->count;) {
		struct bitmap m = any;
		const struct rule_set *set;
		uint16_t value = pair[i].value;

		for (; i < p->count && pair[i].value == value; i++)
			put(&m, pair[i].rule);
		set = make_set(b, &m);
		if (!set)
			return -ENOMEM;
		if (value < countof(d->low)) {
			d->low[value] = set;
			continue;
		}
		d->values[d->count] = value;
		d->sets[d->count++] = set;
	}
	return 0;
}

/* --- names and prefixes ------------------------------------------------ */

/* Wider places first, equal ones together. */
static int by_name(const void *a, const void *b)
{
	const struct place_pair *x = a, *y = b;
	const struct name *m = x->place, *n = y->place;

	if (x->depth != y->depth)
		return x->depth < y->depth ? -1 : 1;
	return name_compare(m->wire, n->wire);
}

static int by_prefix(const void *a, const void *b)
{
	const struct place_pair *x = a, *y = b;
	const struct prefix *p = x->place, *q = y->place;
	const uint8_t *o, *r;
	size_t n = addr_octets(&p->addr, &o), k = addr_octets(&q->addr, &r);

	if (n != k)
		return n < k ? -1 : 1;
	if (x->depth != y->depth)
		return x->depth < y->depth ? -1 : 1;
	return memcmp(o, r, n);
}

/* One kind of place: how it is compared, found around, and added. */
struct place_kind {
	int (*compare)(const void *a, const void *b);
	/* the value of the narrowest place around this one, or UINT32_MAX */
	uint32_t (*around)(const struct rule_places *out, const void *place);
	int (*add)(struct rule_places *out, const void *place, uint32_t value);
};

static uint32_t around_suffix(const struct rule_places *out, const void *place)
{
	return suffix_map_find(out->names, ((const struct name *)place)->wire);
}

static uint32_t around_nothing(const struct rule_places *out, const void *place)
{
	(void)out;
	(void)place;
	return UINT32_MAX;
}

static uint32_t around_prefix(const struct rule_places *out, const void *place)
{
	return prefix_map_find(
		out->prefixes, &((const struct prefix *)place)->addr);
}

static int add_name(struct rule_places *out, const void *place, uint32_t value)
{
	return suffix_map_add(out->names, place, value);
}

static int add_prefix(
	struct rule_places *out, const void *place, uint32_t value)
{
	return prefix_map_add(out->prefixes, place, value);
}

/* A place, `any` and what is around it, and the rules of `count` pairs. */
static int compile_place(struct rules_builder *b, struct rule_places *out,
	const struct place_kind *kind, const struct place_pair *pair,
	size_t count, uint32_t value)
{
	struct bitmap m = {{0}};
	uint32_t around = kind->around(out, pair->place);

	merge(&m, around == UINT32_MAX ? out->any : out->sets[around]);
	for (size_t i = 0; i < count; i++)
		put(&m, pair[i].rule);
	out->sets[value] = make_set(b, &m);
	if (!out->sets[value])
		return -ENOMEM;
	return kind->add(out, pair->place, value);
}

static int compile_places(struct rules_builder *b, struct pairs *p,
	const struct place_kind *kind, struct rule_places *out)
{
	struct place_pair *pair = p->at;
	struct bitmap any;
	uint32_t value = 0;

	if (p->count == 0)
		return 0;
	others(b, p, sizeof(*pair), offsetof(struct place_pair, rule), &any);
	out->any = make_set(b, &any);
	out->sets = arena_array(b->arena, p->count, sizeof(*out->sets));
	if (kind->add == add_prefix)
		out->prefixes = prefix_map_new(b->arena);
	else
		out->names = suffix_map_new(b->arena, p->count);
	if (!out->any || !out->sets || (!out->prefixes && !out->names))
		return -ENOMEM;
	qsort(pair, p->count, sizeof(*pair), kind->compare);
	for (size_t i = 0, n; i < p->count; i += n, value++) {
		int rc;

		for (n = 1; i + n < p->count &&
			    kind->compare(&pair[i], &pair[i + n]) == 0;)
			n++;
		rc = compile_place(b, out, kind, &pair[i], n, value);
		if (rc < 0)
			return rc;
	}
	return 0;
}

struct rules *rules_end(struct rules_builder *b)
{
	static const struct place_kind suffix = {
		by_name, around_suffix, add_name};
	static const struct place_kind exact = {
		by_name, around_nothing, add_name};
	static const struct place_kind source = {
		by_prefix, around_prefix, add_prefix};
	struct rules *rules;
	int rc = 0;

	if (!b)
		return NULL;
	rules = b->rules;
	for (unsigned i = 0; i < RULE_DIGITS && rc == 0; i++)
		rc = compile_digits(b, (enum rule_digit)i);
	if (rc == 0)
		rc = compile_places(b, &b->suffix, &suffix, &rules->suffix);
	if (rc == 0)
		rc = compile_places(b, &b->exact, &exact, &rules->exact);
	if (rc == 0)
		rc = compile_places(b, &b->source, &source, &rules->source);
	rules_abort(b);
	return rc == 0 ? rules : NULL;
}
