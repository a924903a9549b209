/* SPDX-License-Identifier: ISC */
/*
 * As limit.c: a keyed hash of the masked address picks a set of four, the
 * hash is the identity. The one that makes room is a source whose window is
 * over, else the one with the fewest queries, so those worth noting stay.
 * Lock: stripe[set % STRIPES], a spin lock, for one update; then queue_lock.
 */

#include "frontend/offender.h"

#include "common/dns/code.h"

#include <pthread.h>

#define WAYS    4
#define STRIPES 64

struct source {
	uint64_t key; /* 0: free */
	int64_t since_us;
	uint32_t queries, answers, nxdomain, servfail;
	bool noted;
};

struct stripe {
	_Alignas(64) pthread_spinlock_t lock;
};

struct offenders {
	struct hash_key key;
	size_t sets; /* power of two */
	struct source *sources;
	struct stripe stripes[STRIPES];
	pthread_spinlock_t queue_lock;
	struct offender queue[OFFENDERS_QUEUE];
	unsigned queued;
	uint64_t lost;
};

struct offenders *offenders_new(size_t size)
{
	struct offenders *o = aligned_alloc(64, sizeof(*o));
	size_t n = 64;

	while (n < size && n < (size_t)1 << 24)
		n *= 2;
	if (!o)
		return NULL;
	memset(o, 0, sizeof(*o));
	o->sources = calloc(n, sizeof(*o->sources));
	if (!o->sources) {
		free(o);
		return NULL;
	}
	o->sets = n / WAYS;
	hash_key_random(&o->key);
	for (size_t i = 0; i < STRIPES; i++)
		(void)pthread_spin_init(&o->stripes[i].lock, 0);
	(void)pthread_spin_init(&o->queue_lock, 0);
	return o;
}

void offenders_free(struct offenders *o)
{
	if (!o)
		return;
	for (size_t i = 0; i < STRIPES; i++)
		(void)pthread_spin_destroy(&o->stripes[i].lock);
	(void)pthread_spin_destroy(&o->queue_lock);
	free(o->sources);
	free(o);
}

/* --- the table --------------------------------------------------------- */

static uint64_t source_key(
	const struct offenders *o, const struct prefix *source, bool proven)
{
	const uint8_t *octets;
	size_t len = addr_octets(&source->addr, &octets);
	uint8_t id[18] = {[16] = (uint8_t)len, [17] = proven};
	uint64_t key;

	memcpy(id, octets, len);
	key = hash_bytes(&o->key, id, sizeof(id));
	return key ? key : 1;
}

static bool is_over(const struct source *s, const struct offender_rules *rules,
	int64_t now_us)
{
	return now_us - s->since_us >= rules->window_us;
}

/* Its own place, a free or outlived one, or that with the fewest queries. */
static struct source *find_source(struct source *set, uint64_t key,
	const struct offender_rules *rules, int64_t now_us)
{
	struct source *least = &set[0];

	for (size_t i = 0; i < WAYS; i++) {
		struct source *s = &set[i];

		if (s->key == key)
			return s;
		if (!least->key || is_over(least, rules, now_us))
			continue;
		if (!s->key || is_over(s, rules, now_us) ||
			s->queries < least->queries)
			least = s;
	}
	return least;
}

/* A bound that is passed, or -1. */
static int judge(const struct source *s, const struct offender_rules *rules)
{
	uint64_t answers = s->answers;

	if (rules->qps &&
		(uint64_t)s->queries * 1000000 >
			(uint64_t)rules->qps * (uint64_t)rules->window_us)
		return OFFENSE_RATE;
	if (answers == 0 || answers < rules->min_answers)
		return -1;
	if (rules->nxdomain_pct &&
		(uint64_t)s->nxdomain * 100 >= answers * rules->nxdomain_pct)
		return OFFENSE_NXDOMAIN;
	if (rules->servfail_pct &&
		(uint64_t)s->servfail * 100 >= answers * rules->servfail_pct)
		return OFFENSE_SERVFAIL;
	return -1;
}

static void note(struct offenders *o, const struct prefix *source, bool proven,
	int offense)
{
	(void)pthread_spin_lock(&o->queue_lock);
	if (o->queued < OFFENDERS_QUEUE)
		o->queue[o->queued++] = (struct offender){
			*source, (enum offense)offense, proven};
	else
		(void)__atomic_fetch_add(&o->lost, 1, __ATOMIC_RELAXED);
	(void)pthread_spin_unlock(&o->queue_lock);
}

/* A query (`rcode` < 0) or an answer. */
static void count(struct source *s, int rcode)
{
	s->queries += rcode < 0;
	s->answers += rcode >= 0;
	s->nxdomain += rcode == DNS_RCODE_NXDOMAIN;
	s->servfail += rcode == DNS_RCODE_SERVFAIL;
}

static void add(struct offenders *o, const struct offender_rules *rules,
	const union addr *client, bool proven, int rcode, int64_t now_us)
{
	bool v6 = client->sa.sa_family == AF_INET6;
	struct prefix source;
	uint64_t key;
	size_t set;
	struct source *s;
	pthread_spinlock_t *lock;
	int offense = -1;

	prefix_mask(client, v6 ? rules->v6_bits : rules->v4_bits, &source);
	key = source_key(o, &source, proven);
	set = (key >> 32) & (o->sets - 1);
	lock = &o->stripes[set % STRIPES].lock;
	(void)pthread_spin_lock(lock);
	s = find_source(&o->sources[set * WAYS], key, rules, now_us);
	if (s->key != key || is_over(s, rules, now_us))
		*s = (struct source){.key = key, .since_us = now_us};
	count(s, rcode);
	if (!s->noted)
		offense = judge(s, rules);
	s->noted |= offense >= 0;
	(void)pthread_spin_unlock(lock);
	if (offense >= 0)
		note(o, &source, proven, offense);
}

void offenders_query(struct offenders *o, const struct offender_rules *rules,
	const union addr *client, bool proven, int64_t now_us)
{
	add(o, rules, client, proven, -1, now_us);
}

void offenders_answer(struct offenders *o, const struct offender_rules *rules,
	const union addr *client, bool proven, unsigned rcode, int64_t now_us)
{
	add(o, rules, client, proven, (int)rcode, now_us);
}

bool offenders_next(struct offenders *o, struct offender *out)
{
	bool any;

	(void)pthread_spin_lock(&o->queue_lock);
	any = o->queued > 0;
	if (any)
		*out = o->queue[--o->queued];
	(void)pthread_spin_unlock(&o->queue_lock);
	return any;
}

uint64_t offenders_lost(const struct offenders *o)
{
	return __atomic_load_n(&o->lost, __ATOMIC_RELAXED);
}
