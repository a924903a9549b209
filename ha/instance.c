/* SPDX-License-Identifier: ISC */
#include "ha/instance.h"

#include "common/base/clock.h"
#include "ha/instance_impl.h"

/*
 * The order of things on a wake-up: read all that waits, then judge health,
 * then let timers act; so a decision never rests on a packet that was there
 * but not read. Actions are done in the order of their bits: say it, hand
 * over, put addresses on, announce, and only then take addresses off.
 */

enum {
	OLD_RULES_US = 120 * 1000 * 1000,
	TAKE_AGAIN = 2,
	TAKE_GAP_US = 20 * 1000,
	TRUST_US = 3 * 1000 * 1000,
	SPLIT_OVER_US = 5 * 1000 * 1000,
};

void in_emit(struct instance *in, struct instance_event *ev)
{
	memcpy(ev->name, in->conf.name, sizeof(ev->name));
	ev->at_us = mtime_now().us;
	in->env->emit(in->env->arg, ev);
}

void in_emit_kind(
	struct instance *in, enum instance_event_kind kind, int64_t value)
{
	struct instance_event ev = {.kind = kind, .value = value};

	in_emit(in, &ev);
}

void in_trouble(struct instance *in, const char *what, int rc)
{
	struct instance_event ev = {.kind = INSTANCE_TROUBLE, .value = -rc};

	if (rc >= 0)
		return;
	snprintf(ev.what, sizeof(ev.what), "%s", what);
	in_emit(in, &ev);
}

static void set_rules(struct packet_rules *r, const struct config_instance *c,
	const uint8_t source[PACKET_ADDR_MAX])
{
	memset(r, 0, sizeof(*r));
	r->version = c->version;
	r->both_versions = c->both_versions;
	r->family = c->family;
	r->vrid = c->vrid;
	r->auth_type = c->auth_type;
	memcpy(r->auth, c->auth, sizeof(r->auth));
	r->interval_cs = (uint16_t)(c->interval_us / 10000);
	r->interval_alt_cs = (uint16_t)(c->interval_alt_us / 10000);
	r->strict_addrs = c->strict_addrs;
	r->trailer = c->hmac.mode != HMAC_OFF;
	r->unicast = c->peer_count > 0;
	r->peers = c->peers;
	r->peer_count = c->peer_count;
	r->addrs = c->wire;
	r->count = c->wire_count;
	memcpy(r->self, source, sizeof(r->self));
}

/* Configuration and source address to rules and state_conf. */
static void derive(struct instance *in)
{
	const struct config_instance *c = &in->conf;
	struct state_conf *s = &in->sc;

	set_rules(&in->rules, c, in->source);
	s->version = c->version;
	s->family = c->family;
	s->preempt = c->preempt;
	s->reply_lower = true;
	s->down_adverts = 3;
	s->interval_us = c->interval_us;
	s->preempt_delay_us = c->preempt_delay_us;
	s->startup_delay_us = c->startup_delay_us;
	s->move_us = state_master_down_us(s, c->interval_us) +
		     (c->version == 2 ? 1000000 : c->interval_us) + 500000;
	memcpy(s->self, in->source, sizeof(s->self));
	in->sum_form = c->checksum == CONFIG_RFC9568 ? PACKET_SUM_PLAIN
						     : PACKET_SUM_PSEUDO;
}

static void decide_resume(struct instance *in)
{
	int64_t now = mtime_now().us;

	in->resume = in->keep && keep_resumable(in->keep,
					 state_master_down_us(
						 &in->sc, in->conf.interval_us),
					 now);
	in->late = in->keep && !in->resume && keep_was_master(in->keep, now);
	if (in->resume || in->late)
		in->trust_us = now + TRUST_US;
	in_rescue_resume(in);
}

struct instance *instance_new(const struct config_instance *conf,
	struct instance_env *env, struct keep_entry *keep)
{
	struct instance *in = calloc(1, sizeof(*in));

