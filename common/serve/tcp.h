/* SPDX-License-Identifier: ISC */
#ifndef COMMON_SERVE_TCP_H
#define COMMON_SERVE_TCP_H

/* The TCP side of a serve: listening sockets and the table of connections.
 * Inside common/serve only; loop's thread. */

#include "common/serve/serve.h"

struct serve_tcp;
struct serve_tcp_listener;

/* `stats` is the serve's. NULL: no memory. */
struct serve_tcp *serve_tcp_new(struct loop *loop,
	const struct serve_config *config, serve_fn fn, serve_admit_fn admit,
	void *arg, struct serve_stats *stats) MUST_CHECK;
/* After all its listeners are closed. */
void serve_tcp_free(struct serve_tcp *tcp); /* NULL allowed */
/* New limits (all set, no zeros), for present connections too. */
void serve_tcp_set_limits(
	struct serve_tcp *tcp, const struct serve_config *config);
struct serve_tcp_listener *serve_tcp_listen(struct serve_tcp *tcp,
	const union addr *addr, bool reuseport, bool freebind,
	struct err *err) MUST_CHECK;
void serve_tcp_listener_close(struct serve_tcp_listener *l); /* NULL allowed */
void serve_tcp_set_index(struct serve_tcp_listener *l, uint16_t index);
const struct serve_tcp_counts *serve_tcp_listener_counts(
	const struct serve_tcp_listener *l);
void serve_tcp_reply(struct serve_tcp *tcp, const struct serve_peer *peer,
	const uint8_t *msg, size_t len);
/* `last`: it takes no more queries. */
void serve_tcp_drop(
	struct serve_tcp *tcp, const struct serve_peer *peer, bool last);
void serve_tcp_on_batch_end(struct serve_tcp *tcp, serve_batch_fn fn);
/* As serve.h's functions of these names. */
void serve_tcp_on_flow(
	struct serve_tcp *tcp, const struct serve_flow_events *events);
bool serve_tcp_flow_open(struct serve_tcp *tcp, const struct serve_peer *peer,
	uint32_t stall_ms) MUST_CHECK;
int serve_tcp_flow_send(struct serve_tcp *tcp, const struct serve_peer *peer,
	const uint8_t *msg, size_t len) MUST_CHECK;
void serve_tcp_flow_close(struct serve_tcp *tcp, const struct serve_peer *peer);
void serve_tcp_abort(struct serve_tcp *tcp, const struct serve_peer *peer);
/* Read no further query; connections end with their last answer. */
void serve_tcp_pause(struct serve_tcp *tcp);

#endif
