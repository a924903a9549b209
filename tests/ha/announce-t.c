/* SPDX-License-Identifier: ISC */

/* Announcement frames as keepalived 2.2.7 sends them, and their schedule. */

#include "ha/announce.h"

#include "common/base/digest.h"
#include "tests/tap/tap.h"

enum {
	MS = 1000,
	SEC = 1000000
};

static const uint8_t mac[6] = {2, 0, 0, 0, 0, 0x0a};

static void test_frames(void)
{
	static const uint8_t vip4[4] = {10, 98, 0, 100};
	static const uint8_t vip6[16] = {0xfe, 0x80, [14] = 1};
	uint8_t want[ANNOUNCE_NA_LEN], got[ANNOUNCE_NA_LEN];

	if (!hex_parse("ffffffffffff02000000000a0806"
		       "000108000604000102000000000a0a620064"
		       "ffffffffffff0a620064",
		    want, ANNOUNCE_ARP_LEN))
		tap_bail("bad hex");
	announce_arp_frame(got, mac, vip4);
	is_bytes(got, ANNOUNCE_ARP_LEN, want, ANNOUNCE_ARP_LEN,
		"gratuitous ARP");
	if (!hex_parse("33330000000102000000000a86dd"
		       "6000000000203afffe800000000000000000000000000100"
		       "ff020000000000000000000000000001"
		       "8800559420000000fe800000000000000000000000000100"
		       "020102000000000a",
		    want, ANNOUNCE_NA_LEN))
		tap_bail("bad hex");
	announce_na_frame(got, mac, vip6, false);
	is_bytes(got, ANNOUNCE_NA_LEN, want, ANNOUNCE_NA_LEN,
		"unsolicited neighbour advertisement");
	announce_na_frame(got, mac, vip6, true);
	is_int(got[58], 0xa0, "R and O flags of a router");
}

/* How many announcements until `end`, each taken when it is due. */
static int count_until(struct announce_plan *p, int64_t end)
{
	int count = 0;

	while (p->next_us <= end) {
		if (!announce_due(p, p->next_us))
			tap_bail("due but not due");
		count++;
	}
	return count;
}

static void test_plan(void)
{
	struct announce_plan p = {.next_us = INT64_MAX};
	int64_t t = 1000 * (int64_t)SEC;

	is_int(announce_due(&p, t), false, "a backup announces nothing");
	announce_remind(&p, t);
	is_int(announce_due(&p, t), false, "not even when reminded");
	announce_start(&p, t);
	ok(announce_due(&p, t), "case 76: one at once");
	is_int(p.next_us, t + 50 * MS, "case 76: the next after 50 ms");
	is_int(count_until(&p, t + 10 * SEC), 4, "case 76: 5 in all in 10 s");
	is_int(p.next_us, INT64_MAX, "then no more");
	announce_remind(&p, t + 20 * SEC);
	ok(announce_due(&p, t + 20 * SEC), "a reminder at once");
	for (int i = 0; i < 1000; i++)
		announce_remind(&p, t + 20 * SEC + i);
	is_int(count_until(&p, t + 20 * SEC + 99 * MS), 0,
		"1000 reminders are not 1000 announcements");
	is_int(count_until(&p, t + 21 * SEC), 1, "but one");
	p.refresh_us = 30 * SEC;
	announce_start(&p, t);
	is_int(count_until(&p, t + 65 * SEC), 7, "refreshed every 30 s");
	announce_stop(&p);
	is_int(count_until(&p, t + 1000 * (int64_t)SEC), 0, "stopped");
}

static void test_late(void)
{
	struct announce_plan p = {.next_us = INT64_MAX};

	announce_start(&p, SEC);
	ok(announce_due(&p, SEC + 300 * MS), "late: due");
	is_int(p.next_us, 2 * SEC, "late: the missed ones are not made up for");
}

int main(void)
{
	test_frames();
	test_plan();
	test_late();
	return tap_done();
}