	if (!in)
		return NULL;
	in->env = env;
	in->conf = *conf;
	in->keep = keep;
	in->keep_rescue = keep_rescue(env->keep, keep);
	in->sc.priority = conf->priority;
	in->owner = ++env->owners;
	in->vip.kernel = env->kernel;
	in->vip.owner = in->owner;
	in->vip.loopback = env->loopback;
	in->rx.fd = -1;
	in->announce.next_us = INT64_MAX;
	sock_init(&in->sock);
	in->arp = -1;
	state_init(&in->st);
	probe_init(&in->probe, env->poll);
	probe_init(&in->rescue_probe, env->poll);
	in->rescue_probe.afar = true;
	rescue_init(&in->rescue);
	neighbour_init(&in->neighbour, env->poll);
	derive(in);
	decide_resume(in);
	in_set_peers(in);
	return in;
}

void instance_free(struct instance *in)
{
	free(in);
}

/* --- actions ----------------------------------------------------------- */

static void follow_probe(struct instance *in, int64_t now)
{
	bool want = in->conf.track_probe && in->st.role == STATE_MASTER;

	if (want == probe_running(&in->probe))
		return;
	if (!want) {
		probe_stop(&in->probe);
		return;
	}
	in_trouble(in, "probe",
		probe_start(&in->probe, &in->env->config->probe,
			in->conf.family, vip_public(&in->conf)->octets,
			in->index, now));
}

static void leave_addresses(struct instance *in, unsigned actions, int64_t now)
{
	int64_t linger = in->env->config->linger_us;

	announce_stop(&in->announce);
	in->ready_us = 0;
	if (actions & STATE_DO_LINGER && linger > 0 && in->can_linger)
		vip_linger(&in->vip, &in->conf, now, linger);
	else
		vip_off(&in->vip, &in->conf);
}

void instance_refused(struct instance *in, const struct kernel_failure *f)
{
	bool add = f->kind == KERNEL_ADDR_ADD;

	/* One line for all that was asked together; a link that is down may
	 * have lost its addresses. */
	if (f->ticket < in->refused_from || (!add && !in->link_up))
		return;
	in->refused_from = in->vip.ticket + 1;
	in_trouble(in, add ? "add address" : "remove address", f->rc);
}

static void note_role(struct instance *in, enum state_role from)
{
	struct instance_event ev = {.kind = INSTANCE_ROLE};

	in->counters.transitions++;
	if (in->keep)
		in->keep->role = (uint8_t)in->st.role;
	ev.from = (uint8_t)from;
	ev.to = (uint8_t)in->st.role;
	ev.reason = (uint8_t)in->st.reason;
	ev.family = in->conf.family;
	ev.priority = state_priority(&in->st, &in->sc);
	memcpy(ev.peer, in->st.master, sizeof(ev.peer));
	in_emit(in, &ev);
}

/* Told when it begins, and now and then while it lasts. */
static void note_split(struct instance *in)
{
	struct instance_event ev = {.kind = INSTANCE_SPLIT};
	int64_t now = mtime_now().us;
	bool begins = !in->split_us || now - in->split_us > SPLIT_OVER_US;

	in->split_us = now;
	memcpy(in->rival, in->packet.meta.src, sizeof(in->rival));
	if (in->counters.split++ % 100 != 0 && !begins)
		return;
	ev.family = in->packet.meta.family;
	memcpy(ev.peer, in->rival, sizeof(ev.peer));
	in_emit(in, &ev);
}

static void note_wait(struct instance *in)
{
	uint64_t *count = in->path_waits ? &in->counters.path_waits
					 : &in->counters.group_waits;

	if ((*count)++ % 100 == 0)
		in_emit_kind(in, INSTANCE_WAITS, in->path_waits);
}

