/* SPDX-License-Identifier: ISC */

/*
 * The advertisement decoder. The first octet chooses the rules; what is
 * accepted must encode to the same octets again.
 */

#include "tests/fuzz/fuzz.h"

#include "ha/hmac.h"

static const uint8_t link_a[16] = {
	0xfe, 0x80, [11] = 0xff, [12] = 0xfe, [15] = 0x0a};

static void set_rules(uint8_t choice, struct packet_rules *rules)
{
	static const uint8_t vip4[4] = {10, 98, 0, 100};

	memset(rules, 0, sizeof(*rules));
	rules->version = choice & 3 ? 3 : 2;
	rules->family = (choice & 3) == 2 ? 6 : 4;
	rules->both_versions = (choice & 3) == 3;
	rules->vrid = 51;
	rules->interval_cs = 100;
	rules->auth_type = choice & 4 ? PACKET_AUTH_NONE : PACKET_AUTH_PASS;
	memcpy(rules->auth, "lab123\0", 8);
	rules->strict_addrs = choice & 8;
	rules->trailer = choice & 16;
	rules->addrs = vip4;
	rules->count = 1;
}

static void same_again(const struct packet_advert *adv,
	const struct packet_meta *meta, unsigned notes, const uint8_t *pdu,
	size_t len)
{
	uint8_t out[PACKET_MAX];
	enum packet_sum form = notes & PACKET_NOTE_PLAIN_SUM
				       ? PACKET_SUM_PLAIN
				       : PACKET_SUM_PSEUDO;
	static struct hmac_state state;
	static const struct hmac_conf conf = {
		.mode = HMAC_ENFORCE, .keys = {{1, 32, {0}}}, .key_count = 1};
	enum packet_verdict verdict =
		hmac_check(&state, &conf, meta, pdu, len, 0);
	int n = packet_encode(
		adv, form, meta->src, meta->dst, out, sizeof(out));

	if (adv->auth_type > PACKET_AUTH_PASS)
		return; /* accepted while migrating, never sent */
	fuzz_check(n == (int)packet_message_len(meta->family, pdu));
	fuzz_check((verdict == PACKET_HMAC_MISSING) == (n == (int)len));
	/* Without the reserved bits and the sum that covers them; data of
	 * authentication "none" is not kept either. */
	fuzz_check(memcmp(out, pdu, 4) == 0);
	fuzz_check(memcmp(out + 8, pdu + 8,
			   adv->count * packet_addr_len(adv->family)) == 0);
}

/* Signed by us it is good, once; with any octet changed it is not. */
static void sign_and_check(const struct packet_meta *meta, const uint8_t *pdu)
{
	static const struct hmac_conf conf = {.mode = HMAC_ENFORCE,
		.keys = {{1, 32, {7}}},
		.key_count = 1,
		.window_s = 5};
	struct hmac_state state = {.uses = 0};
	size_t len = packet_message_len(meta->family, pdu);
	uint8_t out[PACKET_MAX + PACKET_TRAILER];
	size_t at = pdu[6] % (len + PACKET_TRAILER);

	memcpy(out, pdu, len);
	hmac_sign(&conf, 5, meta, out, len);
	len += PACKET_TRAILER;
	fuzz_check(hmac_check(&state, &conf, meta, out, len, 0) == PACKET_OK);
	fuzz_check(hmac_check(&state, &conf, meta, out, len, 0) ==
		   PACKET_HMAC_REPLAY);
	state = (struct hmac_state){.uses = 0};
	out[at] ^= 0x10;
	if (at != 6 && at != 7 &&
		packet_message_len(meta->family, out) == len - PACKET_TRAILER)
		fuzz_check(hmac_check(&state, &conf, meta, out, len, 0) !=
			   PACKET_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packet_rules rules;
	struct packet_meta meta = {0};
	struct packet_advert adv;
	const uint8_t *pdu = data + 1;
	size_t len = size - 1;
	unsigned notes;

	if (size == 0)
		return 0;
	set_rules(data[0], &rules);
	if (rules.family == 6) {
		meta.family = 6;
		meta.ttl = 255;
		memcpy(meta.src, link_a, 16);
		packet_group(6, meta.dst);
	} else if (packet_open_ip4(data + 1, size - 1, &meta, &pdu, &len) !=
		   PACKET_OK) {
		return 0;
	}
	if (packet_decode(&rules, &meta, pdu, len, &adv, &notes) == PACKET_OK) {
		same_again(&adv, &meta, notes, pdu, len);
		sign_and_check(&meta, pdu);
	}
	return 0;
}
