/* SPDX-License-Identifier: ISC */
/*
 * Messages made from a few words, and the sockets that carry them.
 */

#include "tests/frontend/talk.h"

#include "common/base/buf.h"
#include "common/dns/code.h"
#include "common/dns/msg.h"
#include "tests/tap/tap.h"
#include "tests/tap/wire.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

/* --- messages ---------------------------------------------------------- */

static size_t add_options(uint8_t *msg, size_t len, const char *options)
{
	uint8_t octets[512];
	size_t n = options ? wire(octets, sizeof(octets), options) : 0;

	memcpy(msg + len, octets, n);
	put16(msg + len - 2, (uint16_t)n); /* RDLEN of the OPT, the last */
	return len + n;
}

size_t ask_make(const struct ask *ask, uint8_t *out, size_t size)
{
	struct name name;
	size_t len;

	if (name_parse(ask->name, &name) < 0)
		tap_bail("name %s", ask->name);
	len = msg_make_query(out, size, ask->id, name.wire, name.len,
		ask->type ? ask->type : DNS_TYPE_A,
		ask->class ? ask->class : DNS_CLASS_IN, ask->flags,
		ask->payload, ask->dnssec_ok);
	if (ask->options)
		len = add_options(out, len, ask->options);
	return len;
}

void send_udp(int fd, const void *data, size_t len)
{
	if (send(fd, data, len, 0) < 0 && errno != ECONNREFUSED)
		tap_bail("send: %s", strerror(errno));
}

static void send_framed(int fd, const uint8_t *data, size_t len)
{
	uint8_t frame[65538];

	put16(frame, (uint16_t)len);
	memcpy(frame + 2, data, len);
	if (send(fd, frame, len + 2, MSG_NOSIGNAL) != (ssize_t)len + 2)
		tap_diag("send on TCP: %s", strerror(errno));
}

void ask_udp(int fd, const struct ask *ask)
{
	uint8_t msg[1024];

	send_udp(fd, msg, ask_make(ask, msg, sizeof(msg)));
}

void ask_tcp(int fd, const struct ask *ask)
{
	uint8_t msg[1024];

	send_framed(fd, msg, ask_make(ask, msg, sizeof(msg)));
}

bool is_readable(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, ms) > 0;
}

bool take_udp(int fd, struct packet *p, int ms)
{
	socklen_t len = sizeof(p->from);
	ssize_t n;

	if (!is_readable(fd, ms))
		return false;
	n = recvfrom(fd, p->data, sizeof(p->data), 0, &p->from.sa, &len);
	p->len = n > 0 ? (size_t)n : 0;
	return n > 0;
}

static bool read_all(int fd, uint8_t *out, size_t len, int ms)
{
	while (len > 0) {
		ssize_t n;

		if (!is_readable(fd, ms))
			return false;
		n = recv(fd, out, len, 0);
		if (n <= 0)
			return false;
		out += n;
		len -= (size_t)n;
	}
	return true;
}

bool take_tcp(int fd, struct packet *p, int ms)
{
	uint8_t head[2];

	p->len = 0;
	if (!read_all(fd, head, 2, ms))
		return false;
	p->len = get16(head);
	return read_all(fd, p->data, p->len, ms);
}

bool is_closed(int fd, int ms)
{
	uint8_t octet;

	return is_readable(fd, ms) && recv(fd, &octet, 1, 0) <= 0;
}

/* --- replies ----------------------------------------------------------- */

static size_t add_record(uint8_t *out, size_t len, uint16_t type,
	uint32_t ttl_s, const void *rdata, size_t rdlen)
{
	put16(out + len, 0xc00c);
	put16(out + len + 2, type);
	put16(out + len + 4, DNS_CLASS_IN);
	put32(out + len + 6, ttl_s);
	put16(out + len + 10, (uint16_t)rdlen);
	memcpy(out + len + 12, rdata, rdlen);
	return len + 12 + rdlen;
}

static size_t add_soa(
	uint8_t *out, size_t len, uint32_t serial, uint32_t minimum_s)
{
	uint8_t rdata[22] = {
		0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4};

	if (serial)
		put32(rdata + 2, serial);
	put32(rdata + 18, minimum_s);
	return add_record(out, len, DNS_TYPE_SOA, 3600, rdata, sizeof(rdata));
}

static size_t add_padding(uint8_t *out, size_t len, size_t octets, int *count)
{
	uint8_t text[256];

	memset(text, 'x', sizeof(text));
	for (*count = 0; octets > 0; (*count)++) {
		size_t n = octets < 250 ? octets : 250;

		text[0] = (uint8_t)(n - 1);
		len = add_record(out, len, DNS_TYPE_TXT, 60, text, n);
		octets -= n;
	}
	return len;
}

