/* SPDX-License-Identifier: ISC */
/* Where transfers end, and which messages are no part of them; requests and
 * answers of the other opcodes that are handed on. */

#include "frontend/xfr.h"

#include "common/base/buf.h"
#include "common/dns/code.h"
#include "tests/tap/tap.h"
#include "tests/tap/wire.h"

#include <stdio.h>

#define ID 0x1234

static uint8_t msg[65536];

/* --- transfers --------------------------------------------------------- */

static void put_record(struct wbuf *w, uint16_t type, uint16_t class,
	const void *rdata, size_t len)
{
	wbuf_u8(w, 1);
	wbuf_u8(w, 'x');
	wbuf_u8(w, 0);
	wbuf_u16(w, type);
	wbuf_u16(w, class);
	wbuf_u32(w, 60);
	wbuf_u16(w, (uint16_t)len);
	wbuf_bytes(w, rdata, len);
}

static void put_soa(struct wbuf *w, uint32_t serial, size_t len)
{
	uint8_t rdata[22] = {0};

	put32(rdata + 2, serial);
	put_record(w, DNS_TYPE_SOA, DNS_CLASS_IN, rdata, len);
}

/* OPT or TSIG: root owner. */
static void put_pseudo(struct wbuf *w, uint16_t type)
{
	wbuf_u8(w, 0);
	wbuf_u16(w, type);
	wbuf_u16(w, type == DNS_TYPE_TSIG ? DNS_CLASS_ANY : 1232);
	wbuf_u32(w, 0);
	wbuf_u16(w, 0);
}

/*
 * A message of the zone "x." from words: S7 an SOA with serial 7, r another
 * record, b one below, c one of class CH, s a short SOA, o OPT, t TSIG, n in
 * the authority section; q the question, Q another one; e5 rcode 5, i another
 * id, g garbage at the end, p another opcode, A not an answer.
 */
static size_t make(const char *words, uint16_t qtype)
{
	uint16_t counts[4] = {0}, id = ID, flags = MSG_QR;
	struct wbuf w;

	wbuf_init(&w, msg, sizeof(msg));
	w.pos = MSG_HEADER;
	for (const char *c = words; *c; c++) {
		unsigned n = 0;
		char word = *c;

		while (c[1] >= '0' && c[1] <= '9')
			n = n * 10 + (unsigned)(*++c - '0');
		switch (word) {
		case 'q':
		case 'Q':
			wbuf_bytes(&w, word == 'q' ? "\1X" : "\1y", 3);
			wbuf_u16(&w, qtype);
			wbuf_u16(&w, DNS_CLASS_IN);
			counts[MSG_QD]++;
			break;
		case 'S':
		case 's':
			put_soa(&w, n, word == 'S' ? 22 : 21);
			counts[MSG_AN]++;
			break;
		case 'r':
		case 'c':
			put_record(&w, DNS_TYPE_A,
				word == 'r' ? DNS_CLASS_IN : DNS_CLASS_CH,
				"\1\2\3\4", 4);
			counts[MSG_AN]++;
			break;
		case 'b': /* an SOA that is not the zone's */
			wbuf_bytes(&w, "\1a", 2);
			put_soa(&w, n, 22);
			counts[MSG_AN]++;
			break;
		case 'n':
			put_record(&w, DNS_TYPE_NS, DNS_CLASS_IN, "", 1);
			counts[MSG_NS]++;
			break;
		case 'o':
		case 't':
			put_pseudo(
				&w, word == 'o' ? DNS_TYPE_OPT : DNS_TYPE_TSIG);
			counts[MSG_AR]++;
			break;
		case 'e':
			flags |= (uint16_t)n;
			break;
		case 'i':
			id++;
			break;
		case 'p':
			flags |= DNS_OPCODE_NOTIFY << 11;
			break;
		case 'A':
			flags &= (uint16_t)~MSG_QR;
			break;
		case 'g':
			wbuf_u8(&w, 0);
			break;
		case ' ':
			break;
		default:
			tap_bail("word %c", word);
		}
	}
	msg_set_id(msg, id);
	msg_set_flags(msg, flags);
	for (int i = 0; i < 4; i++)
		msg_set_count(msg, (enum msg_section)i, counts[i]);
	return w.pos;
}

