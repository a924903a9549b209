/* SPDX-License-Identifier: ISC */
#ifndef MGMT_AGENT_ROLLOUT_H
#define MGMT_AGENT_ROLLOUT_H

/*
 * One generation on its way on this node: staged (fetched, checked, written,
 * every daemon prepared), then applied (switched, committed, proven) or taken
 * back. What it needs from outside comes through `ops`, so it runs against
 * fakes in tests. Blocking; one thread.
 */

#include "mgmt/agent/tree.h"

#include <jansson.h>

#define ROLLOUT_PARTS 4
#define ROLLOUT_KEEP  5 /* generations on disk */

enum part {
	PART_AUTHORITY,
	PART_RESOLVER,
	PART_FRONTEND,
	PART_HA
};

struct rollout_ops {
	/* The manifest's octets; *text is malloc'ed. */
	int (*manifest)(void *arg, long long generation, char **text,
		size_t *len, struct err *err);
	int (*blob)(void *arg, const struct manifest_item *item, char **data,
		size_t *len, struct err *err);
	/* Ask the daemon of a part; -ENOENT or -ECONNREFUSED: it does not
	 * run. *result may stay NULL. */
	int (*control)(void *arg, enum part part, const char *verb,
		const json_t *args, json_t **result, struct err *err);
	/* The daemon's own --check of a file, when it does not run. */
	int (*check)(
		void *arg, enum part part, const char *file, struct err *err);
	/* All proofs within `ms`. */
	int (*prove)(
		void *arg, const struct manifest *m, int ms, struct err *err);
};

struct rollout {
	struct tree tree;
	const struct rollout_ops *ops;
	void *arg;
	char node[64];
	long long have;   /* proven; 0: none */
	long long staged; /* 0: none */
	char staged_sha[DIGEST_HEX];
	bool touched[ROLLOUT_PARTS]; /* prepared, to be committed */
	bool absent[ROLLOUT_PARTS];  /* changed, but its daemon is not there */
};

/* What became of a call, for the ack. */
enum rollout_result {
	ROLLOUT_OK,
	ROLLOUT_FAILED,      /* nothing was changed */
	ROLLOUT_ROLLED_BACK, /* what was changed is as before */
};

/* Open the tree; a switch that a crash cut short is undone (then *undone is
 * the generation, else 0). */
int rollout_open(struct rollout *r, const char *root, const char *node,
	const struct rollout_ops *ops, void *arg, long long *undone,
	struct err *err) MUST_CHECK;
void rollout_close(struct rollout *r);
/* Fetch and prepare. Doing it again for what is staged already is fine. */
enum rollout_result rollout_stage(struct rollout *r, long long generation,
	const char *sha256, struct err *err);
/* Switch, commit, prove; stages first when needed. */
enum rollout_result rollout_apply(struct rollout *r, long long generation,
	const char *sha256, struct err *err);
void rollout_abort(struct rollout *r, long long generation);
/* -ESTALE when `epoch` is below the highest seen; else remembers it. */
int rollout_epoch(
	struct rollout *r, long long epoch, struct err *err) MUST_CHECK;

const char *part_name(enum part part);
/* PART_... or -1. */
int part_find(const char *name);

#endif
