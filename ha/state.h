/* SPDX-License-Identifier: ISC */
#ifndef HA_STATE_H
#define HA_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/base.h"

/*
 * The state machine of one virtual router (RFC 9568 section 6.4, RFC 3768
 * section 6.4): (state, event, now) -> new state and a set of actions. Pure:
 * it reads no clock and does no I/O, so that a test drives it through hours
 * in microseconds. Times are CLOCK_MONOTONIC microseconds. One thread.
 *
 * Beyond the RFC, each for a loss that was measured without it:
 *  - a master that yields sends one last advertisement, so that the winner
 *    learns that there were two and announces itself again;
 *  - an advertisement of priority 1 comes from a master that wants to leave:
 *    it never holds a backup back, not even without preemption;
 *  - a master that ran late announces itself again, and a backup that ran
 *    late waits one more interval before it believes in silence;
 *  - a router whose service failed takes the address back when nobody else
 *    does (the last one standing), with priority 1.
 */

#define STATE_NEVER    INT64_MAX
#define STATE_ADDR_MAX 16

enum state_role {
	STATE_INIT,
	STATE_BACKUP,
	STATE_MASTER,
	STATE_FAULT
};

/* Why the role changed last. */
enum state_reason {
	STATE_BY_START,
	STATE_BY_RESUME,   /* restarted in time: the role was kept */
	STATE_BY_TIMEOUT,  /* the master fell silent */
	STATE_BY_PRIO0,    /* the master said goodbye */
	STATE_BY_HIGHER,   /* a higher priority was heard */
	STATE_BY_TIE,      /* equal priority, higher address */
	STATE_BY_HANDOVER, /* planned move */
	STATE_BY_LAST_MAN, /* failed, but nobody else serves */
	STATE_BY_HEALTH,   /* the service failed */
	STATE_BY_LINK,     /* interface down or without address */
	STATE_BY_RECOVERY, /* the fault is over */
	STATE_BY_STOP,
	STATE_BY_GROUP,  /* another of the sync group has a fault */
	STATE_BY_RESCUE, /* the master advertises, but its service is silent */
	STATE_REASONS,
};

enum state_event_kind {
	STATE_EV_START,
	STATE_EV_RESUME, /* as START, but go on as master */
	STATE_EV_STOP,
	STATE_EV_TIMER,    /* state_deadline() has come */
	STATE_EV_ADVERT,   /* an accepted advertisement */
	STATE_EV_CONF,     /* *conf changed: priority, interval, flags */
	STATE_EV_FAULT,    /* `hard` says which kind */
	STATE_EV_CLEAR,    /* no fault any more */
	STATE_EV_MOVE,     /* operator: give the role to the peer */
	STATE_EV_TAKE,     /* our peer asks us to take over now */
	STATE_EV_RESCUE,   /* the master is to be relieved; rescue.h */
	STATE_EV_REASSERT, /* the address may have been usurped */
	STATE_EV_SILENT,   /* the master is silent on a second path too (our
			      own peer's hellos, ARP): do not wait for all
			      three */
};

struct state_event {
	enum state_event_kind kind;
	bool hard;  /* FAULT: cannot serve at all (link), else the service */
	bool group; /* FAULT: not ours, but of another of the sync group */
	/* ADVERT: */
	uint8_t priority;
	uint32_t interval_us;
	int64_t at_us; /* when the kernel received it */
	uint8_t src[STATE_ADDR_MAX];
};

/* What is to be done, lowest bit first. */
enum state_action {
	STATE_DO_ADVERT = 1 << 0,   /* send state.advert */
	STATE_DO_PRIO0 = 1 << 1,    /* send priority 0 */
	STATE_DO_HAND = 1 << 2,     /* ask our own peer to take over */
	STATE_DO_ADD = 1 << 3,      /* put the addresses on */
	STATE_DO_ANNOUNCE = 1 << 4, /* gratuitous ARP and NA, full series */
	STATE_DO_REMIND = 1 << 5,   /* the same, once and rate limited */
	STATE_DO_LINGER = 1 << 6,   /* stop owning, go on answering a while */
	STATE_DO_REMOVE = 1 << 7,   /* take the addresses off */
	STATE_DO_NOTIFY = 1 << 8,   /* the role changed */
	/* Remarks, to be counted and shown. */
	STATE_SAW_SPLIT = 1 << 9,  /* two masters: a lower one was heard */
	STATE_SAW_OWNER = 1 << 10, /* somebody says 255 */
	STATE_SAW_CLONE = 1 << 11, /* equal priority and equal address */
	STATE_SAW_LATE = 1 << 12,  /* this master ran late */
	STATE_SAW_GRACE = 1 << 13, /* this backup ran late and waits once */
	STATE_SAW_STAY = 1 << 14,  /* planned move: nobody took over */
	STATE_SAW_WAIT = 1 << 15,  /* silence, but the sync group hears */
};

struct state_conf {
	uint8_t version;  /* 2 or 3 */
	uint8_t family;   /* 4 or 6: length of addresses to compare */
	uint8_t priority; /* effective, 1..255 */
	bool preempt;
	bool leaving;         /* drained: ask the peer with every advert */
	bool wait;            /* no promotion by silence: the sync group hears
				 its master; looked at by TIMER only */
	bool reply_lower;     /* answer a lower priority by an advert at once */
	uint8_t down_adverts; /* missed ones until the master is dead; 3 */
	uint32_t interval_us;
	int64_t preempt_delay_us;
	int64_t startup_delay_us;
	int64_t move_us; /* how long a planned move may take */
	uint8_t self[STATE_ADDR_MAX];
};

struct state {
	enum state_role role;
	enum state_reason reason;
	int64_t since_us; /* of the role */
	int64_t timer_us; /* next advert, or the master is down */
	int64_t armed_us; /* what the timer was counted from */
	bool skewing;     /* the timer runs the skew after a priority 0 */
	bool graced;
	bool hold;          /* moved away by plan: do not preempt back */
	bool lone;          /* master although the service failed */
	bool hard;          /* the fault leaves nothing to serve with */
	int64_t preempt_us; /* preemption allowed from; 0 = not counting */
	int64_t startup_us; /* no promotion before */
	int64_t move_us;    /* planned move ends; 0 = none */
	uint32_t active_us; /* interval of the master */
	int64_t heard_us;   /* last accepted advert; 0 = none yet */
	uint8_t master_priority;
	uint8_t master[STATE_ADDR_MAX];
	uint8_t advert; /* priority of the advert to send now; one who leaves
			   says what it said before */
};

void state_init(struct state *s);

/* Change `s` by the event; returns the set of actions. */
unsigned state_step(struct state *s, const struct state_conf *conf,
	const struct state_event *event, int64_t now_us);

/* When STATE_EV_TIMER is due; STATE_NEVER when nothing is waited for. */
int64_t state_deadline(const struct state *s);

/* The priority to advertise now: 1 while leaving, else conf's. */
uint8_t state_priority(const struct state *s, const struct state_conf *conf);

/* (256 - priority) / 256 of a second (v2) or of the interval (v3). */
int64_t state_skew_us(const struct state_conf *conf, uint32_t active_us);
/* down_adverts intervals and the skew. */
int64_t state_master_down_us(const struct state_conf *conf, uint32_t active_us);

/* "BACKUP"; "timeout". */
const char *state_role_name(enum state_role role);
const char *state_reason_name(enum state_reason reason);

#endif
