/* SPDX-License-Identifier: ISC */
/* Connected sockets, a window of questions on each, in batches. */

#include "tests/bench/load.h"

#include <errno.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH      64
#define PACKET     1500
#define EXPIRE_US  50000
#define FILL_TURNS 8

struct udp_socket {
	int fd;
	struct window window;
};

struct udp_load {
	const struct load_config *c;
	struct load_result *r;
	struct names names;
	unsigned count, turn, turns;
	struct udp_socket *sockets;
	int64_t now_us, start_us, last_us, expired_us;
	uint8_t in[BATCH][PACKET];
};

static bool is_full(const struct udp_load *l)
{
	return l->c->count > 0 && l->r->sent >= l->c->count;
}

/* Send at most `max` new questions. How many went. */
static unsigned ask(struct udp_load *l, struct udp_socket *s, unsigned max)
{
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	unsigned n = 0, done = 0;

	memset(msgs, 0, sizeof(msgs));
	while (n < max && n < BATCH && !is_full(l)) {
		struct slot *slot =
			window_ask(&s->window, &l->names, l->now_us);

		if (!slot)
			break;
		iov[n].iov_base = slot->msg + 2;
		iov[n].iov_len = QUERY_OCTETS;
		msgs[n].msg_hdr.msg_iov = &iov[n];
		msgs[n++].msg_hdr.msg_iovlen = 1;
		l->r->sent++;
	}
	while (done < n) {
		int rc = sendmmsg(s->fd, msgs + done, n - done, 0);

		if (rc > 0) {
			done += (unsigned)rc;
			continue;
		}
		l->r->errors++; /* its answer will be missed */
		done++;
	}
	return n;
}

static unsigned take(struct udp_load *l, struct udp_socket *s)
{
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	unsigned good = 0;
	int n;

	memset(msgs, 0, sizeof(msgs));
	for (unsigned i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){l->in[i], PACKET};
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	n = recvmmsg(s->fd, msgs, BATCH, MSG_DONTWAIT, NULL);
	l->now_us = mtime_now().us;
	if (n < 0 && errno != EAGAIN)
		l->r->errors++;
	for (int i = 0; i < n; i++)
		good += window_answer(
			&s->window, l->in[i], msgs[i].msg_len, l->now_us, l->r);
	if (good > 0)
		l->last_us = l->now_us;
	return good;
}

static void expire(struct udp_load *l)
{
	if (l->now_us - l->expired_us < EXPIRE_US)
		return;
	l->expired_us = l->now_us;
	for (unsigned i = 0; i < l->count; i++)
		window_expire(&l->sockets[i].window,
			l->now_us - l->c->timeout_ms * 1000, l->r);
}

/* A fixed rate: what is due by now, spread over the sockets. */
static void keep_rate(struct udp_load *l)
{
	uint64_t due = (uint64_t)(l->c->rate *
				  (double)(l->now_us - l->start_us) / 1e6);

	for (unsigned idle = 0; l->r->sent < due && idle < l->count;) {
		struct udp_socket *s = &l->sockets[l->turn++ % l->count];

		idle = ask(l, s, 1) ? 0 : idle + 1;
	}
}

/* One more on each socket: windows fill turn by turn, lest the first burst
 * overrun a server's socket buffer. */
static void fill(struct udp_load *l)
{
	for (unsigned i = 0; i < l->count; i++)
		(void)ask(l, &l->sockets[i], 1);
}

/*
 * All sockets are read in turn, never asleep, and not by epoll: else the
 * server's time would hold what it costs to wake us, or to tell our epoll of
 * each answer, which a network does not ask of it.
 */
static void turn(struct udp_load *l, bool sending)
{
	unsigned got = 0;

	for (unsigned i = 0; i < l->count; i++) {
		struct udp_socket *s = &l->sockets[i];
		unsigned good = take(l, s);

		if (sending && l->c->rate == 0)
			(void)ask(l, s, good);
		got += good;
	}
	if (got == 0)
		(void)sched_yield();
	if (sending && l->c->rate > 0)
		keep_rate(l);
	else if (sending && ++l->turns % FILL_TURNS == 0)
		fill(l);
	expire(l);
}

static bool is_waiting(const struct udp_load *l)
{
	for (unsigned i = 0; i < l->count; i++)
		if (l->sockets[i].window.used > 0)
			return true;
	return false;
}

static int open_sockets(struct udp_load *l)
{
	l->sockets = calloc(l->c->sources, sizeof(*l->sockets));
	if (!l->sockets)
		return -ENOMEM;
	while (l->count < l->c->sources) {
		struct udp_socket *s = &l->sockets[l->count];

		window_init(&s->window, l->c->window);
		s->fd = load_socket(l->c, SOCK_DGRAM, l->count);
		if (s->fd < 0)
			return s->fd;
		l->count++;
	}
	return 0;
}

static void run(struct udp_load *l)
{
	double cpu = l->c->pid ? process_cpu_s(l->c->pid) : 0;
	int64_t end;

	l->now_us = l->start_us = l->last_us = mtime_now().us;
	end = l->start_us + (int64_t)(l->c->seconds * 1e6);
	while (l->now_us < end && !is_full(l))
		turn(l, true);
	while (is_waiting(l))
		turn(l, false);
	l->r->seconds = (double)(l->last_us - l->start_us) / 1e6;
	if (l->c->pid)
		l->r->cpu_s = process_cpu_s(l->c->pid) - cpu;
}

int load_udp(const struct load_config *c, struct load_result *r)
{
	struct udp_load *l = calloc(1, sizeof(*l));
	int rc;

	if (!l)
		return -ENOMEM;
	l->c = c;
	l->r = r;
	l->names = c->names;
	rc = open_sockets(l);
	if (rc == 0)
		run(l);
	for (unsigned i = 0; i < l->count; i++)
		close(l->sockets[i].fd);
	free(l->sockets);
	free(l);
	return rc;
}
