/* SPDX-License-Identifier: ISC */

/*
 * Asks by UDP from many ports in turn, 1000 times a second in all, and tells
 * of each flow (port) what became of it:
 *
 *	flow-client ADDRESS FLOWS [SECONDS]
 *
 * Ends by SIGTERM or after SECONDS (30); answers have another second. Prints
 * a line per flow: PORT FIRST LAST SENT LOST, where FIRST and LAST are the
 * RCODEs of its first and its last answer (-1: none), by which servers of a
 * test tell who they are.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/base.h"
#include "common/base/buf.h"
#include "common/base/clock.h"

enum {
	FLOWS_MAX = 256,
	SENT_MAX = 4096, /* of one flow */
	INTERVAL_US = 1000,
	LAST_US = 1000 * 1000
};

static struct flow {
	unsigned sent, answered;
	int first, last;
	bool got[SENT_MAX];
} flows[FLOWS_MAX];
static struct pollfd fds[FLOWS_MAX];
static unsigned count;
static volatile sig_atomic_t stopping;

static void on_signal(int signo)
{
	(void)signo;
	stopping = 1;
}

static socklen_t parse(const char *text, struct sockaddr_storage *ss)
{
	struct sockaddr_in *in4 = (struct sockaddr_in *)(void *)ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)ss;

	memset(ss, 0, sizeof(*ss));
	if (inet_pton(AF_INET, text, &in4->sin_addr) == 1) {
		in4->sin_family = AF_INET;
		in4->sin_port = htons(53);
		return sizeof(*in4);
	}
	if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(53);
		return sizeof(*in6);
	}
	fprintf(stderr, "flow-client: %s: no address\n", text);
	exit(2);
}

static void open_flows(const char *address)
{
	struct sockaddr_storage to;
	socklen_t len = parse(address, &to);

	for (unsigned i = 0; i < count; i++) {
		fds[i].fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		fds[i].events = POLLIN;
		flows[i].first = flows[i].last = -1;
		if (fds[i].fd < 0 ||
			connect(fds[i].fd, (struct sockaddr *)&to, len) < 0) {
			perror("flow-client");
			exit(2);
		}
	}
}

/* `. A`, with the flow's own number of it as id. */
static void ask(unsigned i)
{
	uint8_t query[17] = {0, 0, 1, 0, 0, 1, [14] = 1, [16] = 1};

	if (flows[i].sent == SENT_MAX)
		return;
	put16(query, (uint16_t)flows[i].sent++);
	(void)!send(fds[i].fd, query, sizeof(query), MSG_DONTWAIT);
}

static void receive(unsigned i)
{
	struct flow *f = &flows[i];
	uint8_t in[512];
	ssize_t n;

	while ((n = recv(fds[i].fd, in, sizeof(in), MSG_DONTWAIT)) >= 12) {
		unsigned id = get16(in);

		if (id >= f->sent || f->got[id])
			continue;
		f->got[id] = true;
		f->answered++;
		f->last = in[3] & 15;
		if (f->first < 0)
			f->first = f->last;
	}
}

static unsigned missing(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < count; i++)
		n += flows[i].sent - flows[i].answered;
	return n;
}

static void listen_until(int64_t end_us)
{
	int64_t wait = (end_us - mtime_now().us) / 1000;

	if (poll(fds, count, wait < 0 ? 0 : (int)wait) <= 0)
		return;
	for (unsigned i = 0; i < count; i++)
		if (fds[i].revents)
			receive(i);
}

static void run(int64_t end)
{
	int64_t next = mtime_now().us;

	for (unsigned i = 0; !stopping && next < end; next += INTERVAL_US) {
		ask(i);
		i = (i + 1) % count;
		do
			listen_until(next + INTERVAL_US);
		while (!stopping && mtime_now().us < next + INTERVAL_US);
	}
	end = mtime_now().us + LAST_US;
	while (missing() && mtime_now().us < end)
		listen_until(end);
}

static unsigned port_of(int fd)
{
	struct sockaddr_in6 own = {0}; /* the port is where IPv4 has it */
	socklen_t len = sizeof(own);

	(void)getsockname(fd, (struct sockaddr *)&own, &len);
	return ntohs(own.sin6_port);
}

int main(int argc, char **argv)
{
	long n = argc > 2 ? atol(argv[2]) : 0;

	if (n < 1 || n > FLOWS_MAX) {
		fputs("usage: flow-client ADDRESS FLOWS [SECONDS]\n", stderr);
		return 2;
	}
	count = (unsigned)n;
	signal(SIGTERM, on_signal);
	open_flows(argv[1]);
	run(mtime_now().us +
		(argc > 3 ? atol(argv[3]) : 30) * 1000 * INTERVAL_US);
	for (unsigned i = 0; i < count; i++)
		printf("%u %d %d %u %u\n", port_of(fds[i].fd), flows[i].first,
			flows[i].last, flows[i].sent,
			flows[i].sent - flows[i].answered);
	return 0;
}
