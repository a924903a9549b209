/* SPDX-License-Identifier: ISC */
/*
 * A backend for system tests: answers every A question over UDP after a
 * fixed delay, with 192.0.2.N at 127.0.0.N, or 192.0.2.(128+N) when it is
 * asked without RD for rd.NAME; and NOTIFY with itself. SIGUSR1: SERVFAIL at
 * once to everything; SIGUSR2: as before; SIGTERM: prints how many questions
 * came, and ends.
 *
 *	stub ADDRESS:PORT [DELAY-MS]
 */

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/dns/code.h"
#include "common/dns/msg.h"
#include "common/net/addr.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>

#define HELD 65536 /* answers that wait for their time */
#define SIZE 384

struct held {
	struct mtime due;
	union addr to;
	size_t len;
	uint8_t msg[SIZE];
};

static volatile sig_atomic_t failing, ending;

static void on_signal(int signo)
{
	if (signo == SIGTERM)
		ending = 1;
	else
		failing = signo == SIGUSR1;
}

static size_t make_answer(
	uint8_t *out, const uint8_t *msg, size_t len, uint8_t host)
{
	const uint8_t rr[] = {
		0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, host};
	struct query_view view;
	enum msg_verdict verdict = msg_parse_query(msg, len, &view);
	size_t n;

	if (verdict == MSG_NOTIMP && msg_opcode(msg) == DNS_OPCODE_NOTIFY &&
		len <= SIZE) {
		memcpy(out, msg, len);
		out[2] |= 0x80; /* QR */
		return len;
	}
	if (verdict != MSG_OK)
		return 0;
	n = msg_make_query(out, SIZE, msg_id(msg), view.q.name, view.q.name_len,
		view.q.type, view.q.class, MSG_QR | MSG_RA | MSG_RD, 0, false);
	if (failing) {
		out[3] |= DNS_RCODE_SERVFAIL;
		return n;
	}
	if (view.q.type != DNS_TYPE_A)
		return n;
	memcpy(out + n, rr, sizeof(rr));
	if (!(msg_flags(msg) & MSG_RD) && memcmp(view.q.name, "\2rd", 3) == 0)
		out[n + sizeof(rr) - 1] |= 0x80;
	msg_set_count(out, MSG_AN, 1);
	return n + sizeof(rr);
}

static unsigned long serve(int fd, uint8_t host, int64_t delay_ms)
{
	struct held *ring = calloc(HELD, sizeof(*ring));
	unsigned long head = 0, tail = 0;

	while (!ending && ring) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		uint8_t msg[1500];
		struct held *h;
		socklen_t len = sizeof(h->to);
		ssize_t n = 0;

		if (poll(&p, 1, head == tail ? 200 : 1) > 0) {
			h = &ring[head % HELD];
			n = recvfrom(fd, msg, sizeof(msg), 0, &h->to.sa, &len);
		}
		if (n > 0) {
			h->len = make_answer(h->msg, msg, (size_t)n, host);
			h->due = mtime_add_ms(
				mtime_now(), failing ? 0 : delay_ms);
			head++;
		}
		for (; tail != head; tail++) {
			h = &ring[tail % HELD];
			if (mtime_before(mtime_now(), h->due))
				break;
			if (h->len > 0)
				(void)sendto(fd, h->msg, h->len, 0, &h->to.sa,
					addr_len(&h->to));
		}
	}
	free(ring);
	return head;
}

int main(int argc, char **argv)
{
	const uint8_t *octets;
	union addr addr;
	uint8_t host;
	size_t len;
	int fd;

	if (argc < 2 || addr_parse(argv[1], 53, &addr) < 0) {
		fprintf(stderr, "usage: stub ADDRESS:PORT [DELAY-MS]\n");
		return 2;
	}
	(void)signal(SIGUSR1, on_signal);
	(void)signal(SIGUSR2, on_signal);
	(void)signal(SIGTERM, on_signal);
	fd = socket(addr.sa.sa_family, SOCK_DGRAM, 0);
	if (fd < 0 || bind(fd, &addr.sa, addr_len(&addr)) < 0) {
		fprintf(stderr, "stub: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	len = addr_octets(&addr, &octets);
	host = octets[len - 1];
	printf("%lu\n", serve(fd, host, argc > 2 ? atoi(argv[2]) : 0));
	return 0;
}
