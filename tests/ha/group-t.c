/* SPDX-License-Identifier: ISC */

/*
 * Virtual routers beside each other under a virtual clock, without a link:
 * sync groups, and what two paths to a peer tell. System calls fail here,
 * which is of no interest.
 */

#include "ha/fence.h"
#include "ha/instance_impl.h"

#include <unistd.h>

#include "common/base/clock.h"
#include "tests/tap/tap.h"

enum {
	MS = 1000,
	SEC = 1000000,
	INTERVAL = 100 * MS,
	DOWN = 3 * INTERVAL + 156 * INTERVAL / 256,
	COUNT = 3 /* two of a group, and one of none */
};

static int64_t now;
static struct instance *all[COUNT];
static int told[INSTANCE_EVENTS];
static int64_t told_value;

static void on_emit(void *arg, const struct instance_event *ev)
{
	(void)arg;
	told[ev->kind]++;
	if (ev->kind == INSTANCE_ASYMMETRIC)
		told_value = ev->value;
}

static bool nobody(void *arg, int index, uint8_t family, uint8_t vrid)
{
	(void)arg;
	(void)index;
	(void)family;
	(void)vrid;
	return false;
}

static struct instance *const *everybody(void *arg, size_t *count)
{
	(void)arg;
	*count = COUNT;
	return all;
}

static struct poll no_poll = {.epfd = -1};
static struct handover no_handover = {.fd4 = -1, .fd6 = -1};
static const struct config no_config;
static struct announce_links announced;
static struct instance_env env = {
	.announced = &announced,
	.poll = &no_poll,
	.handover = &no_handover,
	.config = &no_config,
	.packet_fd = -1,
	.emit = on_emit,
	.known = nobody,
	.everybody = everybody,
};

/* As the real-time thread does: whoever is due, until nobody is. */
static void settle(void)
{
	for (int round = 0; round < 10; round++) {
		bool due = false;

		for (int i = 0; i < COUNT; i++)
			instance_tick(all[i], TRACK_SERVICE_OK, now);
		for (int i = 0; i < COUNT; i++)
			due |= instance_deadline(all[i]) <= now;
		if (!due)
			return;
	}
	tap_bail("the instances do not come to rest");
}

static void run(int64_t us)
{
	for (int64_t end = now + us; now < end;) {
		now += 5 * MS;
		settle();
	}
}

static void hear(struct instance *in, uint8_t priority)
{
	struct state_event ev = {.kind = STATE_EV_ADVERT,
		.priority = priority,
		.interval_us = INTERVAL,
		.at_us = now,
		.src = {10, 98, 0, 12}};

	in->advert_us = now;
	in_step(in, &ev, now);
}

/* Adverts of a master every interval, for as long as that. */
static void hear_for(struct instance *in, uint8_t priority, int64_t us)
{
	for (int64_t end = now + us; now < end;) {
		hear(in, priority);
		run(INTERVAL);
	}
}

static void begin(void)
{
	struct err err = {.text = ""};

	if (!env.iface)
		env.iface = iface_new(&err);
	if (env.iface && !env.kernel)
		env.kernel = kernel_new(env.iface, &err);
	if (env.kernel && !env.opener)
		env.opener = opener_new(&err);
	if (!env.opener)
		tap_bail("%s", err.text);
	now = 1000 * (int64_t)SEC;
	for (int i = 0; i < COUNT; i++) {
		struct config_instance conf = {.vrid = (uint8_t)(51 + i),
			.version = 3,
			.family = 4,
			.priority = 100,
			.preempt = true,
			.interval_us = INTERVAL,
			.wire_count = 1,
			.vip_count = 1,
			.handover_count = 1};

		snprintf(conf.name, sizeof(conf.name), "VI%d", i);
		snprintf(conf.group, sizeof(conf.group), "%s",
			i < 2 ? "dns" : "");
		if (addr_parse("10.98.0.12", 7112, &conf.handover[0]) < 0)
			tap_bail("bad address");
		instance_free(all[i]);
		all[i] = instance_new(&conf, &env, NULL);
		if (!all[i])
			tap_bail("no memory");
		all[i]->link_up = all[i]->has_source = true;
		all[i]->scanned = true;
	}
	settle();
	memset(told, 0, sizeof(told));
}

