/* SPDX-License-Identifier: ISC */
/*
 * Every rule works on the best class of members that were not tried yet:
 * those that are fit, else those worth a try; with tiers, on the lowest order
 * among them. No memory, no lock.
 */

#include "frontend/pool.h"

#include <errno.h>

#define POINTS_PER_WEIGHT 64
#define WEIGHT_POINTS_MAX 100

static bool was_tried(const struct pool_choice *c, uint16_t id)
{
	for (unsigned i = 0; i < c->tried_count; i++)
		if (c->tried[i] == id)
			return true;
	return false;
}

/* The members that a rule picks from. */
struct class
{
	enum server_fitness fitness; /* SERVER_OUT: there is none */
	bool tiers;
	uint32_t order; /* with tiers */
	unsigned count;
	uint64_t weight; /* their sum */
};

static bool is_candidate(const struct pool_member *m,
	const struct pool_choice *c, const struct class *class)
{
	return server_get_fitness(m->server) == class->fitness &&
	       (!class->tiers || m->order == class->order) &&
	       !was_tried(c, m->server->id);
}

static struct class best_class(
	const struct pool *pool, const struct pool_choice *c)
{
	struct class best = {.fitness = SERVER_OUT, .tiers = pool->tiers};

	for (unsigned i = 0; i < pool->count; i++) {
		const struct pool_member *m = &pool->members[i];
		enum server_fitness f = server_get_fitness(m->server);
		bool better = f > best.fitness ||
			      (pool->tiers && m->order < best.order);

		if (f == SERVER_OUT || f < best.fitness ||
			was_tried(c, m->server->id) ||
			(!better && pool->tiers && m->order > best.order))
			continue;
		if (better) {
			best.fitness = f;
			best.order = m->order;
			best.count = 0;
			best.weight = 0;
		}
		best.count++;
		best.weight += m->weight;
	}
	return best;
}

/* Fewest outstanding, then lowest order, then lowest latency. */
static bool is_less_loaded(
	const struct pool_member *a, const struct pool_member *b)
{
	uint32_t oa = server_get_outstanding(a->server);
	uint32_t ob = server_get_outstanding(b->server);

	if (oa != ob)
		return oa < ob;
	if (a->order != b->order)
		return a->order < b->order;
	return server_get_latency(a->server) < server_get_latency(b->server);
}

static bool is_better(const struct pool *pool, const struct pool_member *m,
	const struct pool_member *best, bool by_order)
{
	if ((by_order || pool->tiers) && m->order != best->order)
		return m->order < best->order;
	return !by_order && is_less_loaded(m, best);
}

/* Has it reached its limit? */
static bool is_over(const struct pool_member *m, int64_t now_us)
{
	return m->limit.qps > 0 &&
	       !server_has_token(m->server, &m->limit, now_us);
}

/* One pass finds the class as well: with many members this is dear. By order,
 * those over their limit are passed by: -1 when all of the class are. */
static int choose_best(
	const struct pool *pool, const struct pool_choice *c, bool by_order)
{
	enum server_fitness class = SERVER_OUT;
	int best = -1;

	for (unsigned i = 0; i < pool->count; i++) {
		const struct pool_member *m = &pool->members[i];
		enum server_fitness f = server_get_fitness(m->server);

		if (f == SERVER_OUT || f < class ||
			(c->tried_count > 0 && was_tried(c, m->server->id)))
			continue;
		if (f > class)
			best = -1;
		class = f;
		if (by_order && is_over(m, c->now_us))
			continue;
		if (best < 0 ||
			is_better(pool, m, &pool->members[best], by_order))
			best = (int)i;
	}
	return best;
}

/* As dnsdist: who has reached its limit is asked again when all have, then
 * the one that owes fewest answers. */
static int choose_first(const struct pool *pool, const struct pool_choice *c)
{
	int best = choose_best(pool, c, true);

	return best >= 0 ? best : choose_best(pool, c, false);
}

void pool_spend(const struct pool_member *m, int64_t now_us)
{
	if (m->limit.qps > 0)
		server_spend_token(m->server, &m->limit, now_us);
}

/* The n-th candidate (by number, or by weight). */
static int choose_nth(const struct pool *pool, const struct pool_choice *c,
	const struct class *class, uint64_t n, bool by_weight)
{
	int last = -1;

	for (unsigned i = 0; i < pool->count; i++) {
		const struct pool_member *m = &pool->members[i];
		uint64_t step = by_weight ? m->weight : 1;

		if (!is_candidate(m, c, class))
			continue;
		last = (int)i;
		if (n < step)
			break;
		n -= step;
	}
	return last;
}

/* The first point at or behind `hash`, round the end. */
static unsigned ring_find(const struct pool *pool, uint32_t hash)
{
	unsigned low = 0, high = pool->ring_size;

	while (low < high) {
		unsigned mid = low + (high - low) / 2;

		if (pool->ring[mid].hash < hash)
			low = mid + 1;
		else
			high = mid;
	}
	return low % pool->ring_size;
}

static int choose_hashed(const struct pool *pool, const struct pool_choice *c,
	const struct class *class)
{
	unsigned at = ring_find(pool, c->name_hash);

	for (unsigned i = 0; i < pool->ring_size; i++) {
		unsigned n = pool->ring[(at + i) % pool->ring_size].member;

		if (is_candidate(&pool->members[n], c, class))
			return (int)n;
	}
	return -1;
}

