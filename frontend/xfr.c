/* SPDX-License-Identifier: ISC */
/*
 * A transfer begins with the zone's SOA and ends with the same one. Between
 * them IXFR may have differences: each is the SOA from which it leads away,
 * what is deleted, the SOA to which it leads, what is added. Of the two SOAs
 * with the last serial the one that follows what was added is the end. A
 * second record which is not an SOA tells that the whole zone comes instead.
 */

#include "frontend/xfr.h"

#include "common/base/buf.h"
#include "common/dns/code.h"

#define TYPE_SIG 24

/* Serial of the SOA; false: its rdata is not whole. */
static bool read_serial(const uint8_t *msg, size_t len, const struct record *rr,
	uint32_t *serial)
{
	size_t at = rr->rdata_offset, end = at + rr->rdlen;

	for (int i = 0; i < 2; i++) {
		int n = name_read(msg, len, at, NULL);

		if (n < 0)
			return false;
		at += (size_t)n;
	}
	if (at + 20 != end)
		return false;
	*serial = get32(msg + at);
	return true;
}

static bool is_of_zone(const struct xfr *x, const uint8_t *msg, size_t len,
	const struct record *rr)
{
	struct name owner;

	return rr->type == DNS_TYPE_SOA &&
	       name_read(msg, len, rr->offset, &owner) > 0 &&
	       name_equal(owner.wire, x->asked.name);
}

bool xfr_init(struct xfr *x, const uint8_t *msg, size_t len,
	const struct query_view *view)
{
	struct record_iter it;
	struct record rr;

	memset(x, 0, sizeof(*x));
	exchange_init(&x->asked, msg, view);
	x->id = msg_id(msg);
	if (x->asked.type != DNS_TYPE_IXFR)
		return true;
	record_iter_init(&it, msg, len, view->q.end);
	return record_iter_next(&it, &rr) && rr.section == MSG_NS &&
	       is_of_zone(x, msg, len, &rr) &&
	       read_serial(msg, len, &rr, &x->client_serial);
}

/* RFC 1982: is `a` a later serial? */
static bool is_later(uint32_t a, uint32_t b)
{
	return a != b && a - b < 0x80000000u;
}

/* The first record behind the first SOA. */
static enum xfr_state second_state(
	const struct xfr *x, bool soa, uint32_t serial)
{
	if (soa && x->asked.type == DNS_TYPE_IXFR && serial != x->serial)
		return XFR_DELETED;
	return soa ? XFR_ENDED : XFR_WHOLE; /* ENDED: an empty zone */
}

/* The next record of the answer. False: it may not stand there. */
static bool advance(struct xfr *x, bool soa, uint32_t serial)
{
	switch (x->state) {
	case XFR_START:
		x->serial = serial;
		x->state = XFR_SECOND;
		return soa;
	case XFR_SECOND:
		x->state = second_state(x, soa, serial);
		x->incremental = x->state == XFR_DELETED;
		return x->state != XFR_ENDED || serial == x->serial;
	case XFR_WHOLE:
		if (soa)
			x->state = XFR_ENDED;
		return !soa || serial == x->serial;
	case XFR_DELETED:
		if (soa)
			x->state = XFR_ADDED;
		x->step = soa ? serial : x->step;
		return true;
	case XFR_ADDED:
		if (!soa)
			return true;
		x->state = x->step == x->serial ? XFR_ENDED : XFR_DELETED;
		return serial == x->step;
	case XFR_ENDED:
	default:
		return false;
	}
}

static bool take_record(
	struct xfr *x, const uint8_t *msg, size_t len, const struct record *rr)
{
	bool soa = is_of_zone(x, msg, len, rr);
	uint32_t serial = 0;

	if (rr->class != x->asked.class || rr->type == DNS_TYPE_OPT)
		return false;
	if (soa && !read_serial(msg, len, rr, &serial))
		return false;
	x->records++;
	return advance(x, soa, serial);
}

/* Beside the answer: OPT, and what signs it. */
static bool is_allowed(const struct record *rr, unsigned left)
{
	if (rr->section != MSG_AR)
		return false;
	if (rr->type == DNS_TYPE_TSIG || rr->type == TYPE_SIG)
		return left == 0;
	return rr->type == DNS_TYPE_OPT;
}

static bool take_records(
	struct xfr *x, const uint8_t *msg, size_t len, size_t pos)
{
	struct record_iter it;
	struct record rr;

	record_iter_init(&it, msg, len, pos);
	while (record_iter_next(&it, &rr)) {
		bool good = rr.section == MSG_AN ? take_record(x, msg, len, &rr)
						 : is_allowed(&rr, it.left);

		if (!good)
			return false;
	}
	return true;
}

/* One SOA and nothing else: the client has this version, or a later one. */
static bool is_up_to_date(const struct xfr *x)
{
	return x->asked.type == DNS_TYPE_IXFR && x->state == XFR_SECOND &&
	       !is_later(x->serial, x->client_serial);
}

enum xfr_verdict xfr_take(struct xfr *x, const uint8_t *msg, size_t len)
{
	bool first = x->state == XFR_START;
	size_t pos = MSG_HEADER;

	if (x->state == XFR_ENDED ||
		!exchange_is_answer(&x->asked, x->id, msg, len))
		return XFR_BAD;
	if (first)
		x->rcode = msg_rcode(msg);
	if (msg_rcode(msg) != DNS_RCODE_NOERROR) {
		x->state = XFR_ENDED;
		return first ? XFR_END : XFR_BAD;
	}
	if (msg_count(msg, MSG_QD) == 1)
		pos += x->asked.name_len + 4u;
	if (msg_count(msg, MSG_AN) == 0 || !take_records(x, msg, len, pos))
		return XFR_BAD;
	if (is_up_to_date(x)) {
		x->incremental = true;
		x->state = XFR_ENDED;
	}
	return x->state == XFR_ENDED ? XFR_END : XFR_MORE;
}
