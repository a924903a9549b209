/* SPDX-License-Identifier: ISC */
#include "ha/state.h"

/*
 * One function per (role, event) that matters; state_step() is the table
 * that leads to them. Deadlines count from the time an advertisement was
 * received, not from when it was read, so that a slow wake-up shifts nothing.
 * Microseconds all over: the centiseconds of the RFC would round the skew of
 * a 10 ms interval to nothing.
 */

enum {
	LATE_MIN_US = 50 * 1000,
	SILENT_MIN_US = 300 * 1000
};

static const char *const role_names[] = {
	[STATE_INIT] = "INIT",
	[STATE_BACKUP] = "BACKUP",
	[STATE_MASTER] = "MASTER",
	[STATE_FAULT] = "FAULT",
};

static const char *const reason_names[STATE_REASONS] = {
	[STATE_BY_START] = "start",
	[STATE_BY_RESUME] = "resume",
	[STATE_BY_TIMEOUT] = "timeout",
	[STATE_BY_PRIO0] = "prio0",
	[STATE_BY_HIGHER] = "higher",
	[STATE_BY_TIE] = "tie",
	[STATE_BY_HANDOVER] = "handover",
	[STATE_BY_LAST_MAN] = "last_man",
	[STATE_BY_HEALTH] = "health",
	[STATE_BY_LINK] = "link",
	[STATE_BY_RECOVERY] = "recovery",
	[STATE_BY_STOP] = "stop",
	[STATE_BY_GROUP] = "group",
	[STATE_BY_RESCUE] = "rescue",
};

const char *state_role_name(enum state_role role)
{
	return role < countof(role_names) ? role_names[role] : "?";
}

const char *state_reason_name(enum state_reason reason)
{
	return reason < STATE_REASONS ? reason_names[reason] : "?";
}

void state_init(struct state *s)
{
	memset(s, 0, sizeof(*s));
	s->timer_us = STATE_NEVER;
}

int64_t state_skew_us(const struct state_conf *conf, uint32_t active_us)
{
	int64_t base = conf->version == 2 ? 1000000 : active_us;

	return (256 - conf->priority) * base / 256;
}

int64_t state_master_down_us(const struct state_conf *conf, uint32_t active_us)
{
	return (int64_t)conf->down_adverts * active_us +
	       state_skew_us(conf, active_us);
}

uint8_t state_priority(const struct state *s, const struct state_conf *conf)
{
	if (conf->priority == 255)
		return 255;
	return s->move_us || s->lone ? 1 : conf->priority;
}

int64_t state_deadline(const struct state *s)
{
	int64_t t = s->timer_us;

	if (s->role == STATE_MASTER && s->move_us && s->move_us < t)
		return s->move_us;
	if (s->role != STATE_MASTER && t < s->startup_us)
		return s->startup_us;
	return t;
}

/* Wait for the master to fall silent, counted from `from_us`. */
static void arm(struct state *s, const struct state_conf *c, int64_t from_us)
{
	s->armed_us = from_us;
	s->timer_us = from_us + state_master_down_us(c, s->active_us);
	s->skewing = false;
	s->graced = false;
}

/* The master said goodbye: never wait longer than before because of it. */
static void arm_skew(
	struct state *s, const struct state_conf *c, int64_t from_us)
{
	int64_t t = from_us + state_skew_us(c, s->active_us);

	if (t < s->timer_us)
		s->timer_us = t;
	s->skewing = true;
	s->graced = false;
}

static unsigned enter(struct state *s, enum state_role role,
	enum state_reason reason, int64_t now)
{
	s->role = role;
	s->reason = reason;
	s->since_us = now;
	s->move_us = 0;
	s->preempt_us = 0;
	return STATE_DO_NOTIFY;
}

static unsigned become_master(struct state *s, const struct state_conf *c,
	enum state_reason reason, int64_t now)
{
	s->hold = false;
	s->active_us = c->interval_us;
	s->timer_us = now + c->interval_us;
	return enter(s, STATE_MASTER, reason, now) | STATE_DO_ADVERT |
	       STATE_DO_ADD | STATE_DO_ANNOUNCE;
}

