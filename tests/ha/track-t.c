/* SPDX-License-Identifier: ISC */

/* Health to priority, and the judges of heartbeat and probe. */

#include "ha/track.h"

#include "common/base/hash.h"
#include "tests/tap/tap.h"

enum {
	MS = 1000,
	SEC = 1000000
};

static const struct track_weights weights = {60, 120};
static const struct track_beat_conf beat_conf = {
	50 * MS, 3, 3 * SEC, 120 * (int64_t)SEC, 600 * (int64_t)SEC};

static void good_input(struct track_input *in)
{
	memset(in, 0, sizeof(*in));
	in->base = 100;
	in->link_up = true;
	in->has_source = true;
	in->service = TRACK_SERVICE_OK;
}

static uint8_t eval(const struct track_input *in, struct track_result *out)
{
	track_eval(in, &weights, out);
	return out->priority;
}

static void test_eval(void)
{
	struct track_input in;
	struct track_result out;

	good_input(&in);
	is_int(eval(&in, &out), 100, "all well: the base");
	is_int(out.fault, TRACK_FAULT_NONE, "all well: no fault");
	in.service = TRACK_SERVICE_DEGRADED;
	is_int(eval(&in, &out), 40, "degraded costs 60");
	in.gateway_lost = true;
	is_int(eval(&in, &out), 1, "case 65: the sum is clamped to 1");
	in.base = 255;
	is_int(eval(&in, &out), 255, "case 65: 255 is untouched");
	good_input(&in);
	in.service = TRACK_SERVICE_DRAINING;
	is_int(eval(&in, &out), 1, "draining: priority 1");
	ok(out.leaving && out.fault == TRACK_FAULT_NONE,
		"draining: leaves without fault");
	good_input(&in);
	in.drain = true;
	ok(eval(&in, &out) == 1 && out.leaving, "drained by the operator");
	good_input(&in);
	in.link_up = false;
	eval(&in, &out);
	is_int(out.fault, TRACK_FAULT_LINK, "link down");
	good_input(&in);
	in.has_source = false;
	eval(&in, &out);
	is_int(out.fault, TRACK_FAULT_LINK, "case 70: no address to send from");
	good_input(&in);
	in.probe_failed = true;
	eval(&in, &out);
	is_int(out.fault, TRACK_FAULT_SERVICE, "the probe failed");
	good_input(&in);
	in.group_failed = true;
	eval(&in, &out);
	is_int(out.fault, TRACK_FAULT_GROUP, "case 78: the group failed");
	in.probe_failed = true;
	eval(&in, &out);
	is_int(out.fault, TRACK_FAULT_SERVICE, "case 78: the own fault first");
	in.link_up = false;
	eval(&in, &out);
	is_int(out.fault, TRACK_FAULT_LINK, "case 78: the link before all");
	good_input(&in);
	in.service = TRACK_SERVICE_WAITING;
	is_int(eval(&in, &out), 100, "service never seen: base kept");
	is_int(out.fault, TRACK_FAULT_SERVICE, "service never seen: fault");
}

static void test_rescue(void)
{
	struct track_input in;
	struct track_result out;

	good_input(&in);
	in.rescue = true;
	is_int(eval(&in, &out), 254, "rescue: the highest priority");
	in.service = TRACK_SERVICE_DEGRADED;
	is_int(eval(&in, &out), 254,
		"rescue: kept when degraded, the other one answers nothing");
	in.service = TRACK_SERVICE_OK;
	in.gateway_lost = true;
	is_int(eval(&in, &out), 134, "rescue: less what is wrong here");
	in.drain = true;
	is_int(eval(&in, &out), 1, "rescue: drained all the same");
	good_input(&in);
	in.rescue = true;
	in.service = TRACK_SERVICE_FAILED;
	in.peer = TRACK_PEER_LOST;
	is_int(eval(&in, &out), 1, "rescue: nothing for the last man");
}

static void test_last_man(void)
{
	struct track_input in;
	struct track_result out;

	good_input(&in);
	in.service = TRACK_SERVICE_FAILED;
	in.peer = TRACK_PEER_FIT;
	eval(&in, &out);
	is_int(out.fault, TRACK_FAULT_SERVICE, "failed, fit peer: give up");
	in.peer = TRACK_PEER_LOST;
	ok(eval(&in, &out) == 1 && out.fault == TRACK_FAULT_NONE &&
			out.last_man,
		"case 64: failed, peer lost: stay with priority 1");
	in.peer = TRACK_PEER_FAILED;
	in.peer_base = 99;
	is_int(eval(&in, &out), 2, "case 64: both failed, ours is higher");
	in.peer_base = 101;
	is_int(eval(&in, &out), 1, "case 64: both failed, ours is lower");
	is_int(out.fault, TRACK_FAULT_NONE, "case 64: and nobody gives up");
	in.service = TRACK_SERVICE_HELD;
	is_int(eval(&in, &out), 3, "well, not yet trusted: before a dead one");
	in.peer_base = 99;
	is_int(eval(&in, &out), 4, "two such keep their order");
	in.probe_failed = true;
	is_int(eval(&in, &out), 2, "but not when the probe has failed");
	in.probe_failed = false;
	in.peer = TRACK_PEER_FIT;
	eval(&in, &out);
	is_int(out.fault, TRACK_FAULT_SERVICE, "held, fit peer: give up");
	in.service = TRACK_SERVICE_FAILED;
	in.peer = TRACK_PEER_FAILED;
	in.link_up = false;
	eval(&in, &out);
	is_int(out.fault, TRACK_FAULT_LINK, "without link nobody is a man");
}

