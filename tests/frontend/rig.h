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

struct packet {
	size_t len;
	union addr from;
	uint8_t data[65536];
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

struct ask {
	const char *name;
	uint16_t id, type; /* type 0: A */
	uint16_t class;    /* 0: IN */
	uint16_t flags;
	uint16_t payload; /* 0: no EDNS */
	bool dnssec_ok;
	const char *options; /* hex of EDNS options */
};

size_t ask_make(const struct ask *ask, uint8_t *out, size_t size);
void ask_udp(int fd, const struct ask *ask);
void ask_tcp(int fd, const struct ask *ask);
void send_udp(int fd, const void *data, size_t len);
/* A datagram (or framed message) within `ms`? */
bool take_udp(int fd, struct packet *p, int ms);
bool take_tcp(int fd, struct packet *p, int ms);
/* Has the peer closed within `ms`? */
bool is_closed(int fd, int ms);
/* Connection from the worker at a backend's TCP socket, -1: none. */
int rig_accept(struct rig *rig, int backend, int ms);

struct reply {
	uint16_t flags; /* QR is added */
	unsigned rcode;
	int answers;    /* A records */
	uint32_t ttl_s; /* of them */
	bool soa;       /* in the authority section: TTL 3600 */
	uint32_t minimum_s;
	size_t padding; /* octets of TXT in the answer section */
	bool no_opt;
	const char *options;
	const char *name; /* another question's; NULL: as asked */
	uint16_t type;    /* 0: as asked */
	int id_off;       /* added to the id */
	const char *cookie;
};

size_t reply_make(const struct packet *question, const struct reply *reply,
	uint8_t *out, size_t size);
void reply_udp(
	int fd, const struct packet *question, const struct reply *reply);
void reply_tcp(
	int fd, const struct packet *question, const struct reply *reply);

/* Ask by UDP at `client`, answer at `backend` if it is asked within RIG_NEVER
 * ms; fills the client's answer. Returns whether the backend was asked; the
 * client's answer must come. */
bool round_trip(struct rig *rig, int client, const struct ask *ask, int backend,
	const struct reply *reply, struct packet *answer);
/* TTL of the first record of the answer section. */
uint32_t first_ttl(const struct packet *p);
/* The extended error in the OPT; -1: none. */
int ede_of(const struct packet *p);
bool has_opt(const struct packet *p);

#endif
