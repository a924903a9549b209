/* SPDX-License-Identifier: ISC */

/*
 * The state machine under a virtual clock: RFC 9568 section 6.4 and what
 * goes beyond it. The numbers are those of the conformance list: own
 * priority 100, a peer Q.
 */

#include "ha/state.h"

#include "tests/tap/tap.h"

enum {
	SEC = 1000000,
	MS = 1000,
	OWN = 20
};

static int64_t now;
static struct state st;
static struct state_conf cf;

static void conf_default(uint8_t version, uint8_t priority)
{
	memset(&cf, 0, sizeof(cf));
	cf.version = version;
	cf.family = 4;
	cf.priority = priority;
	cf.preempt = true;
	cf.reply_lower = true;
	cf.down_adverts = 3;
	cf.interval_us = version == 2 ? SEC : 100 * MS;
	cf.move_us = 2 * SEC;
	cf.self[3] = OWN;
}

static unsigned send_event(enum state_event_kind kind)
{
	struct state_event ev = {.kind = kind};

	return state_step(&st, &cf, &ev, now);
}

static unsigned fault(bool hard)
{
	struct state_event ev = {.kind = STATE_EV_FAULT, .hard = hard};

	return state_step(&st, &cf, &ev, now);
}

static unsigned advert_from(
	uint8_t priority, uint32_t interval_us, uint8_t last)
{
	struct state_event ev = {.kind = STATE_EV_ADVERT};

	ev.priority = priority;
	ev.interval_us = interval_us;
	ev.at_us = now;
	ev.src[3] = last;
	return state_step(&st, &cf, &ev, now);
}

static unsigned advert(uint8_t priority)
{
	return advert_from(priority, cf.interval_us, 10);
}

/* Let time pass to `until`, firing timers on time; all actions together. */
static unsigned run(int64_t until)
{
	unsigned all = 0;

	while (state_deadline(&st) <= until) {
		now = state_deadline(&st);
		all |= send_event(STATE_EV_TIMER);
	}
	now = until;
	return all;
}

static void begin(uint8_t version, uint8_t priority)
{
	now = 1000 * (int64_t)SEC;
	conf_default(version, priority);
	state_init(&st);
	send_event(STATE_EV_START);
}

static void begin_master(uint8_t version, uint8_t priority)
{
	begin(version, priority);
	run(now + 10 * SEC);
	if (st.role != STATE_MASTER)
		tap_bail("no master after 10 s of silence");
}

/* After which silence, in us, does a backup take over? */
static int64_t silence(void)
{
	int64_t from = now;

	run(now + 200 * (int64_t)SEC);
	return st.since_us - from;
}

static void test_start(void)
{
	unsigned did;

	begin(3, 100);
	is_int(st.role, STATE_BACKUP, "case 55: start as backup");
	now = SEC;
	conf_default(3, 255);
	state_init(&st);
	did = send_event(STATE_EV_START);
	is_int(st.role, STATE_MASTER,
		"case 55: priority 255 is master at once");
	ok(did & STATE_DO_ADVERT && did & STATE_DO_ADD &&
			did & STATE_DO_ANNOUNCE,
		"case 55: advert, address, announcement");
	now = SEC;
	conf_default(3, 100);
	cf.startup_delay_us = 5 * SEC;
	state_init(&st);
	send_event(STATE_EV_START);
	run(3 * SEC);
	advert(50);
	run(6 * SEC - 1);
	is_int(st.role, STATE_BACKUP, "case 56: no promotion before the delay");
	run(6 * SEC);
	is_int(st.role, STATE_MASTER, "case 56: promotion after it");
	now = SEC;
	state_init(&st);
	send_event(STATE_EV_START);
	advert(150);
	advert(0);
	run(6 * SEC - 1);
	is_int(st.role, STATE_BACKUP, "case 56: nor by a goodbye");
	run(6 * SEC);
	is_int(st.reason, STATE_BY_PRIO0, "case 56: which is not forgotten");
	now = SEC;
	state_init(&st);
	send_event(STATE_EV_START);
	fault(false);
	run(6 * SEC - 1);
	is_int(st.role, STATE_FAULT, "case 56: nor as the last man");
	run(6 * SEC);
	ok(st.role == STATE_MASTER && st.lone, "case 56: but after it");
}

static void test_resume(void)
{
	unsigned did;

	now = SEC;
	conf_default(3, 100);
	state_init(&st);
	did = send_event(STATE_EV_RESUME);
	is_int(st.role, STATE_MASTER,
		"case 59: a restart in time stays master");
	is_int(st.reason, STATE_BY_RESUME, "case 59: and says why");
	ok(did & STATE_DO_ADVERT, "case 59: and advertises at once");
}