static void begin_masters(void)
{
	begin();
	run(SEC);
	for (int i = 0; i < COUNT; i++)
		if (all[i]->st.role != STATE_MASTER)
			tap_bail("no master after silence");
	memset(told, 0, sizeof(told));
}

static bool roles(enum state_role a, enum state_role b, enum state_role c)
{
	return all[0]->st.role == a && all[1]->st.role == b &&
	       all[2]->st.role == c;
}

static void test_fault(int first, int other)
{
	begin_masters();
	all[first]->link_up = false;
	settle();
	ok(roles(STATE_FAULT, STATE_FAULT, STATE_MASTER),
		"case 78: one member FAULT, all FAULT, others not");
	is_int(all[first]->st.reason, STATE_BY_LINK, "case 78: by its link");
	is_int(all[other]->st.reason, STATE_BY_GROUP, "case 78: by the group");
	is_int(all[other]->health.fault, TRACK_FAULT_GROUP,
		"case 78: and shown as that");
	hear_for(all[0], 90, 5 * SEC);
	ok(all[first]->st.role == STATE_FAULT,
		"case 78: the fault itself lasts");
	begin_masters();
	all[first]->link_up = false;
	for (int i = 0; i < 30; i++) {
		hear(all[0], 90);
		hear(all[1], 90);
		run(INTERVAL);
	}
	ok(roles(STATE_FAULT, STATE_FAULT, STATE_MASTER),
		"case 78: not back while one has a fault");
	all[first]->link_up = true;
	settle();
	ok(roles(STATE_BACKUP, STATE_BACKUP, STATE_MASTER),
		"case 78: back when all are fine");
	run(DOWN + 2 * INTERVAL);
	ok(roles(STATE_MASTER, STATE_MASTER, STATE_MASTER),
		"case 78: and master again");
}

/* Nobody serves it: better from here than from nowhere. */
static void test_last_man(void)
{
	begin_masters();
	all[0]->link_up = false;
	settle();
	run(2 * SEC);
	ok(roles(STATE_FAULT, STATE_MASTER, STATE_MASTER),
		"the last man serves what the group cannot");
	is_int(state_priority(&all[1]->st, &all[1]->sc), 1,
		"for anybody else to take it");
}

static void test_wait(void)
{
	begin();
	hear(all[0], 150);
	hear(all[1], 150);
	hear_for(all[1], 150, 2 * SEC);
	ok(roles(STATE_BACKUP, STATE_BACKUP, STATE_MASTER),
		"silence in one only: the group does not take over");
	is_int(told[INSTANCE_WAITS], 1, "which is told once");
	ok(all[0]->counters.group_waits > 5, "and counted");
	run(DOWN + INTERVAL);
	ok(roles(STATE_MASTER, STATE_MASTER, STATE_MASTER),
		"silence in all: it does");
	begin();
	hear(all[0], 150);
	run(60 * MS);
	hear(all[1], 150);
	run(DOWN - 60 * MS);
	is_int(all[0]->st.role, STATE_MASTER,
		"adverts that were out of step delay nothing");
	begin();
	hear(all[1], 150);
	hear(all[0], 0);
	run(65 * MS);
	is_int(all[0]->st.role, STATE_MASTER,
		"a goodbye needs no consent of the others");
}

