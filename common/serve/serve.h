/* SPDX-License-Identifier: ISC */
#ifndef COMMON_SERVE_SERVE_H
#define COMMON_SERVE_SERVE_H

/*
 * DNS listeners (UDP and TCP) of one worker, used by frontend and resolver:
 * requests come to one callback, replies leave in batches (UDP, at the end of
 * the loop's round) or on their connection (TCP), in any order and at any
 * later time (RFC 7766 7). One loop's thread.
 */

#include "common/base/err.h"
#include "common/net/addr.h"
#include "common/net/loop.h"

struct serve;

#define SERVE_BATCH_MAX 64

/* Where an answer goes. Copy it into the query's slot; it may outlive its
 * connection (then the reply is dropped and counted). */
struct serve_peer {
	union addr client;
	union addr local; /* family 0: the listener's own */
	uint32_t ifindex;
	uint16_t listener; /* index of the address it came to */
	bool tcp;
	uint32_t conn; /* TCP: slot and generation */
	uint32_t conn_gen;
};

struct serve_request {
	struct serve_peer peer;
	const uint8_t *msg; /* >= 1 octet */
	size_t len;
};

/* Called for each message; the request is valid until it returns, or until
 * the end of the batch when that is told. On TCP, what was not answered yet is
 * counted per connection until serve_reply or serve_drop is called for it. */
typedef void (*serve_fn)(void *arg, const struct serve_request *req);
/* The messages that came together (at most
 * SERVE_BATCH_MAX; one on TCP) were all given. */
typedef void (*serve_batch_fn)(void *arg);
/* May this client have a TCP connection? (ACL before any byte is read.) */
typedef bool (*serve_admit_fn)(void *arg, const union addr *client);

struct serve_config {
	const union addr *addrs; /* to listen on, UDP and TCP */
	size_t addr_count;
	bool reuseport; /* several workers share the addresses */
	bool freebind;
	unsigned udp_batch;      /* 1..64; 0: 32 */
	uint32_t tcp_max;        /* connections of this worker; 0: 1024 */
	uint32_t tcp_per_client; /* 0: 20 */
	uint32_t tcp_per_net;    /* of one /24 or /56; 0: no limit */
	uint32_t tcp_inflight;   /* unanswered queries per connection; 0: 100 */
	uint32_t tcp_queries;    /* of a connection, which then ends; 0: any */
	uint32_t tcp_idle_ms;    /* 0: 10000 */
	uint32_t tcp_message_ms; /* 0: 5000 */
	/* The first query after it is a connection's last; 0: no limit. */
	uint32_t tcp_lifetime_ms;
	uint32_t tcp_reads;  /* in which one message may come; 0: any */
	uint32_t tcp_ban_ms; /* for who needs more of them; 0: none */
};

/* Counters, read by the owner. */
struct serve_stats {
	uint64_t udp_in, udp_out, udp_cut, udp_send_errors;
	uint64_t tcp_in, tcp_out, tcp_accepted, tcp_refused, tcp_over_client,
		tcp_over_net, tcp_evicted, tcp_timeouts, tcp_drips, tcp_banned,
		tcp_gone;
	uint32_t tcp_open;
};

/* Of the connections that came to one listener; those of one that was kept
 * go on over a change of addresses. */
struct serve_tcp_counts {
	uint64_t accepted, queries, timeouts;
	uint64_t died_reading; /* reset while nothing was due to the client */
	uint64_t died_sending; /* ended with answers due, or not read */
	/* of those that ended, together */
	uint64_t ended, life_ms, reads, ended_queries;
	uint32_t open, most; /* now, at one time */
};

struct serve *serve_new(struct loop *loop, const struct serve_config *config,
	serve_fn fn, serve_admit_fn admit, void *arg,
	struct err *err) MUST_CHECK;
/* Be told the ends of batches too, with serve_fn's `arg`. Before it runs. */
void serve_on_batch_end(struct serve *serve, serve_batch_fn fn);
/* Stop taking new queries; replies still leave. */
void serve_pause(struct serve *serve);
void serve_free(struct serve *serve); /* NULL allowed */
/* Change limits live (addresses: add/remove those that differ; on failure
 * nothing is changed). */
int serve_update(struct serve *serve, const struct serve_config *config,
	struct err *err) MUST_CHECK;
/* Send the answer (copied). `len` <= 65535. */
void serve_reply(struct serve *serve, const struct serve_peer *peer,
	const uint8_t *msg, size_t len);
/* There will be no answer. */
void serve_drop(struct serve *serve, const struct serve_peer *peer);
/* The same, and its TCP connection takes no more queries: it ends when what
 * else was asked on it is answered. */
void serve_close(struct serve *serve, const struct serve_peer *peer);

/*
 * Flows: a query over TCP that is answered by several messages (a transfer).
 * It stays unanswered until the flow is closed; other queries of its
 * connection are answered meanwhile, between its messages (RFC 5936 2.2).
 * After a message that had to wait no flow of that connection may send more
 * until there is room.
 */
struct serve_flow_events {
	/* All that waited on this connection is with the kernel. */
	void (*room)(void *arg, uint32_t conn, uint32_t conn_gen);
	/* It ended; its flows are closed. */
	void (*gone)(void *arg, uint32_t conn, uint32_t conn_gen);
};
/* Be told, with serve_fn's `arg`. Before it runs. */
void serve_on_flow(struct serve *serve, const struct serve_flow_events *events);
/* `stall_ms`: for so long the client may read nothing. False: it is not a
 * connection (any more). */
bool serve_flow_open(struct serve *serve, const struct serve_peer *peer,
	uint32_t stall_ms) MUST_CHECK;
/* Send one message. 1: there is room for more; 0: wait for it; negative: the
 * connection has ended, `gone` was called. */
int serve_flow_send(struct serve *serve, const struct serve_peer *peer,
	const uint8_t *msg, size_t len) MUST_CHECK;
/* All was sent: the query is answered. */
void serve_flow_close(struct serve *serve, const struct serve_peer *peer);
/* The rest cannot be had: end the connection (all its flows are `gone`). */
void serve_abort(struct serve *serve, const struct serve_peer *peer);

const struct serve_stats *serve_get_stats(const struct serve *serve);
/* NULL while paused. */
const struct serve_tcp_counts *serve_tcp_counts(
	const struct serve *serve, size_t listener);
/* The address really bound (port 0 in the configuration: tests). */
union addr serve_local_addr(const struct serve *serve, size_t listener);
/* UDP descriptor of a listener (to attach a steering program). */
int serve_udp_fd(const struct serve *serve, size_t listener);

#endif
