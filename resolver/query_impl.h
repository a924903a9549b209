/* SPDX-License-Identifier: ISC */
#ifndef RESOLVER_QUERY_IMPL_H
#define RESOLVER_QUERY_IMPL_H

/* What query.c (the walk of a query) and inflight.c (waiters and tasks)
 * share. */

#include "common/base/slots.h"
#include "resolver/engines.h"
#include "resolver/policy.h"
#include "resolver/query.h"

#define TABLE  16384 /* buckets of tasks; a power of two */
#define COUNTS 65536 /* shared counters by hash of client or zone */

struct waiter {
	struct list link;  /* of its task */
	struct list age;   /* of all, oldest first */
	struct list stale; /* of those that a stale answer is there for */
	struct serve_peer peer;
	struct answer_client client;
	struct mtime start;
	uint32_t client_count; /* index */
	uint8_t name[NAME_MAX_WIRE];
};

struct task {
	struct list waiters;
	uint32_t next; /* in its bucket */
	uint64_t hash;
	uint32_t zone_count; /* index */
	struct question q;
	uint8_t name[NAME_MAX_WIRE];
};

struct queries {
	struct loop *loop;
	const struct settings *settings;
	struct serve *serve;
	struct engines *engines;
	struct cache *cache;
	struct slots waiters, tasks;
	struct list ages, stales;
	struct timer *deadline_timer, *stale_timer;
	struct hash_key key;
	struct refusals refusals;
	struct stats stats;
	uint32_t table[TABLE];
	uint16_t client_counts[COUNTS], zone_counts[COUNTS];
	uint8_t out[MSG_MAX + 1];
};

/* inflight.c */

/* Queue this client behind a lookup of its question, started when there is
 * none; `stale`: what it may get when that takes long, or NULL. False: over a
 * limit, counted; nothing was done. */
bool inflight_join(struct queries *qs, const struct serve_peer *peer,
	const struct question *q, const struct answer_client *c,
	const struct cache_entry *stale);
/* engine_done */
void inflight_done(void *arg, uint64_t token, struct answer *a);
/* Timers: loop_cb with struct queries. */
void inflight_deadline(void *arg);
void inflight_stale_wait(void *arg);

/* query.c */
void reply_send(struct queries *qs, const struct serve_peer *peer, size_t len);
void reply_error(struct queries *qs, const struct serve_peer *peer,
	const struct answer_client *c, unsigned rcode, int ede);
void reply_stale(struct queries *qs, const struct serve_peer *peer,
	const struct answer_client *c, const struct cache_entry *e);
/* May this expired entry be served (RFC 8767 4)? */
bool is_usable_stale(const struct cache_entry *e);

#endif
