/* SPDX-License-Identifier: ISC */
#ifndef RESOLVER_ENGINE_H
#define RESOLVER_ENGINE_H

/*
 * libunbound behind one function: resolve a question, get an answer later.
 * The only file that knows the library. All engines of a process
 * must have the same text: the library's TTL limits and log are process
 * globals. Worker's loop only.
 */

#include "common/base/err.h"
#include "common/net/loop.h"
#include "resolver/answer.h"

struct engine;

/* `answer` is the receiver's (free()); never NULL but without memory. Called
 * from the loop at the end of a round, never from engine_resolve. */
typedef void (*engine_done)(void *arg, uint64_t token, struct answer *answer);

/* Make a context from the text and start it. On failure NULL and err: what
 * the library said. */
struct engine *engine_new(struct loop *loop, const char *text, engine_done done,
	void *arg, struct err *err) MUST_CHECK;
/* What is under way is given up, its `done` is not called. Not from `done`. */
void engine_free(struct engine *engine); /* NULL allowed */
/* 0, or negative errno (then `done` is not called for it). */
int engine_resolve(struct engine *engine, const struct question *q,
	uint64_t token) MUST_CHECK;
/* After another engine was freed: the library forgets then where its log
 * goes. */
void engine_log_again(struct engine *engine);
/* Questions that the library works on. */
uint32_t engine_inflight(const struct engine *engine);
/* "1.17.1" */
const char *engine_version(void);
/* A warning for an operator about this version, or NULL. */
const char *engine_version_warning(void);

#endif
