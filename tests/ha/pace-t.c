/* SPDX-License-Identifier: ISC */

/* The shortest safe interval, from how late the thread was. */

#include "ha/pace.h"

#include "tests/tap/tap.h"

static void add(struct histogram *h, unsigned count, uint64_t us)
{
	while (count--)
		histogram_add(h, us);
}

int main(void)
{
	struct histogram h = {0};

	is_int((int)pace_min_us(&h), 0, "nothing is known at the start");
	add(&h, 999, 60);
	is_int((int)pace_min_us(&h), 0, "nor from few samples");
	add(&h, 1, 60);
	is_int((int)pace_min_us(&h), 2000, "100 us: 2 ms");
	add(&h, 1, 400000);
	is_int((int)pace_min_us(&h), 2000, "one of 1001 does not count");
	add(&h, 2, 900);
	is_int((int)pace_min_us(&h), 20000, "three do: 1 ms wants 20 ms");
	add(&h, 1000, 4000);
	is_int((int)pace_min_us(&h), 100000, "half of them: 5 ms, 100 ms");
	return tap_done();
}
