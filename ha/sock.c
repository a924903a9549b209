/* SPDX-License-Identifier: ISC */
#include "ha/sock.h"

#include <errno.h>
#include <linux/filter.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"

/*
 * Two sockets, since whatever a raw socket may send it also receives: the
 * sender has a filter that takes nothing, else its queue would fill for ever.
 */

enum {
	RX_BUFFER = 256 * 1024,
	PRIORITY = 6,
	TCLASS = 0xc0
};

struct option {
	int level, name, value;
};

static int set_options(int fd, const struct option *opts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (setsockopt(fd, opts[i].level, opts[i].name, &opts[i].value,
			    sizeof(int)) < 0)
			return -errno;
	return 0;
}

static int join(int fd, uint8_t family, int index)
{
	uint8_t group[PACKET_ADDR_MAX];
	struct ip_mreqn m4 = {.imr_ifindex = index};
	struct ipv6_mreq m6 = {.ipv6mr_interface = (unsigned)index};
	int rc;

	packet_group(family, group);
	memcpy(&m4.imr_multiaddr, group, 4);
	memcpy(&m6.ipv6mr_multiaddr, group, 16);
	if (family == 6)
		rc = setsockopt(
			fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &m6, sizeof(m6));
	else
		rc = setsockopt(
			fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m4, sizeof(m4));
	return rc < 0 ? -errno : 0;
}

static int open_raw(uint8_t family, const char *ifname)
{
	int fd = socket(family == 6 ? AF_INET6 : AF_INET,
		SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, PACKET_PROTO);

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, ifname,
		    (socklen_t)strlen(ifname)) < 0) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	return fd;
}

static int setup_rx(int fd, uint8_t family, int index, bool unicast)
{
	static const struct option common[] = {
		{SOL_SOCKET, SO_TIMESTAMPNS, 1},
		{SOL_SOCKET, SO_RCVBUF, RX_BUFFER},
	};
	static const struct option v4[] = {
		{IPPROTO_IP, IP_MULTICAST_ALL, 0},
	};
	static const struct option v6[] = {
		{IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0},
		{IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1},
		{IPPROTO_IPV6, IPV6_RECVPKTINFO, 1},
	};
	int rc = set_options(fd, common, countof(common));

	if (rc == 0)
		rc = family == 6 ? set_options(fd, v6, countof(v6))
				 : set_options(fd, v4, countof(v4));
	if (rc == 0 && !unicast)
		rc = join(fd, family, index);
	return rc;
}

static int setup_tx(int fd, uint8_t family, int index)
{
	static struct sock_filter drop_all[] = {
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	static const struct sock_fprog nothing = {1, drop_all};
	static const struct option v4[] = {
		{SOL_SOCKET, SO_PRIORITY, PRIORITY},
		{IPPROTO_IP, IP_HDRINCL, 1},
		{IPPROTO_IP, IP_MULTICAST_LOOP, 0},
	};
	static const struct option v6[] = {
		{SOL_SOCKET, SO_PRIORITY, PRIORITY},
		{IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 255},
		{IPPROTO_IPV6, IPV6_UNICAST_HOPS, 255},
		{IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0},
		{IPPROTO_IPV6, IPV6_TCLASS, TCLASS},
	};
	struct ip_mreqn out = {.imr_ifindex = index};
	int rc;

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &nothing,
		    sizeof(nothing)) < 0)
		return -errno;
	rc = family == 6 ? set_options(fd, v6, countof(v6))
			 : set_options(fd, v4, countof(v4));
	if (rc < 0)
		return rc;
	if (family == 6)
		rc = setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index,
			sizeof(index));
	else
		rc = setsockopt(
			fd, IPPROTO_IP, IP_MULTICAST_IF, &out, sizeof(out));
	return rc < 0 ? -errno : 0;
}

void sock_init(struct sock *s)
{
	memset(s, 0, sizeof(*s));
	s->rx = s->tx = -1;
}

int sock_open(struct sock *s, uint8_t family, int index, const char *ifname,
	bool unicast, struct err *err)
{
	int rc;

	sock_close(s);
	s->family = family;
	s->index = index;
	rc = s->rx = open_raw(family, ifname);
	if (rc >= 0)
		rc = setup_rx(s->rx, family, index, unicast);
	if (rc >= 0)
		rc = s->tx = open_raw(family, ifname);
	if (rc >= 0)
		rc = setup_tx(s->tx, family, index);
	if (rc < 0) {
		sock_close(s);
		return err_fail(
			err, rc, "raw socket on %s: %s", ifname, strerror(-rc));
	}
	return 0;
}

void sock_close(struct sock *s)
{
	if (s->rx >= 0)
		close(s->rx);
	if (s->tx >= 0)
		close(s->tx);
	s->rx = s->tx = -1;
}

