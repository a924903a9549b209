/* SPDX-License-Identifier: ISC */
/*
 * A request that is handed on, and what comes back: the input is frames (two
 * octets length), the first one the client's, the others a backend's. A
 * transfer ends once and takes nothing after; what counts as an answer has
 * the request's id, opcode and question.
 */

#include "tests/fuzz/fuzz.h"

#include "common/base/buf.h"
#include "common/dns/code.h"
#include "frontend/xfr.h"

struct frames {
	const uint8_t *data;
	size_t size, pos;
};

static bool next_frame(struct frames *f, const uint8_t **msg, size_t *len)
{
	if (f->size - f->pos < 2)
		return false;
	*len = get16(f->data + f->pos);
	if (f->size - f->pos - 2 < *len)
		return false;
	*msg = f->data + f->pos + 2;
	f->pos += 2 + *len;
	return true;
}

static void check_transfer(const struct query_view *view, const uint8_t *msg,
	size_t len, struct frames *f)
{
	enum xfr_verdict verdict = XFR_MORE;
	struct xfr x;

	if (!xfr_init(&x, msg, len, view))
		return;
	while (next_frame(f, &msg, &len)) {
		uint64_t before = x.records;
		bool ended = x.state == XFR_ENDED;

		verdict = xfr_take(&x, msg, len);
		fuzz_check(!ended || verdict == XFR_BAD);
		fuzz_check(verdict != XFR_END || x.state == XFR_ENDED);
		if (verdict == XFR_BAD)
			continue;
		fuzz_check(msg_id(msg) == x.id && (msg_flags(msg) & MSG_QR));
		fuzz_check(msg_rcode(msg) != 0 ||
			   x.records == before + msg_count(msg, MSG_AN));
	}
}

static void check_exchange(struct query_view *view, const uint8_t *msg,
	size_t len, struct frames *f)
{
	uint16_t id = msg_id(msg);
	struct exchange x;

	if (!exchange_check_request(msg, len, view))
		return;
	exchange_init(&x, msg, view);
	fuzz_check(!exchange_is_answer(&x, id, msg, len));
	while (next_frame(f, &msg, &len))
		if (exchange_is_answer(&x, id, msg, len))
			fuzz_check(len >= MSG_HEADER && msg_id(msg) == id &&
				   msg_opcode(msg) == x.opcode);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frames f = {data, size, 0};
	struct query_view view;
	enum msg_verdict verdict;
	const uint8_t *msg;
	size_t len;

	if (!next_frame(&f, &msg, &len))
		return 0;
	verdict = msg_parse_query(msg, len, &view);
	if (verdict == MSG_NOTIMP && view.q.name)
		check_exchange(&view, msg, len, &f);
	else if (verdict == MSG_OK &&
		 (view.q.type == DNS_TYPE_AXFR || view.q.type == DNS_TYPE_IXFR))
		check_transfer(&view, msg, len, &f);
	return 0;
}
