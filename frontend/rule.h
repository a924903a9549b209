/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_RULE_H
#define FRONTEND_RULE_H

/*
 * The operator's ordered rules, compiled: each dimension of a query (opcode,
 * transport, RD, DO, class, type, name, source) is looked up once and gives the
 * set of rules that it satisfies; their intersection, walked from the lowest
 * number, is what matches. The look-ups do not grow with the number of rules.
 * Pure; part of the policy snapshot, immutable once compiled.
 */

#include "common/base/arena.h"
#include "common/dns/suffix.h"
#include "common/net/prefix.h"
#include "frontend/limit.h"
#include "frontend/spoof.h"

#define RULES_MAX   4096
#define RULE_NAME   64
#define RULE_DIGITS 6 /* dimensions that are numbers */
#define RULE_DIMS   (RULE_DIGITS + 3)

enum rule_action { /* order of the words in the configuration */
	RULE_ALLOW,
	RULE_DROP,
	RULE_REFUSE,
	RULE_NXDOMAIN,
	RULE_SERVFAIL,
	RULE_NOTIMP,
	RULE_TRUNCATE,
	RULE_POOL,
	RULE_SPOOF,
	RULE_RATE,
	RULE_TAG,
	RULE_SET_POOL,
	RULE_NO_RECURSE,
};

/* How often a rule applied: kept by the registry, found again after a reload
 * by what the rule says. Workers add (relaxed atomics), anybody reads. */
struct rule_hits {
	uint64_t id;
	uint64_t count;
	/* main thread */
	uint32_t uses;           /* snapshots' rules that point here */
	const void *owner;       /* the snapshot that took it last */
	struct rule_hits *chain; /* registry's */
};

struct rule {
	const char *name;  /* given, or "#3": the third */
	const char *match; /* what it matches, for people */
	uint64_t id;       /* of what it says */
	enum rule_action action;
	struct rule_hits *hits; /* may be NULL */
	unsigned pool; /* RULE_POOL, RULE_SET_POOL: index in the snapshot */
	const struct spoof *spoof;
	struct limit_rule rate; /* RULE_RATE */
	int over;               /* RULE_RATE: an enum policy_action */
	bool shared;            /* RULE_RATE: one bucket for all clients */
	const char *tag;        /* RULE_TAG */
};

/* The parts of a query that rules look at. */
struct rule_query {
	const uint8_t *name; /* uncompressed; NULL: has no readable question */
	uint16_t type, class;
	unsigned opcode;
	bool tcp, rd, dnssec; /* dnssec: DO */
	const union addr *client;
};

struct rules;

/* --- compiling: one thread, before the snapshot is used ----------------- */

struct rules_builder;

/* For `count` rules (at most RULES_MAX), whose memory comes from `arena`.
 * NULL: no memory. */
struct rules_builder *rules_begin(struct arena *arena, size_t count) MUST_CHECK;
/* The next rule, zero, to be filled in by the caller, and to be given what it
 * matches before the next one is added. NULL: more than `count`. */
struct rule *rules_add(struct rules_builder *b) MUST_CHECK;

enum rule_digit {
	RULE_OPCODE,
	RULE_TRANSPORT, /* 0 UDP, 1 TCP */
	RULE_RD,        /* 0, 1 */
	RULE_DO,        /* 0, 1 */
	RULE_CLASS,
	RULE_TYPE,
};

/* The last rule matches this value (too). Values of one dimension are
 * alternatives, dimensions must all match; a dimension without a value
 * matches everything. -ENOMEM. `name` and `prefix` must live until
 * rules_end. */
int rules_match_digit(struct rules_builder *b, enum rule_digit digit,
	uint16_t value) MUST_CHECK;
int rules_match_suffix(
	struct rules_builder *b, const struct name *name) MUST_CHECK;
int rules_match_exact(
	struct rules_builder *b, const struct name *name) MUST_CHECK;
int rules_match_source(
	struct rules_builder *b, const struct prefix *prefix) MUST_CHECK;
/* Compile, and free the builder whatever happens (also NULL). NULL: no
 * memory. */
struct rules *rules_end(struct rules_builder *b) MUST_CHECK;
/* Free the builder only. */
void rules_abort(struct rules_builder *b);

/* --- use: any thread --------------------------------------------------- */

struct rule_set;

struct rule_cursor {
	const struct rule_set *sets[RULE_DIMS];
	unsigned set_count;
	unsigned word;  /* the one that `bits` are left of */
	uint64_t words; /* not yet looked at */
	uint64_t bits;
	unsigned steps; /* look-ups made and words read, for tests */
};

/* Look the query up; then rules_next gives the rules that match, in order,
 * NULL at the end. */
void rules_find(const struct rules *rules, const struct rule_query *q,
	struct rule_cursor *c);
const struct rule *rules_next(const struct rules *rules, struct rule_cursor *c);

size_t rules_count(const struct rules *rules); /* NULL: 0 */
const struct rule *rules_at(const struct rules *rules, size_t i);
const char *rule_action_name(enum rule_action action);

static inline void rule_hit(const struct rule *rule)
{
	if (rule->hits)
		(void)__atomic_fetch_add(
			&rule->hits->count, 1, __ATOMIC_RELAXED);
}

static inline uint64_t rule_read_hits(const struct rule *rule)
{
	return rule->hits
		       ? __atomic_load_n(&rule->hits->count, __ATOMIC_RELAXED)
		       : 0;
}

#endif
