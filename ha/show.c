/* SPDX-License-Identifier: ISC */

/* What an operator is shown: status as JSON and as text, events as lines. */

#include "ha/ha.h"

#include "common/base/clock.h"

enum {
	RIVAL_US = 5 * 1000 * 1000
};

char *ha_print_ip(uint8_t family, const uint8_t *octets, char out[ADDR_TEXT])
{
	union addr addr = {0};

	if (family == 6) {
		addr.v6.sin6_family = AF_INET6;
		memcpy(&addr.v6.sin6_addr, octets, 16);
	} else {
		addr.v4.sin_family = AF_INET;
		memcpy(&addr.v4.sin_addr, octets, 4);
	}
	return addr_print_ip(&addr, out);
}

static void set_string(json_t *o, const char *key, const char *value)
{
	json_object_set_new(o, key, json_string(value));
}

static void set_int(json_t *o, const char *key, int64_t value)
{
	json_object_set_new(o, key, json_integer(value));
}

static void set_bool(json_t *o, const char *key, bool value)
{
	json_object_set_new(o, key, json_boolean(value));
}

static json_t *addresses_json(const struct config_instance *conf)
{
	json_t *list = json_array();

	for (size_t i = 0; i < conf->vip_count; i++) {
		char ip[ADDR_TEXT], text[ADDR_TEXT + 8];

		ha_print_ip(conf->family, conf->vips[i].octets, ip);
		snprintf(text, sizeof(text), "%s/%d", ip, conf->vips[i].prefix);
		json_array_append_new(list, json_string(text));
	}
	return list;
}

