/* SPDX-License-Identifier: ISC */
#ifndef COMMON_DNS_MSG_H
#define COMMON_DNS_MSG_H

/*
 * A DNS message as bytes: a checked view of header and question, a full
 * check of every record before anything is relayed or cached, and replies
 * made in place (RFC 1035 4.1, RFC 6891, RFC 9619). Pure.
 */

#include "common/dns/edns.h"
#include "common/dns/name.h"

#define MSG_HEADER 12
#define MSG_MAX    65535

/* Bits of octets 2 and 3, as one 16-bit number. */
#define MSG_QR     0x8000
#define MSG_OPCODE 0x7800
#define MSG_AA     0x0400
#define MSG_TC     0x0200
#define MSG_RD     0x0100
#define MSG_RA     0x0080
#define MSG_AD     0x0020
#define MSG_CD     0x0010
#define MSG_RCODE  0x000f

static inline uint16_t msg_id(const uint8_t *m)
{
	return (uint16_t)(m[0] << 8 | m[1]);
}
static inline void msg_set_id(uint8_t *m, uint16_t id)
{
	m[0] = (uint8_t)(id >> 8);
	m[1] = (uint8_t)id;
}
static inline uint16_t msg_flags(const uint8_t *m)
{
	return (uint16_t)(m[2] << 8 | m[3]);
}
static inline void msg_set_flags(uint8_t *m, uint16_t flags)
{
	m[2] = (uint8_t)(flags >> 8);
	m[3] = (uint8_t)flags;
}
static inline unsigned msg_opcode(const uint8_t *m)
{
	return (unsigned)(m[2] >> 3 & 15);
}
static inline unsigned msg_rcode(const uint8_t *m)
{
	return (unsigned)(m[3] & 15);
}
enum msg_section {
	MSG_QD,
	MSG_AN,
	MSG_NS,
	MSG_AR
};
static inline uint16_t msg_count(const uint8_t *m, enum msg_section s)
{
	return (uint16_t)(m[4 + 2 * s] << 8 | m[5 + 2 * s]);
}
static inline void msg_set_count(uint8_t *m, enum msg_section s, uint16_t n)
{
	m[4 + 2 * s] = (uint8_t)(n >> 8);
	m[5 + 2 * s] = (uint8_t)n;
}

/* What a query asks: offsets into the message it was parsed from. */
struct question {
	const uint8_t *name; /* in the message, uncompressed, as sent */
	uint8_t name_len;
	uint16_t type, class; /* host order */
	uint16_t end;         /* offset behind the question */
};

/* Verdict on a query from a client. */
enum msg_verdict {
	MSG_OK,
	MSG_DROP,    /* short or QR=1: never answered */
	MSG_FORMERR, /* answer with this rcode */
	MSG_NOTIMP,
	MSG_BADVERS,
};

struct query_view {
	struct question q;
	struct edns edns; /* edns.present tells */
};

/*
 * Parse a client's query whole: header, exactly one question, an OPT at most
 * once with whole options, a signature (TSIG, SIG(0)) or the SOA of an IXFR,
 * no other records, no trailing octets. On MSG_FORMERR the
 * question may be unset (q.name NULL); of a message without a question that
 * is right but for that, edns is set. Opcodes other than QUERY: MSG_NOTIMP
 * (q is set when it parses).
 */
enum msg_verdict msg_parse_query(
	const uint8_t *msg, size_t len, struct query_view *out);

/* One record of a checked message. */
struct record {
	uint16_t offset; /* of its owner name */
	uint16_t type, class;
	uint32_t ttl;
	uint16_t ttl_offset; /* of the 4 octets TTL */
	uint16_t rdata_offset, rdlen;
	enum msg_section section;
};

/* Walk the records of a message. Init at the question's end. */
struct record_iter {
	const uint8_t *msg;
	size_t len, pos;
	unsigned section, left;
	bool failed;
};
/* `pos`: offset behind the question section. */
void record_iter_init(
	struct record_iter *it, const uint8_t *msg, size_t len, size_t pos);
/* Next record; false at the end (it->pos is then the end of the message's
 * records) or when malformed (it->failed). */
bool record_iter_next(struct record_iter *it, struct record *out);

/*
 * Is this a whole, well-formed answer? QR=1, opcode QUERY, QDCOUNT 1 (0 only
 * with an error rcode and no records but an OPT), every record whole and of
 * the question's class, rdata of the form of its type (rdata.h: names whole,
 * A 4 and AAAA 16 octets, pointers to names only), OPT at most once and in the
 * additional section, TSIG last, no trailing octets. Fills *q (name NULL when
 * QDCOUNT is 0) and *edns.
 */
bool msg_check_answer(
	const uint8_t *msg, size_t len, struct question *q, struct edns *edns);

/* Does the answer's question equal the one asked (names case-insensitively)? */
bool question_equal(const struct question *a, const struct question *b);

/*
 * Make a reply of header and question only, in `out` (room MSG_HEADER +
 * question + 64), from the query `msg`: QR, opcode and RD copied, AA AD Z
 * clear, CD copied, RA = `ra`, `rcode` (extended ones put into the OPT). With
 * `edns` of a client that sent an OPT, an OPT with our payload size is added,
 * and EDE `ede` when >= 0. `q` may be NULL (no question). Returns its length.
 */
size_t msg_make_reply(uint8_t *out, size_t size, const uint8_t *msg,
	const struct question *q, const struct edns *edns, unsigned rcode,
	bool ra, int ede);

/* Cut an answer to header, question (and its OPT when `edns`, which describes
 * this very message, is set and present) with TC set, in place. Returns the
 * new length. */
size_t msg_truncate(uint8_t *msg, size_t len, const struct question *q,
	const struct edns *edns);

/* Build a plain query: id, RD, one question, OPT when payload > 0 (DO when
 * `dnssec`). Returns the length, 0 when no room. */
size_t msg_make_query(uint8_t *out, size_t size, uint16_t id,
	const uint8_t *name, uint8_t name_len, uint16_t type, uint16_t class,
	uint16_t flags, uint16_t payload, bool dnssec);

#endif
