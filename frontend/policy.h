/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_POLICY_H
#define FRONTEND_POLICY_H

/*
 * The snapshot of the configuration that queries are served by: who may ask,
 * what is not answered, how often, and which pool answers. Built by config.c
 * in one arena, then immutable; workers change to the next one by a message
 * to their loop, the main thread frees the old one when all have done so.
 */

#include "common/base/arena.h"
#include "common/dns/suffix.h"
#include "common/net/prefix.h"
#include "frontend/block.h"
#include "frontend/cache.h"
#include "frontend/limit.h"
#include "frontend/miss.h"
#include "frontend/offender.h"
#include "frontend/permit.h"
#include "frontend/pool.h"
#include "frontend/rule.h"
#include "frontend/stats.h"

enum policy_action { /* order of the words in the configuration */
	POLICY_ALLOW,
	POLICY_DROP,
	POLICY_REFUSE,
	POLICY_TC,
	POLICY_CACHE_ONLY, /* limits only */
};

/* A query without a question (order of the words in the configuration). */
enum policy_empty {
	EMPTY_FORMERR,
	EMPTY_NOTIMP,
	EMPTY_DROP,
};

struct policy_limit {
	struct limit_rule rule;
	struct limit_rule misses; /* per client */
	enum policy_action action;
};

struct policy_retry {
	bool hedge; /* ask another when one is slower than it mostly is */
	uint32_t timeout_ms;  /* until another backend is asked too */
	uint32_t deadline_ms; /* until the client gets SERVFAIL */
	uint32_t tries;       /* questions per query, at most POOL_TRIED */
};

/* Bounds of what is handed on as it is. */
struct policy_transfers {
	uint32_t max, per_client;      /* transfers of a worker */
	uint32_t idle_ms, lifetime_ms; /* of a transfer */
	uint32_t answer_ms;            /* until one answer is given up */
};

/* Blocks that what a source does brings about. */
struct policy_dynamic {
	struct offender_rules rules;
	enum block_action action;
	int64_t duration_us;
	unsigned max;              /* at one time */
	struct prefix_map *exempt; /* beside policy.exempt; NULL: nobody */
};

struct policy {
	struct arena arena;
	struct prefix_map *acl; /* 1: allowed, 0: denied */
	enum policy_action acl_action, any, chaos, transfer;
	enum policy_empty empty;
	struct policy_limit limit;
	unsigned limit_v4_bits, limit_v6_bits;
	struct prefix_map *overrides; /* index into override */
	struct policy_limit *override;
	struct prefix_map *exempt; /* from these limits; NULL: nobody */
	struct miss_limits misses;
	struct policy_dynamic dynamic;
	struct rules *rules;       /* NULL: none */
	struct suffix_map *routes; /* index into pools */
	struct permits *permits;   /* NULL: nobody may transfer anything */
	struct policy_transfers transfers;
	struct pool *pools;
	unsigned pool_count, default_pool;
	struct cache_rules cache_rules;
	struct policy_retry retry;
	struct hop_rules hop;
	union addr *warm; /* frontends that are told of popular names */
	unsigned warm_count;
	uint16_t udp_limit;          /* largest UDP answer */
	unsigned drop_lines;         /* of the log, per second; 0: none */
	uint32_t top_window_ms;      /* 0: names and clients are not counted */
	uint32_t waiting_max;        /* queries of one client that may wait */
	unsigned sockets;            /* per backend and worker */
	unsigned socket_queries;     /* then it is replaced; 0: never */
	struct cache *cache;         /* shared, not the snapshot's own */
	struct limiter *limiter;     /* likewise */
	struct blocks *blocks;       /* likewise; NULL: none */
	struct offenders *offenders; /* likewise; NULL: nobody is watched */
};

enum policy_verdict {
	VERDICT_PASS,
	VERDICT_CACHE_ONLY, /* answer from the cache or not at all */
	VERDICT_DROP,
	VERDICT_REPLY, /* rcode or TC */
	VERDICT_SPOOF, /* `spoof` is the answer */
	VERDICT_RELAY, /* to `pool` as it is: transfers, NOTIFY, UPDATE */
	VERDICT_PROVE, /* of policy_admit: it depends on the proof */
};

/* Does the one who sent it have its address? TCP or a good DNS cookie say so.
 */
enum policy_proof {
	PROOF_UNKNOWN, /* not looked at yet */
	PROOF_NONE,
	PROOF_GIVEN,
};

/* Small enough to be handed back in registers. */
struct policy_result {
	enum policy_verdict verdict : 8;
	bool tc : 1;
	bool no_recurse : 1;       /* PASS, CACHE_ONLY: ask without RD */
	enum stat_id counter : 16; /* to be counted when not PASS */
	uint16_t rcode;
	int16_t ede; /* -1: none */
	union {
		const struct spoof *spoof; /* SPOOF */
		const struct pool *pool;   /* PASS, CACHE_ONLY: a rule chose
					      it; NULL: route it. RELAY */
	};
};

/* A message that was parsed (`parsed` not MSG_DROP). */
struct policy_query {
	const union addr *client;
	bool tcp;
	bool proven; /* a DNS cookie shows that the client has its address */
	bool rd;
	bool empty; /* no question, and no cookie to be had either */
	unsigned opcode;
	enum msg_verdict parsed;
	const struct query_view *view;
	int64_t now_us;
};

/* Frees the arena and the policy itself; NULL allowed. */
void policy_free(struct policy *policy);

/* May this source speak at all (ACL, blocks)? PASS, DROP, or REPLY with
 * REFUSED or TC. Before anything else is looked at; PROVE when the proof is
 * unknown but decides: look for it and ask again. */
struct policy_result policy_admit(const struct policy *policy,
	const union addr *client, enum policy_proof proof, int64_t now_us);
/* May it open a TCP connection? False only when it gets no answer anyway;
 * then *why. */
bool policy_admit_tcp(const struct policy *policy, const union addr *client,
	int64_t now_us, enum stat_id *why);

/* Verdict on a parsed message, in this order: is its name blocked; the limit
 * of its source; is it well-formed; the rules; the policy on opcodes, classes
 * and types, and what routes permit of them. The sections of a NOTIFY or
 * UPDATE are not looked at here. */
struct policy_result policy_check(
	const struct policy *policy, const struct policy_query *q);

/* May this question (not in the cache, not in flight) go to a backend? PASS,
 * DROP or REPLY. `proven`: by TCP or a cookie; `name` is in lower case. */
struct policy_result policy_check_miss(const struct policy *policy,
	const union addr *client, bool proven, const uint8_t *name,
	int64_t now_us);

/* An answer to this client leaves: is it one to be blocked? */
void policy_note_answer(const struct policy *policy, const union addr *client,
	bool proven, unsigned rcode, int64_t now_us);

/* The pool that answers for this question: that of the longest suffix; DS is
 * the parent's to answer (RFC 4035 3.1.4.1). */
const struct pool *policy_route(
	const struct policy *policy, const struct question *q);
/* By id; NULL: not in this snapshot. */
const struct pool *policy_pool(const struct policy *policy, uint16_t id);

#endif
