/* SPDX-License-Identifier: ISC */
#ifndef MGMT_AGENT_TREE_H
#define MGMT_AGENT_TREE_H

/*
 * The node's generations on disk:
 *
 *	STATE/gen/N/{manifest.json,*.yaml,zones/...}
 *	STATE/current, STATE/previous -> gen/N
 *	STATE/agent/epoch      highest epoch seen
 *	STATE/agent/switching  "NEW OLD PREVIOUS" while a switch is not proven
 *yet
 *
 * A folder gen/N is whole or not there: it is made as gen/N.tmp, synced and
 * renamed. One writer: the agent's link thread.
 */

#include "mgmt/agent/manifest.h"

#define TREE_PATH 1024

struct tree {
	char root[TREE_PATH - 512];
	size_t written; /* files since tree_begin */
};

/* Makes the folders, removes what a crash left half made. */
int tree_open(struct tree *tree, const char *root, struct err *err) MUST_CHECK;
/* Generation that the link ("current", "previous") names; 0: none. */
long long tree_link(const struct tree *tree, const char *link);
/* Path of generation `n` or of a file in it. */
int tree_path(const struct tree *tree, long long n, const char *file,
	char out[TREE_PATH]) MUST_CHECK;
/* Is it whole (has its manifest)? Parses it. -ENOENT. */
int tree_manifest(const struct tree *tree, long long n, struct manifest *out,
	struct err *err) MUST_CHECK;

/* Begin gen/N.tmp, empty. */
int tree_begin(struct tree *tree, long long n, struct err *err) MUST_CHECK;
/* Put `data` there (size and digest are checked first: -EBADMSG). */
int tree_put(struct tree *tree, long long n, const struct manifest_item *item,
	const void *data, size_t len, struct err *err) MUST_CHECK;
/* Hard-link `have` of generation `from`, when its octets are still right;
 * -ENOENT when it cannot be used. */
int tree_share(struct tree *tree, long long n, const struct manifest_item *item,
	long long from, const struct manifest_item *have) MUST_CHECK;
/* Write the manifest, sync all, rename to gen/N (an old gen/N goes). */
int tree_finish(struct tree *tree, long long n, const char *manifest,
	size_t len, struct err *err) MUST_CHECK;
/* Remove gen/N and gen/N.tmp. */
void tree_drop(struct tree *tree, long long n);

/* Note the switch, then previous -> old and current -> n (0: remove). */
int tree_switch(struct tree *tree, long long n, long long old,
	struct err *err) MUST_CHECK;
/* Undo a switch: current -> old (0: remove), previous as it was; the note
 * stays. */
int tree_back(struct tree *tree, long long old, struct err *err) MUST_CHECK;
/* The switch is proven (or undone): forget the note. */
int tree_settled(struct tree *tree, struct err *err) MUST_CHECK;
/* Was a switch cut short? True: *n and *old as noted. */
bool tree_unsettled(const struct tree *tree, long long *n, long long *old);
/* Keep the `keep` newest, current, previous, and those in `used`. */
void tree_prune(
	struct tree *tree, unsigned keep, const long long *used, size_t count);

long long tree_epoch(const struct tree *tree);
int tree_set_epoch(
	struct tree *tree, long long epoch, struct err *err) MUST_CHECK;

#endif
