/* SPDX-License-Identifier: ISC */
#ifndef COMMON_DNS_TTL_H
#define COMMON_DNS_TTL_H

/* TTLs of a checked answer: how long it may live (RFC 2181 8, RFC 2308),
 * and ageing it in place. Pure. */

#include "common/dns/msg.h"

/* A week, in seconds: larger TTLs count as this, those with the top bit set
 * as 0 (RFC 2181 8). */
#define TTL_MAX 604800

enum answer_kind {
	ANSWER_POSITIVE,
	ANSWER_NODATA, /* NOERROR without an answer to the type */
	ANSWER_NXDOMAIN,
	ANSWER_FAILURE,  /* SERVFAIL, REFUSED, ... */
	ANSWER_REFERRAL, /* no SOA, no answer, NS in authority */
	ANSWER_TRUNCATED,
};

struct answer_info {
	enum answer_kind kind;
	uint32_t ttl_s; /* smallest TTL over the sections (OPT apart); for
			   negative answers also SOA MINIMUM, and 0 without
			   an SOA (RFC 2308 5: not to be cached) */
	bool has_soa;
	uint16_t ttl_count; /* records with a TTL, OPT apart */
};

/* Look at an answer that msg_check_answer accepted. `pos`: behind its
 * question. False when malformed. */
bool ttl_inspect(
	const uint8_t *msg, size_t len, size_t pos, struct answer_info *out);
/* The offsets of all TTL fields, OPT apart; at most `max`, returns how many
 * there are. */
unsigned ttl_offsets(const uint8_t *msg, size_t len, size_t pos,
	uint16_t *offsets, unsigned max);
/* Subtract `age_s` from each TTL at the offsets (floor 0), cap at `cap_s`. */
void ttl_age(uint8_t *msg, const uint16_t *offsets, unsigned count,
	uint32_t age_s, uint32_t cap_s);

#endif
