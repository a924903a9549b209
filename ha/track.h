/* SPDX-License-Identifier: ISC */
#ifndef HA_TRACK_H
#define HA_TRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/base.h"

/*
 * Health to priority. The effective priority is a pure function of the base
 * priority and the inputs, computed anew each time and never incremented, so
 * that no order of events and reloads can make it drift. Beside it the two
 * small judges of the inputs: the heartbeat of the served daemon and the
 * probe, both under a virtual clock. No I/O. One thread.
 */

/* What is known of the daemon that serves the address. */
enum track_service {
	TRACK_SERVICE_UNUSED, /* not watched */
	TRACK_SERVICE_OK,
	TRACK_SERVICE_DEGRADED, /* answers, but not everything */
	TRACK_SERVICE_DRAINING, /* wants to leave without loss */
	TRACK_SERVICE_WAITING,  /* never heard of since the start */
	TRACK_SERVICE_FAILED,   /* says so, is silent, or is gone */
	TRACK_SERVICE_HELD,     /* well again, but not yet trusted */
	TRACK_SERVICES,
};

/* How a failure of the served daemon was found out. */
enum track_cause {
	TRACK_CAUSE_NONE,
	TRACK_CAUSE_SILENCE, /* beats did not come */
	TRACK_CAUSE_DEATH,   /* its socket or its process ended */
	TRACK_CAUSE_WORD,    /* it said so itself */
	TRACK_CAUSES,
};

/* What is known of our own peer, by its hellos. */
enum track_peer {
	TRACK_PEER_UNKNOWN, /* never heard one: keepalived, or none */
	TRACK_PEER_FIT,
	TRACK_PEER_FAILED, /* alive, but cannot serve */
	TRACK_PEER_LOST,   /* was heard, is silent now */
};

/* What is known of a node's way to the gateway. */
enum track_gateway {
	TRACK_GATEWAY_UNKNOWN, /* not watched, or not one answer yet */
	TRACK_GATEWAY_GOOD,
	TRACK_GATEWAY_LOST,
};

enum track_fault {
	TRACK_FAULT_NONE,
	TRACK_FAULT_SERVICE, /* give up, unless one is the last */
	TRACK_FAULT_LINK,    /* nothing to serve with */
	TRACK_FAULT_GROUP,   /* another of its sync group has a fault */
};

struct track_input {
	uint8_t base; /* configured priority, 1..255 */
	bool link_up;
	bool has_source; /* an address to send from */
	enum track_service service;
	bool probe_failed;
	bool gateway_lost;
	bool group_failed; /* another of the sync group has a fault */
	bool drain;        /* by the operator */
	bool rescue;       /* stands in for a silent master; rescue.h */
	enum track_peer peer;
	uint8_t peer_base; /* of the peer, when known */
};

/* How much each trouble costs. */
struct track_weights {
	uint8_t degraded; /* default 60 */
	uint8_t gateway;  /* default 120 */
};

struct track_result {
	uint8_t priority; /* 1..254; 255 only when base is 255; counted from
			     254 during a rescue */
	enum track_fault fault;
	bool leaving;  /* priority 1 until the peer has taken over */
	bool last_man; /* failed, but nobody else can serve better */
};

void track_eval(const struct track_input *in, const struct track_weights *w,
	struct track_result *out);

/* The name of a service state: "ok", "failed" ... */
const char *track_service_name(enum track_service service);
const char *track_fault_name(enum track_fault fault);
const char *track_peer_name(enum track_peer peer);
const char *track_gateway_name(enum track_gateway gateway);
const char *track_cause_name(enum track_cause cause);

struct track_beat_conf {
	int64_t period_us; /* between two heartbeats; 50 ms */
	unsigned missed;   /* silent periods until failed; 3 */
	int64_t rise_us;   /* clean time until trusted again; 3 s */
	int64_t rise_max_us;
	int64_t flap_us; /* failures nearer than this double the rise, if it
			    had been trusted between them */
};

/* The judge of the heartbeat. */
struct track_beat {
	bool connected;
	bool seen;    /* ever trusted since start */
	bool trusted; /* since the last failure */
	enum track_service said;
	int64_t last_us;        /* of the last heartbeat */
	int64_t clean_us;       /* healthy since; 0 = not */
	int64_t failed_us;      /* last failure; 0 = none */
	int64_t rise_us;        /* in force now */
	int64_t excused_us;     /* silence since last_us that proves nothing */
	enum track_cause cause; /* of the last failure */
	int64_t silence_us;     /* of the last failure: since the last beat,
				   without what was excused */
};

void track_beat_init(struct track_beat *b, const struct track_beat_conf *conf);
/* A heartbeat with its state. */
void track_beat_heard(struct track_beat *b, const struct track_beat_conf *conf,
	enum track_service said, int64_t now_us);
/* The process or its socket is gone. */
void track_beat_gone(struct track_beat *b, const struct track_beat_conf *conf,
	int64_t now_us);
/* This process itself ran `late_us` too late (a machine that stands still):
 * that time is no silence of the frontend, nor is what went before it, when
 * nobody knows how long the machine stood: one missed beat is left of it. A
 * second at most is excused between two beats, so that a hang is found under
 * any load. */
void track_beat_excuse(struct track_beat *b, const struct track_beat_conf *conf,
	int64_t late_us, int64_t now_us);
/* The state at `now_us`; silence is noticed here. */
enum track_service track_beat_judge(struct track_beat *b,
	const struct track_beat_conf *conf, int64_t now_us);
/* When to judge again at the latest; INT64_MAX = not by time. */
int64_t track_beat_deadline(
	const struct track_beat *b, const struct track_beat_conf *conf);

/* The turns of an ordinary thread of this host: one every TRACK_TURN_US while
 * the machine has time for all. */
enum {
	TRACK_TURN_US = 25 * 1000
};
struct track_turns {
	int64_t beat_us;  /* last heartbeat looked at */
	int64_t since_us; /* when that was seen */
	uint64_t then;    /* turns up to there */
};

/* Did that thread get less than two thirds of its turns since the last
 * heartbeat, so that silence says more about the machine than about the
 * frontend? To be asked each round. */
bool track_starved(struct track_turns *t, const struct track_beat *b,
	uint64_t turns, int64_t now_us);

/* `fall` of the last `of` probes failed: the judge of the probe. */
struct track_probe {
	uint32_t results; /* bit 0 = the newest; 1 = failed */
	bool failed;
};

/* Take one result; fails at `fall` of `of` (<= 32), recovers at `of` good
 * ones. Returns the verdict. */
bool track_probe_result(
	struct track_probe *p, bool good, unsigned fall, unsigned of);

#endif
