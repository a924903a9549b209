/* SPDX-License-Identifier: ISC */

/*
 * The advertisement codec against frames captured from keepalived 2.2.7, and
 * every reason to discard, one row each.
 */

#include "ha/packet.h"

#include <errno.h>

#include "common/base/digest.h"
#include "common/base/hash.h"
#include "tests/ha/frame.h"
#include "tests/tap/tap.h"

/* Octets of hex text; blanks between layers are skipped. */
static size_t unhex(const char *text, uint8_t *out)
{
	char pair[3] = {0};
	size_t n = 0;

	for (; *text; text += 2) {
		while (*text == ' ')
			text++;
		memcpy(pair, text, 2);
		if (!hex_parse(pair, out + n++, 1))
			tap_bail("bad hex");
	}
	return n;
}

static const uint8_t node_a[16] = {10, 98, 0, 11};
static const uint8_t node_b[16] = {10, 98, 0, 12};
static const uint8_t vip4[4] = {10, 98, 0, 100};
static const uint8_t link_a[16] = {
	0xfe, 0x80, [11] = 0xff, [12] = 0xfe, [15] = 0x0a};
static const uint8_t vip6[32] = {
	0xfe, 0x80, [14] = 1, [15] = 0, [16] = 0xfd, 0x98, [30] = 1, [31] = 0};

struct golden {
	const char *name;
	const char *ip; /* IPv4 header as captured, or "" */
	const char *pdu;
	uint8_t version, family, priority, auth;
	uint16_t interval_cs, id;
	enum packet_sum form;
};

static const struct golden goldens[] = {
	{"case 1: v2 PASS", "45c0002800010000ff70d0250a62000be0000012",
		"2133960101013c3e0a6200646c61623132330000", 2, 4, 150, 1, 100,
		1, 0},
	{"case 2: v2 PASS, priority 0",
		"45c0002800040000ff70d0220a62000be0000012",
		"213300010101d23e0a6200646c61623132330000", 2, 4, 0, 1, 100, 4,
		0},
	{"case 3: v3 IPv4, pseudo-header",
		"45c0002000010000ff70d02d0a62000be0000012",
		"31339601000a42ff0a620064", 3, 4, 150, 0, 10, 1,
		PACKET_SUM_PSEUDO},
	{"case 3: v3 IPv4, priority 0",
		"45c00020001c0000ff70d0120a62000be0000012",
		"31330001000ad8ff0a620064", 3, 4, 0, 0, 10, 0x1c,
		PACKET_SUM_PSEUDO},
	{"case 4: v3 IPv4, RFC 9568 checksum", "", "31339601000a2dfb0a620064",
		3, 4, 150, 0, 10, 0, PACKET_SUM_PLAIN},
	{"case 4: v3 IPv4, RFC 9568, priority 0", "",
		"31330001000ac3fb0a620064", 3, 4, 0, 0, 10, 0,
		PACKET_SUM_PLAIN},
	{"case 5: v3 IPv6", "",
		"31339602000a3d6efe800000000000000000000000000100"
		"fd980000000000000000000000000100",
		3, 6, 150, 0, 10, 0, 0},
	{"case 5: v3 IPv6, priority 0", "",
		"31330002000ad36efe800000000000000000000000000100"
		"fd980000000000000000000000000100",
		3, 6, 0, 0, 10, 0, 0},
};

static void golden_advert(const struct golden *g, struct packet_advert *adv)
{
	memset(adv, 0, sizeof(*adv));
	adv->version = g->version;
	adv->family = g->family;
	adv->vrid = 51;
	adv->priority = g->priority;
	adv->interval_cs = g->interval_cs;
	adv->auth_type = g->auth;
	memcpy(adv->auth, "lab123\0", 8);
	adv->count = g->family == 6 ? 2 : 1;
	adv->addrs = g->family == 6 ? vip6 : vip4;
}

static void golden_rules(const struct golden *g, struct packet_rules *rules)
{
	struct packet_advert adv;

	golden_advert(g, &adv);
	memset(rules, 0, sizeof(*rules));
	rules->version = adv.version;
	rules->family = adv.family;
	rules->vrid = adv.vrid;
	rules->auth_type = adv.auth_type;
	memcpy(rules->auth, adv.auth, 8);
	rules->interval_cs = adv.interval_cs;
	memcpy(rules->self, node_b, 16);
	rules->addrs = adv.addrs;
	rules->count = adv.count;
}

