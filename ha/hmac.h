/* SPDX-License-Identifier: ISC */
#ifndef HA_HMAC_H
#define HA_HMAC_H

#include "ha/packet.h"

/*
 * The authentication trailer of keepalived 2.4 ("auth_hmac"), for both
 * versions and families: 28 octets after the message,
 *
 *	type (1), key id, 0, 0, seconds (4), 1/65536 seconds (2), counter (2),
 *	HMAC-SHA-256 cut to 16
 *
 * over family (4 or 6), version, VRID, 0, the source address padded to 16,
 * the message with its checksum read as 0, and the trailer with the HMAC as
 * 0. The time is UTC; together with the counter it grows with every advert,
 * so that a recorded one is found out. Pure but for the time that is given;
 * one thread per state.
 */

enum {
	HMAC_KEYS = 4,
	HMAC_KEY_MIN = 32,
	HMAC_KEY_MAX = 64,
	HMAC_SENDERS = 8, /* whose last number is remembered */
};

/* A roll-out goes through them in this order, node by node, without loss. */
enum hmac_mode {
	HMAC_OFF,
	HMAC_RECEIVE_ONLY, /* send none; check those that come */
	HMAC_PERMISSIVE,   /* send; accept adverts without */
	HMAC_ENFORCE,      /* send; discard adverts without */
};

struct hmac_key {
	uint8_t id; /* 1..255 */
	uint8_t len;
	uint8_t octets[HMAC_KEY_MAX];
};

struct hmac_conf {
	enum hmac_mode mode;
	struct hmac_key keys[HMAC_KEYS];
	uint8_t key_count;
	uint8_t active;    /* index of the one that signs */
	uint32_t window_s; /* how far the sender's clock may differ */
};

struct hmac_sender {
	uint8_t addr[PACKET_ADDR_MAX];
	uint64_t seq;
	uint64_t used; /* 0 = free; else the higher the later */
};

struct hmac_state {
	struct hmac_sender senders[HMAC_SENDERS];
	uint64_t uses;
	uint64_t sent; /* number of the last one signed */
};

/* The number of an advert signed now; grows even when the clock does not,
 * and begins anew when the clock was put back by more than the window. */
uint64_t hmac_next(
	struct hmac_state *s, const struct hmac_conf *conf, int64_t wall_us);

/*
 * Write the trailer of the message `pdu`, sent from `src`, to pdu + len
 * (PACKET_TRAILER more octets) and, for IPv6, the checksum anew: there it
 * covers the trailer too, since the kernel of the receiver wants it so.
 */
void hmac_sign(const struct hmac_conf *conf, uint64_t seq,
	const struct packet_meta *meta, uint8_t *pdu, size_t len);

/*
 * Check a message that packet_decode accepted: `len` octets with the
 * trailer, when there is one. PACKET_OK or the reason to discard it.
 */
enum packet_verdict hmac_check(struct hmac_state *s,
	const struct hmac_conf *conf, const struct packet_meta *meta,
	const uint8_t *pdu, size_t len, int64_t wall_us) MUST_CHECK;

#endif
