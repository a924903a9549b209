/* SPDX-License-Identifier: ISC */
/*
 * The two servers that a bench needs beside those under test.
 *
 *	peer echo ADDRESS:PORT             sends each message back as an answer:
 *	                                   what the kernel's sockets allow
 *	peer answer ADDRESS:PORT [COUNT]   a backend that knows an address for
 *	                                   every name, at COUNT addresses;
 *	                                   over TCP too
 */

#include "common/base/buf.h"
#include "common/net/addr.h"

#include <errno.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH     64
#define PACKET    512
#define COUNT_MAX 512
#define AWAKE     1000 /* turns without work before it sleeps */

struct batch {
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	union addr from[BATCH];
	uint8_t data[BATCH][PACKET];
};

typedef size_t (*answer_fn)(uint8_t *msg, size_t len);

static size_t echo(uint8_t *msg, size_t len)
{
	msg[2] |= 0x80;
	return len;
}

/* Where the question ends; 0: it does not. */
static size_t question_end(const uint8_t *msg, size_t len)
{
	size_t pos = 12;

	while (pos < len && msg[pos] != 0)
		pos += msg[pos] + 1u;
	return pos + 5 <= len ? pos + 5 : 0;
}

static size_t answer(uint8_t *msg, size_t len)
{
	static const uint8_t rr[] = {
		0xc0, 12, 0, 1, 0, 1, 0, 0, 14, 16, 0, 4, 192, 0, 2, 1};
	static const uint8_t opt[] = {0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0};
	size_t end = question_end(msg, len);
	bool edns = msg[11] != 0;

	if (end == 0)
		return 0;
	msg[2] = 0x80 | (msg[2] & 1);
	msg[3] = 0x80; /* RA */
	memset(msg + 6, 0, 6);
	if (get16(msg + end - 4) == 1) {
		msg[7] = 1;
		memcpy(msg + end, rr, sizeof(rr));
		end += sizeof(rr);
	}
	if (edns) {
		msg[11] = 1;
		memcpy(msg + end, opt, sizeof(opt));
		end += sizeof(opt);
	}
	return end;
}

static void serve(int fd, struct batch *b, answer_fn fn)
{
	unsigned n = 0;
	int got;

	for (unsigned i = 0; i < BATCH; i++) {
		struct msghdr *h = &b->msgs[i].msg_hdr;

		b->iov[i] = (struct iovec){b->data[i], PACKET - 64};
		*h = (struct msghdr){.msg_name = &b->from[i],
			.msg_namelen = sizeof(b->from[i]),
			.msg_iov = &b->iov[i],
			.msg_iovlen = 1};
	}
	got = recvmmsg(fd, b->msgs, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < got; i++) {
		size_t len = b->msgs[i].msg_len;

		len = len < 12 ? 0 : fn(b->data[i], len);
		if (len == 0)
			continue;
		b->iov[i].iov_len = len;
		b->msgs[n++].msg_hdr = b->msgs[i].msg_hdr;
	}
	for (unsigned done = 0; done < n;) {
		got = sendmmsg(fd, b->msgs + done, n - done, 0);
		done += got > 0 ? (unsigned)got : 1;
	}
}

/* --- TCP: only what warms a cache -------------------------------------- */

struct source {
	enum {
		UDP,
		LISTENER,
		CONNECTION
	} kind;
	int fd;
	size_t len;
	uint8_t in[2 * PACKET];
};

static int watch_new(int epoll, int fd, int kind)
{
	struct source *s = calloc(1, sizeof(*s));
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = s};

	if (!s || fd < 0)
		return -1;
	s->fd = fd;
	s->kind = kind;
	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev);
}

/* False: it is over. */
static bool serve_message(struct source *s, answer_fn fn)
{
	uint8_t out[2 + PACKET];
	size_t len = get16(s->in), n;

	if (len < 12 || len > PACKET - 64)
		return false;
	memcpy(out + 2, s->in + 2, len);
	n = fn(out + 2, len);
	put16(out, (uint16_t)n);
	s->len -= 2 + len;
	memmove(s->in, s->in + 2 + len, s->len);
	return n > 0 && send(s->fd, out, n + 2, MSG_NOSIGNAL) > 0;
}

static void serve_connection(struct source *s, answer_fn fn)
{
	ssize_t n = recv(s->fd, s->in + s->len, sizeof(s->in) - s->len, 0);
	bool on = n > 0;

	if (on)
		s->len += (size_t)n;
	while (on && s->len >= 2 && s->len >= 2u + get16(s->in))
		on = serve_message(s, fn);
	if (on && s->len < sizeof(s->in))
		return;
	close(s->fd);
	free(s);
}

/* --- both -------------------------------------------------------------- */

static int listen_at(const union addr *addr, int type)
{
	const int bytes = 4 << 20, one = 1;
	char text[ADDR_TEXT];
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (type == SOCK_STREAM)
		(void)setsockopt(
			fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, &addr->sa, addr_len(addr)) < 0 ||
		(type == SOCK_STREAM && listen(fd, 128) < 0)) {
		fprintf(stderr, "peer: %s: %s\n", addr_print(addr, text),
			strerror(errno));
		exit(1);
	}
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)))
		(void)setsockopt(
			fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	return fd;
}

static void open_all(int epoll, union addr addr, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (watch_new(epoll, listen_at(&addr, SOCK_DGRAM), UDP) < 0 ||
			watch_new(epoll, listen_at(&addr, SOCK_STREAM),
				LISTENER) < 0)
			exit(1);
		addr.v4.sin_addr.s_addr =
			htonl(ntohl(addr.v4.sin_addr.s_addr) + 1);
	}
}

static void run(union addr addr, unsigned count, answer_fn fn)
{
	static struct batch batch;
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	unsigned idle = AWAKE;

	open_all(epoll, addr, count);
	for (;;) {
		struct epoll_event events[BATCH];
		/* awake while there is work, as the load generator is */
		int n = epoll_wait(epoll, events, BATCH, idle < AWAKE ? 0 : -1);

		idle = n > 0 ? 0 : idle + 1;
		if (n == 0)
			(void)sched_yield();
		for (int i = 0; i < n; i++) {
			struct source *s = events[i].data.ptr;

			if (s->kind == UDP)
				serve(s->fd, &batch, fn);
			else if (s->kind == CONNECTION)
				serve_connection(s, fn);
			else
				(void)watch_new(epoll,
					accept4(s->fd, NULL, NULL,
						SOCK_CLOEXEC),
					CONNECTION);
		}
	}
}

int main(int argc, char **argv)
{
	union addr addr;
	unsigned long count = argc > 3 ? strtoul(argv[3], NULL, 10) : 1;
	bool echoes = argc > 1 && strcmp(argv[1], "echo") == 0;

	if (argc < 3 || argc > 4 || count == 0 || count > COUNT_MAX ||
		(!echoes && strcmp(argv[1], "answer") != 0) ||
		addr_parse(argv[2], 53, &addr) < 0 ||
		addr.sa.sa_family != AF_INET) {
		fprintf(stderr, "usage: peer echo ADDRESS:PORT | "
				"peer answer ADDRESS:PORT [COUNT]\n");
		return 2;
	}
	run(addr, (unsigned)count, echoes ? echo : answer);
	return 0;
}
