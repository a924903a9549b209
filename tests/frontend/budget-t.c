/* SPDX-License-Identifier: ISC */
/* Retries: some always, then a tenth. */

#include "frontend/budget.h"
#include "tests/tap/tap.h"

static int retries(struct budget *b, struct mtime now, int want)
{
	int n = 0;

	for (int i = 0; i < want; i++)
		n += budget_retry(b, now);
	return n;
}

int main(void)
{
	struct budget b = {0};
	struct mtime t = {.us = 5000000000};
	int hedged = 0;

	is_int(retries(&b, t, 1000), BUDGET_FLOOR, "the floor without load");
	t = mtime_add_ms(t, 11000);
	is_int(retries(&b, t, 1000), BUDGET_FLOOR, "again after the window");
	t = mtime_add_ms(t, 11000);
	for (int s = 0; s < 10; s++, t = mtime_add_ms(t, 1000))
		for (int i = 0; i < 1000; i++)
			budget_asked(&b, t);
	t = mtime_add_ms(t, -1000);
	is_int(retries(&b, t, 5000), 1000, "a tenth of 10000 in ten seconds");
	t = mtime_add_ms(t, 60000);
	is_int(retries(&b, t, 5000), BUDGET_FLOOR, "all is forgotten later");
	for (int i = 0; i < 1000; i++)
		budget_asked(&b, t);
	t = mtime_add_ms(t, 11000);
	ok(!budget_hedge(&b, t), "no hedging without load");
	for (int i = 0; i < 10000; i++)
		budget_asked(&b, t);
	for (int i = 0; i < 1000; i++)
		hedged += budget_hedge(&b, t);
	is_int(hedged, 500, "hedging: a twentieth of 10000");
	is_int(retries(&b, t, 5000), 500, "the rest of the tenth for retries");
	for (int i = 0; i < 10000; i++)
		budget_asked(&b, t);
	is_int(retries(&b, t, 5000), 1000, "which grows with the load");
	return tap_done();
}