static void note_remarks(struct instance *in, unsigned actions)
{
	if (actions & STATE_SAW_SPLIT)
		note_split(in);
	if (actions & STATE_SAW_WAIT)
		note_wait(in);
	if (actions & STATE_SAW_OWNER && in->counters.owner++ % 1000 == 0)
		in_emit_kind(in, INSTANCE_OWNER, 0);
	if (actions & STATE_SAW_CLONE && in->counters.clone++ % 1000 == 0)
		in_emit_kind(in, INSTANCE_CLONE, 0);
	if (actions & STATE_SAW_LATE && in->counters.late++ % 10 == 0)
		in_emit_kind(in, INSTANCE_LATE, 0);
	if (actions & STATE_SAW_GRACE)
		in->counters.grace++;
	if (actions & STATE_SAW_STAY)
		in_emit_kind(in, INSTANCE_STAYED, 0);
}

static void perform(struct instance *in, unsigned actions, enum state_role from,
	int64_t now)
{
	if (actions & STATE_DO_ADVERT)
		in_send_advert(in, in->st.advert);
	if (actions & STATE_DO_PRIO0)
		in_send_advert(in, 0);
	if (actions & STATE_DO_HAND) {
		in_tell_peers(in, HANDOVER_TAKE);
		in->take_left = TAKE_AGAIN;
		in->take_us = now + TAKE_GAP_US;
	}
	if (actions & STATE_DO_ADD)
		vip_on(&in->vip, &in->conf);
	if (actions & STATE_DO_ANNOUNCE) {
		in->decided_us = now;
		in->ready_us = in->settled_us = now;
		in_announce_when_ready(in, now);
	}
	if (actions & STATE_DO_REMIND)
		announce_remind(&in->announce, now);
	if (actions & (STATE_DO_LINGER | STATE_DO_REMOVE))
		leave_addresses(in, actions, now);
	if (actions & STATE_DO_NOTIFY && from != in->st.role)
		note_role(in, from);
	if (actions & STATE_DO_NOTIFY && from == STATE_MASTER)
		in_group_left(in, now);
	note_remarks(in, actions);
	follow_probe(in, now);
}

void in_step(struct instance *in, const struct state_event *ev, int64_t now)
{
	enum state_role from = in->st.role;
	unsigned actions = state_step(&in->st, &in->sc, ev, now);

	if (actions)
		perform(in, actions, from, now);
}

void instance_event(
	struct instance *in, enum state_event_kind kind, int64_t now_us)
{
	struct state_event ev = {.kind = kind};

	in_step(in, &ev, now_us);
}

/* --- health ------------------------------------------------------------ */

static void send_fault(struct instance *in, int64_t now)
{
	struct state_event ev = {.kind = STATE_EV_CLEAR};

	if (in->health.fault != TRACK_FAULT_NONE)
		ev.kind = STATE_EV_FAULT;
	ev.hard = in->health.fault == TRACK_FAULT_LINK;
	ev.group = in->health.fault == TRACK_FAULT_GROUP;
	in_step(in, &ev, now);
}

/* First on its own account, then as a member of its group. */
static void evaluate(struct instance *in, struct track_input *input)
{
	static const struct track_weights weights = {60, 120};

	track_eval(input, &weights, &in->health);
	in->own_fault = in->health.fault;
	in_group_look(in, &in->group);
	in->rescued = in->rescue.leads || in->group.rescued;
	input->rescue = in->rescued;
	input->group_failed = in->group.failed;
	input->gateway_lost |= in->group.gateway_lost;
	track_eval(input, &weights, &in->health);
	in->sc.priority = in->health.priority;
	in->sc.leaving = in->health.leaving;
}

/* Who hears no master must not believe that there is none. One who leads goes
 * on, one who did not begin waits. */
static bool is_cut_off(const struct instance *in)
{
	return in->started && in->st.role != STATE_MASTER && in_is_deaf(in);
}

