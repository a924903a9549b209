/* SPDX-License-Identifier: ISC */
/*
 * The table behind stats.h. The latency buckets live in the same rows, so
 * that they are written and read like every other counter. dnsdist's names
 * are made from ours when the page is printed: nothing is counted twice.
 */

#include "frontend/stats.h"

#define PREFIX "ispdns_frontend_"

static const struct metric_def defs[STAT_COUNT] = {
#define STAT_DEF(id, name, help) [id] = {PREFIX name, METRIC_COUNTER, help},
	STAT_TABLE(STAT_DEF)
#undef STAT_DEF
		[STAT_TCP_OPEN] = {PREFIX "tcp_connections", METRIC_GAUGE,
			"TCP connections of clients now open."},
	[STAT_TRANSFERS] = {PREFIX "transfers", METRIC_GAUGE,
		"Transfers and messages now being handed on."},
};

void stats_init(struct metrics *m)
{
	metrics_init(m, defs, STAT_COUNT);
}

const char *stats_name(enum stat_id id)
{
	return defs[id].name + sizeof(PREFIX) - 1;
}

void stats_reason(enum stat_id id, char *out, size_t size)
{
	static const char key[] = "reason=\"";
	const char *at = strstr(stats_name(id), key);

	at = at ? at + sizeof(key) - 1 : "";
	(void)snprintf(out, size, "%.*s", (int)strcspn(at, "\""), at);
}

static enum stat_id rcode_cell(unsigned rcode)
{
	static const enum stat_id cells[] = {STAT_NOERROR, STAT_FORMERR,
		STAT_SERVFAIL, STAT_NXDOMAIN, STAT_NOTIMP, STAT_REFUSED};

	return rcode < countof(cells) ? cells[rcode] : STAT_RCODE_OTHER;
}

void stats_answer(struct metrics_row *row, unsigned rcode, int64_t us)
{
	unsigned i = 0;

	while (i < METRIC_BUCKETS && us > (int64_t)metric_bounds_us[i])
		i++;
	metric_inc(row, rcode_cell(rcode));
	metric_inc(row, STAT_LATENCY + i);
	metric_add(row, STAT_LATENCY_SUM_US, us > 0 ? (uint64_t)us : 0);
}

void stats_tcp_answer(struct metrics_row *row, int64_t us)
{
	metric_inc(row, STAT_TCP_ANSWERS);
	metric_add(row, STAT_TCP_SUM_US, us > 0 ? (uint64_t)us : 0);
}

void stats_latency(const struct metrics *m, struct histogram *out)
{
	for (unsigned i = 0; i <= METRIC_BUCKETS; i++)
		out->buckets[i] = metrics_read(m, STAT_LATENCY + i);
	out->sum_us = metrics_read(m, STAT_LATENCY_SUM_US);
}

struct alias {
	const char *name;
	enum stat_id from, to; /* the sum of these cells */
	const char *help;
};

static const struct alias aliases[] = {
	{"dnsdist_queries", STAT_UDP_QUERIES, STAT_TCP_QUERIES,
		"Queries received."},
	{"dnsdist_responses", STAT_REPLIES, STAT_REPLIES,
		"Responses received from backends."},
	{"dnsdist_frontend_noerror", STAT_NOERROR, STAT_NOERROR,
		"NOERROR answers sent to clients."},
	{"dnsdist_frontend_servfail", STAT_SERVFAIL, STAT_SERVFAIL,
		"SERVFAIL answers sent to clients."},
	{"dnsdist_frontend_nxdomain", STAT_NXDOMAIN, STAT_NXDOMAIN,
		"NXDOMAIN answers sent to clients."},
	{"dnsdist_acl_drops", STAT_DROP_ACL, STAT_DROP_ACL_LIMIT,
		"Queries dropped since the ACL does not hold their source."},
	{"dnsdist_rule_drop", STAT_DROP_ANY, STAT_DROP_LIMIT,
		"Queries dropped by a rule."},
	{"dnsdist_rule_refused", STAT_REFUSED_ANY, STAT_REFUSED_LIMIT,
		"Queries refused by a rule."},
	{"dnsdist_rule_nxdomain", STAT_NXDOMAIN_RULE, STAT_NXDOMAIN_BLOCK,
		"Queries answered NXDOMAIN by a rule."},
	{"dnsdist_rule_servfail", STAT_SERVFAIL_RULE, STAT_SERVFAIL_RULE,
		"Queries answered SERVFAIL by a rule."},
	{"dnsdist_rule_truncated", STAT_TC_ANY, STAT_TC_LIMIT,
		"Queries truncated by a rule."},
	{"dnsdist_self_answered", STAT_SELF_ANSWERED, STAT_SELF_ANSWERED,
		"Answers made by the frontend itself."},
	{"dnsdist_downstream_timeouts", STAT_TIMEOUTS, STAT_TIMEOUTS,
		"Queries not answered in time by a backend."},
	{"dnsdist_downstream_send_errors", STAT_SEND_ERRORS, STAT_SEND_ERRORS,
		"Errors sending to a backend."},
	{"dnsdist_no_policy", STAT_NO_BACKEND, STAT_NO_BACKEND,
		"Queries without a usable backend."},
	{"dnsdist_cache_hits", STAT_CACHE_HITS, STAT_CACHE_HITS, "Cache hits."},
	{"dnsdist_cache_misses", STAT_CACHE_MISSES, STAT_CACHE_MISSES,
		"Cache misses."},
	{"dnsdist_empty_queries", STAT_EMPTY, STAT_EMPTY,
		"Queries without a question."},
	{"dnsdist_rdqueries", STAT_RD, STAT_RD, "Queries with RD set."},
	{"dnsdist_noncompliant_queries", STAT_DROP_SHORT, STAT_DROP_NOT_QUERY,
		"Queries dropped as non-compliant."},
	{"dnsdist_noncompliant_responses", STAT_REPLY_UNKNOWN,
		STAT_REPLY_MALFORMED,
		"Backend messages dropped as non-compliant."},
};

