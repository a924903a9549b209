/* SPDX-License-Identifier: ISC */
/*
 * The backends on the metrics page: ours by pool, name and address; dnsdist's
 * by name and address, since its servers may be in several pools, so what is
 * counted in each of ours is added up for it.
 */

#include "frontend/page.h"

#define OWN "ispdns_frontend_"

struct server_metric {
	const char *name; /* of ours; NULL: only dnsdist's */
	const char *dnsdist, *type, *help;
	size_t offset; /* of a uint64_t in struct server, or */
	double (*value)(const struct frontend *fe, const struct pool_member *m);
	double scale; /* of the value, for dnsdist's name; 0: 1 */
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

static double read32(const uint32_t *cell)
{
	return __atomic_load_n(cell, __ATOMIC_RELAXED);
}

static double value_tcp_latency(
	const struct frontend *fe, const struct pool_member *m)
{
	(void)fe;
	return read32(&m->server->tcp_latency_us) / 1e6;
}

static double value_tcp_open(
	const struct frontend *fe, const struct pool_member *m)
{
	(void)fe;
	return read32(&m->server->tcp_open);
}

static double value_tcp_most(
	const struct frontend *fe, const struct pool_member *m)
{
	(void)fe;
	return read32(&m->server->tcp_most);
}

static double part(uint64_t a, uint64_t b)
{
	return b > 0 ? (double)a / (double)b : 0;
}

static double value_tcp_per_conn(
	const struct frontend *fe, const struct pool_member *m)
{
	(void)fe;
	return part(server_read(&m->server->tcp_queries),
		server_read(&m->server->tcp_opened));
}

static double value_tcp_life(
	const struct frontend *fe, const struct pool_member *m)
{
	(void)fe;
	return part(server_read(&m->server->tcp_life_ms),
		server_read(&m->server->tcp_closed));
}

static double value_changes(
	const struct frontend *fe, const struct pool_member *m)
{
	struct probe_info info;

	return probes_info(fe->probes, m->server, &info) ? (double)info.changes
							 : 0;
}

static double value_never(
	const struct frontend *fe, const struct pool_member *m)
{
	(void)fe;
	(void)m;
	return 0;
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

static double value_qps(const struct frontend *fe, const struct pool_member *m)
{
	(void)fe;
	return m->limit.qps;
}

static double probe_failures(const struct frontend *fe,
	const struct pool_member *m, unsigned first, unsigned last)
{
	struct probe_info info;
	uint64_t sum = 0;

	if (!probes_info(fe->probes, m->server, &info))
		return 0;
	for (unsigned i = first; i <= last; i++)
		sum += info.failed[i];
	return (double)sum;
}

#define PROBE_VALUE(suffix, first, last)                                       \
	static double value_probe_##suffix(                                    \
		const struct frontend *fe, const struct pool_member *m)        \
	{                                                                      \
		return probe_failures(fe, m, first, last);                     \
	}
PROBE_VALUE(all, 0, PROBE_FAILURES - 1)
PROBE_VALUE(timeout, PROBE_TIMEOUT, PROBE_TIMEOUT)
PROBE_VALUE(network, PROBE_NETWORK, PROBE_NETWORK)
PROBE_VALUE(rcode, PROBE_RCODE, PROBE_RCODE)
PROBE_VALUE(invalid, PROBE_INVALID, PROBE_INVALID)
PROBE_VALUE(mismatch, PROBE_MISMATCH, PROBE_MISMATCH)

static double value_probe_latency(
	const struct frontend *fe, const struct pool_member *m)
{
	struct probe_info info;

	return probes_info(fe->probes, m->server, &info) ? info.latency_us / 1e6
							 : 0;
}

#define CELL(member) offsetof(struct server, member), NULL, 0
#define DD           "dnsdist_server_"

static const struct server_metric server_metrics[] = {
	{"backend_up", DD "status", "gauge", "Is the backend asked?", 0,
		value_up, 0},
	{"backend_queries_total", DD "queries", "counter",
		"Questions sent to the backend.", CELL(queries)},
	{"backend_answers_total", DD "responses", "counter",
		"Answers accepted from the backend.", CELL(answers)},
	{"backend_unanswered_total", DD "drops", "counter",
		"Questions it did not answer in time.", CELL(timeouts)},
	{"backend_failures_total", NULL, "counter",
		"Answers with SERVFAIL, REFUSED and alike.", CELL(failures)},
	{"backend_send_errors_total", DD "senderrors", "counter",
		"Sends and connections refused.", CELL(errors)},
	{"backend_ignored_total", DD "noncompliantresponses", "counter",
		"Messages that answered no question of ours.", CELL(ignored)},
	{"backend_tcp_connections_total", DD "tcpnewconnections", "counter",
		"TCP connections opened.", CELL(tcp_opened)},
	{"backend_tcp_reused_total", DD "tcpreusedconnections", "counter",
		"Questions sent on a TCP connection at hand.",
		CELL(tcp_reused)},
	{"backend_tcp_died_total", DD "tcpdiedreadingresponse", "counter",
		"TCP connections that ended while answers were due.",
		CELL(tcp_died)},
	{"backend_tcp_connect_timeouts_total", DD "tcpconnecttimeouts",
		"counter", "TCP connections that did not come about in time.",
		CELL(tcp_connect_timeouts)},
	{"backend_tcp_read_timeouts_total", DD "tcpreadtimeouts", "counter",
		"TCP connections given up for the lack of answers.",
		CELL(tcp_read_timeouts)},
	{"backend_tcp_connections", DD "tcpcurrentconnections", "gauge",
		"TCP connections now open.", 0, value_tcp_open, 0},
	{"backend_tcp_connections_most", DD "tcpmaxconcurrentconnections",
		"gauge", "Most of them at one time.", 0, value_tcp_most, 0},
	{NULL, DD "tcpavgqueriesperconn", "gauge",
		"Questions of one TCP connection, on average.", 0,
		value_tcp_per_conn, 0},
	{NULL, DD "tcpavgconnduration", "gauge",
		"Life of a TCP connection, on average, milliseconds.", 0,
		value_tcp_life, 0},
	{"backend_outstanding", DD "outstanding", "gauge",
		"Questions without an answer yet.", 0, value_outstanding, 0},
	{"backend_latency_seconds", DD "latency", "gauge",
		"Smoothed answer time (dnsdist: milliseconds).", 0,
		value_latency, 1000},
	{"backend_tcp_latency_seconds", DD "tcplatency", "gauge",
		"The same over TCP (dnsdist: milliseconds).", 0,
		value_tcp_latency, 1000},
	{"backend_order", DD "order", "gauge", "Order of the configuration.", 0,
		value_order, 0},
	{"backend_weight", DD "weight", "gauge", "Weight of the configuration.",
		0, value_weight, 0},
	{"backend_qps_limit", NULL, "gauge",
		"The qps of the configuration; 0: no limit.", 0, value_qps, 0},
	{"backend_over_qps_total", NULL, "counter",
		"Questions sent though its qps was reached.", CELL(over_qps)},
	{"backend_state_changes_total", NULL, "counter",
		"How often it was taken out or back.", 0, value_changes, 0},
	{NULL, DD "tcpdiedsendingquery", "counter",
		"None: they are among tcpdiedreadingresponse.", 0, value_never,
		0},
	{NULL, DD "tcpgaveup", "counter",
		"None: tries over TCP are not counted.", 0, value_never, 0},
	{NULL, DD "tcpwritetimeouts", "counter",
		"None: a question that waits is given up with its answer.", 0,
		value_never, 0},
	{NULL, DD "tcptoomanyconcurrentconnections", "counter",
		"None: there is one connection per worker.", 0, value_never, 0},
	{"backend_probe_failures_total", DD "healthcheckfailures", "counter",
		"Probes that failed.", 0, value_probe_all, 0},
	{NULL, DD "healthcheckfailuresparsing", "counter",
		"Malformed answers to probes.", 0, value_probe_invalid, 0},
	{NULL, DD "healthcheckfailurestimeout", "counter",
		"Probes without an answer in time.", 0, value_probe_timeout, 0},
	{NULL, DD "healthcheckfailuresnetwork", "counter",
		"Probes that could not be sent.", 0, value_probe_network, 0},
	{NULL, DD "healthcheckfailuresmismatch", "counter",
		"Answers to something else than the probe.", 0,
		value_probe_mismatch, 0},
	{NULL, DD "healthcheckfailuresinvalid", "counter",
		"Answers to probes with a wrong rcode or without AA.", 0,
		value_probe_rcode, 0},
	{"backend_probe_latency_seconds", DD "healthchecklatency", "gauge",
		"Answer time of the last good probe (dnsdist: milliseconds).",
		0, value_probe_latency, 1000},
};

static double read_value(const struct frontend *fe,
	const struct server_metric *metric, const struct pool_member *m)
{
	const char *cell = (const char *)m->server + metric->offset;

	if (metric->value)
		return metric->value(fe, m);
	return (double)server_read((const uint64_t *)(const void *)cell);
}

/* --- rows ------------------------------------------------------------- */

typedef void (*member_fn)(const struct frontend *fe, const void *arg,
	const struct pool_member *m, struct text *out);

static void each_member(const struct frontend *fe, const void *arg,
	member_fn fn, struct text *out)
{
	for (unsigned i = 0; i < fe->policy->pool_count; i++) {
		const struct pool *pool = &fe->policy->pools[i];

		for (unsigned k = 0; k < pool->count; k++)
			fn(fe, arg, &pool->members[k], out);
	}
}

static void own_row(const struct frontend *fe, const void *arg,
	const struct pool_member *m, struct text *out)
{
	const struct server_metric *metric = arg;
	char addr[ADDR_TEXT];

	text_add(out, OWN "%s{backend=\"", metric->name);
	metrics_label(out, m->server->name);
	text_add(out, "\",pool=\"");
	metrics_label(out, m->server->pool);
	text_add(out, "\",address=\"%s\"} %.15g\n",
		addr_print(&m->server->addr, addr), read_value(fe, metric, m));
}

static bool is_same(const struct server *a, const struct server *b)
{
	return strcmp(a->name, b->name) == 0 && addr_equal(&a->addr, &b->addr);
}

/* The sum over all pools when this is the first that has it; else false. */
static bool sum_value(const struct frontend *fe,
	const struct server_metric *metric, const struct pool_member *m,
	double *sum)
{
	bool before = true;

	*sum = 0;
	for (unsigned i = 0; i < fe->policy->pool_count; i++) {
		const struct pool *pool = &fe->policy->pools[i];

		for (unsigned k = 0; k < pool->count; k++) {
			const struct pool_member *other = &pool->members[k];

			before = before && other != m;
			if (!is_same(other->server, m->server))
				continue;
			if (before)
				return false;
			if (other == m || !metric || !metric->value)
				*sum += metric ? read_value(fe, metric, other)
					       : 0;
		}
	}
	return true;
}

/* {server="its_name",address="ip:port" : dots become underscores. */
static void print_labels(const struct server *s, struct text *out)
{
	char name[SERVER_NAME], addr[ADDR_TEXT];

	(void)snprintf(name, sizeof(name), "%s", s->name);
	for (char *c = name; *c; c++)
		*c = (char)(*c == '.' ? '_' : *c);
	text_add(out, "{server=\"");
	metrics_label(out, name);
	text_add(out, "\",address=\"%s\"", addr_print(&s->addr, addr));
}

static void dnsdist_row(const struct frontend *fe, const void *arg,
	const struct pool_member *m, struct text *out)
{
	const struct server_metric *metric = arg;
	double value;

	if (!sum_value(fe, metric, m, &value))
		return;
	text_add(out, "%s", metric->dnsdist);
	print_labels(m->server, out);
	text_add(out, "} %.15g\n",
		metric->scale > 0 ? value * metric->scale : value);
}

static void histogram_row(const struct frontend *fe, const void *arg,
	const struct pool_member *m, struct text *out)
{
	const char *name = arg;
	struct probe_info info;
	struct text labels;
	double unused;

	if (!sum_value(fe, NULL, m, &unused) ||
		!probes_info(fe->probes, m->server, &info))
		return;
	text_init(&labels);
	print_labels(m->server, &labels);
	stats_print_ms(&info.latency, name, labels.data + 1, out);
	text_fini(&labels);
}

/* dnsdist's counters lack the suffix that the type would ask for. */
static const char *alias_type(const char *type)
{
	return strcmp(type, "counter") == 0 ? "untyped" : type;
}

void page_servers(const struct frontend *fe, struct text *out)
{
	static const char histogram[] = DD "healthchecklatency_histo";

	for (size_t i = 0; i < countof(server_metrics); i++) {
		const struct server_metric *m = &server_metrics[i];
		char name[80];

		if (m->name) {
			(void)snprintf(name, sizeof(name), OWN "%s", m->name);
			metrics_family(out, name, m->type, m->help);
			each_member(fe, m, own_row, out);
		}
		if (m->dnsdist) {
			metrics_family(
				out, m->dnsdist, alias_type(m->type), m->help);
			each_member(fe, m, dnsdist_row, out);
		}
	}
	metrics_family(out, histogram, "histogram",
		"Answer times of probes, milliseconds.");
	each_member(fe, histogram, histogram_row, out);
}
