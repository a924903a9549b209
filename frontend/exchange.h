/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_EXCHANGE_H
#define FRONTEND_EXCHANGE_H

/*
 * A message that is handed on as it is, and what may answer it: transfers,
 * NOTIFY (RFC 1996) and UPDATE (RFC 2136). Nothing in it is changed but the
 * id over UDP, so a signature (TSIG, RFC 8945) holds end to end. Pure.
 */

#include "common/dns/msg.h"

/* What was asked: all that an answer is told by. */
struct exchange {
	uint8_t opcode;
	uint8_t name_len;
	uint16_t type, class;
	uint8_t name[NAME_MAX_WIRE]; /* the zone's, as sent */
};

/* From a message that msg_parse_query has read, with a question. */
void exchange_init(
	struct exchange *x, const uint8_t *msg, const struct query_view *view);

/*
 * Is this NOTIFY or UPDATE (msg_parse_query: MSG_NOTIMP, the question was
 * read) whole? One question, of UPDATE for SOA; NOTIFY with nothing in the
 * authority section; in the sections of UPDATE records of the zone's class,
 * ANY (without rdata) or NONE only; OPT once, TSIG or SIG(0) last, both in
 * the additional section; no trailing octets. Fills view->edns.
 */
bool exchange_check_request(
	const uint8_t *msg, size_t len, struct query_view *view);

/* Is this an answer to that request, asked with `id`? QR, id, opcode and (when
 * there is one) question are its, all records are whole, nothing trails. */
bool exchange_is_answer(
	const struct exchange *x, uint16_t id, const uint8_t *msg, size_t len);

#endif