static int choose(const struct pool *pool, const struct pool_choice *c)
{
	struct class class;

	if (pool->policy == POOL_LEAST_OUTSTANDING)
		return choose_best(pool, c, false);
	if (pool->policy == POOL_FIRST_AVAILABLE)
		return choose_first(pool, c);
	class = best_class(pool, c);
	if (class.fitness == SERVER_OUT)
		return -1;
	if (pool->policy == POOL_ROUND_ROBIN)
		return choose_nth(
			pool, c, &class, (*c->turn)++ % class.count, false);
	if (pool->policy == POOL_WEIGHTED_RANDOM)
		return choose_nth(pool, c, &class,
			rng_next(c->rng) % (class.weight ? class.weight : 1),
			true);
	return choose_hashed(pool, c, &class);
}

void pool_run_start(struct pool_run *run, unsigned count)
{
	run->left = 0;
	run->length = count / POOL_RUN_PARTS;
	if (run->length > POOL_RUN_MAX)
		run->length = POOL_RUN_MAX;
}

static bool goes_on(const struct pool_run *run, const struct pool *pool)
{
	return run->left > 0 && run->pool == pool &&
	       server_get_fitness(pool->members[run->member].server) ==
		       run->fitness;
}

/* A first choice under a rule that does not depend on the question. */
static int choose_run(const struct pool *pool, const struct pool_choice *c)
{
	struct pool_run *run = c->run;
	int i;

	if (goes_on(run, pool)) {
		run->left--;
		return (int)run->member;
	}
	i = choose(pool, c);
	if (i < 0)
		return i;
	run->pool = pool;
	run->member = (unsigned)i;
	run->fitness = server_get_fitness(pool->members[i].server);
	run->left = run->length > 0 ? run->length - 1 : 0;
	return i;
}

int pool_choose(const struct pool *pool, const struct pool_choice *c)
{
	bool runs = c->run && c->tried_count == 0 &&
		    (pool->policy == POOL_LEAST_OUTSTANDING ||
			    pool->policy == POOL_ROUND_ROBIN);

	return runs ? choose_run(pool, c) : choose(pool, c);
}

bool pool_is_exhausted(const struct pool *pool, const struct pool_choice *c)
{
	return best_class(pool, c).fitness == SERVER_OUT;
}

bool pool_is_condemned(const struct pool *pool, const struct pool_choice *c)
{
	for (unsigned i = 0; i < pool->count; i++) {
		const struct server *s = pool->members[i].server;

		if (was_tried(c, s->id) && server_get_fitness(s) != SERVER_OUT)
			return false;
	}
	return c->tried_count > 0;
}

/* The same everywhere: no secret. */
static const struct hash_key ring_key = {0x6973702d646e73ull, 0x72696e67ull};

uint32_t pool_name_hash(const uint8_t *name, uint8_t len)
{
	return (uint32_t)hash_bytes(&ring_key, name, len);
}

static uint32_t point_hash(const struct server *s, unsigned n)
{
	char text[ADDR_TEXT + 16];
	char addr[ADDR_TEXT];
	int len = snprintf(
		text, sizeof(text), "%s/%u", addr_print(&s->addr, addr), n);

	return (uint32_t)hash_bytes(&ring_key, text, (size_t)len);
}

static int compare_points(const void *a, const void *b)
{
	const struct pool_point *pa = a, *pb = b;

	if (pa->hash != pb->hash)
		return pa->hash < pb->hash ? -1 : 1;
	return pa->member < pb->member ? -1 : pa->member > pb->member;
}

static unsigned points_of(const struct pool_member *m)
{
	uint32_t weight =
		m->weight < WEIGHT_POINTS_MAX ? m->weight : WEIGHT_POINTS_MAX;

	return weight * POINTS_PER_WEIGHT;
}

int pool_build_ring(struct pool *pool, struct arena *arena)
{
	unsigned size = 0, n = 0;

	for (unsigned i = 0; i < pool->count; i++)
		size += points_of(&pool->members[i]);
	pool->ring = arena_array(arena, size, sizeof(*pool->ring));
	if (!pool->ring)
		return -ENOMEM;
	for (unsigned i = 0; i < pool->count; i++) {
		const struct pool_member *m = &pool->members[i];

		for (unsigned k = 0; k < points_of(m); k++, n++) {
			pool->ring[n].hash = point_hash(m->server, k);
			pool->ring[n].member = i;
		}
	}
	pool->ring_size = size;
	qsort(pool->ring, size, sizeof(*pool->ring), compare_points);
	return 0;
}

bool pool_is_usable(const struct pool *pool)
{
	for (unsigned i = 0; i < pool->count; i++)
		if (server_get_fitness(pool->members[i].server) != SERVER_OUT)
			return true;
	return false;
}

bool pool_is_revived(const struct pool *pool, struct mtime since)
{
	for (unsigned i = 0; i < pool->count; i++)
		if (__atomic_load_n(&pool->members[i].server->revived_us,
			    __ATOMIC_RELAXED) >= since.us)
			return true;
	return false;
}

unsigned pool_count_fit(const struct pool *pool)
{
	unsigned n = 0;

	for (unsigned i = 0; i < pool->count; i++)
		n += server_get_fitness(pool->members[i].server) == SERVER_FIT;
	return n;
}

const char *pool_policy_name(enum pool_policy policy)
{
	static const char *const names[] = {"leastOutstanding",
		"firstAvailable", "roundrobin", "wrandom", "chashed"};

	return names[policy];
}