static void begin(struct xfr *x, uint16_t type, const char *query)
{
	size_t len = wire(msg, sizeof(msg), query);
	struct query_view view;

	if (msg_parse_query(msg, len, &view) != MSG_OK ||
		!xfr_init(x, msg, len, &view) || x->asked.type != type)
		tap_bail("query %s", query);
}

#define AXFR "1234 0000 0001 0000 0000 0000 <x.> 00fc 0001"
#define IXFR "1234 0000 0001 0000 0001 0000 <x.> 00fb 0001"
#define SOA5                                                                   \
	"c00c 0006 0001 00000000 0016 0000 00000005 00000000 00000000"         \
	"00000000 00000000"

/* Messages separated by |; the verdict of the last, all before want more. */
static const struct {
	const char *what, *messages;
	enum xfr_verdict verdict;
	bool ixfr;
} transfers[] = {
	{"one message", "q S7 r r S7", XFR_END, false},
	{"one per record", "q S7|r|r|S7", XFR_END, false},
	{"question in all", "q S7 r|q r|q S7", XFR_END, false},
	{"no question at all", "S7 r S7", XFR_END, false},
	{"an empty zone", "q S7 S7", XFR_END, false},
	{"EDNS, signed", "q S7 r ot|r t|S7 ot", XFR_END, false},
	{"unsigned in the middle", "q S7 t|r|S7 t", XFR_END, false},
	{"an SOA below the zone", "q S7 b8 r|S7", XFR_END, false},
	{"not yet", "q S7 r", XFR_MORE, false},
	{"not yet, the SOA alone", "q S7", XFR_MORE, false},
	{"refused", "q e5", XFR_END, false},
	{"refused, no question", "e5", XFR_END, false},
	{"NOTAUTH, signed", "q e9 t", XFR_END, false},
	{"an error later", "q S7 r|e2", XFR_BAD, false},
	{"no SOA first", "q r S7", XFR_BAD, false},
	{"another SOA at the end", "q S7 r S8", XFR_BAD, false},
	{"another SOA at once", "q S7 S8", XFR_BAD, false},
	{"behind the end, same message", "q S7 r S7 r", XFR_BAD, false},
	{"behind the end, next message", "q S7 r S7|r", XFR_BAD, false},
	{"nothing in it", "q", XFR_BAD, false},
	{"nothing in the second", "q S7 r|q", XFR_BAD, false},
	{"another id", "q S7 i", XFR_BAD, false},
	{"another question", "Q S7", XFR_BAD, false},
	{"two questions", "q q S7", XFR_BAD, false},
	{"another question later", "q S7 r|Q S7", XFR_BAD, false},
	{"another opcode", "q S7 p", XFR_BAD, false},
	{"a query", "q S7 A", XFR_BAD, false},
	{"trailing octets", "q S7 r S7 g", XFR_BAD, false},
	{"another class", "q S7 c S7", XFR_BAD, false},
	{"SOA too short", "q s7 r S7", XFR_BAD, false},
	{"authority section", "q S7 r S7 n", XFR_BAD, false},
	{"TSIG not last", "q S7 r S7 t o", XFR_BAD, false},
	/* the client has serial 5 */
	{"IXFR: up to date", "q S5", XFR_END, true},
	{"IXFR: it has a later one", "q S4", XFR_END, true},
	{"IXFR: a later one across zero", "q S4294967290", XFR_END, true},
	{"IXFR: newer, more follows", "q S7", XFR_MORE, true},
	{"IXFR: one step", "q S7 S5 r S7 r S7", XFR_END, true},
	{"IXFR: two steps", "q S7 S5 r S6 r S6 r S7 r S7", XFR_END, true},
	{"IXFR: nothing deleted or added", "q S7 S5 S7 S7", XFR_END, true},
	{"IXFR: one per record", "q S7|S5|r|S6|r|S6|S7|r|S7", XFR_END, true},
	{"IXFR: one per record, not yet", "q S7|S5|r|S6|r|S6|S7|r", XFR_MORE,
		true},
	{"IXFR: condensed", "q S7|S5 r r r S7 r r|S7", XFR_END, true},
	{"IXFR: steps do not join", "q S7 S5 r S6 r S5", XFR_BAD, true},
	{"IXFR: behind the end", "q S7 S5 S7 S7 r", XFR_BAD, true},
	{"IXFR: the whole zone", "q S7 r r|r S7", XFR_END, true},
	{"IXFR: the whole zone, empty", "q S7 S7", XFR_END, true},
	{"IXFR: the whole zone, other end", "q S7 r r|r S8", XFR_BAD, true},
	{"IXFR: refused", "q e5", XFR_END, true},
};

