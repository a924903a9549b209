/* SPDX-License-Identifier: ISC */
/*
 * The metrics page: the counters' table, then what is not counted there:
 * backends, pools, cache. dnsdist's names stand beside ours where they mean
 * the same.
 */

#include "frontend/frontend.h"

#include <sys/resource.h>
#include <unistd.h>

#include <config.h> /* of the build, not frontend/config.h */

#define OWN "ispdns_frontend_"

struct server_metric {
	const char *name, *dnsdist, *type, *help;
	size_t offset; /* of a uint64_t in struct server, or */
	double (*value)(const struct frontend *fe, const struct pool_member *m);
};

static double value_up(const struct frontend *fe, const struct pool_member *m)
{
	(void)fe;
	return server_get_fitness(m->server) != SERVER_OUT;
}

static double value_outstanding(
	const struct frontend *fe, const struct pool_member *m)
{
	(void)fe;
	return server_get_outstanding(m->server);
}

static double value_latency(
	const struct frontend *fe, const struct pool_member *m)
{
	(void)fe;
	return server_get_latency(m->server) / 1e6;
}

static double value_order(
	const struct frontend *fe, const struct pool_member *m)
{
	(void)fe;
	return m->order;
}

static double value_weight(
	const struct frontend *fe, const struct pool_member *m)
{
	(void)fe;
	return m->weight;
}

static double value_probe_failures(
	const struct frontend *fe, const struct pool_member *m)
{
	struct probe_info info;
	uint64_t sum = 0;

	if (!probes_info(fe->probes, m->server, &info))
		return 0;
	for (unsigned i = 0; i < PROBE_FAILURES; i++)
		sum += info.failed[i];
	return (double)sum;
}

#define CELL(member) offsetof(struct server, member), NULL

static const struct server_metric server_metrics[] = {
	{"backend_up", "dnsdist_server_status", "gauge",
		"Is the backend asked?", 0, value_up},
	{"backend_queries_total", "dnsdist_server_queries", "counter",
		"Questions sent to the backend.", CELL(queries)},
	{"backend_answers_total", "dnsdist_server_responses", "counter",
		"Answers accepted from the backend.", CELL(answers)},
	{"backend_unanswered_total", "dnsdist_server_drops", "counter",
		"Questions it did not answer in time.", CELL(timeouts)},
	{"backend_failures_total", NULL, "counter",
		"Answers with SERVFAIL, REFUSED and alike.", CELL(failures)},
	{"backend_send_errors_total", "dnsdist_server_senderrors", "counter",
		"Sends and connections refused.", CELL(errors)},
	{"backend_ignored_total", "dnsdist_server_noncompliantresponses",
		"counter", "Messages that answered no question of ours.",
		CELL(ignored)},
	{"backend_tcp_connections_total", "dnsdist_server_tcpnewconnections",
		"counter", "TCP connections opened.", CELL(tcp_opened)},
	{"backend_outstanding", "dnsdist_server_outstanding", "gauge",
		"Questions without an answer yet.", 0, value_outstanding},
	{"backend_latency_seconds", "dnsdist_server_latency", "gauge",
		"Smoothed answer time (dnsdist: milliseconds).", 0,
		value_latency},
	{"backend_order", "dnsdist_server_order", "gauge",
		"Order of the configuration.", 0, value_order},
	{"backend_weight", "dnsdist_server_weight", "gauge",
		"Weight of the configuration.", 0, value_weight},
	{"backend_probe_failures_total", "dnsdist_server_healthcheckfailures",
		"counter", "Probes that failed.", 0, value_probe_failures},
};

static double read_value(const struct frontend *fe,
	const struct server_metric *metric, const struct pool_member *m,
	bool own)
{
	const char *cell = (const char *)m->server + metric->offset;

	if (metric->value == value_latency && !own)
		return value_latency(fe, m) * 1000;
	if (metric->value)
		return metric->value(fe, m);
	return (double)server_read((const uint64_t *)(const void *)cell);
}

/* dnsdist's counters lack the suffix that the type would ask for. */
static const char *alias_type(const char *type)
{
	return strcmp(type, "counter") == 0 ? "untyped" : type;
}

static void print_server_row(const struct frontend *fe,
	const struct server_metric *metric, const char *name, bool own,
	const struct pool_member *m, struct text *out)
{
	char addr[ADDR_TEXT];

	text_add(out, "%s{%s=\"", name, own ? "backend" : "server");
	metrics_label(out, m->server->name);
	if (own) {
		text_add(out, "\",pool=\"");
		metrics_label(out, m->server->pool);
	}
	text_add(out, "\",address=\"%s\"} %.15g\n",
		addr_print(&m->server->addr, addr),
		read_value(fe, metric, m, own));
}

