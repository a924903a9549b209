/* SPDX-License-Identifier: ISC */
#ifndef HA_PACKET_H
#define HA_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/base.h"

/*
 * The VRRP advertisement on the wire: version 2 (RFC 3768, authentication
 * none and PASS) and version 3 (RFC 9568) over IPv4 and IPv6. Pure: no I/O,
 * no clock, no allocation; any thread.
 *
 * Addresses are network octets: IPv4 in the first 4 of 16, the rest zero.
 */

#define PACKET_PROTO    112
#define PACKET_ADDR_MAX 16
#define PACKET_AUTH_LEN 8
/* The longest message: 255 IPv6 addresses. */
#define PACKET_MAX     (8 + 255 * 16 + PACKET_AUTH_LEN)
#define PACKET_IP4_HDR 20
#define PACKET_TRAILER 28 /* of authentication, see hmac.h */

enum packet_auth {
	PACKET_AUTH_NONE = 0,
	PACKET_AUTH_PASS = 1,
	PACKET_AUTH_AH = 2,
};

/* What the checksum of version 3 over IPv4 covers. */
enum packet_sum {
	PACKET_SUM_PSEUDO, /* message and pseudo-header, as keepalived does */
	PACKET_SUM_PLAIN,  /* the message only, RFC 9568 section 5.2.8 */
};

/* Why an advertisement was thrown away; PACKET_OK when it was not. */
enum packet_verdict {
	PACKET_OK = 0,
	PACKET_LOOP,          /* our own packet came back */
	PACKET_LEN,           /* too short, too long, lengths disagree */
	PACKET_CAST,          /* unicast where multicast is due, or reverse */
	PACKET_PEER,          /* unicast from an address that is no peer */
	PACKET_SOURCE,        /* IPv6 source that is not link-local */
	PACKET_TTL,           /* TTL or hop limit not 255: came by a router */
	PACKET_VERSION,       /* not the version that is configured */
	PACKET_TYPE,          /* not an advertisement */
	PACKET_VRID,          /* another virtual router */
	PACKET_CHECKSUM,      /* wrong in every accepted form */
	PACKET_COUNT,         /* no address at all */
	PACKET_AUTH_TYPE,     /* version 2: unknown authentication type */
	PACKET_AUTH_MISMATCH, /* version 2: known type, not the one set */
	PACKET_AUTH_FAIL,     /* version 2: wrong password */
	PACKET_INTERVAL,      /* v2: not ours; v3: zero */
	PACKET_ADDR_LIST,     /* other addresses, and the check is strict */
	PACKET_HMAC_MISSING,  /* no trailer, and one is enforced */
	PACKET_HMAC_FORM,     /* a trailer of another kind */
	PACKET_HMAC_STALE,    /* signed too long ago, or in the future */
	PACKET_HMAC_KEY,      /* signed by a key that is not ours */
	PACKET_HMAC_FAIL,     /* wrong signature */
	PACKET_HMAC_REPLAY,   /* heard before */
	PACKET_VERDICTS,
};

/* Remarks on an accepted advertisement; a set of bits. */
enum packet_note {
	PACKET_NOTE_INTERVAL = 1,  /* v3: another interval than ours */
	PACKET_NOTE_ADDR_LIST = 2, /* other addresses than ours */
	PACKET_NOTE_OWNER = 4,     /* priority 255 */
	PACKET_NOTE_PLAIN_SUM = 8, /* v3 IPv4: sum without pseudo-header */
};

struct packet_advert {
	uint8_t version; /* 2 or 3 */
	uint8_t family;  /* 4 or 6 */
	uint8_t vrid;
	uint8_t priority;
	uint16_t interval_cs; /* centiseconds; v2: a multiple of 100 */
	uint8_t auth_type;    /* v2 only */
	uint8_t auth[PACKET_AUTH_LEN];
	uint8_t count;
	/* count * 4 or 16 octets; after decode they lie in the input. */
	const uint8_t *addrs;
};

/* Where a message came from. */
struct packet_meta {
	uint8_t family; /* 4 or 6 */
	uint8_t ttl;
	uint8_t src[PACKET_ADDR_MAX];
	uint8_t dst[PACKET_ADDR_MAX];
};

/* What one virtual router accepts. The arrays are the caller's. */
struct packet_rules {
	uint8_t version;    /* 2 or 3 */
	bool both_versions; /* accept the other version too (migration) */
	uint8_t family;     /* 4 or 6 */
	uint8_t vrid;
	uint8_t auth_type; /* v2 */
	uint8_t auth[PACKET_AUTH_LEN];
	uint16_t interval_cs;
	uint16_t interval_alt_cs; /* v2: a second one accepted; 0 = none */
	bool strict_addrs;
	bool trailer; /* one may follow the message; hmac_check() judges it */
	bool unicast;
	uint8_t min_ttl; /* unicast only; 0 = any. Multicast: 255 */
	uint8_t self[PACKET_ADDR_MAX];
	const uint8_t (*peers)[PACKET_ADDR_MAX]; /* unicast: who may speak */
	size_t peer_count;                       /* 0 = anybody */
	const uint8_t *addrs;                    /* ours, as on the wire */
	uint8_t count;
};

/* Octets of one address of family 4 or 6. */
size_t packet_addr_len(uint8_t family);

/* Octets of the message at `pdu` (8 at least) without a trailer. */
size_t packet_message_len(uint8_t family, const uint8_t *pdu);

/* Write the checksum of a message over IPv6 anew. */
void packet_sum6(const struct packet_meta *meta, uint8_t *pdu, size_t len);

/* The name of a verdict as it appears in counters: "checksum". */
const char *packet_verdict_name(enum packet_verdict verdict);

/* The multicast group of the family: 224.0.0.18 or ff02::12. */
void packet_group(uint8_t family, uint8_t group[PACKET_ADDR_MAX]);

/*
 * Write the message of `adv` to `out` with its checksum; `src` and `dst` are
 * used by the pseudo-header. Returns its length, -EINVAL when the fields
 * cannot be sent (version 2 over IPv6, an interval out of range, no address)
 * or -EMSGSIZE when `size` is too small.
 */
int packet_encode(const struct packet_advert *adv, enum packet_sum form,
	const uint8_t *src, const uint8_t *dst, uint8_t *out,
	size_t size) MUST_CHECK;

/*
 * The IPv4 header of a message of `payload` octets: TOS 0xc0, TTL 255, no
 * options. `out` has PACKET_IP4_HDR octets.
 */
void packet_ip4_header(uint8_t *out, const uint8_t *src, const uint8_t *dst,
	uint16_t id, size_t payload);

/*
 * Take an IPv4 datagram apart as a raw socket delivers it. Trailing padding
 * is allowed (a frame shorter than 46 octets is padded by Ethernet).
 * PACKET_OK or PACKET_LEN.
 */
enum packet_verdict packet_open_ip4(const uint8_t *in, size_t len,
	struct packet_meta *meta, const uint8_t **pdu,
	size_t *pdu_len) MUST_CHECK;

/*
 * Check the message against the rules and take it apart. Hostile input of
 * any length is fine. `adv` and `notes` are valid when PACKET_OK is returned.
 */
enum packet_verdict packet_decode(const struct packet_rules *rules,
	const struct packet_meta *meta, const uint8_t *pdu, size_t len,
	struct packet_advert *adv, unsigned *notes) MUST_CHECK;

#endif
