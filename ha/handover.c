/* SPDX-License-Identifier: ISC */
#include "ha/handover.h"

#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/digest.h"
#include "ha/track.h"

/*
 * Wire form: "ISPH", version 1, kind, VRID, family, role, priority, base,
 * fit, boot (4), seq (4), gateway, reserved (3), then 16 octets of HMAC (zero
 * without key). Older senders say 0 for the gateway, which is "unknown"; so
 * counts whatever a later one may say there. The kernel enforces the TTL
 * (IP_MINTTL), see RFC 5082.
 */

#ifndef IPV6_MINHOPCOUNT
#define IPV6_MINHOPCOUNT 73
#endif

enum {
	WIRE_VERSION = 1,
	BODY = HANDOVER_LEN - HANDOVER_MAC,
	TTL = 255
};

static void sign(const uint8_t *in, const void *key, size_t key_len,
	uint8_t mac[HANDOVER_MAC])
{
	uint8_t full[DIGEST_SIZE] = {0};

	if (key_len)
		digest_hmac(key, key_len, in, BODY, full);
	memcpy(mac, full, HANDOVER_MAC);
}

void handover_encode(const struct handover_msg *msg, const void *key,
	size_t key_len, uint8_t out[HANDOVER_LEN])
{
	struct wbuf w;

	wbuf_init(&w, out, HANDOVER_LEN);
	wbuf_bytes(&w, "ISPH", 4);
	wbuf_u8(&w, WIRE_VERSION);
	wbuf_u8(&w, (uint8_t)msg->kind);
	wbuf_u8(&w, msg->vrid);
	wbuf_u8(&w, msg->family);
	wbuf_u8(&w, msg->role);
	wbuf_u8(&w, msg->priority);
	wbuf_u8(&w, msg->base);
	wbuf_u8(&w, msg->fit);
	wbuf_u32(&w, msg->boot);
	wbuf_u32(&w, msg->seq);
	wbuf_u8(&w, msg->gateway);
	wbuf_bytes(&w, "\0\0\0", 3);
	sign(out, key, key_len, out + BODY);
}

int handover_decode(const uint8_t *in, size_t len, const void *key,
	size_t key_len, struct handover_msg *out)
{
	uint8_t mac[HANDOVER_MAC];

	if (len != HANDOVER_LEN || memcmp(in, "ISPH", 4) != 0 ||
		in[4] != WIRE_VERSION)
		return -EBADMSG;
	sign(in, key, key_len, mac);
	if (!digest_equal(mac, in + BODY, HANDOVER_MAC))
		return -EACCES;
	if (in[5] < HANDOVER_HELLO || in[5] > HANDOVER_WANT ||
		(in[7] != 4 && in[7] != 6))
		return -EBADMSG;
	out->kind = (enum handover_kind)in[5];
	out->vrid = in[6];
	out->family = in[7];
	out->role = in[8];
	out->priority = in[9];
	out->base = in[10];
	out->fit = in[11] != 0;
	out->boot = get32(in + 12);
	out->seq = get32(in + 16);
	out->gateway = in[20] <= TRACK_GATEWAY_LOST ? in[20] : 0;
	return 0;
}

static int setup(int fd, int level, int ttl_name, int min_name)
{
	int ttl = TTL;

	if (setsockopt(fd, level, ttl_name, &ttl, sizeof(ttl)) < 0 ||
		setsockopt(fd, level, min_name, &ttl, sizeof(ttl)) < 0)
		return -errno;
	return 0;
}

static int open_one(int domain, uint16_t port)
{
	union addr any = {0};
	int on = 1, rc = 0;
	int fd = socket(domain, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	any.sa.sa_family = (sa_family_t)domain;
	addr_set_port(&any, port);
	if (domain == AF_INET6) {
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
		rc = setup(
			fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, IPV6_MINHOPCOUNT);
	} else {
		rc = setup(fd, IPPROTO_IP, IP_TTL, IP_MINTTL);
	}
	if (rc == 0 && bind(fd, &any.sa, addr_len(&any)) < 0)
		rc = -errno;
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return fd;
}

int handover_open(struct handover *h, uint16_t port, const void *key,
	size_t key_len, struct err *err)
{
	memset(h, 0, sizeof(*h));
	h->fd4 = h->fd6 = -1;
	if (key_len > sizeof(h->key))
		return err_fail(err, -EINVAL, "handover: key too long");
	memcpy(h->key, key, key_len);
	h->key_len = key_len;
	random_bytes(&h->boot, sizeof(h->boot));
	h->fd4 = open_one(AF_INET, port);
	h->fd6 = open_one(AF_INET6, port);
	if (h->fd4 < 0)
		return err_fail(err, h->fd4, "handover: UDP port %d: %s", port,
			strerror(-h->fd4));
	if (h->fd6 < 0) /* a host without IPv6 */
		h->fd6 = -1;
	return 0;
}

void handover_close(struct handover *h)
{
	if (h->fd4 >= 0)
		close(h->fd4);
	if (h->fd6 >= 0)
		close(h->fd6);
	h->fd4 = h->fd6 = -1;
}

int handover_send(
	struct handover *h, const union addr *to, struct handover_msg *msg)
{
	int fd = to->sa.sa_family == AF_INET6 ? h->fd6 : h->fd4;
	uint8_t out[HANDOVER_LEN];

	if (fd < 0)
		return -EAFNOSUPPORT;
	msg->boot = h->boot;
	msg->seq = ++h->seq;
	handover_encode(msg, h->key, h->key_len, out);
	if (sendto(fd, out, sizeof(out), MSG_DONTWAIT, &to->sa, addr_len(to)) <
		0)
		return -errno;
	return 0;
}

int handover_receive(
	struct handover *h, int fd, struct handover_msg *msg, union addr *from)
{
	socklen_t len = sizeof(*from);
	uint8_t in[HANDOVER_LEN + 1];
	ssize_t n = recvfrom(fd, in, sizeof(in), MSG_DONTWAIT, &from->sa, &len);
	int rc;

	if (n < 0) /* errors of earlier sends show up here; not ours to mind */
		return errno == EAGAIN ? 0 : -EBADMSG;
	rc = handover_decode(in, (size_t)n, h->key, h->key_len, msg);
	return rc < 0 ? rc : 1;
}