static void golden_meta(uint8_t family, struct packet_meta *meta)
{
	memset(meta, 0, sizeof(*meta));
	meta->family = family;
	meta->ttl = 255;
	memcpy(meta->src, family == 6 ? link_a : node_a, 16);
	packet_group(family, meta->dst);
}

static void test_golden(const struct golden *g)
{
	uint8_t want[256], got[PACKET_MAX], head[32];
	struct packet_advert adv, back;
	struct packet_meta meta;
	struct packet_rules rules;
	unsigned notes;
	size_t len = unhex(g->pdu, want);
	int n;

	golden_advert(g, &adv);
	golden_meta(g->family, &meta);
	n = packet_encode(&adv, g->form, meta.src, meta.dst, got, sizeof(got));
	is_bytes(got, n < 0 ? 0 : (size_t)n, want, len, "%s: encode", g->name);
	if (*g->ip) {
		packet_ip4_header(head, node_a, meta.dst, g->id, (size_t)n);
		unhex(g->ip, want + len);
		is_bytes(head, 20, want + len, 20, "%s: IP header", g->name);
	}
	golden_rules(g, &rules);
	is_int(packet_decode(&rules, &meta, want, len, &back, &notes),
		PACKET_OK, "%s: decode", g->name);
	is_int(back.priority, g->priority, "%s: priority", g->name);
	is_int(!!(notes & PACKET_NOTE_PLAIN_SUM), g->form == PACKET_SUM_PLAIN,
		"%s: form of the checksum is told", g->name);
}

/* One change to a good packet and what comes of it. */
struct bad {
	const char *name;
	int golden; /* index in goldens */
	int at;     /* octet to set; -1 = none */
	int value;
	int length; /* added to the length */
	enum packet_verdict want;
	bool keep_sum; /* do not repair the checksum */
};

static const struct bad bads[] = {
	{"case 9: checksum v2", 0, 7, 0, 0, PACKET_CHECKSUM, true},
	{"case 9: checksum v3", 2, 7, 0, 0, PACKET_CHECKSUM, true},
	{"case 9: checksum v6", 6, 7, 0, 0, PACKET_CHECKSUM, true},
	{"case 11: VRID 52", 0, 1, 52, 0, PACKET_VRID, false},
	{"case 13: type 2, v2", 0, 0, 0x22, 0, PACKET_TYPE, false},
	{"case 13: type 2, v3", 2, 0, 0x32, 0, PACKET_TYPE, false},
	{"case 14: v3 on v2", 0, 0, 0x31, 0, PACKET_VERSION, false},
	{"case 14: v2 on v3", 2, 0, 0x21, 0, PACKET_VERSION, false},
	{"version 1", 0, 0, 0x11, 0, PACKET_VERSION, false},
	{"version 15", 2, 0, 0xf1, 0, PACKET_VERSION, false},
	{"case 16: count 2 with one address", 2, 3, 2, 0, PACKET_LEN, false},
	{"case 16: count 2, v2", 0, 3, 2, 0, PACKET_LEN, false},
	{"case 17: truncated by 4", 0, -1, 0, -4, PACKET_LEN, false},
	{"case 17: truncated by 4, v6", 6, -1, 0, -4, PACKET_LEN, false},
	{"case 17: 4 octets only", 2, -1, 0, -8, PACKET_LEN, false},
	{"case 17: nothing", 2, -1, 0, -12, PACKET_LEN, false},
	{"case 18: 8 octets too many", 0, -1, 0, 8, PACKET_LEN, false},
	{"case 18: 8 octets too many, v3", 2, -1, 0, 8, PACKET_LEN, false},
	{"case 21: count 0", 2, 3, 0, -4, PACKET_COUNT, false},
	{"case 22: wrong password", 0, 12, 'x', 0, PACKET_AUTH_FAIL, false},
	{"case 22: type 0", 0, 4, 0, 0, PACKET_AUTH_MISMATCH, false},
	{"case 22: type 2", 0, 4, 2, 0, PACKET_AUTH_MISMATCH, false},
	{"case 22: type 9", 0, 4, 9, 0, PACKET_AUTH_TYPE, false},
	{"case 24: v2 interval 2", 0, 5, 2, 0, PACKET_INTERVAL, false},
	{"v2 interval 0", 0, 5, 0, 0, PACKET_INTERVAL, false},
	{"case 26: v3 interval 50", 2, 5, 50, 0, PACKET_OK, false},
	{"case 27: v3 interval 0", 2, 5, 0, 0, PACKET_INTERVAL, false},
	{"case 28: v3 reserved bits", 2, 4, 0xf0, 0, PACKET_OK, false},
	{"case 29: other address", 2, 11, 99, 0, PACKET_OK, false},
	{"prio 255", 2, 2, 255, 0, PACKET_OK, false},
};

