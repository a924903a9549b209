/* SPDX-License-Identifier: ISC */
/*
 * Probes against a backend that the test plays: what brings it up, what takes
 * it out, who is the last one standing. The probes' loop runs in a thread.
 */

#include "frontend/config.h"
#include "frontend/probe.h"

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/dns/code.h"
#include "tests/tap/tap.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

static struct registry registry;
static struct policy *policy;
static struct conf *conf;
static struct probes *probes;
static struct loop *loop;
static pthread_t thread;
static int fds[2];
static bool first_closed;

static int open_backend(unsigned *port)
{
	union addr addr;
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memset(&addr, 0, sizeof(addr));
	addr.v4.sin_family = AF_INET;
	addr.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, &addr.sa, sizeof(addr.v4)) < 0 ||
		getsockname(fd, &addr.sa, &len) < 0)
		tap_bail("socket");
	*port = addr_port(&addr);
	return fd;
}

static void *run(void *arg)
{
	(void)loop_run(arg);
	return NULL;
}

static void start(const char *check)
{
	struct err err = {.text = ""};
	unsigned ports[2];
	char text[1024];

	for (int i = 0; i < 2; i++)
		fds[i] = open_backend(&ports[i]);
	(void)snprintf(text, sizeof(text),
		"listen: [127.0.0.1]\ndefault_pool: p\npools:\n"
		"  p: {backends: [\n"
		"    {name: s0, address: \"127.0.0.1:%u\", check: {%s}},\n"
		"    {name: s1, address: \"127.0.0.1:%u\", check: {%s}}]}\n",
		ports[0], check, ports[1], check);
	if (first_closed)
		close(fds[0]);
	registry_init(&registry);
	conf = conf_parse(text, strlen(text), "p.yaml", config_schema(), &err);
	if (!conf || config_build(conf, &registry, &policy, &err) < 0)
		tap_bail("%s", err.text);
	loop = loop_new();
	probes = probes_new(loop);
	if (!probes || probes_update(probes, policy, &err) < 0 ||
		pthread_create(&thread, NULL, run, loop) != 0)
		tap_bail("start");
}

static void halt(void)
{
	loop_stop(loop);
	(void)pthread_join(thread, NULL);
}

static void release(void)
{
	probes_free(probes);
	loop_free(loop);
	config_release(policy, &registry);
	conf_free(conf);
	close(fds[0]);
	close(fds[1]);
}

static void stop(void)
{
	halt();
	release();
}

static struct server *server(int i)
{
	return policy->pools[0].members[i].server;
}

struct play {
	int backend;    /* that is answered for */
	int other;      /* the other one: 0 silent, 1 good answers */
	uint16_t flags; /* of its answers */
	int id_off;     /* wrong ids */
	enum server_fitness want;
	int who;
	bool bare;
};

static void answer(int fd, uint16_t flags, int id_off, bool bare)
{
	uint8_t msg[1500];
	union addr from;
	socklen_t len = sizeof(from);
	ssize_t n =
		recvfrom(fd, msg, sizeof(msg), MSG_DONTWAIT, &from.sa, &len);

	if (n < MSG_HEADER)
		return;
	msg_set_id(msg, (uint16_t)(msg_id(msg) + id_off));
	msg_set_flags(msg, (uint16_t)(MSG_QR | MSG_RA | flags));
	if (bare) {
		memset(msg + 4, 0, 8);
		n = MSG_HEADER;
	}
	(void)sendto(fd, msg, (size_t)n, 0, &from.sa, len);
}

/* Answer probes as said until the server has the fitness wanted. */
static bool reached(void *arg)
{
	const struct play *play = arg;

	if (play->backend >= 0)
		answer(fds[play->backend], play->flags, play->id_off,
			play->bare);
	if (play->other >= 0)
		answer(fds[play->other], 0, 0, false);
	return server_get_fitness(server(play->who)) == play->want;
}

static bool play(struct play p, int ms)
{
	return tap_wait(reached, &p, ms);
}

#define QUICK "interval: 100ms, timeout: 80ms, "

