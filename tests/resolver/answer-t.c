/* SPDX-License-Identifier: ISC */
/*
 * Reply assembly: one message of the library, with DNSSEC records and names
 * compressed into them, for clients of all kinds.
 */

#include "resolver/answer.h"

#include "common/base/buf.h"
#include "common/dns/code.h"
#include "common/dns/ttl.h"
#include "resolver/strip.h"
#include "tests/tap/tap.h"

static struct wbuf w;
static uint8_t msg[MSG_MAX];
static uint16_t counts[4];
static uint8_t out[MSG_MAX + 1];

static struct name name_of(const char *text)
{
	struct name n;

	if (name_parse(text, &n) < 0)
		tap_bail("%s", text);
	return n;
}

static void begin(const char *qname, uint16_t type, uint16_t flags)
{
	struct name n = name_of(qname);

	memset(counts, 0, sizeof(counts));
	wbuf_init(&w, msg, sizeof(msg));
	wbuf_u16(&w, 0);
	wbuf_u16(&w, flags);
	for (unsigned i = 0; i < 4; i++)
		wbuf_u16(&w, 0);
	wbuf_bytes(&w, n.wire, n.len);
	wbuf_u16(&w, type);
	wbuf_u16(&w, DNS_CLASS_IN);
	counts[MSG_QD] = 1;
}

static size_t finish(void)
{
	for (unsigned i = 0; i < 4; i++)
		msg_set_count(msg, i, counts[i]);
	return w.pos;
}

/* Returns where the rdata begins. `owner`: text, or a pointer "@OFFSET". */
static size_t rr(enum msg_section section, const char *owner, uint16_t type,
	uint32_t ttl, const void *rdata, size_t rdlen)
{
	size_t at;

	counts[section]++;
	if (owner[0] == '@') {
		wbuf_u16(&w, (uint16_t)(0xc000 | atoi(owner + 1)));
	} else {
		struct name n = name_of(owner);

		wbuf_bytes(&w, n.wire, n.len);
	}
	wbuf_u16(&w, type);
	wbuf_u16(&w, type == DNS_TYPE_OPT ? 1232 : DNS_CLASS_IN);
	wbuf_u32(&w, ttl);
	wbuf_u16(&w, (uint16_t)rdlen);
	at = w.pos;
	wbuf_bytes(&w, rdata, rdlen);
	return at;
}

static const uint8_t address[] = {192, 0, 2, 1};
/* A 13 2 ... signer example., 64 octets; content does not matter */
static uint8_t rrsig[18 + 9 + 64];

static void make_rrsig(void)
{
	struct name signer = name_of("example.");

	memset(rrsig, 7, sizeof(rrsig));
	put16(rrsig, DNS_TYPE_A);
	memcpy(rrsig + 18, signer.wire, signer.len);
}

/* www.example. A + RRSIG; NSEC of sub.other. in authority with a later NS
 * whose owner is compressed into that NSEC's owner; OPT. */
static size_t signed_message(void)
{
	static uint8_t nsec[32];
	struct name next = name_of("z.other."), ns = name_of("ns.example.");
	char into[16];
	size_t at;

	make_rrsig();
	begin("www.example.", DNS_TYPE_A, MSG_QR | MSG_RD | MSG_RA);
	rr(MSG_AN, "@12", DNS_TYPE_A, 300, address, 4);
	rr(MSG_AN, "@12", DNS_TYPE_RRSIG, 300, rrsig, sizeof(rrsig));
	memcpy(nsec, next.wire, next.len);
	memcpy(nsec + next.len, "\0\1\x40", 3);
	at = w.pos;
	rr(MSG_NS, "sub.other.", DNS_TYPE_NSEC, 60, nsec, next.len + 3u);
	snprintf(into, sizeof(into), "@%zu", at + 4);
	rr(MSG_NS, into, DNS_TYPE_NS, 200, ns.wire, ns.len);
	rr(MSG_AR, ".", DNS_TYPE_OPT, 0x8000, "", 0);
	return finish();
}

static struct question question(struct name *n, uint16_t type)
{
	struct question q = {.name = n->wire,
		.name_len = n->len,
		.type = type,
		.class = DNS_CLASS_IN};

	return q;
}

static struct answer_client client(
	const struct question *q, uint16_t flags, bool edns, bool do_bit)
{
	struct answer_client c = {.name = q->name,
		.name_len = q->name_len,
		.type = q->type,
		.class = q->class,
		.id = 0x1234,
		.flags = flags,
		.edns = edns,
		.dnssec_ok = do_bit,
		.limit = 1232,
		.payload = 1232};

	return c;
}

static unsigned count_type(const uint8_t *m, size_t len, uint16_t type)
{
	struct question q;
	struct edns e;
	struct record_iter it;
	struct record r;
	unsigned n = 0;

	if (!msg_check_answer(m, len, &q, &e))
		return 999;
	record_iter_init(&it, m, len, q.end);
	while (record_iter_next(&it, &r))
		n += r.type == type;
	return n;
}

