/* SPDX-License-Identifier: ISC */
/* Messages: which queries and answers are taken, records, replies made. */

#include "common/dns/msg.h"

#include "common/dns/code.h"
#include "tests/tap/tap.h"
#include "tests/tap/wire.h"

#define HQ   "1234 0100 0001 0000 0000 0000 "
#define HQ1  "1234 0100 0001 0000 0000 0001 "
#define Q    "<www.x.> 0001 0001 "
#define OPT  "00 0029 04d0 00008000 0000 "
#define TSIG "00 00fa 00ff 00000000 0000 "

static const struct {
	const char *what, *msg;
	enum msg_verdict verdict;
} queries[] = {
	{"plain", HQ Q, MSG_OK},
	{"with OPT", HQ1 Q OPT, MSG_OK},
	{"OPT and TSIG", "1234 0100 0001 0000 0000 0002" Q OPT TSIG, MSG_OK},
	{"root", HQ "00 0002 0001", MSG_OK},
	{"IXFR with its SOA",
		"1234 0000 0001 0000 0001 0000 <x.> 00fb 0001"
		"c00c 0006 0001 00000000 0016"
		"0000 00000001 00000000 00000000 00000000 00000000",
		MSG_OK},
	{"EDNS version 1", HQ1 Q "00 0029 04d0 00010000 0000", MSG_BADVERS},
	{"empty", "", MSG_DROP},
	{"11 octets", "1234 0100 0001 0000 0000 00", MSG_DROP},
	{"an answer", "1234 8180 0001 0000 0000 0000" Q, MSG_DROP},
	{"header only, QDCOUNT 1", HQ, MSG_FORMERR},
	{"QDCOUNT 0", "1234 0100 0000 0000 0000 0000", MSG_FORMERR},
	{"QDCOUNT 2", "1234 0100 0002 0000 0000 0000" Q Q, MSG_FORMERR},
	{"question cut", HQ "<www.x.> 0001 00", MSG_FORMERR},
	{"name cut", HQ "03'ww'", MSG_FORMERR},
	{"pointer in the question", HQ "c00c 0001 0001", MSG_FORMERR},
	{"label type 01", HQ "41 00 0001 0001", MSG_FORMERR},
	{"trailing octet", HQ Q "00", MSG_FORMERR},
	{"trailing octet behind OPT", HQ1 Q OPT "00", MSG_FORMERR},
	{"ARCOUNT without OPT", HQ1 Q, MSG_FORMERR},
	{"OPT not counted", HQ Q OPT, MSG_FORMERR},
	{"two OPTs", "1234 0100 0001 0000 0000 0002" Q OPT OPT, MSG_FORMERR},
	{"OPT with an owner", HQ1 Q "c00c 0029 04d0 00000000 0000",
		MSG_FORMERR},
	{"IXFR with another record than its SOA",
		"1234 0000 0001 0000 0001 0000 <x.> 00fb 0001"
		"c00c 0001 0001 00000000 0004 01020304",
		MSG_FORMERR},
	{"authority in a plain query",
		"1234 0100 0001 0000 0001 0000" Q
		"c00c 0001 0001 00000000 0004 01020304",
		MSG_FORMERR},
	{"OPT as an answer", "1234 0100 0001 0001 0000 0000" Q OPT,
		MSG_FORMERR},
	{"OPT as authority", "1234 0100 0001 0000 0001 0000" Q OPT,
		MSG_FORMERR},
	{"option over its rdata",
		HQ1 Q "00 0029 04d0 00000000 0005 000c 0002 00", MSG_FORMERR},
	{"rdlen over the message", HQ1 Q "00 0029 04d0 00000000 0004 000c",
		MSG_FORMERR},
	{"an A record behind", HQ1 Q "c00c 0001 0001 00000000 0004 01020304",
		MSG_FORMERR},
	{"three additional", "1234 0100 0001 0000 0000 0003" Q OPT TSIG TSIG,
		MSG_FORMERR},
	{"NOTIFY", "1234 2000 0001 0000 0000 0000" Q, MSG_NOTIMP},
	{"UPDATE", "1234 2800 0001 0000 0000 0000" Q, MSG_NOTIMP},
	{"opcode 15, no question", "1234 7800 0000 0000 0000 0000", MSG_NOTIMP},
};

