/* SPDX-License-Identifier: ISC */
/*
 * The metrics page: the counters' table, then what is not counted there:
 * backends, pools, cache. dnsdist's names stand beside ours where they mean
 * the same.
 */

#include "frontend/page.h"

#define OWN "ispdns_frontend_"

enum pool_value {
	POOL_BACKENDS,
	POOL_UP,
	POOL_QUERIES,
	POOL_HITS,
	POOL_MISSES,
	POOL_NEVER,
	/* of the cache that all pools share; none for a pool without */
	POOL_CACHE_SIZE,
	POOL_CACHE_ENTRIES,
	POOL_CACHE_TOO_SHORT,
	POOL_CACHE_EVICTIONS,
};

struct pool_metric {
	const char *name, *type, *help;
	enum pool_value value;
};

static const struct pool_metric pool_metrics[] = {
	{OWN "pool_backends", "gauge", "Backends of the pool.", POOL_BACKENDS},
	{OWN "pool_backends_up", "gauge", "Those that are up.", POOL_UP},
	{OWN "pool_queries_total", "counter", "Queries for the pool.",
		POOL_QUERIES},
	{OWN "pool_cache_hits_total", "counter",
		"Of these, answered from the cache.", POOL_HITS},
	{OWN "pool_cache_misses_total", "counter",
		"Of these, looked for in the cache in vain.", POOL_MISSES},
	{"dnsdist_pool_servers", "gauge", "Backends of the pool.",
		POOL_BACKENDS},
	{"dnsdist_pool_active_servers", "gauge", "Those that are up.", POOL_UP},
	{"dnsdist_pool_cache_hits", "untyped", "Cache hits of the pool.",
		POOL_HITS},
	{"dnsdist_pool_cache_misses", "untyped", "Cache misses of the pool.",
		POOL_MISSES},
	{"dnsdist_pool_cache_size", "gauge",
		"Answers that the cache may hold (one for all pools).",
		POOL_CACHE_SIZE},
	{"dnsdist_pool_cache_entries", "gauge",
		"Answers in the cache (of all pools).", POOL_CACHE_ENTRIES},
	{"dnsdist_pool_cache_ttl_too_shorts", "untyped",
		"Answers not kept for their TTL (of all pools).",
		POOL_CACHE_TOO_SHORT},
	{"dnsdist_pool_cache_cleanup_count_total", "untyped",
		"Answers that made room for others (of all pools).",
		POOL_CACHE_EVICTIONS},
	{"dnsdist_pool_cache_deferred_inserts", "untyped",
		"None: a lock is waited for.", POOL_NEVER},
	{"dnsdist_pool_cache_deferred_lookups", "untyped",
		"None: a lock is waited for.", POOL_NEVER},
	{"dnsdist_pool_cache_lookup_collisions", "untyped",
		"None: keys are compared in full.", POOL_NEVER},
	{"dnsdist_pool_cache_insert_collisions", "untyped",
		"None: keys are compared in full.", POOL_NEVER},
};

static uint64_t read_cache(const struct frontend *fe, enum pool_value value)
{
	struct cache_stats s;

	cache_get_stats(fe->cache, &s);
	switch (value) {
	case POOL_CACHE_SIZE:
		return s.entries_max;
	case POOL_CACHE_ENTRIES:
		return s.entries;
	case POOL_CACHE_TOO_SHORT:
		return s.too_short;
	case POOL_CACHE_EVICTIONS:
	default:
		return s.evictions;
	}
}

static uint64_t read_pool(const struct frontend *fe, const struct pool *pool,
	enum pool_value value)
{
	struct worker_pool sum = frontend_pool_sum(fe, pool);

	if (value >= POOL_CACHE_SIZE)
		return pool->cached ? read_cache(fe, value) : 0;
	switch (value) {
	case POOL_BACKENDS:
		return pool->count;
	case POOL_UP:
		return pool_count_fit(pool);
	case POOL_QUERIES:
		return sum.queries;
	case POOL_HITS:
		return sum.hits;
	case POOL_MISSES:
		return sum.misses;
	default:
		return 0;
	}
}

static void print_pools(const struct frontend *fe, struct text *out)
{
	for (size_t n = 0; n < countof(pool_metrics); n++) {
		const struct pool_metric *m = &pool_metrics[n];

		metrics_family(out, m->name, m->type, m->help);
		for (unsigned i = 0; i < fe->policy->pool_count; i++) {
			const struct pool *pool = &fe->policy->pools[i];

			text_add(out, "%s{pool=\"", m->name);
			metrics_label(out, pool->name);
			text_add(out, "\"} %llu\n",
				(unsigned long long)read_pool(
					fe, pool, m->value));
		}
	}
}

static void print_cache(const struct frontend *fe, struct text *out)
{
	struct cache_stats s;

	cache_get_stats(fe->cache, &s);
	page_one(out, OWN "cache_entries", "gauge",
		"Answers in the packet cache.", (double)s.entries);
	page_one(out, OWN "cache_entries_limit", "gauge",
		"Answers that it may hold.", (double)s.entries_max);
	page_one(out, OWN "cache_bytes", "gauge", "Memory in use by answers.",
		(double)s.bytes);
	page_one(out, OWN "cache_inserts_total", "counter", "Answers kept.",
		(double)s.inserts);
	page_one(out, OWN "cache_evictions_total", "counter",
		"Answers that made room for others.", (double)s.evictions);
	page_one(out, OWN "cache_too_short_total", "counter",
		"Answers not kept for their TTL.", (double)s.too_short);
	page_one(out, OWN "limit_sources", "gauge",
		"Sources in the table of limits.",
		(double)limiter_used(fe->limiter, mtime_now().us));
}

int frontend_page(void *arg, const char *path, struct text *body)
{
	const struct frontend *fe = arg;

	if (strcmp(path, "/health") == 0) {
		bool well =
			!fe->draining && probes_all_pools_usable(fe->probes);

		text_add(body, "%s\n",
			well           ? "ok"
			: fe->draining ? "draining"
				       : "degraded");
		return well ? 200 : 503;
	}
	if (strcmp(path, "/metrics") != 0)
		return 404;
	stats_print(&fe->metrics, body);
	page_servers(fe, body);
	page_fronts(fe, body);
	print_pools(fe, body);
	print_cache(fe, body);
	frontend_rule_metrics(fe, body);
	frontend_block_metrics(fe, body);
	page_process(fe, body);
	return 200;
}
