/* SPDX-License-Identifier: ISC */

/*
 * The authentication trailer. The golden frames are computed anew from the
 * format by hmac-golden-t.sh, which shares no code with us; the last two are
 * the test vectors of draft-cassen-vrrp-auth-hmac, which keepalived is held to.
 */

#include "ha/hmac.h"

#include "common/base/digest.h"
#include "tests/tap/tap.h"

enum {
	SEC = 1000000,
	WALL_S = 0x69280000,
	SENT_LATER = 17
};

static const int64_t wall = WALL_S * (int64_t)SEC + SEC / 2;

struct golden {
	const char *name;
	uint8_t family;
	const char *message; /* before it is signed */
	const char *frame;
	uint8_t key; /* its number */
	uint64_t seq;
	const uint8_t *src, *dst; /* NULL: as A of the lab; the group */
};

static const uint8_t draft_src4[16] = {198, 51, 100, 10};
static const uint8_t draft_src6[16] = {0xfe, 0x80, [15] = 0x10};
static const uint8_t draft_dst6[16] = {0xfe, 0x80, [15] = 0x20};

static const struct golden goldens[] = {
	{"v3 IPv4", 4, "31339601000a42ff0a620064",
		"31339601000a42ff0a620064"
		"010700006928000080000001136d06fa7168d58889db16b49c68aa17",
		7, 0x6928000080000001, NULL, NULL},
	{"v2 IPv4", 4, "2133960100013e040a6200640000000000000000",
		"2133960100013e040a6200640000000000000000"
		"01070000692800008000000100199c4200e23ac7bf976350f0cd18e6",
		7, 0x6928000080000001, NULL, NULL},
	{"v3 IPv6", 6,
		"31339602000a3d6efe800000000000000000000000000100"
		"fd980000000000000000000000000100",
		"31339602000a9c6ffe800000000000000000000000000100"
		"fd980000000000000000000000000100"
		"010700006928000080000001f0670041ceb0a578ce29964b00d3ec96",
		7, 0x6928000080000001, NULL, NULL},
	{"draft, IPv4", 4, "3133c80100644402c0000264",
		"3133c80100644402c0000264"
		"0101000068000000800000001b84bc4e8e43892dc6d98448f8ee2265",
		1, 0x6800000080000000, draft_src4, NULL},
	{"draft, IPv6", 6, "3133c80100640000fe800000000000000000000000000100",
		"3133c8010064a2e9fe800000000000000000000000000100"
		"010100006800000080000000c8c56146ebfd66ee10ec4d8186461b78",
		1, 0x6800000080000000, draft_src6, draft_dst6},
};

static struct hmac_conf cf;
static struct hmac_state st;
static struct packet_meta meta;
static uint8_t pdu[128];
static size_t len;

static size_t unhex(const char *text, uint8_t *out)
{
	size_t n = strlen(text) / 2;

	if (!hex_parse(text, out, n))
		tap_bail("bad hex");
	return n;
}

static void set_conf(enum hmac_mode mode)
{
	memset(&cf, 0, sizeof(cf));
	memset(&st, 0, sizeof(st));
	cf.mode = mode;
	cf.window_s = 5;
	cf.key_count = 2;
	cf.active = 1;
	cf.keys[0] = (struct hmac_key){.id = 1, .len = HMAC_KEY_MIN};
	cf.keys[1] = (struct hmac_key){.id = 7, .len = HMAC_KEY_MIN};
	for (uint8_t i = 0; i < HMAC_KEY_MIN; i++)
		cf.keys[0].octets[i] = cf.keys[1].octets[i] = i;
}

static void set_meta(uint8_t family)
{
	static const uint8_t a4[] = {10, 98, 0, 11};
	static const uint8_t a6[] = {
		0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe, 0, 0, 0x0a};

	memset(&meta, 0, sizeof(meta));
	meta.family = family;
	meta.ttl = 255;
	if (family == 6)
		memcpy(meta.src, a6, sizeof(a6));
	else
		memcpy(meta.src, a4, sizeof(a4));
	packet_group(family, meta.dst);
}

