/* SPDX-License-Identifier: ISC */
/*
 * The generator against servers that lose, mix up and refuse: what it counts
 * is what was done to it.
 */

#include "tests/bench/load.h"

#include "tests/tap/tap.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#define ASKED 200

static int listen_any(int type, union addr *addr)
{
	socklen_t len = sizeof(*addr);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	memset(addr, 0, sizeof(*addr));
	addr->v4.sin_family = AF_INET;
	addr->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, &addr->sa, sizeof(addr->v4)) < 0 ||
		getsockname(fd, &addr->sa, &len) < 0 ||
		(type == SOCK_STREAM && listen(fd, 64) < 0))
		tap_bail("socket: %s", strerror(errno));
	return fd;
}

/* Ten questions in a row are treated in ten ways. */
static void mistreat(int fd, int n, uint8_t *msg, ssize_t len, union addr *to)
{
	int times = 1;

	msg[2] |= 0x80;
	switch (n % 10) {
	case 0:
		return;
	case 1:
		msg[0] ^= 0x80; /* another turn of the same slot */
		break;
	case 2:
		msg[14] ^= 1;
		break;
	case 3:
		msg[3] |= 2;
		break;
	case 4:
		len = 11;
		break;
	case 5:
		times = 2;
		break;
	case 6:
		msg[2] &= 0x7f;
		break;
	default:
		break;
	}
	while (times-- > 0)
		if (sendto(fd, msg, (size_t)len, 0, &to->sa, addr_len(to)) < 0)
			return;
}

static void *serve_udp(void *arg)
{
	int fd = *(int *)arg;

	for (int n = 0; n < ASKED; n++) {
		union addr from;
		socklen_t len = sizeof(from);
		uint8_t msg[512];
		ssize_t got = recvfrom(fd, msg, sizeof(msg), 0, &from.sa, &len);

		if (got < 12)
			break;
		mistreat(fd, n, msg, got, &from);
	}
	return NULL;
}

static void test_udp(void)
{
	static struct load_result r;
	struct load_config c = {.sources = 4,
		.window = 64,
		.seconds = 60,
		.count = ASKED,
		.timeout_ms = 1500};
	pthread_t thread;
	int fd = listen_any(SOCK_DGRAM, &c.server);

	if (names_init(&c.names, "unique", 1) < 0 ||
		pthread_create(&thread, NULL, serve_udp, &fd) != 0)
		tap_bail("no thread");
	is_int(load_udp(&c, &r), 0, "a run over UDP");
	(void)pthread_join(thread, NULL);
	close(fd);
	is_int((long long)r.sent, ASKED, "all were sent");
	is_int((long long)r.answered, ASKED / 2, "half was answered");
	is_int((long long)r.lost, ASKED / 2, "half was not");
	is_int((long long)r.wrong_id, ASKED / 10 * 2,
		"wrong ids, and second answers");
	is_int((long long)r.wrong_question, ASKED / 10, "wrong questions");
	is_int((long long)r.malformed, ASKED / 10 * 2, "short, or no answers");
	is_int((long long)r.failed, ASKED / 10, "SERVFAIL");
}

/* Each fifth connection ends without an answer. */
static void *serve_tcp(void *arg)
{
	int fd = *(int *)arg;

	for (int n = 0; n < ASKED; n++) {
		uint8_t msg[2 + QUERY_OCTETS];
		int conn = accept(fd, NULL, NULL);

		if (conn < 0)
			break;
		if (recv(conn, msg, sizeof(msg), MSG_WAITALL) ==
				(ssize_t)sizeof(msg) &&
			n % 5 != 0) {
			msg[4] |= 0x80;
			/* in two pieces */
			(void)!write(conn, msg, 7);
			(void)!write(conn, msg + 7, sizeof(msg) - 7);
		}
		close(conn);
	}
	return NULL;
}

static void test_tcp(void)
{
	static struct load_result r;
	struct load_config c = {.sources = 4,
		.window = 1,
		.connections = 4,
		.tcp = true,
		.single = true,
		.seconds = 60,
		.count = ASKED,
		.timeout_ms = 5000};
	pthread_t thread;
	int fd = listen_any(SOCK_STREAM, &c.server);

	if (names_init(&c.names, "unique", 1) < 0 ||
		pthread_create(&thread, NULL, serve_tcp, &fd) != 0)
		tap_bail("no thread");
	is_int(load_tcp(&c, &r), 0, "a run over TCP");
	(void)pthread_join(thread, NULL);
	close(fd);
	is_int((long long)r.answered, ASKED * 4 / 5, "TCP: answered");
	is_int((long long)r.lost, ASKED / 5, "TCP: lost");
	is_int((long long)r.errors, ASKED / 5, "TCP: closed too early");
}

static void test_names(void)
{
	struct names n;
	uint8_t name[NAME_OCTETS], other[NAME_OCTETS];
	bool seen[100] = {false};
	int fresh = 0, first = 0, distinct = 0;

	is_int(names_init(&n, "zipf:1000:20", 7), 0, "Zipf's law");
	for (int i = 0; i < 10000; i++) {
		names_next(&n, name);
		fresh += name[1] == 'u';
		first += memcmp(name + 1, "n00000000000", 12) == 0;
	}
	ok(fresh > 1700 && fresh < 2300, "%d of 10000 are new", fresh);
	/* 8000 / H(1000) = 1069 */
	ok(first > 850 && first < 1300, "%d are the first", first);
	names_fini(&n);
	is_int(names_init(&n, "each:100", 7), 0, "each once");
	for (int i = 0; i < 100; i++) {
		unsigned k = 100;

		names_next(&n, name);
		if (sscanf((char *)name + 2, "%11x", &k) == 1 && k < 100)
			seen[k] = true;
	}
	for (int i = 0; i < 100; i++)
		distinct += seen[i];
	is_int(distinct, 100, "all of them");
	is_int(names_init(&n, "unique", 7), 0, "never seen");
	names_next(&n, name);
	names_next(&n, other);
	ok(memcmp(name, other, NAME_OCTETS) != 0, "two differ");
	is_int(name[0] + 1 + name[13] + 1 + name[19] + 1 + 1, NAME_OCTETS,
		"a whole name");
	is_int(names_init(&n, "hot:0", 7), -EINVAL, "no names");
	is_int(names_init(&n, "hot:5x", 7), -EINVAL, "not a number");
}

static void test_latency(void)
{
	static struct load_result r;

	for (int us = 1; us <= 1000; us++)
		latency_add(&r, us);
	ok(latency_quantile_us(&r, 0.5) >= 496 &&
			latency_quantile_us(&r, 0.5) <= 500,
		"median %.0f us", latency_quantile_us(&r, 0.5));
	ok(latency_quantile_us(&r, 0.99) >= 980 &&
			latency_quantile_us(&r, 0.99) <= 992,
		"99 of 100: %.0f us", latency_quantile_us(&r, 0.99));
	latency_add(&r, INT64_MAX / 2);
	ok(process_cpu_s(getpid()) >= 0, "processor time of this process");
	ok(process_cpu_s(0x7ffffff0) < 0, "of one that is not there");
}

int main(void)
{
	test_names();
	test_latency();
	test_udp();
	test_tcp();
	return tap_done();
}
