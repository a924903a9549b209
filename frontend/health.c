/* SPDX-License-Identifier: ISC */
/*
 * Two judges. Probes are slow and sure: `fall` failures in a row take a
 * backend out, `rise` successes bring it back; before the first result they
 * run fast and one success is enough, so a boot costs no outage. Real
 * answers are fast: every tick the window of the last second is looked at,
 * and a backend that times out, refuses or fails while its peers do not is
 * ejected; it returns when its time is over and a probe was good. A backend
 * that has no usable peer is never ejected.
 */

#include "frontend/health.h"

#define FAST_MS         200
#define DOWN_MS         1000 /* one that is back is not left waiting */
#define MIN_ERRORS      3
#define MIN_TIMEOUTS    4
#define MIN_ANSWERS     10
#define RECENT_TICKS    4
#define EJECT_MS        2000  /* time-outs and errors: probes will tell */
#define EJECT_FAIL_MS   10000 /* SERVFAIL: probes may well succeed */
#define EJECT_MAX_SHIFT 5
#define EJECT_FORGET_MS 300000
#define ANSWERS_LATE_MS 2000

void health_init(struct health *h)
{
	memset(h, 0, sizeof(*h));
	h->last_good.us = INT64_MIN / 2;
	h->last_ejected.us = INT64_MIN / 2;
}

bool health_probed(struct health *h, const struct health_check *check, bool ok)
{
	enum health_state before = h->state;

	if (ok) {
		h->bad = 0;
		h->good++;
		h->probed_since = true;
		if (!h->ever_up || h->good >= check->rise) {
			h->state = HEALTH_UP;
			h->ever_up = true;
		}
	} else {
		h->good = 0;
		h->bad++;
		if (h->bad >= check->fall)
			h->state = HEALTH_DOWN;
	}
	return h->state != before;
}

uint32_t health_pause_ms(
	const struct health *h, const struct health_check *check)
{
	bool down = h->state == HEALTH_DOWN;
	bool fast = !h->ever_up || (!down && h->bad > 0) ||
		    (down && h->good > 0) || h->ejected != HEALTH_FINE;
	uint32_t most = fast ? FAST_MS : down ? DOWN_MS : check->interval_ms;

	return most < check->interval_ms ? most : check->interval_ms;
}

void health_tick(
	struct health *h, const struct health_sample *sample, struct mtime now)
{
	h->tick = (h->tick + 1) % HEALTH_TICKS;
	h->ticks[h->tick] = *sample;
	if (sample->answers > sample->failures) {
		h->last_good = now;
		h->errors_run = h->timeouts_run = 0;
		return;
	}
	h->errors_run += sample->errors;
	h->timeouts_run += sample->timeouts;
}

static uint32_t percent(uint32_t part, uint32_t whole)
{
	return whole ? (uint32_t)(100ull * part / whole) : 0;
}

static bool is_worse(
	const struct health_sample *own, const struct health_sample *peers)
{
	return own->answers >= MIN_ANSWERS && peers->answers > 0 &&
	       percent(own->failures, own->answers) >=
		       25 + 2 * percent(peers->failures, peers->answers);
}

/* Sum of the newest ticks. */
static struct health_sample recent(const struct health *h, unsigned ticks)
{
	struct health_sample sum = {0};

	for (unsigned i = 0; i < ticks; i++) {
		const struct health_sample *t =
			&h->ticks[(h->tick + HEALTH_TICKS - i) % HEALTH_TICKS];

		sum.answers += t->answers;
		sum.failures += t->failures;
		sum.timeouts += t->timeouts;
		sum.errors += t->errors;
	}
	return sum;
}

struct health_sample health_window(const struct health *h)
{
	return recent(h, HEALTH_TICKS);
}

/* What is wrong with it, compared with its peers? */
static enum health_reason find_fault(
	const struct health *h, const struct health_sample *peers)
{
	struct health_sample own = recent(h, HEALTH_TICKS);
	struct health_sample now = recent(h, RECENT_TICKS);
	bool peers_silent = percent(peers->timeouts,
				    peers->timeouts + peers->answers) >= 50;

	if (h->errors_run >= MIN_ERRORS)
		return HEALTH_ERRORS;
	if (!peers_silent && (h->timeouts_run >= MIN_TIMEOUTS ||
				     (own.timeouts >= MIN_TIMEOUTS &&
					     own.timeouts > own.answers)))
		return HEALTH_TIMEOUTS;
	if (is_worse(&own, peers) || is_worse(&now, peers))
		return HEALTH_SERVFAILS;
	return HEALTH_FINE;
}

/* What was seen before belongs to another time. */
static void forget(struct health *h)
{
	memset(h->ticks, 0, sizeof(h->ticks));
	h->errors_run = h->timeouts_run = 0;
}

static void eject(struct health *h, enum health_reason reason, struct mtime now)
{
	int64_t ms = reason == HEALTH_SERVFAILS ? EJECT_FAIL_MS : EJECT_MS;

	if (mtime_sub_us(now, h->last_ejected) > EJECT_FORGET_MS * 1000ll)
		h->ejections = 0;
	h->ejected = reason;
	h->ejected_until = mtime_add_ms(now, ms << h->ejections);
	h->last_ejected = now;
	h->probed_since = false;
	h->good = 0;
	if (h->ejections < EJECT_MAX_SHIFT)
		h->ejections++;
	forget(h);
}

bool health_judge(struct health *h, const struct health_check *check,
	const struct health_sample *peers, bool last, struct mtime now)
{
	enum health_reason fault;
	bool recovered = !check->enabled || h->probed_since;

	if (h->ejected != HEALTH_FINE) {
		if (!last &&
			(mtime_before(now, h->ejected_until) || !recovered))
			return false;
		h->ejected = HEALTH_FINE;
		forget(h);
		return true;
	}
	fault = last ? HEALTH_FINE : find_fault(h, peers);
	if (fault == HEALTH_FINE)
		return false;
	eject(h, fault, now);
	return true;
}

bool health_answers(const struct health *h, struct mtime now)
{
	return mtime_sub_us(now, h->last_good) < ANSWERS_LATE_MS * 1000ll;
}

const char *health_reason_name(enum health_reason reason)
{
	static const char *const names[] = {
		"fine", "probes", "timeouts", "errors", "servfails"};

	return names[reason];
}
