/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_BACKEND_IMPL_H
#define FRONTEND_BACKEND_IMPL_H

/*
 * What the files behind backend.h share: attempts and their end (backend.c),
 * replies (backend_reply.c), and the two ways to ask (backend_udp.c,
 * backend_tcp.c). The worker's thread only.
 */

#include "common/base/slots.h"
#include "frontend/backend.h"
#include "frontend/upstream.h"

#define BACKEND_QUERY_SIZE                                                     \
	(MSG_HEADER + NAME_MAX_WIRE + 4 + EDNS_OPT_SIZE + ECS_OPTION_MAX)

/* One question sent to one server. */
struct attempt {
	struct list link;
	struct upstream *up;
	struct upstream_socket *sock; /* NULL: TCP */
	const struct cache_key *key;
	struct mtime sent;
	uint32_t tag;
	uint16_t id;
	bool rd;
	bool late;
	bool resent; /* TCP: after the connection was closed under it */
};

struct backends {
	struct loop *loop;
	struct rng *rng;
	struct metrics_row *row;
	const struct backend_events *events;
	void *arg;
	struct slots attempts;
	uint16_t by_id[65536]; /* slot + 1 */
	uint16_t next_id;
	struct upstream_queue queue;
	struct upstream *ups[SERVERS_MAX];
	struct udp_batch *in;
	struct timer *sweep;
	struct answer answer;
	uint8_t made[MSG_HEADER + NAME_MAX_WIRE + 4];
};

/* It has ended: out of its list, its id is free again. */
void backend_give(struct backends *b, struct attempt *a);
/* The same, with the event. BACKEND_REFUSED counts against the server. */
void backend_fail(
	struct backends *b, struct attempt *a, enum backend_failure why);
/* All in the list; events may put new ones into other lists only, or behind
 * those that were there. */
void backend_fail_all(
	struct backends *b, struct list *list, enum backend_failure why);
/* The attempt whose id is the message's (at least MSG_HEADER octets), however
 * it came; or NULL. */
struct attempt *backend_attempt_of(struct backends *b, const uint8_t *msg);
/* Another id, as random as the first. */
void backend_renew_id(struct backends *b, struct attempt *a);
/* Write its question; the length. `size` >= BACKEND_QUERY_SIZE is enough. */
size_t backend_make_query(const struct attempt *a, uint8_t *out, size_t size);

/* A message came from the server, by this socket (NULL: TCP). It ends the
 * attempt that it answers; all else is counted and ignored. `msg` is changed.
 */
void backend_take_reply(struct backends *b, struct upstream *up,
	struct upstream_socket *sock, uint8_t *msg, size_t len);

/* Put it on its way: 0, or negative errno and it is in no list. */
int backend_ask_udp(struct backends *b, struct attempt *a) MUST_CHECK;
int backend_ask_tcp(struct backends *b, struct attempt *a) MUST_CHECK;
/* Leave the port; what waits there is asked again from another. */
void backend_udp_flee(struct backends *b, struct upstream_socket *s);
/* What UDP needs: memory, and a flush after each round of the loop. */
int backend_udp_init(struct backends *b) MUST_CHECK;
void backend_udp_fini(struct backends *b); /* in zeroed memory too */
/* Send what is queued: before sockets go, or when the queue is full. */
void backend_udp_flush(struct backends *b);

#endif
