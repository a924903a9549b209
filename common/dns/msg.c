/* SPDX-License-Identifier: ISC */
/*
 * Messages in one linear pass and in place. Whatever comes from outside goes
 * through msg_parse_query or msg_check_answer once; the other functions rely
 * on that.
 */

#include "common/dns/msg.h"

#include "common/base/buf.h"
#include "common/dns/code.h"
#include "common/dns/rdata.h"

#include <errno.h>

#define TYPE_SIG 24
/* OPT and a signature (TSIG or SIG(0)): no query has more. */
#define QUERY_AR_MAX 2

/* The question at offset 12; false when it is not whole. */
static bool read_question(const uint8_t *msg, size_t len, struct question *q)
{
	const uint8_t *name = msg + MSG_HEADER;
	int n = name_wire_len(name, len - MSG_HEADER);

	if (n < 0 || MSG_HEADER + (size_t)n + 4 > len)
		return false;
	q->name = name;
	q->name_len = (uint8_t)n;
	q->type = get16(name + n);
	q->class = get16(name + n + 2);
	q->end = (uint16_t)(MSG_HEADER + n + 4);
	return true;
}

/* Take up the OPT in `rr`; false when there was one, or it is malformed. */
static bool read_opt(
	const uint8_t *msg, const struct record *rr, struct edns *edns)
{
	if (edns->present || msg[rr->offset] != 0 || rr->section != MSG_AR)
		return false;
	return edns_read(msg, rr->offset, rr->class, rr->ttl, rr->rdata_offset,
		rr->rdlen, edns);
}

/* The sections of a query behind its question: nothing, an OPT, a signature;
 * for IXFR the client's SOA (RFC 1995 3). */
static bool read_query_records(
	const uint8_t *msg, size_t len, struct query_view *out)
{
	struct record_iter it;
	struct record rr;

	if (msg_count(msg, MSG_AN) > 0 || msg_count(msg, MSG_AR) > QUERY_AR_MAX)
		return false;
	if (msg_count(msg, MSG_NS) > (out->q.type == DNS_TYPE_IXFR))
		return false;
	record_iter_init(&it, msg, len, out->q.end);
	while (record_iter_next(&it, &rr)) {
		if (rr.type == DNS_TYPE_OPT) {
			if (!read_opt(msg, &rr, &out->edns))
				return false;
		} else if (rr.section == MSG_NS) {
			if (rr.type != DNS_TYPE_SOA)
				return false;
		} else if (rr.type != DNS_TYPE_TSIG && rr.type != TYPE_SIG) {
			return false;
		}
	}
	return !it.failed && it.pos == len;
}

/* No question, but an OPT: it may fetch a cookie (RFC 7873 5.4). */
static bool read_lone_opt(const uint8_t *msg, size_t len, struct edns *edns)
{
	struct record_iter it;
	struct record rr;

	if (get16(msg + 4) != 0 || get32(msg + 6) != 0 || get16(msg + 10) != 1)
		return false;
	record_iter_init(&it, msg, len, MSG_HEADER);
	return record_iter_next(&it, &rr) && it.pos == len &&
	       rr.type == DNS_TYPE_OPT && read_opt(msg, &rr, edns);
}

enum msg_verdict msg_parse_query(
	const uint8_t *msg, size_t len, struct query_view *out)
{
	bool whole;

	memset(out, 0, sizeof(*out));
	if (len < MSG_HEADER || len > MSG_MAX || msg_flags(msg) & MSG_QR)
		return MSG_DROP;
	whole = msg_count(msg, MSG_QD) == 1 && read_question(msg, len, &out->q);
	if (msg_opcode(msg) != DNS_OPCODE_QUERY)
		return MSG_NOTIMP;
	if (!whole) {
		if (!read_lone_opt(msg, len, &out->edns))
			memset(&out->edns, 0, sizeof(out->edns));
		return MSG_FORMERR;
	}
	if (len == out->q.end && get32(msg + 6) == 0 && get16(msg + 10) == 0)
		return MSG_OK; /* nothing behind the question */
	if (!read_query_records(msg, len, out))
		return MSG_FORMERR;
	return out->edns.version == 0 ? MSG_OK : MSG_BADVERS;
}

void record_iter_init(
	struct record_iter *it, const uint8_t *msg, size_t len, size_t pos)
{
	it->msg = msg;
	it->len = len;
	it->pos = pos;
	it->section = MSG_AN;
	it->left = msg_count(msg, MSG_AN);
	it->failed = false;
}

bool record_iter_next(struct record_iter *it, struct record *out)
{
	const uint8_t *p;
	size_t fixed;
	int n;

	while (it->left == 0) {
		if (it->section == MSG_AR)
			return false;
		it->section++;
		it->left = msg_count(it->msg, (enum msg_section)it->section);
	}
	n = name_read(it->msg, it->len, it->pos, NULL);
	if (n < 0)
		goto fail;
	fixed = it->pos + (size_t)n;
	if (fixed + 10 > it->len)
		goto fail;
	p = it->msg + fixed;
	out->offset = (uint16_t)it->pos;
	out->type = get16(p);
	out->class = get16(p + 2);
	out->ttl = get32(p + 4);
	out->ttl_offset = (uint16_t)(fixed + 4);
	out->rdlen = get16(p + 8);
	out->rdata_offset = (uint16_t)(fixed + 10);
	out->section = (enum msg_section)it->section;
	if (fixed + 10 + out->rdlen > it->len)
		goto fail;
	it->pos = fixed + 10 + out->rdlen;
	it->left--;
	return true;
fail:
	it->failed = true;
	it->left = 0;
	it->section = MSG_AR;
	return false;
}

