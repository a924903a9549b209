/* SPDX-License-Identifier: ISC */
/*
 * OPT (RFC 6891). Options are walked once, with a cap on their number, and
 * only the first COOKIE and ECS are remembered.
 */

#include "common/dns/edns.h"

#include "common/base/buf.h"
#include "common/dns/code.h"

#define OPTIONS_MAX 64
#define FLAG_DO     0x8000

/* RFC 7873 4: a client cookie alone, or with a server cookie of 8..32. */
static bool cookie_len_ok(unsigned len)
{
	return len == 8 || (len >= 16 && len <= 40);
}

static bool note_option(
	struct edns *out, unsigned code, uint16_t offset, uint16_t len)
{
	if (code == EDNS_OPTION_COOKIE && out->cookie_offset == 0) {
		if (!cookie_len_ok(len))
			return false;
		out->cookie_offset = offset;
		out->cookie_len = (uint8_t)len;
	} else if (code == EDNS_OPTION_ECS && out->ecs_offset == 0) {
		out->ecs_offset = offset;
		out->ecs_len = len;
	} else if (code == EDNS_OPTION_KEEPALIVE) {
		out->keepalive = true;
	}
	return true;
}

static bool read_options(
	const uint8_t *msg, uint32_t pos, uint32_t end, struct edns *out)
{
	unsigned count = 0;

	while (pos < end) {
		uint32_t len;

		if (end - pos < 4 || ++count > OPTIONS_MAX)
			return false;
		len = get16(msg + pos + 2);
		if (len > end - pos - 4)
			return false;
		if (!note_option(out, get16(msg + pos), (uint16_t)(pos + 4),
			    (uint16_t)len))
			return false;
		pos += 4 + len;
	}
	return true;
}

bool edns_read(const uint8_t *msg, uint16_t offset, uint16_t class,
	uint32_t ttl, uint16_t rdata_offset, uint16_t rdlen, struct edns *out)
{
	memset(out, 0, sizeof(*out));
	out->present = true;
	out->dnssec_ok = (ttl & FLAG_DO) != 0;
	out->version = (uint8_t)(ttl >> 16);
	out->ext_rcode = (uint8_t)(ttl >> 24);
	out->payload = class;
	out->offset = offset;
	out->length = (uint16_t)(rdata_offset + rdlen - offset);
	if (out->version != 0)
		return true; /* its options may have another form */
	return read_options(
		msg, rdata_offset, (uint32_t)rdata_offset + rdlen, out);
}

uint16_t edns_udp_limit(const struct edns *edns, uint16_t limit)
{
	uint16_t payload = edns && edns->present ? edns->payload : 512;

	if (payload > limit)
		payload = limit;
	return payload < 512 ? 512 : payload;
}

size_t edns_write(uint8_t *out, size_t room, uint16_t payload, bool dnssec_ok,
	unsigned ext_rcode, int ede, const char *ede_text)
{
	size_t text_len = ede >= 0 && ede_text ? strlen(ede_text) : 0;
	size_t option = ede >= 0 ? 4 + 2 + text_len : 0;
	struct wbuf w;

	if (text_len > 255)
		return 0;
	wbuf_init(&w, out, room);
	wbuf_u8(&w, 0);
	wbuf_u16(&w, DNS_TYPE_OPT);
	wbuf_u16(&w, payload);
	wbuf_u8(&w, (uint8_t)ext_rcode);
	wbuf_u8(&w, 0);
	wbuf_u16(&w, dnssec_ok ? FLAG_DO : 0);
	wbuf_u16(&w, (uint16_t)option);
	if (ede >= 0) {
		wbuf_u16(&w, EDNS_OPTION_EDE);
		wbuf_u16(&w, (uint16_t)(2 + text_len));
		wbuf_u16(&w, (uint16_t)ede);
		wbuf_bytes(&w, ede_text, text_len);
	}
	return w.failed ? 0 : w.pos;
}