static void test_forms(void)
{
	struct name n = name_of("www.example.");
	struct name shouting = name_of("WWW.Example.");
	struct question q = question(&n, DNS_TYPE_A);
	size_t len = signed_message(), got;
	struct answer *a = answer_new(msg, len, &q, ANSWER_SECURE, NULL);
	struct answer_client c;

	ok(a != NULL, "a signed answer is taken");
	is_int(a->ttl_s, 60, "its life is its shortest TTL");
	q.name = shouting.wire;
	c = client(&q, MSG_RD, true, true);
	got = answer_write(a, &c, 10, 0, out);
	is_int(count_type(out, got, DNS_TYPE_RRSIG), 1, "DO: signatures");
	is_int(count_type(out, got, DNS_TYPE_NSEC), 1, "DO: proofs");
	is_int(count_type(out, got, DNS_TYPE_OPT), 1, "one OPT");
	is_int(msg_id(out), 0x1234, "the client's id");
	is_int(msg_flags(out), MSG_QR | MSG_RD | MSG_RA | MSG_AD, "AD");
	is_bytes(out + 12, shouting.len, shouting.wire, shouting.len,
		"the client's spelling");
	is_int(get32(out + 12 + 17 + 6), 290, "TTL less age");
	c = client(&q, MSG_RD, true, false);
	got = answer_write(a, &c, 0, 0, out);
	is_int(count_type(out, got, DNS_TYPE_RRSIG), 0, "no DO: none");
	is_int(count_type(out, got, DNS_TYPE_NSEC), 0, "no proofs");
	is_int(count_type(out, got, DNS_TYPE_A), 1, "but the address");
	is_int(count_type(out, got, DNS_TYPE_NS), 1, "and the NS");
	is_int(msg_flags(out), MSG_QR | MSG_RD | MSG_RA, "no AD");
	c = client(&q, MSG_RD | MSG_AD, false, false);
	got = answer_write(a, &c, 0, 0, out);
	is_int(msg_flags(out), MSG_QR | MSG_RD | MSG_RA | MSG_AD,
		"AD for who asks with AD");
	is_int(count_type(out, got, DNS_TYPE_OPT), 0,
		"no OPT for who sent none");
	free(a);
}

/* The NS record whose owner pointed into the NSEC keeps its owner. */
static void test_pointer(void)
{
	struct name n = name_of("www.example."), owner;
	struct question q = question(&n, DNS_TYPE_A), got_q;
	size_t len = signed_message(), got;
	struct answer *a = answer_new(msg, len, &q, ANSWER_INSECURE, NULL);
	struct answer_client c = client(&q, MSG_RD, true, false);
	struct record_iter it;
	struct record r;
	struct edns e;
	char text[NAME_MAX_TEXT] = "";

	got = answer_write(a, &c, 0, 0, out);
	if (!msg_check_answer(out, got, &got_q, &e))
		tap_bail("our own reply is malformed");
	record_iter_init(&it, out, got, got_q.end);
	while (record_iter_next(&it, &r))
		if (r.type == DNS_TYPE_NS &&
			name_read(out, got, r.offset, &owner) > 0)
			name_print(&owner, text);
	is_string(text, "other.", "a name compressed into what was left out");
	free(a);
}

static void test_asked_types(void)
{
	struct name n = name_of("www.example.");
	struct question q = question(&n, DNS_TYPE_RRSIG);
	struct answer_client c = client(&q, MSG_RD, true, false);
	struct answer *a;
	size_t len;

	make_rrsig();
	begin("www.example.", DNS_TYPE_RRSIG, MSG_QR);
	rr(MSG_AN, "@12", DNS_TYPE_RRSIG, 300, rrsig, sizeof(rrsig));
	len = finish();
	a = answer_new(msg, len, &q, ANSWER_INSECURE, NULL);
	len = answer_write(a, &c, 0, 0, out);
	is_int(count_type(out, len, DNS_TYPE_RRSIG), 1,
		"RRSIG asked for is given without DO");
	free(a);
}

static void test_bogus(void)
{
	struct name n = name_of("www.example.");
	struct question q = question(&n, DNS_TYPE_A);
	size_t len = signed_message(), got;
	struct answer *a = answer_new(msg, len, &q, ANSWER_BOGUS,
		"validation failure <x>: signature expired from 1.2.3.4");
	struct answer_client c = client(&q, MSG_RD, true, true);

	is_int(a->ede, 7, "the reason becomes an extended error");
	got = answer_write(a, &c, 0, 0, out);
	is_int(msg_rcode(out), DNS_RCODE_SERVFAIL, "bogus: SERVFAIL");
	is_int(count_type(out, got, DNS_TYPE_A), 0, "without data");
	c.flags |= MSG_CD;
	got = answer_write(a, &c, 0, 0, out);
	is_int(msg_flags(out), MSG_QR | MSG_RD | MSG_RA | MSG_CD,
		"CD: no error, no AD");
	is_int(count_type(out, got, DNS_TYPE_A), 1, "with data");
	free(a);
	a = answer_new(msg, len, &q, ANSWER_BOGUS, NULL);
	is_int(a->ede, DNS_EDE_DNSSEC_BOGUS, "no reason: bogus");
	free(a);
}