/* Wall clock stamp of the kernel to our monotonic time. A stamp that makes
 * no sense (the wall clock was set in between) counts as now. */
static int64_t to_monotonic(const struct timespec *stamp)
{
	struct timespec wall;
	int64_t age_us;

	clock_gettime(CLOCK_REALTIME, &wall);
	age_us = (wall.tv_sec - stamp->tv_sec) * 1000000 +
		 (wall.tv_nsec - stamp->tv_nsec) / 1000;
	if (age_us < 0 || age_us > 60 * 1000000)
		age_us = 0;
	return mtime_now().us - age_us;
}

static void read_control(struct msghdr *msg, struct sock_packet *out)
{
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		struct timespec stamp;
		struct in6_pktinfo info;
		int hops;

		if (c->cmsg_level == SOL_SOCKET &&
			c->cmsg_type == SCM_TIMESTAMPNS) {
			memcpy(&stamp, CMSG_DATA(c), sizeof(stamp));
			out->at_us = to_monotonic(&stamp);
		} else if (c->cmsg_level != IPPROTO_IPV6) {
			continue;
		} else if (c->cmsg_type == IPV6_HOPLIMIT) {
			memcpy(&hops, CMSG_DATA(c), sizeof(hops));
			out->meta.ttl = (uint8_t)hops;
		} else if (c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&info, CMSG_DATA(c), sizeof(info));
			memcpy(out->meta.dst, &info.ipi6_addr, 16);
		}
	}
}

int sock_receive(struct sock *s, struct sock_packet *out)
{
	_Alignas(struct cmsghdr) char control[256];
	struct sockaddr_in6 from = {0};
	struct iovec iov = {out->buf, sizeof(out->buf)};
	struct msghdr msg = {0};
	ssize_t n;

	msg.msg_name = &from;
	msg.msg_namelen = sizeof(from);
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	msg.msg_control = control;
	msg.msg_controllen = sizeof(control);
	n = recvmsg(s->rx, &msg, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	memset(&out->meta, 0, sizeof(out->meta));
	out->broken = false;
	out->at_us = mtime_now().us;
	read_control(&msg, out);
	if (s->family == 6) {
		out->meta.family = 6;
		memcpy(out->meta.src, &from.sin6_addr, 16);
		out->pdu = out->buf;
		out->len = (size_t)n;
	} else {
		out->broken = packet_open_ip4(out->buf, (size_t)n, &out->meta,
				      &out->pdu, &out->len) != PACKET_OK;
	}
	return 1;
}

static int send_ip4(struct sock *s, const uint8_t *src, const uint8_t *dst,
	uint8_t *pdu, size_t len)
{
	uint8_t header[PACKET_IP4_HDR];
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct iovec iov[2] = {{header, sizeof(header)}, {pdu, len}};
	struct msghdr msg = {0};

	packet_ip4_header(header, src, dst, ++s->id, len);
	memcpy(&to.sin_addr, dst, 4);
	msg.msg_name = &to;
	msg.msg_namelen = sizeof(to);
	msg.msg_iov = iov;
	msg.msg_iovlen = 2;
	return sendmsg(s->tx, &msg, MSG_DONTWAIT) < 0 ? -errno : 0;
}

/* The source is chosen by a control message; the checksum is ours. */
static int send_ip6(struct sock *s, const uint8_t *src, const uint8_t *dst,
	uint8_t *pdu, size_t len)
{
	_Alignas(struct cmsghdr) char
		control[CMSG_SPACE(sizeof(struct in6_pktinfo))] = {0};
	struct sockaddr_in6 to = {.sin6_family = AF_INET6};
	struct in6_pktinfo info = {.ipi6_ifindex = (unsigned)s->index};
	struct iovec iov = {pdu, len};
	struct msghdr msg = {0};
	struct cmsghdr *c;

	memcpy(&to.sin6_addr, dst, 16);
	to.sin6_scope_id = (uint32_t)s->index;
	memcpy(&info.ipi6_addr, src, 16);
	msg.msg_name = &to;
	msg.msg_namelen = sizeof(to);
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	msg.msg_control = control;
	msg.msg_controllen = sizeof(control);
	c = CMSG_FIRSTHDR(&msg);
	c->cmsg_level = IPPROTO_IPV6;
	c->cmsg_type = IPV6_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(c), &info, sizeof(info));
	return sendmsg(s->tx, &msg, MSG_DONTWAIT) < 0 ? -errno : 0;
}

int sock_send(struct sock *s, const uint8_t *src, const uint8_t *dst,
	uint8_t *pdu, size_t len)
{
	if (s->tx < 0)
		return -ENOTCONN;
	return s->family == 6 ? send_ip6(s, src, dst, pdu, len)
			      : send_ip4(s, src, dst, pdu, len);
}
