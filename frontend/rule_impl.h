/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_RULE_IMPL_H
#define FRONTEND_RULE_IMPL_H

/* The compiled form, shared by rule.c (use) and rule_build.c (making). */

#include "frontend/rule.h"

#define RULE_WORDS (RULES_MAX / 64)

/*
 * A set of rules, those with lower numbers in lower words. Only words that
 * are not empty are kept: bit n of `summary` says that word n is one.
 */
struct rule_set {
	uint64_t summary;
	uint64_t words[];
};

/* Values of one numeric dimension; those that no rule names have `any`. */
struct rule_digits {
	bool used; /* by a rule; else it matches all of them */
	const struct rule_set *any;
	const struct rule_set *low[256];
	uint16_t *values; /* of 256 and above, ascending */
	const struct rule_set **sets;
	size_t count;
};

/* Names, or prefixes: the map's values are indexes into `sets`. */
struct rule_places {
	const struct rule_set *any;
	const struct rule_set **sets;
	struct suffix_map *names; /* NULL: no rule names one */
	struct prefix_map *prefixes;
};

struct rules {
	struct rule *rules;
	size_t count;
	struct rule_digits digits[RULE_DIGITS];
	struct rule_places suffix, exact, source;
};

#endif
