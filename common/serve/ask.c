/* SPDX-License-Identifier: ISC */
/*
 * Connected sockets, random id, poll until the deadline; a UDP query is sent
 * again every second, as a stub resolver does (RFC 1123 6.1.3.3).
 */
#include "common/serve/ask.h"

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/dns/code.h"

#include <errno.h>
#include <poll.h>
#include <sys/random.h>
#include <unistd.h>

#define RESEND_MS 1000

struct exchange {
	const struct ask *ask;
	struct ask_reply *reply;
	uint8_t query[MSG_HEADER + NAME_MAX_WIRE + 4 + EDNS_OPT_SIZE + 2];
	size_t query_len; /* without the two octets of TCP's length */
	struct mtime deadline;
	int fd;
};

static int left_ms(const struct exchange *x)
{
	int64_t us = mtime_sub_us(x->deadline, mtime_now());

	return us <= 0 ? 0 : (int)((us + 999) / 1000);
}

/* Room for TCP's length stays in front. */
static uint8_t *query_msg(struct exchange *x)
{
	return x->query + 2;
}

static bool is_answer(struct exchange *x)
{
	struct ask_reply *r = x->reply;
	struct question asked = {.name = x->ask->name.wire,
		.name_len = x->ask->name.len,
		.type = x->ask->type,
		.class = x->ask->class ? x->ask->class : DNS_CLASS_IN};

	if (r->len < MSG_HEADER || msg_id(r->msg) != msg_id(query_msg(x)))
		return false;
	if (!msg_check_answer(r->msg, r->len, &r->q, &r->edns))
		return false;
	return !r->q.name || question_equal(&r->q, &asked);
}

static int connect_to(struct exchange *x, int kind)
{
	struct pollfd p = {.events = POLLOUT};
	const union addr *to = &x->ask->server;
	socklen_t len = sizeof(int);
	int error = 0;

	x->fd = socket(
		to->sa.sa_family, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (x->fd < 0)
		return -errno;
	if (connect(x->fd, &to->sa, addr_len(to)) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return -errno;
	p.fd = x->fd;
	if (poll(&p, 1, left_ms(x)) <= 0)
		return -ETIMEDOUT;
	if (getsockopt(x->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return -errno;
	return -error;
}

static int over_udp(struct exchange *x)
{
	struct pollfd p = {.events = POLLIN};
	int rc = connect_to(x, SOCK_DGRAM), left;
	ssize_t n;

	p.fd = x->fd;
	while (rc == 0) {
		if (send(x->fd, query_msg(x), x->query_len, 0) < 0)
			return -errno;
		struct mtime resend = mtime_add_ms(mtime_now(), RESEND_MS);

		while ((left = left_ms(x)) > 0 &&
			mtime_before(mtime_now(), resend)) {
			if (poll(&p, 1, left < RESEND_MS ? left : RESEND_MS) <=
				0)
				break;
			n = recv(x->fd, x->reply->msg, MSG_MAX, 0);
			if (n < 0 && errno != EAGAIN)
				return -errno;
			x->reply->len = n < 0 ? 0 : (size_t)n;
			if (is_answer(x))
				return 0;
		}
		if (left <= 0)
			rc = -ETIMEDOUT;
	}
	return rc;
}

/* Exactly `len` octets out or in. */
static int tcp_move(struct exchange *x, uint8_t *data, size_t len, bool out)
{
	struct pollfd p = {.fd = x->fd, .events = out ? POLLOUT : POLLIN};
	ssize_t n;

	while (len > 0) {
		if (poll(&p, 1, left_ms(x)) <= 0)
			return -ETIMEDOUT;
		n = out ? send(x->fd, data, len, MSG_NOSIGNAL)
			: recv(x->fd, data, len, 0);
		if (n == 0)
			return -ECONNRESET;
		if (n < 0 && errno != EAGAIN)
			return -errno;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static int over_tcp(struct exchange *x)
{
	uint8_t size[2];
	int rc = connect_to(x, SOCK_STREAM);

	x->reply->tcp = true;
	put16(x->query, (uint16_t)x->query_len);
	if (rc == 0)
		rc = tcp_move(x, x->query, x->query_len + 2, true);
	if (rc == 0)
		rc = tcp_move(x, size, 2, false);
	if (rc < 0)
		return rc;
	x->reply->len = get16(size);
	rc = tcp_move(x, x->reply->msg, x->reply->len, false);
	if (rc == 0 && !is_answer(x))
		rc = -EBADMSG;
	return rc;
}

static int run(struct exchange *x, bool tcp)
{
	int rc = tcp ? over_tcp(x) : over_udp(x);

	if (x->fd >= 0)
		close(x->fd);
	x->fd = -1;
	return rc;
}

int ask(const struct ask *a, struct ask_reply *reply, struct err *err)
{
	struct exchange x = {.ask = a, .reply = reply, .fd = -1};
	struct mtime start = mtime_now();
	char to[ADDR_TEXT];
	uint16_t id;
	int rc;

	x.deadline = mtime_add_ms(start, a->timeout_ms);
	reply->tcp = false;
	if (getrandom(&id, sizeof(id), 0) != sizeof(id))
		return err_fail(err, -EIO, "no random numbers");
	x.query_len = msg_make_query(query_msg(&x), sizeof(x.query) - 2, id,
		a->name.wire, a->name.len, a->type,
		a->class ? a->class : DNS_CLASS_IN, MSG_RD, EDNS_OUR_PAYLOAD,
		a->dnssec);
	rc = x.query_len > 0 ? run(&x, a->tcp) : -EINVAL;
	if (rc == 0 && !reply->tcp && msg_flags(reply->msg) & MSG_TC)
		rc = run(&x, true);
	reply->took_us = mtime_sub_us(mtime_now(), start);
	if (rc < 0)
		err_set(err, "%s: %s", addr_print(&a->server, to),
			rc == -ETIMEDOUT ? "no answer" : strerror(-rc));
	return rc;
}

static bool next_answer(struct record_iter *it, struct record *rec)
{
	return record_iter_next(it, rec) && rec->section == MSG_AN;
}

bool ask_soa_serial(const struct ask_reply *reply, uint32_t *serial)
{
	struct record_iter it;
	struct record rec;

	if (!reply->q.name)
		return false;
	record_iter_init(&it, reply->msg, reply->len, reply->q.end);
	while (next_answer(&it, &rec)) {
		if (rec.type != DNS_TYPE_SOA || rec.rdlen < 20)
			continue;
		*serial = get32(reply->msg + rec.rdata_offset + rec.rdlen - 20);
		return true;
	}
	return false;
}

unsigned ask_count(const struct ask_reply *reply, uint16_t type)
{
	struct record_iter it;
	struct record rec;
	unsigned n = 0;

	if (!reply->q.name)
		return 0;
	record_iter_init(&it, reply->msg, reply->len, reply->q.end);
	while (next_answer(&it, &rec))
		n += type == 0 || rec.type == type;
	return n;
}
