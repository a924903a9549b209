/* SPDX-License-Identifier: ISC */
/*
 * A spoofed answer has the form of one from a backend, so it leaves the same
 * way: size, flags and OPT are made for the client.
 */

#include "frontend/spoof.h"

#include "common/base/buf.h"
#include "common/dns/code.h"

bool spoof_add(struct spoof *spoof, const union addr *addr)
{
	const uint8_t *octets;
	size_t len = addr_octets(addr, &octets);
	unsigned *count = len == 16 ? &spoof->v6_count : &spoof->v4_count;

	if (*count == SPOOF_MAX)
		return false;
	memcpy(len == 16 ? spoof->v6[*count] : spoof->v4[*count], octets, len);
	(*count)++;
	return true;
}

/* One record whose owner is the question's name. */
static void add_record(struct answer *a, uint16_t type, uint32_t ttl_s,
	const uint8_t *rdata, uint16_t rdlen)
{
	uint8_t *p = a->msg + a->len;

	put16(p, 0xc000 | MSG_HEADER);
	put16(p + 2, type);
	put16(p + 4, DNS_CLASS_IN);
	put32(p + 6, ttl_s);
	put16(p + 10, rdlen);
	memcpy(p + 12, rdata, rdlen);
	a->ttl_at[a->ttl_count++] = (uint16_t)(a->len + 6);
	a->len += 12u + rdlen;
}

static bool asks(const struct question *q, uint16_t type)
{
	return q->type == type || q->type == DNS_TYPE_ANY;
}

void spoof_make(const struct spoof *spoof, struct answer *a, uint8_t *buf,
	const struct question *q)
{
	answer_make(a, buf, q->name, q->name_len, q->type, q->class,
		DNS_RCODE_NOERROR, DNS_EDE_FORGED_ANSWER);
	if (q->class != DNS_CLASS_IN)
		return;
	for (unsigned i = 0; asks(q, DNS_TYPE_A) && i < spoof->v4_count; i++)
		add_record(a, DNS_TYPE_A, spoof->ttl_s, spoof->v4[i], 4);
	for (unsigned i = 0; asks(q, DNS_TYPE_AAAA) && i < spoof->v6_count; i++)
		add_record(a, DNS_TYPE_AAAA, spoof->ttl_s, spoof->v6[i], 16);
	msg_set_count(a->msg, MSG_AN, a->ttl_count);
}
