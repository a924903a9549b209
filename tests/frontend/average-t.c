/* SPDX-License-Identifier: ISC */
/* Averages over about the last N answers. */

#include "frontend/average.h"

#include "tests/tap/tap.h"

static bool near(double got, double want)
{
	bool good = got > want * 0.99 - 0.01 && got < want * 1.01 + 0.01;

	if (!good)
		tap_diag("%f, not %f", got, want);
	return good;
}

int main(void)
{
	struct average a = {0};

	average_step(&a, 0, 0);
	ok(a.us[0] == 0, "no answers yet");
	average_step(&a, 100, 100000);
	ok(near(a.us[0], 634) && near(a.us[1], 95.2),
		"100 answers of 1000 us: 0.63 of the way, of 1000 a tenth");
	average_step(&a, 100100, 100100000);
	ok(near(a.us[0], 1000) && near(a.us[2], 1000),
		"after 100000 the short ones are there");
	ok(near(a.us[3], 95.2), "the one over a million is not");
	average_step(&a, 100100, 100100000);
	ok(near(a.us[0], 1000), "silence changes nothing");
	average_step(&a, 100200, 100100000 + 100 * 3000);
	ok(near(a.us[0], 2264), "slower ones count at once");
	return tap_done();
}
