/* SPDX-License-Identifier: ISC */
#ifndef RESOLVER_MASTER_IMPL_H
#define RESOLVER_MASTER_IMPL_H

/* What master.c (the set), process.c (one process) and roll.c (replacing
 * them) share. */

#include "common/base/list.h"
#include "common/base/log.h"
#include "common/ctl/child.h"
#include "resolver/channel.h"
#include "resolver/master.h"
#include "resolver/worker.h"

#define SILENCE_MS 10000 /* then it is killed */
#define WATCH_MS   1000
#define START_MS   15000
#define ANSWER_MS  5000
#define YOUNG_MS   2000
#define DELAY_MIN  100
#define DELAY_MAX  5000

enum state {
	STARTING,
	UP,
	DRAINING,
	DEAD, /* waits for its restart */
};

struct process {
	struct list link; /* of all */
	struct master *master;
	unsigned index;
	enum state state;
	struct child *child;
	struct channel *channel;
	struct worker_start start;
	struct mtime started, heard;
	struct stats stats;
	unsigned asked; /* id of what it has still to do; 0: nothing */
	char name[16];
	char why[ERR_MAX];
};

struct place {
	struct process *now, *next; /* next: while it is replaced */
	struct timer *timer;        /* restart */
	struct master *master;
	unsigned index, young_deaths;
};

/* One thing asked of all workers, or of a trial. */
struct asking {
	master_done done;
	void *arg;
	unsigned id, left;
	bool must; /* who cannot do it is replaced */
	long long count;
	struct err err;
	struct timer *timer;
};

struct roll {
	master_done done;
	void *arg;
	const struct settings *from, *to;
	unsigned at; /* place being replaced */
	bool back;   /* undoing */
	bool active;
	struct err err;
	struct timer *timer;
};

struct master {
	struct loop *loop;
	const struct settings *settings;
	const struct master_events *ev;
	void *arg;
	struct list all;
	struct place places[MASTER_WORKERS];
	unsigned count;
	bool was_ready, stopping;
	struct stats past; /* of processes that are gone */
	unsigned long long restarts;
	struct timer *watch;
	struct asking asking, trial;
	struct process *trial_process;
	struct roll roll;
	unsigned next_id;
};

/* Has it a place, or is it a trial? */
static inline bool is_place(const struct process *p)
{
	return !p->start.trial;
}

/* process.c */

/* Fork it; NULL with a line in err. */
struct process *process_new(struct master *m, unsigned index,
	const struct settings *settings, bool trial,
	struct err *err) MUST_CHECK;
void process_free(struct process *p); /* NULL allowed; ends it */
/* Let it finish its clients' questions and end. */
void process_drain(struct process *p);

/* master.c */

/* This process has done what was asked (error NULL), or never will. */
void asked_done(struct process *p, long long count, const char *error);

/* Worker `after` is up: start the next one, at the first start. */
void master_start_next(struct master *m, unsigned after);
/* The set has changed: when it is whole and nobody drains, have the kernel
 * steer queries to its sockets by name. */
void master_steer(struct master *m);

/* roll.c */

/* The process that is to replace another is up, or could not start. */
void roll_up(struct master *m, struct process *p);
void roll_failed(struct master *m, const char *why);
void roll_late(void *arg); /* loop_cb: struct master */

#endif
