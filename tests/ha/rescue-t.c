/* SPDX-License-Identifier: ISC */

/* When a backup relieves a master whose DNS is silent, and until when. */

#include "ha/rescue.h"

#include "common/base/base.h"
#include "tests/tap/tap.h"

static const int64_t sec = 1000 * 1000;
static const int64_t start = 1000 * 1000 * 1000;

static int64_t now;
static struct rescue r;
static struct rescue_input in;

static enum rescue_result step(void)
{
	return rescue_step(&r, &in, now);
}

/* A backup of a foreign master that has answered, and does so. */
static void begin(void)
{
	now = start;
	rescue_init(&r);
	memset(&in, 0, sizeof(in));
	in.role = STATE_BACKUP;
	in.fit = in.alive = true;
	in.priority = 150;
	in.master[0] = 10;
	in.master[3] = 12;
	if (step() != RESCUE_NOTHING || r.ask != RESCUE_ASK_SERVICE)
		tap_bail("does not ask");
	in.answers = true;
	if (step() != RESCUE_NOTHING)
		tap_bail("has something to say");
}

static void fall_silent(void)
{
	in.answers = false;
	in.silent = true;
}

static void take(void)
{
	fall_silent();
	if (step() != RESCUE_TAKE)
		tap_bail("does not take");
	in.role = STATE_MASTER;
	in.silent = false;
}

static void test_take(void)
{
	uint32_t round;

	begin();
	ok(rescue_trusts(&r), "who has answered is known to let us ask");
	round = r.round;
	fall_silent();
	is_int(step(), RESCUE_TAKE, "silence: taken");
	ok(r.leads && !r.alarm, "we lead");
	ok(r.ask == RESCUE_ASK_MASTER && r.round != round,
		"its own address is asked now");
	in.role = STATE_MASTER;
	is_int(step(), RESCUE_NOTHING, "and that is all");
}

static void test_not_taken(void)
{
	begin();
	fall_silent();
	in.alive = false;
	is_int(step(), RESCUE_NOTHING, "without adverts: not our matter");
	in.alive = true;
	in.fit = false;
	is_int(step(), RESCUE_NOTHING, "not fit: no");
	is_int(r.ask, RESCUE_ASK_NOBODY, "and nobody is asked");
	in.fit = true;
	is_int(step(), RESCUE_NOTHING,
		"fit again: what was found out before does not count");
	is_int(r.ask, RESCUE_ASK_SERVICE, "it is asked again");
	ok(rescue_trusts(&r), "and its silence believed at once");
	in.master[3] = 13;
	is_int(step(), RESCUE_NOTHING, "another master: nor what is of one");
	ok(!rescue_trusts(&r), "and its silence proves nothing yet");
	in.role = STATE_FAULT;
	is_int(step(), RESCUE_NOTHING, "in FAULT: no");
	is_int(r.ask, RESCUE_ASK_NOBODY, "nobody is asked there");
}

static void test_alarm(void)
{
	begin();
	fall_silent();
	in.ours = true;
	is_int(step(), RESCUE_SILENT, "a peer of ours: an alarm");
	ok(r.alarm && !r.leads, "nothing else");
	is_int(step(), RESCUE_NOTHING, "told once");
	in.silent = false;
	is_int(step(), RESCUE_NOTHING, "one answer is not the end of it");
	in.answers = true;
	is_int(step(), RESCUE_ANSWERS, "told when over");
	begin();
	fall_silent();
	in.priority = RESCUE_PRIORITY;
	is_int(step(), RESCUE_SILENT, "priority 254: cannot be beaten");
	in.role = STATE_MASTER;
	is_int(step(), RESCUE_ANSWERS, "and over when we lead anyway");
	begin();
	fall_silent();
	in.ours = true;
	(void)step();
	in.ours = false;
	is_int(step(), RESCUE_TAKE, "a master that can be relieved after all");
	ok(!r.alarm, "no alarm any more");
}

