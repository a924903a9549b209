/* SPDX-License-Identifier: ISC */
/* TCP on both sides: truncation, pipelining, order, limits. */

#include "tests/frontend/rig.h"

#include "common/base/buf.h"
#include "common/dns/code.h"
#include "tests/tap/tap.h"

#include <unistd.h>

static struct rig rig;
static struct packet answer, question;
static const struct reply good = {.flags = MSG_RA, .answers = 1, .ttl_s = 60};
static const struct reply cut = {.flags = MSG_RA | MSG_TC, .answers = 1};

static unsigned rcode(void)
{
	return msg_rcode(answer.data);
}

static bool is_cut(void)
{
	return (msg_flags(answer.data) & MSG_TC) != 0;
}

static void test_truncation(void)
{
	struct ask ask = {.name = "big.example", .payload = 1232};
	struct reply big = good;
	int udp, tcp, backend;

	rig_start(&rig, "", "policy: firstAvailable,");
	udp = rig_udp_client(&rig);
	tcp = rig_tcp_client(&rig);
	ask_udp(udp, &ask);
	(void)take_udp(rig.udp[0], &question, RIG_SOON);
	reply_udp(rig.udp[0], &question, &cut);
	ok(take_udp(udp, &answer, RIG_SOON) && is_cut() &&
			msg_count(answer.data, MSG_AN) == 0,
		"TC from the backend: TC for a UDP client, no records");
	ask_tcp(tcp, &ask);
	ok(take_udp(rig.udp[0], &question, RIG_SOON),
		"not cached: asked again for TCP, by UDP first");
	reply_udp(rig.udp[0], &question, &cut);
	backend = rig_accept(&rig, 0, RIG_SOON);
	ok(backend >= 0 && take_tcp(backend, &question, RIG_SOON),
		"then by TCP");
	big.padding = 3000;
	reply_tcp(backend, &question, &big);
	ok(take_tcp(tcp, &answer, RIG_SOON) && !is_cut() && answer.len > 3000,
		"the TCP client gets it whole");
	ask_udp(udp, &ask);
	ok(take_udp(udp, &answer, RIG_SOON) && is_cut(),
		"from the cache it is cut for UDP");
	ask_tcp(tcp, &ask);
	ok(take_tcp(tcp, &answer, RIG_SOON) && answer.len > 3000,
		"and whole for TCP");
	ask.name = "huge.example";
	ask_tcp(tcp, &ask);
	(void)take_udp(rig.udp[0], &question, RIG_SOON);
	reply_udp(rig.udp[0], &question, &cut);
	ok(take_tcp(backend, &question, RIG_SOON),
		"the connection to the backend is used again");
	big.padding = 60000;
	reply_tcp(backend, &question, &big);
	ok(take_tcp(tcp, &answer, RIG_SOON) && answer.len > 60000,
		"60 KB pass");
	ask.name = "closed.example";
	ask_tcp(tcp, &ask);
	(void)take_udp(rig.udp[0], &question, RIG_SOON);
	close(backend);
	reply_udp(rig.udp[0], &question, &cut);
	backend = rig_accept(&rig, 0, RIG_SOON);
	ok(backend >= 0 && take_tcp(backend, &question, RIG_SOON),
		"closed by the backend: a new connection, silently");
	reply_tcp(backend, &question, &good);
	ok(take_tcp(tcp, &answer, RIG_SOON) && rcode() == 0, "and an answer");
	close(backend);
	close(tcp);
	close(udp);
}

static void test_shared(void)
{
	struct ask ask = {.name = "shared.example"};
	int udp = rig_udp_client(&rig), tcp = rig_tcp_client(&rig);

	ask_udp(udp, &ask);
	(void)take_udp(rig.udp[0], &question, RIG_SOON);
	reply_udp(rig.udp[0], &question, &good);
	(void)take_udp(udp, &answer, RIG_SOON);
	ask_tcp(tcp, &ask);
	ok(take_tcp(tcp, &answer, RIG_SOON) && !is_cut(),
		"what UDP brought into the cache serves TCP");
	close(tcp);
	close(udp);
}

