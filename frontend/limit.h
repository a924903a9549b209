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