static void test_bad(const struct bad *bad)
{
	const struct golden *g = &goldens[bad->golden];
	struct packet_advert adv;
	struct packet_meta meta;
	struct packet_rules rules;
	uint8_t pdu[256] = {0};
	size_t len = unhex(g->pdu, pdu);
	enum packet_verdict got;
	unsigned notes;

	if (bad->at >= 0)
		pdu[bad->at] = (uint8_t)bad->value;
	len = (size_t)((int)len + bad->length);
	golden_meta(g->family, &meta);
	if (!bad->keep_sum && len >= 8)
		frame_fix_sum(&meta, pdu, len);
	golden_rules(g, &rules);
	got = packet_decode(&rules, &meta, pdu, len, &adv, &notes);
	is_string(packet_verdict_name(got), packet_verdict_name(bad->want),
		"%s", bad->name);
}

static enum packet_verdict decode_v3(const struct packet_rules *rules,
	const struct packet_meta *meta, unsigned *notes)
{
	struct packet_advert adv;
	uint8_t pdu[64];
	size_t len = unhex(goldens[rules->family == 6 ? 6 : 2].pdu, pdu);

	return packet_decode(rules, meta, pdu, len, &adv, notes);
}

static void test_path(void)
{
	struct packet_rules rules;
	struct packet_meta meta;
	uint8_t peers[1][16] = {{10, 98, 0, 13}};
	unsigned notes;

	golden_rules(&goldens[2], &rules);
	golden_meta(4, &meta);
	meta.ttl = 254;
	is_int(decode_v3(&rules, &meta, &notes), PACKET_TTL, "case 7: TTL 254");
	meta.ttl = 255;
	memcpy(rules.self, node_a, 16);
	is_int(decode_v3(&rules, &meta, &notes), PACKET_LOOP,
		"case 31: own source");
	memcpy(rules.self, node_b, 16);
	rules.unicast = true;
	is_int(decode_v3(&rules, &meta, &notes), PACKET_CAST,
		"case 32: multicast in unicast mode");
	memcpy(meta.dst, node_b, 16);
	rules.peers = peers;
	rules.peer_count = 1;
	is_int(decode_v3(&rules, &meta, &notes), PACKET_PEER,
		"case 33: unicast from no peer");
	memcpy(peers[0], node_a, 16);
	is_int(decode_v3(&rules, &meta, &notes), PACKET_CHECKSUM,
		"unicast: the checksum covers the real destination");
	rules.unicast = false;
	is_int(decode_v3(&rules, &meta, &notes), PACKET_CAST,
		"case 32: unicast in multicast mode");
}

/* Unicast needs a sum of its own: encode to the real destination. */
static void test_unicast(void)
{
	struct packet_rules rules;
	struct packet_meta meta;
	struct packet_advert adv;
	uint8_t pdu[64];
	unsigned notes;
	int len;

	golden_rules(&goldens[2], &rules);
	golden_meta(4, &meta);
	golden_advert(&goldens[2], &adv);
	memcpy(meta.dst, node_b, 16);
	rules.unicast = true;
	len = packet_encode(&adv, 0, meta.src, meta.dst, pdu, sizeof(pdu));
	meta.ttl = 254;
	is_int(packet_decode(&rules, &meta, pdu, (size_t)len, &adv, &notes),
		PACKET_OK, "case 8: unicast, TTL 254, min_ttl unset");
	rules.min_ttl = 255;
	is_int(packet_decode(&rules, &meta, pdu, (size_t)len, &adv, &notes),
		PACKET_TTL, "case 8: unicast, TTL 254, min_ttl 255");
}

static void test_ip6(void)
{
	struct packet_rules rules;
	struct packet_meta meta;
	unsigned notes;

	golden_rules(&goldens[6], &rules);
	golden_meta(6, &meta);
	is_int(decode_v3(&rules, &meta, &notes), PACKET_OK, "IPv6 is fine");
	meta.ttl = 254;
	is_int(decode_v3(&rules, &meta, &notes), PACKET_TTL,
		"case 7: hop limit");
	golden_meta(6, &meta);
	meta.src[0] = 0xfd;
	is_int(decode_v3(&rules, &meta, &notes), PACKET_SOURCE,
		"case 34: source not link-local");
}

