/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_HEALTH_H
#define FRONTEND_HEALTH_H

/*
 * Is a backend fit to be asked? Decided from probes (probe.c), from the
 * answers to real queries (passive ejection) and from the operator's word.
 * Pure: time and samples are handed in.
 */

#include "common/base/base.h"
#include "common/base/clock.h"

/* What the check of a backend asks for: configuration. */
struct health_check {
	uint32_t interval_ms, timeout_ms;
	uint32_t rise, fall;
	bool enabled;
	bool lazy; /* only while real queries go badly: lazy.h */
};

enum health_state {
	HEALTH_UNKNOWN, /* no probe has come back yet */
	HEALTH_UP,
	HEALTH_DOWN,
};

enum health_reason {
	HEALTH_FINE,
	HEALTH_PROBE,     /* probes failed */
	HEALTH_TIMEOUTS,  /* real queries were not answered */
	HEALTH_ERRORS,    /* ICMP, connection refused */
	HEALTH_SERVFAILS, /* far more SERVFAIL than its peers */
};

/* Answers to real queries in some stretch of time. */
struct health_sample {
	uint32_t answers;  /* all, failures included */
	uint32_t failures; /* SERVFAIL and alike */
	uint32_t timeouts, errors;
};

#define HEALTH_TICK_MS 50
#define HEALTH_TICKS   20 /* the window: one second */

struct health {
	enum health_state state;
	uint32_t good, bad; /* probes in a row */
	bool ever_up;
	enum health_reason ejected; /* HEALTH_FINE: not ejected */
	struct mtime ejected_until; /* and until a probe is good again */
	bool probed_since;          /* a good probe since the ejection */
	uint32_t ejections;         /* in short order: doubles the time out */
	struct mtime last_ejected, last_good; /* answer to a real query */
	uint32_t errors_run, timeouts_run; /* without a good answer between */
	struct health_sample ticks[HEALTH_TICKS];
	unsigned tick;
};

void health_init(struct health *h);
/* A probe ended. True when the state changed. */
bool health_probed(struct health *h, const struct health_check *check, bool ok);
/* When to probe next: fast until the first success, when a failure or the
 * first success of one that is down wants to be confirmed; each second while
 * it is down; else each interval. */
uint32_t health_pause_ms(
	const struct health *h, const struct health_check *check);

/* A tick of HEALTH_TICK_MS ended with these real answers. */
void health_tick(
	struct health *h, const struct health_sample *sample, struct mtime now);
/* Sum of the window. */
struct health_sample health_window(const struct health *h);
/*
 * Judge by the window. `peers`: the window of the other usable backends of
 * the pool together; `last`: there is no other usable one (then it is never
 * ejected). True when it was ejected or taken back.
 */
bool health_judge(struct health *h, const struct health_check *check,
	const struct health_sample *peers, bool last, struct mtime now);

static inline bool health_fit(const struct health *h)
{
	return h->state == HEALTH_UP && h->ejected == HEALTH_FINE;
}

/* Did it give a good answer to a real query lately, whatever probes say? */
bool health_answers(const struct health *h, struct mtime now);
const char *health_reason_name(enum health_reason reason);

#endif