static void print_alias(
	struct text *out, const char *name, const char *help, uint64_t value)
{
	/* not "counter": the names lack the suffix that goes with it */
	metrics_family(out, name, "untyped", help);
	text_add(out, "%s %llu\n", name, (unsigned long long)value);
}

/* dnsdist's latency classes, by milliseconds. */
static void print_latency_classes(const struct histogram *h, struct text *out)
{
	static const struct {
		const char *name;
		uint32_t below_us;
	} classes[] = {
		{"dnsdist_latency0_1", 1000},
		{"dnsdist_latency1_10", 10000},
		{"dnsdist_latency10_50", 50000},
		{"dnsdist_latency50_100", 100000},
		{"dnsdist_latency100_1000", 1000000},
		{"dnsdist_latency_slow", UINT32_MAX},
	};
	unsigned b = 0;

	for (unsigned i = 0; i < countof(classes); i++) {
		uint64_t sum = 0;

		while (b < METRIC_BUCKETS &&
			metric_bounds_us[b] <= classes[i].below_us)
			sum += h->buckets[b++];
		if (i + 1 == countof(classes))
			sum += h->buckets[METRIC_BUCKETS];
		print_alias(out, classes[i].name,
			"Answers by the time they took, milliseconds.", sum);
	}
}

void stats_print_ms(const struct histogram *h, const char *name,
	const char *labels, struct text *out)
{
	/* as dnsdist's; they are among our own bounds */
	static const uint32_t bounds_ms[] = {1, 10, 50, 100, 1000};
	const char *comma = labels[0] ? "," : "";
	uint64_t sum = 0;
	unsigned b = 0;

	for (unsigned i = 0; i < countof(bounds_ms); i++) {
		while (b < METRIC_BUCKETS &&
			metric_bounds_us[b] <= bounds_ms[i] * 1000)
			sum += h->buckets[b++];
		text_add(out, "%s_bucket{%s%sle=\"%u\"} %llu\n", name, labels,
			comma, bounds_ms[i], (unsigned long long)sum);
	}
	while (b <= METRIC_BUCKETS)
		sum += h->buckets[b++];
	text_add(out, "%s_bucket{%s%sle=\"+Inf\"} %llu\n", name, labels, comma,
		(unsigned long long)sum);
	text_add(out, "%s_sum{%s} %llu\n%s_count{%s} %llu\n", name, labels,
		(unsigned long long)(h->sum_us / 1000), name, labels,
		(unsigned long long)sum);
}

void stats_print(const struct metrics *m, struct text *out)
{
	struct metrics table = *m;
	struct histogram h;

	table.count = STAT_LATENCY;
	metrics_print(&table, out);
	stats_latency(m, &h);
	metrics_family(out, PREFIX "latency_seconds", "histogram",
		"Time from query to answer.");
	histogram_print(&h, PREFIX "latency_seconds", "", out);
	for (unsigned i = 0; i < countof(aliases); i++) {
		uint64_t sum = 0;

		for (unsigned id = aliases[i].from; id <= aliases[i].to; id++)
			sum += metrics_read(m, id);
		print_alias(out, aliases[i].name, aliases[i].help, sum);
	}
	print_latency_classes(&h, out);
	metrics_family(out, "dnsdist_latency", "histogram",
		"Time from query to answer, milliseconds.");
	stats_print_ms(&h, "dnsdist_latency", "", out);
}
