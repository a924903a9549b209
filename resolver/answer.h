/* SPDX-License-Identifier: ISC */
#ifndef RESOLVER_ANSWER_H
#define RESOLVER_ANSWER_H

/*
 * What the library found, kept in a form from which the reply for any client
 * is made: with or without DNSSEC records, with the client's own question,
 * flags, OPT and size. Immutable once made. Pure, but for malloc.
 */

#include "common/dns/msg.h"

enum answer_security {
	ANSWER_INSECURE,
	ANSWER_BOGUS,
	ANSWER_SECURE,
};

/* The records behind the question. Offsets count from the message's start;
 * they hold for every client, as the question's length is the same. */
struct answer_form {
	const uint8_t *records;
	uint16_t len;
	uint16_t counts[3]; /* answer, authority, additional; no OPT */
	uint16_t ttl_count;
	const uint16_t *ttls; /* offsets of the TTL fields */
};

struct answer {
	enum answer_security security;
	uint8_t rcode;
	bool failure;  /* SERVFAIL and the like: no records */
	bool negative; /* NXDOMAIN or no data */
	int ede;       /* to tell with it (for bogus: with CD=0); -1: none */
	uint32_t ttl_s;
	uint8_t name_len;               /* of the question */
	struct answer_form full, plain; /* plain: without DNSSEC records */
	size_t bytes;                   /* of memory */
};

/* Who asks, and how. */
struct answer_client {
	const uint8_t *name; /* as the client wrote it */
	uint8_t name_len;
	uint16_t type, class;
	uint16_t id, flags; /* of its header */
	bool edns, dnssec_ok;
	uint32_t limit;   /* largest answer: 65535 for TCP */
	uint16_t payload; /* that we announce */
};

/* From the library's message for this question; `why` (may be NULL) is its
 * reason for ANSWER_BOGUS. NULL: malformed, not for this question, or no
 * memory. Caller frees with free(). */
struct answer *answer_new(const uint8_t *msg, size_t len,
	const struct question *asked, enum answer_security security,
	const char *why) MUST_CHECK;
/* A failure without records. */
struct answer *answer_new_failure(
	uint8_t name_len, uint8_t rcode, int ede) MUST_CHECK;

/*
 * Make the reply in `out` (65535 octets). `age_s` is subtracted from all
 * TTLs; `stale_ttl_s` > 0 replaces them and tells EDE 3 (RFC 8767). Bogus
 * data are for CD=1 only, others get SERVFAIL. Too long: TC and no records.
 * Returns the length.
 */
size_t answer_write(const struct answer *a, const struct answer_client *c,
	uint32_t age_s, uint32_t stale_ttl_s, uint8_t *out);

/* A reply without records. */
size_t answer_write_error(
	const struct answer_client *c, unsigned rcode, int ede, uint8_t *out);
/* The same with TC, for those who must come again over TCP. */
size_t answer_write_tc(const struct answer_client *c, uint8_t *out);

#endif
