/* SPDX-License-Identifier: ISC */
#ifndef COMMON_SERVE_UDP_H
#define COMMON_SERVE_UDP_H

/* One UDP listener of a serve. Inside common/serve only; loop's thread. */

#include "common/net/udp.h"
#include "common/serve/serve.h"

struct serve_udp;

/* What the UDP listeners of one serve share; theirs to borrow. */
struct serve_udp_owner {
	struct loop *loop;
	struct udp_batch *in; /* receive memory, used within one callback */
	unsigned batch;
	serve_fn fn;
	serve_batch_fn batch_end; /* NULL: nobody asks */
	void *arg;
	struct serve_stats *stats;
};

/* `id` names the listener in serve_peer.conn, `flags` as udp_open. */
struct serve_udp *serve_udp_open(struct serve_udp_owner *owner,
	const union addr *addr, int flags, uint32_t id,
	struct err *err) MUST_CHECK;
void serve_udp_close(struct serve_udp *udp); /* NULL allowed */
/* The listener's place in the configuration, told with each request. */
void serve_udp_set_index(struct serve_udp *udp, uint16_t index);
uint32_t serve_udp_id(const struct serve_udp *udp);
int serve_udp_socket(const struct serve_udp *udp);
/* Queue an answer; leaves with serve_udp_flush or when the batch is full. */
void serve_udp_reply(struct serve_udp *udp, const struct serve_peer *peer,
	const uint8_t *msg, size_t len);
void serve_udp_flush(struct serve_udp *udp);
/* New queries go to the other sockets of the address; what came already is
 * still read, and answers still leave. */
void serve_udp_pause(struct serve_udp *udp);

#endif