static void test_queries(void)
{
	uint8_t msg[512];

	for (size_t i = 0; i < countof(queries); i++) {
		size_t len = wire(msg, sizeof(msg), queries[i].msg);
		struct query_view view;

		is_int(msg_parse_query(msg, len, &view), queries[i].verdict,
			"query: %s", queries[i].what);
	}
}

static void test_view(void)
{
	uint8_t msg[512];
	struct query_view view;
	size_t len = wire(msg, sizeof(msg), HQ1 "<WWW.x.> 001c 0001" OPT);

	is_int(msg_parse_query(msg, len, &view), MSG_OK, "parses");
	ok(view.q.name == msg + 12, "name as sent, in the message");
	is_int(view.q.name_len, 7, "its length");
	is_int(view.q.type, DNS_TYPE_AAAA, "type");
	is_int(view.q.class, DNS_CLASS_IN, "class");
	is_int(view.q.end, 23, "end");
	ok(view.edns.present && view.edns.dnssec_ok, "EDNS with DO");
	is_int(view.edns.offset, 23, "offset of the OPT");
	is_int(msg_id(msg), 0x1234, "id");
	len = wire(msg, sizeof(msg), "1234 2000 0001 0000 0000 0000" Q);
	msg_parse_query(msg, len, &view);
	ok(view.q.name != NULL, "NOTIMP with its question");
}

#define HA(an, ns, ar)         "1234 8180 0001 " an " " ns " " ar " "
#define RR(type, rdlen, rdata) "c00c " type " 0001 0000003c " rdlen " " rdata
#define ONE(type, rdlen, rdata)                                                \
	HA("0001", "0000", "0000") Q RR(type, rdlen, rdata)

