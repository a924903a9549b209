/* SPDX-License-Identifier: ISC */
/*
 * Scenarios 59 and 60: limits of clients, and changes under load. Elsewhere:
 *	59 (IPv6 by /64): limit-t; dynamic blocks: scenario-blocks-t
 *	60 (/metrics under promtool, every name): metrics-t.sh; the API's keys
 *	and lists: tests/mgmt
 */

#include "tests/frontend/scene.h"

#include "common/base/buf.h"
#include "common/dns/code.h"
#include "common/dns/msg.h"
#include "tests/tap/tap.h"

#include <stdio.h>
#include <unistd.h>

#define FIRST "policy: firstAvailable"

static struct scene sc;

/* A client that asks so often for so long. */
struct flow {
	const char *source;
	unsigned rate, ms; /* rate 0: all at once */
	unsigned count, sent, answered;
	int fd;
};

static void flow_turn(struct flow *f, int64_t us)
{
	unsigned due = f->rate ? (unsigned)(us * f->rate / 1000000) : f->count;

	for (; f->sent < due && f->sent < f->count; f->sent++)
		ask_udp(f->fd, &(struct ask){.name = "limit.test",
				       .id = (uint16_t)f->sent});
	while (take_udp(f->fd, &sc.answer, 0))
		f->answered++;
}

static void run_flows(struct flow *flows, unsigned count, int ms)
{
	struct mtime start = mtime_now();
	int64_t us = 0;

	for (unsigned i = 0; i < count; i++)
		flows[i].fd = scene_client(&sc, SOCK_DGRAM, flows[i].source);
	while (us < (ms + SCENE_NEVER) * 1000ll) {
		us = mtime_sub_us(mtime_now(), start);
		for (unsigned i = 0; i < count; i++)
			flow_turn(&flows[i], us);
		(void)is_readable(flows[0].fd, 1);
	}
	for (unsigned i = 0; i < count; i++)
		close(flows[i].fd);
}

static void test_limits(void)
{
	static struct flow flows[] = {
		{.source = "127.0.1.1", .count = 200},
		{.source = "127.0.1.2", .rate = 200, .count = 800},
		{.source = "127.0.1.3", .rate = 45, .count = 180},
		{.source = "127.0.2.1", .count = 30},
		{.source = "127.0.3.1", .count = 30},
	};
	int64_t ms;
	struct mtime start;

	scene_start(&sc,
		"limit: {qps: 50, overrides: [{prefix: 127.0.2.0/24, qps: 1, "
		"burst: 10}, {prefix: 127.0.3.0/24, qps: 1, action: "
		"cache-only}]}\n",
		FIRST, NULL);
	(void)scene_ask(&sc, &(struct ask){.name = "limit.test"});
	start = mtime_now();
	run_flows(flows, countof(flows), 4000);
	ms = mtime_sub_us(mtime_now(), start) / 1000;
	ok(flows[0].answered >= 50 && flows[0].answered <= 55,
		"59: 50 a second, 200 at once: %u pass", flows[0].answered);
	ok(flows[1].answered >= 245 && flows[1].answered <= 55 + ms / 20,
		"59: 200 a second for 4 s: %u pass, 250 are due",
		flows[1].answered);
	is_int(flows[2].answered, 180,
		"59: 45 a second, from another /32 meanwhile: all pass");
	ok(flows[3].answered >= 10 && flows[3].answered <= 13,
		"59: burst 10: %u pass", flows[3].answered);
	is_int(flows[4].answered, 30,
		"59: over the limit with cache-only, a cached name: all pass");
	ok(scene_stat(&sc, "drops_total{reason=\"limit\"}") > 300,
		"59: the rest is counted");
}

