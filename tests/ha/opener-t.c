/* SPDX-License-Identifier: ISC */

/*
 * Sockets that a thread of their own opens and closes, in a network namespace
 * of this test: results, room, and that no descriptor gets lost, whatever a
 * router wants meanwhile.
 */
#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "ha/instance_impl.h"

#include "tests/tap/tap.h"

enum {
	LO = 1,
	NO_LINK = 9999,
	OWNER = 7,
	ROUNDS = 10000,
	CHANGES = 10000,
	SLOW_EVERY = 200, /* to close a packet socket takes 10 ms and more */
	LIMIT_US = 20 * 1000 * 1000,
	LIMIT_MS = LIMIT_US / 1000
};

static struct opener *o;
static struct err err;

static int open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	if (!d)
		tap_bail("no /proc");
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static struct opener_want want_of(uint8_t family, bool unicast, uint32_t round)
{
	return (struct opener_want){.owner = OWNER,
		.round = round,
		.family = family,
		.unicast = unicast,
		.index = LO,
		.ifname = "lo"};
}

static void ask(uint8_t family, bool unicast, uint32_t round)
{
	struct opener_want want = want_of(family, unicast, round);

	if (opener_ask(o, &want) < 0)
		tap_bail("no room");
}

static void wait_bell(void)
{
	struct pollfd p = {.fd = opener_fd(o), .events = POLLIN};

	if (poll(&p, 1, LIMIT_MS) <= 0)
		tap_bail("nothing comes");
	opener_drain(o);
}

static struct opener_got next(void)
{
	struct opener_got got;

	while (!opener_next(o, &got))
		wait_bell();
	return got;
}

static void wait_all(void)
{
	if (!opener_wait(o, LIMIT_US))
		tap_bail("it is not done");
}

static bool is_member(void)
{
	char line[256];
	bool found = false;
	FILE *f = fopen("/proc/self/net/igmp", "r");

	while (f && fgets(line, sizeof(line), f))
		found |= strstr(line, "120000E0") != NULL;
	if (f)
		fclose(f);
	return found;
}

static void test_inline(void)
{
	int before = open_fds();
	struct opener_got got;

	ask(4, false, 1);
	ok(opener_next(o, &got), "before the start it is done at once");
	ok(got.rc == 0 && got.arp_rc == 0 && got.set.sock.rx >= 0 &&
			got.set.sock.tx >= 0 && got.set.arp >= 0,
		"three sockets");
	is_int(open_fds(), before + 3, "no more than these");
	ok(is_member(), "in the group");
	opener_close(o, &got.set);
	is_int(open_fds(), before, "closed at once too");
	ok(!is_member(), "and out of the group");
}

static void test_results(void)
{
	int before = open_fds();
	struct opener_got got;
	struct opener_want want = want_of(4, false, 5);

	ask(6, false, 3);
	ask(4, true, 4);
	got = next();
	ok(got.owner == OWNER && got.round == 3 && got.rc == 0 &&
			got.set.arp < 0,
		"IPv6: two sockets, and for whom");
	opener_close(o, &got.set);
	got = next();
	ok(got.round == 4 && got.rc == 0 && got.set.arp >= 0,
		"IPv4: three, in the order of the requests");
	ok(!is_member(), "unicast: in no group");
	opener_close(o, &got.set);
	want.index = NO_LINK;
	is_int(opener_ask(o, &want), 0, "a link that is not there");
	is_int(next().rc, -ENODEV, "is told");
	wait_all();
	is_int(open_fds(), before, "nothing stays open");
}

static void test_room(void)
{
	static struct opener_got all[OPENER_SETS];
	int before = open_fds();
	struct opener_want want = want_of(6, true, 1);

	for (int i = 0; i < OPENER_SETS; i++)
		ask(6, true, (uint32_t)i);
	is_int(opener_ask(o, &want), -EAGAIN, "%d at once", OPENER_SETS);
	for (int i = 0; i < OPENER_SETS; i++)
		all[i] = next();
	is_int(all[OPENER_SETS - 1].round, OPENER_SETS - 1,
		"what nobody read is still there");
	is_int(opener_ask(o, &want), -EAGAIN, "read is not closed");
	for (int i = 0; i < OPENER_SETS; i++)
		opener_close(o, &all[i].set);
	wait_all();
	is_int(open_fds(), before, "all are closed");
	want.index = NO_LINK;
	memcpy(want.ifname, "none", 5);
	for (int i = 0; i < OPENER_SETS; i++)
		if (opener_ask(o, &want) < 0)
			tap_bail("no room after all were closed");
	wait_all();
	is_int(opener_ask(o, &want), -EAGAIN, "failures count until told");
	for (int i = 0; i < OPENER_SETS; i++)
		if (next().rc == 0)
			tap_bail("it opened");
	ask(6, true, 1);
	all[0] = next();
	opener_close(o, &all[0].set);
	wait_all();
	is_int(open_fds(), before, "then there is room again");
}

