/* SPDX-License-Identifier: ISC */
/* Steering: one name, one socket, whatever its case and whoever asks. */

#include "resolver/steer.h"

#include "common/dns/msg.h"
#include "common/net/udp.h"
#include "tests/tap/tap.h"

#include <unistd.h>

#define SOCKETS 4

static int group[SOCKETS];
static union addr where;
static struct udp_batch *in;

static void open_group(void)
{
	struct err err = {.text = ""};
	socklen_t len = sizeof(where);

	if (addr_parse("127.0.0.1", 0, &where) < 0)
		tap_bail("addr");
	for (unsigned i = 0; i < SOCKETS; i++) {
		group[i] = udp_open(&where, UDP_REUSEPORT, &err);
		if (group[i] < 0)
			tap_bail("%s", err.text);
		if (getsockname(group[i], &where.sa, &len) < 0)
			tap_bail("getsockname");
	}
}

/* Send a question from a new port. Loopback delivers before send returns;
 * the answer is the index of the socket that has it, or -1. */
static int send_name(const char *text)
{
	struct err err = {.text = ""};
	int fd = udp_connect(NULL, &where, &err), got = -1;
	struct name n;
	uint8_t q[600];
	size_t len;

	if (fd < 0 || name_parse(text, &n) < 0)
		tap_bail("%s %s", text, err.text);
	len = msg_make_query(
		q, sizeof(q), 7, n.wire, n.len, 1, 1, MSG_RD, 1232, false);
	if (send(fd, q, len, 0) != (ssize_t)len)
		tap_bail("send");
	close(fd);
	for (int i = 0; i < SOCKETS; i++)
		if (udp_recv(group[i], in, 4) > 0)
			got = got < 0 ? i : 99;
	return got;
}

static void test_same(const char *a, const char *b)
{
	int first = send_name(a);
	unsigned others = 0;

	for (unsigned i = 0; i < 30; i++)
		others += send_name(i & 1 ? a : b) != first;
	ok(first >= 0 && first < SOCKETS, "%s reaches one socket", a);
	is_int(others, 0, "always the same, as %s too", b);
}

static void test_spread(void)
{
	unsigned counts[SOCKETS] = {0}, least = 1000;
	unsigned wrong = 0;
	char text[64];
	struct name n;

	for (unsigned i = 0; i < 1000; i++) {
		int to;

		snprintf(text, sizeof(text), "host%u.example.net.", i);
		to = send_name(text);
		wrong += name_parse(text, &n) < 0 ||
			 steer_index(n.wire, SOCKETS) != (unsigned)to;
		if (to >= 0 && to < SOCKETS)
			counts[to]++;
	}
	for (unsigned i = 0; i < SOCKETS; i++)
		least = counts[i] < least ? counts[i] : least;
	is_int(wrong, 0, "steer_index says where each goes");
	ok(least > 150, "a thousand names spread: %u %u %u %u", counts[0],
		counts[1], counts[2], counts[3]);
}

/* What is no question reaches some socket and harms nobody. */
static void test_short(void)
{
	struct err err = {.text = ""};
	int fd = udp_connect(NULL, &where, &err);
	unsigned got = 0;

	if (fd < 0 || send(fd, "x", 1, 0) != 1)
		tap_bail("send %s", err.text);
	for (unsigned i = 0; i < SOCKETS; i++)
		got += udp_recv(group[i], in, 4) > 0;
	is_int(got, 1, "a datagram of one octet reaches one socket");
	close(fd);
}

int main(void)
{
	char deep[300] = "";
	struct err err = {.text = ""};

	in = udp_batch_new(4, 1024);
	open_group();
	is_int(steer_attach(group[2], SOCKETS, &err), 0, "attach %s", err.text);
	test_same("www.example.com.", "WwW.eXaMPLE.com.");
	test_same(".", ".");
	for (unsigned i = 0; i < 60; i++)
		memcpy(deep + i * 4, "abc.", 5);
	test_same(deep, deep);
	test_spread();
	test_short();
	close(group[3]);
	group[3] = dup(group[0]);
	{
		unsigned lost = 0;

		for (unsigned i = 0; i < 100; i++) {
			char text[64];

			snprintf(text, sizeof(text), "n%u.example.", i);
			lost += send_name(text) < 0;
		}
		is_int(lost, 0, "one socket gone: nothing is lost");
	}
	steer_detach(group[0]);
	for (unsigned i = 0; i < SOCKETS; i++)
		close(group[i]);
	udp_batch_free(in);
	return tap_done();
}