static void run(size_t i)
{
	char words[256], *next = words, *one;
	enum xfr_verdict got = XFR_MORE;
	struct xfr x;

	begin(&x, transfers[i].ixfr ? DNS_TYPE_IXFR : DNS_TYPE_AXFR,
		transfers[i].ixfr ? IXFR SOA5 : AXFR);
	(void)snprintf(words, sizeof(words), "%s", transfers[i].messages);
	while ((one = strsep(&next, "|")) != NULL) {
		size_t len = make(one, x.asked.type);

		got = xfr_take(&x, msg, len);
		if (next && got == XFR_BAD)
			tap_diag("%s: \"%s\" is bad", transfers[i].what, one);
	}
	is_int(got, transfers[i].verdict, "%s", transfers[i].what);
}

/* Every message that is cut short is bad, and every first one is bounded. */
static void test_cut(void)
{
	unsigned taken = 0;
	struct xfr x;

	for (size_t cut = 1; cut < 60; cut++) {
		size_t len = make("q S7 r S7 ot", DNS_TYPE_AXFR);
		static uint8_t copy[512];

		memcpy(copy, msg, len);
		begin(&x, DNS_TYPE_AXFR, AXFR);
		taken += xfr_take(&x, copy, len - cut) != XFR_BAD;
	}
	is_int(taken, 0, "a message that is cut is bad");
	begin(&x, DNS_TYPE_AXFR, AXFR);
	is_int(xfr_take(&x, msg, 0), XFR_BAD, "so is an empty one");
}

static void test_ixfr_query(void)
{
	static const char *const bad[] = {
		"1234 0000 0001 0000 0000 0000 <x.> 00fb 0001",
		"1234 0000 0001 0000 0001 0000 <x.> 00fb 0001"
		"c00c 0006 0001 00000000 0004 0000 0000",
		"1234 0000 0001 0000 0001 0000 <x.> 00fb 0001"
		"<y.> 0006 0001 00000000 0016 0000 00000005 00000000"
		"00000000 00000000 00000000",
	};
	struct xfr x;

	for (size_t i = 0; i < countof(bad); i++) {
		size_t len = wire(msg, sizeof(msg), bad[i]);
		struct query_view view;

		ok(msg_parse_query(msg, len, &view) == MSG_OK &&
				!xfr_init(&x, msg, len, &view),
			"IXFR without its SOA, %zu", i);
	}
	begin(&x, DNS_TYPE_IXFR, IXFR SOA5);
	is_int(x.client_serial, 5, "the client's serial");
}

/* --- NOTIFY and UPDATE ------------------------------------------------- */

#define A4   "0001 0001 0000003c 0004 01020304"
#define OPT  "00 0029 04d0 00000000 0000"
#define TSIG "00 00fa 00ff 00000000 0000"

