/* SPDX-License-Identifier: ISC */
#ifndef HA_ASK_H
#define HA_ASK_H

#include <stdint.h>

/*
 * Is a master that fell silent still on the link? With adverts every second
 * the RFC's proof of its death takes three to four; but who has the address
 * answers ARP, so when an advert is overdue three questions tell a dead host
 * from one whose adverts are lost. When to ask, and what silence means: pure,
 * under a virtual clock.
 */

enum {
	ASK_MIN_US = 500 * 1000,   /* shorter intervals need no second proof */
	ASK_AFTER_US = 200 * 1000, /* overdue by that */
	ASK_GAP_US = 100 * 1000,
	ASK_TIMES = 3,
};

struct ask {
	int64_t heard_us; /* the advert that none followed */
	int64_t next_us;  /* INT64_MAX = nothing to do */
	int64_t first_us; /* when the first question left */
	unsigned sent;
};

enum ask_what {
	ASK_NOTHING,
	ASK_NOW,  /* send a question */
	ASK_GONE, /* none was answered: said once */
};

void ask_init(struct ask *a);
/* A master of that interval was heard last at `heard_us` (0: there is none to
 * ask about), and ARP of it at `answered_us`. */
enum ask_what ask_step(struct ask *a, int64_t heard_us, uint32_t interval_us,
	int64_t answered_us, int64_t now_us);
/* When to step again; INT64_MAX: not by time. */
int64_t ask_deadline(const struct ask *a);

#endif
