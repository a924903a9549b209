/* SPDX-License-Identifier: ISC */
/*
 * Ten thousand idle TCP connections of 500 clients: they are held, they keep
 * no one out, and the one that idles longest makes room for a new one. The
 * other scenarios of TCP are in scenario-tcp-t.
 */

#include "tests/frontend/scene.h"

#include "common/base/buf.h"
#include "common/dns/code.h"
#include "common/dns/msg.h"
#include "tests/tap/tap.h"

#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#define COUNT      10000
#define PER_CLIENT 20
#define SPARE      200 /* descriptors for all else */

static struct scene sc;
static int fds[COUNT];

/* As many as this machine lets two processes have. */
static unsigned allowed(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		tap_bail("getrlimit: %s", strerror(errno));
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur >= COUNT + SPARE)
		return COUNT;
	return limit.rlim_cur > 2 * SPARE ? (unsigned)limit.rlim_cur - SPARE
					  : 0;
}

static int connection(unsigned client)
{
	char source[24];

	(void)snprintf(source, sizeof(source), "127.%u.%u.%u", 100,
		client / 200, 1 + client % 200);
	return scene_client(&sc, SOCK_STREAM, source);
}

static bool is_served(int fd)
{
	struct ask ask = {.name = "idle.test", .id = 9};

	ask_tcp(fd, &ask);
	return take_tcp(fd, &sc.answer, SCENE_SOON) &&
	       msg_id(sc.answer.data) == 9 && scene_rcode(&sc) == 0;
}

static long memory_kb(void)
{
	char path[40], line[200];
	long kb = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)sc.pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, "VmRSS:", 6) == 0)
			kb = strtol(line + 6, NULL, 10);
	if (f)
		(void)fclose(f);
	return kb;
}

static void test_held(unsigned count)
{
	struct mtime before;
	long kb = memory_kb();

	for (unsigned i = 0; i < count; i++)
		fds[i] = connection(i / PER_CLIENT);
	ok(scene_wait_stat(&sc, "tcp_connections_total", count) &&
			scene_stat(&sc, "tcp_refused_total{reason="
					"\"evicted\"}") == 0,
		"56: %u idle connections are held", count);
	tap_diag("%.1f KB each", (double)(memory_kb() - kb) / count);
	before = mtime_now();
	ok(scene_ask(&sc, &(struct ask){.name = "other.test"}) &&
			mtime_sub_us(mtime_now(), before) < 500000,
		"58: others are not delayed by them");
	ok(is_served(fds[0]) && is_served(fds[count / 2]) &&
			is_served(fds[count - 1]),
		"56: the first, the middle and the last are served");
}

static void test_full(unsigned count)
{
	int next = connection(COUNT);

	ok(is_served(next), "56: all places taken: a new one is served");
	ok(is_closed(fds[1], SCENE_SOON), "56: the longest idle is closed");
	ok(!is_readable(fds[0], 0) && !is_readable(fds[2], 0),
		"56: and no other");
	ok(scene_wait_stat(&sc, "tcp_refused_total{reason=\"evicted\"}", 1),
		"56: which is counted");
	close(next);
	for (unsigned i = 0; i < count; i++)
		close(fds[i]);
}

static void test_descriptors(void)
{
	unsigned served = 0;

	scene_limit_files(80);
	scene_start(&sc, "", "policy: firstAvailable", NULL);
	(void)scene_ask(&sc, &(struct ask){.name = "idle.test"});
	for (unsigned i = 0; i < 100; i++) {
		fds[i] = connection(i / PER_CLIENT);
		served += is_served(fds[i]);
	}
	is_int(served, 100,
		"56: 100 connections, 80 descriptors: each is served");
	for (unsigned i = 0; i < 100; i++)
		close(fds[i]);
	scene_stop(&sc, "56");
}

int main(void)
{
	unsigned count = allowed();
	char extra[100];

	if (count == 0) {
		tap_skip(1, "too few descriptors are allowed");
		return tap_done();
	}
	(void)snprintf(extra, sizeof(extra),
		"tcp: {connections: %u, per_net: 5000, idle: 60s}\n", count);
	scene_start(&sc, extra, "policy: firstAvailable", NULL);
	test_held(count);
	test_full(count);
	scene_stop(&sc, "56");
	test_descriptors();
	return tap_done();
}
