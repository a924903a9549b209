/* SPDX-License-Identifier: ISC */

/* Counters and gauges: the metrics page (ispdns_ha_*) and the stats verb. */

#include "ha/ha.h"

#include "common/base/clock.h"

enum {
	SPLIT_US = 5 * 1000 * 1000,
};

/* Another master was heard a moment ago, or is known by its hellos. */
static bool is_split(const struct instance *in, int64_t now)
{
	return in->st.role == STATE_MASTER &&
	       (in->asymmetric != STATE_INIT ||
		       (in->split_us && now - in->split_us < SPLIT_US));
}

static void look(struct worker *w, void *arg)
{
	struct ha_views *views = arg;
	const struct health *h = worker_health(w);

	views->now_us = mtime_now().us;
	views->count = worker_instances(w);
	views->beats = h->beats;
	views->malformed = h->malformed;
	views->deaths = h->deaths;
	views->worker = *worker_count(w);
	views->min_us = pace_min_us(&views->worker.late_us);
	ha_look_anycast(w, views);
	for (size_t i = 0; i < views->count; i++) {
		const struct instance *in = worker_instance(w, i);
		struct ha_view *v = &views->view[i];

		v->counters = in->counters;
		v->conf = in->conf;
		v->st = in->st;
		v->health = in->health;
		v->service = in->service;
		v->place = in->vip.place;
		v->priority = state_priority(&in->st, &in->sc);
		v->interval_short = in->conf.interval_us < views->min_us;
		v->link_up = in->link_up;
		v->has_source = in->has_source;
		v->vips_seen = in->vips_seen;
		v->gateway_lost = in->gateway_lost;
		v->asymmetric = in->asymmetric != STATE_INIT;
		v->split_brain = is_split(in, views->now_us);
		v->foreign = in->foreign;
		v->gateway = neighbour_gateway(&in->neighbour);
		v->split_us = in->split_us;
		memcpy(v->rival, in->rival, sizeof(v->rival));
		v->conflicts = in->neighbour.conflicts;
		v->probe_running = probe_running(&in->probe);
		v->probe_failed = probe_failed(&in->probe, views->now_us);
		v->probe_proven = in->probe.proven;
		v->rescue = in->rescue;
		v->rescued = in->rescued;
		memcpy(v->source, in->source, sizeof(v->source));
		memcpy(v->peers, in->peers, sizeof(v->peers));
	}
}

/* The judge notes what it sees, so a copy of it is asked. */
static void look_service(struct worker *w, void *arg)
{
	struct ha_views *views = arg;
	const struct health *h = worker_health(w);
	struct track_beat copy = h->beat;

	views->service = track_beat_judge(&copy, &h->conf, mtime_now().us);
}

struct ha_views *ha_look(struct ha *ha)
{
	struct ha_views *views = calloc(1, sizeof(*views));

	if (!views)
		return NULL;
	worker_call(ha->worker, look, views);
	worker_call(ha->worker, look_service, views);
	ha_view_engine(ha, views);
	return views;
}

/* One counter of every instance. */
struct series {
	const char *name, *help, *type;
	uint64_t (*get)(const struct ha_view *v, int64_t now);
};

#define COUNTER(field)                                                         \
	static uint64_t get_##field(const struct ha_view *v, int64_t now)      \
	{                                                                      \
		(void)now;                                                     \
		return v->counters.field;                                      \
	}

COUNTER(sent)
COUNTER(received)
COUNTER(prio0_sent)
COUNTER(prio0_received)
COUNTER(interval_diff)
COUNTER(addr_list_diff)
COUNTER(owner)
COUNTER(split)
COUNTER(clone)
COUNTER(late)
COUNTER(grace)
COUNTER(group_waits)
COUNTER(path_waits)
COUNTER(announced)
COUNTER(restored)
COUNTER(send_failed)
COUNTER(takes_sent)
COUNTER(takes_received)
COUNTER(hellos_sent)
COUNTER(hellos_received)
COUNTER(handover_bad)
COUNTER(rescues)

static uint64_t get_state(const struct ha_view *v, int64_t now)
{
	(void)now;
	return (uint64_t)v->st.role;
}

static uint64_t get_master(const struct ha_view *v, int64_t now)
{
	(void)now;
	return v->st.role == STATE_MASTER;
}

static uint64_t get_priority(const struct ha_view *v, int64_t now)
{
	(void)now;
	return v->priority;
}

static uint64_t get_fault(const struct ha_view *v, int64_t now)
{
	(void)now;
	return (uint64_t)v->health.fault;
}

