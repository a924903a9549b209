/* SPDX-License-Identifier: ISC */
#include "ha/track.h"

#include "ha/rescue.h"

/*
 * The last-man rule: a failed node gives the address up, unless nobody else
 * could serve it better. With one of our own peers this is known beforehand
 * from its hellos; beside a foreign peer the state machine gives up first
 * and takes the address back when nobody did.
 */

enum {
	EXCUSE_MAX_US = 1000 * 1000
};

static const char *const service_names[TRACK_SERVICES] = {
	[TRACK_SERVICE_UNUSED] = "unused",
	[TRACK_SERVICE_OK] = "ok",
	[TRACK_SERVICE_DEGRADED] = "degraded",
	[TRACK_SERVICE_DRAINING] = "draining",
	[TRACK_SERVICE_WAITING] = "waiting",
	[TRACK_SERVICE_FAILED] = "failed",
	[TRACK_SERVICE_HELD] = "held",
};

const char *track_service_name(enum track_service service)
{
	return service < TRACK_SERVICES ? service_names[service] : "?";
}

const char *track_fault_name(enum track_fault fault)
{
	static const char *const names[] = {"none", "service", "link", "group"};

	return fault < countof(names) ? names[fault] : "?";
}

const char *track_peer_name(enum track_peer peer)
{
	static const char *const names[] = {"unknown", "fit", "failed", "lost"};

	return peer < countof(names) ? names[peer] : "?";
}

const char *track_gateway_name(enum track_gateway gateway)
{
	static const char *const names[] = {"unknown", "good", "lost"};

	return gateway < countof(names) ? names[gateway] : "?";
}

const char *track_cause_name(enum track_cause cause)
{
	static const char *const names[TRACK_CAUSES] = {
		"none", "silence", "death", "word"};

	return cause < TRACK_CAUSES ? names[cause] : "?";
}

static bool service_failed(const struct track_input *in)
{
	return in->service == TRACK_SERVICE_FAILED ||
	       in->service == TRACK_SERVICE_HELD ||
	       in->service == TRACK_SERVICE_WAITING || in->probe_failed;
}

/*
 * Two failed nodes keep their order, 2 and 1; but one whose service is well
 * and only not yet trusted comes before one whose service is dead: 4 and 3.
 */
static uint8_t last_man_priority(const struct track_input *in)
{
	bool first = in->peer == TRACK_PEER_FAILED && in->base > in->peer_base;
	bool well = in->service == TRACK_SERVICE_HELD && !in->probe_failed;

	return (uint8_t)(1 + first + 2 * well);
}

void track_eval(const struct track_input *in, const struct track_weights *w,
	struct track_result *out)
{
	int priority = in->rescue ? RESCUE_PRIORITY : in->base;

	memset(out, 0, sizeof(*out));
	/* Not everything is more than the nothing of whom we stand in for. */
	if (in->service == TRACK_SERVICE_DEGRADED && !in->rescue)
		priority -= w->degraded;
	if (in->gateway_lost)
		priority -= w->gateway;
	if (in->drain || in->service == TRACK_SERVICE_DRAINING) {
		priority = 1;
		out->leaving = true;
	}
	if (!in->link_up || !in->has_source) {
		out->fault = TRACK_FAULT_LINK;
	} else if (service_failed(in) || in->group_failed) {
		out->last_man = in->peer == TRACK_PEER_FAILED ||
				in->peer == TRACK_PEER_LOST;
		if (out->last_man)
			priority = last_man_priority(in);
		else
			out->fault = service_failed(in) ? TRACK_FAULT_SERVICE
							: TRACK_FAULT_GROUP;
	}
	if (priority < 1)
		priority = 1;
	if (priority > 254)
		priority = 254;
	out->priority = in->base == 255 ? 255 : (uint8_t)priority;
}

void track_beat_init(struct track_beat *b, const struct track_beat_conf *conf)
{
	memset(b, 0, sizeof(*b));
	b->said = TRACK_SERVICE_WAITING;
	b->rise_us = conf->rise_us;
}

static bool is_healthy(enum track_service service)
{
	return service == TRACK_SERVICE_OK ||
	       service == TRACK_SERVICE_DEGRADED ||
	       service == TRACK_SERVICE_DRAINING;
}