static enum packet_verdict check(int64_t later_s)
{
	return hmac_check(&st, &cf, &meta, pdu, len, wall + later_s * SEC);
}

/* The first golden frame anew, as it was sent. */
static void good(enum hmac_mode mode)
{
	set_conf(mode);
	set_meta(4);
	len = unhex(goldens[0].frame, pdu);
}

static void test_golden(const struct golden *g)
{
	uint8_t want[128];
	struct packet_advert adv;
	struct packet_rules rules = {.vrid = 51, .trailer = true};
	unsigned notes;
	size_t n = unhex(g->frame, want);
	int64_t at = (int64_t)(g->seq >> 32) * SEC;

	set_conf(HMAC_ENFORCE);
	set_meta(g->family);
	if (g->src)
		memcpy(meta.src, g->src, 16);
	if (g->dst)
		memcpy(meta.dst, g->dst, 16);
	cf.active = g->key == 7;
	len = unhex(g->message, pdu);
	hmac_sign(&cf, g->seq, &meta, pdu, len);
	len += PACKET_TRAILER;
	is_bytes(pdu, len, want, n, "case 81: %s: signed", g->name);
	rules.version = pdu[0] >> 4;
	rules.family = g->family;
	rules.interval_cs = rules.version == 2 ? 100 : 10;
	rules.unicast = g->dst != NULL;
	is_int(packet_decode(&rules, &meta, want, n, &adv, &notes), PACKET_OK,
		"case 81: %s: decoded with its trailer", g->name);
	is_int(hmac_check(&st, &cf, &meta, pdu, len, at), PACKET_OK,
		"case 81: %s: checked", g->name);
	rules.trailer = false;
	is_int(packet_decode(&rules, &meta, want, n, &adv, &notes), PACKET_LEN,
		"case 18: %s: too long where none is expected", g->name);
}

/* What each mode makes of each kind. */
static void test_modes(void)
{
	static const char *const names[] = {
		"off", "receive-only", "permissive", "enforce"};

	for (int m = HMAC_RECEIVE_ONLY; m <= HMAC_ENFORCE; m++) {
		enum packet_verdict bare =
			m == HMAC_ENFORCE ? PACKET_HMAC_MISSING : PACKET_OK;

		good((enum hmac_mode)m);
		is_int(check(0), PACKET_OK, "case 81: %s: good", names[m]);
		is_int(check(0), PACKET_HMAC_REPLAY, "case 81: %s: replay",
			names[m]);
		good((enum hmac_mode)m);
		is_int(check(5), PACKET_OK, "case 81: %s: 5 s old", names[m]);
		good((enum hmac_mode)m);
		is_int(check(6), PACKET_HMAC_STALE, "case 81: %s: 6 s old",
			names[m]);
		is_int(check(-6), PACKET_HMAC_STALE, "case 81: %s: 6 s ahead",
			names[m]);
		cf.keys[1].id = 8;
		is_int(check(0), PACKET_HMAC_KEY, "case 81: %s: unknown key",
			names[m]);
		good((enum hmac_mode)m);
		len -= PACKET_TRAILER;
		is_int(check(0), bare, "case 81: %s: missing", names[m]);
		good((enum hmac_mode)m);
		pdu[12] = 2;
		is_int(check(0), PACKET_HMAC_FORM, "case 81: %s: other type",
			names[m]);
		pdu[12] = 1;
		pdu[15] = 1;
		is_int(check(0), PACKET_HMAC_FORM,
			"case 81: %s: reserved octets", names[m]);
	}
	good(HMAC_OFF);
	len -= PACKET_TRAILER;
	is_int(check(0), PACKET_OK, "case 81: off: missing");
}