static const struct {
	const char *what, *msg;
	bool good;
} answers[] = {
	{"one A", ONE("0001", "0004", "c0000201"), true},
	{"one AAAA", ONE("001c", "0010", "20010db8000000000000000000000001"),
		true},
	{"no records", HA("0000", "0000", "0000") Q, true},
	{"OPT", HA("0000", "0000", "0001") Q OPT, true},
	{"TSIG last", HA("0000", "0000", "0002") Q OPT TSIG, true},
	{"unknown type", ONE("ff00", "0003", "010203"), true},
	{"CNAME by pointer", ONE("0005", "0002", "c010"), true},
	{"MX", ONE("000f", "0006", "000a 01'm' c010"), true},
	{"TXT of two strings", ONE("0010", "0005", "01'a' 02'bc'"), true},
	{"SRV", ONE("0021", "000c", "0000 0000 0035 01'a' <www.>"), false},
	{"SRV of the right length", ONE("0021", "0009", "0000 0000 0035 <a.>"),
		true},
	{"SOA",
		ONE("0006", "0018",
			"c00c c010 0000000100000002"
			"000000030000000400000005"),
		true},
	{"NSEC", ONE("002f", "0009", "<a.> 0006 40000000"), true},
	{"RRSIG",
		ONE("002e", "0017",
			"0001 08 02 0000003c 60000000 50000000 1234 <x.> aabb"),
		true},
	{"error without a question", "1234 8181 0000 0000 0000 0000", true},
	{"the same with OPT", "1234 8181 0000 0000 0000 0001" OPT, true},

	{"empty", "", false},
	{"11 octets", "1234 8180 0001 0000 0000 00", false},
	{"QR=0", "1234 0180 0001 0000 0000 0000" Q, false},
	{"opcode NOTIFY", "1234 a180 0001 0000 0000 0000" Q, false},
	{"two questions", "1234 8180 0002 0000 0000 0000" Q Q, false},
	{"NOERROR without a question", "1234 8180 0000 0000 0000 0000", false},
	{"error without a question, with records",
		"1234 8182 0000 0001 0000 0000"
		"00"
		"0001 0001 00000000 0004"
		"01020304",
		false},
	{"error without a question, a record not OPT",
		"1234 8182 0000 0000 0000 0001"
		"00"
		"0001 0001 00000000 0004"
		"01020304",
		false},
	{"question cut", "1234 8180 0001 0000 0000 0000 <www.x.> 00", false},
	{"A of 3", ONE("0001", "0003", "c00002"), false},
	{"A of 5", ONE("0001", "0005", "c000020101"), false},
	{"A of 0", ONE("0001", "0000", ""), false},
	{"AAAA of 4", ONE("001c", "0004", "c0000201"), false},
	{"rdata over the message", ONE("0001", "0004", "c00002"), false},
	{"ANCOUNT too high",
		HA("0002", "0000", "0000") Q RR("0001", "0004", "c0000201"),
		false},
	{"trailing octets", ONE("0001", "0004", "c0000201 00"), false},
	{"owner loops",
		HA("0001", "0000", "0000") Q
		"c017 0001 0001 0000003c 0004 c0000201",
		false},
	{"name in rdata loops", ONE("0005", "0002", "c023"), false},
	{"pointer into the TTL of its record",
		HA("0001", "0000", "0000") Q
		"c00c 0005 0001 0000003c 0002 c01d",
		false},
	{"pointer into an address",
		HA("0002", "0000", "0000") Q RR("0001", "0004", "01610000")
			RR("0005", "0002", "c023"),
		false},
	{"pointer to a name in rdata",
		HA("0002", "0000", "0000") Q RR("0005", "0003",
			"<b.>") "c023 0001 0001 0000003c 0004 c0000201",
		true},
	{"NSEC3", ONE("0032", "000b", "01 00 0000 00 02'ab' 0001 40"), true},
	{"NSEC3, salt over its rdata", ONE("0032", "0005", "01 00 0000 ff"),
		false},
	{"WKS", ONE("000b", "0005", "c0000201 06"), true},
	{"PX", ONE("001a", "0008", "000a <a.> <b.>"), true},
	{"PX, one name", ONE("001a", "0005", "000a <a.>"), false},
	{"HINFO", ONE("000d", "0004", "01'a' 01'b'"), true},
	{"HINFO, one string", ONE("000d", "0002", "01'a'"), false},
	{"APL of IPv6", ONE("002a", "0006", "0002 40 02 2001"), true},
	{"APL of 129 bits", ONE("002a", "0006", "0002 81 02 2001"), false},
	{"APL, half an item", ONE("002a", "0002", "0001"), false},
	{"HTTPS", ONE("0041", "000a", "0001 00 0001 0003 02'h2'"), true},
	{"HTTPS, keys fall", ONE("0041", "000b", "0001 00 0003 0000 0001 0000"),
		false},
	{"HTTPS, value over its rdata",
		ONE("0041", "0007", "0001 00 0003 0002"), false},
	{"APL", ONE("002a", "0007", "0001 15 03 c0a820"), true},
	{"APL of 33 bits", ONE("002a", "0007", "0001 21 03 c0a820"), false},
	{"APL, address over its rdata", ONE("002a", "0006", "0001 15 03 c0a8"),
		false},
	{"name over its rdata", ONE("0005", "0001", "00 00"), false},
	{"name shorter than its rdata", ONE("0005", "0003", "c00c 00"), false},
	{"MX without a name", ONE("000f", "0002", "000a"), false},
	{"MX of one octet", ONE("000f", "0001", "0a"), false},
	{"TXT string over its rdata", ONE("0010", "0003", "05'ab'"), false},
	{"TXT of nothing", ONE("0010", "0000", ""), false},
	{"SOA without its numbers", ONE("0006", "0004", "c00c c00c"), false},
	{"RRSIG, signer compressed",
		ONE("002e", "0016",
			"0001 08 02 0000003c 60000000 50000000 1234 c010 aabb"),
		false},
	{"two OPTs", HA("0000", "0000", "0002") Q OPT OPT, false},
	{"OPT as an answer", HA("0001", "0000", "0000") Q OPT, false},
	{"OPT with an owner",
		HA("0000", "0000", "0001") Q "c00c 0029 04d0 00000000 0000",
		false},
	{"option over its rdata",
		HA("0000", "0000", "0001") Q
		"00 0029 04d0 00000000 0004 000c 0002",
		false},
	{"TSIG not last", HA("0000", "0000", "0002") Q TSIG OPT, false},
	{"TSIG as an answer", HA("0001", "0000", "0000") Q TSIG, false},
	{"class CH in an IN answer",
		HA("0001", "0000", "0000") Q
		"c00c 0001 0003 0000003c 0004 c0000201",
		false},
	{"type ANY as a record", ONE("00ff", "0000", ""), false},
	{"type 0 as a record", ONE("0000", "0000", ""), false},
};