/* The result depends on the inputs, not on how they came about. */
static void test_pure(void)
{
	struct track_input in;
	struct track_result out, again;
	struct rng rng;
	int bad = 0;

	rng_init(&rng);
	good_input(&in);
	for (int i = 0; i < 10000; i++) {
		uint32_t bits = (uint32_t)rng_next(&rng);
		struct track_input copy;

		in.base = (uint8_t)(1 + bits % 255);
		in.service = (enum track_service)(bits >> 8) % TRACK_SERVICES;
		in.peer = (enum track_peer)((bits >> 12) & 3);
		in.probe_failed = bits >> 14 & 1;
		in.gateway_lost = bits >> 15 & 1;
		in.drain = bits >> 16 & 1;
		copy = in;
		eval(&in, &out);
		eval(&copy, &again);
		if (out.priority != again.priority || out.priority == 0 ||
			out.fault != again.fault ||
			(out.priority == 255) != (in.base == 255))
			bad++;
	}
	is_int(bad, 0, "case 66: 10^4 random inputs: pure and in range");
}

static int64_t now = 1000 * (int64_t)SEC;

static void beat_for(struct track_beat *b, int64_t us)
{
	for (int64_t end = now + us; now < end; now += 50 * MS)
		track_beat_heard(b, &beat_conf, TRACK_SERVICE_OK, now);
}

static enum track_service judge(struct track_beat *b)
{
	return track_beat_judge(b, &beat_conf, now);
}

static void test_beat(void)
{
	struct track_beat b;

	track_beat_init(&b, &beat_conf);
	is_int(judge(&b), TRACK_SERVICE_WAITING, "nobody came yet");
	is_int(track_beat_deadline(&b, &beat_conf), INT64_MAX, "no deadline");
	track_beat_heard(&b, &beat_conf, TRACK_SERVICE_OK, now);
	is_int(judge(&b), TRACK_SERVICE_OK, "the first beat is trusted");
	is_int(track_beat_deadline(&b, &beat_conf), now + 150 * MS,
		"case 63: deadline is three periods");
	now += 100 * MS;
	is_int(judge(&b), TRACK_SERVICE_OK, "case 63: late by 2 periods: ok");
	now += 50 * MS;
	is_int(judge(&b), TRACK_SERVICE_FAILED,
		"case 63: by 3 periods: failed");
	is_int(b.cause, TRACK_CAUSE_SILENCE, "case 62: by silence");
	is_int(b.silence_us, 150 * MS, "case 62: of 150 ms");
	beat_for(&b, 2900 * MS);
	is_int(judge(&b), TRACK_SERVICE_HELD, "not trusted before 3 s");
	beat_for(&b, 200 * MS);
	is_int(judge(&b), TRACK_SERVICE_OK, "trusted after 3 s");
	track_beat_gone(&b, &beat_conf, now);
	is_int(judge(&b), TRACK_SERVICE_FAILED,
		"case 61: gone: failed at once");
	is_int(b.cause, TRACK_CAUSE_DEATH, "case 61: by its death");
	beat_for(&b, 3100 * MS);
	is_int(judge(&b), TRACK_SERVICE_HELD, "a flap doubles the wait");
	beat_for(&b, 3000 * MS);
	is_int(judge(&b), TRACK_SERVICE_OK, "to 6 s");
	track_beat_heard(&b, &beat_conf, TRACK_SERVICE_FAILED, now);
	is_int(judge(&b), TRACK_SERVICE_FAILED, "says so itself");
	is_int(b.cause, TRACK_CAUSE_WORD, "by its word");
	for (int i = 0; i < 10; i++) {
		beat_for(&b, 130 * (int64_t)SEC);
		track_beat_gone(&b, &beat_conf, now);
	}
	is_int(b.rise_us, beat_conf.rise_max_us, "the wait has a limit");
	now += 700 * (int64_t)SEC;
	beat_for(&b, 130 * (int64_t)SEC);
	track_beat_gone(&b, &beat_conf, now);
	is_int(b.rise_us, beat_conf.rise_us, "and is forgiven in time");
}