static void test_silence(void)
{
	static const uint8_t priorities[] = {1, 100, 253, 254};
	static const uint32_t intervals[] = {
		10 * MS, 100 * MS, SEC, 40950 * MS};

	for (size_t p = 0; p < countof(priorities); p++) {
		begin(2, priorities[p]);
		is_int(silence(),
			3 * SEC + (256 - priorities[p]) * (int64_t)SEC / 256,
			"case 45: v2, priority %d", priorities[p]);
		for (size_t i = 0; i < countof(intervals); i++) {
			int64_t a = intervals[i];

			now = SEC;
			conf_default(3, priorities[p]);
			cf.interval_us = intervals[i];
			state_init(&st);
			send_event(STATE_EV_START);
			is_int(silence(),
				3 * a + (256 - priorities[p]) * a / 256,
				"case 45: v3, priority %d, %lld us",
				priorities[p], (long long)a);
		}
	}
}

static void test_backup_hears(void)
{
	begin(3, 100);
	now += 200 * MS;
	advert(150);
	is_int(silence(), 300 * MS + 60937, "case 35: higher re-arms");
	begin(3, 100);
	now += 200 * MS;
	advert(100);
	is_int(silence(), 300 * MS + 60937, "case 36: equal re-arms");
	begin(3, 100);
	now += 200 * MS;
	advert(50);
	is_int(silence(), 100 * MS + 60937, "case 37: lower does not re-arm");
	is_int(st.reason, STATE_BY_TIMEOUT, "case 37: by timeout");
	begin(3, 100);
	cf.preempt = false;
	now += 200 * MS;
	advert(50);
	is_int(silence(), 300 * MS + 60937,
		"case 38: without preemption it does");
	begin(3, 100);
	cf.preempt = false;
	now += 200 * MS;
	advert(1);
	is_int(silence(), 100 * MS + 60937,
		"priority 1 wants to leave: never waited for");
	begin(3, 100);
	now += 10 * MS;
	advert_from(150, 500 * MS, 10);
	is_int(silence(), 3 * 500 * MS + 156 * 500 * MS / 256,
		"case 26: the master's interval is learned");
	begin(2, 100);
	advert_from(150, 5 * SEC, 10);
	is_int(silence(), 3 * SEC + 609375, "v2 never learns an interval");
	begin(3, 100);
	is_int(advert(255), STATE_SAW_OWNER, "an owner is remarked");
}

static void test_preempt_delay(void)
{
	int64_t start;

	begin(3, 100);
	cf.preempt_delay_us = 10 * SEC;
	start = now;
	while (now < start + 9950 * MS) {
		advert(50);
		run(now + 100 * MS);
	}
	is_int(st.role, STATE_BACKUP, "case 39: stays while the delay runs");
	while (st.role == STATE_BACKUP && now < start + 20 * SEC) {
		advert(50);
		run(now + 100 * MS);
	}
	ok(st.since_us >= start + 10 * SEC && st.since_us <= start + 10500 * MS,
		"case 39: master after it (%lld us)",
		(long long)(st.since_us - start));
	begin(3, 100);
	cf.preempt_delay_us = 10 * SEC;
	advert(50);
	ok(st.preempt_us != 0, "case 40: the delay runs");
	advert(150);
	is_int(st.preempt_us, 0, "case 40: a higher one cancels it");
	begin(3, 100);
	cf.preempt_delay_us = 10 * SEC;
	advert(50);
	is_int(silence(), 300 * MS + 60937,
		"the delay holds back no takeover by silence");
	begin(3, 100);
	cf.preempt_delay_us = 10 * SEC;
	advert(50);
	advert(0);
	is_int(silence(), 60937, "nor by a goodbye");
	begin(3, 100);
	cf.preempt_delay_us = 10 * SEC;
	run(now + 200 * MS);
	advert(1);
	is_int(silence(), 100 * MS + 60937, "nor when the master is leaving");
	begin(3, 100);
	cf.preempt = false;
	advert(50);
	cf.preempt = true;
	send_event(STATE_EV_CONF);
	run(now + 200 * MS);
	advert(50);
	is_int(silence(), 100 * MS + 60937, "preemption is switched on live");
}

