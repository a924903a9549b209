/* SPDX-License-Identifier: ISC */
/*
 * A record cannot simply be cut out: a later name may be compressed by a
 * pointer into it. So the records that stay are written anew, their names
 * read whole and compressed against what is in the new message. Only the
 * types of RFC 1035 have compressed names in their data (RFC 3597 4).
 */

#include "resolver/strip.h"

#include "common/base/buf.h"
#include "common/dns/code.h"

#define KNOWN_NAMES  64
#define POINTER_MAX  0x3fff
#define POINTER_MARK 0xc000

struct packer {
	const uint8_t *msg; /* the old message */
	size_t msg_len;
	struct wbuf out;             /* the new one */
	uint16_t known[KNOWN_NAMES]; /* offsets of labels in it */
	unsigned known_count;
};

static bool is_dnssec(uint16_t type)
{
	return type == DNS_TYPE_RRSIG || type == DNS_TYPE_NSEC ||
	       type == DNS_TYPE_NSEC3;
}

static bool stays(const struct record *r, const struct question *q)
{
	if (!is_dnssec(r->type))
		return true;
	return q->type == r->type || q->type == DNS_TYPE_ANY;
}

/* --- names --- */

/* Offset of this name in the new message, or 0. */
static uint16_t find_known(const struct packer *p, const uint8_t *name)
{
	for (unsigned i = 0; i < p->known_count; i++) {
		struct name there;

		if (name_read(p->out.data, p->out.pos, p->known[i], &there) >
				0 &&
			name_equal(there.wire, name))
			return p->known[i];
	}
	return 0;
}

static void remember(struct packer *p, size_t offset)
{
	if (offset <= POINTER_MAX && p->known_count < KNOWN_NAMES)
		p->known[p->known_count++] = (uint16_t)offset;
}

static void put_name(struct packer *p, const struct name *name)
{
	const uint8_t *at = name->wire;
	size_t start = p->out.pos, added = 0;

	while (*at) {
		uint16_t known = find_known(p, at);

		if (known) {
			wbuf_u16(&p->out, (uint16_t)(POINTER_MARK | known));
			break;
		}
		wbuf_bytes(&p->out, at, *at + 1u);
		added += *at + 1u;
		at = name_parent(at);
	}
	if (!*at)
		wbuf_u8(&p->out, 0);
	/* Only now: a name must be whole before it is compared with. */
	for (size_t done = 0; done < added && !p->out.failed;
		done += p->out.data[start + done] + 1u)
		remember(p, start + done);
}

/* Copy the name at *pos of the old message, moving *pos behind it. */
static void copy_name(struct packer *p, size_t *pos)
{
	struct name name;
	int n = name_read(p->msg, p->msg_len, *pos, &name);

	if (n < 0) {
		p->out.failed = true;
		return;
	}
	*pos += (size_t)n;
	put_name(p, &name);
}

/* --- records --- */

/* Names in the data of the types whose names may be compressed. */
static unsigned names_in(uint16_t type, size_t *before)
{
	*before = 0;
	switch (type) {
	case DNS_TYPE_MX:
		*before = 2;
		return 1;
	case DNS_TYPE_SOA:
	case 14: /* MINFO */
		return 2;
	case DNS_TYPE_NS:
	case DNS_TYPE_CNAME:
	case DNS_TYPE_PTR:
	case 3: /* MD */
	case 4: /* MF */
	case 7: /* MB */
	case 8: /* MG */
	case 9: /* MR */
		return 1;
	default:
		return 0;
	}
}

static void copy_rdata(struct packer *p, const struct record *r)
{
	size_t before, pos = r->rdata_offset, end = pos + r->rdlen;
	unsigned names = names_in(r->type, &before);

	wbuf_bytes(&p->out, p->msg + pos, before);
	pos += before;
	while (names-- > 0 && !p->out.failed)
		copy_name(p, &pos);
	if (pos > end) {
		p->out.failed = true;
		return;
	}
	wbuf_bytes(&p->out, p->msg + pos, end - pos);
}

/* Returns the offset of its TTL. */
static size_t copy_record(struct packer *p, const struct record *r)
{
	size_t pos = r->offset, ttl, length;

	copy_name(p, &pos);
	wbuf_u16(&p->out, r->type);
	wbuf_u16(&p->out, r->class);
	ttl = p->out.pos;
	wbuf_u32(&p->out, r->ttl);
	length = p->out.pos;
	wbuf_u16(&p->out, 0);
	copy_rdata(p, r);
	if (!p->out.failed)
		put16(p->out.data + length,
			(uint16_t)(p->out.pos - length - 2));
	return ttl;
}

static void count(struct strip_result *out, const struct record *r, size_t ttl)
{
	if (out->ttl_count == STRIP_RECORDS) {
		out->failed = true;
		return;
	}
	out->counts[r->section - MSG_AN]++;
	out->ttls[out->ttl_count++] = (uint16_t)ttl;
}

static void begin(struct strip_result *out, const uint8_t *msg, size_t len,
	const struct question *q)
{
	out->msg = msg;
	out->start = q->end;
	out->len = len;
	memset(out->counts, 0, sizeof(out->counts));
	out->ttl_count = 0;
	out->stripped = out->failed = false;
}

void strip_none(const uint8_t *msg, size_t len, const struct question *q,
	struct strip_result *out)
{
	struct record_iter it;
	struct record r;

	begin(out, msg, len, q);
	record_iter_init(&it, msg, len, q->end);
	while (record_iter_next(&it, &r) && !out->failed) {
		if (r.type == DNS_TYPE_OPT)
			out->len = r.offset;
		else
			count(out, &r, r.ttl_offset);
		/* A record behind the OPT would be lost with it. */
		if (r.type != DNS_TYPE_OPT && out->len < len)
			out->failed = true;
	}
	out->failed |= it.failed;
}

static void rewrite(
	struct packer *p, const struct question *q, struct strip_result *out)
{
	struct record_iter it;
	struct record r;

	wbuf_bytes(&p->out, p->msg, q->end);
	for (const uint8_t *at = q->name; *at; at = name_parent(at))
		remember(p, (size_t)(at - p->msg));
	record_iter_init(&it, p->msg, p->msg_len, q->end);
	while (record_iter_next(&it, &r) && !p->out.failed) {
		if (r.type == DNS_TYPE_OPT)
			continue;
		if (stays(&r, q))
			count(out, &r, copy_record(p, &r));
		else
			out->stripped = true;
	}
	out->failed |= it.failed || p->out.failed;
}

void strip_dnssec(const uint8_t *msg, size_t len, const struct question *q,
	struct strip_result *out)
{
	struct packer p = {.msg = msg, .msg_len = len};

	begin(out, msg, len, q);
	wbuf_init(&p.out, out->room, sizeof(out->room));
	rewrite(&p, q, out);
	out->msg = out->room;
	out->len = p.out.pos;
}
