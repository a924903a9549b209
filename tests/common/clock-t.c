/* SPDX-License-Identifier: ISC */
/* Clocks. */

#include "common/base/clock.h"

#include "tests/tap/tap.h"

int main(void)
{
	struct mtime a = mtime_now(), b = mtime_now();
	char text[32];

	ok(a.us > 0 && !mtime_before(b, a), "the clock does not go back");
	mtime_set((struct mtime){5000});
	is_int(mtime_now().us, 5000, "a test sets it");
	is_int(mtime_sub_us(mtime_add_ms(mtime_now(), 3), mtime_now()), 3000,
		"3 ms later");
	mtime_set((struct mtime){-1});
	ok(!mtime_before(mtime_now(), a), "the real clock again");
	ok(wall_now_s() > 1700000000, "wall clock");
	is_string(wall_format(0, text, sizeof(text)),
		"1970-01-01T00:00:00+00:00", "epoch");
	is_string(wall_format(1771063200, text, 26),
		"2026-02-14T10:00:00+00:00", "room of 26 is enough");
	return tap_done();
}
