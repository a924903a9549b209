/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_BLOCK_H
#define FRONTEND_BLOCK_H

/*
 * Blocks for a while: sources and suffixes that are not answered until a
 * time, set by a person or by what a source did. One bounded table for all
 * workers; it outlives a reload. The main thread changes it; workers read a
 * list that is never changed once published, by an atomic pointer.
 */

#include "common/dns/suffix.h"
#include "common/net/prefix.h"

#include <stdio.h>

#define BLOCKS_MAX      1024
#define BLOCK_REASON    24
#define BLOCK_LONGEST_S (30 * 86400LL) /* that a person may ask for */

enum block_action { /* order of the words in the configuration */
	BLOCK_DROP,
	BLOCK_REFUSE,
	BLOCK_TC, /* who proves its address (TCP, a DNS cookie) passes */
	BLOCK_NXDOMAIN,
	BLOCK_LOG, /* nothing: it is told and counted only */
	BLOCK_ACTIONS,
};

struct block {
	bool suffix; /* `name` is blocked, else `prefix` */
	bool automatic;
	bool forgeable; /* automatic, for what others may have sent in the
			   name of the source: who proves its address (TCP, a
			   DNS cookie) is not meant */
	enum block_action action;
	char reason[BLOCK_REASON];
	struct prefix prefix;
	struct name name;
	int64_t since_us, until_us; /* monotonic; hits count from the first */
	uint64_t hits;
};

struct blocks;
struct block_list;

/* Main thread. NULL: no memory. */
struct blocks *blocks_new(void) MUST_CHECK;
void blocks_free(struct blocks *blocks); /* NULL allowed; no reader is left */

/*
 * Changes, main thread; workers see them after blocks_publish. Adding what is
 * there already changes its action, reason and time, and keeps its hits; an
 * automatic one never replaces a person's, nor a forgeable one another.
 * -ENOSPC: the table is full, -EEXIST: see above.
 */
int blocks_add(struct blocks *blocks, const struct block *block) MUST_CHECK;
/* As blocks_add, with the hits that it had. */
int blocks_restore(struct blocks *blocks, const struct block *block) MUST_CHECK;
/* False: there is no such block. */
bool blocks_remove(struct blocks *blocks, const struct block *block);
/* Forget those whose time is over; how many. */
size_t blocks_expire(struct blocks *blocks, int64_t now_us);
/* The i-th of the table, false: free. */
bool blocks_get(const struct blocks *blocks, size_t i, struct block *out);
size_t blocks_count(const struct blocks *blocks, bool automatic_only);

/* Give the workers the table as it is now. *old is what they had: to be
 * freed once none of them can still be reading it; NULL when there was none.
 * -ENOMEM: they keep what they have. */
int blocks_publish(struct blocks *blocks, struct block_list **old) MUST_CHECK;
void block_list_free(struct block_list *list); /* NULL allowed */

struct block_found {
	enum block_action action;
	bool automatic, forgeable;
	uint64_t *hits;
};

/* Any thread. Is this source, or this name (NULL: not known), blocked now?
 * `blocks` may be NULL. What is found is not counted: block_hit. */
bool blocks_find_source(struct blocks *blocks, const union addr *client,
	int64_t now_us, struct block_found *out);
bool blocks_find_name(struct blocks *blocks, const uint8_t *name,
	int64_t now_us, struct block_found *out);

static inline void block_hit(const struct block_found *found)
{
	(void)__atomic_fetch_add(found->hits, 1, __ATOMIC_RELAXED);
}

const char *block_action_name(enum block_action action);
/* False: it is none. */
bool block_action_parse(const char *text, enum block_action *action);

#endif