static void judge(struct instance *in, enum track_service service, int64_t now)
{
	struct track_input input = {0};
	struct track_result old = in->health;
	bool rescued = in->rescued;

	/* After a restart of ours the frontend needs a moment to connect. */
	if (service == TRACK_SERVICE_WAITING && now < in->trust_us)
		service = TRACK_SERVICE_OK;
	in->service = in->conf.track_frontend ? service : TRACK_SERVICE_UNUSED;
	input.base = in->conf.priority;
	input.link_up = in->link_up && !in->banned_us && !is_cut_off(in);
	input.has_source = in->has_source;
	input.service = in->service;
	input.probe_failed = probe_failed(&in->probe, now);
	input.drain = in->drain;
	input.gateway_lost = in->gateway_lost;
	in_judge_peers(in, &input, now);
	evaluate(in, &input);
	if (!in->started)
		return;
	if (in->health.fault != old.fault) {
		send_fault(in, now);
		in->hello_us = now; /* the peers want to know */
	}
	if (in->health.priority != old.priority ||
		in->health.leaving != old.leaving) {
		instance_event(in, STATE_EV_CONF, now);
		in->hello_us = now;
	}
	if (in->rescued && !rescued)
		instance_event(in, STATE_EV_RESCUE, now);
}

void instance_drain(struct instance *in, bool on)
{
	in->drain = on;
}

/* --- time -------------------------------------------------------------- */

static void begin(struct instance *in, int64_t now)
{
	struct state_event ev = {.kind = STATE_EV_START};

	in->started = true;
	if (in->resume && in->health.fault == TRACK_FAULT_NONE) {
		ev.kind = STATE_EV_RESUME;
		in->vip.place = VIP_LINGER; /* clean up lo as well */
	} else if (in->resume) {
		vip_off(&in->vip, &in->conf);
	} else if (in->late) { /* clients still come here */
		in->vip.place = VIP_ON;
		leave_addresses(in, STATE_DO_LINGER, now);
	}
	in_step(in, &ev, now);
	if (in->health.fault != TRACK_FAULT_NONE)
		send_fault(in, now);
	if (in->old_index) /* after they were put on here */
		vip_leave(&in->vip, &in->old_conf, in->old_index);
	in->old_index = 0;
}

/* One datagram can get lost; while it still holds, it is said again. */
static void repeat_take(struct instance *in, int64_t now)
{
	bool holds = in->st.role == STATE_FAULT ||
		     (in->st.role == STATE_MASTER &&
			     (in->st.move_us || in->sc.leaving));

	if (!in->take_left || now < in->take_us)
		return;
	in->take_left = holds ? in->take_left - 1 : 0;
	in->take_us = now + 2 * TAKE_GAP_US;
	if (holds)
		in_tell_peers(in, HANDOVER_TAKE);
}

static void run_timer(struct instance *in, int64_t now)
{
	int64_t due = state_deadline(&in->st);

	if (due > now)
		return;
	in_drain(in); /* what came before the deadline changes it */
	due = state_deadline(&in->st);
	if (due > now)
		return;
	histogram_add(&in->counters.late_us, (uint64_t)(now - due));
	in->path_waits = in_path_waits(in, now);
	in->sc.wait = in->path_waits || in_group_waits(in, now);
	instance_event(in, STATE_EV_TIMER, now);
}

void instance_tick(
	struct instance *in, enum track_service service, int64_t now_us)
{
	if (in->banned_us && now_us >= in->banned_us)
		in->banned_us = 0;
	probe_tick(&in->probe, now_us);
	in_listen(in, now_us);
	judge(in, service, now_us);
	if (in_rescue(in, now_us))
		judge(in, service, now_us);
	in_open(in, false);
	if (!in->started && in->scanned && !in_is_deaf(in))
		begin(in, now_us);
	run_timer(in, now_us);
	in_group_pull(in, now_us);
	in_judge_paths(in);
	repeat_take(in, now_us);
	in_announce_when_ready(in, now_us);
	in_announce(in, now_us);
	vip_tick(&in->vip, &in->conf, now_us);
	if (now_us >= in->hello_us && in->conf.handover_count) {
		in_tell_peers(in, HANDOVER_HELLO);
		in->hello_us = now_us + in_hello_period(in);
	}
}