static const struct {
	const char *what, *msg;
	bool good;
} requests[] = {
	{"NOTIFY", "1234 2400 0001 0000 0000 0000 <x.> 0006 0001", true},
	{"NOTIFY with the SOA, OPT, TSIG",
		"1234 2400 0001 0001 0000 0002 <x.> 0006 0001" SOA5 OPT TSIG,
		true},
	{"NOTIFY for CDS", "1234 2400 0001 0000 0000 0000 <x.> 003b 0001",
		true},
	{"NOTIFY with authority",
		"1234 2400 0001 0000 0001 0000 <x.> 0006 0001" SOA5, false},
	{"NOTIFY, trailing octet",
		"1234 2400 0001 0000 0000 0000 <x.> 0006 0001 00", false},
	{"NOTIFY, record cut",
		"1234 2400 0001 0001 0000 0000 <x.> 0006 0001 c00c 0006",
		false},
	{"NOTIFY, TSIG before OPT",
		"1234 2400 0001 0000 0000 0002 <x.> 0006 0001" TSIG OPT, false},
	{"NOTIFY, two OPTs",
		"1234 2400 0001 0000 0000 0002 <x.> 0006 0001" OPT OPT, false},
	{"NOTIFY, OPT as an answer",
		"1234 2400 0001 0001 0000 0000 <x.> 0006 0001" OPT, false},
	{"UPDATE, nothing to do",
		"1234 2800 0001 0000 0000 0000 <x.> 0006 0001", true},
	{"UPDATE: add, signed",
		"1234 2800 0001 0000 0001 0001 <x.> 0006 0001 c00c" A4 TSIG,
		true},
	{"UPDATE: name in use, delete all, delete one",
		"1234 2800 0001 0001 0002 0000 <x.> 0006 0001"
		"c00c 00ff 00ff 00000000 0000"
		"c00c 00ff 00ff 00000000 0000"
		"c00c 0001 00fe 00000000 0004 01020304",
		true},
	{"UPDATE for another type",
		"1234 2800 0001 0000 0000 0000 <x.> 0001 0001", false},
	{"UPDATE, a record of class CH",
		"1234 2800 0001 0000 0001 0000 <x.> 0006 0001"
		"c00c 0001 0003 00000000 0004 01020304",
		false},
	{"UPDATE, class ANY with rdata",
		"1234 2800 0001 0000 0001 0000 <x.> 0006 0001"
		"c00c 0001 00ff 00000000 0004 01020304",
		false},
	{"UPDATE, class NONE as additional data",
		"1234 2800 0001 0000 0000 0001 <x.> 0006 0001"
		"c00c 0001 00fe 00000000 0004 01020304",
		false},
	{"UPDATE, two zones",
		"1234 2800 0002 0000 0000 0000 <x.> 0006 0001 <y.> 0006 0001",
		false},
};

static void test_requests(void)
{
	for (size_t i = 0; i < countof(requests); i++) {
		size_t len = wire(msg, sizeof(msg), requests[i].msg);
		struct query_view view;

		if (msg_parse_query(msg, len, &view) != MSG_NOTIMP)
			tap_bail("%s", requests[i].what);
		is_int(exchange_check_request(msg, len, &view),
			requests[i].good, "%s", requests[i].what);
	}
}

static const struct {
	const char *what, *msg;
	bool good;
} answers[] = {
	{"the question repeated",
		"1234 a800 0001 0000 0000 0000 <X.> 0006 0001", true},
	{"a bare header", "1234 a805 0000 0000 0000 0000", true},
	{"all of it repeated",
		"1234 a800 0001 0000 0001 0001 <x.> 0006 0001 c00c" A4 TSIG,
		true},
	{"another id", "1235 a800 0000 0000 0000 0000", false},
	{"no answer", "1234 2800 0000 0000 0000 0000", false},
	{"another opcode", "1234 a000 0000 0000 0000 0000", false},
	{"another zone", "1234 a800 0001 0000 0000 0000 <y.> 0006 0001", false},
	{"another type", "1234 a800 0001 0000 0000 0000 <x.> 0001 0001", false},
	{"another class", "1234 a800 0001 0000 0000 0000 <x.> 0006 0003",
		false},
	{"two questions",
		"1234 a800 0002 0000 0000 0000 <x.> 0006 0001 <x.> 0006 0001",
		false},
	{"cut", "1234 a800 0001 0000 0000 0000 <x.> 0006", false},
	{"half a header", "1234 a800 0000", false},
	{"a record is missing", "1234 a800 0000 0000 0001 0000", false},
	{"trailing octet", "1234 a800 0000 0000 0000 0000 00", false},
};

static void test_answers(void)
{
	static const char request[] =
		"1234 2800 0001 0000 0000 0000 <x.> 0006 0001";
	size_t len = wire(msg, sizeof(msg), request);
	struct query_view view;
	struct exchange x;

	(void)msg_parse_query(msg, len, &view);
	exchange_init(&x, msg, &view);
	for (size_t i = 0; i < countof(answers); i++) {
		len = wire(msg, sizeof(msg), answers[i].msg);
		is_int(exchange_is_answer(&x, ID, msg, len), answers[i].good,
			"an answer: %s", answers[i].what);
	}
}

int main(void)
{
	for (size_t i = 0; i < countof(transfers); i++)
		run(i);
	test_cut();
	test_ixfr_query();
	test_requests();
	test_answers();
	return tap_done();
}