/* Nothing but the checksum may change. */
static void test_covered(void)
{
	int missed = 0;

	for (size_t i = 0; i < 40; i++) {
		if (i == 3 || i == 6 || i == 7) /* count: another length */
			continue;
		good(HMAC_ENFORCE);
		pdu[i] ^= 0x40;
		missed += check(0) == PACKET_OK;
	}
	is_int(missed, 0, "case 81: every octet is covered");
	good(HMAC_ENFORCE);
	pdu[6] ^= 1;
	is_int(check(0), PACKET_OK, "case 81: but the checksum");
	good(HMAC_ENFORCE);
	meta.src[3]++;
	is_int(check(0), PACKET_HMAC_FAIL, "case 81: so is the source");
	good(HMAC_ENFORCE);
	cf.keys[1].octets[0] ^= 1;
	is_int(check(0), PACKET_HMAC_FAIL, "case 81: another key");
	cf.keys[1].octets[0] ^= 1;
	is_int(check(0), PACKET_OK,
		"case 81: a forged one does not move the number");
}

static enum packet_verdict from(uint8_t last, uint64_t seq)
{
	set_meta(4);
	meta.src[3] = last;
	len = unhex(goldens[0].message, pdu);
	hmac_sign(&cf, (uint64_t)WALL_S << 32 | seq, &meta, pdu, len);
	len += PACKET_TRAILER;
	return check(0);
}

static void test_senders(void)
{
	set_conf(HMAC_ENFORCE);
	is_int(from(1, 5), PACKET_OK, "a sender");
	is_int(from(2, 5), PACKET_OK, "another with the same number");
	is_int(from(1, 4), PACKET_HMAC_REPLAY, "a lower one");
	for (uint8_t i = 3; i < 3 + HMAC_SENDERS; i++)
		(void)from(i, 5);
	is_int(from(2 + HMAC_SENDERS, 5), PACKET_HMAC_REPLAY,
		"the latest are remembered");
	is_int(from(1, 6), PACKET_OK, "one that was forgotten begins anew");
}

static enum packet_verdict at_time(int64_t sent_s, int64_t now_s)
{
	set_meta(4);
	len = unhex(goldens[0].message, pdu);
	hmac_sign(&cf, (uint64_t)(WALL_S + sent_s) << 32, &meta, pdu, len);
	len += PACKET_TRAILER;
	return check(now_s);
}

/* All clocks were an hour ahead and are put right: nobody is deaf then. */
static void test_clock_step(void)
{
	set_conf(HMAC_ENFORCE);
	is_int(at_time(3600, 3600), PACKET_OK, "case 81: an hour ahead");
	is_int(at_time(10, 10), PACKET_OK, "case 81: all clocks put right");
	is_int(at_time(10, 10), PACKET_HMAC_REPLAY,
		"case 81: what was heard since then counts");
	is_int(at_time(9, 10), PACKET_HMAC_REPLAY,
		"case 81: and orders what comes");
}

static void test_numbers(void)
{
	uint64_t a, b;

	set_conf(HMAC_ENFORCE);
	a = hmac_next(&st, &cf, wall);
	is_int((long long)(a >> 32), WALL_S, "seconds");
	is_int(a >> 16 & 0xffff, 0x8000, "half of one");
	b = hmac_next(&st, &cf, wall);
	is_int((long long)(b - a), 1, "the clock stands: it grows");
	b = hmac_next(&st, &cf, wall - SEC);
	is_int((long long)(b - a), 2, "the clock is put back: it grows");
	b = hmac_next(&st, &cf, wall + SENT_LATER);
	ok(b > a + 2, "the clock goes on: it follows");
	b = hmac_next(&st, &cf, wall - 100 * (int64_t)SEC);
	is_int((long long)(b >> 32), WALL_S - 100,
		"put back by more than the window: it begins anew");
	a = hmac_next(&st, &cf, 0xffffffffLL * SEC);
	memset(&st, 0, sizeof(st));
	st.sent = a;
	b = hmac_next(&st, &cf, 0x100000001LL * SEC);
	ok((int64_t)(b - a) > 0, "it goes round in the year 2106");
}

int main(void)
{
	for (size_t i = 0; i < countof(goldens); i++)
		test_golden(&goldens[i]);
	test_modes();
	test_covered();
	test_senders();
	test_clock_step();
	test_numbers();
	return tap_done();
}
