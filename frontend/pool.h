/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_POOL_H
#define FRONTEND_POOL_H

/*
 * A named set of backends and the rule that picks one of them. Part of the
 * policy snapshot: immutable but for the servers' shared state.
 */

#include "common/base/arena.h"
#include "common/dns/name.h"
#include "frontend/health.h"
#include "frontend/server.h"

#define POOL_TRIED 8 /* backends that one question can be refused by */

enum pool_policy {
	POOL_LEAST_OUTSTANDING,
	POOL_FIRST_AVAILABLE,
	POOL_ROUND_ROBIN,
	POOL_WEIGHTED_RANDOM,
	POOL_CONSISTENT_HASH,
};

/* What backends are told of the client's subnet (RFC 7871). */
enum pool_ecs {
	POOL_ECS_STRIP,
	POOL_ECS_FORWARD, /* what the client says of it */
	POOL_ECS_ADD,     /* else that of its address */
};

#define POOL_RCODE_RESOLVED -1 /* NOERROR or NXDOMAIN */
#define POOL_RCODE_ANY      -2 /* all but SERVFAIL */

#define POOL_CHECK_LABEL 13 /* octets of a random label */

/* How a backend is probed. */
struct pool_check {
	struct health_check timing;
	struct name name;
	uint16_t type;
	int rcode; /* expected, or POOL_RCODE_* */
	bool require_aa;
	bool random_label; /* before the name, for each probe another */
	bool has_serial;
	uint32_t serial; /* the SOA's at least (RFC 1982) */
};

struct pool_member {
	struct server *server;
	uint32_t weight, order;
	struct limit_rule limit; /* qps 0: none; POOL_FIRST_AVAILABLE asks */
	struct pool_check check;
};

struct pool_point {
	uint32_t hash;
	uint32_t member;
};

struct pool {
	const char *name;
	uint16_t id; /* of the name; the same for the process's life */
	bool auth;   /* answers keep AA, and have RA clear */
	bool cached;
	bool drops; /* queries when no member may be asked, else SERVFAIL */
	enum pool_ecs ecs;
	enum pool_policy policy;
	bool tiers; /* only the lowest order that may be asked is */
	unsigned count;
	struct pool_member *members;
	struct pool_point *ring; /* POOL_CONSISTENT_HASH */
	unsigned ring_size;
};

/*
 * Questions that came together may go to one backend a few in a row, so that
 * they share system calls on both sides, as long as at least POOL_RUN_PARTS
 * backends have part in what came together. Under leastOutstanding and
 * roundrobin; both are even again some questions later. Worker-owned.
 */
#define POOL_RUN_PARTS 4
#define POOL_RUN_MAX   8

struct pool_run {
	const struct pool *pool;
	enum server_fitness fitness;
	unsigned member, left; /* so many more go to this member of `pool` */
	unsigned length;       /* of a whole run */
};

/* `count` questions come together (0: no more of them). In zeroed memory. */
void pool_run_start(struct pool_run *run, unsigned count);

/* What a choice needs beside the pool: worker-owned, and the question. */
struct pool_choice {
	struct rng *rng;
	uint32_t *turn;       /* round robin: counts up */
	struct pool_run *run; /* NULL: each on its own */
	uint32_t name_hash;   /* pool_name_hash of the lower-case name */
	int64_t now_us;       /* monotonic */
	unsigned tried_count;
	uint16_t tried[POOL_TRIED]; /* server ids not to take */
};

/* Build the ring of POOL_CONSISTENT_HASH. -ENOMEM. */
int pool_build_ring(struct pool *pool, struct arena *arena) MUST_CHECK;
/* The same on every node and after every restart, so that a name goes to the
 * same backend whoever forwards it. */
uint32_t pool_name_hash(const uint8_t *name, uint8_t len);
/* Index of the chosen member, or -1: none that may be asked. */
int pool_choose(const struct pool *pool, const struct pool_choice *choice);
/* A query goes to this member: it counts towards its limit, if there is one,
 * whatever the policy. */
void pool_spend(const struct pool_member *member, int64_t now_us);
/* Has every member that may be asked been tried? */
bool pool_is_exhausted(
	const struct pool *pool, const struct pool_choice *choice);
/* Are all that were tried out of order by now? Then asking another is no
 * extra load. False when none was tried. */
bool pool_is_condemned(
	const struct pool *pool, const struct pool_choice *choice);
/* Is a member fit (or to be tried)? */
bool pool_is_usable(const struct pool *pool);
/* Has a member become fit at or after this time? */
bool pool_is_revived(const struct pool *pool, struct mtime since);
unsigned pool_count_fit(const struct pool *pool);
const char *pool_policy_name(enum pool_policy policy);

#endif
