/* SPDX-License-Identifier: ISC */
#ifndef AUTHORITY_STAGE_H
#define AUTHORITY_STAGE_H

/* Zones into a new tree, one by one. Runs in the checking process only. */

#include "authority/check.h"
#include "common/base/buf.h"

struct stage {
	const struct check_job *job;
	char folder[TREE_PATH]; /* gen/N.tmp */
	struct text manifest;
	size_t changed;
	size_t added; /* of them: not served before */
	size_t warnings;
	bool fatal; /* the disk, not a zone: no use to go on */
};

int stage_open(struct stage *stage, const struct check_job *job,
	struct err *err) MUST_CHECK;
/* `remove`: the folder too. */
void stage_close(struct stage *stage, bool remove);
int stage_zone(struct stage *stage, const struct auth_zone *zone,
	struct err *err) MUST_CHECK;
/* The zone whose serial is the generation (or the tree's number). */
int stage_health(struct stage *stage, struct err *err) MUST_CHECK;
/* Run one of NSD's checkers; what it says in err when it fails. */
int stage_tool(char *const *argv, struct err *err) MUST_CHECK;

#endif
