/* SPDX-License-Identifier: ISC */
#ifndef HA_RESCUE_H
#define HA_RESCUE_H

#include <stdbool.h>
#include <stdint.h>

#include "ha/state.h"

/*
 * The rescue of an address whose master advertises but answers no DNS. Our
 * own nodes find that out themselves; keepalived does not when its check
 * looks at a process that hangs. So a backup asks the service address, and
 * when nothing comes back it leads with the highest priority until the other
 * one's own address has answered for a while. This is the judge: no I/O, a
 * virtual clock, one thread.
 */

enum {
	RESCUE_PRIORITY = 254
};

/* Who is to be asked. */
enum rescue_ask {
	RESCUE_ASK_NOBODY,
	RESCUE_ASK_SERVICE, /* the service address, as a client does */
	RESCUE_ASK_MASTER   /* the own address of the one we stand in for */
};

/* What came of a step. */
enum rescue_result {
	RESCUE_NOTHING,
	RESCUE_TAKE,   /* lead from now on */
	RESCUE_BACK,   /* the other one answers: lead no more */
	RESCUE_OVER,   /* lead no more, since somebody else does, or leave */
	RESCUE_SILENT, /* no answer, and not for us to take: an alarm */
	RESCUE_ANSWERS /* that is over */
};

struct rescue_input {
	enum state_role role;
	bool fit;  /* could serve in the master's place; as backup */
	bool ours; /* the master is a peer of ours, which looks after itself */
	uint8_t priority;               /* of the master */
	uint8_t master[STATE_ADDR_MAX]; /* its own address */
	bool alive; /* it advertised after the last question that failed */
	/* Of whoever `ask` says: the probe failed; it answered, and has not
	 * failed since. */
	bool silent, answers;
};

struct rescue {
	enum rescue_ask ask;
	uint32_t round; /* counts who was to be asked */
	bool leads;
	bool alarm;                     /* SILENT was the result */
	uint8_t master[STATE_ADDR_MAX]; /* of the questions */
	bool known; /* `trusted` has answered at the service address, so that
		       its silence means something */
	uint8_t trusted[STATE_ADDR_MAX];
	int64_t asked_us; /* the service address, since then */
	int64_t clean_us; /* it answers since then; 0 = does not */
	int64_t rise_us;  /* for how long it has to */
	int64_t back_us;  /* it got the role back then; 0 = never */
};

void rescue_init(struct rescue *r);
enum rescue_result rescue_step(
	struct rescue *r, const struct rescue_input *in, int64_t now_us);
/* Does silence of whoever is asked prove anything yet? */
bool rescue_trusts(const struct rescue *r);
/* After a restart: `master` has answered before. */
void rescue_trust(struct rescue *r, const uint8_t master[STATE_ADDR_MAX]);
/* Go on in the place of `master`, after a restart. */
void rescue_resume(struct rescue *r, const uint8_t master[STATE_ADDR_MAX]);

#endif
