/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_TOP_H
#define FRONTEND_TOP_H

/*
 * Who asks most, what is asked most, and which names fail most, over the last
 * one to two windows, in fixed memory (Space-Saving, Metwally et al. 2005, in
 * sets of eight counters). Below TOP_RATE queries a second each is counted;
 * above, a random part, each for as many as it stands for, so the cost has a
 * bound. A worker owns its own; others get a copy of it by a message.
 */

#include "common/base/clock.h"
#include "common/base/hash.h"
#include "common/dns/name.h"
#include "common/net/addr.h"

#define TOP_RATE 2000 /* per second and kind of event, about */

enum top_kind {
	TOP_NAMES,
	TOP_CLIENTS,
	TOP_SERVFAIL, /* names answered so */
	TOP_NXDOMAIN,
	TOP_KINDS,
};

/* What may be counted: a part of all. */
struct top_sampler {
	uint32_t skip, weight;
	uint64_t seen;
};

struct top;

/* `key`: equal for all workers, so that their counts can be added. NULL: no
 * memory. Counts nothing until the first top_turn. */
struct top *top_new(const struct hash_key *key) MUST_CHECK;
void top_free(struct top *top); /* NULL allowed */
/* Room for a copy, and the copy (by the owner of `from`). */
struct top *top_room(void) MUST_CHECK;
void top_copy(struct top *to, const struct top *from);

/* Of how many events this one is to stand for; 0: not to be counted. */
uint32_t top_take_query(struct top *top, struct rng *rng);
uint32_t top_take_failure(struct top *top, struct rng *rng);
/* `name` in any case. */
void top_add_name(struct top *top, enum top_kind kind, const uint8_t *name,
	uint8_t name_len, uint32_t weight);
void top_add_client(struct top *top, const union addr *client, uint32_t weight);

/* Every 20 ms or so: `queries` and `failures` since the start set the part
 * that is counted; a new window begins in time. `window_ms` 0: off. */
void top_turn(struct top *top, struct mtime now, uint32_t window_ms,
	uint64_t queries, uint64_t failures);

struct top_row {
	uint64_t count;
	uint64_t surplus; /* of it, at most so many are not its own */
	bool is_name;
	struct name name;
	union addr client;
};

/* The `max` greatest of several copies put together, greatest first. Returns
 * how many; *total: of all. Slow; -ENOMEM. */
int top_rank(const struct top *const *tops, unsigned count, enum top_kind kind,
	struct top_row *rows, unsigned max, uint64_t *total) MUST_CHECK;
/* Seconds that a copy covers at `now`. */
double top_seconds(const struct top *top, struct mtime now);

#endif
