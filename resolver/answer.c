/* SPDX-License-Identifier: ISC */
/*
 * The library always answers with DNSSEC records (DO=1), whole, with an OPT
 * at the end. Both forms of the records are made once, when the answer comes
 * in; a reply is then header, question, one copy, TTLs and OPT.
 */

#include "resolver/answer.h"

#include "common/base/buf.h"
#include "common/dns/code.h"
#include "common/dns/ttl.h"
#include "resolver/strip.h"

#include <strings.h>

#define FAILURE_EDE DNS_EDE_NO_REACHABLE_AUTHORITY

/* Extended error for the library's words (RFC 8914 4). */
static int ede_of_reason(const char *why)
{
	static const struct {
		const char *words;
		int ede;
	} table[] = {
		{"signature expired", 7},
		{"signature before inception", 8},
		{"not yet valid", 8},
		{"no DNSKEY", 9},
		{"missing DNSKEY", 9},
		{"no keys have a DS", 9},
		{"DNSKEY RRset", 9},
		{"no signatures", 10},
		{"no RRSIG", 10},
		{"without signature", 10},
		{"nodata proof failed", 12},
		{"nxdomain proof failed", 12},
		{"no NSEC", 12},
	};

	for (size_t i = 0; why && i < countof(table); i++)
		if (strcasestr(why, table[i].words))
			return table[i].ede;
	return DNS_EDE_DNSSEC_BOGUS;
}

/* --- making --- */

static void copy_form(struct answer_form *form, const struct strip_result *from,
	uint8_t **records, uint16_t **ttls)
{
	form->len = (uint16_t)(from->len - from->start);
	for (unsigned i = 0; i < 3; i++)
		form->counts[i] = from->counts[i];
	form->ttl_count = from->ttl_count;
	memcpy(*records, from->msg + from->start, form->len);
	memcpy(*ttls, from->ttls, from->ttl_count * sizeof(**ttls));
	form->records = *records;
	form->ttls = *ttls;
	*records += form->len;
	*ttls += from->ttl_count;
}

/* One block: the struct, TTL offsets of both forms, records of both. */
static struct answer *pack(
	const struct strip_result *full, const struct strip_result *plain)
{
	bool same = !plain->stripped;
	size_t ttls = full->ttl_count + (same ? 0u : plain->ttl_count);
	size_t octets = full->len - full->start +
			(same ? 0 : plain->len - plain->start);
	size_t size = sizeof(struct answer) + ttls * 2 + octets;
	struct answer *a = calloc(1, size);
	uint16_t *ttl_at;
	uint8_t *records_at;

	if (!a)
		return NULL;
	a->bytes = size;
	ttl_at = (uint16_t *)(void *)(a + 1);
	records_at = (uint8_t *)(ttl_at + ttls);
	copy_form(&a->full, full, &records_at, &ttl_at);
	if (same)
		a->plain = a->full;
	else
		copy_form(&a->plain, plain, &records_at, &ttl_at);
	return a;
}

static struct answer *build(const uint8_t *msg, size_t len,
	const struct question *q, const struct answer_info *info)
{
	static struct strip_result full, plain; /* big; one thread */
	struct answer *a;

	strip_none(msg, len, q, &full);
	strip_dnssec(msg, len, q, &plain);
	if (full.failed || plain.failed)
		return NULL;
	a = pack(&full, &plain);
	if (!a)
		return NULL;
	a->rcode = (uint8_t)msg_rcode(msg);
	a->ttl_s = info->ttl_s;
	a->negative =
		info->kind == ANSWER_NXDOMAIN || info->kind == ANSWER_NODATA;
	a->name_len = q->name_len;
	a->ede = -1;
	return a;
}

struct answer *answer_new_failure(uint8_t name_len, uint8_t rcode, int ede)
{
	struct answer *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->bytes = sizeof(*a);
	a->rcode = rcode;
	a->failure = true;
	a->ede = ede;
	a->name_len = name_len;
	return a;
}

