/* SPDX-License-Identifier: ISC */
#include "ha/ask.h"

/* An advert that comes after all begins everything anew. */

void ask_init(struct ask *a)
{
	a->heard_us = a->first_us = 0;
	a->next_us = INT64_MAX;
	a->sent = 0;
}

static void begin(struct ask *a, int64_t heard_us, uint32_t interval_us)
{
	ask_init(a);
	a->heard_us = heard_us;
	if (heard_us && interval_us >= ASK_MIN_US)
		a->next_us = heard_us + interval_us + ASK_AFTER_US;
}

enum ask_what ask_step(struct ask *a, int64_t heard_us, uint32_t interval_us,
	int64_t answered_us, int64_t now_us)
{
	if (heard_us != a->heard_us)
		begin(a, heard_us, interval_us);
	if (now_us < a->next_us)
		return ASK_NOTHING;
	a->next_us = INT64_MAX;
	if (a->sent && answered_us >= a->first_us)
		return ASK_NOTHING;
	if (a->sent == ASK_TIMES)
		return ASK_GONE;
	if (a->sent++ == 0)
		a->first_us = now_us;
	/* From now on, not from when it was due: answers take their time. */
	a->next_us = now_us + ASK_GAP_US;
	return ASK_NOW;
}

int64_t ask_deadline(const struct ask *a)
{
	return a->next_us;
}
