/* SPDX-License-Identifier: ISC */
#ifndef HA_SOCK_H
#define HA_SOCK_H

#include "common/base/err.h"
#include "ha/packet.h"

/*
 * The raw sockets of one virtual router on one link: one that receives with
 * the kernel's time stamp, one that only sends. No allocation; one thread.
 */

struct sock {
	int rx, tx; /* -1 when closed */
	uint8_t family;
	int index;
	uint16_t id; /* of the next IPv4 datagram */
};

/* One received message; the octets lie in `buf`. */
struct sock_packet {
	struct packet_meta meta;
	int64_t at_us; /* CLOCK_MONOTONIC time of reception by the kernel */
	const uint8_t *pdu;
	size_t len;
	bool broken; /* the IP header made no sense: count as len */
	uint8_t buf[PACKET_MAX + 128];
};

void sock_init(struct sock *s);
/* Open both on link `index`; joins the group unless `unicast`. -errno. */
int sock_open(struct sock *s, uint8_t family, int index, const char *ifname,
	bool unicast, struct err *err) MUST_CHECK;
void sock_close(struct sock *s);

/* 1: one packet; 0: the socket is empty; -errno. */
int sock_receive(struct sock *s, struct sock_packet *out) MUST_CHECK;
/* Send a message from `src` to `dst` (octets). 0 or -errno. */
int sock_send(struct sock *s, const uint8_t *src, const uint8_t *dst,
	uint8_t *pdu, size_t len) MUST_CHECK;

#endif
