/* SPDX-License-Identifier: ISC */

/*
 * Sockets that a thread of their own opens and closes, in a network namespace
 * of this test: results, room, and that no descriptor gets lost.
 */
#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ha/opener.h"

#include "tests/tap/tap.h"

enum {
	LO = 1,
	NO_LINK = 9999,
	OWNER = 7,
	ROUNDS = 10000,
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
	o = opener_new(&err);
	if (!o)
		tap_bail("%s", err.text);
	before = open_fds();
	test_inline();
	if (opener_start(o, &err) < 0)
		tap_bail("%s", err.text);
	test_results();
	test_room();
	test_rounds();
	test_stop(before);
	return tap_done();
}