static void test_pull(void)
{
	begin_masters();
	hear(all[0], 150);
	run(50 * MS);
	ok(roles(STATE_BACKUP, STATE_MASTER, STATE_MASTER) &&
			!all[1]->st.move_us,
		"one is led away: the other hears of it soon, it seems");
	hear(all[0], 150);
	run(100 * MS);
	hear(all[0], 150);
	run(200 * MS);
	ok(all[1]->st.role == STATE_MASTER && all[1]->st.move_us,
		"it does not: it begins a planned move");
	is_int(all[2]->st.move_us, 0, "others do not");
	is_int(state_priority(&all[1]->st, &all[1]->sc), 1, "with priority 1");
	hear(all[1], 90);
	ok(roles(STATE_BACKUP, STATE_BACKUP, STATE_MASTER),
		"and follows to whoever takes it");
	begin_masters();
	hear(all[0], 150);
	run(20 * MS);
	hear(all[1], 150);
	is_int(all[1]->st.reason, STATE_BY_HIGHER,
		"it hears the new master itself: no move");
	hear(all[0], 150);
	run(250 * MS);
	hear(all[0], 150);
	hear(all[1], 150);
	run(250 * MS);
	ok(roles(STATE_BACKUP, STATE_BACKUP, STATE_MASTER) && !all[1]->st.hold,
		"and it may come back like the other one");
}

static void test_gateway(void)
{
	begin_masters();
	all[0]->group.gateway_lost = false;
	all[0]->gateway_lost = true;
	all[0]->neighbour.has_gateway = true;
	all[0]->neighbour.judge.failed = true;
	settle();
	ok(all[0]->sc.priority == 1 && all[1]->sc.priority == 1,
		"a lost gateway lowers all of the group alike");
	is_int(all[2]->sc.priority, 100, "and no others");
}

/* --- a master that advertises and answers no DNS ----------------------- */

/* A master is heard by the first two, and the first one's question to it
 * fails, as the second one's would. */
static void silence(void)
{
	for (int i = 0; i < 2; i++) {
		all[i]->conf.rescue = all[i]->conf.track_frontend = true;
		hear(all[i], 150);
	}
	settle();
	all[0]->rescue_probe.judge.failed = true;
	settle();
}

static void test_rescue(void)
{
	struct config_instance same;

	begin();
	silence();
	ok(roles(STATE_MASTER, STATE_MASTER, STATE_BACKUP),
		"rescue: a silent master is relieved of the whole group");
	ok(all[0]->st.reason == STATE_BY_RESCUE &&
			all[1]->st.reason == STATE_BY_RESCUE,
		"rescue: by that reason");
	ok(all[0]->sc.priority == 254 && all[1]->sc.priority == 254 &&
			all[2]->sc.priority == 100,
		"rescue: with priority 254, others as ever");
	ok(told[INSTANCE_RESCUE] == 1 && all[0]->counters.rescues == 1 &&
			all[1]->counters.rescues == 0,
		"rescue: told and counted once");
	hear(all[0], 150);
	hear(all[1], 150);
	settle();
	ok(roles(STATE_MASTER, STATE_MASTER, STATE_BACKUP),
		"rescue: and kept against what it says");
	all[0]->rescue_probe.judge.failed = false;
	all[0]->rescue_probe.proven = true;
	run(2 * SEC);
	is_int(all[0]->sc.priority, 254, "rescue: it answers: not at once");
	same = all[0]->conf;
	instance_reconf(all[0], &same, now);
	run(SEC + 10 * MS);
	ok(all[0]->sc.priority == 100 && all[1]->sc.priority == 100,
		"rescue: after 3 s all have their own priority");
	is_int(told[INSTANCE_RESCUE], 2, "rescue: which is told");
	hear(all[0], 150);
	hear(all[1], 150);
	ok(roles(STATE_BACKUP, STATE_BACKUP, STATE_MASTER),
		"rescue: and it leads again");
}