void instance_excuse(struct instance *in, int64_t late_us)
{
	probe_excuse(&in->probe, late_us);
	probe_excuse(&in->rescue_probe, late_us);
	for (size_t i = 0; i < in->conf.handover_count; i++)
		if (in->peers[i].heard_us)
			in->peers[i].heard_us += late_us;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t instance_deadline(const struct instance *in)
{
	int64_t t = earlier(
		state_deadline(&in->st), announce_deadline(&in->announce));

	t = earlier(t, probe_deadline(&in->probe));
	t = earlier(t, probe_deadline(&in->rescue_probe));
	t = earlier(t, in_listen_deadline(in));
	t = earlier(t, vip_deadline(&in->vip));
	if (in->ready_us)
		t = earlier(t, in->ready_us);
	if (in->take_left)
		t = earlier(t, in->take_us);
	if (in->conf.handover_count)
		t = earlier(t, in->hello_us);
	if (in->banned_us)
		t = earlier(t, in->banned_us);
	if (in->pull_us)
		t = earlier(t, in->pull_us);
	return in_group_changed(in) ? 0 : t;
}

/* --- changes, end ----------------------------------------------- */

void instance_reconf(
	struct instance *in, const struct config_instance *next, int64_t now_us)
{
	struct config_instance old = in->conf;
	bool other_mode = (old.peer_count > 0) != (next->peer_count > 0);

	vip_change(&in->vip, &in->conf, next);
	in->old_conf = in->conf;
	set_rules(&in->old_rules, &in->old_conf, in->source);
	in->old_until_us = now_us + OLD_RULES_US;
	in->conf = *next;
	derive(in);
	in_set_peers(in);
	if (other_mode ||
		(in->conf.family == 4 && in->sock.rx >= 0 && in->arp < 0))
		in_renew(in);
	in_open_neighbour(in, now_us);
	if (in->vip.place == VIP_ON)
		announce_remind(&in->announce, now_us);
	if (old.interval_us != next->interval_us ||
		old.version != next->version || old.preempt != next->preempt)
		instance_event(in, STATE_EV_CONF, now_us);
	if (probe_running(&in->probe))
		probe_stop(&in->probe);
	follow_probe(in, now_us);
	in_rescue_reconf(in, &old);
}

bool instance_is_renamed(
	const struct instance *in, const struct config_instance *next)
{
	const struct config_instance *c = &in->conf;

	if (c->family != next->family)
		return false;
	for (size_t i = 0; i < c->vip_count; i++)
		for (size_t k = 0; k < next->vip_count; k++)
			if (memcmp(&c->vips[i], &next->vips[k],
				    sizeof(c->vips[i])) == 0)
				return true;
	return false;
}

/* The same link: the addresses stay where they are. */
static void inherit_link(struct instance *in, struct instance *old, int64_t now)
{
	vip_change(&old->vip, &old->conf, &in->conf);
	old->vip.index = 0;
	in_adopt_link(in, old, now);
	instance_event(old, STATE_EV_STOP, now); /* by its own sockets */
	in_inherit_sockets(in, old, now);
}

/* Another link: the addresses stay on the old one until they are on the new
 * one. No goodbye, the same router goes on. */
static void leave_link(struct instance *in, struct instance *old)
{
	in->old_conf = old->conf;
	in->old_index = old->index;
	old->vip.index = 0;
	state_init(&old->st);
}

void instance_inherit(struct instance *in, struct instance *old, int64_t now_us)
{
	if (old->st.role != STATE_MASTER || old->vip.place != VIP_ON)
		return;
	old->can_linger = false;
	if (strcmp(in->conf.ifname, old->conf.ifname) == 0)
		inherit_link(in, old, now_us);
	else
		leave_link(in, old);
	in->resume = true;
	in->trust_us = now_us + TRUST_US;
	in->rescue = old->rescue;
	keep_set_rescue(
		in->keep_rescue, in->rescue.leads ? in->rescue.master : NULL);
}

void instance_close(struct instance *in, int64_t now_us)
{
	instance_event(in, STATE_EV_STOP, now_us);
	probe_stop(&in->probe);
	probe_stop(&in->rescue_probe);
	if (in->vip.place != VIP_OFF)
		vip_off(&in->vip, &in->conf);
	in_close(in);
	in->index = 0; /* no others are asked for */
	keep_forget(in->keep);
	in->keep = NULL;
	in->keep_rescue = NULL;
}