static unsigned become_backup(struct state *s, const struct state_conf *c,
	enum state_reason reason, int64_t now)
{
	s->lone = false;
	arm(s, c, now);
	return enter(s, STATE_BACKUP, reason, now);
}

static unsigned on_start(
	struct state *s, const struct state_conf *c, bool resume, int64_t now)
{
	s->active_us = c->interval_us;
	s->startup_us = now + c->startup_delay_us;
	if (resume)
		return become_master(s, c, STATE_BY_RESUME, now);
	if (c->priority == 255)
		return become_master(s, c, STATE_BY_START, now);
	return become_backup(s, c, STATE_BY_START, now);
}

static unsigned on_stop(struct state *s, int64_t now)
{
	unsigned actions = STATE_DO_REMOVE;

	if (s->role == STATE_MASTER)
		actions |= STATE_DO_PRIO0 | STATE_DO_HAND;
	s->timer_us = STATE_NEVER;
	s->lone = false;
	return actions | enter(s, STATE_INIT, STATE_BY_STOP, now);
}

static enum state_reason fault_reason(const struct state_event *ev)
{
	if (ev->hard)
		return STATE_BY_LINK;
	return ev->group ? STATE_BY_GROUP : STATE_BY_HEALTH;
}

static unsigned on_fault(struct state *s, const struct state_conf *c,
	const struct state_event *ev, int64_t now)
{
	unsigned actions = STATE_DO_REMOVE;
	bool was_master = s->role == STATE_MASTER, hard = ev->hard;

	if (s->role == STATE_INIT || (s->lone && !hard))
		return 0;
	if (s->role == STATE_FAULT && s->hard == hard)
		return 0;
	if (was_master)
		actions |= STATE_DO_PRIO0 | STATE_DO_HAND;
	s->hard = hard;
	s->lone = false;
	if (was_master || s->role == STATE_FAULT)
		s->active_us = c->interval_us;
	actions |= enter(s, STATE_FAULT, fault_reason(ev), now);
	if (hard)
		s->timer_us = STATE_NEVER;
	else if (was_master || s->timer_us == STATE_NEVER)
		arm(s, c, now);
	return actions;
}

static unsigned on_clear(
	struct state *s, const struct state_conf *c, int64_t now)
{
	if (s->role == STATE_MASTER && s->lone) {
		s->lone = false;
		s->timer_us = now + c->interval_us;
		return STATE_DO_ADVERT;
	}
	if (s->role != STATE_FAULT)
		return 0;
	s->hard = false;
	return become_backup(s, c, STATE_BY_RECOVERY, now);
}

static void learn(struct state *s, const struct state_conf *c,
	const struct state_event *ev)
{
	s->active_us = c->version == 2 ? c->interval_us : ev->interval_us;
	s->master_priority = ev->priority;
	s->heard_us = ev->at_us;
	memcpy(s->master, ev->src, sizeof(s->master));
}

/* May this lower priority be left to run out? */
static bool may_preempt(struct state *s, const struct state_conf *c,
	const struct state_event *ev)
{
	if (ev->priority == 1)
		return true;
	if (!c->preempt || s->hold)
		return false;
	if (c->preempt_delay_us && !s->preempt_us)
		s->preempt_us = ev->at_us + c->preempt_delay_us;
	return ev->at_us >= s->preempt_us;
}

static unsigned advert_to_backup(struct state *s, const struct state_conf *c,
	const struct state_event *ev)
{
	if (ev->priority == 0) {
		arm_skew(s, c, ev->at_us);
		return 0;
	}
	if (ev->priority >= c->priority)
		s->preempt_us = 0;
	else if (may_preempt(s, c, ev))
		return 0;
	learn(s, c, ev);
	arm(s, c, ev->at_us);
	return ev->priority == 255 ? STATE_SAW_OWNER : 0;
}

