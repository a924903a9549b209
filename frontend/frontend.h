/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_FRONTEND_H
#define FRONTEND_FRONTEND_H

/*
 * The whole daemon's state, owned by the main thread, and its operations for
 * common/ctl/daemon.h.
 */

#include "common/ctl/daemon.h"
#include "common/net/http.h"
#include "frontend/average.h"
#include "frontend/beat.h"
#include "frontend/config.h"
#include "frontend/probe.h"
#include "frontend/rate.h"
#include "frontend/worker.h"

struct frontend {
	struct daemon *daemon;
	struct loop *loop;
	struct registry registry;
	struct metrics metrics;
	struct hash_key secret;
	struct cache *cache;
	struct limiter *limiter;
	struct blocks *blocks;
	struct offenders *offenders;
	struct retired *retired;   /* block_verb.c: lists still being read */
	struct timer *block_timer; /* ends blocks, sets automatic ones */
	uint64_t blocks_set, blocks_denied; /* automatic ones */
	char blocks_file[256];              /* "": they are not kept */
	bool blocks_unsaved;
	struct mtime blocks_saved;
	struct policy *policy;
	struct worker *workers[CONFIG_WORKERS_MAX];
	unsigned worker_count;
	struct probes *probes;
	struct beat *beat;
	struct timer *watchdog; /* keeps the heartbeat's state */
	struct timer *linger;   /* between "draining" and the end */
	struct http_server *http;
	struct rates rates;
	struct average average, tcp_average; /* of answers' times */
	struct droplog droplog;
	struct timer *tick; /* samples of drops, averages */
	struct mtime started;
	uint64_t reloads;
	bool draining;
	unsigned stopping; /* workers that still answer */
};

/* The table of main(). */
const struct daemon_ops *frontend_ops(void);

/* What all workers counted for the pool. */
struct worker_pool frontend_pool_sum(
	const struct frontend *fe, const struct pool *pool);

/* change.c: prepare, commit, discard of daemon_ops. */
void frontend_prepare(struct daemon *d, void *state, const struct conf *conf);
bool frontend_commit(struct daemon *d, void *state, void *next);
void frontend_discard(struct daemon *d, void *state, void *next);

/* show.c: the verbs, and what status and stats tell. */
const struct control_command *frontend_commands(void);
void frontend_status(void *state, json_t *out);
void frontend_stats(void *state, json_t *out);

/* show_policy.c: a row for each rule, and their metrics; what show limits
 * tells of misses. */
void frontend_rule_rows(const struct frontend *fe, json_t *rows);
void frontend_miss_limits(const struct frontend *fe, json_t *out);
void frontend_rule_metrics(const struct frontend *fe, struct text *out);

/* block_verb.c: the verb "block", the main thread's part of blocks. */
int frontend_blocks_start(struct frontend *fe) MUST_CHECK;
void frontend_blocks_save(struct frontend *fe); /* into their file */
void frontend_blocks_stop(struct frontend *fe); /* no worker is left */
void frontend_block_verb(
	void *arg, struct control_call *call, const json_t *args);
void frontend_block_metrics(const struct frontend *fe, struct text *out);

/* show_transfer.c: what routes hand on, and how that ended. */
json_t *show_transfers(const struct frontend *fe);
/* show_top.c: ask all workers, then answer the call. `rows` is a number as
 * text, or "". */
void show_top(struct frontend *fe, struct control_call *call, const char *rows);

/* render.c: replies of show as tables. */
bool frontend_render(const char *verb, const json_t *result);

/* page.c: /metrics and /health. */
int frontend_page(void *arg, const char *path, struct text *body);

#endif
