/* SPDX-License-Identifier: ISC */
/*
 * A batch owns all its memory (buffers, headers, control data), so receiving
 * and sending allocate nothing. Control messages are copied with memcpy, as
 * their alignment is not ours to assume.
 */

#include "common/net/udp.h"

#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

#define BATCH_MAX    64
#define BUFFER_BYTES (4 << 20)

union control {
	struct cmsghdr align;
	char v4[CMSG_SPACE(sizeof(struct in_pktinfo))];
	char v6[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

struct udp_batch {
	unsigned count;
	unsigned dirty; /* headers up to here are not ready to receive */
	uint32_t packet_size;
	bool no_peer;
	uint8_t *memory;
	struct udp_packet packets[BATCH_MAX];
	struct mmsghdr headers[BATCH_MAX];
	struct iovec iov[BATCH_MAX];
	union control control[BATCH_MAX];
};

/* --- sockets --- */

static int set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno
									: 0;
}

static void set_buffers(int fd)
{
	/* Beyond net.core.rmem_max only with CAP_NET_ADMIN. */
	if (set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES) < 0)
		(void)set_int(fd, SOL_SOCKET, SO_RCVBUF, BUFFER_BYTES);
	if (set_int(fd, SOL_SOCKET, SO_SNDBUFFORCE, BUFFER_BYTES) < 0)
		(void)set_int(fd, SOL_SOCKET, SO_SNDBUF, BUFFER_BYTES);
}