static uint64_t get_gateway(const struct ha_view *v, int64_t now)
{
	(void)now;
	return v->gateway_lost;
}

static uint64_t get_asymmetric(const struct ha_view *v, int64_t now)
{
	(void)now;
	return v->asymmetric;
}

static uint64_t get_split_brain(const struct ha_view *v, int64_t now)
{
	(void)now;
	return v->split_brain;
}

static uint64_t get_foreign(const struct ha_view *v, int64_t now)
{
	(void)now;
	return v->foreign;
}

static uint64_t get_short(const struct ha_view *v, int64_t now)
{
	(void)now;
	return v->interval_short;
}

static uint64_t get_probe_failed(const struct ha_view *v, int64_t now)
{
	(void)now;
	return v->probe_failed;
}

static uint64_t get_rescued(const struct ha_view *v, int64_t now)
{
	(void)now;
	return v->rescued;
}

static uint64_t get_silent(const struct ha_view *v, int64_t now)
{
	(void)now;
	return v->rescue.alarm;
}

static uint64_t get_conflicts(const struct ha_view *v, int64_t now)
{
	(void)now;
	return v->conflicts;
}

static const struct series series[] = {
	{"ispdns_ha_state", "Role: 0 init, 1 backup, 2 master, 3 fault.",
		"gauge", get_state},
	{"ispdns_ha_master", "1 while this node is master.", "gauge",
		get_master},
	{"ispdns_ha_effective_priority", "Priority advertised.", "gauge",
		get_priority},
	{"ispdns_ha_fault", "0 none, 1 service, 2 link, 3 sync group.", "gauge",
		get_fault},
	{"ispdns_ha_adverts_sent_total", "Adverts sent.", "counter", get_sent},
	{"ispdns_ha_adverts_received_total", "Adverts accepted.", "counter",
		get_received},
	{"ispdns_ha_prio0_sent_total", "Goodbyes sent.", "counter",
		get_prio0_sent},
	{"ispdns_ha_prio0_received_total", "Goodbyes received.", "counter",
		get_prio0_received},
	{"ispdns_ha_interval_diff_total",
		"Adverts with another interval than ours.", "counter",
		get_interval_diff},
	{"ispdns_ha_addr_list_diff_total",
		"Adverts with other addresses than ours.", "counter",
		get_addr_list_diff},
	{"ispdns_ha_owner_total", "Adverts of priority 255.", "counter",
		get_owner},
	{"ispdns_ha_split_brain_total",
		"Adverts of a second master heard as master.", "counter",
		get_split},
	{"ispdns_ha_split_brain",
		"1 while we are master and know of another one.", "gauge",
		get_split_brain},
	{"ispdns_ha_asymmetric",
		"1 while a peer says it is master, but no advert of it comes.",
		"gauge", get_asymmetric},
	{"ispdns_ha_foreign_address",
		"1 while a service address is on the link that we did not put "
		"there.",
		"gauge", get_foreign},
	{"ispdns_ha_group_waits_total",
		"Silences not believed, since the sync group hears its master.",
		"counter", get_group_waits},
	{"ispdns_ha_path_waits_total",
		"Silences not believed, since a peer says that it is master "
		"and has its gateway.",
		"counter", get_path_waits},
	{"ispdns_ha_master_silent",
		"1 while the master advertises, its DNS is silent, and it is "
		"not to be relieved from here; or it has never answered.",
		"gauge", get_silent},
	{"ispdns_ha_rescue",
		"1 while this node stands in for a master whose DNS did not "
		"answer.",
		"gauge", get_rescued},
	{"ispdns_ha_rescues_total", "Masters relieved for that.", "counter",
		get_rescues},
	{"ispdns_ha_probe_failed",
		"1 while our own address does not answer, or is not trusted.",
		"gauge", get_probe_failed},
	{"ispdns_ha_gateway_lost", "1 while the gateway does not answer ARP.",
		"gauge", get_gateway},
	{"ispdns_ha_conflicts_total",
		"ARP of others that claims one of our addresses.", "counter",
		get_conflicts},
	{"ispdns_ha_interval_short",
		"1 while the interval is shorter than "
		"ispdns_ha_interval_min_seconds.",
		"gauge", get_short},
	{"ispdns_ha_clone_total", "Adverts that could be our own.", "counter",
		get_clone},
	{"ispdns_ha_late_reassert_total",
		"Times a late master announced itself again.", "counter",
		get_late},
	{"ispdns_ha_late_grace_total", "Times a late backup waited once more.",
		"counter", get_grace},
	{"ispdns_ha_garp_sent_total", "Gratuitous ARP and unsolicited NA sent.",
		"counter", get_announced},
	{"ispdns_ha_addr_restored_total",
		"Addresses put back after somebody took them off.", "counter",
		get_restored},
	{"ispdns_ha_send_failed_total", "Adverts that could not be sent.",
		"counter", get_send_failed},
	{"ispdns_ha_takes_sent_total", "Handovers asked of peers.", "counter",
		get_takes_sent},
	{"ispdns_ha_takes_received_total", "Handovers asked by peers.",
		"counter", get_takes_received},
	{"ispdns_ha_hellos_sent_total", "Hellos sent to peers.", "counter",
		get_hellos_sent},
	{"ispdns_ha_hellos_received_total", "Messages of peers.", "counter",
		get_hellos_received},
	{"ispdns_ha_handover_rejected_total", "Handover datagrams thrown away.",
		"counter", get_handover_bad},
};