static void test_order(void)
{
	struct packet *held = calloc(100, sizeof(*held));
	int tcp = rig_tcp_client(&rig), right = 0;
	uint8_t seen[100] = {0};
	bool reversed = true;

	for (uint16_t i = 0; i < 100; i++) {
		char name[32];
		struct ask ask = {.name = name, .id = i};

		(void)snprintf(name, sizeof(name), "p%u.example", i);
		ask_tcp(tcp, &ask);
	}
	for (int i = 0; i < 100; i++)
		if (!take_udp(rig.udp[0], &held[i], RIG_SOON))
			tap_bail("only %d of 100 pipelined queries", i);
	for (int i = 99; i >= 0; i--)
		reply_udp(rig.udp[0], &held[i], &good);
	for (int i = 0; i < 100 && take_tcp(tcp, &answer, RIG_SOON); i++) {
		unsigned id = msg_id(answer.data);
		char name[32];
		int n = snprintf(name, sizeof(name), "p%u", id);

		right += id < 100 && !seen[id]++ &&
			 memcmp(answer.data + 13, name, (size_t)n) == 0;
		reversed &= i > 0 || id > 0;
	}
	is_int(right, 100, "100 pipelined queries, answered in any order");
	ok(reversed, "as the answers came");
	free(held);
	close(tcp);
}

static void test_half_closed(void)
{
	struct ask ask = {.name = "half.example"};
	int tcp = rig_tcp_client(&rig);

	ask_tcp(tcp, &ask);
	(void)shutdown(tcp, SHUT_WR);
	(void)take_udp(rig.udp[0], &question, RIG_SOON);
	reply_udp(rig.udp[0], &question, &good);
	ok(take_tcp(tcp, &answer, RIG_SOON), "half-closed: still answered");
	ok(is_closed(tcp, RIG_SOON), "then closed");
	close(tcp);
	rig_stop(&rig);
}

static uint64_t front(enum front_cell cell)
{
	return front_read(&rig.worker->fronts, 0, cell);
}

static bool closed_two(void *arg)
{
	(void)arg;
	return front(FRONT_TCP_ENDED) == 2;
}

static void test_counts(void)
{
	struct ask ask = {.name = "counts.example"};
	struct server *s;
	int a, b, backend;

	rig_start(&rig, "tcp: {idle: 300ms}\n", "policy: firstAvailable,");
	s = rig_server(&rig, 0);
	a = rig_tcp_client(&rig);
	b = rig_tcp_client(&rig);
	for (int i = 0; i < 2; i++) {
		ask.name = i ? "more.example" : "counts.example";
		ask_tcp(a, &ask);
		(void)take_udp(rig.udp[0], &question, RIG_SOON);
		reply_udp(rig.udp[0], &question, &cut);
		backend = i ? backend : rig_accept(&rig, 0, RIG_SOON);
		(void)take_tcp(backend, &question, RIG_SOON);
		reply_tcp(backend, &question, &good);
		(void)take_tcp(a, &answer, RIG_SOON);
	}
	is_int((long long)server_read(&s->tcp_opened), 1,
		"one connection to the backend");
	is_int((long long)server_read(&s->tcp_reused), 1, "used twice");
	ok(s->tcp_open == 1 && s->tcp_most == 1 && s->tcp_latency_us > 0,
		"now open, most, latency");
	ask.name = "died.example";
	ask_tcp(a, &ask);
	(void)take_udp(rig.udp[0], &question, RIG_SOON);
	reply_udp(rig.udp[0], &question, &cut);
	(void)take_tcp(backend, &question, RIG_SOON);
	close(backend);
	backend = rig_accept(&rig, 0, RIG_SOON);
	(void)take_tcp(backend, &question, RIG_SOON);
	is_int((long long)server_read(&s->tcp_died), 1,
		"closed with an answer due: counted");
	reply_tcp(backend, &question, &good);
	(void)take_tcp(a, &answer, RIG_SOON);
	ok(is_closed(a, RIG_SOON) && is_closed(b, RIG_SOON) &&
			tap_wait(closed_two, NULL, RIG_SOON),
		"both clients are closed as idle");
	ok(front(FRONT_TCP_ACCEPTED) == 2 && front(FRONT_TCP_MOST) == 2 &&
			front(FRONT_TCP_OPEN) == 0 &&
			front(FRONT_TCP_TIMEOUTS) == 2,
		"accepted, most, open, time-outs by address");
	is_int((long long)front(FRONT_TCP_QUERIES), 3, "queries");
	is_int((long long)front(FRONT_TCP_RESPONSES), 3, "responses");
	ok(front(FRONT_TCP_LIFE_MS) >= 600, "two lives of 300 ms and more");
	close(a);
	close(b);
	close(backend);
	rig_stop(&rig);
}