static void test_up_and_down(void)
{
	struct probe_info info;

	start(QUICK "name: t., type: A");
	is_int(server_get_fitness(server(0)), SERVER_TRY,
		"unknown at first: worth a try");
	ok(play((struct play){.backend = 0, .other = 1, .want = SERVER_FIT},
		   3000),
		"up with the first success");
	ok(play((struct play){.backend = 0,
			.other = 1,
			.want = SERVER_FIT,
			.who = 1},
		   3000),
		"both");
	ok(play((struct play){.backend = -1, .other = 1, .want = SERVER_OUT},
		   3000),
		"silent: out");
	ok(play((struct play){.backend = 0, .other = 1, .want = SERVER_FIT},
		   3000),
		"answers: up again");
	ok(play((struct play){.backend = 0,
			.other = 1,
			.flags = DNS_RCODE_SERVFAIL,
			.want = SERVER_OUT},
		   3000),
		"SERVFAIL: out");
	ok(play((struct play){.backend = 0,
			.other = 1,
			.flags = DNS_RCODE_NXDOMAIN,
			.want = SERVER_FIT},
		   3000),
		"NXDOMAIN will do");
	ok(play((struct play){.backend = 0,
			.other = 1,
			.flags = DNS_RCODE_REFUSED,
			.want = SERVER_OUT},
		   3000),
		"REFUSED will not");
	ok(play((struct play){.backend = 0, .other = 1, .want = SERVER_FIT},
		   3000),
		"up");
	ok(play((struct play){.backend = 0,
			.other = 1,
			.id_off = 1,
			.want = SERVER_OUT},
		   3000),
		"answers with a wrong id are none");
	halt();
	ok(probes_info(probes, server(0), &info) &&
			info.failed[PROBE_MISMATCH] > 0 &&
			info.failed[PROBE_INVALID] == 0,
		"they are counted as mismatches");
	ok(info.latency.sum_us > 0, "times of the good ones");
	release();
}

static void test_all_out(void)
{
	struct probe_info info;

	start(QUICK "name: t., type: A");
	(void)play((struct play){.backend = 0, .other = 1, .want = SERVER_FIT},
		3000);
	ok(play((struct play){.backend = -1, .other = -1, .want = SERVER_OUT},
		   3000) &&
			play((struct play){.backend = -1,
				     .other = -1,
				     .want = SERVER_OUT,
				     .who = 1},
				3000),
		"all silent, no queries: all out");
	/* one that still answers real queries */
	server_count(&server(0)->answers);
	ok(play((struct play){.backend = -1, .other = -1, .want = SERVER_TRY},
		   3000),
		"the last that answers real queries is asked on");
	ok(play((struct play){.backend = -1, .other = -1, .want = SERVER_OUT},
		   4000),
		"while it does");
	halt();
	ok(probes_info(probes, server(0), &info) &&
			info.failed[PROBE_TIMEOUT] > 0,
		"time-outs of probes are counted");
	release();
}

static void test_authority(void)
{
	start(QUICK "name: zone.test., type: SOA, require_aa: true");
	ok(!play((struct play){.backend = 0, .other = -1, .want = SERVER_FIT},
		   600),
		"require_aa: an answer without AA is not good");
	ok(play((struct play){.backend = 0,
			.other = -1,
			.flags = MSG_AA,
			.want = SERVER_FIT},
		   3000),
		"one with AA is");
	stop();
	start(QUICK "name: t., type: A, rcode: NXDOMAIN");
	ok(!play((struct play){.backend = 0, .other = -1, .want = SERVER_FIT},
		   600) &&
			play((struct play){.backend = 0,
				     .other = -1,
				     .flags = DNS_RCODE_NXDOMAIN,
				     .want = SERVER_FIT},
				3000),
		"rcode: that one and no other");
	stop();
}

static void test_network(void)
{
	first_closed = true;
	start("interval: 1h, timeout: 60s, name: t., type: A");
	first_closed = false;
	ok(play((struct play){.backend = -1, .other = 1, .want = SERVER_OUT},
		   3000),
		"port closed: out at once, not after the time-out");
	fds[0] = open("/dev/null", 0);
	stop();
}

static void test_disabled(void)
{
	start("enabled: false");
	is_int(server_get_fitness(server(0)), SERVER_FIT,
		"no probes: it counts as up");
	stop();
}

int main(void)
{
	log_set_level(LOG_LVL_ERROR);
	test_up_and_down();
	test_all_out();
	test_authority();
	test_network();
	test_disabled();
	return tap_done();
}
