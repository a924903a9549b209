/* SPDX-License-Identifier: ISC */
/*
 * The keyed hash of a name or address is its identity. A set is full before
 * anything is lost; then the one with the lowest count makes room and its
 * count goes over to the new one as surplus, so nobody is counted too low
 * and who is asked often stays.
 */

#include "frontend/top.h"

#include <errno.h>

#define WAYS    8
#define SETS    32
#define ENTRIES (SETS * WAYS)

union item {
	struct name name;
	union addr client;
};

struct list {
	uint64_t hash[ENTRIES]; /* 0: free */
	uint32_t count[ENTRIES], surplus[ENTRIES];
	union item item[ENTRIES];
	uint64_t total;
};

struct window {
	struct mtime since;
	struct list lists[TOP_KINDS];
};

struct top {
	struct hash_key key;
	bool on;
	unsigned current; /* of windows; the other is the one before */
	struct top_sampler queries, failures;
	struct window windows[2];
};

struct top *top_room(void)
{
	return calloc(1, sizeof(struct top));
}

struct top *top_new(const struct hash_key *key)
{
	struct top *top = top_room();

	if (top)
		top->key = *key;
	return top;
}

void top_free(struct top *top)
{
	free(top);
}

void top_copy(struct top *to, const struct top *from)
{
	*to = *from;
}

/* --- counting ---------------------------------------------------------- */

/* Uniform in 1..2w-1: w on average, and no pattern of queries fits it. */
static uint32_t take(struct top_sampler *s, struct rng *rng)
{
	if (s->skip == 0) /* off */
		return 0;
	if (--s->skip > 0)
		return 0;
	s->skip = 1 + rng_below(rng, 2 * s->weight - 1);
	return s->weight;
}

uint32_t top_take_query(struct top *top, struct rng *rng)
{
	return take(&top->queries, rng);
}

uint32_t top_take_failure(struct top *top, struct rng *rng)
{
	return take(&top->failures, rng);
}

/* The counter of this hash; *fresh: the item is to be set. */
static unsigned find(struct list *l, uint64_t hash, bool *fresh)
{
	unsigned first = (unsigned)(hash % SETS) * WAYS, least = first;

	*fresh = false;
	for (unsigned i = first; i < first + WAYS; i++) {
		if (l->hash[i] == hash)
			return i;
		if (l->count[i] < l->count[least])
			least = i;
	}
	*fresh = true;
	l->hash[least] = hash;
	l->surplus[least] = l->count[least];
	return least;
}

static union item *count_it(
	struct list *l, uint64_t hash, uint32_t weight, bool *fresh)
{
	unsigned i = find(l, hash ? hash : 1, fresh);

	l->count[i] += weight;
	l->total += weight;
	return &l->item[i];
}

static struct list *list_of(struct top *top, enum top_kind kind)
{
	return &top->windows[top->current].lists[kind];
}

void top_add_name(struct top *top, enum top_kind kind, const uint8_t *name,
	uint8_t name_len, uint32_t weight)
{
	bool fresh;
	union item *item = count_it(list_of(top, kind),
		name_hash(&top->key, name, name_len), weight, &fresh);

	if (!fresh)
		return;
	item->name.len = name_len;
	name_to_lower(item->name.wire, name, name_len);
}

void top_add_client(struct top *top, const union addr *client, uint32_t weight)
{
	bool fresh;
	union item *item = count_it(list_of(top, TOP_CLIENTS),
		addr_hash_ip(&top->key, client), weight, &fresh);

	if (fresh)
		item->client = *client;
}

/* --- time -------------------------------------------------------------- */

static void set_part(struct top_sampler *s, uint64_t seen, unsigned per_turn)
{
	uint64_t n = seen - s->seen;

	s->seen = seen;
	s->weight = (uint32_t)(n / per_turn) + 1;
	/* not later than the part that is due now */
	if (s->skip == 0 || s->skip > 2 * s->weight - 1)
		s->skip = 1;
}

static void begin_window(struct window *w, struct mtime now)
{
	/* the items stay: a free counter has none */
	for (unsigned i = 0; i < TOP_KINDS; i++) {
		struct list *l = &w->lists[i];

		memset(l, 0, offsetof(struct list, item));
		l->total = 0;
	}
	w->since = now;
}

static void turn_on(struct top *top, struct mtime now)
{
	begin_window(&top->windows[0], now);
	begin_window(&top->windows[1], now);
	top->on = true;
}

void top_turn(struct top *top, struct mtime now, uint32_t window_ms,
	uint64_t queries, uint64_t failures)
{
	if (window_ms == 0) {
		top->on = false;
		top->queries.skip = top->failures.skip = 0;
		return;
	}
	if (!top->on)
		turn_on(top, now);
	if (mtime_sub_us(now, top->windows[top->current].since) >=
		window_ms * 1000ll) {
		top->current ^= 1;
		begin_window(&top->windows[top->current], now);
	}
	set_part(&top->queries, queries, TOP_RATE / 50);
	set_part(&top->failures, failures, TOP_RATE / 50);
}

double top_seconds(const struct top *top, struct mtime now)
{
	const struct window *w = top->windows;
	struct mtime since =
		mtime_before(w[0].since, w[1].since) ? w[0].since : w[1].since;

	return top->on ? (double)mtime_sub_us(now, since) / 1e6 : 0;
}

/* --- ranking ----------------------------------------------------------- */

struct sum {
	uint64_t hash, count, surplus;
	const union item *item;
};

static int by_hash(const void *a, const void *b)
{
	const struct sum *x = a, *y = b;

	return (x->hash > y->hash) - (x->hash < y->hash);
}

static int by_count(const void *a, const void *b)
{
	const struct sum *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return by_hash(a, b);
}

static size_t gather(const struct list *l, struct sum *out)
{
	size_t n = 0;

	for (unsigned i = 0; i < ENTRIES; i++)
		if (l->hash[i])
			out[n++] = (struct sum){l->hash[i], l->count[i],
				l->surplus[i], &l->item[i]};
	return n;
}

/* Add up those of one hash; returns how many are left. */
static size_t merge(struct sum *sums, size_t n)
{
	size_t used = 0;

	qsort(sums, n, sizeof(*sums), by_hash);
	for (size_t i = 0; i < n; i++) {
		if (used > 0 && sums[used - 1].hash == sums[i].hash) {
			sums[used - 1].count += sums[i].count;
			sums[used - 1].surplus += sums[i].surplus;
		} else {
			sums[used++] = sums[i];
		}
	}
	qsort(sums, used, sizeof(*sums), by_count);
	return used;
}

int top_rank(const struct top *const *tops, unsigned count, enum top_kind kind,
	struct top_row *rows, unsigned max, uint64_t *total)
{
	struct sum *sums = calloc(count * 2ul * ENTRIES, sizeof(*sums));
	size_t n = 0;

	*total = 0;
	if (!sums)
		return -ENOMEM;
	for (unsigned i = 0; i < count * 2; i++) {
		const struct list *l = &tops[i / 2]->windows[i % 2].lists[kind];

		n += gather(l, sums + n);
		*total += l->total;
	}
	n = merge(sums, n);
	if (n > max)
		n = max;
	for (size_t i = 0; i < n; i++) {
		rows[i].count = sums[i].count;
		rows[i].surplus = sums[i].surplus;
		rows[i].is_name = kind != TOP_CLIENTS;
		if (rows[i].is_name)
			rows[i].name = sums[i].item->name;
		else
			rows[i].client = sums[i].item->client;
	}
	free(sums);
	return (int)n;
}
