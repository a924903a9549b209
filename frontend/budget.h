/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_BUDGET_H
#define FRONTEND_BUDGET_H

/*
 * How many questions may be asked again: a tenth of those asked in the last
 * ten seconds, and a few whatever the load is, so that sick backends are not
 * buried under retries. Hedging, which nobody needs, gets half of that at
 * most and none of the few. Pure; one thread.
 */

#include "common/base/clock.h"

#define BUDGET_SECONDS 10
#define BUDGET_FLOOR   200 /* retries in that time that are always allowed */
#define BUDGET_SHARE   10  /* one retry in so many questions */

struct budget {
	int64_t second; /* the newest one */
	uint32_t asked[BUDGET_SECONDS], retried[BUDGET_SECONDS],
		hedged[BUDGET_SECONDS];
	uint64_t asked_sum, retried_sum, hedged_sum;
};

/* In zeroed memory. A question is asked for the first time. */
void budget_asked(struct budget *b, struct mtime now);
/* May one be asked again? Then it is counted. */
bool budget_retry(struct budget *b, struct mtime now);
/* May another be asked although the first is not late? Then it is counted. */
bool budget_hedge(struct budget *b, struct mtime now);

#endif
