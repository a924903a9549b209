/* SPDX-License-Identifier: ISC */
/* The table of counters and its three forms: wire, JSON, Prometheus. */

#include "resolver/stats.h"

#define P "ispdns_resolver_"

#define COUNTER(id, name, help) [id] = {P name, METRIC_COUNTER, help}
#define GAUGE(id, name, help)   [id] = {P name, METRIC_GAUGE, help}

#define QUERIES "Queries of clients."
#define ANSWERS "Answers to clients."
#define DROPS   "Queries that get no answer."
#define OVER    "Queries refused by a bound on work under way."
#define FOUND   "Lookups that ended, by DNSSEC state."
#define TCP_END "TCP connections not accepted or ended by us."

const struct metric_def stats_defs[STAT_COUNT] = {
	COUNTER(STAT_QUERIES_UDP, "queries_total{transport=\"udp\"}", QUERIES),
	COUNTER(STAT_QUERIES_TCP, "queries_total{transport=\"tcp\"}", QUERIES),
	COUNTER(STAT_ANSWERS_NOERROR, "answers_total{rcode=\"noerror\"}",
		ANSWERS),
	COUNTER(STAT_ANSWERS_NXDOMAIN, "answers_total{rcode=\"nxdomain\"}",
		ANSWERS),
	COUNTER(STAT_ANSWERS_SERVFAIL, "answers_total{rcode=\"servfail\"}",
		ANSWERS),
	COUNTER(STAT_ANSWERS_REFUSED, "answers_total{rcode=\"refused\"}",
		ANSWERS),
	COUNTER(STAT_ANSWERS_OTHER, "answers_total{rcode=\"other\"}", ANSWERS),
	COUNTER(STAT_TRUNCATED, "truncated_total", "Answers with TC."),
	COUNTER(STAT_HITS, "cache_hits_total", "Answered from the cache."),
	COUNTER(STAT_MISSES, "cache_misses_total", "Not in the cache."),
	COUNTER(STAT_STALE, "stale_answers_total",
		"Answered with expired data (RFC 8767)."),
	COUNTER(STAT_COALESCED, "coalesced_total",
		"Misses that joined a lookup under way."),
	COUNTER(STAT_SECURE, "lookups_total{state=\"secure\"}", FOUND),
	COUNTER(STAT_INSECURE, "lookups_total{state=\"insecure\"}", FOUND),
	COUNTER(STAT_BOGUS, "lookups_total{state=\"bogus\"}", FOUND),
	COUNTER(STAT_FAILURES, "lookups_total{state=\"failed\"}", FOUND),
	COUNTER(STAT_DROP_MALFORMED, "dropped_total{reason=\"malformed\"}",
		DROPS),
	COUNTER(STAT_DROP_ACL, "dropped_total{reason=\"acl\"}", DROPS),
	COUNTER(STAT_DROP_POLICY, "dropped_total{reason=\"policy\"}", DROPS),
	COUNTER(STAT_OVER_INFLIGHT, "over_limit_total{limit=\"inflight\"}",
		OVER),
	COUNTER(STAT_OVER_CLIENT, "over_limit_total{limit=\"per_client\"}",
		OVER),
	COUNTER(STAT_OVER_ZONE, "over_limit_total{limit=\"per_zone\"}", OVER),
	COUNTER(STAT_DEADLINE, "deadline_total",
		"Clients told SERVFAIL or stale data at their deadline."),
	COUNTER(STAT_EVICTIONS, "cache_evictions_total",
		"Cache entries that made room for others."),
	COUNTER(STAT_UDP_CUT, "udp_oversized_total",
		"Datagrams larger than any query."),
	COUNTER(STAT_UDP_SEND_ERRORS, "udp_send_errors_total",
		"Answers that the kernel did not take."),
	COUNTER(STAT_TCP_ACCEPTED, "tcp_accepted_total",
		"TCP connections accepted."),
	COUNTER(STAT_TCP_REFUSED, "tcp_ended_total{reason=\"refused\"}",
		TCP_END),
	COUNTER(STAT_TCP_OVER_CLIENT, "tcp_ended_total{reason=\"per_client\"}",
		TCP_END),
	COUNTER(STAT_TCP_EVICTED, "tcp_ended_total{reason=\"evicted\"}",
		TCP_END),
	COUNTER(STAT_TCP_TIMEOUTS, "tcp_ended_total{reason=\"timeout\"}",
		TCP_END),
	COUNTER(STAT_TCP_GONE, "tcp_gone_total",
		"Answers whose connection had ended."),
	GAUGE(STAT_TCP_OPEN, "tcp_connections", "TCP connections open."),
	GAUGE(STAT_WAITING, "waiting", "Clients that wait for an answer."),
	GAUGE(STAT_LOOKUPS, "lookups_inflight", "Lookups under way."),
	GAUGE(STAT_CACHE_ENTRIES, "cache_entries", "Answers in the cache."),
	GAUGE(STAT_CACHE_BYTES, "cache_bytes", "Memory of these answers."),
};

