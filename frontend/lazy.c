/* SPDX-License-Identifier: ISC */
/* The ring of results, and its sum. */

#include "frontend/lazy.h"

static void add(struct lazy *lazy, bool failed)
{
	bool *slot = &lazy->failed[lazy->at];

	if (lazy->count == LAZY_RESULTS)
		lazy->failures -= *slot;
	else
		lazy->count++;
	*slot = failed;
	lazy->failures += failed;
	lazy->at = (lazy->at + 1) % LAZY_RESULTS;
}

void lazy_add(struct lazy *lazy, const struct health_sample *sample)
{
	uint64_t bad =
		(uint64_t)sample->failures + sample->timeouts + sample->errors;
	uint64_t all = bad + sample->answers - sample->failures;

	if (all > LAZY_RESULTS) {
		bad = (bad * LAZY_RESULTS + all / 2) / all;
		all = LAZY_RESULTS;
	}
	for (uint64_t i = 0; i < all; i++)
		add(lazy, i < bad);
	lazy->suspect |= lazy->failures > 0 &&
			 lazy->failures * 100 >= lazy->count * LAZY_PERCENT;
}

void lazy_clear(struct lazy *lazy)
{
	memset(lazy, 0, sizeof(*lazy));
}
