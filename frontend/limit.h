/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_LIMIT_H
#define FRONTEND_LIMIT_H

/*
 * Token buckets per client address in a table of fixed size. When a set of
 * the table is full, the address unseen for longest makes room; a new address
 * starts with a full bucket. Any thread (striped locks, held for a few
 * instructions). It survives a reload.
 */

#include "common/net/addr.h"

struct limiter;

struct limit_rule {
	uint32_t qps;   /* tokens per second; 0: no limit */
	uint32_t burst; /* size of the bucket, at least 1 */
};

/*
 * A bucket is one number: the time (monotonic ns) at which it is full again.
 * `rule->qps` must not be 0. Pure.
 */
static inline int64_t bucket_token_ns(const struct limit_rule *rule)
{
	return 1000000000 / rule->qps;
}

/* Is there a token in the bucket? */
static inline bool bucket_has(
	int64_t full_ns, const struct limit_rule *rule, int64_t now_ns)
{
	/* `burst` tokens are there when it is full */
	return full_ns - now_ns <=
	       bucket_token_ns(rule) * ((int64_t)rule->burst - 1);
}

/* The bucket without one token; an empty one stays empty. */
static inline int64_t bucket_spend(
	int64_t full_ns, const struct limit_rule *rule, int64_t now_ns)
{
	int64_t empty = now_ns + bucket_token_ns(rule) * (int64_t)rule->burst;
	int64_t next =
		(full_ns > now_ns ? full_ns : now_ns) + bucket_token_ns(rule);

	return next < empty ? next : empty;
}

/* What the bucket counts: the same address has one bucket for each. */
enum limit_kind {
	LIMIT_QUERIES,
	LIMIT_PROVEN_QUERIES, /* from one who has shown its address */
	LIMIT_REFUSALS,
	LIMIT_RULE,
	LIMIT_MISSES,
	LIMIT_SUFFIX_MISSES,
};

/* `size` buckets, rounded up to a power of two, 64..2^26. NULL: no memory. */
struct limiter *limiter_new(size_t size) MUST_CHECK;
void limiter_free(struct limiter *limiter); /* NULL allowed */
size_t limiter_size(const struct limiter *limiter);
/* Buckets in use by addresses seen in the last minute. Slow: walks all. */
size_t limiter_used(struct limiter *limiter, int64_t now_us);

/*
 * Take one token from the bucket of `client`, of which the first `v4_bits` or
 * `v6_bits` bits count. False: over the limit. `now_us` is monotonic time.
 */
bool limit_take(struct limiter *limiter, enum limit_kind kind,
	const union addr *client, unsigned v4_bits, unsigned v6_bits,
	const struct limit_rule *rule, int64_t now_us);

/* Who a bucket belongs to, when it is not a client alone. */
struct limit_owner {
	enum limit_kind kind;
	uint64_t scope;           /* such as the id of a rule */
	const union addr *client; /* NULL: one bucket for all */
	unsigned v4_bits, v6_bits;
	const uint8_t *name; /* lower case; may be NULL */
	size_t name_len;
};

bool limit_take_owned(struct limiter *limiter, const struct limit_owner *owner,
	const struct limit_rule *rule, int64_t now_us);

#endif
