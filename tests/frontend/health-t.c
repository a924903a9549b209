/* SPDX-License-Identifier: ISC */
/* The two judges of a backend: probes, and what real queries met. */

#include "frontend/health.h"
#include "tests/tap/tap.h"

static const struct health_check check = {
	.interval_ms = 1000,
	.timeout_ms = 1000,
	.rise = 2,
	.fall = 2,
	.enabled = true,
};

static const struct health_check slow = {
	.interval_ms = 5000, .rise = 2, .fall = 2, .enabled = true};

static struct mtime now = {.us = 1000000000};

static void test_probes(void)
{
	struct health h;

	health_init(&h);
	is_int(health_pause_ms(&h, &check), 200, "fast before any success");
	ok(!health_probed(&h, &check, false), "one failure tells nothing yet");
	ok(health_probed(&h, &check, false) && h.state == HEALTH_DOWN,
		"two: down");
	is_int(health_pause_ms(&h, &check), 200, "still fast: never was up");
	ok(health_probed(&h, &check, true) && health_fit(&h),
		"the first success ever is enough");
	is_int(health_pause_ms(&h, &check), 1000, "then at the interval");
	ok(!health_probed(&h, &check, false) && health_fit(&h),
		"one failure of fall=2: still up");
	is_int(health_pause_ms(&h, &check), 200, "but it is looked at soon");
	(void)health_probed(&h, &check, true);
	(void)health_probed(&h, &check, false);
	ok(health_fit(&h), "failures must be in a row");
	ok(health_probed(&h, &check, false) && h.state == HEALTH_DOWN, "down");
	is_int(health_pause_ms(&h, &slow), 1000,
		"one that is down is asked each second, whatever the interval");
	ok(!health_probed(&h, &check, true) && h.state == HEALTH_DOWN,
		"rise=2: one success is not enough now");
	is_int(health_pause_ms(&h, &slow), 200, "but the next probe is soon");
	ok(health_probed(&h, &check, true) && health_fit(&h), "two are");
}

static void feed(struct health *h, int ticks, struct health_sample sample)
{
	for (int i = 0; i < ticks; i++) {
		now = mtime_add_ms(now, HEALTH_TICK_MS);
		health_tick(h, &sample, now);
	}
}

static void make_up(struct health *h)
{
	health_init(h);
	(void)health_probed(h, &check, true);
}

static void test_ejection(void)
{
	const struct health_sample fine = {.answers = 500, .failures = 5};
	const struct health_sample sick = {.answers = 500, .failures = 480};
	struct health h;

	make_up(&h);
	feed(&h, 2, (struct health_sample){.answers = 25, .failures = 25});
	ok(!health_judge(&h, &check, &sick, false, now),
		"SERVFAIL as all the others give it: stays");
	ok(!health_judge(&h, &check, &fine, true, now),
		"the last one is never ejected");
	ok(health_judge(&h, &check, &fine, false, now) && !health_fit(&h),
		"SERVFAIL unlike the others: out after 100 ms");
	is_int(h.ejected, HEALTH_SERVFAILS, "for that reason");
	(void)health_probed(&h, &check, true);
	feed(&h, 20, (struct health_sample){0});
	ok(!health_judge(&h, &check, &fine, false, now),
		"a good probe alone does not bring it back");
	now = mtime_add_ms(now, 10000);
	ok(health_judge(&h, &check, &fine, false, now) && health_fit(&h),
		"but when its time is over");
	feed(&h, 2, (struct health_sample){.answers = 25, .failures = 25});
	(void)health_judge(&h, &check, &fine, false, now);
	(void)health_probed(&h, &check, true);
	now = mtime_add_ms(now, 11000);
	ok(!health_judge(&h, &check, &fine, false, now),
		"the second time takes longer");
	now = mtime_add_ms(now, 10000);
	ok(health_judge(&h, &check, &fine, false, now), "twice as long");
}

static void test_silence(void)
{
	const struct health_sample fine = {.answers = 500};
	const struct health_sample dead = {.answers = 2, .timeouts = 300};
	struct health h;

	make_up(&h);
	feed(&h, 1, (struct health_sample){.timeouts = 3});
	ok(!health_judge(&h, &check, &fine, false, now), "3 time-outs: stays");
	feed(&h, 1, (struct health_sample){.timeouts = 3});
	ok(!health_judge(&h, &check, &dead, false, now),
		"the others time out too: stays");
	ok(health_judge(&h, &check, &fine, false, now), "6 time-outs: out");
	is_int(h.ejected, HEALTH_TIMEOUTS, "for that reason");
	now = mtime_add_ms(now, 5000);
	ok(!health_judge(&h, &check, &fine, false, now),
		"not back while no probe is good");
	(void)health_probed(&h, &check, true);
	ok(health_judge(&h, &check, &fine, false, now) && health_fit(&h),
		"back with the first good one");
	make_up(&h);
	feed(&h, 1, (struct health_sample){.answers = 40, .timeouts = 10});
	ok(!health_judge(&h, &check, &fine, false, now),
		"some time-outs among many answers: stays");
	make_up(&h);
	feed(&h, 1, (struct health_sample){.errors = 3});
	ok(health_judge(&h, &check, &fine, false, now), "refused 3 times: out");
}

static void test_standing(void)
{
	struct health h;

	make_up(&h);
	ok(!health_answers(&h, now), "no answer yet");
	feed(&h, 1, (struct health_sample){.answers = 1, .failures = 1});
	ok(!health_answers(&h, now), "SERVFAIL is none");
	feed(&h, 1, (struct health_sample){.answers = 2, .failures = 1});
	ok(health_answers(&h, now), "a good one counts");
	now = mtime_add_ms(now, 2500);
	ok(!health_answers(&h, now), "for two seconds");
}

int main(void)
{
	test_probes();
	test_ejection();
	test_silence();
	test_standing();
	return tap_done();
}
