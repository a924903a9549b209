/* SPDX-License-Identifier: ISC */
#ifndef TESTS_FRONTEND_SCENE_STUB_H
#define TESTS_FRONTEND_SCENE_STUB_H

/* A backend in a thread of the test that does what a script says, over UDP
 * and TCP. What it answers can be changed at any time. */

#include "common/base/clock.h"
#include "tests/frontend/talk.h"

#include <pthread.h>

#define STUB_CONNS 32
#define STUB_WAITS 4096 /* answers that wait for their time */

/* What a backend does with a question. Probes ask for probe.test or below. */
struct script {
	bool hold;   /* nothing: the test takes questions from the sockets */
	bool silent; /* take them, probes too, and say nothing */
	int delay_ms;
	struct reply reply; /* over UDP, and over TCP unless... */
	const struct reply *tcp;
	struct reply probe;
};

struct stub_answer {
	struct mtime due;
	size_t len;
	union addr to;
	uint8_t msg[160];
};

struct stub {
	int udp, tcp; /* tcp: listening */
	/* under the lock */
	pthread_mutex_t lock;
	struct script script;
	unsigned udp_asked, tcp_asked, connections, probes;
	struct mtime last; /* question (probes apart) */
	struct packet question;
	int conns[STUB_CONNS];
	bool ending, killed;
	/* its thread's */
	pthread_t thread;
	int wake; /* eventfd */
	struct stub_answer *waits;
	unsigned long head, tail;
};

/* UDP and TCP on one free port of `addr`; its port is filled in. */
void stub_bind(union addr *addr, int *udp, int *tcp);
/* It starts with an A record, TTL 60, for every question. */
void stub_open(struct stub *stub, const union addr *addr);
void stub_end(struct stub *stub);
const struct script *stub_answering(void); /* what it starts with */
void stub_set(struct stub *stub, const struct script *script);
/* Questions that came since the last call, probes apart. */
unsigned stub_asked(struct stub *stub);
/* Wait until `count` came since the last call. */
bool stub_wait(struct stub *stub, unsigned count);
/* Close the connections it has accepted; how many. */
unsigned stub_close_conns(struct stub *stub);
/* Close all its sockets, as a process that is killed. */
void stub_kill(struct stub *stub);
struct mtime stub_last(struct stub *stub);

#endif
