/* SPDX-License-Identifier: ISC */

/* What an operator is shown of anycast: status, events, metrics. */

#include "ha/ha.h"

#include "common/base/log.h"

static uint8_t count_routed(const struct anycast *a)
{
	uint8_t n = 0;

	for (size_t i = 0; i < ANYCAST_SLOTS; i++)
		if (a->slots[i].used && !a->slots[i].gone &&
			a->slots[i].have.count > 0)
			n++;
	return n;
}

void ha_look_anycast(struct worker *w, struct ha_views *views)
{
	for (size_t i = 0; i < worker_anycasts(w); i++) {
		const struct anycast *a = worker_anycast(w, i);
		struct ha_anycast_view *v;

		if (a->removed || views->anycast_count == CONFIG_ANYCAST)
			continue;
		v = &views->anycast[views->anycast_count++];
		v->conf = a->conf;
		v->st = a->st;
		v->counters = a->counters;
		v->service = a->service;
		v->drained = a->drain;
		v->routed = count_routed(a);
		v->probe_running = probe_running(&a->probe);
	}
}

void ha_look_engine(struct ha *ha)
{
	struct engine_state before = ha->engine;

	engine_look(&ha->engine, ha->config);
	for (size_t i = 0; i < ha->config->anycast_count; i++) {
		const struct config_anycast *a = &ha->config->anycast[i];

		if (ha->engine.absent[i] == before.absent[i])
			continue;
		if (ha->engine.absent[i])
			log_warn("ha: %s: %s does not run: its routes reach "
				 "nobody",
				a->name, a->for_frr ? "FRR's bgpd" : "BIRD");
		else
			log_info("ha: %s: %s runs", a->name,
				a->for_frr ? "FRR's bgpd" : "BIRD");
	}
}

void ha_view_engine(const struct ha *ha, struct ha_views *views)
{
	for (size_t i = 0; i < views->anycast_count; i++)
		for (size_t k = 0; k < ha->config->anycast_count; k++)
			if (!strcmp(views->anycast[i].conf.name,
				    ha->config->anycast[k].name))
				views->anycast[i].engine_absent =
					ha->engine.absent[k];
}

static json_t *one_json(const struct ha_anycast_view *v, int64_t now)
{
	json_t *list = json_array();
	char ip[ADDR_TEXT];

	for (size_t i = 0; i < v->conf.addr_count; i++)
		json_array_append_new(
			list, json_string(ha_print_ip(
				      v->conf.family, v->conf.addrs[i], ip)));
	return json_pack("{s:s, s:s, s:o, s:s, s:I, s:b, s:I, s:I, s:s, s:I,"
			 " s:b, s:s, s:b, s:b, s:I, s:I, s:I}",
		"name", v->conf.name, "family",
		v->conf.family == 6 ? "ipv6" : "ipv4", "addresses", list,
		"instance", v->conf.instance, "table",
		(json_int_t)v->conf.table, "announced", v->routed > 0, "routes",
		(json_int_t)v->routed, "metric", (json_int_t)v->st.metric,
		"reason", route_reason_name(v->st.reason), "since_ms",
		(json_int_t)((now - v->st.since_us) / 1000), "address_on",
		v->st.address, "frontend", track_service_name(v->service),
		"drained", v->drained, "engine_absent", v->engine_absent,
		"changes", (json_int_t)v->counters.changes, "restored",
		(json_int_t)v->counters.restored, "failed",
		(json_int_t)v->counters.failed);
}

json_t *ha_anycast_json(const struct ha_views *views)
{
	json_t *list = json_array();

	for (size_t i = 0; i < views->anycast_count; i++)
		json_array_append_new(
			list, one_json(&views->anycast[i], views->now_us));
	return list;
}

static void render_one(json_t *o)
{
	const char *name = "", *reason = "", *frontend = "";
	json_int_t metric = 0, table = 0, since = 0, routes = 0;
	const json_t *addresses = NULL;
	size_t i;
	json_t *a;

	json_unpack(o, "{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:o}", "name",
		&name, "reason", &reason, "frontend", &frontend, "metric",
		&metric, "table", &table, "since_ms", &since, "routes", &routes,
		"addresses", &addresses);
	printf("%s: %s", name, metric ? "announced" : "withdrawn");
	if (metric)
		printf(", metric %lld", (long long)metric);
	printf(" since %.1f s (%s)\n  %lld routes in table %lld:",
		(double)since / 1000, reason, (long long)routes,
		(long long)table);
	json_array_foreach(addresses, i, a)
		printf(" %s", json_string_value(a));
	printf("\n  frontend %s%s\n", frontend,
		json_is_true(json_object_get(o, "engine_absent"))
			? ", the BGP daemon does not run"
			: "");
}