static void labels(const struct ha_view *v, char *out, size_t size)
{
	snprintf(out, size, "instance_name=\"%s\",vrid=\"%d\",af=\"%s\"",
		v->conf.name, v->conf.vrid,
		v->conf.family == 6 ? "ipv6" : "ipv4");
}

static void print_series(
	const struct ha_views *views, const struct series *s, struct text *out)
{
	char label[128];

	metrics_family(out, s->name, s->type, s->help);
	for (size_t i = 0; i < views->count; i++) {
		labels(&views->view[i], label, sizeof(label));
		text_add(out, "%s{%s} %llu\n", s->name, label,
			(unsigned long long)s->get(
				&views->view[i], views->now_us));
	}
}

static void print_discards(const struct ha_views *views, struct text *out)
{
	char label[128];

	metrics_family(out, "ispdns_ha_advert_discard_total", "counter",
		"Adverts thrown away, by reason.");
	for (size_t i = 0; i < views->count; i++) {
		const struct ha_view *v = &views->view[i];

		labels(v, label, sizeof(label));
		for (int r = 1; r < PACKET_VERDICTS; r++)
			text_add(out,
				"ispdns_ha_advert_discard_total{%s,reason="
				"\"%s\"} %llu\n",
				label,
				packet_verdict_name((enum packet_verdict)r),
				(unsigned long long)v->counters.discard[r]);
	}
}

static void print_heard(const struct ha_views *views, struct text *out)
{
	char label[128];

	metrics_family(out, "ispdns_ha_master_last_heard_seconds", "gauge",
		"Since the last accepted advert.");
	for (size_t i = 0; i < views->count; i++) {
		const struct ha_view *v = &views->view[i];

		if (!v->st.heard_us)
			continue;
		labels(v, label, sizeof(label));
		text_add(out, "ispdns_ha_master_last_heard_seconds{%s} %.3f\n",
			label, (double)(views->now_us - v->st.heard_us) / 1e6);
	}
}

static void print_times(const struct ha_views *views, struct text *out)
{
	char label[128];

	metrics_family(out, "ispdns_ha_timer_late_seconds", "histogram",
		"How late timers of the state machine ran.");
	for (size_t i = 0; i < views->count; i++) {
		labels(&views->view[i], label, sizeof(label));
		histogram_print(&views->view[i].counters.late_us,
			"ispdns_ha_timer_late_seconds", label, out);
	}
	metrics_family(out, "ispdns_ha_takeover_seconds", "histogram",
		"From the decision to the first announcement.");
	for (size_t i = 0; i < views->count; i++) {
		labels(&views->view[i], label, sizeof(label));
		histogram_print(&views->view[i].counters.takeover_us,
			"ispdns_ha_takeover_seconds", label, out);
	}
}

static void print_transition(
	const struct ha *ha, int from, int to, int reason, struct text *out)
{
	uint64_t n = ha->transitions[from][to][reason];

	if (n)
		text_add(out,
			"ispdns_ha_transitions_total{from=\"%s\",to=\"%s\","
			"reason=\"%s\"} %llu\n",
			state_role_name((enum state_role)from),
			state_role_name((enum state_role)to),
			state_reason_name((enum state_reason)reason),
			(unsigned long long)n);
}

static void print_transitions(const struct ha *ha, struct text *out)
{
	metrics_family(out, "ispdns_ha_transitions_total", "counter",
		"Role changes of all virtual routers.");
	for (int from = 0; from < 4; from++)
		for (int to = 0; to < 4; to++)
			for (int r = 0; r < STATE_REASONS; r++)
				print_transition(ha, from, to, r, out);
}

