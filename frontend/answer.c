/* SPDX-License-Identifier: ISC */
/*
 * One stored form for all clients: what differs between two who ask the same
 * (id, RD, AD, CD, spelling, EDNS, size, transport) is written on the way
 * out, so none of it splits the cache and none of it leaks (RFC 6840 5.7 for
 * AD, RFC 6891 6.1.1 for OPT, RFC 8767 4 for stale TTLs).
 */

#include "frontend/answer.h"

#include "common/base/buf.h"
#include "common/dns/code.h"

void asker_init(struct asker *asker, const uint8_t *msg,
	const struct query_view *view, bool tcp, uint16_t udp_limit)
{
	asker->id = msg_id(msg);
	asker->flags = msg_flags(msg);
	asker->type = view->q.type;
	asker->class = view->q.class;
	asker->udp_limit = tcp ? 0 : edns_udp_limit(&view->edns, udp_limit);
	asker->name_len = view->q.name_len;
	asker->edns = view->edns.present;
	asker->dnssec_ok = view->edns.present && view->edns.dnssec_ok;
	memcpy(asker->name, view->q.name, view->q.name_len);
}

/* The extended error in the OPT's options (already checked), or -1. */
static int16_t find_ede(const uint8_t *msg, const struct edns *edns)
{
	const uint8_t *p = msg + edns->offset + EDNS_OPT_SIZE;
	const uint8_t *end = msg + edns->offset + edns->length;

	while (end - p >= 4) {
		uint16_t code = get16(p), len = get16(p + 2);

		if (len > end - p - 4)
			break;
		if (code == EDNS_OPTION_EDE && len >= 2)
			return (int16_t)(get16(p + 4) & INT16_MAX);
		p += 4 + len;
	}
	return -1;
}

/* TSIG is the last record (RFC 8945 5.1), its type and class before its TTL. */
static bool ends_signed(
	const uint8_t *msg, const uint16_t *ttl_at, unsigned count)
{
	return count > 0 && get16(msg + ttl_at[count - 1] - 4) == DNS_TYPE_TSIG;
}

bool answer_take(struct answer *a, uint8_t *msg, size_t len,
	const struct question *q, const struct edns *edns)
{
	unsigned count;

	a->msg = msg;
	a->q_end = q->end;
	a->ede = -1;
	a->scope = 0;
	if (edns->present) {
		if ((size_t)edns->offset + edns->length != len)
			return false;
		a->ede = find_ede(msg, edns);
		len = edns->offset;
		msg_set_count(
			msg, MSG_AR, (uint16_t)(msg_count(msg, MSG_AR) - 1));
	}
	a->len = len;
	if (!ttl_inspect(msg, len, q->end, &a->info))
		return false;
	count = ttl_offsets(msg, len, q->end, a->ttl_at, ANSWER_TTLS);
	if (count > ANSWER_TTLS || ends_signed(msg, a->ttl_at, count))
		return false;
	a->ttl_count = (uint16_t)count;
	return true;
}

void answer_make(struct answer *a, uint8_t *buf, const uint8_t *name,
	uint8_t name_len, uint16_t type, uint16_t class, unsigned rcode,
	int ede)
{
	memset(buf, 0, MSG_HEADER);
	msg_set_flags(buf, (uint16_t)(MSG_QR | (rcode & MSG_RCODE)));
	msg_set_count(buf, MSG_QD, 1);
	memcpy(buf + MSG_HEADER, name, name_len);
	put16(buf + MSG_HEADER + name_len, type);
	put16(buf + MSG_HEADER + name_len + 2, class);
	a->msg = buf;
	a->len = MSG_HEADER + (size_t)name_len + 4;
	a->q_end = (uint16_t)a->len;
	a->ttl_count = 0;
	a->ede = (int16_t)ede;
	a->scope = 0;
	memset(&a->info, 0, sizeof(a->info));
	a->info.kind =
		rcode == DNS_RCODE_NXDOMAIN ? ANSWER_NXDOMAIN : ANSWER_FAILURE;
}

static uint16_t reply_flags(const struct answer *a, const struct asker *asker,
	const struct answer_style *style)
{
	uint16_t from = msg_flags(a->msg);
	uint16_t flags = (uint16_t)(MSG_QR | (from & MSG_RCODE));

	flags |= asker->flags & (MSG_RD | MSG_CD);
	if (style->auth)
		flags |= from & MSG_AA;
	else
		flags |= MSG_RA;
	if (asker->dnssec_ok || (asker->flags & MSG_AD))
		flags |= from & MSG_AD;
	return flags;
}

static void set_ttls(
	const struct answer *a, const struct answer_style *style, uint8_t *out)
{
	if (!style->stale) {
		ttl_age(out, a->ttl_at, a->ttl_count, style->age_s,
			style->cap_s ? style->cap_s : TTL_MAX);
		return;
	}
	for (unsigned i = 0; i < a->ttl_count; i++)
		put32(out + a->ttl_at[i], style->stale_ttl_s);
}

/* Header and question only, TC set. Returns the length. */
static size_t cut(uint8_t *out, size_t q_end)
{
	msg_set_flags(out, (uint16_t)(msg_flags(out) | MSG_TC));
	for (enum msg_section s = MSG_AN; s <= MSG_AR; s++)
		msg_set_count(out, s, 0);
	return q_end;
}

static size_t add_opt(uint8_t *out, size_t len, size_t size,
	const struct asker *asker, int ede, uint8_t scope)
{
	size_t n;

	if (!asker->edns)
		return len;
	n = edns_write(out + len, size - len, EDNS_OUR_PAYLOAD,
		asker->dnssec_ok, 0, ede, NULL);
	n = hop_write(&asker->hop, scope, out + len, n, size - len);
	if (n > 0)
		msg_set_count(
			out, MSG_AR, (uint16_t)(msg_count(out, MSG_AR) + 1));
	return len + n;
}

size_t answer_render(const struct answer *a, const struct asker *asker,
	const struct answer_style *style, uint8_t *out, size_t size,
	bool *truncated)
{
	size_t limit = asker->udp_limit ? asker->udp_limit : MSG_MAX;
	int ede = style->stale ? DNS_EDE_STALE_ANSWER : a->ede;
	/* 4 + 2: the option of the extended error */
	size_t opt = asker->edns ? EDNS_OPT_SIZE + (ede >= 0 ? 6u : 0u) +
					   asker->hop.len
				 : 0;
	size_t len = a->len;

	if (limit > size)
		limit = size;
	*truncated = len + opt > limit || (msg_flags(a->msg) & MSG_TC);
	memcpy(out, a->msg, *truncated ? (size_t)a->q_end : len);
	msg_set_id(out, asker->id);
	msg_set_flags(out, reply_flags(a, asker, style));
	memcpy(out + MSG_HEADER, asker->name, asker->name_len);
	if (*truncated)
		len = cut(out, a->q_end);
	else
		set_ttls(a, style, out);
	return add_opt(out, len, size, asker, ede, a->scope);
}