static void test_answers(void)
{
	uint8_t msg[512];

	for (size_t i = 0; i < countof(answers); i++) {
		size_t len = wire(msg, sizeof(msg), answers[i].msg);
		struct question q;
		struct edns edns;
		bool good = msg_check_answer(msg, len, &q, &edns);

		is_int(good, answers[i].good, "answer: %s", answers[i].what);
		if (good)
			ok(!msg_check_answer(msg, len - 1, &q, &edns),
				"  not when cut by one");
	}
}

static void test_walk(void)
{
	static const char text[] = HA("0001", "0001", "0001") Q RR("0001",
		"0004", "c0000201") "c010 0002 0001 00000e10 0002 c00c" OPT;
	uint8_t msg[512];
	size_t len = wire(msg, sizeof(msg), text);
	struct record_iter it;
	struct record rr;
	bool more;

	record_iter_init(&it, msg, len, 23);
	more = record_iter_next(&it, &rr);
	ok(more && rr.section == MSG_AN && rr.type == 1, "an A");
	is_int(rr.offset, 23, "offset");
	is_int(rr.ttl_offset, 29, "offset of the TTL");
	is_int(rr.ttl, 60, "TTL");
	is_int(rr.rdata_offset, 35, "rdata");
	is_int(rr.rdlen, 4, "its length");
	more = record_iter_next(&it, &rr);
	ok(more && rr.section == MSG_NS && rr.type == 2, "an NS");
	more = record_iter_next(&it, &rr);
	ok(more && rr.section == MSG_AR && rr.type == 41, "an OPT");
	ok(!record_iter_next(&it, &rr) && !it.failed, "the end");
	is_int((long long)it.pos, (long long)len, "of the message");
	record_iter_init(&it, msg, len - 1, 23);
	while (record_iter_next(&it, &rr))
		;
	ok(it.failed, "a cut message fails");
	ok(!record_iter_next(&it, &rr), "and stays so");
}

static void test_equal(void)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} rows[] = {
		{"<www.x.> 0001 0001", "<WwW.X.> 0001 0001", true},
		{"<www.x.> 0001 0001", "<wwx.x.> 0001 0001", false},
		{"<www.x.> 0001 0001", "<www.x.> 001c 0001", false},
		{"<www.x.> 0001 0001", "<www.x.> 0001 0003", false},
		{"<www.x.> 0001 0001", "<www.x.y.> 0001 0001", false},
	};
	struct question none = {0};

	for (size_t i = 0; i < countof(rows); i++) {
		uint8_t a[300], b[300];
		struct query_view va, vb;
		size_t na = wire(a, sizeof(a), HQ);
		size_t nb = wire(b, sizeof(b), HQ);

		na += wire(a + na, sizeof(a) - na, rows[i].a);
		nb += wire(b + nb, sizeof(b) - nb, rows[i].b);
		msg_parse_query(a, na, &va);
		msg_parse_query(b, nb, &vb);
		is_int(question_equal(&va.q, &vb.q), rows[i].equal, "%s = %s",
			rows[i].a, rows[i].b);
		ok(!question_equal(&va.q, &none), "nothing equals nothing");
	}
}

