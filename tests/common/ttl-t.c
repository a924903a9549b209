/* SPDX-License-Identifier: ISC */
/* Lifetimes of answers, and ageing. */

#include "common/dns/ttl.h"

#include "tests/tap/tap.h"
#include "tests/tap/wire.h"

#define Q_A        "<www.x.> 0001 0001 "
#define A(ttl)     "c00c 0001 0001 " ttl " 0004 c0000201 "
#define CNAME(ttl) "c00c 0005 0001 " ttl " 0002 c010 "
#define NS(ttl)    "c010 0002 0001 " ttl " 0002 c00c "
#define SOA(ttl, minimum)                                                      \
	"c010 0006 0001 " ttl " 0018 c00c c010 00000001 00000002 00000003 "    \
	"00000004 " minimum " "
#define OPT "00 0029 04d0 00008000 0000 "

static const struct {
	const char *what, *msg;
	enum answer_kind kind;
	uint32_t ttl_s;
	bool has_soa;
	uint16_t ttl_count;
} rows[] = {
	{"one A", "0000 8180 0001 0001 0000 0000" Q_A A("0000003c"),
		ANSWER_POSITIVE, 60, false, 1},
	{"the smallest of two",
		"0000 8180 0001 0002 0000 0001" Q_A A("0000003c") A("0000001e")
			OPT,
		ANSWER_POSITIVE, 30, false, 2},
	{"TTL with the top bit is 0",
		"0000 8180 0001 0001 0000 0000" Q_A A("80000001"),
		ANSWER_POSITIVE, 0, false, 1},
	{"a TTL of years is a week",
		"0000 8180 0001 0001 0000 0000" Q_A A("7fffffff"),
		ANSWER_POSITIVE, TTL_MAX, false, 1},
	{"alias alone", "0000 8180 0001 0001 0000 0000" Q_A CNAME("0000003c"),
		ANSWER_POSITIVE, 60, false, 1},
	{"alias to nothing",
		"0000 8180 0001 0001 0001 0000" Q_A CNAME("00000e10")
			SOA("00000e10", "0000000a"),
		ANSWER_NODATA, 10, true, 2},
	{"NXDOMAIN, minimum below the TTL",
		"0000 8183 0001 0000 0001 0000" Q_A SOA("00000e10", "00000002"),
		ANSWER_NXDOMAIN, 2, true, 1},
	{"NXDOMAIN, TTL below the minimum",
		"0000 8183 0001 0000 0001 0000" Q_A SOA("00000005", "00000e10"),
		ANSWER_NXDOMAIN, 5, true, 1},
	{"NXDOMAIN without SOA", "0000 8183 0001 0000 0000 0000" Q_A,
		ANSWER_NXDOMAIN, 0, false, 0},
	{"NODATA",
		"0000 8180 0001 0000 0001 0000" Q_A SOA("00000e10", "0000012c"),
		ANSWER_NODATA, 300, true, 1},
	{"NODATA without SOA", "0000 8180 0001 0000 0000 0000" Q_A,
		ANSWER_NODATA, 0, false, 0},
	{"an answer with SOA beside it keeps its own TTL",
		"0000 8180 0001 0001 0001 0000" Q_A A("0000003c")
			SOA("00000e10", "00000001"),
		ANSWER_POSITIVE, 60, true, 2},
	{"referral", "0000 8100 0001 0000 0001 0000" Q_A NS("00000e10"),
		ANSWER_REFERRAL, 3600, false, 1},
	{"SERVFAIL", "0000 8182 0001 0000 0000 0000" Q_A, ANSWER_FAILURE, 0,
		false, 0},
	{"BADVERS in the OPT",
		"0000 8180 0001 0000 0000 0001" Q_A
		"00 0029 04d0 01000000 0000",
		ANSWER_FAILURE, 0, false, 0},
	{"truncated", "0000 8380 0001 0001 0000 0000" Q_A A("0000003c"),
		ANSWER_TRUNCATED, 60, false, 1},
};

static void test_inspect(void)
{
	uint8_t msg[512];

	for (size_t i = 0; i < countof(rows); i++) {
		size_t len = wire(msg, sizeof(msg), rows[i].msg);
		struct answer_info info;
		struct question q;
		struct edns edns;

		if (!msg_check_answer(msg, len, &q, &edns))
			tap_bail("%s: not an answer", rows[i].what);
		ok(ttl_inspect(msg, len, q.end, &info), "%s", rows[i].what);
		is_int(info.kind, rows[i].kind, "  kind");
		is_int(info.ttl_s, rows[i].ttl_s, "  TTL");
		is_int(info.has_soa, rows[i].has_soa, "  SOA");
		is_int(info.ttl_count, rows[i].ttl_count, "  count");
		ok(!ttl_inspect(msg, len - 1, q.end, &info) ||
				info.ttl_count == 0,
			"  cut by one");
	}
}

static void test_age(void)
{
	uint8_t msg[512], want[512];
	uint16_t offsets[4];
	size_t len, want_len;
	unsigned n;

	len = wire(msg, sizeof(msg),
		"0000 8180 0001 0003 0000 0001" Q_A A("0000003c") A("00000005")
			A("ffffffff") OPT);
	n = ttl_offsets(msg, len, 23, offsets, 4);
	is_int(n, 3, "three TTLs, not the OPT's");
	is_int(ttl_offsets(msg, len, 23, offsets, 2), 3,
		"counts more than there is room for");
	ttl_age(msg, offsets, n, 10, 86400);
	want_len = wire(want, sizeof(want),
		"0000 8180 0001 0003 0000 0001" Q_A A("00000032") A("00000000")
			A("00000000") OPT);
	is_bytes(msg, len, want, want_len, "aged by 10 s, floor 0");
	ttl_age(msg, offsets, n, 0, 30);
	is_int(msg[offsets[0] + 3], 30, "capped");
}

int main(void)
{
	test_inspect();
	test_age();
	return tap_done();
}