static unsigned yield(struct state *s, const struct state_conf *c,
	const struct state_event *ev, enum state_reason reason, int64_t now)
{
	unsigned actions = STATE_DO_ADVERT | STATE_DO_LINGER;
	bool lone = s->lone;

	if (s->move_us || c->leaving) {
		s->hold = s->move_us != 0;
		reason = STATE_BY_HANDOVER;
	}
	learn(s, c, ev);
	if (ev->priority == 255)
		actions |= STATE_SAW_OWNER;
	actions |= become_backup(s, c, reason, now);
	arm(s, c, ev->at_us);
	if (lone) { /* still failed: not fit to be a backup */
		s->role = STATE_FAULT;
		s->reason = STATE_BY_HEALTH;
		actions ^= STATE_DO_LINGER | STATE_DO_REMOVE;
	}
	return actions;
}

static unsigned advert_to_master(struct state *s, const struct state_conf *c,
	const struct state_event *ev, int64_t now)
{
	uint8_t own = state_priority(s, c);
	int order = memcmp(ev->src, c->self, c->family == 6 ? 16 : 4);
	unsigned actions = STATE_DO_REMIND;

	if (ev->priority == 0) {
		s->timer_us = now + c->interval_us;
		return STATE_DO_ADVERT;
	}
	if (ev->priority > own)
		return yield(s, c, ev, STATE_BY_HIGHER, now);
	if (ev->priority == own && order == 0)
		return STATE_SAW_CLONE;
	if (ev->priority == own && order > 0)
		return yield(s, c, ev, STATE_BY_TIE, now);
	/* Just after a takeover it is the last word of the one before. */
	if (ev->at_us - s->since_us > 2 * (int64_t)c->interval_us)
		actions |= STATE_SAW_SPLIT;
	if (!c->reply_lower)
		return actions;
	s->timer_us = now + c->interval_us;
	return actions | STATE_DO_ADVERT;
}

static unsigned on_advert(struct state *s, const struct state_conf *c,
	const struct state_event *ev, int64_t now)
{
	switch (s->role) {
	case STATE_BACKUP:
		return advert_to_backup(s, c, ev);
	case STATE_MASTER:
		return advert_to_master(s, c, ev, now);
	case STATE_FAULT:
		if (s->hard)
			return 0;
		if (ev->priority == 0) {
			arm_skew(s, c, ev->at_us);
			return 0;
		}
		learn(s, c, ev);
		arm(s, c, ev->at_us);
		return 0;
	case STATE_INIT:
		break;
	}
	return 0;
}

static unsigned master_timer(
	struct state *s, const struct state_conf *c, int64_t now)
{
	int64_t late = now - s->timer_us;
	unsigned actions = STATE_DO_ADVERT;

	if (s->move_us && now >= s->move_us) {
		s->move_us = 0;
		s->timer_us = now + c->interval_us;
		return actions | STATE_SAW_STAY;
	}
	if (s->move_us || c->leaving)
		actions |= STATE_DO_HAND;
	if (late > (int64_t)c->interval_us) {
		s->timer_us = now;
		actions |= STATE_DO_ANNOUNCE | STATE_SAW_LATE;
	}
	s->timer_us += c->interval_us;
	return actions;
}

/* Silence heard by one who slept is no proof: listen once more. */
static bool grace(struct state *s, int64_t now)
{
	int64_t late = now - state_deadline(s);
	int64_t limit = s->active_us;

	if (limit < LATE_MIN_US)
		limit = LATE_MIN_US;
	if (late <= limit || s->graced)
		return false;
	s->graced = true;
	s->timer_us = now + s->active_us;
	return true;
}

static unsigned on_timer(
	struct state *s, const struct state_conf *c, int64_t now)
{
	enum state_reason reason = STATE_BY_TIMEOUT;

	if (now < state_deadline(s))
		return 0;
	if (s->role == STATE_MASTER)
		return master_timer(s, c, now);
	if (s->role == STATE_INIT)
		return 0;
	if (grace(s, now))
		return STATE_SAW_GRACE;
	if (s->skewing) {
		reason = STATE_BY_PRIO0;
	} else if (s->role == STATE_BACKUP && c->wait) {
		s->timer_us = now + s->active_us;
		return STATE_SAW_WAIT;
	}
	if (s->role == STATE_FAULT) {
		s->lone = true;
		reason = STATE_BY_LAST_MAN;
	}
	return become_master(s, c, reason, now);
}