/* A crash loop that nobody was sent to ends with the shortest wait. */
static void test_beat_unseen(void)
{
	struct track_beat b;

	track_beat_init(&b, &beat_conf);
	beat_for(&b, 200 * MS);
	for (int i = 0; i < 10; i++) {
		track_beat_gone(&b, &beat_conf, now);
		is_int(judge(&b), TRACK_SERVICE_FAILED, "dies again");
		beat_for(&b, 200 * MS);
		is_int(judge(&b), TRACK_SERVICE_HELD, "and is back");
	}
	beat_for(&b, 3000 * MS);
	is_int(judge(&b), TRACK_SERVICE_OK, "trusted 3 s later");
	track_beat_gone(&b, &beat_conf, now);
	beat_for(&b, 3100 * MS);
	is_int(judge(&b), TRACK_SERVICE_HELD, "what others saw counts");
	track_beat_gone(&b, &beat_conf, now);
	beat_for(&b, 5900 * MS);
	is_int(judge(&b), TRACK_SERVICE_HELD, "for longer");
	beat_for(&b, 200 * MS);
	is_int(judge(&b), TRACK_SERVICE_OK, "6 s");
}

static void test_beat_excuse(void)
{
	struct track_beat b;

	track_beat_init(&b, &beat_conf);
	beat_for(&b, 200 * MS);
	now += 400 * MS;
	track_beat_excuse(&b, &beat_conf, 200 * MS, now);
	is_int(judge(&b), TRACK_SERVICE_OK,
		"silence in which this process did not run is none");
	now += 90 * MS;
	is_int(judge(&b), TRACK_SERVICE_OK, "two more beats are waited for");
	now += 10 * MS;
	is_int(judge(&b), TRACK_SERVICE_FAILED, "silence after it counts");
	beat_for(&b, 3100 * MS);
	for (int i = 0; i < 20; i++) {
		now += 100 * MS;
		track_beat_excuse(&b, &beat_conf, 100 * MS, now);
	}
	is_int(judge(&b), TRACK_SERVICE_FAILED,
		"and no more than a second is excused");
	beat_for(&b, 7000 * MS);
	now += 400 * MS;
	track_beat_excuse(&b, &beat_conf, 390 * MS, now);
	is_int(judge(&b), TRACK_SERVICE_OK, "each beat renews that second");
}

/* An ordinary thread's turns against the frontend's silence. */
static void test_starved(void)
{
	struct track_turns t = {0};
	struct track_beat b;

	track_beat_init(&b, &beat_conf);
	beat_for(&b, 200 * MS);
	ok(!track_starved(&t, &b, 1000, now), "a beat has just come");
	now += 150 * MS;
	ok(!track_starved(&t, &b, 1006, now), "six turns in 150 ms: all well");
	ok(!track_starved(&t, &b, 1004, now), "four: two thirds will do");
	ok(track_starved(&t, &b, 1003, now), "three: the machine is slow");
	ok(track_starved(&t, &b, 1000, now), "none: it stands still");
	track_beat_excuse(&b, &beat_conf, 0, now);
	ok(!track_starved(&t, &b, 1003, now), "excused: counted anew");
	now += 100 * MS;
	ok(!track_starved(&t, &b, 1007, now), "all turns since");
	ok(track_starved(&t, &b, 1004, now), "or one");
	is_int(judge(&b), TRACK_SERVICE_FAILED, "for the judge it is silence");
}

static void test_beat_states(void)
{
	struct track_beat b;

	track_beat_init(&b, &beat_conf);
	track_beat_heard(&b, &beat_conf, TRACK_SERVICE_DEGRADED, now);
	is_int(judge(&b), TRACK_SERVICE_DEGRADED, "degraded is passed on");
	track_beat_heard(&b, &beat_conf, TRACK_SERVICE_DRAINING, now);
	is_int(judge(&b), TRACK_SERVICE_DRAINING, "draining is passed on");
	now += 200 * MS;
	track_beat_heard(&b, &beat_conf, TRACK_SERVICE_OK, now);
	is_int(judge(&b), TRACK_SERVICE_HELD,
		"a gap counts although it is over");
}

static void test_probe(void)
{
	struct track_probe p = {0};

	is_int(track_probe_result(&p, false, 2, 3), false, "1 of 3 failed");
	is_int(track_probe_result(&p, true, 2, 3), false, "still 1 of 3");
	is_int(track_probe_result(&p, false, 2, 3), true, "2 of 3: failed");
	is_int(track_probe_result(&p, true, 2, 3), true, "one good: not yet");
	track_probe_result(&p, true, 2, 3);
	is_int(track_probe_result(&p, true, 2, 3), false, "3 good: well");
}

int main(void)
{
	test_eval();
	test_rescue();
	test_last_man();
	test_pure();
	test_beat();
	test_beat_unseen();
	test_beat_excuse();
	test_starved();
	test_beat_states();
	test_probe();
	return tap_done();
}