void ha_anycast_render(const json_t *list)
{
	size_t i;
	json_t *o;

	json_array_foreach(list, i, o)
		render_one(o);
}

void ha_anycast_text(const struct instance_event *ev, char *out, size_t size)
{
	const char *reason = route_reason_name((enum route_reason)ev->reason);

	if (ev->kind == INSTANCE_ROUTE && ev->value)
		snprintf(out, size,
			"%s: route: announced metric=%lld "
			"reason=%s",
			ev->name, (long long)ev->value, reason);
	else if (ev->kind == INSTANCE_ROUTE)
		snprintf(out, size, "%s: route: withdrawn reason=%s", ev->name,
			reason);
	else if (ev->value < 0)
		snprintf(out, size,
			"%s: route: somebody keeps taking it off, giving up "
			"for 10 s",
			ev->name);
	else
		snprintf(out, size,
			"%s: route: was taken off by somebody, put back",
			ev->name);
}

/* --- metrics ------------------------------------------------------------ */

static uint64_t get_announced(const struct ha_anycast_view *v)
{
	return v->routed > 0;
}

static uint64_t get_metric(const struct ha_anycast_view *v)
{
	return v->st.metric;
}

static uint64_t get_routes(const struct ha_anycast_view *v)
{
	return v->routed;
}

static uint64_t get_changes(const struct ha_anycast_view *v)
{
	return v->counters.changes;
}

static uint64_t get_restored(const struct ha_anycast_view *v)
{
	return v->counters.restored;
}

static uint64_t get_failed(const struct ha_anycast_view *v)
{
	return v->counters.failed;
}

static uint64_t get_engine_up(const struct ha_anycast_view *v)
{
	return !v->engine_absent;
}

static const struct {
	const char *name, *type, *help;
	uint64_t (*get)(const struct ha_anycast_view *v);
} series[] = {
	{"ispdns_ha_route_announced", "gauge",
		"1 while the kernel has a route of this anycast service.",
		get_announced},
	{"ispdns_ha_route_metric", "gauge",
		"Metric that is wanted now; 0 while withdrawn.", get_metric},
	{"ispdns_ha_route_count", "gauge", "Addresses that have a route.",
		get_routes},
	{"ispdns_ha_route_changes_total", "counter",
		"Times it was announced, withdrawn or changed its metric.",
		get_changes},
	{"ispdns_ha_route_restored_total", "counter",
		"Times somebody took a route or address off.", get_restored},
	{"ispdns_ha_route_failed_total", "counter",
		"System calls for it that failed.", get_failed},
	{"ispdns_ha_route_engine_up", "gauge",
		"1 while the BGP daemon that reads the routes runs.",
		get_engine_up},
};

void ha_anycast_metrics(const struct ha_views *views, struct text *out)
{
	for (size_t i = 0; i < countof(series); i++) {
		metrics_family(
			out, series[i].name, series[i].type, series[i].help);
		for (size_t k = 0; k < views->anycast_count; k++) {
			const struct ha_anycast_view *v = &views->anycast[k];

			text_add(out, "%s{name=\"", series[i].name);
			metrics_label(out, v->conf.name);
			text_add(out, "\",af=\"%s\"} %llu\n",
				v->conf.family == 6 ? "ipv6" : "ipv4",
				(unsigned long long)series[i].get(v));
		}
	}
}

void ha_anycast_stats(const struct ha_views *views, json_t *out)
{
	json_t *all = json_object();

	for (size_t k = 0; k < views->anycast_count; k++) {
		const struct ha_anycast_view *v = &views->anycast[k];
		json_t *o = json_object();

		for (size_t i = 0; i < countof(series); i++)
			json_object_set_new(o,
				series[i].name + strlen("ispdns_ha_"),
				json_integer((json_int_t)series[i].get(v)));
		json_object_set_new(all, v->conf.name, o);
	}
	json_object_set_new(out, "anycast", all);
}
