/* SPDX-License-Identifier: ISC */
#include "ha/rescue.h"

#include <string.h>

/*
 * One who gets the role back too early takes the service away from everybody
 * until it is found out again. So its own address must answer for a time that
 * doubles with each rescue that follows the last one within an hour; one that
 * never answers there does not get it back until the operator moves it.
 */

enum {
	RISE_S = 3,
	AGAIN_S = 3600, /* and the longest rise */
	NEVER_S = 10,   /* without a first answer: an alarm */
};

static const int64_t sec = 1000 * 1000;

void rescue_init(struct rescue *r)
{
	memset(r, 0, sizeof(*r));
	r->rise_us = RISE_S * sec;
}

static void ask(struct rescue *r, enum rescue_ask whom)
{
	r->ask = whom;
	r->round++;
}

static void lead(struct rescue *r)
{
	r->leads = true;
	r->clean_us = 0;
	ask(r, RESCUE_ASK_MASTER);
}

static enum rescue_result begin(struct rescue *r, int64_t now)
{
	int64_t rise = RISE_S * sec;

	if (r->back_us && now - r->back_us < AGAIN_S * sec)
		rise = 2 * r->rise_us;
	r->rise_us = rise < AGAIN_S * sec ? rise : AGAIN_S * sec;
	r->alarm = false;
	lead(r);
	return RESCUE_TAKE;
}

static enum rescue_result end(
	struct rescue *r, enum rescue_result how, int64_t now)
{
	r->leads = false;
	r->back_us = now;
	ask(r, RESCUE_ASK_NOBODY);
	return how;
}

static enum rescue_result leading(
	struct rescue *r, const struct rescue_input *in, int64_t now)
{
	if (in->role != STATE_MASTER)
		return end(r, RESCUE_OVER, now);
	if (!in->answers)
		r->clean_us = 0;
	else if (!r->clean_us)
		r->clean_us = now;
	if (r->clean_us && now - r->clean_us >= r->rise_us)
		return end(r, RESCUE_BACK, now);
	return RESCUE_NOTHING;
}

static enum rescue_result calm(struct rescue *r)
{
	if (!r->alarm)
		return RESCUE_NOTHING;
	r->alarm = false;
	return RESCUE_ANSWERS;
}

/* Is it the same one that was asked about at the last step? */
static bool goes_on(
	struct rescue *r, const struct rescue_input *in, int64_t now)
{
	bool same = r->ask == RESCUE_ASK_SERVICE &&
		    memcmp(r->master, in->master, sizeof(r->master)) == 0;

	if (same)
		return true;
	memcpy(r->master, in->master, sizeof(r->master));
	ask(r, RESCUE_ASK_SERVICE);
	r->asked_us = now;
	return false;
}

static enum rescue_result alarm(struct rescue *r)
{
	if (r->alarm)
		return RESCUE_NOTHING;
	r->alarm = true;
	return RESCUE_SILENT;
}

/* An access list, or a DNS server that hung before we came: nobody knows, so
 * the operator has to. */
static bool never_answered(
	const struct rescue *r, const struct rescue_input *in, int64_t now)
{
	return !in->ours && !rescue_trusts(r) &&
	       now - r->asked_us >= NEVER_S * sec;
}

static enum rescue_result watching(
	struct rescue *r, const struct rescue_input *in, int64_t now)
{
	if (in->role != STATE_BACKUP || !in->fit) {
		if (r->ask != RESCUE_ASK_NOBODY)
			ask(r, RESCUE_ASK_NOBODY);
		return calm(r);
	}
	if (!goes_on(r, in, now))
		return calm(r);
	if (in->answers) {
		rescue_trust(r, r->master);
		return calm(r);
	}
	if (!in->silent)
		return never_answered(r, in, now) ? alarm(r) : RESCUE_NOTHING;
	if (!in->alive) /* not only its DNS, it seems: VRRP's own matter */
		return RESCUE_NOTHING;
	if (!in->ours && in->priority < RESCUE_PRIORITY)
		return begin(r, now);
	return alarm(r);
}

enum rescue_result rescue_step(
	struct rescue *r, const struct rescue_input *in, int64_t now_us)
{
	return r->leads ? leading(r, in, now_us) : watching(r, in, now_us);
}

bool rescue_trusts(const struct rescue *r)
{
	return r->known &&
	       memcmp(r->trusted, r->master, sizeof(r->trusted)) == 0;
}

void rescue_trust(struct rescue *r, const uint8_t master[STATE_ADDR_MAX])
{
	r->known = true;
	memcpy(r->trusted, master, sizeof(r->trusted));
}

void rescue_resume(struct rescue *r, const uint8_t master[STATE_ADDR_MAX])
{
	memcpy(r->master, master, sizeof(r->master));
	lead(r);
}
