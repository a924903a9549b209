/* SPDX-License-Identifier: ISC */
#include "ha/packet.h"

#include <errno.h>

#include "common/base/buf.h"

/*
 * Encode and decode VRRP messages (RFC 3768 section 5, RFC 9568 section 5).
 * The checks are made in the order of the receive rules: what identifies the
 * sender first, what it says last, so that a counter names the first thing
 * that was wrong. Both forms of the version 3 checksum over IPv4 are
 * accepted, since RFC 5798 left it open and peers exist that do either.
 */

enum {
	HDR = 8,
	TYPE_ADVERT = 1,
	TTL_LINK = 255,
	INTERVAL_MAX_CS = 4095,
	TOS_CS6 = 0xc0,
};

static const char *const verdict_names[PACKET_VERDICTS] = {
	[PACKET_OK] = "ok",
	[PACKET_LOOP] = "loop",
	[PACKET_LEN] = "len",
	[PACKET_CAST] = "cast",
	[PACKET_PEER] = "peer",
	[PACKET_SOURCE] = "source",
	[PACKET_TTL] = "ttl",
	[PACKET_VERSION] = "version",
	[PACKET_TYPE] = "type",
	[PACKET_VRID] = "vrid",
	[PACKET_CHECKSUM] = "checksum",
	[PACKET_COUNT] = "count",
	[PACKET_AUTH_TYPE] = "auth_type",
	[PACKET_AUTH_MISMATCH] = "auth_mismatch",
	[PACKET_AUTH_FAIL] = "auth_fail",
	[PACKET_INTERVAL] = "interval",
	[PACKET_ADDR_LIST] = "addr_list",
	[PACKET_HMAC_MISSING] = "hmac_missing",
	[PACKET_HMAC_FORM] = "hmac_form",
	[PACKET_HMAC_STALE] = "hmac_stale",
	[PACKET_HMAC_KEY] = "hmac_key",
	[PACKET_HMAC_FAIL] = "hmac_fail",
	[PACKET_HMAC_REPLAY] = "hmac_replay",
};

size_t packet_addr_len(uint8_t family)
{
	return family == 6 ? 16 : 4;
}

const char *packet_verdict_name(enum packet_verdict verdict)
{
	return verdict < PACKET_VERDICTS ? verdict_names[verdict] : "?";
}

void packet_group(uint8_t family, uint8_t group[PACKET_ADDR_MAX])
{
	memset(group, 0, PACKET_ADDR_MAX);
	if (family == 6) {
		group[0] = 0xff;
		group[1] = 0x02;
		group[15] = 0x12;
	} else {
		group[0] = 224;
		group[3] = 18;
	}
}

/* Add octets to a ones' complement sum; an odd last one counts as high. */
static uint32_t sum_add(uint32_t sum, const uint8_t *p, size_t len)
{
	for (; len > 1; p += 2, len -= 2)
		sum += get16(p);
	if (len)
		sum += (uint32_t)*p << 8;
	return sum;
}

static uint16_t sum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static uint32_t sum_pseudo(
	uint8_t family, const uint8_t *src, const uint8_t *dst, size_t len)
{
	size_t n = packet_addr_len(family);
	uint32_t sum = sum_add(0, src, n);

	sum = sum_add(sum, dst, n);
	return sum + PACKET_PROTO + (uint32_t)len;
}

static size_t pdu_length(uint8_t version, uint8_t family, uint8_t count)
{
	size_t len = HDR + count * packet_addr_len(family);

	return version == 2 ? len + PACKET_AUTH_LEN : len;
}

size_t packet_message_len(uint8_t family, const uint8_t *pdu)
{
	return pdu_length(pdu[0] >> 4, family, pdu[3]);
}

void packet_sum6(const struct packet_meta *meta, uint8_t *pdu, size_t len)
{
	uint32_t sum = sum_pseudo(6, meta->src, meta->dst, len);

	put16(pdu + 6, 0);
	put16(pdu + 6, (uint16_t)~sum_fold(sum_add(sum, pdu, len)));
}

static bool sendable(const struct packet_advert *adv)
{
	if (adv->count == 0 || (adv->family != 4 && adv->family != 6))
		return false;
	if (adv->version == 3)
		return adv->interval_cs >= 1 &&
		       adv->interval_cs <= INTERVAL_MAX_CS;
	return adv->version == 2 && adv->family == 4 &&
	       adv->auth_type <= PACKET_AUTH_PASS &&
	       adv->interval_cs % 100 == 0 && adv->interval_cs >= 100 &&
	       adv->interval_cs <= 25500;
}

