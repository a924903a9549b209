/* SPDX-License-Identifier: ISC */
/*
 * A set lists only its words that are not empty, and the summaries of all
 * dimensions are intersected first: a query that no rule is about costs the
 * look-ups and one AND each, whatever the number of rules.
 */

#include "frontend/rule.h"

#include "frontend/rule_impl.h"

size_t rules_count(const struct rules *rules)
{
	return rules ? rules->count : 0;
}

const struct rule *rules_at(const struct rules *rules, size_t i)
{
	return &rules->rules[i];
}

const char *rule_action_name(enum rule_action action)
{
	static const char *const names[] = {"allow", "drop", "refuse",
		"nxdomain", "servfail", "notimp", "truncate", "pool", "spoof",
		"rate-limit", "tag", "set-pool", "no-recurse"};

	return names[action];
}

static const struct rule_set *find_digit(
	const struct rule_digits *d, uint16_t value)
{
	size_t from = 0, to = d->count;

	if (value < countof(d->low))
		return d->low[value];
	while (from < to) {
		size_t mid = (from + to) / 2;

		if (d->values[mid] == value)
			return d->sets[mid];
		if (d->values[mid] < value)
			from = mid + 1;
		else
			to = mid;
	}
	return d->any;
}

static const struct rule_set *set_at(const struct rule_places *p, uint32_t i)
{
	return i == UINT32_MAX ? p->any : p->sets[i];
}

/* False: nothing can match any more. */
static bool narrow(struct rule_cursor *c, const struct rule_set *set)
{
	c->steps++;
	c->words &= set->summary;
	c->sets[c->set_count++] = set;
	return c->words != 0;
}

static bool narrow_digits(const struct rules *rules, const struct rule_query *q,
	struct rule_cursor *c)
{
	const uint16_t values[RULE_DIGITS] = {
		[RULE_OPCODE] = (uint16_t)q->opcode,
		[RULE_TRANSPORT] = q->tcp,
		[RULE_RD] = q->rd,
		[RULE_DO] = q->dnssec,
		[RULE_CLASS] = q->class,
		[RULE_TYPE] = q->type,
	};

	for (unsigned i = 0; i < RULE_DIGITS; i++) {
		const struct rule_digits *d = &rules->digits[i];
		bool known = q->name || (i != RULE_CLASS && i != RULE_TYPE);

		if (d->used &&
			!narrow(c, known ? find_digit(d, values[i]) : d->any))
			return false;
	}
	return true;
}

static bool narrow_names(const struct rules *rules, const struct rule_query *q,
	struct rule_cursor *c)
{
	const struct rule_places *s = &rules->suffix, *e = &rules->exact;

	if (s->names && !narrow(c, q->name ? set_at(s, suffix_map_find(s->names,
							       q->name))
					   : s->any))
		return false;
	return !e->names ||
	       narrow(c, q->name ? set_at(e, suffix_map_get(e->names, q->name))
				 : e->any);
}

void rules_find(const struct rules *rules, const struct rule_query *q,
	struct rule_cursor *c)
{
	const struct rule_places *s = &rules->source;

	c->set_count = 0;
	c->steps = 0;
	c->bits = 0;
	c->word = 0;
	c->words =
		rules->count ? UINT64_MAX >> (63 - (rules->count - 1) / 64) : 0;
	if (c->words && narrow_digits(rules, q, c) &&
		narrow_names(rules, q, c) && s->prefixes)
		(void)narrow(
			c, set_at(s, prefix_map_find(s->prefixes, q->client)));
}

static uint64_t word_of(const struct rule_set *set, unsigned word)
{
	uint64_t below = set->summary & ((1ULL << word) - 1);

	return set->words[__builtin_popcountll(below)];
}

/* The next word with a rule that all sets hold; false: none. */
static bool next_word(const struct rules *rules, struct rule_cursor *c)
{
	while (c->words) {
		unsigned word = (unsigned)__builtin_ctzll(c->words);
		uint64_t bits = UINT64_MAX;

		if (word == (rules->count - 1) / 64)
			bits >>= 63 - (rules->count - 1) % 64;
		c->words &= c->words - 1;
		c->word = word;
		for (unsigned i = 0; i < c->set_count; i++)
			bits &= word_of(c->sets[i], word);
		c->steps++;
		c->bits = bits;
		if (bits)
			return true;
	}
	return false;
}

const struct rule *rules_next(const struct rules *rules, struct rule_cursor *c)
{
	unsigned bit;

	if (!c->bits && !next_word(rules, c))
		return NULL;
	bit = (unsigned)__builtin_ctzll(c->bits);
	c->bits &= c->bits - 1;
	return &rules->rules[c->word * 64 + bit];
}
