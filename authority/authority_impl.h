/* SPDX-License-Identifier: ISC */
#ifndef AUTHORITY_AUTHORITY_IMPL_H
#define AUTHORITY_AUTHORITY_IMPL_H

/* Inside of the daemon: authority.c (its life), verbs.c (what it tells),
 * monitor.c (does NSD still serve what it should?). */

#include "authority/apply.h"
#include "authority/authority.h"
#include "authority/check.h"
#include "authority/probe.h"
#include "authority/stats.h"

struct authority {
	struct daemon *d;
	struct loop *loop;
	struct auth_config *config; /* running */
	struct tree *tree;          /* served, or being brought up */
	char state[TREE_PATH];
	int lock_fd;
	struct server *server;
	struct stats *stats;
	struct apply *apply; /* a change on its way */
	struct next *next;   /* what it brings; NULL: the start */
	struct mtime apply_began;
	bool proven; /* the tree was, and NSD is up */
	bool draining, drain_wanted;
	bool stopping;
	char degraded[ERR_MAX]; /* why something else is served; "" */
	/* monitor.c */
	struct timer *watch_timer;
	struct probe *watch_probe;
	struct nsd_call *watch_call;
	size_t watch_cursor;
	unsigned watch_failures;
};

/* What prepare has made. */
struct next {
	struct auth_config *config;
	struct tree *tree;
};

/* Begin, and end, the regular look at what NSD serves. */
int monitor_open(struct authority *a) MUST_CHECK;
void monitor_close(struct authority *a);
/* A change begins: forget the questions that are out. */
void monitor_pause(struct authority *a);

#endif
