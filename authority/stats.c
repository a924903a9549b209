/* SPDX-License-Identifier: ISC */
/* Counters, the cached sample of NSD's, and the two pages. */

#include "authority/stats.h"

#include "common/base/log.h"
#include "common/net/http.h"

#define CALL_MS     20000
#define SAMPLES_MAX 512

struct sample {
	char name[64];
	double value;
};

struct stats {
	struct loop *loop;
	struct server *server;
	struct http_server *http;
	stats_now_fn now;
	void *arg;
	int64_t interval_us;
	struct nsd_call *call;
	struct mtime asked;   /* last time NSD was asked */
	struct mtime sampled; /* last answer; 0: none */
	unsigned asked_count;
	struct sample samples[SAMPLES_MAX];
	size_t sample_count;
	uint64_t changes[3], check_failures;
	int64_t last_change_us;
	struct histogram rtt;
};

/* NSD's name -> the exporter's. A name that ends in '.' is a prefix whose
 * rest becomes the label. */
static const struct mapping {
	const char *nsd, *metric, *label, *value, *type;
} mappings[] = {
	{"num.queries", "nsd_queries_total", NULL, NULL, "counter"},
	{"num.udp", "nsd_queries_by_transport_total", "transport", "udp",
		"counter"},
	{"num.udp6", "nsd_queries_by_transport_total", "transport", "udp6",
		"counter"},
	{"num.tcp", "nsd_queries_by_transport_total", "transport", "tcp",
		"counter"},
	{"num.tcp6", "nsd_queries_by_transport_total", "transport", "tcp6",
		"counter"},
	{"num.type.", "nsd_queries_by_type_total", "type", NULL, "counter"},
	{"num.opcode.", "nsd_queries_by_opcode_total", "opcode", NULL,
		"counter"},
	{"num.class.", "nsd_queries_by_class_total", "class", NULL, "counter"},
	{"num.rcode.", "nsd_queries_by_rcode_total", "rcode", NULL, "counter"},
	{"num.edns", "nsd_queries_with_edns_total", NULL, NULL, "counter"},
	{"num.ednserr", "nsd_queries_with_edns_failed_total", NULL, NULL,
		"counter"},
	{"num.rxerr", "nsd_queries_rx_failed_total", NULL, NULL, "counter"},
	{"num.txerr", "nsd_answers_tx_failed_total", NULL, NULL, "counter"},
	{"num.answer_wo_aa", "nsd_answers_without_aa_total", NULL, NULL,
		"counter"},
	{"num.truncated", "nsd_answers_truncated_total", NULL, NULL, "counter"},
	{"num.dropped", "nsd_queries_dropped_total", NULL, NULL, "counter"},
	{"num.raxfr", "nsd_xfr_requests_served_total", "xfrtype", "AXFR",
		"counter"},
	{"num.rixfr", "nsd_xfr_requests_served_total", "xfrtype", "IXFR",
		"counter"},
	{"time.boot", "nsd_time_up_seconds_total", NULL, NULL, "counter"},
	{"size.db.mem", "nsd_size_db_in_mem_bytes", NULL, NULL, "gauge"},
	{"size.xfrd.mem", "nsd_size_xfrd_in_mem_bytes", NULL, NULL, "gauge"},
	{"zone.master", "nsd_zones_primary", NULL, NULL, "gauge"},
	{"zone.slave", "nsd_zones_secondary", NULL, NULL, "gauge"},
};

static void add_sample(void *arg, const char *name, double value)
{
	struct stats *stats = arg;
	struct sample *s = &stats->samples[stats->sample_count];

	if (stats->sample_count == SAMPLES_MAX ||
		(value == 0.0 && strncmp(name, "num.type.", 9) == 0))
		return; /* every type that NSD knows is told, with zeros */
	snprintf(s->name, sizeof(s->name), "%.63s", name);
	s->value = value;
	stats->sample_count++;
}

static void on_sample(void *arg, int rc, const char *reply, size_t len)
{
	struct stats *stats = arg;

	(void)len;
	stats->call = NULL;
	if (rc < 0) {
		LOG_EVERY(300, LOG_LVL_WARN,
			"authority: NSD does not tell its counters: %s",
			strerror(-rc));
		return;
	}
	stats->sample_count = 0;
	stats->sampled = mtime_now();
	nsd_parse_stats(reply, add_sample, stats);
}

/* Ask NSD, when the last time is long enough ago; the answer comes later. */
static void refresh(struct stats *stats)
{
	struct mtime now = mtime_now();

	if (stats->call || !server_is_up(stats->server) ||
		(stats->asked_count > 0 &&
			mtime_sub_us(now, stats->asked) < stats->interval_us))
		return;
	stats->call = server_call(stats->server, "stats_noreset", NULL, CALL_MS,
		on_sample, stats, NULL);
	stats->asked = now;
	stats->asked_count++;
}

static void print_sample(
	const struct mapping *m, const struct sample *s, struct text *out)
{
	text_add(out, "%s", m->metric);
	if (m->label) {
		text_add(out, "{%s=\"", m->label);
		metrics_label(
			out, m->value ? m->value : s->name + strlen(m->nsd));
		text_add(out, "\"}");
	}
	text_add(out, " %.15g\n", s->value);
}

static bool maps(const struct mapping *m, const struct sample *s)
{
	size_t len = strlen(m->nsd);

	if (m->nsd[len - 1] == '.')
		return strncmp(s->name, m->nsd, len) == 0;
	return strcmp(s->name, m->nsd) == 0;
}

