/* SPDX-License-Identifier: ISC */
/* UDP batches on loopback: content, addresses, source choice, sharing. */

#include "common/net/udp.h"

#include "tests/tap/tap.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

static union addr addr_of(const char *s)
{
	union addr a;

	if (addr_parse(s, 0, &a) < 0)
		tap_bail("%s does not parse", s);
	return a;
}

static int open_on(const char *s, int flags, union addr *bound)
{
	union addr a = addr_of(s);
	socklen_t len = sizeof(*bound);
	struct err err = {{0}};
	int fd = udp_open(&a, flags, &err);

	if (fd < 0)
		tap_bail("udp_open %s: %s", s, err.text);
	if (getsockname(fd, &bound->sa, &len) < 0)
		tap_bail("getsockname");
	return fd;
}

/* Receive until `want` packets came into the batch or 2 s have passed. */
static int recv_wait(int fd, struct udp_batch *batch)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	if (poll(&p, 1, 2000) <= 0)
		return 0;
	return udp_recv(fd, batch, UDP_BATCH);
}

static void put(
	struct udp_batch *b, unsigned i, const union addr *to, const char *text)
{
	struct udp_packet *p = udp_batch_packet(b, i);

	p->peer = *to;
	memset(&p->local, 0, sizeof(p->local));
	p->len = (uint32_t)strlen(text);
	memcpy(p->data, text, p->len);
}

static void test_batch(void)
{
	struct udp_batch *in = udp_batch_new(4, 8);
	struct udp_batch *out = udp_batch_new(8, 64);
	union addr server, client;
	int s = open_on("127.0.0.1", 0, &server);
	int c = open_on("127.0.0.1", 0, &client);
	struct udp_packet *p;

	is_int(udp_recv(s, in, 4), 0, "nothing is waiting");
	put(out, 0, &server, "one");
	put(out, 1, &server, "two");
	put(out, 2, &server, "0123456789");
	is_int(udp_send(c, out, 0, 3), 3, "three are sent");
	is_int(recv_wait(s, in), 3, "three are received at once");
	p = udp_batch_packet(in, 1);
	is_bytes(p->data, p->len, "two", 3, "content");
	ok(addr_equal(&p->peer, &client), "sender");
	is_int(p->local.sa.sa_family, AF_UNSPEC, "destination not asked for");
	ok(!p->cut, "whole");
	p = udp_batch_packet(in, 2);
	ok(p->cut && p->len == 8, "a longer one is cut and told");
	close(s);
	close(c);
	udp_batch_free(in);
	udp_batch_free(out);
}

static void test_skip(void)
{
	struct udp_batch *in = udp_batch_new(4, 64);
	struct udp_batch *out = udp_batch_new(4, 64);
	union addr server, client, v6 = addr_of("[::1]:9");
	int s = open_on("127.0.0.1", 0, &server);
	int c = open_on("127.0.0.1", 0, &client);

	put(out, 0, &server, "a");
	put(out, 1, &v6, "cannot go out of an IPv4 socket");
	put(out, 2, &server, "b");
	is_int(udp_send(c, out, 0, 3), 2, "the one that cannot go is skipped");
	is_int(recv_wait(s, in), 2, "the others arrive");
	is_bytes(udp_batch_packet(in, 1)->data, 1, "b", 1, "in order");
	close(s);
	close(c);
	udp_batch_free(in);
	udp_batch_free(out);
}

/* The answer leaves from the address that was asked. */
static void test_pktinfo(const char *any, const char *asked)
{
	struct udp_batch *b = udp_batch_new(1, 64);
	union addr server, client, to = addr_of(asked);
	int s = open_on(any, UDP_PKTINFO, &server);
	int c = open_on(asked, 0, &client);
	struct udp_packet *p;

	addr_set_port(&to, addr_port(&server));
	put(b, 0, &to, "q");
	is_int(udp_send(c, b, 0, 1), 1, "ask %s", asked);
	is_int(recv_wait(s, b), 1, "it arrives");
	p = udp_batch_packet(b, 0);
	ok(addr_equal_ip(&p->local, &to), "the destination is known");
	ok(p->ifindex > 0, "and the interface");
	is_int(udp_send(s, b, 0, 1), 1, "answer");
	is_int(recv_wait(c, b), 1, "the answer arrives");
	ok(addr_equal(&p->peer, &to), "from the address that was asked");
	close(s);
	close(c);
	udp_batch_free(b);
}

static void test_sharing(void)
{
	struct err err = {{0}};
	union addr first, dummy, away = addr_of("192.0.2.77");
	int a = open_on("127.0.0.1", UDP_REUSEPORT, &first);
	int b = udp_open(&first, UDP_REUSEPORT, &err);

	ok(b >= 0, "a second socket shares the address");
	is_int(udp_open(&first, 0, &err), -EADDRINUSE, "one without not");
	ok(strstr(err.text, "127.0.0.1:"), "the error names it: %s", err.text);
	is_int(udp_open(&away, 0, &err), -EADDRNOTAVAIL, "foreign address");
	close(a);
	close(b);
	a = open_on("192.0.2.77", UDP_FREEBIND, &dummy);
	ok(a >= 0, "with FREEBIND it may come later");
	close(a);
}

static void test_connect(void)
{
	struct udp_batch *b = udp_batch_new(2, 64), *in;
	union addr server, none = {.sa = {.sa_family = AF_UNSPEC}};
	union addr src = addr_of("127.0.0.2");
	int s = open_on("127.0.0.1", 0, &server);
	struct err err = {{0}};
	int c = udp_connect(&src, &server, &err);

	ok(c >= 0, "connect from a given source");
	put(b, 0, &none, "x");
	is_int(udp_send(c, b, 0, 1), 1, "send without an address");
	is_int(recv_wait(s, b), 1, "it arrives");
	ok(addr_equal_ip(&udp_batch_packet(b, 0)->peer, &src), "from there");
	in = udp_batch_new_connected(2, 64);
	is_int(udp_send(s, b, 0, 1), 1, "an answer");
	is_int(recv_wait(c, in), 1, "arrives");
	is_bytes(udp_batch_packet(in, 0)->data, udp_batch_packet(in, 0)->len,
		"x", 1, "whole");
	is_int(udp_batch_packet(in, 0)->peer.sa.sa_family, AF_UNSPEC,
		"its sender is not told");
	udp_batch_free(in);
	close(c);
	close(s);
	udp_batch_free(b);
}

int main(void)
{
	test_batch();
	test_skip();
	test_pktinfo("0.0.0.0", "127.0.0.53");
	test_pktinfo("::", "::1");
	test_sharing();
	test_connect();
	ok(!udp_batch_new(0, 10) && !udp_batch_new(65, 10), "batch bounds");
	return tap_done();
}