static void test_sizes(void)
{
	static uint8_t text[2000];
	struct name n = name_of("big.example.");
	struct question q = question(&n, DNS_TYPE_TXT);
	struct answer_client c = client(&q, MSG_RD, true, false);
	struct answer *a;
	size_t len;

	for (size_t i = 0; i < sizeof(text); i += 200)
		text[i] = 199;
	begin("big.example.", DNS_TYPE_TXT, MSG_QR);
	rr(MSG_AN, "@12", DNS_TYPE_TXT, 300, text, sizeof(text));
	len = finish();
	a = answer_new(msg, len, &q, ANSWER_INSECURE, NULL);
	len = answer_write(a, &c, 0, 0, out);
	ok(msg_flags(out) & MSG_TC, "too big: TC");
	ok(len < 60, "and nothing else");
	c.limit = MSG_MAX;
	len = answer_write(a, &c, 0, 0, out);
	ok(!(msg_flags(out) & MSG_TC) && len > 2000, "TCP: whole");
	len = answer_write(a, &c, 100, 30, out);
	is_int(get32(out + 12 + 17 + 6), 30, "stale: TTL 30");
	is_bytes(out + len - 6, 6, "\0\17\0\2\0\3", 6, "stale: EDE 3");
	free(a);
}

static void test_refused(void)
{
	struct name n = name_of("www.example."), m = name_of("a.example.");
	struct question q = question(&n, DNS_TYPE_A);
	struct question other = question(&m, DNS_TYPE_A);
	struct answer_client c = client(&q, MSG_RD, true, false);
	size_t len = signed_message();
	struct answer *a;

	ok(!answer_new(msg, len, &other, ANSWER_SECURE, NULL),
		"an answer to another question is not taken");
	ok(!answer_new(msg, len - 1, &q, ANSWER_SECURE, NULL), "cut short");
	ok(!answer_new(msg, 11, &q, ANSWER_SECURE, NULL), "shorter still");
	begin("www.example.", DNS_TYPE_A, MSG_QR | DNS_RCODE_SERVFAIL);
	len = finish();
	a = answer_new(msg, len, &q, ANSWER_INSECURE, NULL);
	ok(a && a->failure, "a cached SERVFAIL is a failure");
	len = answer_write(a, &c, 0, 0, out);
	is_int(msg_rcode(out), DNS_RCODE_SERVFAIL, "and stays one");
	is_bytes(out + len - 6, 6, "\0\17\0\2\0\26", 6, "with EDE 22");
	free(a);
	for (size_t cut = 12; cut < signed_message(); cut++) {
		a = answer_new(msg, cut, &q, ANSWER_SECURE, NULL);
		if (a)
			ok(false, "cut at %zu was taken", cut);
		free(a);
	}
}

/* The library relays an A record of three octets; we do not. */
static void test_rdlength(void)
{
	struct name n = name_of("www.example.");
	struct question q = question(&n, DNS_TYPE_A);

	begin("www.example.", DNS_TYPE_A, MSG_QR);
	rr(MSG_AN, "@12", DNS_TYPE_A, 300, address, 3);
	ok(!answer_new(msg, finish(), &q, ANSWER_INSECURE, NULL),
		"an address of three octets is not taken");
	begin("www.example.", DNS_TYPE_A, MSG_QR);
	rr(MSG_AN, "@12", DNS_TYPE_A, 0x80000000, address, 4);
	{
		struct answer *a =
			answer_new(msg, finish(), &q, ANSWER_INSECURE, NULL);
		struct answer_client c = client(&q, MSG_RD, false, false);

		is_int(a->ttl_s, 0, "a TTL of 2^31 counts as 0");
		answer_write(a, &c, 0, 0, out);
		is_int(get32(out + 12 + 17 + 6), 0, "and leaves as 0");
		free(a);
	}
}

static void test_negative(void)
{
	struct name n = name_of("no.example."), ns = name_of("ns.example.");
	struct question q = question(&n, DNS_TYPE_A);
	uint8_t soa[64];
	struct wbuf s;
	struct answer *a;

	wbuf_init(&s, soa, sizeof(soa));
	wbuf_bytes(&s, ns.wire, ns.len);
	wbuf_bytes(&s, ns.wire, ns.len);
	for (unsigned i = 0; i < 4; i++)
		wbuf_u32(&s, 1000);
	wbuf_u32(&s, 7);
	begin("no.example.", DNS_TYPE_A, MSG_QR | DNS_RCODE_NXDOMAIN);
	rr(MSG_NS, "example.", DNS_TYPE_SOA, 3600, soa, s.pos);
	a = answer_new(msg, finish(), &q, ANSWER_INSECURE, NULL);
	ok(a && a->negative, "NXDOMAIN is negative");
	is_int(a->ttl_s, 7, "and lives as its SOA says");
	free(a);
}

int main(void)
{
	test_forms();
	test_pointer();
	test_asked_types();
	test_bogus();
	test_sizes();
	test_refused();
	test_rdlength();
	test_negative();
	return tap_done();
}
