/* SPDX-License-Identifier: ISC */
#ifndef COMMON_NET_UDP_H
#define COMMON_NET_UDP_H

/* UDP sockets: open, receive and send in batches (recvmmsg, sendmmsg). */

#include "common/base/err.h"
#include "common/net/addr.h"

#define UDP_BATCH 32

enum {
	UDP_REUSEPORT = 1, /* several sockets share the address */
	UDP_PKTINFO = 2,   /* learn the destination, answer from it */
	UDP_FREEBIND = 4,  /* the address may not be up yet (VIP) */
};

/* Non-blocking, close-on-exec, big buffers, no path MTU discovery tricks
 * (IP_PMTUDISC_OMIT). v6 sockets are v6 only. fd or negative errno. */
int udp_open(const union addr *addr, int flags, struct err *err) MUST_CHECK;
/* Connected socket from a random local port (of `src`, may be NULL). */
int udp_connect(const union addr *src, const union addr *dst,
	struct err *err) MUST_CHECK;

struct udp_packet {
	union addr peer;  /* from whom, to whom (family 0: as connected) */
	union addr local; /* destination it came to; source to answer from
			     (family 0: unset) */
	uint32_t ifindex; /* 0: unset */
	uint8_t *data;
	uint32_t len;
	bool cut; /* received: it did not fit */
};

/* Memory for one receive or send batch; worker-owned. */
struct udp_batch;
/* `packet_size` octets of room for each of `count` (<= 64) packets. */
struct udp_batch *udp_batch_new(
	unsigned count, uint32_t packet_size) MUST_CHECK;
/* The same for connected sockets: senders are not told, `peer` stays unset. */
struct udp_batch *udp_batch_new_connected(
	unsigned count, uint32_t packet_size) MUST_CHECK;
void udp_batch_free(struct udp_batch *batch);
/* The i-th packet: after udp_recv valid for i < its result; for sending:
 * fill peer, local, len, and data's content. */
struct udp_packet *udp_batch_packet(struct udp_batch *batch, unsigned i);
unsigned udp_batch_size(const struct udp_batch *batch);
/* How many packets came (0: none waiting), at most `max`, or negative errno. */
int udp_recv(int fd, struct udp_batch *batch, unsigned max);
/* Send those from `first` to before `end`; what the kernel refuses is skipped.
 * Returns how many went out. */
unsigned udp_send(
	int fd, struct udp_batch *batch, unsigned first, unsigned end);

#endif
