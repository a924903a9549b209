/* SPDX-License-Identifier: ISC */
/*
 * Messages that are no proper query, one by one, over UDP and TCP: silence or
 * an error code, never a question to a backend, and the connection lives on.
 */

#include "tests/frontend/rig.h"

#include "common/base/buf.h"
#include "common/dns/code.h"
#include "tests/tap/tap.h"
#include "tests/tap/wire.h"

#include <unistd.h>

#define SILENCE -1
#define Q       "<a.example.> 0001 0001 "
#define OPT     "00 0029 04d0 00000000 "

struct junk {
	const char *what, *message;
	int rcode;
};

static const struct junk cases[] = {
	{"one octet", "12", SILENCE},
	{"eleven octets", "1234 0100 0001 0000 0000 00", SILENCE},
	{"QR=1", "1234 8100 0001 0000 0000 0000" Q, SILENCE},
	{"QR=1, a header only", "1234 8000 0000 0000 0000 0000", SILENCE},
	{"QR=1 with another opcode", "1234 a000 0001 0000 0000 0000" Q,
		SILENCE},
	{"TC=1", "1234 0300 0001 0000 0000 0000" Q, SILENCE},
	{"QDCOUNT 0", "1234 0100 0000 0000 0000 0000", DNS_RCODE_FORMERR},
	{"QDCOUNT 0, yet a question", "1234 0100 0000 0000 0000 0000" Q,
		DNS_RCODE_FORMERR},
	{"QDCOUNT 1, yet none", "1234 0100 0001 0000 0000 0000",
		DNS_RCODE_FORMERR},
	{"QDCOUNT 2", "1234 0100 0002 0000 0000 0000" Q Q, DNS_RCODE_FORMERR},
	{"QDCOUNT 65535", "1234 0100 ffff 0000 0000 0000" Q, DNS_RCODE_FORMERR},
	{"an answer in a query",
		"1234 0100 0001 0001 0000 0000" Q
		"<a.example.> 0001 0001 00000001 0004 c0000201",
		DNS_RCODE_FORMERR},
	{"a compressed question",
		"1234 0100 0001 0000 0000 0000 c00c 0001 0001",
		DNS_RCODE_FORMERR},
	{"octets behind it", "1234 0100 0001 0000 0000 0000" Q "00",
		DNS_RCODE_FORMERR},
	{"two OPTs", "1234 0100 0001 0000 0000 0002" Q OPT "0000" OPT "0000",
		DNS_RCODE_FORMERR},
	{"an OPT that is not the root's",
		"1234 0100 0001 0000 0000 0001" Q
		"<x.> 0029 04d0 00000000 0000",
		DNS_RCODE_FORMERR},
	{"an OPT in another section",
		"1234 0100 0001 0000 0001 0000" Q OPT "0000",
		DNS_RCODE_FORMERR},
	{"an option past the OPT",
		"1234 0100 0001 0000 0000 0001" Q OPT "0006 000c 0040 0102",
		DNS_RCODE_FORMERR},
	{"EDNS version 1",
		"1234 0100 0001 0000 0000 0001" Q "00 0029 04d0 00010000 0000",
		DNS_RCODE_BADVERS},
	{"EDNS version 255",
		"1234 0100 0001 0000 0000 0001" Q "00 0029 04d0 00ff8000 0000",
		DNS_RCODE_BADVERS},
	{"IQUERY", "1234 0900 0001 0000 0000 0000" Q, DNS_RCODE_NOTIMP},
	{"STATUS", "1234 1100 0001 0000 0000 0000" Q, DNS_RCODE_NOTIMP},
	{"NOTIFY", "1234 2100 0001 0000 0000 0000" Q, DNS_RCODE_NOTIMP},
	{"UPDATE", "1234 2900 0001 0000 0000 0000" Q, DNS_RCODE_NOTIMP},
	{"opcode 15", "1234 7900 0001 0000 0000 0000" Q, DNS_RCODE_NOTIMP},
	{"opcode 15 and nothing else", "1234 7900 0000 0000 0000 0000",
		DNS_RCODE_NOTIMP},
};

static struct rig rig;
static struct packet answer;
static const struct reply good = {.flags = MSG_RA, .answers = 1, .ttl_s = 60};

/* The error code of a proper reply; SILENCE when it is none. */
static int rcode_of(const struct packet *p)
{
	struct question q;
	struct edns edns;

	if (!msg_check_answer(p->data, p->len, &q, &edns)) {
		/* NOTIMP keeps its opcode: by hand */
		if (p->len < MSG_HEADER || !(msg_flags(p->data) & MSG_QR))
			return SILENCE;
		memset(&edns, 0, sizeof(edns));
	}
	if (msg_id(p->data) != 0x1234 || msg_count(p->data, MSG_AN) != 0)
		return SILENCE;
	return edns.ext_rcode << 4 | (int)msg_rcode(p->data);
}

static void test_udp(void)
{
	int fd = rig_udp_client(&rig);

	for (size_t i = 0; i < countof(cases); i++) {
		uint8_t msg[512];
		int wait = cases[i].rcode == SILENCE ? 30 : RIG_SOON;

		send_udp(fd, msg, wire(msg, sizeof(msg), cases[i].message));
		is_int(take_udp(fd, &answer, wait) ? rcode_of(&answer)
						   : SILENCE,
			cases[i].rcode, "UDP: %s", cases[i].what);
	}
	close(fd);
}

/* What is not answered is told by the next thing that is. */
static void test_tcp(void)
{
	struct ask ask = {.name = "then.example", .id = 7};
	int fd = rig_tcp_client(&rig);

	for (size_t i = 0; i < countof(cases); i++) {
		uint8_t msg[514];
		size_t n = wire(msg + 2, sizeof(msg) - 2, cases[i].message);

		put16(msg, (uint16_t)n);
		send_udp(fd, msg, n + 2);
		if (cases[i].rcode == SILENCE)
			continue;
		is_int(take_tcp(fd, &answer, RIG_SOON) ? rcode_of(&answer)
						       : SILENCE,
			cases[i].rcode, "TCP: %s", cases[i].what);
	}
	ask_tcp(fd, &ask);
	ok(take_tcp(fd, &answer, RIG_SOON) && msg_id(answer.data) == 7 &&
			msg_rcode(answer.data) == 0,
		"TCP: the rest was silent, and the connection serves on");
	close(fd);
}

int main(void)
{
	struct ask ask = {.name = "then.example"};
	uint64_t forwarded;
	int fd;

	rig_start(&rig, "", "policy: firstAvailable,");
	fd = rig_udp_client(&rig);
	ok(round_trip(&rig, fd, &ask, 0, &good, &answer), "a good query");
	forwarded = rig_stat(&rig, STAT_FORWARDED);
	test_udp();
	test_tcp();
	is_int((long long)rig_stat(&rig, STAT_FORWARDED), (long long)forwarded,
		"a backend saw none of it");
	is_int((long long)rig_stat(&rig, STAT_DROP_SHORT), 4, "short: counted");
	is_int((long long)rig_stat(&rig, STAT_DROP_NOT_QUERY), 8,
		"QR=1 and TC=1: counted");
	is_int((long long)rig_stat(&rig, STAT_BAD_BADVERS), 4,
		"BADVERS: counted");
	is_int((long long)rig_stat(&rig, STAT_BAD_NOTIMP), 12,
		"NOTIMP: counted");
	close(fd);
	rig_stop(&rig);
	return tap_done();
}