/* A record of an answer, OPT and TSIG apart. */
static bool check_record(const uint8_t *msg, size_t len,
	const struct record *rr, uint16_t qclass, struct name_marks *marks)
{
	if (rr->type == 0 ||
		(rr->type >= DNS_TYPE_IXFR && rr->type <= DNS_TYPE_ANY))
		return false;
	if (rr->class != qclass && qclass != DNS_CLASS_ANY)
		return false;
	return name_marks_read(marks, msg, len, rr->offset) > 0 &&
	       rdata_check(msg, len, rr->type, rr->class, rr->rdata_offset,
		       rr->rdlen, marks);
}

/* The records from `pos` on; a question was there when pos > MSG_HEADER. */
static bool check_records(const uint8_t *msg, size_t len, size_t pos,
	uint16_t qclass, struct edns *edns)
{
	struct name_marks marks;
	struct record_iter it;
	struct record rr;

	name_marks_init(&marks, len);
	if (pos > MSG_HEADER &&
		name_marks_read(&marks, msg, len, MSG_HEADER) < 0)
		return false;
	record_iter_init(&it, msg, len, pos);
	while (record_iter_next(&it, &rr)) {
		if (rr.type == DNS_TYPE_OPT) {
			if (!read_opt(msg, &rr, edns))
				return false;
		} else if (rr.type == DNS_TYPE_TSIG) {
			/* RFC 8945 5.1: the last record */
			if (rr.section != MSG_AR || it.left > 0)
				return false;
		} else if (!check_record(msg, len, &rr, qclass, &marks)) {
			return false;
		}
	}
	return !it.failed && it.pos == len;
}

/* An error without its question, such as the FORMERR of a peer that could
 * not read ours: no records but an OPT. */
static bool check_bare_error(const uint8_t *msg, size_t len, struct edns *edns)
{
	if (msg_rcode(msg) == DNS_RCODE_NOERROR || get32(msg + 6) != 0 ||
		msg_count(msg, MSG_AR) > 1)
		return false;
	if (!check_records(msg, len, MSG_HEADER, DNS_CLASS_ANY, edns))
		return false;
	return msg_count(msg, MSG_AR) == 0 || edns->present;
}

bool msg_check_answer(
	const uint8_t *msg, size_t len, struct question *q, struct edns *edns)
{
	memset(q, 0, sizeof(*q));
	memset(edns, 0, sizeof(*edns));
	if (len < MSG_HEADER || len > MSG_MAX || !(msg_flags(msg) & MSG_QR) ||
		msg_opcode(msg) != DNS_OPCODE_QUERY)
		return false;
	if (msg_count(msg, MSG_QD) == 0)
		return check_bare_error(msg, len, edns);
	if (msg_count(msg, MSG_QD) != 1 || !read_question(msg, len, q))
		return false;
	return check_records(msg, len, q->end, q->class, edns);
}

bool question_equal(const struct question *a, const struct question *b)
{
	return a->name && b->name && a->type == b->type &&
	       a->class == b->class && a->name_len == b->name_len &&
	       name_equal(a->name, b->name);
}

size_t msg_make_reply(uint8_t *out, size_t size, const uint8_t *msg,
	const struct question *q, const struct edns *edns, unsigned rcode,
	bool ra, int ede)
{
	size_t q_len = q && q->name ? (size_t)q->end - MSG_HEADER : 0;
	uint16_t flags = msg_flags(msg) & (MSG_OPCODE | MSG_RD | MSG_CD);
	size_t len = MSG_HEADER + q_len;

	if (len > size)
		return 0;
	if (q_len > 0)
		memmove(out + MSG_HEADER, q->name, q_len);
	memmove(out, msg, 2);
	flags |= MSG_QR | (rcode & MSG_RCODE);
	msg_set_flags(out, (uint16_t)(flags | (ra ? MSG_RA : 0)));
	memset(out + 4, 0, 8);
	msg_set_count(out, MSG_QD, q_len > 0);
	if (edns && edns->present) {
		size_t opt = edns_write(out + len, size - len, EDNS_OUR_PAYLOAD,
			edns->dnssec_ok, rcode >> 4, ede, NULL);

		msg_set_count(out, MSG_AR, opt > 0);
		len += opt;
	}
	return len;
}

size_t msg_truncate(uint8_t *msg, size_t len, const struct question *q,
	const struct edns *edns)
{
	size_t end = q->name ? q->end : MSG_HEADER;
	bool keep = edns && edns->present &&
		    (size_t)edns->offset + edns->length <= len;

	msg_set_flags(msg, msg_flags(msg) | MSG_TC);
	memset(msg + 6, 0, 6);
	if (!keep)
		return end;
	memmove(msg + end, msg + edns->offset, edns->length);
	msg_set_count(msg, MSG_AR, 1);
	return end + edns->length;
}

size_t msg_make_query(uint8_t *out, size_t size, uint16_t id,
	const uint8_t *name, uint8_t name_len, uint16_t type, uint16_t class,
	uint16_t flags, uint16_t payload, bool dnssec)
{
	struct wbuf w;

	wbuf_init(&w, out, size);
	wbuf_u16(&w, id);
	wbuf_u16(&w, flags);
	wbuf_u16(&w, 1);
	wbuf_u32(&w, 0);
	wbuf_u16(&w, payload > 0);
	wbuf_bytes(&w, name, name_len);
	wbuf_u16(&w, type);
	wbuf_u16(&w, class);
	if (w.failed)
		return 0;
	if (payload > 0) {
		size_t opt = edns_write(out + w.pos, size - w.pos, payload,
			dnssec, 0, -1, NULL);

		return opt > 0 ? w.pos + opt : 0;
	}
	return w.pos;
}