static void test_no_rescue(void)
{
	begin();
	all[0]->drain = true;
	silence();
	is_int(all[0]->st.role, STATE_BACKUP, "rescue: not by a drained node");
	begin();
	all[1]->link_up = false;
	silence();
	is_int(all[0]->st.role, STATE_FAULT,
		"rescue: not while the group has a fault");
	begin();
	all[1]->neighbour.has_gateway = true;
	all[1]->neighbour.judge.failed = true;
	silence();
	ok(all[0]->st.role == STATE_BACKUP && !told[INSTANCE_RESCUE],
		"rescue: nor when another member's gateway is lost, since its "
		"priority would be beaten");
	begin();
	hear(all[1], 254);
	all[0]->conf.rescue = all[0]->conf.track_frontend = true;
	hear(all[0], 150);
	settle();
	all[0]->rescue_probe.judge.failed = true;
	settle();
	ok(all[0]->st.role == STATE_BACKUP && all[0]->rescue.alarm,
		"rescue: not from a master that another member cannot beat");
	begin();
	silence();
	all[1]->link_up = false;
	settle();
	ok(all[0]->st.role == STATE_FAULT && !all[0]->rescue.leads,
		"rescue: a fault ends it");
	begin();
	silence();
	all[0]->conf.rescue = false;
	settle();
	ok(all[0]->sc.priority == 100 && all[0]->st.role == STATE_MASTER,
		"rescue: not wanted any more: the usual priority");
	begin();
	hear(all[0], 150);
	run(250 * MS);
	all[0]->conf.rescue = all[0]->conf.track_frontend = true;
	settle();
	all[0]->rescue_probe.silent_us = now;
	all[0]->rescue_probe.judge.failed = true;
	settle();
	is_int(all[0]->st.role, STATE_BACKUP,
		"rescue: not when adverts ceased as well");
}

/* The first one is made again with what was kept `age_us` ago, as master who
 * stood in for 10.98.0.12. */
static void restart(int64_t age_us)
{
	static const uint8_t master[STATE_ADDR_MAX] = {10, 98, 0, 12};
	struct config_instance conf = all[0]->conf;
	struct err err = {.text = ""};
	struct keep_entry *e;
	struct keep *keep;
	char path[64];

	snprintf(path, sizeof(path), "/tmp/ispdns-group-t.%d", (int)getpid());
	keep = keep_open(path, &err);
	if (!keep)
		tap_bail("%s", err.text);
	unlink(path);
	conf.rescue = true;
	e = keep_find(keep, &conf);
	e->role = STATE_MASTER;
	e->advert_us = mtime_now().us - age_us;
	keep_set_rescue(keep_rescue(keep, e), master);
	keep_set_trust(keep_rescue(keep, e), master);
	env.keep = keep;
	instance_free(all[0]);
	all[0] = instance_new(&conf, &env, e);
	if (!all[0])
		tap_bail("no memory");
}

static void end_restart(void)
{
	keep_close(env.keep);
	env.keep = NULL;
	all[0]->keep = NULL;
	all[0]->keep_rescue = NULL;
}

static void test_rescue_restart(void)
{
	uint8_t kept[STATE_ADDR_MAX];

	begin();
	restart(0);
	ok(all[0]->resume && all[0]->rescue.leads,
		"rescue: goes on with the role after a restart");
	end_restart();
	begin();
	restart(60 * (int64_t)SEC);
	ok(!all[0]->resume && !all[0]->rescue.leads,
		"rescue: not without the role");
	ok(!keep_get_rescue(all[0]->keep_rescue, kept),
		"rescue: nor with a role that comes later");
	all[0]->link_up = all[0]->has_source = all[0]->scanned = true;
	all[0]->conf.track_frontend = true;
	settle();
	hear(all[0], 150);
	settle();
	ok(rescue_trusts(&all[0]->rescue),
		"rescue: but whose silence counts is known");
	end_restart();
}

/* --- a service address that somebody else put there -------------------- */

static void scan(struct instance *in, int tag)
{
	struct iface_link link = {.index = 7, .name = "", .up = true};
	struct iface_addr own = {.index = 7,
		.family = 4,
		.usable = true,
		.octets = {10, 98, 0, 11}};
	struct iface_addr vip = {.index = 7, .family = 4, .usable = true};

	instance_scan_begin(in);
	instance_scan_link(in, &link);
	instance_scan_addr(in, &own);
	vip.tag = (uint8_t)tag;
	memcpy(vip.octets, in->conf.vips[0].octets, sizeof(vip.octets));
	if (tag >= 0)
		instance_scan_addr(in, &vip);
	instance_scan_end(in, in->vip.ticket, now);
}