static void test_goodbye(void)
{
	int64_t first;

	begin(3, 100);
	now += 10 * MS;
	advert(150);
	advert(0);
	is_int(silence(), 60937, "case 41: master after exactly the skew");
	is_int(st.reason, STATE_BY_PRIO0, "case 41: by prio0");
	begin(2, 100);
	advert(150);
	first = now;
	while (st.role == STATE_BACKUP && now < first + 5 * SEC) {
		advert(0);
		run(now + 300 * MS);
	}
	is_int(st.since_us - first, 609375,
		"case 42: repeated goodbyes do not put it off");
	begin(3, 100);
	run(now + 350 * MS);
	advert(0);
	is_int(silence(), 10 * MS + 937, "case 43: a goodbye never lengthens");
	begin(3, 100);
	advert(0);
	advert(150);
	is_int(silence(), 300 * MS + 60937, "case 44: back to master-down");
}

static void test_master_hears(void)
{
	unsigned did;

	begin_master(3, 100);
	did = advert(200);
	is_int(st.role, STATE_BACKUP, "case 46: yields to a higher one");
	ok(did & STATE_DO_ADVERT, "case 46: one last advert");
	ok(did & STATE_DO_LINGER, "case 46: answers a while longer");
	ok(STATE_DO_ADVERT < STATE_DO_LINGER, "case 46: in this order");
	begin_master(3, 100);
	advert_from(100, cf.interval_us, OWN + 1);
	is_int(st.role, STATE_BACKUP, "case 47: equal, higher address");
	is_int(st.reason, STATE_BY_TIE, "case 47: by tie");
	begin_master(3, 100);
	did = advert_from(100, cf.interval_us, OWN - 1);
	is_int(st.role, STATE_MASTER, "case 48: equal, lower address");
	ok(did & STATE_DO_ADVERT && did & STATE_DO_REMIND,
		"case 48: advert and announcement");
	begin_master(3, 100);
	cf.family = 6;
	cf.self[0] = 0x7f;
	{
		struct state_event ev = {.kind = STATE_EV_ADVERT};

		ev.priority = 100;
		ev.interval_us = cf.interval_us;
		ev.at_us = now;
		ev.src[0] = 0x80;
		state_step(&st, &cf, &ev, now);
	}
	is_int(st.role, STATE_BACKUP, "case 49: addresses compare unsigned");
	begin_master(3, 100);
	now += 30 * MS;
	did = advert(50);
	is_int(st.role, STATE_MASTER, "case 50: lower: stays");
	ok(did & STATE_DO_ADVERT && did & STATE_DO_REMIND &&
			did & STATE_SAW_SPLIT,
		"case 50: advert at once, announcement, remark");
	is_int(state_deadline(&st), now + 100 * MS,
		"case 50: next one as usual");
	begin_master(3, 100);
	did = advert(0);
	ok(st.role == STATE_MASTER && did & STATE_DO_ADVERT,
		"case 51: goodbye of another: stays, advert at once");
	begin_master(3, 100);
	did = advert(255);
	ok(st.role == STATE_BACKUP && did & STATE_SAW_OWNER,
		"case 52: an owner is obeyed and remarked");
	begin_master(3, 100);
	did = advert_from(100, cf.interval_us, OWN);
	ok(st.role == STATE_MASTER && did == STATE_SAW_CLONE,
		"equal priority and address: a clone, no reaction");
}

static void test_owners(void)
{
	begin(3, 255);
	advert_from(255, cf.interval_us, OWN - 1);
	is_int(st.role, STATE_MASTER, "case 53: two owners, ours is higher");
	advert_from(255, cf.interval_us, OWN + 1);
	is_int(st.role, STATE_BACKUP, "case 53: two owners, ours is lower");
}

static void test_master_timer(void)
{
	int64_t start;
	int count = 0;

	begin_master(3, 100);
	start = now;
	while (state_deadline(&st) <= start + 10 * SEC) {
		now = state_deadline(&st) + 900; /* a bit late each time */
		if (send_event(STATE_EV_TIMER) & STATE_DO_ADVERT)
			count++;
	}
	is_int(count, 100, "case 54: 100 adverts in 10 s although always late");
	now += 20 * MS;
	cf.priority = 90;
	ok(send_event(STATE_EV_CONF) & STATE_DO_ADVERT,
		"case 54: advert at once after a priority change");
	now = state_deadline(&st) + 150 * MS;
	count = (int)send_event(STATE_EV_TIMER);
	ok(count & STATE_DO_ANNOUNCE && count & STATE_SAW_LATE,
		"case 73: late by more than an interval: announce again");
	now = state_deadline(&st) + 10 * MS;
	count = (int)send_event(STATE_EV_TIMER);
	is_int(count, STATE_DO_ADVERT,
		"case 73: a little late: just an advert");
}

