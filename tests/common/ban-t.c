/* SPDX-License-Identifier: ISC */
/* Who is banned, until when, and who makes room. */

#include "common/serve/ban.h"
#include "tests/tap/tap.h"

static struct bans bans;

static struct mtime at(int64_t ms)
{
	return (struct mtime){.us = ms * 1000};
}

int main(void)
{
	uint64_t one = 1ull << 40, same_set = 3 * (uint64_t)BANS << 32;
	unsigned held = 0;

	ok(!bans_hold(&bans, one, at(1)), "nobody is banned");
	bans_add(&bans, one, at(1000));
	ok(bans_hold(&bans, one, at(999)), "one is, until its time");
	ok(!bans_hold(&bans, one, at(1000)), "and no longer");
	ok(!bans_hold(&bans, one + 1, at(1)), "another is not");
	ok(!bans_hold(&bans, 0, at(1)), "nor is one whose hash is 0");
	bans_add(&bans, one, at(3000));
	ok(bans_hold(&bans, one, at(2999)), "again: its time is later");
	for (unsigned i = 0; i < 2 * BAN_WAYS; i++)
		bans_add(&bans, same_set + i, at(5000 + i));
	for (unsigned i = 0; i < BAN_WAYS; i++)
		held += bans_hold(&bans, same_set + BAN_WAYS + i, at(4000));
	is_int(held, BAN_WAYS, "a full set: those that end last are kept");
	ok(!bans_hold(&bans, same_set, at(4000)), "the first made room");
	return tap_done();
}