static json_t *peers_json(const struct ha_view *v, int64_t now)
{
	json_t *list = json_array();

	for (size_t i = 0; i < v->conf.handover_count; i++) {
		const struct instance_peer *p = &v->peers[i];
		json_t *o = json_object();
		char ip[ADDR_TEXT];

		set_string(o, "address", addr_print_ip(&p->addr, ip));
		set_string(o, "state", track_peer_name(p->state));
		if (p->heard_us) {
			set_int(o, "heard_ms_ago", (now - p->heard_us) / 1000);
			set_string(o, "role",
				state_role_name((enum state_role)p->role));
			set_int(o, "priority", p->priority);
			set_string(o, "gateway",
				track_gateway_name(
					(enum track_gateway)p->gateway));
		}
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *health_json(const struct ha_view *v)
{
	json_t *o = json_object();

	set_string(o, "frontend", track_service_name(v->service));
	set_string(o, "fault", track_fault_name(v->health.fault));
	set_bool(o, "link_up", v->link_up);
	set_bool(o, "has_source", v->has_source);
	set_bool(o, "probe_failed", v->probe_failed);
	set_bool(o, "probe_answered", v->probe_proven);
	set_string(o, "gateway", track_gateway_name(v->gateway));
	set_bool(o, "gateway_lost", v->gateway_lost);
	set_bool(o, "asymmetric", v->asymmetric);
	set_bool(o, "split_brain", v->split_brain);
	set_bool(o, "foreign_address", v->foreign);
	set_bool(o, "master_answers",
		v->rescue.ask == RESCUE_ASK_SERVICE &&
			rescue_trusts(&v->rescue));
	set_bool(o, "master_silent", v->rescue.alarm);
	set_bool(o, "rescue", v->rescued);
	set_bool(o, "leaving", v->health.leaving);
	set_bool(o, "last_man", v->health.last_man || v->st.lone);
	return o;
}

static void master_json(json_t *o, const struct ha_view *v, int64_t now)
{
	char ip[ADDR_TEXT];

	if (v->st.role == STATE_MASTER) {
		set_string(o, "master",
			ha_print_ip(v->conf.family, v->source, ip));
		set_int(o, "master_priority", v->priority);
		set_int(o, "master_interval_ms", v->conf.interval_us / 1000);
		return;
	}
	if (!v->st.heard_us)
		return;
	set_string(o, "master", ha_print_ip(v->conf.family, v->st.master, ip));
	set_int(o, "master_priority", v->st.master_priority);
	set_int(o, "master_interval_ms", v->st.active_us / 1000);
	set_int(o, "master_heard_ms_ago", (now - v->st.heard_us) / 1000);
}

/* Keys by their numbers. */
static json_t *hmac_json(const struct hmac_conf *conf)
{
	static const char *const modes[] = {
		"off", "receive-only", "permissive", "enforce"};
	json_t *o = json_object(), *keys = json_array();

	for (size_t i = 0; i < conf->key_count; i++)
		json_array_append_new(keys, json_integer(conf->keys[i].id));
	set_string(o, "mode", modes[conf->mode]);
	set_int(o, "active", conf->keys[conf->active].id);
	json_object_set_new(o, "keys", keys);
	return o;
}

/* The other master that was heard last, told for as long as it is news. */
static void rival_json(json_t *o, const struct ha_view *v, int64_t now)
{
	char ip[ADDR_TEXT];

	if (!v->split_us || now - v->split_us > RIVAL_US)
		return;
	set_string(o, "rival", ha_print_ip(v->conf.family, v->rival, ip));
	set_int(o, "rival_heard_ms_ago", (now - v->split_us) / 1000);
}

/* The master that we stand in for, and how far it is from being back. */
static void rescue_json(json_t *o, const struct ha_view *v, int64_t now)
{
	char ip[ADDR_TEXT];
	int64_t clean = v->rescue.clean_us;

	if (!v->rescue.leads)
		return;
	set_string(o, "rescue_of",
		ha_print_ip(v->conf.family, v->rescue.master, ip));
	set_int(o, "rescue_answers_ms", clean ? (now - clean) / 1000 : 0);
	set_int(o, "rescue_until_ms", v->rescue.rise_us / 1000);
}

static json_t *view_json(const struct ha_view *v, int64_t now)
{
	static const char *const places[] = {"off", "on", "linger"};
	json_t *o = json_object();
	char ip[ADDR_TEXT];

	set_string(o, "name", v->conf.name);
	set_string(o, "interface", v->conf.ifname);
	if (v->conf.group[0])
		set_string(o, "sync_group", v->conf.group);
	set_int(o, "vrid", v->conf.vrid);
	set_int(o, "version", v->conf.version);
	set_string(o, "family", v->conf.family == 6 ? "ipv6" : "ipv4");
	set_string(o, "role", state_role_name(v->st.role));
	set_string(o, "reason", state_reason_name(v->st.reason));
	set_int(o, "since_ms", (now - v->st.since_us) / 1000);
	set_int(o, "priority", v->conf.priority);
	set_int(o, "effective_priority", v->priority);
	set_int(o, "interval_ms", v->conf.interval_us / 1000);
	set_bool(o, "interval_short", v->interval_short);
	set_string(o, "source", ha_print_ip(v->conf.family, v->source, ip));
	master_json(o, v, now);
	rival_json(o, v, now);
	rescue_json(o, v, now);
	if (v->conf.hmac.mode != HMAC_OFF)
		json_object_set_new(o, "hmac", hmac_json(&v->conf.hmac));
	json_object_set_new(o, "addresses", addresses_json(&v->conf));
	set_string(o, "addresses_are", places[v->place]);
	json_object_set_new(o, "health", health_json(v));
	json_object_set_new(o, "peers", peers_json(v, now));
	set_int(o, "transitions", (int64_t)v->counters.transitions);
	set_int(o, "adverts_sent", (int64_t)v->counters.sent);
	set_int(o, "adverts_received", (int64_t)v->counters.received);
	return o;
}

void ha_status(void *state, json_t *out)
{
	struct ha *ha = state;
	struct ha_views *views = ha_look(ha);
	json_t *list = json_array();

	set_string(out, "node", ha->config->node);
	set_bool(out, "realtime", worker_is_realtime(ha->worker));
	set_bool(out, "drained", keep_drained(ha->keep));
	for (size_t i = 0; views && i < views->count; i++)
		json_array_append_new(
			list, view_json(&views->view[i], views->now_us));
	if (views) {
		set_string(out, "frontend", track_service_name(views->service));
		set_int(out, "interval_min_ms",
			(int64_t)(views->min_us / 1000));
		json_object_set_new(out, "anycast", ha_anycast_json(views));
	}
	json_object_set_new(out, "instances", list);
	free(views);
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "-";
}

static long long int_of(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

/* What should not be so, in one line; nothing when all is well. */
static void render_alarms(const json_t *health)
{
	static const struct {
		const char *key, *text;
	} alarms[] = {
		{"split_brain", "split brain"},
		{"asymmetric", "a peer is master, but its adverts do not come"},
		{"foreign_address",
			"a service address was put there by others"},
		{"master_silent",
			"the master advertises, but its DNS does not answer"},
		{"rescue", "stands in for a master whose DNS did not answer"},
		{"gateway_lost", "the gateway does not answer"},
		{"probe_failed", "the probe fails"},
	};
	const char *before = "  alarm: ";

	for (size_t i = 0; i < countof(alarms); i++) {
		if (!json_is_true(json_object_get(health, alarms[i].key)))
			continue;
		printf("%s%s", before, alarms[i].text);
		before = "; ";
	}
	if (*before == ';')
		printf("\n");
}

static void render_peer(const json_t *o)
{
	printf("  peer %s: %s", text_of(o, "address"), text_of(o, "state"));
	if (json_object_get(o, "heard_ms_ago"))
		printf(", %s, priority %lld, gateway %s, heard %.1f s ago",
			text_of(o, "role"), int_of(o, "priority"),
			text_of(o, "gateway"),
			(double)int_of(o, "heard_ms_ago") / 1000);
	printf("\n");
}

static void render_instance(const json_t *o)
{
	const json_t *addresses = json_object_get(o, "addresses");
	const json_t *health = json_object_get(o, "health");
	size_t i;
	json_t *a;

	printf("%s: %s since %.1f s (%s)\n", text_of(o, "name"),
		text_of(o, "role"), (double)int_of(o, "since_ms") / 1000,
		text_of(o, "reason"));
	printf("  vrid %lld on %s, version %lld, priority %lld (says %lld)\n",
		int_of(o, "vrid"), text_of(o, "interface"),
		int_of(o, "version"), int_of(o, "priority"),
		int_of(o, "effective_priority"));
	if (json_object_get(o, "sync_group"))
		printf("  sync group %s\n", text_of(o, "sync_group"));
	if (json_object_get(o, "hmac"))
		printf("  hmac %s, key %lld\n",
			text_of(json_object_get(o, "hmac"), "mode"),
			int_of(json_object_get(o, "hmac"), "active"));
	printf("  master %s, priority %lld, every %lld ms\n",
		text_of(o, "master"), int_of(o, "master_priority"),
		int_of(o, "master_interval_ms"));
	if (json_object_get(o, "rescue_of"))
		printf("  rescue of %s: answers since %.1f s, leads again "
		       "after %.0f s\n",
			text_of(o, "rescue_of"),
			(double)int_of(o, "rescue_answers_ms") / 1000,
			(double)int_of(o, "rescue_until_ms") / 1000);
	printf("  addresses %s:", text_of(o, "addresses_are"));
	json_array_foreach(addresses, i, a)
		printf(" %s", json_string_value(a));
	printf("\n  frontend %s, fault %s\n", text_of(health, "frontend"),
		text_of(health, "fault"));
	render_alarms(health);
	json_array_foreach(json_object_get(o, "peers"), i, a)
		render_peer(a);
}

static void render_event(const json_t *o)
{
	char when[32];

	wall_format(int_of(o, "time"), when, sizeof(when));
	printf("%lld %s %s\n", int_of(o, "seq"), when, text_of(o, "text"));
}

bool ha_render(const char *verb, const json_t *result)
{
	const json_t *list;
	size_t i;
	json_t *o;

	if (strcmp(verb, "show") == 0) {
		list = json_object_get(result, "instances");
		json_array_foreach(list, i, o)
			render_instance(o);
		ha_anycast_render(json_object_get(result, "anycast"));
		return true;
	}
	if (strcmp(verb, "events") == 0) {
		list = json_object_get(result, "events");
		json_array_foreach(list, i, o)
			render_event(o);
		return true;
	}
	return false;
}

static const char *peer_of(const struct instance_event *ev, char out[ADDR_TEXT])
{
	return ev->family ? ha_print_ip(ev->family, ev->peer, out) : "-";
}

static void role_text(const struct instance_event *ev, char *out, size_t size)
{
	char ip[ADDR_TEXT];
	bool heard =
		ev->to == STATE_BACKUP &&
		(ev->reason == STATE_BY_HIGHER || ev->reason == STATE_BY_TIE ||
			ev->reason == STATE_BY_HANDOVER);

	snprintf(out, size, "%s: role: %s -> %s reason=%s priority=%d%s%s",
		ev->name, state_role_name((enum state_role)ev->from),
		state_role_name((enum state_role)ev->to),
		state_reason_name((enum state_reason)ev->reason), ev->priority,
		heard ? " master=" : "", heard ? peer_of(ev, ip) : "");
}

static void robbed_text(const struct instance_event *ev, char *out, size_t size)
{
	if (ev->value < 0)
		snprintf(out, size,
			"%s: address: somebody keeps taking it off, giving up "
			"for 10 s",
			ev->name);
	else
		snprintf(out, size,
			"%s: address: was taken off by somebody, put back",
			ev->name);
}

static void foreign_text(
	const struct instance_event *ev, char *out, size_t size)
{
	char ip[ADDR_TEXT];

	if (ev->value)
		snprintf(out, size,
			"%s: address: %s is on the link, put there by somebody "
			"else: left alone",
			ev->name, peer_of(ev, ip));
	else
		snprintf(out, size, "%s: address: no foreign one any more",
			ev->name);
}

static void frontend_text(
	const struct instance_event *ev, char *out, size_t size)
{
	int n = snprintf(out, size, "frontend: %s -> %s",
		track_service_name((enum track_service)ev->from),
		track_service_name((enum track_service)ev->to));

	if (ev->to == TRACK_SERVICE_FAILED)
		snprintf(out + n, size - (size_t)n, " cause=%s silence_ms=%.1f",
			track_cause_name((enum track_cause)ev->reason),
			(double)ev->value / 1000);
}

static void rescue_text(const struct instance_event *ev, char *out, size_t size)
{
	static const char *const texts[] = {
		[RESCUE_TAKE] = "advertises, but its DNS does not answer: "
				"standing in for it",
		[RESCUE_BACK] = "answers again: it may lead",
		[RESCUE_SILENT] = "advertises, but its DNS does not answer, "
				  "and it is not to be relieved from here",
		[RESCUE_ANSWERS] = "answers again",
	};
	char ip[ADDR_TEXT];

	if (ev->value == RESCUE_OVER)
		snprintf(out, size, "%s: rescue: over", ev->name);
	else
		snprintf(out, size, "%s: rescue: %s %s", ev->name,
			peer_of(ev, ip), texts[ev->value]);
}

bool ha_note_text(const struct instance_event *ev, char *out, size_t size)
{
	const char *name = ev->name;
	char ip[ADDR_TEXT];

	peer_of(ev, ip);
	switch (ev->kind) {
	case INSTANCE_ROLE:
		role_text(ev, out, size);
		return true;
	case INSTANCE_DISCARD:
		snprintf(out, size,
			"%s: adverts discarded: from=%s reason=%s count=%lld",
			name, ip,
			packet_verdict_name((enum packet_verdict)ev->reason),
			(long long)ev->value);
		return true;
	case INSTANCE_SPLIT:
		snprintf(out, size,
			"%s: split brain: another master of lower "
			"priority was heard: from=%s",
			name, ip);
		return true;
	case INSTANCE_OWNER:
		snprintf(out, size, "%s: a peer advertises priority 255", name);
		return true;
	case INSTANCE_CLONE:
		snprintf(out, size,
			"%s: our own address and priority were "
			"heard from the link",
			name);
		return true;
	case INSTANCE_STAYED:
		snprintf(out, size,
			"%s: planned move: nobody took over, staying", name);
		return true;
	case INSTANCE_LATE:
		snprintf(out, size,
			"%s: ran late, announced the addresses again", name);
		return true;
	case INSTANCE_ROBBED:
		robbed_text(ev, out, size);
		return true;
	case INSTANCE_TROUBLE:
		snprintf(out, size, "%s: %s failed: %s", name, ev->what,
			strerror((int)ev->value));
		return true;
	case INSTANCE_PEER:
		snprintf(out, size, "%s: peer: address=%s state=%s", name, ip,
			track_peer_name((enum track_peer)ev->to));
		return true;
	case INSTANCE_CONFLICT:
		snprintf(out, size,
			"%s: address: claimed by another host: "
			"mac=%02x:%02x:%02x:%02x:%02x:%02x",
			name, ev->peer[0], ev->peer[1], ev->peer[2],
			ev->peer[3], ev->peer[4], ev->peer[5]);
		return true;
	case INSTANCE_GATEWAY:
		snprintf(out, size, "%s: gateway: %s", name,
			ev->value ? "does not answer" : "answers again");
		return true;
	case INSTANCE_ADDRS:
		snprintf(out, size,
			"%s: the master advertises another list "
			"of addresses: count=%lld",
			name, (long long)ev->value);
		return true;
	case INSTANCE_ROUTE:
	case INSTANCE_ROUTE_ROBBED:
		ha_anycast_text(ev, out, size);
		return true;
	case INSTANCE_ASYMMETRIC:
		snprintf(out, size, "%s: asymmetric: %s", name,
			ev->value ? "a peer says that it is master, but its "
				    "adverts do not come"
				  : "over");
		return true;
	case INSTANCE_WAITS:
		snprintf(out, size, "%s: no advert comes, but %s: waiting",
			name,
			ev->value ? "a peer is master and has its gateway"
				  : "the sync group hears its master");
		return true;
	case INSTANCE_FOREIGN:
		foreign_text(ev, out, size);
		return true;
	case INSTANCE_FRONTEND:
		frontend_text(ev, out, size);
		return true;
	case INSTANCE_RESCUE:
		rescue_text(ev, out, size);
		return true;
	case INSTANCE_EVENTS:
		break;
	}
	return false;
}

json_t *ha_note_json(const struct ha_note *note)
{
	static const char *const kinds[INSTANCE_EVENTS] = {"role", "discard",
		"split_brain", "owner", "clone", "stayed", "late", "robbed",
		"trouble", "peer", "conflict", "gateway", "addresses", "route",
		"route_robbed", "asymmetric", "group_waits", "foreign_address",
		"frontend", "rescue"};
	const struct instance_event *ev = &note->event;
	char text[256] = "";
	json_t *o = json_object();

	ha_note_text(ev, text, sizeof(text));
	set_int(o, "seq", note->seq);
	set_int(o, "time", note->wall_s);
	set_string(o, "kind", kinds[ev->kind]);
	set_string(o, "instance", ev->name);
	set_string(o, "text", text);
	if (ev->kind != INSTANCE_ROLE)
		return o;
	set_string(o, "from", state_role_name((enum state_role)ev->from));
	set_string(o, "to", state_role_name((enum state_role)ev->to));
	set_string(
		o, "reason", state_reason_name((enum state_reason)ev->reason));
	return o;
}