static void test_notes(void)
{
	struct packet_rules rules;
	struct packet_meta meta;
	unsigned notes;

	golden_meta(4, &meta);
	golden_rules(&goldens[2], &rules);
	rules.interval_cs = 100;
	is_int(decode_v3(&rules, &meta, &notes), PACKET_OK,
		"case 26: accepted");
	is_int(notes, PACKET_NOTE_INTERVAL, "case 26: and remarked");
	golden_rules(&goldens[2], &rules);
	rules.count = 0;
	is_int(decode_v3(&rules, &meta, &notes), PACKET_OK,
		"case 29: accepted");
	is_int(notes, PACKET_NOTE_ADDR_LIST, "case 29: and remarked");
	rules.strict_addrs = true;
	is_int(decode_v3(&rules, &meta, &notes), PACKET_ADDR_LIST,
		"case 30: strict discards it");
	golden_rules(&goldens[0], &rules);
	rules.both_versions = true;
	is_int(decode_v3(&rules, &meta, &notes), PACKET_OK,
		"case 15: v3 on a v2 instance that migrates");
}

/* keepalived 2.2.7 would not take it. */
static void test_plain_sum(void)
{
	const struct golden *g = &goldens[4];
	struct packet_rules rules;
	struct packet_meta meta;
	struct packet_advert adv;
	uint8_t pdu[64];
	unsigned notes;
	size_t len = unhex(g->pdu, pdu);

	golden_meta(4, &meta);
	golden_rules(g, &rules);
	is_int(packet_decode(&rules, &meta, pdu, len, &adv, &notes), PACKET_OK,
		"case 10: v3 IPv4 without pseudo-header");
	is_int(notes, PACKET_NOTE_PLAIN_SUM, "case 10: and remarked");
}

static void test_v2_alternatives(void)
{
	struct packet_rules rules;
	struct packet_meta meta;
	struct packet_advert adv;
	uint8_t pdu[64];
	unsigned notes;
	size_t len = unhex(goldens[0].pdu, pdu);

	golden_meta(4, &meta);
	golden_rules(&goldens[0], &rules);
	rules.interval_cs = 200;
	rules.interval_alt_cs = 100;
	is_int(packet_decode(&rules, &meta, pdu, len, &adv, &notes), PACKET_OK,
		"case 25: v2 interval in the accept set");
	golden_rules(&goldens[2], &rules);
	rules.both_versions = true;
	is_int(packet_decode(&rules, &meta, pdu, len, &adv, &notes), PACKET_OK,
		"case 15: v2 on a v3 instance that migrates");
	is_int(adv.interval_cs, 100, "v2 seconds read as centiseconds");
}

static void test_open_ip4(void)
{
	struct packet_meta meta;
	const uint8_t *pdu;
	uint8_t frame[64] = {0};
	size_t len;

	unhex("45c0002000010000ff70d02d0a62000be0000012"
	      "31339601000a42ff0a620064",
		frame);
	is_int(packet_open_ip4(frame, 46, &meta, &pdu, &len), PACKET_OK,
		"case 19: padded to 46 by Ethernet");
	is_int((long long)len, 12, "case 19: the padding is left out");
	is_int(meta.ttl, 255, "TTL read");
	is_bytes(meta.src, 16, node_a, 16, "source read");
	is_int(packet_open_ip4(frame, 31, &meta, &pdu, &len), PACKET_LEN,
		"case 20: tot_len larger than received");
	is_int(packet_open_ip4(frame, 19, &meta, &pdu, &len), PACKET_LEN,
		"IP header cut");
	is_int(packet_open_ip4(frame, 0, &meta, &pdu, &len), PACKET_LEN,
		"nothing");
	frame[0] = 0x44;
	is_int(packet_open_ip4(frame, 32, &meta, &pdu, &len), PACKET_LEN,
		"IP header length below 20");
	frame[0] = 0x4f;
	is_int(packet_open_ip4(frame, 32, &meta, &pdu, &len), PACKET_LEN,
		"IP header longer than the datagram");
	frame[0] = 0x65;
	is_int(packet_open_ip4(frame, 32, &meta, &pdu, &len), PACKET_LEN,
		"not IPv4");
}