static void test_reply(void)
{
	static const struct {
		const char *what, *query;
		unsigned rcode;
		bool ra;
		int ede;
		const char *want;
	} rows[] = {
		{"REFUSED", "1234 0130 0001 0000 0000 0000" Q, 5, false, -1,
			"1234 8115 0001 0000 0000 0000" Q},
		{"SERVFAIL with RA", HQ Q, 2, true, 22,
			"1234 8182 0001 0000 0000 0000" Q},
		{"with OPT", HQ1 Q OPT, 2, true, -1,
			"1234 8182 0001 0000 0000 0001" Q OPT},
		{"with EDE", HQ1 Q OPT, 5, false, 18,
			"1234 8105 0001 0000 0000 0001" Q
			"00 0029 04d0 00008000 0006 000f 0002 0012"},
		{"BADVERS", HQ1 Q "00 0029 04d0 00010000 0000", 16, false, -1,
			"1234 8100 0001 0000 0000 0001" Q
			"00 0029 04d0 01000000 0000"},
		{"NOTIMP keeps the opcode", "1234 2000 0001 0000 0000 0000" Q,
			4, false, -1, "1234 a004 0001 0000 0000 0000" Q},
		{"FORMERR with an OPT alone",
			"1234 0100 0000 0000 0000 0001" OPT, 1, false, -1,
			"1234 8101 0000 0000 0000 0001"
			"00 0029 04d0 00008000 0000"},
		{"FORMERR without a question", "1234 0100 0002 0000 0000 0000",
			1, false, -1, "1234 8101 0000 0000 0000 0000"},
	};

	for (size_t i = 0; i < countof(rows); i++) {
		uint8_t msg[300], out[300], want[300];
		size_t len = wire(msg, sizeof(msg), rows[i].query);
		size_t want_len = wire(want, sizeof(want), rows[i].want);
		struct query_view v;
		size_t n;

		msg_parse_query(msg, len, &v);
		n = msg_make_reply(out, sizeof(out), msg, &v.q, &v.edns,
			rows[i].rcode, rows[i].ra, rows[i].ede);
		is_bytes(out, n, want, want_len, "%s", rows[i].what);
		n = msg_make_reply(msg, sizeof(msg), msg, &v.q, &v.edns,
			rows[i].rcode, rows[i].ra, rows[i].ede);
		is_bytes(msg, n, want, want_len, "%s, in place", rows[i].what);
		is_int((long long)msg_make_reply(
			       out, 11, msg, NULL, NULL, 1, false, -1),
			0, "no room");
	}
}

static void test_truncate(void)
{
	uint8_t msg[512], want[512];
	size_t len, want_len;
	struct question q;
	struct edns edns;

	len = wire(msg, sizeof(msg),
		HA("0001", "0000", "0001") Q RR("0001", "0004", "c0000201")
			OPT);
	if (!msg_check_answer(msg, len, &q, &edns))
		tap_bail("not an answer");
	len = msg_truncate(msg, len, &q, &edns);
	want_len =
		wire(want, sizeof(want), "1234 8380 0001 0000 0000 0001" Q OPT);
	is_bytes(msg, len, want, want_len, "the OPT stays");
	len = msg_truncate(msg, len, &q, NULL);
	want_len = wire(want, sizeof(want), "1234 8380 0001 0000 0000 0000" Q);
	is_bytes(msg, len, want, want_len, "without it");
}

static void test_make_query(void)
{
	uint8_t out[300], want[300];
	struct name name;
	size_t n, m;

	if (name_parse("www.x.", &name) != 0)
		tap_bail("name");
	n = msg_make_query(out, sizeof(out), 0x1234, name.wire, name.len, 1, 1,
		MSG_RD, 0, false);
	m = wire(want, sizeof(want), HQ Q);
	is_bytes(out, n, want, m, "plain");
	n = msg_make_query(out, sizeof(out), 0x1234, name.wire, name.len, 1, 1,
		MSG_RD, 1232, true);
	m = wire(want, sizeof(want), HQ1 Q OPT);
	is_bytes(out, n, want, m, "with OPT and DO");
	for (size_t room = 0; room < m; room++) {
		if (msg_make_query(out, room, 1, name.wire, name.len, 1, 1, 0,
			    1232, true) != 0)
			ok(false, "room of %zu", room);
	}
	ok(true, "0 when there is no room");
}

int main(void)
{
	test_queries();
	test_view();
	test_answers();
	test_walk();
	test_equal();
	test_reply();
	test_truncate();
	test_make_query();
	return tap_done();
}