int packet_encode(const struct packet_advert *adv, enum packet_sum form,
	const uint8_t *src, const uint8_t *dst, uint8_t *out, size_t size)
{
	size_t list = adv->count * packet_addr_len(adv->family);
	size_t len = pdu_length(adv->version, adv->family, adv->count);
	uint32_t sum = 0;

	if (!sendable(adv))
		return -EINVAL;
	if (len > size)
		return -EMSGSIZE;
	out[0] = (uint8_t)(adv->version << 4 | TYPE_ADVERT);
	out[1] = adv->vrid;
	out[2] = adv->priority;
	out[3] = adv->count;
	if (adv->version == 2) {
		out[4] = adv->auth_type;
		out[5] = (uint8_t)(adv->interval_cs / 100);
		memset(out + HDR + list, 0, PACKET_AUTH_LEN);
		if (adv->auth_type == PACKET_AUTH_PASS)
			memcpy(out + HDR + list, adv->auth, PACKET_AUTH_LEN);
	} else {
		put16(out + 4, adv->interval_cs);
		if (adv->family == 6 || form == PACKET_SUM_PSEUDO)
			sum = sum_pseudo(adv->family, src, dst, len);
	}
	put16(out + 6, 0);
	memcpy(out + HDR, adv->addrs, list);
	put16(out + 6, (uint16_t)~sum_fold(sum_add(sum, out, len)));
	return (int)len;
}

void packet_ip4_header(uint8_t *out, const uint8_t *src, const uint8_t *dst,
	uint16_t id, size_t payload)
{
	memset(out, 0, PACKET_IP4_HDR);
	out[0] = 0x45;
	out[1] = TOS_CS6;
	put16(out + 2, (uint16_t)(PACKET_IP4_HDR + payload));
	put16(out + 4, id);
	out[8] = TTL_LINK;
	out[9] = PACKET_PROTO;
	memcpy(out + 12, src, 4);
	memcpy(out + 16, dst, 4);
	put16(out + 10, (uint16_t)~sum_fold(sum_add(0, out, PACKET_IP4_HDR)));
}

enum packet_verdict packet_open_ip4(const uint8_t *in, size_t len,
	struct packet_meta *meta, const uint8_t **pdu, size_t *pdu_len)
{
	size_t header, total;

	if (len < PACKET_IP4_HDR || in[0] >> 4 != 4)
		return PACKET_LEN;
	header = (size_t)(in[0] & 15) * 4;
	total = get16(in + 2);
	if (header < PACKET_IP4_HDR || total < header || total > len)
		return PACKET_LEN;
	memset(meta, 0, sizeof(*meta));
	meta->family = 4;
	meta->ttl = in[8];
	memcpy(meta->src, in + 12, 4);
	memcpy(meta->dst, in + 16, 4);
	*pdu = in + header;
	*pdu_len = total - header;
	return PACKET_OK;
}

static bool same_addr(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, PACKET_ADDR_MAX) == 0;
}

static bool is_multicast(const struct packet_meta *meta)
{
	return meta->family == 6 ? meta->dst[0] == 0xff
				 : meta->dst[0] >> 4 == 14;
}

static bool is_peer(const struct packet_rules *rules, const uint8_t *src)
{
	for (size_t i = 0; i < rules->peer_count; i++)
		if (same_addr(rules->peers[i], src))
			return true;
	return rules->peer_count == 0;
}

/* Who sent it, and how did it travel? */
static enum packet_verdict check_path(
	const struct packet_rules *rules, const struct packet_meta *meta)
{
	if (same_addr(meta->src, rules->self))
		return PACKET_LOOP;
	if (is_multicast(meta) == rules->unicast)
		return PACKET_CAST;
	if (rules->unicast) {
		if (!is_peer(rules, meta->src))
			return PACKET_PEER;
		return meta->ttl < rules->min_ttl ? PACKET_TTL : PACKET_OK;
	}
	if (meta->family == 6 &&
		(meta->src[0] != 0xfe || (meta->src[1] & 0xc0) != 0x80))
		return PACKET_SOURCE;
	return meta->ttl == TTL_LINK ? PACKET_OK : PACKET_TTL;
}

static enum packet_verdict check_header(
	const struct packet_rules *rules, const uint8_t *pdu, size_t len)
{
	uint8_t version;
	size_t want;

	if (len < HDR)
		return PACKET_LEN;
	version = pdu[0] >> 4;
	if (version != 2 && version != 3)
		return PACKET_VERSION;
	if (version == 2 && rules->family == 6)
		return PACKET_VERSION;
	if (version != rules->version && !rules->both_versions)
		return PACKET_VERSION;
	if ((pdu[0] & 15) != TYPE_ADVERT)
		return PACKET_TYPE;
	if (pdu[1] != rules->vrid)
		return PACKET_VRID;
	want = packet_message_len(rules->family, pdu);
	if (len != want && !(rules->trailer && len == want + PACKET_TRAILER))
		return PACKET_LEN;
	return PACKET_OK;
}

