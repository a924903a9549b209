/* SPDX-License-Identifier: ISC */
/*
 * The backend reads rdata, not we: it is only seen to that each record is
 * whole and stands where its kind may stand.
 */

#include "frontend/exchange.h"

#include "common/base/buf.h"
#include "common/dns/code.h"

#define TYPE_SIG 24

void exchange_init(
	struct exchange *x, const uint8_t *msg, const struct query_view *view)
{
	x->opcode = (uint8_t)msg_opcode(msg);
	x->type = view->q.type;
	x->class = view->q.class;
	x->name_len = view->q.name_len;
	memcpy(x->name, view->q.name, view->q.name_len);
}

/* OPT, TSIG, SIG(0): those that speak of the message. */
static bool is_pseudo(const struct record *rr)
{
	return rr->type == DNS_TYPE_OPT || rr->type == DNS_TYPE_TSIG ||
	       (rr->type == TYPE_SIG && rr->section == MSG_AR);
}

static bool check_pseudo(const uint8_t *msg, const struct record *rr,
	unsigned left, struct edns *edns)
{
	if (rr->section != MSG_AR)
		return false;
	if (rr->type != DNS_TYPE_OPT)
		return left == 0; /* RFC 8945 5.1: the last one */
	return !edns->present && msg[rr->offset] == 0 &&
	       edns_read(msg, rr->offset, rr->class, rr->ttl, rr->rdata_offset,
		       rr->rdlen, edns);
}

/* Prerequisites, updates and additional data (RFC 2136 3.2, 3.4). */
static bool check_update(const struct record *rr, uint16_t zone_class)
{
	if (rr->class == DNS_CLASS_ANY)
		return rr->section != MSG_AR && rr->rdlen == 0;
	if (rr->class == DNS_CLASS_NONE)
		return rr->section != MSG_AR;
	return rr->class == zone_class;
}

static bool check_records(
	const uint8_t *msg, size_t len, struct query_view *view)
{
	bool update = msg_opcode(msg) == DNS_OPCODE_UPDATE;
	struct record_iter it;
	struct record rr;

	record_iter_init(&it, msg, len, view->q.end);
	while (record_iter_next(&it, &rr)) {
		if (is_pseudo(&rr)) {
			if (!check_pseudo(msg, &rr, it.left, &view->edns))
				return false;
		} else if (update && !check_update(&rr, view->q.class)) {
			return false;
		}
	}
	return !it.failed && it.pos == len;
}

bool exchange_check_request(
	const uint8_t *msg, size_t len, struct query_view *view)
{
	memset(&view->edns, 0, sizeof(view->edns));
	if (!view->q.name || msg_count(msg, MSG_QD) != 1)
		return false;
	if (msg_opcode(msg) == DNS_OPCODE_UPDATE) {
		if (view->q.type != DNS_TYPE_SOA)
			return false;
	} else if (msg_count(msg, MSG_NS) > 0) {
		return false;
	}
	return check_records(msg, len, view);
}

/* Length of the question that repeats what was asked; 0: it does not. */
static size_t echoed(const struct exchange *x, const uint8_t *msg, size_t len)
{
	const uint8_t *name = msg + MSG_HEADER;
	int n = name_wire_len(name, len - MSG_HEADER);

	if (n != x->name_len || MSG_HEADER + (size_t)n + 4 > len ||
		!name_equal(name, x->name) || get16(name + n) != x->type ||
		get16(name + n + 2) != x->class)
		return 0;
	return (size_t)n + 4;
}

bool exchange_is_answer(
	const struct exchange *x, uint16_t id, const uint8_t *msg, size_t len)
{
	struct record_iter it;
	struct record rr;
	size_t question = 0;

	if (len < MSG_HEADER || len > MSG_MAX || msg_id(msg) != id ||
		!(msg_flags(msg) & MSG_QR) || msg_opcode(msg) != x->opcode ||
		msg_count(msg, MSG_QD) > 1)
		return false;
	if (msg_count(msg, MSG_QD) == 1) {
		question = echoed(x, msg, len);
		if (question == 0)
			return false;
	}
	record_iter_init(&it, msg, len, MSG_HEADER + question);
	while (record_iter_next(&it, &rr))
		;
	return !it.failed && it.pos == len;
}
