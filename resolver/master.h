/* SPDX-License-Identifier: ISC */
#ifndef RESOLVER_MASTER_H
#define RESOLVER_MASTER_H

/*
 * The set of worker processes: started, watched, replaced one at a time.
 * Master's loop only.
 */

#include <jansson.h>

#include "common/net/loop.h"
#include "resolver/config.h"
#include "resolver/query.h"
#include "resolver/stats.h"

#define MASTER_WORKERS 256

struct master;

struct master_events {
	/* All workers are up for the first time. */
	void (*ready)(void *arg);
	/* A worker could not start although none has ever been up. */
	void (*failed)(void *arg, const char *why);
	/* The last worker is gone, after master_stop. */
	void (*stopped)(void *arg);
};

/* `settings` is borrowed until a change has ended. */
struct master *master_new(struct loop *loop, const struct settings *settings,
	const struct master_events *ev, void *arg, struct err *err) MUST_CHECK;
void master_free(struct master *master); /* NULL allowed */
void master_stop(struct master *master);

/* `err` has a text when it went wrong; `count`: sum of what they did. */
typedef void (*master_done)(void *arg, long long count, const struct err *err);
/* Try the library with these settings in a process of its own. */
int master_try(struct master *master, const struct settings *settings,
	master_done done, void *arg, struct err *err) MUST_CHECK;
/* Give all workers a configuration that needs no new library; `text` as
 * conf_print makes it. A worker that does not take it is killed and starts
 * anew with it. */
void master_apply(struct master *master, const struct settings *next,
	const char *text, master_done done, void *arg);
/* Replace the workers one at a time: the new one is up before the old one
 * drains. When one cannot start, those replaced go back. */
void master_roll(struct master *master, const struct settings *next,
	master_done done, void *arg);
void master_flush(struct master *master, enum flush_what what, const char *name,
	master_done done, void *arg);

bool master_is_ready(const struct master *master); /* all workers are up */
void master_status(const struct master *master, json_t *out);
/* Sum over all workers that are or were. */
void master_stats(const struct master *master, struct stats *out);
unsigned long long master_restarts(const struct master *master);

#endif
