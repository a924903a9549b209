/* SPDX-License-Identifier: ISC */
#ifndef RESOLVER_ENGINES_H
#define RESOLVER_ENGINES_H

/*
 * The library contexts of one worker. The library cannot drop a name from
 * its caches; so a flushed name is asked of a second, fresh context until
 * the first one has surely forgotten it, and a flush of everything replaces
 * the first. Worker's loop only.
 */

#include "resolver/engine.h"
#include "resolver/query.h"

#define ENGINES_FORGOTTEN 64 /* names at a time; more: flush everything */

struct engines;

/* As engine_new. `text` is borrowed as long as the engines live, or until
 * the next engines_set_text. */
struct engines *engines_new(struct loop *loop, const char *text,
	engine_done done, void *arg, struct err *err) MUST_CHECK;
void engines_set_text(struct engines *engines, const char *text);
void engines_free(struct engines *engines); /* NULL allowed */
int engines_resolve(struct engines *engines, const struct question *q,
	uint64_t token) MUST_CHECK;
/* Never answer `name` (or below it, or anything) from what is known now.
 * `keep_ms`: the longest that the library keeps anything. */
int engines_forget(struct engines *engines, enum flush_what what,
	const struct name *name, int64_t keep_ms, struct err *err) MUST_CHECK;

#endif