static void test_refused_to_send(void)
{
	struct packet_advert adv;
	uint8_t out[PACKET_MAX];

	golden_advert(&goldens[0], &adv);
	is_int(packet_encode(&adv, 0, node_a, node_b, out, 19), -EMSGSIZE,
		"no room");
	adv.interval_cs = 150;
	is_int(packet_encode(&adv, 0, node_a, node_b, out, 99), -EINVAL,
		"v2 has whole seconds only");
	golden_advert(&goldens[0], &adv);
	adv.auth_type = 2;
	is_int(packet_encode(&adv, 0, node_a, node_b, out, 99), -EINVAL,
		"AH is not ours to send");
	golden_advert(&goldens[2], &adv);
	adv.interval_cs = 4096;
	is_int(packet_encode(&adv, 0, node_a, node_b, out, 99), -EINVAL,
		"v3 interval over 12 bits");
	adv.interval_cs = 10;
	adv.count = 0;
	is_int(packet_encode(&adv, 0, node_a, node_b, out, 99), -EINVAL,
		"no address");
	golden_advert(&goldens[6], &adv);
	adv.version = 2;
	is_int(packet_encode(&adv, 0, link_a, link_a, out, 99), -EINVAL,
		"no version 2 over IPv6");
}

static bool identity(struct rng *rng, uint8_t *addrs)
{
	struct packet_advert adv = {0}, back;
	struct packet_rules rules = {0};
	struct packet_meta meta;
	uint8_t out[PACKET_MAX];
	unsigned notes;
	int len;

	adv.version = rng_below(rng, 2) ? 3 : 2;
	adv.family = adv.version == 3 && rng_below(rng, 2) ? 6 : 4;
	adv.vrid = (uint8_t)rng_below(rng, 256);
	adv.priority = (uint8_t)rng_below(rng, 256);
	adv.count = (uint8_t)(1 + rng_below(rng, 8));
	adv.addrs = addrs + rng_below(rng, 64);
	adv.interval_cs = (uint16_t)(1 + rng_below(rng, 4095));
	if (adv.version == 2) {
		adv.interval_cs = (uint16_t)(100 * (1 + rng_below(rng, 255)));
		adv.auth_type = (uint8_t)rng_below(rng, 2);
		if (adv.auth_type)
			memcpy(adv.auth, addrs + rng_below(rng, 64), 8);
	}
	golden_meta(adv.family, &meta);
	rules.version = adv.version;
	rules.family = adv.family;
	rules.vrid = adv.vrid;
	rules.auth_type = adv.auth_type;
	memcpy(rules.auth, adv.auth, 8);
	rules.interval_cs = adv.interval_cs;
	rules.addrs = adv.addrs;
	rules.count = adv.count;
	len = packet_encode(&adv,
		rng_below(rng, 2) ? PACKET_SUM_PLAIN : PACKET_SUM_PSEUDO,
		meta.src, meta.dst, out, sizeof(out));
	if (len < 0 || packet_decode(&rules, &meta, out, (size_t)len, &back,
			       &notes) != PACKET_OK)
		return false;
	return back.version == adv.version && back.priority == adv.priority &&
	       back.interval_cs == adv.interval_cs && back.count == adv.count &&
	       memcmp(back.auth, adv.auth, 8) == 0 &&
	       memcmp(back.addrs, adv.addrs,
		       adv.count * packet_addr_len(adv.family)) == 0;
}

static void test_identity(void)
{
	enum {
		ROUNDS = 1000000
	};
	uint8_t addrs[64 + 8 * 16];
	struct rng rng;
	int good = 0;

	rng_init(&rng);
	random_bytes(addrs, sizeof(addrs));
	for (int i = 0; i < ROUNDS; i++)
		good += identity(&rng, addrs);
	is_int(good, ROUNDS, "case 6: decode(encode(x)) = x for random x");
}

int main(void)
{
	for (size_t i = 0; i < countof(goldens); i++)
		test_golden(&goldens[i]);
	for (size_t i = 0; i < countof(bads); i++)
		test_bad(&bads[i]);
	test_path();
	test_unicast();
	test_ip6();
	test_notes();
	test_plain_sum();
	test_v2_alternatives();
	test_open_ip4();
	test_refused_to_send();
	test_identity();
	return tap_done();
}
