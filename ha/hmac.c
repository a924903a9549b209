/* SPDX-License-Identifier: ISC */
#include "ha/hmac.h"

#include "common/base/buf.h"
#include "common/base/digest.h"

/*
 * The cheap checks come first, so that a flood of recorded adverts costs no
 * digest each; but what a sender said last is moved by a good HMAC only. All
 * comparisons of numbers are serial (RFC 1982). libcrypto takes a little
 * memory for each digest, so here the real-time thread does allocate.
 */

enum {
	TYPE_SHA256 = 1,
	HEAD = 12, /* of the trailer, before the HMAC */
	MAC = PACKET_TRAILER - HEAD,
	PSEUDO = 20,
	SUM_AT = 6,
};

static uint64_t clock_number(int64_t wall_us)
{
	uint64_t s = (uint32_t)(wall_us / 1000000);
	uint64_t part = (uint64_t)(wall_us % 1000000) * 65536 / 1000000;

	return s << 32 | part << 16;
}

static bool is_after(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b) > 0;
}

/* Seconds that `seq` is ahead of the clock. */
static int32_t ahead_s(uint64_t seq, int64_t wall_us)
{
	return (int32_t)((uint32_t)(seq >> 32) - (uint32_t)(wall_us / 1000000));
}

uint64_t hmac_next(
	struct hmac_state *s, const struct hmac_conf *conf, int64_t wall_us)
{
	uint64_t clock = clock_number(wall_us);

	if (!s->sent || is_after(clock, s->sent) ||
		ahead_s(s->sent, wall_us) > (int32_t)conf->window_s)
		s->sent = clock;
	else
		s->sent++;
	return s->sent;
}

/* `trailer` follows the message; its first HEAD octets are written. */
static void digest(const struct hmac_key *key, const struct packet_meta *meta,
	const uint8_t *pdu, size_t len, uint8_t mac[MAC])
{
	uint8_t in[PSEUDO + PACKET_MAX + PACKET_TRAILER] = {0};
	uint8_t full[DIGEST_SIZE];

	in[0] = meta->family;
	in[1] = pdu[0] >> 4;
	in[2] = pdu[1];
	memcpy(in + 4, meta->src, packet_addr_len(meta->family));
	memcpy(in + PSEUDO, pdu, len + HEAD);
	memset(in + PSEUDO + SUM_AT, 0, 2);
	digest_hmac(
		key->octets, key->len, in, PSEUDO + len + PACKET_TRAILER, full);
	memcpy(mac, full, MAC);
}

void hmac_sign(const struct hmac_conf *conf, uint64_t seq,
	const struct packet_meta *meta, uint8_t *pdu, size_t len)
{
	const struct hmac_key *key = &conf->keys[conf->active];
	uint8_t *trailer = pdu + len;

	trailer[0] = TYPE_SHA256;
	trailer[1] = key->id;
	put16(trailer + 2, 0);
	put32(trailer + 4, (uint32_t)(seq >> 32));
	put32(trailer + 8, (uint32_t)seq);
	digest(key, meta, pdu, len, trailer + HEAD);
	if (meta->family == 6)
		packet_sum6(meta, pdu, len + PACKET_TRAILER);
}

static const struct hmac_key *find_key(const struct hmac_conf *c, uint8_t id)
{
	for (size_t i = 0; i < c->key_count; i++)
		if (c->keys[i].id == id)
			return &c->keys[i];
	return NULL;
}

/* The entry of the sender, else the one that was silent for longest. */
static struct hmac_sender *find_sender(
	struct hmac_state *s, const uint8_t *addr)
{
	struct hmac_sender *oldest = &s->senders[0];

	for (size_t i = 0; i < HMAC_SENDERS; i++) {
		struct hmac_sender *e = &s->senders[i];

		if (e->used && memcmp(e->addr, addr, sizeof(e->addr)) == 0)
			return e;
		if (e->used < oldest->used)
			oldest = e;
	}
	memcpy(oldest->addr, addr, sizeof(oldest->addr));
	oldest->used = 0;
	return oldest;
}

static bool is_fresh(uint64_t seq, const struct hmac_conf *c, int64_t wall_us)
{
	int32_t ahead = ahead_s(seq, wall_us);

	return ahead <= (int32_t)c->window_s && ahead >= -(int32_t)c->window_s;
}

/* A number that is not fresh any more rules nothing: clocks were put back,
 * and a sender would else not be heard for as long as they were ahead. */
static enum packet_verdict check_growth(struct hmac_state *s,
	const struct hmac_conf *c, const uint8_t *addr, uint64_t seq,
	int64_t wall_us)
{
	struct hmac_sender *e = find_sender(s, addr);

	if (e->used && is_fresh(e->seq, c, wall_us) && !is_after(seq, e->seq))
		return PACKET_HMAC_REPLAY;
	e->seq = seq;
	e->used = ++s->uses;
	return PACKET_OK;
}

enum packet_verdict hmac_check(struct hmac_state *s,
	const struct hmac_conf *conf, const struct packet_meta *meta,
	const uint8_t *pdu, size_t len, int64_t wall_us)
{
	size_t message = packet_message_len(meta->family, pdu);
	const uint8_t *trailer = pdu + message;
	const struct hmac_key *key;
	uint8_t mac[MAC];
	uint64_t seq;

	if (conf->mode == HMAC_OFF)
		return PACKET_OK;
	if (len == message)
		return conf->mode == HMAC_ENFORCE ? PACKET_HMAC_MISSING
						  : PACKET_OK;
	if (len != message + PACKET_TRAILER || trailer[0] != TYPE_SHA256 ||
		get16(trailer + 2) != 0)
		return PACKET_HMAC_FORM;
	seq = (uint64_t)get32(trailer + 4) << 32 | get32(trailer + 8);
	if (!is_fresh(seq, conf, wall_us))
		return PACKET_HMAC_STALE;
	key = find_key(conf, trailer[1]);
	if (!key)
		return PACKET_HMAC_KEY;
	digest(key, meta, pdu, message, mac);
	if (!digest_equal(mac, trailer + HEAD, MAC))
		return PACKET_HMAC_FAIL;
	return check_growth(s, conf, meta->src, seq, wall_us);
}