static void test_limits(void)
{
	struct ask ask = {.name = "limit.example"};
	int fds[4], tcp;

	rig_start(&rig, "tcp: {per_client: 3, idle: 300ms}\n",
		"policy: firstAvailable,");
	for (int i = 0; i < 4; i++)
		fds[i] = rig_tcp_client(&rig);
	ok(is_closed(fds[3], RIG_SOON), "the fourth of three is closed");
	ok(rig_wait_stat(&rig, STAT_TCP_OVER_CLIENT, 1) &&
			rig_wait_stat(&rig, STAT_TCP_OPEN, 3),
		"and counted");
	ask_tcp(fds[0], &ask);
	(void)take_udp(rig.udp[0], &question, RIG_SOON);
	reply_udp(rig.udp[0], &question, &good);
	ok(take_tcp(fds[0], &answer, RIG_SOON), "the others are served");
	ok(is_closed(fds[1], RIG_SOON), "an idle one is closed in time");
	for (int i = 0; i < 4; i++)
		close(fds[i]);
	tcp = rig_tcp_client(&rig);
	for (int i = 0; i < 20; i++) {
		ask_tcp(tcp, &ask);
		if (!take_tcp(tcp, &answer, RIG_SOON))
			break;
	}
	ok(answer.len > 0, "a place is free again after the close");
	close(tcp);
	rig_stop(&rig);
}

/* One octet each 40 ms; when was the connection closed? */
static int drip(int fd)
{
	static const uint8_t octets[60] = {0, 58};
	int ms = 0;

	for (unsigned i = 0; i < sizeof(octets); i++, ms += 40) {
		if (send(fd, octets + i, 1, MSG_NOSIGNAL) < 0 ||
			is_closed(fd, 40))
			break;
	}
	return ms;
}

static void test_hostile(void)
{
	struct ask ask = {.name = "hostile.example"};
	struct reply big = good;
	int slow, deaf, other, sent = 0;

	rig_start(&rig, "tcp: {message: 300ms, idle: 10s, inflight: 10}\n",
		"policy: firstAvailable,");
	slow = rig_tcp_client(&rig);
	sent = drip(slow);
	ok(sent >= 200 && sent <= 1200,
		"a message in drips is cut off after %d ms", sent);
	close(slow);
	other = rig_udp_client(&rig);
	big.padding = 3500;
	ask_udp(other, &ask);
	(void)take_udp(rig.udp[0], &question, RIG_SOON);
	reply_udp(rig.udp[0], &question, &big);
	(void)take_udp(other, &answer, RIG_SOON);
	/* a client that asks and asks and never reads */
	deaf = rig_tcp_client(&rig);
	{
		uint8_t msg[300], frame[300];
		size_t len = ask_make(&ask, msg, sizeof(msg));
		ssize_t n = 1;

		put16(frame, (uint16_t)len);
		memcpy(frame + 2, msg, len);
		for (int i = 0; i < 20000 && n > 0; i++)
			n = send(deaf, frame, len + 2,
				MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	ask.name = "meanwhile.example";
	ok(round_trip(&rig, other, &ask, 0, &good, &answer) && rcode() == 0,
		"one that never reads its answers holds up no other");
	close(deaf);
	close(other);
	rig_stop(&rig);
}

int main(void)
{
	test_truncation();
	test_shared();
	test_order();
	test_half_closed();
	test_counts();
	test_limits();
	test_hostile();
	return tap_done();
}