static void add_histogram(struct stats *into, const struct stats *from)
{
	histogram_merge(&into->latency, &from->latency);
}

void stats_keep(struct stats *into, const struct stats *from)
{
	for (unsigned i = 0; i < STAT_COUNT; i++)
		if (stats_defs[i].kind == METRIC_COUNTER)
			into->cells[i] += from->cells[i];
	add_histogram(into, from);
}

void stats_add(struct stats *into, const struct stats *from)
{
	for (unsigned i = 0; i < STAT_COUNT; i++)
		into->cells[i] += from->cells[i];
	add_histogram(into, from);
}

static json_t *numbers(const uint64_t *values, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(
			array, json_integer((json_int_t)values[i]));
	return array;
}

json_t *stats_encode(const struct stats *s)
{
	return json_pack("{s:o, s:o, s:I}", "cells",
		numbers(s->cells, STAT_COUNT), "buckets",
		numbers(s->latency.buckets, METRIC_BUCKETS + 1), "sum_us",
		(json_int_t)s->latency.sum_us);
}

static bool read_numbers(const json_t *array, uint64_t *values, size_t count)
{
	if (json_array_size(array) != count)
		return false;
	for (size_t i = 0; i < count; i++)
		values[i] =
			(uint64_t)json_integer_value(json_array_get(array, i));
	return true;
}

bool stats_decode(const json_t *json, struct stats *out)
{
	out->latency.sum_us =
		(uint64_t)json_integer_value(json_object_get(json, "sum_us"));
	return read_numbers(json_object_get(json, "cells"), out->cells,
		       STAT_COUNT) &&
	       read_numbers(json_object_get(json, "buckets"),
		       out->latency.buckets, METRIC_BUCKETS + 1);
}

/* queries_total{transport="udp"} -> queries_udp */
static void short_name(const char *metric, char *out, size_t size)
{
	static const char total[] = "_total";
	size_t n = strcspn(metric, "{"), tail = sizeof(total) - 1;
	const char *label = strchr(metric, '"');

	if (n > tail && memcmp(metric + n - tail, total, tail) == 0)
		n -= tail;
	if (label)
		snprintf(out, size, "%.*s_%.*s", (int)n, metric,
			(int)strcspn(label + 1, "\""), label + 1);
	else
		snprintf(out, size, "%.*s", (int)n, metric);
}

void stats_members(const struct stats *s, json_t *out)
{
	static const double quantiles[] = {0.5, 0.95, 0.99};
	static const char *const names[] = {
		"miss_p50_ms", "miss_p95_ms", "miss_p99_ms"};

	char name[64];

	for (unsigned i = 0; i < STAT_COUNT; i++) {
		short_name(
			stats_defs[i].name + sizeof(P) - 1, name, sizeof(name));
		json_object_set_new(
			out, name, json_integer((json_int_t)s->cells[i]));
	}
	for (unsigned i = 0; i < countof(names); i++) {
		uint64_t us = histogram_quantile_us(&s->latency, quantiles[i]);

		json_object_set_new(
			out, names[i], json_real((double)us / 1000.0));
	}
}

void stats_print(const struct stats *s, struct text *out)
{
	struct metrics m;
	struct metrics_row *row;

	metrics_init(&m, stats_defs, STAT_COUNT);
	row = metrics_row_new(&m);
	for (unsigned i = 0; row && i < STAT_COUNT; i++)
		metric_set(row, i, s->cells[i]);
	metrics_print(&m, out);
	metrics_fini(&m);
	metrics_family(out, P "miss_seconds", "histogram",
		"Time until a miss was answered.");
	histogram_print(&s->latency, P "miss_seconds", "", out);
}