static void test_foreign(void)
{
	struct instance *in;

	begin();
	in = all[2];
	in->conf.vips[0].octets[0] = 10;
	scan(in, IFACE_TAG);
	ok(!in->foreign && !told[INSTANCE_FOREIGN],
		"case 57: one of ours: nothing to tell");
	scan(in, 0);
	scan(in, 0);
	ok(in->foreign && told[INSTANCE_FOREIGN] == 1,
		"case 57: one that is not: told once");
	in->vip.place = VIP_ON;
	scan(in, 0);
	ok(in->foreign, "case 57: it stays one when we lead");
	scan(in, -1);
	in->vip.place = VIP_OFF;
	ok(!in->foreign && told[INSTANCE_FOREIGN] == 2, "case 57: gone: told");
	in->vip.place = VIP_ON;
	scan(in, 0);
	ok(!in->foreign,
		"case 57: what we put there ourselves is not: no tags here");
}

/* --- asymmetric -------------------------------------------------------- */

static uint32_t seq;
static enum track_gateway peers_gateway;

static void hello(struct instance *in, enum state_role role)
{
	struct handover_msg msg = {.kind = HANDOVER_HELLO,
		.role = (uint8_t)role,
		.priority = 150,
		.base = 150,
		.fit = true,
		.gateway = (uint8_t)peers_gateway,
		.boot = 1,
		.seq = ++seq};

	instance_peer_said(in, &msg, &in->conf.handover[0], now);
}

static void hello_for(struct instance *in, enum state_role role, int64_t us)
{
	for (int64_t end = now + us; now < end;) {
		hello(in, role);
		run(INTERVAL);
	}
}

static void test_asymmetric(void)
{
	struct instance *in;

	begin();
	in = all[2];
	for (int i = 0; i < 20; i++) {
		hear(in, 150);
		hello_for(in, STATE_MASTER, INTERVAL);
	}
	ok(!in->asymmetric && told[INSTANCE_ASYMMETRIC] == 0,
		"case 72: adverts and hellos: nothing to tell");
	hello_for(in, STATE_MASTER, 3 * SEC);
	ok(in->asymmetric == STATE_MASTER && told[INSTANCE_ASYMMETRIC] == 1,
		"case 72: a master by its hellos only: told once");
	is_int(in->st.role, STATE_MASTER, "case 72: taken over nevertheless");
	is_int((long long)in->counters.transitions, 2,
		"case 72: once, without flapping");
	hear(in, 150);
	settle();
	ok(!in->asymmetric && told[INSTANCE_ASYMMETRIC] == 2 && !told_value,
		"case 72: an advert ends it");
	begin();
	hear(in = all[2], 150);
	hello(in, STATE_MASTER);
	run(3 * SEC);
	ok(told[INSTANCE_ASYMMETRIC] == 0 && in->st.role == STATE_MASTER,
		"case 72: a peer that died is not asymmetric");
	hello_for(in, STATE_BACKUP, SEC);
	ok(!in->asymmetric, "case 72: nor is one that is backup");
}

static void set_gateway(struct instance *in, enum track_gateway gateway)
{
	in->neighbour.has_gateway = gateway != TRACK_GATEWAY_UNKNOWN;
	in->neighbour.proven = true;
	in->neighbour.judge.failed = gateway == TRACK_GATEWAY_LOST;
}

/* Both paths for a second, then hellos only: who leads after three more? */
static enum state_role second_path(
	enum track_gateway own, enum track_gateway peer)
{
	struct instance *in;

	begin();
	in = all[2];
	set_gateway(in, own);
	peers_gateway = TRACK_GATEWAY_GOOD;
	for (int i = 0; i < 10; i++) {
		hear(in, 150);
		hello_for(in, STATE_MASTER, INTERVAL);
	}
	peers_gateway = peer;
	hello_for(in, STATE_MASTER, 3 * SEC);
	return in->st.role;
}

