/* SPDX-License-Identifier: ISC */

/*
 * Junk in the shape of VRRP, as much as the machine gives, for tests of
 * ispdns-ha: other routers, wrong sums, wrong lengths, noise.
 *
 *	flood-vrrp IFACE SECONDS
 *
 * Prints how many packets were sent.
 */

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "common/base/base.h"
#include "common/base/clock.h"
#include "common/base/hash.h"

enum {
	BATCH = 64,
	KINDS = 4,
	SIZE = 64
};

static uint8_t data[BATCH][SIZE];
static struct iovec iov[BATCH];
static struct mmsghdr msgs[BATCH];

/* A third or so of it looks like the router's own but for the sum. */
static void fill(int i, struct rng *rng)
{
	static const uint8_t head[] = {
		0x31, 51, 200, 1, 0, 10, 0, 0, 10, 98, 0, 100};
	uint8_t *p = data[i];

	for (size_t k = 0; k < SIZE; k++)
		p[k] = (uint8_t)rng_next(rng);
	iov[i].iov_base = p;
	iov[i].iov_len = sizeof(head);
	switch (i % KINDS) {
	case 0: /* wrong sum */
		memcpy(p, head, sizeof(head));
		break;
	case 1: /* wrong length */
		memcpy(p, head, sizeof(head));
		iov[i].iov_len = 1 + rng_next(rng) % SIZE;
		break;
	case 2: /* another router */
		memcpy(p, head, sizeof(head));
		p[1] = 52;
		break;
	default:
		iov[i].iov_len = 1 + rng_next(rng) % SIZE;
	}
}

static int open_to(const char *ifname)
{
	struct ip_mreqn out = {.imr_ifindex = (int)if_nametoindex(ifname)};
	struct sockaddr_in to = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_RAW, 112), ttl = 255;

	to.sin_addr.s_addr = htonl(0xe0000012);
	if (fd < 0 ||
		setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &out, sizeof(out)) <
			0 ||
		setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &ttl,
			sizeof(ttl)) < 0 ||
		connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		perror("flood-vrrp");
		exit(1);
	}
	return fd;
}

int main(int argc, char **argv)
{
	unsigned long long count = 0;
	struct rng rng;
	int64_t end;
	int fd;

	if (argc != 3)
		return 2;
	rng_init(&rng);
	fd = open_to(argv[1]);
	end = mtime_now().us + atoi(argv[2]) * 1000000LL;
	for (int i = 0; i < BATCH; i++) {
		fill(i, &rng);
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	while (mtime_now().us < end) {
		int n = sendmmsg(fd, msgs, BATCH, 0);

		count += n > 0 ? (unsigned long long)n : 0;
		fill((int)(count / BATCH % BATCH), &rng);
	}
	printf("%llu\n", count);
	return 0;
}
