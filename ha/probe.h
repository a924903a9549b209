/* SPDX-License-Identifier: ISC */
#ifndef HA_PROBE_H
#define HA_PROBE_H

#include "ha/config.h"
#include "ha/poll.h"
#include "ha/track.h"

/*
 * A real DNS question to our own virtual address while we are master: it
 * sees what heartbeats cannot (a packet filter, a closed socket). Any answer
 * to the question is a good one. Until one was answered, silence proves only
 * that nobody lets us ask (an access list), so then only a refused port
 * counts as a failure. A backup asks its master in the same way (rescue.h).
 * Real-time thread; no allocation.
 *
 * Our own address that we cannot send to is a failure. Of another machine it
 * says nothing: what fails then is here (a route, our own address), so such
 * questions count neither way, and each one begins with routing anew.
 */

struct probe {
	struct poll *poll;
	struct poll_item item;
	const struct config_probe *conf;
	union addr to;
	bool afar; /* another machine; set it after probe_init */
	struct track_probe judge;
	bool waiting;  /* for an answer */
	bool proven;   /* answered at least once since probe_start */
	bool believed; /* see probe_believe */
	uint16_t id;
	int64_t asked_us;  /* last question */
	int64_t silent_us; /* last question that failed was asked then */
	int64_t next_us;   /* next question, or give up waiting */
	int64_t held_us;   /* failed until then, although not asked */
	int64_t hold_us;   /* how long the next failure holds */
	int64_t failed_us; /* last failure; 0 = none */
	uint64_t asked, answered;
};

enum {
	PROBE_OF = 3
};

void probe_init(struct probe *p, struct poll *poll);
/* Begin to ask `octets`, on the link `index` when they are link-local; a
 * running one is stopped first. 0 or -errno. */
int probe_start(struct probe *p, const struct config_probe *conf,
	uint8_t family, const uint8_t *octets, int index, int64_t now_us);
/* Go on by another configuration, which asks the same address. False: it does
 * not ask the same port; stop, and start anew. */
bool probe_reconf(struct probe *p, const struct config_probe *conf) MUST_CHECK;
/* After probe_start: the first question is due now, not an interval later. */
void probe_at_once(struct probe *p, int64_t now_us);
/* After probe_start: it is known from before that this one lets us ask, so
 * silence proves something from the beginning. */
void probe_believe(struct probe *p);
void probe_stop(struct probe *p);
bool probe_running(const struct probe *p);
/* The verdict of now, without what is held: it fails; or it has answered
 * since the start and does not fail. */
bool probe_is_silent(const struct probe *p);
bool probe_answers(const struct probe *p);
int64_t probe_deadline(const struct probe *p);
void probe_tick(struct probe *p, int64_t now_us);
/* This process did not run for `late_us`: an answer may still wait. */
void probe_excuse(struct probe *p, int64_t late_us);
/* Failed now, or held after a failure (3 s, doubled for each that follows
 * within 10 minutes, at most 120 s). */
bool probe_failed(const struct probe *p, int64_t now_us);

#endif
