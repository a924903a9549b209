/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_ANSWER_H
#define FRONTEND_ANSWER_H

/*
 * An answer between the backend and the client: first freed of all that
 * belongs to one hop (the OPT record), then made anew for each client: its
 * id, flags, spelling of the name, OPT, size. The same form is cached. Pure.
 */

#include "common/dns/msg.h"
#include "common/dns/ttl.h"
#include "frontend/hop.h"

/* A record takes at least 11 octets. */
#define ANSWER_TTLS (MSG_MAX / 11)

struct answer {
	uint8_t *msg; /* header, question, records; the memory is the owner's */
	size_t len;
	uint16_t q_end;     /* offset behind the question */
	uint16_t ttl_count; /* used of ttl_at */
	int16_t ede;        /* extended error of the backend; -1: none */
	uint8_t scope;      /* of the subnet asked for (RFC 7871) */
	struct answer_info info;
	uint16_t ttl_at[ANSWER_TTLS];
};

/* What an answer must know of the one who asked. */
struct asker {
	uint16_t id;
	uint16_t flags; /* of the query */
	uint16_t type, class;
	uint16_t udp_limit; /* largest answer; 0: TCP, no limit */
	uint8_t name_len;
	bool edns;
	bool dnssec_ok;
	bool no_recurse;             /* the backend is asked without RD */
	struct hop hop;              /* of the answer */
	uint8_t name[NAME_MAX_WIRE]; /* spelt as it was sent */
};

/* All but the hop and no_recurse. */
void asker_init(struct asker *asker, const uint8_t *msg,
	const struct query_view *view, bool tcp, uint16_t udp_limit);

/*
 * Take the checked message (`msg_check_answer` said yes; q->name is set) as
 * it stands in its buffer; the OPT is cut off. False when it cannot be
 * relayed: an OPT that is not the last record, a signature (TSIG) of a
 * question that was not signed, or TTLs that cannot be walked.
 */
bool answer_take(struct answer *a, uint8_t *msg, size_t len,
	const struct question *q, const struct edns *edns);

/* An answer of header and question alone, in `buf` (room MSG_HEADER +
 * NAME_MAX_WIRE + 4). `name` may be spelt in any case. */
void answer_make(struct answer *a, uint8_t *buf, const uint8_t *name,
	uint8_t name_len, uint16_t type, uint16_t class, unsigned rcode,
	int ede);

/* How it is handed out. */
struct answer_style {
	bool auth;      /* AA kept and RA clear, else RA set and AA clear */
	bool stale;     /* all TTLs are `stale_ttl_s`, EDE 3 */
	uint32_t age_s; /* subtracted from the TTLs */
	uint32_t cap_s; /* largest TTL given; 0: none */
	uint32_t stale_ttl_s;
};

/* Write the answer for `asker` to `out` (room `size`, at least 1232).
 * Returns its length; *truncated tells whether TC had to be set. */
size_t answer_render(const struct answer *a, const struct asker *asker,
	const struct answer_style *style, uint8_t *out, size_t size,
	bool *truncated);

#endif