static int close_told(void)
{
	struct opener_got got;
	int n = 0;

	for (; opener_next(o, &got); n++)
		if (got.rc == 0)
			opener_close(o, &got.set);
	return n;
}

static void test_rounds(void)
{
	int before = open_fds(), told = 0;

	for (int i = 0; i < ROUNDS; i++) {
		struct opener_want want = want_of(
			i % SLOW_EVERY ? 6 : 4, i % 3 == 0, (uint32_t)i);

		want.index = i % 7 ? LO : NO_LINK;
		while (opener_ask(o, &want) < 0) {
			int n = close_told();

			told += n;
			if (n == 0)
				wait_bell();
		}
	}
	wait_all();
	told += close_told();
	wait_all();
	is_int(told, ROUNDS, "%d rounds, each is told", ROUNDS);
	is_int(open_fds(), before, "nothing stays open");
}

/* --- a router, whose link comes and goes -------------------------------- */

static struct poll loop = {.epfd = -1};
static struct handover no_handover = {.fd4 = -1, .fd6 = -1};
static const struct config no_config;
static struct announce_links announced;
static int troubles;

static void on_emit(void *arg, const struct instance_event *ev)
{
	(void)arg;
	troubles += ev->kind == INSTANCE_TROUBLE;
}

static struct instance *const *nobody(void *arg, size_t *count)
{
	(void)arg;
	*count = 0;
	return NULL;
}

static struct instance_env env = {
	.announced = &announced,
	.poll = &loop,
	.handover = &no_handover,
	.config = &no_config,
	.packet_fd = -1,
	.emit = on_emit,
	.everybody = nobody,
};

static void scan(struct instance *in, int index, uint8_t mac)
{
	struct iface_link link = {
		.index = index, .name = "lo", .up = true, .mac = {2, mac}};
	struct iface_addr source = {.index = index,
		.family = in->conf.family,
		.usable = true,
		.octets = {0xfe, 0x80, 1}};

	instance_scan_begin(in);
	if (index)
		instance_scan_link(in, &link);
	instance_scan_addr(in, &source);
	instance_scan_end(in, in->vip.ticket, mtime_now().us);
}

static void tick(struct instance *in)
{
	instance_tick(in, TRACK_SERVICE_OK, mtime_now().us);
}

static struct config_instance conf_of(uint8_t family, int peers)
{
	struct config_instance conf = {.vrid = 51,
		.version = 3,
		.family = family,
		.priority = 100,
		.interval_us = 1000 * 1000,
		.wire_count = 1,
		.vip_count = 1,
		.peer_count = (uint8_t)peers};

	memcpy(conf.ifname, "lo", 3);
	memcpy(conf.name, "VI", 3);
	return conf;
}

static bool hear(struct instance *in)
{
	struct opener_got got;
	bool any = false;

	while (opener_next(o, &got)) {
		instance_opened(in, &got, mtime_now().us);
		any = true;
	}
	return any;
}

static void hear_one(struct instance *in)
{
	while (!hear(in))
		wait_bell();
}

/* What is wanted is there, and nothing is under way. */
static bool is_settled(const struct instance *in)
{
	return in->sock.rx >= 0 && in->sockets.have == in->sockets.want &&
	       !in->sockets.asking && !in_is_deaf(in);
}

static void settle(struct instance *in)
{
	while (in->sockets.asking)
		hear_one(in);
}

static struct instance *make(uint8_t family)
{
	struct config_instance conf = conf_of(family, 0);
	struct instance *in = instance_new(&conf, &env, NULL);

	if (!in)
		tap_bail("no memory");
	return in;
}

static void test_router(void)
{
	int before = open_fds(), rx;
	struct instance *in = make(4);
	struct config_instance unicast = conf_of(4, 1);

	scan(in, LO, 1);
	tick(in);
	ok(in->sock.rx < 0 && in_is_deaf(in) && !in->started,
		"router: deaf, and does not begin");
	hear_one(in);
	tick(in);
	is_int(in->st.role, STATE_BACKUP, "router: begins");
	ok(is_settled(in) && in->arp == in->neighbour.item.fd && in->arp >= 0,
		"router: has its sockets");
	rx = in->sock.rx;
	instance_reconf(in, &unicast, mtime_now().us);
	in_open(in, false);
	ok(in->sock.rx == rx && in->sockets.asking,
		"router: unicast: the old ones serve meanwhile");
	hear_one(in);
	ok(is_settled(in) && in->rx.fd == in->sock.rx && in->sock.rx != rx,
		"router: until the new ones come");
	wait_all();
	is_int(open_fds(), before + 3, "router: and are closed then");
	scan(in, LO, 2);
	scan(in, 0, 0);
	ok(in->sock.rx < 0 && in->sockets.asking,
		"router: the link goes while sockets come");
	hear_one(in);
	wait_all();
	ok(in->sock.rx < 0 && !in->sockets.asking && open_fds() == before,
		"router: they are closed");
	scan(in, LO, 1);
	scan(in, LO, 2);
	tick(in);
	is_int(in->st.role, STATE_FAULT, "router: deaf: not fit");
	hear_one(in);
	ok(in->sock.rx < 0 && in->sockets.asking,
		"router: too late for another change: asked for again");
	hear_one(in);
	ok(is_settled(in), "router: and taken");
	tick(in);
	is_int(in->st.role, STATE_BACKUP, "router: fit again");
	instance_close(in, mtime_now().us);
	instance_free(in);
	wait_all();
	is_int(open_fds(), before, "router: gone with all of them");
}