/* Each failure soon after the last one doubles the time to be trusted. One of
 * somebody who was not trusted yet is seen by nobody else, and costs only the
 * time since it was clean. */
static void note_failure(struct track_beat *b,
	const struct track_beat_conf *conf, enum track_cause cause, int64_t now)
{
	if (!b->clean_us)
		return;
	b->clean_us = 0;
	b->cause = cause;
	b->silence_us = now - b->last_us;
	if (!b->trusted) {
		b->failed_us = now;
		return;
	}
	b->trusted = false;
	if (b->failed_us && now - b->failed_us < conf->flap_us)
		b->rise_us *= 2;
	else
		b->rise_us = conf->rise_us;
	if (b->rise_us > conf->rise_max_us)
		b->rise_us = conf->rise_max_us;
	b->failed_us = now;
}

void track_beat_heard(struct track_beat *b, const struct track_beat_conf *conf,
	enum track_service said, int64_t now_us)
{
	/* A gap that was too long counts although it is over. */
	(void)track_beat_judge(b, conf, now_us);
	if (!is_healthy(said))
		note_failure(b, conf, TRACK_CAUSE_WORD, now_us);
	b->connected = true;
	b->last_us = now_us;
	b->excused_us = 0;
	b->said = said;
	if (!is_healthy(said))
		return;
	if (!b->clean_us)
		b->clean_us = now_us;
}

void track_beat_gone(struct track_beat *b, const struct track_beat_conf *conf,
	int64_t now_us)
{
	b->connected = false;
	note_failure(b, conf, TRACK_CAUSE_DEATH, now_us);
}

void track_beat_excuse(struct track_beat *b, const struct track_beat_conf *conf,
	int64_t late_us, int64_t now_us)
{
	int64_t left = EXCUSE_MAX_US - b->excused_us;
	int64_t one_missed = now_us - conf->period_us - b->last_us;
	int64_t shift = late_us > one_missed ? late_us : one_missed;

	if (shift > left)
		shift = left;
	b->excused_us += shift;
	b->last_us += shift;
}

static int64_t silence_us(const struct track_beat_conf *conf)
{
	return conf->period_us * conf->missed;
}

enum track_service track_beat_judge(struct track_beat *b,
	const struct track_beat_conf *conf, int64_t now_us)
{
	if (b->connected && now_us - b->last_us >= silence_us(conf))
		note_failure(b, conf, TRACK_CAUSE_SILENCE, now_us);
	if (!b->clean_us)
		return b->seen || b->connected ? TRACK_SERVICE_FAILED
					       : TRACK_SERVICE_WAITING;
	/* The first one after the start is trusted at once. */
	if (b->failed_us && now_us - b->clean_us < b->rise_us)
		return TRACK_SERVICE_HELD;
	b->seen = b->trusted = true;
	return b->said;
}

int64_t track_beat_deadline(
	const struct track_beat *b, const struct track_beat_conf *conf)
{
	int64_t silent, risen;

	if (!b->connected || !b->clean_us)
		return INT64_MAX;
	silent = b->last_us + silence_us(conf);
	risen = b->clean_us + b->rise_us;
	if (b->failed_us && risen > b->last_us && risen < silent)
		return risen;
	return silent;
}

bool track_starved(struct track_turns *t, const struct track_beat *b,
	uint64_t turns, int64_t now_us)
{
	int64_t got;

	if (t->beat_us != b->last_us) {
		t->beat_us = b->last_us;
		t->since_us = now_us;
		t->then = turns;
	}
	got = (int64_t)(turns - t->then) * TRACK_TURN_US;
	return 3 * got < 2 * (now_us - t->since_us);
}

bool track_probe_result(
	struct track_probe *p, bool good, unsigned fall, unsigned of)
{
	uint32_t window = of >= 32 ? UINT32_MAX : (1U << of) - 1;

	p->results = (p->results << 1 | !good) & window;
	if ((unsigned)__builtin_popcount(p->results) >= fall)
		p->failed = true;
	else if (p->results == 0)
		p->failed = false;
	return p->failed;
}
