/* SPDX-License-Identifier: ISC */
#ifndef AUTHORITY_CHECK_H
#define AUTHORITY_CHECK_H

/*
 * Make the tree of a configuration in a process of its own, with limits:
 * zone text is foreign input. Each zone that is not known to be good is read
 * and checked by our own rules, printed as flat text, and read by the
 * installed nsd-checkzone; the configuration by nsd-checkconf. Nothing that
 * NSD reads now is touched.
 */

#include "authority/config.h"
#include "authority/tree.h"
#include "common/net/loop.h"

struct check_job {
	const struct auth_config *config;
	const struct tree *base;   /* a good tree to link from; may be NULL */
	const struct tree *served; /* for serials; may be NULL */
	long long number;          /* of the tree to make */
	bool verify;               /* read linked files again */
};

/* `tree` is the caller's; NULL with the first problem in err. */
typedef void (*check_done)(void *arg, struct tree *tree, const struct err *err);

/* Copies `job`, but not what it points to: that must live until done. */
int check_start(struct loop *loop, const struct check_job *job, check_done done,
	void *arg, struct err *err) MUST_CHECK;
/* The same, waiting. For start. */
struct tree *check_now(const struct check_job *job, struct err *err) MUST_CHECK;

/* Inside of the process (and for tests): make the tree, print what was found
 * to stdout: "W text", "E text", at last "OK <changed>". 0 or 1. */
int check_entry(void *job);

#endif
