/* SPDX-License-Identifier: ISC */
/*
 * ispdns-lab-delay DEVICE FILE: the distance of the lab's private Internet.
 *
 * Packets routed into the tun device come back out of it DELAY later, or not
 * at all. FILE holds `DELAY_US LOSS_PERMILLE`; it is read at start and on
 * SIGHUP. Works below IP, so TCP, UDP, IPv4 and IPv6 are all the same to it
 * (no netem is needed in the kernel). Memory is one ring of fixed size; a
 * packet that finds it full is lost, as in a router.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "common/base/base.h"

#define RING      8192
#define PACKET    2048
#define DELAY_MAX 10000000 /* 10 s */

struct packet {
	int64_t due_us;
	size_t len;
	unsigned char data[PACKET];
};

static struct packet ring[RING];
static unsigned head, tail; /* next to send, next free; free-running */
static long delay_us, loss_permille;
static volatile sig_atomic_t reload = 1;

static void on_hup(int sig)
{
	(void)sig;
	reload = 1;
}

static int64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void read_settings(const char *path)
{
	FILE *f = fopen(path, "re");
	long d, l;

	reload = 0;
	if (!f)
		return;
	if (fscanf(f, "%ld %ld", &d, &l) == 2 && d >= 0 && d <= DELAY_MAX &&
		l >= 0 && l <= 1000) {
		delay_us = d;
		loss_permille = l;
	} else {
		fprintf(stderr, "ispdns-lab-delay: %s: bad settings\n", path);
	}
	fclose(f);
}

static int open_tun(const char *name)
{
	struct ifreq ifr;
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

	memset(&ifr, 0, sizeof(ifr));
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	ifr.ifr_flags = IFF_TUN | IFF_NO_PI;
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr) < 0) {
		fprintf(stderr, "ispdns-lab-delay: %s: %s\n", name,
			strerror(errno));
		return -1;
	}
	return fd;
}

static void take(int fd)
{
	static unsigned char lost[PACKET];

	for (;;) {
		bool full = tail - head == RING;
		struct packet *p = &ring[tail % RING];
		unsigned char *to = full ? lost : p->data;
		ssize_t n = read(fd, to, PACKET);

		if (n <= 0)
			return;
		if (full || random() % 1000 < loss_permille)
			continue;
		p->len = (size_t)n;
		p->due_us = now_us() + delay_us;
		tail++;
	}
}

/* Send what is due; microseconds until the next, or -1 for none. */
static int64_t give(int fd)
{
	while (head != tail) {
		struct packet *p = &ring[head % RING];
		int64_t left = p->due_us - now_us();

		if (left > 0)
			return left;
		/* A packet the kernel does not take is a lost packet. */
		if (write(fd, p->data, p->len) < 0 && errno == EINTR)
			continue;
		head++;
	}
	return -1;
}

int main(int argc, char **argv)
{
	struct sigaction sa = {.sa_handler = on_hup};
	sigset_t hup, none;
	int fd;

	if (argc != 3) {
		fprintf(stderr, "usage: ispdns-lab-delay DEVICE FILE\n");
		return 2;
	}
	sigemptyset(&none);
	sigemptyset(&hup);
	sigaddset(&hup, SIGHUP);
	sigprocmask(SIG_BLOCK, &hup, NULL);
	sigaction(SIGHUP, &sa, NULL);
	fd = open_tun(argv[1]);
	if (fd < 0)
		return 1;
	for (;;) {
		struct pollfd p = {fd, POLLIN, 0};
		struct timespec ts;
		int64_t left;

		if (reload)
			read_settings(argv[2]);
		left = give(fd);
		ts.tv_sec = left / 1000000;
		ts.tv_nsec = left % 1000000 * 1000;
		if (ppoll(&p, 1, left < 0 ? NULL : &ts, &none) > 0)
			take(fd);
	}
}