static void print_node(
	struct ha *ha, const struct ha_views *views, struct text *out)
{
	print_transitions(ha, out);
	metrics_family(out, "ispdns_ha_health", "gauge",
		"1 for the state the frontend is in.");
	for (int s = 1; s < TRACK_SERVICES; s++)
		text_add(out,
			"ispdns_ha_health{input=\"frontend\",state="
			"\"%s\"} %d\n",
			track_service_name((enum track_service)s),
			views->service == (enum track_service)s);
	metrics_family(out, "ispdns_ha_heartbeats_total", "counter",
		"Heartbeats of the frontend.");
	text_add(out, "ispdns_ha_heartbeats_total %llu\n",
		(unsigned long long)views->beats);
	metrics_family(out, "ispdns_ha_heartbeats_malformed_total", "counter",
		"Heartbeats that made no sense.");
	text_add(out, "ispdns_ha_heartbeats_malformed_total %llu\n",
		(unsigned long long)views->malformed);
	metrics_family(out, "ispdns_ha_frontend_deaths_total", "counter",
		"Times the frontend went away.");
	text_add(out, "ispdns_ha_frontend_deaths_total %llu\n",
		(unsigned long long)views->deaths);
	metrics_family(out, "ispdns_ha_late_rounds_total", "counter",
		"Times the VRRP thread ran more than 20 ms late; silence in "
		"that time is held against nobody.");
	text_add(out, "ispdns_ha_late_rounds_total %llu\n",
		(unsigned long long)views->worker.late_rounds);
	metrics_family(out, "ispdns_ha_silence_excused_total", "counter",
		"Times a silent frontend was excused, since ordinary threads "
		"of this host did not run.");
	text_add(out, "ispdns_ha_silence_excused_total %llu\n",
		(unsigned long long)views->worker.excused);
	metrics_family(out, "ispdns_ha_wakeup_late_seconds", "histogram",
		"How late the VRRP thread woke up for anything.");
	histogram_print(&views->worker.late_us, "ispdns_ha_wakeup_late_seconds",
		"", out);
	metrics_family(out, "ispdns_ha_interval_min_seconds", "gauge",
		"The shortest safe interval, 20 times the 99.9th percentile "
		"of that; 0 until 1000 are known.");
	text_add(out, "ispdns_ha_interval_min_seconds %.3f\n",
		(double)views->min_us / 1e6);
	metrics_family(out, "ispdns_ha_fencing_total", "counter",
		"Times the fencing program was run.");
	text_add(out, "ispdns_ha_fencing_total %llu\n",
		(unsigned long long)ha->fence.started);
	metrics_family(out, "ispdns_ha_fencing_failed_total", "counter",
		"Times it did not end well.");
	text_add(out, "ispdns_ha_fencing_failed_total %llu\n",
		(unsigned long long)ha->fence.failed);
	metrics_family(out, "ispdns_ha_drained", "gauge",
		"1 when drained by an operator.");
	text_add(out, "ispdns_ha_drained %d\n", keep_drained(ha->keep));
	metrics_family(out, "ispdns_ha_realtime", "gauge",
		"1 when the VRRP thread runs under SCHED_RR.");
	text_add(
		out, "ispdns_ha_realtime %d\n", worker_is_realtime(ha->worker));
	metrics_family(out, "ispdns_ha_config_generation", "gauge",
		"Generation of the running configuration.");
	text_add(out, "ispdns_ha_config_generation %lld\n",
		daemon_generation(ha->daemon));
}

void ha_metrics(struct ha *ha, struct text *out)
{
	struct ha_views *views = ha_look(ha);

	if (!views)
		return;
	for (size_t i = 0; i < countof(series); i++)
		print_series(views, &series[i], out);
	print_discards(views, out);
	print_heard(views, out);
	print_times(views, out);
	ha_anycast_metrics(views, out);
	print_node(ha, views, out);
	free(views);
}

void ha_stats(void *state, json_t *out)
{
	struct ha_views *views = ha_look(state);

	for (size_t i = 0; views && i < views->count; i++) {
		const struct ha_view *v = &views->view[i];
		json_t *o = json_object(), *d = json_object();

		for (size_t k = 0; k < countof(series); k++)
			json_object_set_new(o,
				series[k].name + strlen("ispdns_ha_"),
				json_integer((json_int_t)series[k].get(
					v, views->now_us)));
		for (int r = 1; r < PACKET_VERDICTS; r++)
			json_object_set_new(d,
				packet_verdict_name((enum packet_verdict)r),
				json_integer(
					(json_int_t)v->counters.discard[r]));
		json_object_set_new(o, "discard", d);
		json_object_set_new(out, v->conf.name, o);
	}
	if (views)
		ha_anycast_stats(views, out);
	free(views);
}