static bool checksum_ok(const struct packet_meta *meta, const uint8_t *pdu,
	size_t len, unsigned *notes)
{
	uint32_t pseudo = 0;

	if (pdu[0] >> 4 == 3) {
		pseudo = sum_pseudo(meta->family, meta->src, meta->dst, len);
		if (sum_fold(sum_add(pseudo, pdu, len)) == 0xffff)
			return true;
		if (meta->family == 6)
			return false;
		*notes |= PACKET_NOTE_PLAIN_SUM;
	}
	return sum_fold(sum_add(0, pdu, len)) == 0xffff;
}

/* Compare in a time that does not tell how much of the password is right. */
static bool same_secret(const uint8_t *a, const uint8_t *b)
{
	uint8_t diff = 0;

	for (size_t i = 0; i < PACKET_AUTH_LEN; i++)
		diff |= a[i] ^ b[i];
	return diff == 0;
}

static enum packet_verdict check_v2(
	const struct packet_rules *rules, const struct packet_advert *adv)
{
	if (adv->auth_type > PACKET_AUTH_AH)
		return PACKET_AUTH_TYPE;
	/* A version 3 instance that migrates has no password to compare. */
	if (rules->version == 2 && adv->auth_type != rules->auth_type)
		return PACKET_AUTH_MISMATCH;
	if (rules->version == 2 && adv->auth_type == PACKET_AUTH_PASS &&
		!same_secret(adv->auth, rules->auth))
		return PACKET_AUTH_FAIL;
	if (adv->interval_cs == 0)
		return PACKET_INTERVAL;
	if (rules->version == 2 && adv->interval_cs != rules->interval_cs &&
		adv->interval_cs != rules->interval_alt_cs)
		return PACKET_INTERVAL;
	return PACKET_OK;
}

static bool same_list(
	const struct packet_rules *rules, const struct packet_advert *adv)
{
	return adv->count == rules->count &&
	       memcmp(adv->addrs, rules->addrs,
		       adv->count * packet_addr_len(adv->family)) == 0;
}

static void take_apart(
	struct packet_advert *adv, uint8_t family, const uint8_t *pdu)
{
	size_t list = pdu[3] * packet_addr_len(family);

	memset(adv, 0, sizeof(*adv));
	adv->version = pdu[0] >> 4;
	adv->family = family;
	adv->vrid = pdu[1];
	adv->priority = pdu[2];
	adv->count = pdu[3];
	adv->addrs = pdu + HDR;
	if (adv->version == 2) {
		adv->auth_type = pdu[4];
		adv->interval_cs = (uint16_t)(pdu[5] * 100);
		memcpy(adv->auth, pdu + HDR + list, PACKET_AUTH_LEN);
	} else {
		adv->interval_cs = get16(pdu + 4) & 0xfff;
	}
}

/* What does it say? */
static enum packet_verdict check_content(const struct packet_rules *rules,
	const struct packet_advert *adv, unsigned *notes)
{
	enum packet_verdict verdict;

	if (adv->count == 0)
		return PACKET_COUNT;
	if (adv->version == 2) {
		verdict = check_v2(rules, adv);
		if (verdict != PACKET_OK)
			return verdict;
	} else if (adv->interval_cs == 0) {
		return PACKET_INTERVAL;
	}
	if (adv->interval_cs != rules->interval_cs)
		*notes |= PACKET_NOTE_INTERVAL;
	if (!same_list(rules, adv)) {
		if (rules->strict_addrs)
			return PACKET_ADDR_LIST;
		*notes |= PACKET_NOTE_ADDR_LIST;
	}
	if (adv->priority == 255)
		*notes |= PACKET_NOTE_OWNER;
	return PACKET_OK;
}

enum packet_verdict packet_decode(const struct packet_rules *rules,
	const struct packet_meta *meta, const uint8_t *pdu, size_t len,
	struct packet_advert *adv, unsigned *notes)
{
	enum packet_verdict verdict;

	*notes = 0;
	if (meta->family != rules->family)
		return PACKET_VERSION;
	verdict = check_path(rules, meta);
	if (verdict != PACKET_OK)
		return verdict;
	verdict = check_header(rules, pdu, len);
	if (verdict != PACKET_OK)
		return verdict;
	/* Over IPv6 the kernel sums all it sends, the trailer too. */
	if (meta->family == 4)
		len = packet_message_len(4, pdu);
	if (!checksum_ok(meta, pdu, len, notes))
		return PACKET_CHECKSUM;
	take_apart(adv, rules->family, pdu);
	return check_content(rules, adv, notes);
}