struct answer *answer_new(const uint8_t *msg, size_t len,
	const struct question *asked, enum answer_security security,
	const char *why)
{
	struct answer_info info;
	struct question q;
	struct edns edns;
	struct answer *a;
	unsigned rcode;

	if (!msg_check_answer(msg, len, &q, &edns) || !q.name ||
		!question_equal(&q, asked))
		return NULL;
	rcode = msg_rcode(msg);
	if (rcode != DNS_RCODE_NOERROR && rcode != DNS_RCODE_NXDOMAIN)
		return answer_new_failure(
			q.name_len, (uint8_t)rcode, FAILURE_EDE);
	if (!ttl_inspect(msg, len, q.end, &info))
		return NULL;
	a = build(msg, len, &q, &info);
	if (!a)
		return NULL;
	a->security = security;
	if (security == ANSWER_BOGUS)
		a->ede = ede_of_reason(why);
	return a;
}

/* --- writing --- */

static uint16_t reply_flags(
	const struct answer_client *c, unsigned rcode, bool authentic)
{
	unsigned flags = MSG_QR | MSG_RA | (rcode & MSG_RCODE);

	flags |= c->flags & (MSG_RD | MSG_CD);
	if (authentic && (c->dnssec_ok || (c->flags & MSG_AD)))
		flags |= MSG_AD;
	return (uint16_t)flags;
}

/* Header (counts 0 but the question's) and question. */
static size_t write_question(
	const struct answer_client *c, uint16_t flags, uint8_t *out)
{
	size_t pos = MSG_HEADER;

	memset(out, 0, MSG_HEADER);
	msg_set_id(out, c->id);
	msg_set_flags(out, flags);
	msg_set_count(out, MSG_QD, 1);
	memcpy(out + pos, c->name, c->name_len);
	pos += c->name_len;
	put16(out + pos, c->type);
	put16(out + pos + 2, c->class);
	return pos + 4;
}

static size_t write_opt(const struct answer_client *c, int ede, uint8_t *out,
	size_t pos, size_t room)
{
	size_t n;

	if (!c->edns)
		return pos;
	n = edns_write(
		out + pos, room - pos, c->payload, c->dnssec_ok, 0, ede, NULL);
	if (n > 0)
		msg_set_count(
			out, MSG_AR, (uint16_t)(msg_count(out, MSG_AR) + 1));
	return pos + n;
}

size_t answer_write_error(
	const struct answer_client *c, unsigned rcode, int ede, uint8_t *out)
{
	size_t pos = write_question(c, reply_flags(c, rcode, false), out);

	return write_opt(c, ede, out, pos, MSG_MAX);
}

size_t answer_write_tc(const struct answer_client *c, uint8_t *out)
{
	size_t len = answer_write_error(c, DNS_RCODE_NOERROR, -1, out);

	msg_set_flags(out, msg_flags(out) | MSG_TC);
	return len;
}

static void set_ttls(uint8_t *out, const struct answer_form *form,
	uint32_t age_s, uint32_t stale_ttl_s)
{
	if (stale_ttl_s == 0) {
		ttl_age(out, form->ttls, form->ttl_count, age_s, TTL_MAX);
		return;
	}
	for (unsigned i = 0; i < form->ttl_count; i++)
		put32(out + form->ttls[i], stale_ttl_s);
}

static size_t write_records(const struct answer *a,
	const struct answer_client *c, uint32_t age_s, uint32_t stale_ttl_s,
	uint8_t *out)
{
	const struct answer_form *form = c->dnssec_ok ? &a->full : &a->plain;
	bool authentic = a->security == ANSWER_SECURE;
	int ede = stale_ttl_s > 0 ? (int)DNS_EDE_STALE_ANSWER : -1;
	size_t pos;

	pos = write_question(c, reply_flags(c, a->rcode, authentic), out);
	if (pos + form->len + EDNS_OPT_SIZE > MSG_MAX)
		return answer_write_tc(c, out);
	memcpy(out + pos, form->records, form->len);
	for (unsigned i = 0; i < 3; i++)
		msg_set_count(out, MSG_AN + i, form->counts[i]);
	set_ttls(out, form, age_s, stale_ttl_s);
	return write_opt(c, ede, out, pos + form->len, MSG_MAX);
}

size_t answer_write(const struct answer *a, const struct answer_client *c,
	uint32_t age_s, uint32_t stale_ttl_s, uint8_t *out)
{
	size_t len;

	if (a->failure)
		return answer_write_error(c, a->rcode, a->ede, out);
	if (a->security == ANSWER_BOGUS && !(c->flags & MSG_CD))
		return answer_write_error(c, DNS_RCODE_SERVFAIL, a->ede, out);
	len = write_records(a, c, age_s, stale_ttl_s, out);
	return len > c->limit ? answer_write_tc(c, out) : len;
}
