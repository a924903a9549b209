/* SPDX-License-Identifier: ISC */
/*
 * Two rings of one-second sums; what leaves the window is subtracted.
 */

#include "frontend/budget.h"

#include "common/base/base.h"

static unsigned advance(struct budget *b, struct mtime now)
{
	int64_t second = now.us / 1000000;

	if (second > b->second + BUDGET_SECONDS)
		b->second = second - BUDGET_SECONDS;
	while (b->second < second) {
		unsigned i = (unsigned)(++b->second % BUDGET_SECONDS);

		b->asked_sum -= b->asked[i];
		b->retried_sum -= b->retried[i];
		b->hedged_sum -= b->hedged[i];
		b->asked[i] = b->retried[i] = b->hedged[i] = 0;
	}
	return (unsigned)(b->second % BUDGET_SECONDS);
}

void budget_asked(struct budget *b, struct mtime now)
{
	b->asked[advance(b, now)]++;
	b->asked_sum++;
}

bool budget_retry(struct budget *b, struct mtime now)
{
	unsigned i = advance(b, now);

	if (b->retried_sum >= BUDGET_FLOOR &&
		(b->retried_sum + b->hedged_sum) * BUDGET_SHARE >= b->asked_sum)
		return false;
	b->retried[i]++;
	b->retried_sum++;
	return true;
}

bool budget_hedge(struct budget *b, struct mtime now)
{
	unsigned i = advance(b, now);

	if (b->hedged_sum * 2 * BUDGET_SHARE >= b->asked_sum ||
		(b->retried_sum + b->hedged_sum) * BUDGET_SHARE >= b->asked_sum)
		return false;
	b->hedged[i]++;
	b->hedged_sum++;
	return true;
}