static int set_v4(int fd, int flags)
{
	int rc = 0;

	/* Answers are small: no ICMP may shrink or fragment-test them. */
	(void)set_int(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
	if (flags & UDP_PKTINFO)
		rc = set_int(fd, IPPROTO_IP, IP_PKTINFO, 1);
	if (rc == 0 && (flags & UDP_FREEBIND))
		rc = set_int(fd, IPPROTO_IP, IP_FREEBIND, 1);
	return rc;
}

static int set_v6(int fd, int flags)
{
	int rc = set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);

	(void)set_int(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT);
	if (rc == 0 && (flags & UDP_PKTINFO))
		rc = set_int(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	if (rc == 0 && (flags & UDP_FREEBIND))
		rc = set_int(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1);
	return rc;
}

static int set_options(int fd, int family, int flags)
{
	int rc = 0;

	set_buffers(fd);
	if (flags & UDP_REUSEPORT)
		rc = set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (rc < 0)
		return rc;
	return family == AF_INET6 ? set_v6(fd, flags) : set_v4(fd, flags);
}

static int new_socket(int family, int flags)
{
	int fd = socket(
		family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
	int rc;

	if (fd < 0)
		return -errno;
	rc = set_options(fd, family, flags);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return fd;
}

int udp_open(const union addr *addr, int flags, struct err *err)
{
	char text[ADDR_TEXT];
	int rc, fd = new_socket(addr->sa.sa_family, flags);

	if (fd >= 0 && bind(fd, &addr->sa, addr_len(addr)) == 0)
		return fd;
	rc = fd < 0 ? fd : -errno;
	if (fd >= 0)
		close(fd);
	return err_fail(err, rc, "listen on UDP %s: %s", addr_print(addr, text),
		strerror(-rc));
}

static int bind_source(int fd, const union addr *src)
{
	if (!src || src->sa.sa_family == AF_UNSPEC)
		return 0;
	/* The kernel draws the port at connect, with the peer known. */
	if (addr_port(src) == 0)
		(void)set_int(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	return bind(fd, &src->sa, addr_len(src)) < 0 ? -errno : 0;
}

int udp_connect(const union addr *src, const union addr *dst, struct err *err)
{
	char text[ADDR_TEXT];
	int fd = new_socket(dst->sa.sa_family, 0);
	int rc = fd < 0 ? fd : bind_source(fd, src);

	if (rc >= 0 && connect(fd, &dst->sa, addr_len(dst)) == 0)
		return fd;
	if (rc >= 0)
		rc = -errno;
	if (fd >= 0)
		close(fd);
	return err_fail(err, rc, "connect UDP to %s: %s", addr_print(dst, text),
		strerror(-rc));
}

/* --- batches --- */

static void batch_reset(struct udp_batch *b, unsigned i)
{
	b->packets[i].data = b->memory + (size_t)i * b->packet_size;
	b->iov[i].iov_base = b->packets[i].data;
	b->iov[i].iov_len = b->packet_size;
}

struct udp_batch *udp_batch_new(unsigned count, uint32_t packet_size)
{
	struct udp_batch *b;

	if (count == 0 || count > BATCH_MAX || packet_size == 0)
		return NULL;
	b = calloc(1, sizeof(*b));
	if (!b)
		return NULL;
	b->memory = calloc(count, packet_size);
	if (!b->memory) {
		free(b);
		return NULL;
	}
	b->count = b->dirty = count;
	b->packet_size = packet_size;
	for (unsigned i = 0; i < count; i++)
		batch_reset(b, i);
	return b;
}

struct udp_batch *udp_batch_new_connected(unsigned count, uint32_t packet_size)
{
	struct udp_batch *b = udp_batch_new(count, packet_size);

	if (b)
		b->no_peer = true;
	return b;
}

void udp_batch_free(struct udp_batch *batch)
{
	if (!batch)
		return;
	free(batch->memory);
	free(batch);
}

struct udp_packet *udp_batch_packet(struct udp_batch *batch, unsigned i)
{
	return &batch->packets[i];
}

unsigned udp_batch_size(const struct udp_batch *batch)
{
	return batch->count;
}

/* --- receive --- */

static void take_v4(const struct cmsghdr *c, struct udp_packet *p)
{
	struct in_pktinfo info;

	memcpy(&info, CMSG_DATA(c), sizeof(info));
	p->local.v4.sin_family = AF_INET;
	p->local.v4.sin_addr = info.ipi_addr;
	p->ifindex = (uint32_t)info.ipi_ifindex;
}

static void take_v6(const struct cmsghdr *c, struct udp_packet *p)
{
	struct in6_pktinfo info;

	memcpy(&info, CMSG_DATA(c), sizeof(info));
	p->local.v6.sin6_family = AF_INET6;
	p->local.v6.sin6_addr = info.ipi6_addr;
	p->ifindex = info.ipi6_ifindex;
}

static void take_control(struct msghdr *h, struct udp_packet *p)
{
	struct cmsghdr *c;

	memset(&p->local, 0, sizeof(p->local));
	p->ifindex = 0;
	for (c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
			take_v4(c, p);
		if (c->cmsg_level == IPPROTO_IPV6 &&
			c->cmsg_type == IPV6_PKTINFO)
			take_v6(c, p);
	}
}

/* Only what the last use has changed: most batches are far from full. */
static void prepare_recv(struct udp_batch *b)
{
	for (unsigned i = 0; i < b->dirty; i++) {
		struct msghdr *h = &b->headers[i].msg_hdr;

		batch_reset(b, i);
		h->msg_name = b->no_peer ? NULL : &b->packets[i].peer;
		h->msg_namelen = b->no_peer ? 0 : sizeof(b->packets[i].peer);
		h->msg_iov = &b->iov[i];
		h->msg_iovlen = 1;
		h->msg_control = &b->control[i];
		h->msg_controllen = sizeof(b->control[i]);
		h->msg_flags = 0;
	}
	b->dirty = 0;
}

int udp_recv(int fd, struct udp_batch *b, unsigned max)
{
	int n;

	prepare_recv(b);
	n = recvmmsg(fd, b->headers, max < b->count ? max : b->count, 0, NULL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	b->dirty = (unsigned)n;
	for (int i = 0; i < n; i++) {
		struct msghdr *h = &b->headers[i].msg_hdr;

		b->packets[i].len = b->headers[i].msg_len;
		b->packets[i].cut = (h->msg_flags & MSG_TRUNC) != 0;
		take_control(h, &b->packets[i]);
	}
	return n;
}

/* --- send --- */

static size_t put_v4(union control *c, const struct udp_packet *p)
{
	struct in_pktinfo info = {.ipi_spec_dst = p->local.v4.sin_addr};

	memset(c, 0, sizeof(*c));
	c->align.cmsg_level = IPPROTO_IP;
	c->align.cmsg_type = IP_PKTINFO;
	c->align.cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(&c->align), &info, sizeof(info));
	return CMSG_SPACE(sizeof(info));
}

static size_t put_v6(union control *c, const struct udp_packet *p)
{
	struct in6_pktinfo info = {.ipi6_addr = p->local.v6.sin6_addr};

	/* Routing chooses the interface, but link-local has no route. */
	if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
		info.ipi6_ifindex = p->ifindex;
	memset(c, 0, sizeof(*c));
	c->align.cmsg_level = IPPROTO_IPV6;
	c->align.cmsg_type = IPV6_PKTINFO;
	c->align.cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(&c->align), &info, sizeof(info));
	return CMSG_SPACE(sizeof(info));
}

static void prepare_send(struct udp_batch *b, unsigned i)
{
	struct udp_packet *p = &b->packets[i];
	struct msghdr *h = &b->headers[i].msg_hdr;

	memset(h, 0, sizeof(*h));
	b->iov[i].iov_base = p->data;
	b->iov[i].iov_len = p->len;
	h->msg_iov = &b->iov[i];
	h->msg_iovlen = 1;
	if (p->peer.sa.sa_family != AF_UNSPEC) {
		h->msg_name = &p->peer;
		h->msg_namelen = addr_len(&p->peer);
	}
	if (p->local.sa.sa_family == AF_UNSPEC)
		return;
	h->msg_control = &b->control[i];
	h->msg_controllen = p->local.sa.sa_family == AF_INET6
				    ? put_v6(&b->control[i], p)
				    : put_v4(&b->control[i], p);
}

unsigned udp_send(int fd, struct udp_batch *b, unsigned first, unsigned end)
{
	unsigned done = first, sent = 0;

	for (unsigned i = first; i < end; i++)
		prepare_send(b, i);
	if (b->dirty < end)
		b->dirty = end;
	while (done < end) {
		int n = sendmmsg(fd, b->headers + done, end - done, 0);

		if (n > 0) {
			done += (unsigned)n;
			sent += (unsigned)n;
		} else if (n < 0 && errno == EAGAIN) {
			break; /* the socket's buffer is full */
		} else if (n < 0 && errno != EINTR) {
			done++; /* this one cannot be sent: go on behind it */
		}
	}
	return sent;
}