size_t reply_make(const struct packet *question, const struct reply *reply,
	uint8_t *out, size_t size)
{
	struct query_view view;
	struct name other;
	const uint8_t *name;
	int texts = 0;
	size_t len;

	if (msg_parse_query(question->data, question->len, &view) != MSG_OK)
		tap_bail("a backend was asked something malformed");
	name = view.q.name;
	if (reply->name) {
		if (name_parse(reply->name, &other) < 0)
			tap_bail("name %s", reply->name);
		name = other.wire;
	}
	len = msg_make_query(out, size,
		(uint16_t)(msg_id(question->data) + reply->id_off), name,
		(uint8_t)name_wire_len(name, 255),
		reply->type ? reply->type : view.q.type, view.q.class,
		(uint16_t)(MSG_QR | reply->flags | reply->rcode), 0, false);
	for (int i = 0; i < reply->answers; i++) {
		const uint8_t a[] = {192, 0, 2, (uint8_t)i};

		len = add_record(out, len, DNS_TYPE_A, reply->ttl_s, a, 4);
	}
	len = add_padding(out, len, reply->padding, &texts);
	if (reply->soa_serial)
		len = add_soa(out, len, reply->soa_serial, 60);
	msg_set_count(out, MSG_AN,
		(uint16_t)(reply->answers + texts + (reply->soa_serial != 0)));
	if (reply->soa) {
		len = add_soa(out, len, 0, reply->minimum_s);
		msg_set_count(out, MSG_NS, 1);
	}
	if (!reply->no_opt) {
		len += edns_write(
			out + len, size - len, 1232, false, 0, -1, NULL);
		if (reply->options)
			len = add_options(out, len, reply->options);
		msg_set_count(out, MSG_AR, 1);
	}
	return len;
}

void reply_udp(int fd, const struct packet *question, const struct reply *reply)
{
	static _Thread_local uint8_t msg[65536];
	size_t len = reply_make(question, reply, msg, sizeof(msg));

	if (sendto(fd, msg, len, 0, &question->from.sa,
		    addr_len(&question->from)) < 0)
		tap_diag("reply: %s", strerror(errno));
}

void reply_tcp(int fd, const struct packet *question, const struct reply *reply)
{
	static _Thread_local uint8_t msg[65536];

	send_framed(fd, msg, reply_make(question, reply, msg, sizeof(msg)));
}

/* --- looking at answers ------------------------------------------------ */

static bool find_record(const struct packet *p, enum msg_section section,
	bool opt, struct record *out)
{
	struct record_iter it;
	struct name name;
	int n = name_read(p->data, p->len, MSG_HEADER, &name);

	if (n < 0)
		return false;
	record_iter_init(&it, p->data, p->len, MSG_HEADER + (size_t)n + 4);
	while (record_iter_next(&it, out))
		if (out->section == section &&
			(out->type == DNS_TYPE_OPT) == opt)
			return true;
	return false;
}

uint32_t first_ttl(const struct packet *p)
{
	struct record rr;

	if (find_record(p, MSG_AN, false, &rr))
		return rr.ttl;
	return UINT32_MAX;
}

bool has_opt(const struct packet *p)
{
	struct record rr;

	return find_record(p, MSG_AR, true, &rr);
}

int ede_of(const struct packet *p)
{
	struct record rr;
	const uint8_t *o;

	if (!find_record(p, MSG_AR, true, &rr) || rr.rdlen < 6)
		return -1;
	o = p->data + rr.rdata_offset;
	return get16(o) == EDNS_OPTION_EDE ? get16(o + 4) : -1;
}

/* The OPT of the answer; its rdata at *rdata. -1: none. */
int opt_of(const struct packet *p, const uint8_t **rdata)
{
	struct question q;
	struct edns edns;

	if (!msg_check_answer(p->data, p->len, &q, &edns) || !edns.present)
		return -1;
	*rdata = p->data + edns.offset + EDNS_OPT_SIZE;
	return edns.length - EDNS_OPT_SIZE;
}

bool has_options(const struct packet *p, const char *want)
{
	uint8_t octets[256];
	size_t n = wire(octets, sizeof(octets), want);
	const uint8_t *rdata = NULL;
	int len = opt_of(p, &rdata);

	if (len == (int)n && memcmp(rdata, octets, n) == 0)
		return true;
	tap_diag("%d octets of options", len);
	return false;
}

const char *cookie_text(const struct packet *p, char out[64])
{
	const uint8_t *rdata;
	int len = opt_of(p, &rdata);

	out[0] = '\0';
	for (int i = 0; len == 28 && i < len; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", rdata[i]);
	return out;
}