static void test_second_path(void)
{
	enum track_gateway no = TRACK_GATEWAY_UNKNOWN;
	enum track_gateway good = TRACK_GATEWAY_GOOD;
	enum track_gateway lost = TRACK_GATEWAY_LOST;
	struct instance *in;
	int64_t t;

	is_int(second_path(good, good), STATE_BACKUP,
		"second path: both have their gateway: no second master");
	in = all[2];
	ok(told[INSTANCE_WAITS] == 1 && in->counters.path_waits > 5 &&
			in->counters.group_waits == 0,
		"second path: told once, counted");
	is_int(in->asymmetric, STATE_BACKUP, "second path: asymmetric");
	t = now;
	run(DOWN);
	ok(in->st.role == STATE_MASTER && in->st.since_us - t < 2 * DOWN,
		"second path: hellos end as well: master");
	is_int(second_path(good, lost), STATE_MASTER,
		"second path: only ours is good: master");
	is_int(second_path(lost, good), STATE_BACKUP,
		"second path: only the master's is good: it stays one");
	is_int(second_path(lost, lost), STATE_BACKUP,
		"second path: both lost: nothing is won by a change");
	is_int(second_path(good, no), STATE_MASTER,
		"second path: the master's is not known: better two than none");
	is_int(second_path(no, good), STATE_MASTER, "second path: nor is ours");
	begin();
	in = all[2];
	set_gateway(in, good);
	peers_gateway = good;
	hear(in, 150);
	hello(in, STATE_MASTER);
	run(90 * MS);
	hello(in, STATE_MASTER);
	t = in->advert_us;
	run(DOWN - 85 * MS);
	ok(in->st.role == STATE_MASTER && in->st.since_us - t <= DOWN + 5 * MS,
		"second path: a node that dies is not waited for");
	begin();
	in = all[2];
	set_gateway(in, good);
	for (int i = 0; i < 30; i++) {
		hear(in, 50);
		hello_for(in, STATE_MASTER, INTERVAL);
	}
	is_int(in->st.role, STATE_MASTER,
		"second path: a lower master that is heard is preempted");
	begin();
	in = all[0];
	set_gateway(in, good);
	hear(all[0], 150);
	hear(all[1], 150);
	hello_for(in, STATE_MASTER, 3 * SEC);
	ok(roles(STATE_BACKUP, STATE_BACKUP, STATE_MASTER),
		"second path: the sync group waits with its member");
	peers_gateway = no;
}

/* Only the one that wins acts, or two would switch each other off. */
static void test_fence(void)
{
	struct instance_event ev = {.kind = INSTANCE_ASYMMETRIC,
		.to = STATE_MASTER,
		.from = 254,
		.priority = 253,
		.value = 1};

	ok(fence_reason(&ev), "fence: a master that is higher");
	ev.priority = 254;
	ok(!fence_reason(&ev), "fence: not when nobody is");
	ev.priority = 100;
	ev.to = STATE_BACKUP;
	ok(!fence_reason(&ev), "fence: not a backup");
	ev.to = STATE_MASTER;
	ev.value = 0;
	ok(!fence_reason(&ev), "fence: not when it is over");
	ev.kind = INSTANCE_SPLIT;
	ok(fence_reason(&ev), "fence: a lower one was heard");
	ev.kind = INSTANCE_ROLE;
	ok(!fence_reason(&ev), "fence: nothing else");
}

int main(void)
{
	test_fault(0, 1);
	test_fault(1, 0);
	test_last_man();
	test_wait();
	test_pull();
	test_gateway();
	test_rescue();
	test_no_rescue();
	test_rescue_restart();
	test_foreign();
	test_asymmetric();
	test_second_path();
	test_fence();
	for (int i = 0; i < COUNT; i++)
		instance_free(all[i]);
	iface_free(env.iface);
	return tap_done();
}
