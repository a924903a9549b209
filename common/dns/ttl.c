/* SPDX-License-Identifier: ISC */
/* How long an answer lives, and ageing it. One walk each; on a cache hit only
 * ttl_age runs, over offsets noted at insertion. */

#include "common/dns/ttl.h"

#include "common/base/buf.h"
#include "common/dns/code.h"

/* Two root names and five numbers. */
#define SOA_RDATA_MIN 22

struct census {
	bool has_answer; /* a record of the type asked for */
	bool has_any_answer;
	bool has_ns;
	bool has_soa;
	uint32_t soa_minimum;
	uint32_t smallest;
	uint16_t ttl_count;
	unsigned rcode;
};

static uint32_t effective(uint32_t ttl)
{
	if (ttl & 0x80000000u)
		return 0;
	return ttl > TTL_MAX ? TTL_MAX : ttl;
}

static void count_record(struct census *c, const uint8_t *msg,
	const struct record *rr, uint16_t qtype)
{
	uint32_t ttl = effective(rr->ttl);

	if (rr->type == DNS_TYPE_OPT) {
		c->rcode |= rr->ttl >> 24 << 4;
		return;
	}
	c->ttl_count++;
	if (ttl < c->smallest)
		c->smallest = ttl;
	if (rr->section == MSG_AN) {
		c->has_any_answer = true;
		if (rr->type == qtype || qtype == DNS_TYPE_ANY)
			c->has_answer = true;
	}
	if (rr->section != MSG_NS)
		return;
	if (rr->type == DNS_TYPE_NS)
		c->has_ns = true;
	if (rr->type == DNS_TYPE_SOA && rr->rdlen >= SOA_RDATA_MIN) {
		c->has_soa = true;
		c->soa_minimum = effective(
			get32(msg + rr->rdata_offset + rr->rdlen - 4));
	}
}

static enum answer_kind judge(const struct census *c, const uint8_t *msg)
{
	if (msg_flags(msg) & MSG_TC)
		return ANSWER_TRUNCATED;
	if (c->rcode == DNS_RCODE_NXDOMAIN)
		return ANSWER_NXDOMAIN;
	if (c->rcode != DNS_RCODE_NOERROR)
		return ANSWER_FAILURE;
	if (c->has_answer)
		return ANSWER_POSITIVE;
	if (c->has_soa)
		return ANSWER_NODATA;
	if (c->has_any_answer)
		return ANSWER_POSITIVE; /* an alias whose target is not told */
	return c->has_ns ? ANSWER_REFERRAL : ANSWER_NODATA;
}

bool ttl_inspect(
	const uint8_t *msg, size_t len, size_t pos, struct answer_info *out)
{
	struct census c = {.smallest = TTL_MAX, .rcode = msg_rcode(msg)};
	uint16_t qtype =
		pos >= MSG_HEADER + 4 ? get16(msg + pos - 4) : DNS_TYPE_ANY;
	struct record_iter it;
	struct record rr;

	record_iter_init(&it, msg, len, pos);
	while (record_iter_next(&it, &rr))
		count_record(&c, msg, &rr, qtype);
	if (it.failed)
		return false;
	out->kind = judge(&c, msg);
	out->has_soa = c.has_soa;
	out->ttl_count = c.ttl_count;
	out->ttl_s = c.ttl_count > 0 ? c.smallest : 0;
	if (out->kind != ANSWER_NXDOMAIN && out->kind != ANSWER_NODATA)
		return true;
	if (!c.has_soa)
		out->ttl_s = 0; /* RFC 2308 5: not to be cached */
	else if (c.soa_minimum < out->ttl_s)
		out->ttl_s = c.soa_minimum;
	return true;
}

unsigned ttl_offsets(const uint8_t *msg, size_t len, size_t pos,
	uint16_t *offsets, unsigned max)
{
	struct record_iter it;
	struct record rr;
	unsigned count = 0;

	record_iter_init(&it, msg, len, pos);
	while (record_iter_next(&it, &rr)) {
		if (rr.type == DNS_TYPE_OPT)
			continue;
		if (count < max)
			offsets[count] = rr.ttl_offset;
		count++;
	}
	return count;
}

void ttl_age(uint8_t *msg, const uint16_t *offsets, unsigned count,
	uint32_t age_s, uint32_t cap_s)
{
	for (unsigned i = 0; i < count; i++) {
		uint8_t *p = msg + offsets[i];
		uint32_t ttl = effective(get32(p));

		ttl = ttl > age_s ? ttl - age_s : 0;
		put32(p, ttl > cap_s ? cap_s : ttl);
	}
}