static void print_nsd(const struct stats *stats, struct text *out)
{
	const char *family = "";

	for (size_t i = 0; i < countof(mappings); i++) {
		const struct mapping *m = &mappings[i];

		if (strcmp(family, m->metric) != 0)
			metrics_family(out, m->metric, m->type,
				"From NSD's statistics.");
		family = m->metric;
		for (size_t j = 0; j < stats->sample_count; j++) {
			if (maps(m, &stats->samples[j]))
				print_sample(m, &stats->samples[j], out);
		}
	}
}

static void one(struct text *out, const char *name, const char *type,
	const char *help, double value)
{
	metrics_family(out, name, type, help);
	text_add(out, "%s %.15g\n", name, value);
}

static void print_changes(const struct stats *stats, struct text *out)
{
	static const char *const results[] = {"done", "rolled_back", "failed"};
	static const char name[] = "ispdns_authority_changes_total";

	metrics_family(out, name, "counter", "Changes by their result.");
	for (size_t i = 0; i < countof(results); i++)
		text_add(out, "%s{result=\"%s\"} %llu\n", name, results[i],
			(unsigned long long)stats->changes[i]);
	one(out, "ispdns_authority_checks_failed_total", "counter",
		"Changes refused because a zone was bad.",
		(double)stats->check_failures);
	one(out, "ispdns_authority_last_change_seconds", "gauge",
		"How long the last change took to be proven.",
		(double)stats->last_change_us / 1e6);
}

void stats_print(struct stats *stats, struct text *out)
{
	struct stats_now now = {.generation = 0};

	refresh(stats);
	stats->now(stats->arg, &now);
	one(out, "ispdns_authority_generation", "gauge",
		"Generation that is served.", (double)now.generation);
	one(out, "ispdns_authority_zones", "gauge", "Zones that are served.",
		(double)now.zones);
	one(out, "ispdns_authority_serving", "gauge",
		"1 when NSD is up and its zones are proven.", now.serving);
	one(out, "ispdns_authority_degraded", "gauge",
		"1 when something else than the configuration is served.",
		now.degraded);
	one(out, "ispdns_authority_draining", "gauge",
		"1 while the health zone is taken out.", now.draining);
	one(out, "ispdns_authority_nsd_restarts_total", "counter",
		"Restarts of an NSD that died.",
		server_restarts(stats->server));
	print_changes(stats, out);
	metrics_family(out, "ispdns_authority_probe_seconds", "histogram",
		"Round-trip time of our own questions to NSD.");
	histogram_print(&stats->rtt, "ispdns_authority_probe_seconds", "", out);
	if (stats->sampled.us > 0)
		one(out, "ispdns_authority_nsd_sample_age_seconds", "gauge",
			"Age of the figures of NSD below.",
			(double)mtime_sub_us(mtime_now(), stats->sampled) /
				1e6);
	print_nsd(stats, out);
}

static int page(void *arg, const char *path, struct text *body)
{
	struct stats *stats = arg;
	struct stats_now now = {.generation = 0};

	if (strcmp(path, "/metrics") == 0) {
		stats_print(stats, body);
		return 200;
	}
	if (strcmp(path, "/health") != 0)
		return 404;
	stats->now(stats->arg, &now);
	text_add(body, "%s generation=%lld\n",
		!now.serving   ? "failed"
		: now.draining ? "draining"
		: now.degraded ? "degraded"
			       : "ok",
		now.generation);
	return now.serving && !now.draining ? 200 : 503;
}

void stats_json(struct stats *stats, json_t *out)
{
	json_t *nsd = json_object();

	refresh(stats);
	json_object_set_new(out, "changes_done",
		json_integer((json_int_t)stats->changes[APPLY_DONE]));
	json_object_set_new(out, "changes_rolled_back",
		json_integer((json_int_t)stats->changes[APPLY_ROLLED_BACK]));
	json_object_set_new(out, "changes_failed",
		json_integer((json_int_t)stats->changes[APPLY_FAILED]));
	json_object_set_new(out, "checks_failed",
		json_integer((json_int_t)stats->check_failures));
	json_object_set_new(out, "last_change_ms",
		json_integer(stats->last_change_us / 1000));
	json_object_set_new(out, "nsd_restarts",
		json_integer(server_restarts(stats->server)));
	json_object_set_new(out, "nsd_asked", json_integer(stats->asked_count));
	for (size_t i = 0; i < stats->sample_count; i++)
		json_object_set_new(nsd, stats->samples[i].name,
			json_real(stats->samples[i].value));
	json_object_set_new(out, "nsd", nsd);
}

void stats_change(
	struct stats *stats, enum apply_result result, int64_t duration_us)
{
	stats->changes[result]++;
	stats->last_change_us = duration_us;
}

void stats_check_failed(struct stats *stats)
{
	stats->check_failures++;
}

struct histogram *stats_rtt(struct stats *stats)
{
	return &stats->rtt;
}

unsigned stats_nsd_asked(const struct stats *stats)
{
	return stats->asked_count;
}

struct stats *stats_new(struct loop *loop, const struct auth_config *config,
	struct server *server, stats_now_fn now, void *arg, struct err *err)
{
	const struct conf_node *metrics =
		conf_get(conf_root(config->conf), "metrics");
	const struct conf_node *listen = conf_get(metrics, "listen");
	struct stats *stats = calloc(1, sizeof(*stats));

	if (!stats) {
		err_set(err, "out of memory");
		return NULL;
	}
	stats->loop = loop;
	stats->server = server;
	stats->now = now;
	stats->arg = arg;
	stats->interval_us = conf_get_int(metrics, "nsd_interval") * 1000;
	if (!listen)
		return stats;
	stats->http =
		http_server_new(loop, conf_addr(listen), page, stats, err);
	if (stats->http)
		return stats;
	stats_free(stats);
	return NULL;
}

void stats_free(struct stats *stats)
{
	if (!stats)
		return;
	nsd_cancel(stats->call);
	http_server_free(stats->http);
	free(stats);
}
