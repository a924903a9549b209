/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_XFR_H
#define FRONTEND_XFR_H

/*
 * Where a zone transfer ends (RFC 5936 2.2, RFC 1995 4): each of its messages
 * is read whole, and the SOA records in it tell. Nothing is kept of a message
 * but the place in the transfer. Pure.
 */

#include "frontend/exchange.h"

enum xfr_verdict {
	XFR_MORE, /* a good message, others follow */
	XFR_END,  /* the last one */
	XFR_BAD,  /* not a message of this transfer, or out of order */
};

enum xfr_state {
	XFR_START,
	XFR_SECOND, /* behind the first SOA: which kind is it? */
	XFR_WHOLE,  /* all records, up to the same SOA */
	XFR_DELETED,
	XFR_ADDED,
	XFR_ENDED,
};

struct xfr {
	struct exchange asked;
	uint16_t id;
	enum xfr_state state;
	uint32_t client_serial; /* IXFR */
	uint32_t serial;        /* of the first SOA */
	uint32_t step;          /* serial of the difference being added */
	unsigned rcode;         /* of the first message */
	bool incremental;       /* differences, or nothing new */
	uint64_t records;
};

/* From a query for AXFR or IXFR that msg_parse_query found good. False: an
 * IXFR without a whole SOA of its zone. */
bool xfr_init(struct xfr *x, const uint8_t *msg, size_t len,
	const struct query_view *view) MUST_CHECK;
/*
 * The next message. Its id, opcode and (when there) question must be those
 * asked; every record must be whole and of the zone's class; no message
 * without a record, and none behind the end. A first message with an error
 * rcode, or IXFR's lone SOA with no later serial than the client's, is the
 * whole answer; an error later is bad.
 */
enum xfr_verdict xfr_take(struct xfr *x, const uint8_t *msg, size_t len);

#endif
