/* SPDX-License-Identifier: ISC */
#ifndef HA_INSTANCE_EVENT_H
#define HA_INSTANCE_EVENT_H

#include <stdint.h>

#include "ha/config.h"

/*
 * What the real-time thread tells the main thread, and that the operator: a
 * plain value that goes through a ring. The main thread keeps the last ones.
 */

/* What an operator is told; the main thread keeps the last. */
enum instance_event_kind {
	INSTANCE_ROLE,         /* role changed: from, to, reason */
	INSTANCE_DISCARD,      /* adverts of `peer` are thrown away: verdict;
				  value = how many since this was told */
	INSTANCE_SPLIT,        /* two masters */
	INSTANCE_OWNER,        /* somebody advertises 255 */
	INSTANCE_CLONE,        /* our own address and priority heard */
	INSTANCE_STAYED,       /* planned move: nobody took over */
	INSTANCE_LATE,         /* ran late and announced again; value = us */
	INSTANCE_ROBBED,       /* an address was taken off by another program */
	INSTANCE_TROUBLE,      /* a system call failed; value = errno */
	INSTANCE_PEER,         /* our own peer was found, failed or lost */
	INSTANCE_CONFLICT,     /* another MAC claims an address; peer[0..5] */
	INSTANCE_GATEWAY,      /* lost (value 1) or back (0) */
	INSTANCE_ADDRS,        /* the master has another address list */
	INSTANCE_ROUTE,        /* anycast: value = metric, 0 = none; reason */
	INSTANCE_ROUTE_ROBBED, /* anycast: as ROBBED */
	INSTANCE_ASYMMETRIC,   /* a master known by hellos only (1); over (0) */
	INSTANCE_WAITS,        /* silence, while the sync group hears (0) or
				  a peer is well by the second path (1) */
	INSTANCE_FOREIGN,      /* a service address that is not ours is on
				  the link (value 1: peer) or gone (0) */
	INSTANCE_FRONTEND,     /* of the node, no name: from and to are of
				  track_service, reason of track_cause, value
				  the silence in us */
	INSTANCE_RESCUE,       /* of `peer`: value is of rescue_result */
	INSTANCE_EVENTS,
};

struct instance_event {
	enum instance_event_kind kind;
	char name[CONFIG_NAME];
	int64_t at_us;
	uint8_t from, to; /* enum state_role */
	uint8_t reason;   /* enum state_reason or packet_verdict */
	uint8_t family;   /* of peer */
	uint8_t priority;
	uint8_t peer[16];
	int64_t value;
	char what[32]; /* TROUBLE: which call */
};

#endif