static void test_late_backup(void)
{
	unsigned did;

	begin(3, 100);
	advert(150);
	now = state_deadline(&st) + 500 * MS;
	did = send_event(STATE_EV_TIMER);
	ok(st.role == STATE_BACKUP && did == STATE_SAW_GRACE,
		"a backup that slept waits one more interval");
	run(now + 100 * MS);
	is_int(st.role, STATE_MASTER, "but only once");
	begin(3, 100);
	advert(150);
	now = state_deadline(&st) + 500 * MS;
	{
		struct state_event ev = {.kind = STATE_EV_ADVERT};

		ev.priority = 150;
		ev.interval_us = cf.interval_us;
		ev.at_us = now - 20 * MS; /* waited in the socket */
		state_step(&st, &cf, &ev, now);
	}
	is_int(send_event(STATE_EV_TIMER), 0,
		"case 74: an advert waited in the socket: no promotion");
	is_int(state_deadline(&st), now - 20 * MS + 300 * MS + 60937,
		"case 74: the time of reception counts");
}

static void test_stop(void)
{
	unsigned did;

	begin_master(3, 100);
	did = send_event(STATE_EV_STOP);
	ok(did & STATE_DO_PRIO0 && did & STATE_DO_REMOVE,
		"case 58: goodbye, address off");
	ok(STATE_DO_PRIO0 < STATE_DO_REMOVE, "case 58: in this order");
	is_int(state_deadline(&st), STATE_NEVER,
		"case 58: nothing runs any more");
	begin(3, 100);
	did = send_event(STATE_EV_STOP);
	ok(!(did & STATE_DO_PRIO0), "a backup says no goodbye");
}

static void test_fault(void)
{
	unsigned did;

	begin_master(3, 100);
	did = fault(false);
	is_int(st.role, STATE_FAULT, "case 61: service failed: fault");
	ok(did & STATE_DO_PRIO0 && did & STATE_DO_HAND && did & STATE_DO_REMOVE,
		"case 61: goodbye, hand over, address off");
	advert(90);
	run(now + 300 * MS);
	is_int(st.role, STATE_FAULT, "a lower peer serves: stay away");
	is_int(silence(), 60937,
		"case 64: silence: the last man takes it back");
	is_int(state_priority(&st, &cf), 1, "case 64: with priority 1");
	is_int(fault(false), 0, "case 64: and is not put off by its fault");
	did = advert(50);
	ok(st.role == STATE_FAULT && did & STATE_DO_REMOVE,
		"anybody healthy takes it from the last man");
	run(now + 10 * SEC);
	did = send_event(STATE_EV_CLEAR);
	ok(st.role == STATE_MASTER && did == STATE_DO_ADVERT &&
			state_priority(&st, &cf) == 100,
		"the last man recovers: master with its own priority");
	fault(true);
	is_int(st.reason, STATE_BY_LINK, "case 67: link lost");
	run(now + 1000 * (int64_t)SEC);
	is_int(st.role, STATE_FAULT, "case 67: never comes back by itself");
	advert(0);
	is_int(state_deadline(&st), STATE_NEVER, "case 67: not by a goodbye");
	send_event(STATE_EV_CLEAR);
	is_int(st.role, STATE_BACKUP, "case 70: link back: backup first");
	is_int(silence(), 300 * MS + 60937, "case 70: for a whole master-down");
}

static void test_move(void)
{
	unsigned did;

	begin_master(3, 254);
	did = send_event(STATE_EV_MOVE);
	ok(did & STATE_DO_ADVERT && did & STATE_DO_HAND &&
			!(did & STATE_DO_REMOVE),
		"move: the peer is asked, nothing is removed");
	is_int(state_priority(&st, &cf), 1, "move: with priority 1");
	did = run(now + 100 * MS);
	ok(did & STATE_DO_HAND, "move: asked again with the next advert");
	did = advert(253);
	ok(st.role == STATE_BACKUP && did & STATE_DO_LINGER,
		"move: yields to the peer, lingers");
	is_int(st.reason, STATE_BY_HANDOVER, "move: by plan");
	is_int(st.advert, 1, "move: the last advert does not fight back");
	run(now + 50 * MS);
	advert(253);
	is_int(silence(), 300 * MS + 781,
		"move: does not preempt back (hold), but guards");
	is_int(st.hold, false, "move: the hold ends with the next role");
	send_event(STATE_EV_MOVE);
	did = run(now + 2 * SEC);
	ok(did & STATE_SAW_STAY && st.role == STATE_MASTER &&
			state_priority(&st, &cf) == 254,
		"move: nobody takes over: stays master, own priority");
	begin(3, 253);
	did = send_event(STATE_EV_TAKE);
	ok(st.role == STATE_MASTER && did & STATE_DO_ANNOUNCE,
		"take: a backup is master at once");
	begin(3, 253);
	did = send_event(STATE_EV_RESCUE);
	ok(st.role == STATE_MASTER && st.reason == STATE_BY_RESCUE &&
			did & STATE_DO_ADVERT && did & STATE_DO_ADD,
		"rescue: the same, by its own reason");
	begin(3, 253);
	fault(false);
	is_int(send_event(STATE_EV_TAKE), 0, "take: not when failed");
	begin(3, 1);
	is_int(send_event(STATE_EV_TAKE), 0, "take: not when drained");
	is_int(send_event(STATE_EV_RESCUE), 0, "rescue: not when drained");
	begin(3, 100);
	is_int(send_event(STATE_EV_MOVE), 0, "move: a backup has nothing");
}