static void test_refused(void)
{
	int before = open_fds();
	struct instance *in = make(6);

	troubles = 0;
	scan(in, NO_LINK, 1);
	hear_one(in);
	ok(troubles == 1 && !in->sockets.asking && !in_is_deaf(in),
		"router: what is not to be had is told once");
	in_open(in, false);
	ok(!in->sockets.asking, "router: and not asked for at once");
	scan(in, NO_LINK, 1);
	ok(in->sockets.asking, "router: but after the next look");
	hear_one(in);
	scan(in, LO, 1);
	settle(in);
	ok(is_settled(in), "router: the link is there after all");
	instance_close(in, mtime_now().us);
	instance_free(in);
	wait_all();
	is_int(open_fds(), before, "router: all are closed");
}

static void change(struct instance *in, int i)
{
	struct config_instance conf = conf_of(6, i / 4 % 2);

	switch (i % 5) {
	case 0:
		scan(in, 0, 0);
		break;
	case 1:
	case 3:
		scan(in, LO, (uint8_t)i);
		break;
	default:
		instance_reconf(in, &conf, mtime_now().us);
		in_open(in, false);
	}
}

static void test_changes(void)
{
	int before = open_fds();
	struct instance *in = make(6);

	for (int i = 0; i < CHANGES; i++) {
		change(in, i);
		hear(in);
		if (i % 100 == 0)
			settle(in);
	}
	scan(in, LO, 1);
	settle(in);
	ok(is_settled(in), "router: %d changes, and it has the right ones",
		CHANGES);
	wait_all();
	is_int(open_fds(), before + 2, "router: and no others");
	instance_close(in, mtime_now().us);
	instance_free(in);
	wait_all();
	is_int(open_fds(), before, "router: all are closed");
}

/* Another VRID on the same link: the sockets go on. */
static void test_inherit(void)
{
	int before = open_fds(), rx;
	struct instance *old = make(6), *in = make(6);

	scan(old, LO, 1);
	settle(old);
	rx = old->sock.rx;
	old->st.role = STATE_MASTER;
	old->vip.place = VIP_ON;
	in->conf.vrid = 52;
	instance_inherit(in, old, mtime_now().us);
	instance_close(old, mtime_now().us);
	instance_free(old);
	ok(in->sock.rx == rx && in->rx.fd == rx && in->resume,
		"another VRID: goes on by the sockets of the old one");
	settle(in);
	ok(is_settled(in) && in->sock.rx != rx, "until it has its own");
	instance_close(in, mtime_now().us);
	instance_free(in);
	wait_all();
	is_int(open_fds(), before, "all are closed");
}

static void test_stop(int before)
{
	struct opener_got got;

	for (int i = 0; i < 20; i++)
		ask(6, false, 1);
	got = next();
	opener_close(o, &got.set);
	opener_stop(o);
	ask(6, false, 2);
	is_int(open_fds(), before + 2 * 20, "the end comes after all of it");
	opener_free(o);
	is_int(open_fds(), before - 2, "what nobody took is closed");
}

static bool own_namespace(void)
{
	struct ifreq r = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	bool done;
	int fd;

	if (unshare(geteuid() == 0 ? CLONE_NEWNET
				   : CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return false;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	done = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &r) == 0;
	if (fd >= 0)
		close(fd);
	return done;
}

int main(void)
{
	int before;

	if (!own_namespace()) {
		tap_skip(1, "no network namespaces here");
		return tap_done();
	}
	loop.epfd = epoll_create1(EPOLL_CLOEXEC);
	env.iface = iface_new(&err);
	env.kernel = env.iface ? kernel_new(env.iface, &err) : NULL;
	env.opener = o = env.kernel ? opener_new(&err) : NULL;
	if (!o)
		tap_bail("%s", err.text);
	before = open_fds();
	test_inline();
	if (opener_start(o, &err) < 0)
		tap_bail("%s", err.text);
	test_results();
	test_room();
	test_rounds();
	test_router();
	test_refused();
	test_changes();
	test_inherit();
	test_stop(before);
	kernel_free(env.kernel);
	iface_free(env.iface);
	close(loop.epfd);
	return tap_done();
}
