/* SPDX-License-Identifier: ISC */
#ifndef TESTS_FRONTEND_RIG_H
#define TESTS_FRONTEND_RIG_H

/*
 * One real worker on loopback between a client and backends that the test
 * plays itself: it takes each question from a backend's socket and says what
 * is answered. Everything bails out when the machinery fails; what is under
 * test is returned.
 */

#include "frontend/config.h"
#include "frontend/worker.h"
#include "tests/frontend/talk.h"

#define RIG_BACKENDS 3    /* r1, r2 of pool rec; a1 of pool auth */
#define RIG_SOON     2000 /* ms: for what must come */
#define RIG_NEVER    120  /* ms: for what must not */

struct rig {
	struct conf *conf;
	struct registry registry;
	struct metrics metrics;
	struct hash_key secret;
	struct policy *policy;
	struct worker *worker;
	int udp[RIG_BACKENDS], tcp[RIG_BACKENDS]; /* listening */
	union addr server;                        /* the worker's */
};

/* `extra`: more lines of YAML at the top level; `rec`: more keys of the pool
 * rec, such as "policy: roundrobin,". */
void rig_start(struct rig *rig, const char *extra, const char *rec);
void rig_stop(struct rig *rig);
/* Change to another configuration while it runs; kept listeners. */
void rig_change(struct rig *rig, const char *extra, const char *rec);
struct server *rig_server(struct rig *rig, int backend);
void rig_fitness(struct rig *rig, int backend, enum server_fitness fitness);
uint64_t rig_stat(struct rig *rig, enum stat_id id);
/* Wait until the counter has this value; false: it has not. */
bool rig_wait_stat(struct rig *rig, enum stat_id id, uint64_t value);

/* A client socket, connected to the worker. */
int rig_udp_client(struct rig *rig);
int rig_tcp_client(struct rig *rig);

/* Connection from the worker at a backend's TCP socket, -1: none. */
int rig_accept(struct rig *rig, int backend, int ms);

/* Ask by UDP at `client`, answer at `backend` if it is asked within RIG_NEVER
 * ms; fills the client's answer. Returns whether the backend was asked; the
 * client's answer must come. */
bool round_trip(struct rig *rig, int client, const struct ask *ask, int backend,
	const struct reply *reply, struct packet *answer);
#endif