static void test_never(void)
{
	begin();
	in.master[3] = 13;
	in.answers = false;
	(void)step();
	now += 10 * sec - 1;
	is_int(step(), RESCUE_NOTHING, "never answered: an access list?");
	now++;
	is_int(step(), RESCUE_SILENT, "or its DNS: after 10 s an alarm");
	is_int(step(), RESCUE_NOTHING, "once");
	in.answers = true;
	is_int(step(), RESCUE_ANSWERS, "until it answers");
	begin();
	in.master[3] = 13;
	in.answers = false;
	in.ours = true;
	(void)step();
	now += 20 * sec;
	is_int(step(), RESCUE_NOTHING, "one of ours looks after itself");
	begin();
	in.answers = false;
	now += 20 * sec;
	is_int(step(), RESCUE_NOTHING, "who has answered is not meant");
}

static void test_back(void)
{
	begin();
	take();
	now += 100 * sec;
	is_int(step(), RESCUE_NOTHING, "never answers: never back");
	in.answers = true;
	is_int(step(), RESCUE_NOTHING, "answers: not at once");
	now += 2 * sec;
	in.answers = false;
	is_int(step(), RESCUE_NOTHING, "fails again");
	now += 2 * sec;
	in.answers = true;
	is_int(step(), RESCUE_NOTHING, "counted from the start");
	now += 3 * sec - 1;
	is_int(step(), RESCUE_NOTHING, "3 s are not over");
	now++;
	is_int(step(), RESCUE_BACK, "3 s: it may lead");
	ok(!r.leads && r.ask == RESCUE_ASK_NOBODY, "nobody is asked");
	is_int(step(), RESCUE_NOTHING, "until it does");
	in.role = STATE_BACKUP;
	is_int(step(), RESCUE_NOTHING, "then it begins anew");
	is_int(r.ask, RESCUE_ASK_SERVICE, "the service address");
	ok(rescue_trusts(&r), "and silence is believed");
}

/* How long must it answer this time, in seconds? */
static int64_t rise(void)
{
	int64_t from = now;

	in.answers = true;
	while (step() != RESCUE_BACK)
		if ((now += sec) > from + 9000 * sec)
			tap_bail("never back");
	in.role = STATE_BACKUP;
	in.answers = false;
	(void)step();
	return (now - from) / sec;
}

static void test_damping(void)
{
	int64_t first, second, last = 0;

	begin();
	take();
	first = rise();
	take();
	second = rise();
	is_int(first, 3, "the first time: 3 s");
	is_int(second, 6, "again soon: twice that");
	for (int i = 0; i < 12; i++) {
		take();
		last = rise();
	}
	is_int(last, 3600, "at most an hour");
	now += 3600 * sec;
	take();
	is_int(rise(), 3, "an hour later: 3 s again");
}

static void test_over(void)
{
	begin();
	take();
	in.role = STATE_BACKUP;
	is_int(step(), RESCUE_OVER, "another one leads: over");
	ok(!r.leads, "with our own priority");
	begin();
	fall_silent();
	(void)step();
	is_int(step(), RESCUE_OVER, "the role did not come: over");
	now += sec;
	in.silent = false;
	(void)step();
	take();
	is_int(rise(), 6, "which counts as a rescue as well");
}

static void test_resume(void)
{
	uint8_t master[STATE_ADDR_MAX] = {10, 0, 0, 7};

	rescue_init(&r);
	rescue_resume(&r, master);
	ok(r.leads && r.ask == RESCUE_ASK_MASTER, "resumed: we lead");
	is_int(r.master[3], 7, "for that one");
	memset(&in, 0, sizeof(in));
	in.role = STATE_MASTER;
	is_int(step(), RESCUE_NOTHING, "and go on");
	is_int(rise(), 3, "until it answers");
}

int main(void)
{
	test_take();
	test_not_taken();
	test_alarm();
	test_never();
	test_back();
	test_damping();
	test_over();
	test_resume();
	return tap_done();
}
