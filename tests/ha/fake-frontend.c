/* SPDX-License-Identifier: ISC */

/*
 * A stand-in for the frontend in tests of ispdns-ha: sends the heartbeat and
 * answers every UDP packet on a port as a DNS question, from the address it
 * was sent to.
 *
 *	fake-frontend SOCKET PORT [RCODE]
 *
 * RCODE in the answers tells clients who answered. SIGUSR1: says draining from
 * now on; SIGALRM: degraded; SIGUSR2: failed; SIGHUP: ok.
 */

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/base/base.h"
#include "common/base/clock.h"
#include "common/ctl/heartbeat.h"

static volatile sig_atomic_t state = HEARTBEAT_OK;

static void on_signal(int signo)
{
	state = signo == SIGUSR1   ? HEARTBEAT_DRAINING
		: signo == SIGALRM ? HEARTBEAT_DEGRADED
		: signo == SIGUSR2 ? HEARTBEAT_FAILED
				   : HEARTBEAT_OK;
}

static int open_udp(uint16_t port)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6};
	int on = 1, fd = socket(AF_INET6, SOCK_DGRAM, 0);

	any.sin6_port = htons(port);
	/* As the frontend: with FRR an address of IPv6 is a local route. */
	if (fd < 0 ||
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on,
			sizeof(on)) < 0 ||
		setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof(on)) <
			0 ||
		bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0) {
		perror("fake-frontend: udp");
		exit(1);
	}
	return fd;
}

/* The control message comes back as it is: it names the address that was
 * asked, and that is the source of the answer. */
static void answer(int fd, uint8_t rcode)
{
	_Alignas(struct cmsghdr) char control[128];
	struct sockaddr_in6 from;
	uint8_t data[1500];
	struct iovec iov = {data, sizeof(data)};
	struct msghdr msg = {0};
	ssize_t n;

	msg.msg_name = &from;
	msg.msg_namelen = sizeof(from);
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	msg.msg_control = control;
	msg.msg_controllen = sizeof(control);
	n = recvmsg(fd, &msg, MSG_DONTWAIT);
	if (n < 12)
		return;
	iov.iov_len = (size_t)n;
	data[2] |= 0x80;
	data[3] = (uint8_t)((data[3] & 0xf0) | rcode);
	if (msg.msg_controllen >= CMSG_SPACE(sizeof(struct in6_pktinfo))) {
		struct in6_pktinfo info;
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

		memcpy(&info, CMSG_DATA(c), sizeof(info));
		if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
			info.ipi6_ifindex = 0;
		memcpy(CMSG_DATA(c), &info, sizeof(info));
	}
	(void)!sendmsg(fd, &msg, MSG_DONTWAIT);
}

static int open_beat(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static void beat(int *fd, const char *path)
{
	struct heartbeat hb = {(enum heartbeat_state)state, getpid()};
	char text[HEARTBEAT_MAX];
	size_t len = heartbeat_encode(&hb, text);

	if (*fd < 0)
		*fd = open_beat(path);
	if (*fd >= 0 && send(*fd, text, len, MSG_NOSIGNAL) < 0) {
		close(*fd);
		*fd = -1;
	}
}

int main(int argc, char **argv)
{
	struct pollfd udp = {.events = POLLIN};
	uint8_t rcode;
	int64_t next = mtime_now().us;
	int fd = -1;

	if (argc < 3) {
		fprintf(stderr, "usage: fake-frontend SOCKET PORT [RCODE]\n");
		return 2;
	}
	rcode = argc > 3 ? (uint8_t)(atoi(argv[3]) & 15) : 0;
	signal(SIGALRM, on_signal);
	signal(SIGUSR1, on_signal);
	signal(SIGUSR2, on_signal);
	signal(SIGHUP, on_signal);
	udp.fd = open_udp((uint16_t)atoi(argv[2]));
	for (;;) {
		int64_t wait = (next - mtime_now().us) / 1000;

		if (poll(&udp, 1, wait < 0 ? 0 : (int)wait) > 0)
			answer(udp.fd, rcode);
		if (mtime_now().us < next)
			continue;
		beat(&fd, argv[1]);
		next = mtime_now().us + HEARTBEAT_MS * 1000;
	}
}