/* The bucket of a client that has used it up is not filled by a reload. */
static void test_limiter_kept(void)
{
	struct flow more = {.source = "127.0.2.1", .count = 30};
	struct err err;

	if (!scene_reload(&sc,
		    "limit: {qps: 50, overrides: [{prefix: 127.0.2.0/24, "
		    "qps: 1, burst: 10}]}\npolicy: {any: refuse}\n",
		    FIRST, &err))
		tap_bail("%s", err.text);
	run_flows(&more, 1, 0);
	ok(more.answered <= 6,
		"60: a reload does not fill the buckets again: %u pass",
		more.answered);
	scene_stop(&sc, "59");
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

#define NAMES  64
#define WINDOW 32

/* Asks as fast as answers come, until told to stop. */
struct load {
	pthread_t thread;
	int fd;
	bool stop;
	unsigned sent, answered, wrong;
	struct packet packet;
};

static void load_ask(struct load *l)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "load%u.test", l->sent % NAMES);
	ask_udp(l->fd,
		&(struct ask){.name = name, .id = (uint16_t)(l->sent % NAMES)});
	l->sent++;
}

static void *load_run(void *arg)
{
	struct load *l = arg;

	while (!__atomic_load_n(&l->stop, __ATOMIC_RELAXED) ||
		l->answered < l->sent) {
		bool stop = __atomic_load_n(&l->stop, __ATOMIC_RELAXED);

		while (!stop && l->sent - l->answered < WINDOW)
			load_ask(l);
		if (!take_udp(l->fd, &l->packet, SCENE_SOON))
			break;
		l->answered++;
		l->wrong += msg_rcode(l->packet.data) != 0 ||
			    first_ttl(&l->packet) > 60;
	}
	return NULL;
}

static bool is_sanitized(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return true;
#else
	return false;
#endif
}

static unsigned reloads(unsigned count)
{
	unsigned good = 0;
	struct err err;

	for (unsigned i = 0; i < count; i++) {
		char extra[100];

		(void)snprintf(extra, sizeof(extra),
			"workers: 2\nlimit: {qps: %u}\n", 1000000 + i);
		if (scene_reload(&sc, extra, i % 2 ? FIRST : "policy: wrandom",
			    &err))
			good++;
		else
			tap_diag("%s", err.text);
	}
	return good;
}

static void test_reloads(void)
{
	static struct load load;
	struct mtime start;
	int64_t ms;
	long kb;

	scene_start(&sc, "workers: 2\n", FIRST, NULL);
	load.fd = scene_client(&sc, SOCK_DGRAM, NULL);
	(void)reloads(100);
	kb = memory_kb();
	start = mtime_now();
	if (pthread_create(&load.thread, NULL, load_run, &load) != 0)
		tap_bail("pthread_create");
	is_int(reloads(1000), 1000, "60: 1000 reloads under load");
	__atomic_store_n(&load.stop, true, __ATOMIC_RELAXED);
	(void)pthread_join(load.thread, NULL);
	ms = mtime_sub_us(mtime_now(), start) / 1000;
	if (is_sanitized())
		tap_skip(1, "a sanitizer is slow");
	else
		ok(load.sent > 10 * ms,
			"60: at 10,000 queries a second and more: %u in %lld "
			"ms",
			load.sent, (long long)ms);
	is_int(load.sent - load.answered, 0, "60: no query is lost");
	is_int(load.wrong, 0, "60: no answer is wrong");
	ok(stub_asked(&sc.stubs[0]) + stub_asked(&sc.stubs[1]) < 3 * NAMES,
		"60: the cache is kept");
	kb = memory_kb() - kb;
	if (is_sanitized())
		tap_skip(1, "a sanitizer keeps freed memory");
	else
		ok(kb < 3000, "60: memory does not grow: %ld KB", kb);
	close(load.fd);
}

static void test_bad(void)
{
	struct ask any = {.name = "any.test", .type = DNS_TYPE_ANY};
	struct err err;

	if (!scene_reload(&sc, "policy: {any: refuse}\n", FIRST, &err))
		tap_bail("%s", err.text);
	ok(!scene_reload(
		   &sc, "policy: {any: allow}\nudp_size: 100\n", FIRST, &err) &&
			strstr(err.text, "f.yaml:8: "),
		"60: a wrong configuration is refused by line");
	tap_diag("%s", err.text);
	ok(scene_ask(&sc, &any) && scene_rcode(&sc) == DNS_RCODE_REFUSED,
		"60: as a whole: the old one stays");
	scene_stop(&sc, "60");
}

int main(void)
{
	test_limits();
	test_limiter_kept();
	test_reloads();
	test_bad();
	return tap_done();
}
