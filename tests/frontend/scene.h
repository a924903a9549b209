/* SPDX-License-Identifier: ISC */
#ifndef TESTS_FRONTEND_SCENE_H
#define TESTS_FRONTEND_SCENE_H

/*
 * The black box: the real program in a process of its own, with a client in
 * front of it and backends behind it that do what a script says. Loopback
 * only. What fails in the machinery bails out.
 */

#include "common/base/err.h"
#include "tests/frontend/scene_stub.h"

#include <sys/types.h>

#define SCENE_STUBS 3    /* r1, r2 of pool rec; a1 of pool auth */
#define SCENE_SOON  5000 /* ms: for what must come */
#define SCENE_NEVER 120  /* ms: for what must not */

struct scene {
	char dir[40], control[64];
	pid_t pid;
	union addr server;
	int client; /* UDP, connected */
	struct stub stubs[SCENE_STUBS];
	struct packet answer; /* the last one taken */
	const char *check;    /* of all backends; used at the next reload */
	unsigned qps[SCENE_STUBS]; /* likewise; 0: no limit */
	bool running;
};

/* `extra`: more YAML at the top level; `rec`: more keys of the pool rec, such
 * as "policy: roundrobin,"; `check`: that of all backends, NULL: none is
 * probed. */
void scene_start(
	struct scene *s, const char *extra, const char *rec, const char *check);
/* Descriptors that the next one started may have; 0: any number. */
void scene_limit_files(unsigned count);
/* Does the next one started listen on all addresses? */
void scene_listen_any(bool any);
/* Ends the process; a test line says whether it ended well. */
void scene_stop(struct scene *s, const char *name);
/* Write another configuration and reload; false: it was refused (err). */
bool scene_reload(
	struct scene *s, const char *extra, const char *rec, struct err *err);
/* Is this in its log? */
bool scene_logged(const struct scene *s, const char *text);
/* As the command line: `words` such as "cache flush all". The result (to be
 * freed) as JSON text, NULL when it was refused. */
char *scene_call(struct scene *s, const char *words);
/* A member of the verb stats, such as drops_total{reason="acl"}; 0: none. */
long long scene_stat(struct scene *s, const char *name);
bool scene_wait_stat(struct scene *s, const char *name, long long value);
/* The state of a backend by `show servers`, e.g. "up"; wait for it. */
bool scene_wait_state(struct scene *s, const char *backend, const char *state);

/* A socket connected to the server, from `source` (NULL: any). */
int scene_client(struct scene *s, int type, const char *source);
/* Ask by UDP and wait for the answer (s->answer); false: none came. */
bool scene_ask(struct scene *s, const struct ask *ask);
/* The same by a TCP connection of its own. */
bool scene_ask_tcp(struct scene *s, const struct ask *ask);
unsigned scene_rcode(const struct scene *s);

#endif