static unsigned on_conf(
	struct state *s, const struct state_conf *c, int64_t now)
{
	if (s->role == STATE_MASTER) {
		s->active_us = c->interval_us;
		s->timer_us = now + c->interval_us;
		return c->leaving ? STATE_DO_ADVERT | STATE_DO_HAND
				  : STATE_DO_ADVERT;
	}
	if (c->version == 2 || !s->heard_us)
		s->active_us = c->interval_us;
	if (s->timer_us != STATE_NEVER && !s->skewing)
		s->timer_us =
			s->armed_us + state_master_down_us(c, s->active_us);
	return 0;
}

static unsigned on_move(
	struct state *s, const struct state_conf *c, int64_t now)
{
	if (s->role != STATE_MASTER || c->priority == 255)
		return 0;
	s->move_us = now + c->move_us;
	s->timer_us = now + c->interval_us;
	return STATE_DO_ADVERT | STATE_DO_HAND;
}

static unsigned on_take(struct state *s, const struct state_conf *c,
	enum state_reason reason, int64_t now)
{
	if (s->role != STATE_BACKUP || c->priority <= 1 || c->leaving)
		return 0;
	return become_master(s, c, reason, now);
}

/* Two paths are silent, so one missed advert and a margin are proof enough;
 * any advert that comes after all sets the timer as usual. */
static unsigned on_silent(
	struct state *s, const struct state_conf *c, int64_t now)
{
	int64_t margin = state_skew_us(c, s->active_us);
	int64_t early;

	if (s->role != STATE_BACKUP || s->skewing)
		return 0;
	if (margin < SILENT_MIN_US)
		margin = SILENT_MIN_US;
	early = s->armed_us + s->active_us + margin;
	if (early < now)
		early = now;
	if (early < s->timer_us)
		s->timer_us = early;
	return 0;
}

static unsigned on_reassert(
	struct state *s, const struct state_conf *c, int64_t now)
{
	if (s->role != STATE_MASTER)
		return 0;
	s->timer_us = now + c->interval_us;
	return STATE_DO_ADVERT | STATE_DO_ADD | STATE_DO_ANNOUNCE;
}

static unsigned dispatch(struct state *s, const struct state_conf *conf,
	const struct state_event *event, int64_t now_us)
{
	switch (event->kind) {
	case STATE_EV_START:
		return on_start(s, conf, false, now_us);
	case STATE_EV_RESUME:
		return on_start(s, conf, true, now_us);
	case STATE_EV_STOP:
		return on_stop(s, now_us);
	case STATE_EV_TIMER:
		return on_timer(s, conf, now_us);
	case STATE_EV_ADVERT:
		return on_advert(s, conf, event, now_us);
	case STATE_EV_CONF:
		return on_conf(s, conf, now_us);
	case STATE_EV_FAULT:
		return on_fault(s, conf, event, now_us);
	case STATE_EV_CLEAR:
		return on_clear(s, conf, now_us);
	case STATE_EV_MOVE:
		return on_move(s, conf, now_us);
	case STATE_EV_TAKE:
		return on_take(s, conf, STATE_BY_HANDOVER, now_us);
	case STATE_EV_RESCUE:
		return on_take(s, conf, STATE_BY_RESCUE, now_us);
	case STATE_EV_REASSERT:
		return on_reassert(s, conf, now_us);
	case STATE_EV_SILENT:
		return on_silent(s, conf, now_us);
	}
	return 0;
}

unsigned state_step(struct state *s, const struct state_conf *conf,
	const struct state_event *event, int64_t now_us)
{
	uint8_t before = state_priority(s, conf);
	unsigned actions = dispatch(s, conf, event, now_us);

	s->advert = s->role == STATE_MASTER ? state_priority(s, conf) : before;
	return actions;
}
