/* SPDX-License-Identifier: ISC */
/*
 * Over UDP one datagram goes there and one comes back, by a socket with a
 * random port and under a random id. What does not answer is ignored and does
 * not end the wait. An answer that is too long for the client becomes TC.
 */

#include "frontend/transfer_impl.h"

#include "common/dns/code.h"
#include "common/net/udp.h"

#include <errno.h>

static void hand_back(struct transfer *t, size_t len)
{
	struct worker *w = t->ts->w;
	unsigned rcode = msg_rcode(w->out);

	transfer_moved(t, len);
	stats_answer(w->row, rcode, mtime_sub_us(loop_now(w->loop), t->begun));
	if (len > t->udp_limit) {
		len = transfer_reply(t, DNS_RCODE_NOERROR, true);
		metric_inc(w->row, STAT_TRUNCATED);
	}
	msg_set_id(w->out, t->xfr.id);
	serve_reply(w->serve, &t->peer, w->out, len);
	transfer_finish(t, rcode);
}

static void on_readable(void *arg, int fd, int events)
{
	struct transfer *t = arg;
	struct worker *w = t->ts->w;
	ssize_t n = recv(fd, w->out, sizeof(w->out), 0);

	(void)events;
	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			transfer_fail(t, STAT_XFR_BACKEND);
		return;
	}
	if (exchange_is_answer(&t->xfr.asked, t->id, w->out, (size_t)n))
		hand_back(t, (size_t)n);
	else
		metric_inc(w->row, STAT_REPLY_UNKNOWN);
}

bool transfer_ask_udp(struct transfer *t, const uint8_t *msg, size_t len)
{
	struct worker *w = t->ts->w;

	t->fd = udp_connect(NULL, &t->server->addr, NULL);
	if (t->fd < 0) {
		t->fd = -1;
		return false;
	}
	t->watch = watch_open(w->loop, t->fd, LOOP_READ, on_readable, t);
	if (!t->watch)
		return false;
	t->id = (uint16_t)rng_next(&w->rng);
	memcpy(w->out, msg, len);
	msg_set_id(w->out, t->id);
	return send(t->fd, w->out, len, MSG_DONTWAIT | MSG_NOSIGNAL) ==
	       (ssize_t)len;
}
