/* SPDX-License-Identifier: ISC */

/* Questions to another machine, which is a socket on the loopback here. */

#include "ha/probe.h"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "tests/tap/tap.h"

static const int64_t sec = 1000 * 1000;

static struct poll events;
static struct config_probe conf = {
	.qname = {0},
	.qname_len = 1,
	.fall = 2,
	.interval_us = 500 * 1000,
	.timeout_us = 300 * 1000,
};
static struct probe p;
static int server;
static int64_t now;

static uint16_t listen_udp(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	const struct timeval limit = {.tv_sec = 5};
	socklen_t len = sizeof(at);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server = socket(AF_INET, SOCK_DGRAM, 0);
	if (server < 0 ||
		setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &limit,
			sizeof(limit)) < 0 ||
		bind(server, (struct sockaddr *)&at, len) < 0 ||
		getsockname(server, (struct sockaddr *)&at, &len) < 0)
		tap_bail("no socket");
	return ntohs(at.sin_port);
}

/* The server's port from which a question came; it is answered. */
static uint16_t answer(void)
{
	struct sockaddr_in from = {0};
	socklen_t len = sizeof(from);
	uint8_t data[512];
	ssize_t n = recvfrom(
		server, data, sizeof(data), 0, (struct sockaddr *)&from, &len);

	if (n < 12)
		tap_bail("no question");
	data[2] |= 0x80;
	if (sendto(server, data, (size_t)n, 0, (struct sockaddr *)&from, len) !=
		n)
		tap_bail("cannot answer");
	p.item.ready(p.item.arg);
	return ntohs(from.sin_port);
}

static void begin(const uint8_t octets[4])
{
	now = mtime_now().us;
	probe_init(&p, &events);
	p.afar = true;
	is_int(probe_start(&p, &conf, 4, octets, 1, now), 0, "begun");
}

static void tick(void)
{
	now += sec;
	probe_tick(&p, now);
}

static void test_answers(void)
{
	static const uint8_t loopback[4] = {127, 0, 0, 1};
	struct config_probe other;
	uint16_t first, second;

	conf.port = listen_udp();
	begin(loopback);
	tick();
	first = answer();
	ok(probe_answers(&p) && !probe_is_silent(&p), "it answers");
	tick();
	second = answer();
	ok(first != second, "each question is routed anew");
	for (int i = 0; i < 3; i++)
		tick(); /* ask, give up, ask */
	ok(!probe_is_silent(&p), "one that fails is no silence");
	tick();
	ok(probe_is_silent(&p) && !probe_answers(&p), "two are");
	other = conf;
	other.fall = 3;
	ok(probe_reconf(&p, &other) && probe_is_silent(&p),
		"another configuration forgets nothing");
	other.port++;
	ok(!probe_reconf(&p, &conf),
		"but with another port it is to begin anew");
	close(server);
	probe_stop(&p);
}

static void test_refused(void)
{
	static const uint8_t loopback[4] = {127, 0, 0, 1};

	conf.port = listen_udp();
	close(server);
	begin(loopback);
	for (int i = 0; i < 2; i++) {
		tick();
		p.item.ready(p.item.arg);
	}
	ok(probe_is_silent(&p), "a refused port is silence at once");
	probe_stop(&p);
}

/* Broadcast is not allowed to the socket, so nothing leaves. */
static void test_unsent(void)
{
	static const uint8_t nowhere[4] = {255, 255, 255, 255};

	begin(nowhere);
	probe_believe(&p);
	for (int i = 0; i < 10; i++)
		tick();
	ok(!probe_is_silent(&p) && !probe_answers(&p),
		"what cannot be sent from here says nothing of it");
	ok(probe_deadline(&p) > now, "and it is tried again later");
	p.proven = true;
	p.judge.failed = true;
	tick();
	ok(!probe_answers(&p) && !probe_is_silent(&p),
		"nor does what was known before");
	ok(p.believed, "but its silence will count");
	probe_stop(&p);
}

int main(void)
{
	events.epfd = epoll_create1(EPOLL_CLOEXEC);
	if (events.epfd < 0)
		tap_bail("no epoll");
	test_answers();
	test_refused();
	test_unsent();
	return tap_done();
}
