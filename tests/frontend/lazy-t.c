/* SPDX-License-Identifier: ISC */
/* When probes begin: a fifth of the last hundred. */

#include "frontend/lazy.h"
#include "tests/tap/tap.h"

static void add(struct lazy *lazy, uint32_t good, uint32_t bad)
{
	const struct health_sample sample = {
		.answers = good + bad, .failures = bad};

	lazy_add(lazy, &sample);
}

int main(void)
{
	struct lazy lazy = {.count = 0};
	const struct health_sample silent = {.answers = 80, .timeouts = 20},
				   refused = {.answers = 80, .errors = 20},
				   many = {.answers = 100000,
					   .failures = 20000},
				   few = {.answers = 100000, .failures = 19000};

	add(&lazy, 0, 0);
	ok(!lazy.suspect, "nothing is no ground");
	add(&lazy, 0, 1);
	ok(lazy.suspect, "one of one is");
	lazy_clear(&lazy);
	ok(!lazy.suspect, "which a good probe takes away");
	add(&lazy, 81, 19);
	ok(!lazy.suspect && lazy.failures == 19, "19 of 100 are not");
	add(&lazy, 0, 1);
	is_int(lazy.failures, 19, "one more, and the oldest one is forgotten");
	add(&lazy, 99, 0);
	is_int(lazy.failures, 1, "as are all before the last hundred");
	add(&lazy, 0, 20);
	ok(lazy.suspect && lazy.failures == 20, "20 of 100 are");
	lazy_clear(&lazy);
	lazy_add(&lazy, &silent);
	ok(lazy.suspect, "so are time-outs");
	lazy_clear(&lazy);
	lazy_add(&lazy, &refused);
	ok(lazy.suspect, "and refused sends");
	lazy_clear(&lazy);
	lazy_add(&lazy, &few);
	ok(!lazy.suspect && lazy.count == 100, "of many their share counts");
	lazy_add(&lazy, &many);
	ok(lazy.suspect && lazy.failures == 20, "likewise");
	return tap_done();
}