static void print_server_family(const struct frontend *fe,
	const struct server_metric *metric, const char *name, bool own,
	struct text *out)
{
	metrics_family(out, name, own ? metric->type : alias_type(metric->type),
		metric->help);
	for (unsigned i = 0; i < fe->policy->pool_count; i++) {
		const struct pool *pool = &fe->policy->pools[i];

		for (unsigned k = 0; k < pool->count; k++)
			print_server_row(
				fe, metric, name, own, &pool->members[k], out);
	}
}

/* dnsdist has one list of servers; a backend of two pools is printed once by
 * its pool's name in ours only. */
static void print_servers(const struct frontend *fe, struct text *out)
{
	for (size_t i = 0; i < countof(server_metrics); i++) {
		const struct server_metric *m = &server_metrics[i];
		char name[80];

		(void)snprintf(name, sizeof(name), OWN "%s", m->name);
		print_server_family(fe, m, name, true, out);
		if (m->dnsdist)
			print_server_family(fe, m, m->dnsdist, false, out);
	}
}

enum pool_value {
	POOL_BACKENDS,
	POOL_UP,
	POOL_QUERIES,
	POOL_HITS,
	POOL_MISSES
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
};

static uint64_t read_pool(const struct frontend *fe, const struct pool *pool,
	enum pool_value value)
{
	struct worker_pool sum = frontend_pool_sum(fe, pool);

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
	default:
		return sum.misses;
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

static void print_one(struct text *out, const char *name, const char *type,
	const char *help, double value)
{
	metrics_family(out, name, type, help);
	text_add(out, "%s %.15g\n", name, value);
}

static void print_cache(const struct frontend *fe, struct text *out)
{
	struct cache_stats s;

	cache_get_stats(fe->cache, &s);
	print_one(out, OWN "cache_entries", "gauge",
		"Answers in the packet cache.", (double)s.entries);
	print_one(out, OWN "cache_entries_limit", "gauge",
		"Answers that it may hold.", (double)s.entries_max);
	print_one(out, OWN "cache_bytes", "gauge", "Memory in use by answers.",
		(double)s.bytes);
	print_one(out, OWN "cache_inserts_total", "counter", "Answers kept.",
		(double)s.inserts);
	print_one(out, OWN "cache_evictions_total", "counter",
		"Answers that made room for others.", (double)s.evictions);
	print_one(out, OWN "cache_too_short_total", "counter",
		"Answers not kept for their TTL.", (double)s.too_short);
	print_one(out, OWN "limit_sources", "gauge",
		"Sources in the table of limits.",
		(double)limiter_used(fe->limiter, mtime_now().us));
}

/* Resident memory in octets; 0: unknown. */
static double resident(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long size = 0, pages = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%ld %ld", &size, &pages) != 2)
		pages = 0;
	(void)fclose(f);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static double sum_failures(const struct frontend *fe)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < SERVERS_MAX; i++)
		if (fe->registry.servers[i])
			sum += server_read(&fe->registry.servers[i]->failures);
	return (double)sum;
}

static void print_process(const struct frontend *fe, struct text *out)
{
	struct rusage usage;
	double uptime =
		(double)(mtime_sub_us(mtime_now(), fe->started) / 1000000);

	metrics_family(out, OWN "build_info", "gauge", "1, with the version.");
	text_add(out, OWN "build_info{version=\"%s\"} 1\n", VERSION);
	print_one(out, OWN "uptime_seconds", "gauge",
		"Seconds since the start.", uptime);
	metrics_family(out, "dnsdist_info", "gauge", "1, with the version.");
	text_add(out, "dnsdist_info{version=\"ispdns-%s\"} 1\n", VERSION);
	print_one(out, "dnsdist_servfail_responses", "untyped",
		"SERVFAIL and alike received from backends.", sum_failures(fe));
	print_one(out, OWN "resident_memory_bytes", "gauge", "Resident memory.",
		resident());
	print_one(out, "dnsdist_real_memory_usage", "gauge",
		"Resident memory, octets.", resident());
	print_one(out, "dnsdist_uptime", "gauge", "Seconds since the start.",
		uptime);
	print_one(out, OWN "reloads_total", "counter",
		"Changes of configuration.", (double)fe->reloads);
	print_one(out, OWN "draining", "gauge", "1 while draining.",
		fe->draining);
	if (getrusage(RUSAGE_SELF, &usage) < 0)
		return;
	print_one(out, "dnsdist_cpu_user_msec", "untyped",
		"Milliseconds of user time.",
		(double)usage.ru_utime.tv_sec * 1000 +
			(double)(usage.ru_utime.tv_usec / 1000));
	print_one(out, "dnsdist_cpu_sys_msec", "untyped",
		"Milliseconds of system time.",
		(double)usage.ru_stime.tv_sec * 1000 +
			(double)(usage.ru_stime.tv_usec / 1000));
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
	print_servers(fe, body);
	print_pools(fe, body);
	print_cache(fe, body);
	frontend_rule_metrics(fe, body);
	frontend_block_metrics(fe, body);
	print_process(fe, body);
	return 200;
}