static void test_silent(void)
{
	int64_t heard;

	begin(2, 100);
	heard = now;
	advert(150);
	now += 900 * MS;
	send_event(STATE_EV_SILENT);
	is_int(silence() + 900 * MS, SEC + 609375,
		"two silent paths: one missed advert is enough");
	is_int(st.since_us - heard, SEC + 609375, "counted from the last one");
	begin(2, 100);
	advert(150);
	now += 900 * MS;
	send_event(STATE_EV_SILENT);
	advert(150);
	is_int(silence(), 3 * SEC + 609375, "but an advert is life");
	begin(2, 100);
	advert(150);
	now += 3 * SEC;
	send_event(STATE_EV_SILENT);
	is_int(silence(), 0, "noticed late: at once, without grace");
	begin(3, 100);
	advert(150);
	send_event(STATE_EV_SILENT);
	is_int(silence(), 300 * MS + 60937, "fast adverts are not made faster");
	begin_master(2, 100);
	is_int(send_event(STATE_EV_SILENT), 0, "a master does not care");
}

/* The sync group hears its master, so silence here is no proof. */
static void test_group(void)
{
	struct state_event ev = {.kind = STATE_EV_FAULT, .group = true};

	begin(3, 100);
	advert(150);
	cf.wait = true;
	run(now + 10 * SEC);
	is_int(st.role, STATE_BACKUP, "group: waits for the others");
	ok(state_deadline(&st) <= now + 100 * MS, "group: but looks again");
	cf.wait = false;
	run(now + 100 * MS);
	is_int(st.role, STATE_MASTER, "group: an interval later at most");
	state_step(&st, &cf, &ev, now);
	is_int(st.reason, STATE_BY_GROUP, "group: fault of another one");
	cf.wait = true;
	run(now + 10 * SEC);
	is_int(st.role, STATE_MASTER, "group: the last man asks nobody");
}

static void test_drain(void)
{
	begin_master(3, 254);
	cf.priority = 1;
	cf.leaving = true;
	ok(send_event(STATE_EV_CONF) & STATE_DO_HAND, "drain: asks the peer");
	run(now + 30 * SEC);
	is_int(st.role, STATE_MASTER, "drain: alone it goes on serving");
	advert(100);
	is_int(st.role, STATE_BACKUP, "drain: yields to anybody");
	cf.priority = 254;
	cf.leaving = false;
	send_event(STATE_EV_CONF);
	now += 10 * MS;
	advert(100);
	ok(silence() < 300 * MS, "undrain: preempts again");
}

static void test_conf_change(void)
{
	begin(3, 100);
	advert(150);
	now += 100 * MS;
	cf.priority = 254;
	send_event(STATE_EV_CONF);
	is_int(silence(), 200 * MS + 781,
		"case 79: a new priority changes the skew of the running "
		"timer");
	begin_master(3, 100);
	cf.interval_us = SEC;
	send_event(STATE_EV_CONF);
	is_int(state_deadline(&st), now + SEC,
		"case 79: new interval in force");
	is_int(st.role, STATE_MASTER, "case 79: no transition");
	ok(send_event(STATE_EV_REASSERT) & STATE_DO_ANNOUNCE,
		"reassert: announces");
}

int main(void)
{
	test_start();
	test_resume();
	test_silence();
	test_backup_hears();
	test_preempt_delay();
	test_goodbye();
	test_master_hears();
	test_owners();
	test_master_timer();
	test_late_backup();
	test_stop();
	test_fault();
	test_move();
	test_silent();
	test_group();
	test_drain();
	test_conf_change();
	return tap_done();
}
