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

#define FAST_MS          200
#define MIN_ERRORS       3
#define MIN_TIMEOUTS     4
#define MIN_ANSWERS      10
#define EJECT_MS         2000 /* time-outs and errors: probes will tell */
#define EJECT_FAIL_MS    10000 /* SERVFAIL: probes may well succeed */
#define EJECT_MAX_SHIFT  5
#define EJECT_FORGET_MS  300000
#define ANSWERS_LATE_MS  2000

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
	bool fast = !h->ever_up || (h->state == HEALTH_UP && h->bad > 0) ||
		    h->ejected != HEALTH_FINE;

	return fast && check->interval_ms > FAST_MS ? FAST_MS
						    : check->interval_ms;
}

void health_tick(struct health *h, const struct health_sample *sample,
	struct mtime now)
{
	h->tick = (h->tick + 1) % HEALTH_TICKS;
	h->ticks[h->tick] = *sample;
	if (sample->answers > sample->failures)
		h->last_good = now;
}

struct health_sample health_window(const struct health *h)
{
	struct health_sample sum = {0};

	for (unsigned i = 0; i < HEALTH_TICKS; i++) {
		sum.answers += h->ticks[i].answers;
		sum.failures += h->ticks[i].failures;
		sum.timeouts += h->ticks[i].timeouts;
		sum.errors += h->ticks[i].errors;
	}
	return sum;
}

static uint32_t percent(uint32_t part, uint32_t whole)
{
	return whole ? (uint32_t)(100ull * part / whole) : 0;
}

/* What is wrong with it, compared with its peers? */
static enum health_reason find_fault(
	const struct health_sample *own, const struct health_sample *peers)
{
	uint32_t good = own->answers - own->failures;

	if (own->errors >= MIN_ERRORS && own->errors > good)
		return HEALTH_ERRORS;
	if (own->timeouts >= MIN_TIMEOUTS && own->timeouts > good &&
		percent(peers->timeouts, peers->timeouts + peers->answers) < 50)
		return HEALTH_TIMEOUTS;
	if (own->answers >= MIN_ANSWERS && peers->answers > 0 &&
		percent(own->failures, own->answers) >=
			25 + 2 * percent(peers->failures, peers->answers))
		return HEALTH_SERVFAILS;
	return HEALTH_FINE;
}

static void eject(
	struct health *h, enum health_reason reason, struct mtime now)
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
	memset(h->ticks, 0, sizeof(h->ticks));
}

bool health_judge(struct health *h, const struct health_check *check,
	const struct health_sample *peers, bool last, struct mtime now)
{
	struct health_sample own = health_window(h);
	enum health_reason fault;
	bool recovered = !check->enabled || h->probed_since;

	if (h->ejected != HEALTH_FINE) {
		if (!last && (mtime_before(now, h->ejected_until) ||
				     !recovered))
			return false;
		h->ejected = HEALTH_FINE;
		memset(h->ticks, 0, sizeof(h->ticks));
		return true;
	}
	fault = last ? HEALTH_FINE : find_fault(&own, peers);
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
