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

static struct announce_links links;

/* A round of one address, on a link of its own. */
static bool due(struct announce_plan *p, int64_t now)
{
	bool is = announce_due(p, now);

	if ((announce_next(p, &links, 1, 1, now) == 0) != is)
		tap_bail("a round without its address");
	if (announce_next(p, &links, 1, 1, now) != -1)
		tap_bail("a round without end");
	return is;
}

/* How many announcements until `end`, each taken when it is due. */
static int count_until(struct announce_plan *p, int64_t end)
{
	int count = 0;

	while (announce_deadline(p) <= end) {
		if (!due(p, announce_deadline(p)))
			tap_bail("due but not due");
		count++;
	}
	return count;
}

static void test_plan(void)
{
	struct announce_plan p = {.next_us = INT64_MAX};
	int64_t t = 1000 * (int64_t)SEC;

	is_int(due(&p, t), false, "a backup announces nothing");
	announce_remind(&p, t);
	is_int(due(&p, t), false, "not even when reminded");
	announce_start(&p, t);
	ok(due(&p, t), "case 76: one at once");
	is_int(p.next_us, t + 50 * MS, "case 76: the next after 50 ms");
	is_int(count_until(&p, t + 10 * SEC), 4, "case 76: 5 in all in 10 s");
	is_int(p.next_us, INT64_MAX, "then no more");
	announce_remind(&p, t + 20 * SEC);
	ok(due(&p, t + 20 * SEC), "a reminder at once");
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

enum {
	MANY = 200
};

struct sent {
	int count, first, order; /* order: how many out of turn */
	int64_t last_us;
};

/* All that may go now. */
static void take(
	struct announce_plan *p, int index, int64_t now, struct sent *sent)
{
	int i;

	(void)announce_due(p, now);
	while ((i = announce_next(p, &links, index, MANY, now)) >= 0) {
		if (sent->count == 0)
			sent->first = i;
		sent->order += i != sent->count % MANY;
		sent->last_us = now;
		sent->count++;
	}
}

static void run_round(struct announce_plan *p, int index, struct sent *sent)
{
	while (sent->count < MANY)
		take(p, index, announce_deadline(p), sent);
}

static void test_many(void)
{
	struct announce_plan a = {.next_us = INT64_MAX}, b = a;
	struct sent sa = {0}, sb = {0};
	int64_t t = 2000 * (int64_t)SEC;

	announce_start(&a, t);
	take(&a, 5, t, &sa);
	is_int(sa.count, ANNOUNCE_BURST, "case 76: 200 addresses: a burst");
	is_int(sa.first, 0, "case 76: the anchor first");
	is_int(announce_deadline(&a), t + ANNOUNCE_GAP_US,
		"case 76: then one by one");
	announce_start(&b, t);
	take(&b, 5, t, &sb);
	ok(sb.count == 1 && sb.first == 0,
		"case 76: another router on the link: its anchor only");
	run_round(&a, 5, &sa);
	is_int(sa.order, 0, "case 76: in their order");
	ok(sa.last_us - t >= (MANY - ANNOUNCE_BURST) * ANNOUNCE_GAP_US &&
			sa.last_us - t <
				(MANY - ANNOUNCE_BURST + 9) * ANNOUNCE_GAP_US,
		"case 76: the last one when the bucket allows: %d us",
		(int)(sa.last_us - t));
	is_int(announce_next(&a, &links, 5, MANY, sa.last_us), -1,
		"case 76: the round has an end");
	announce_start(&b, t);
	sb = (struct sent){0};
	take(&b, 6, t, &sb);
	is_int(sb.count, ANNOUNCE_BURST, "case 76: another link has its own");
	announce_stop(&b);
	is_int(announce_deadline(&b), INT64_MAX,
		"case 76: a router that yields ends its round");
}

static void test_late(void)
{
	struct announce_plan p = {.next_us = INT64_MAX};

	announce_start(&p, SEC);
	ok(due(&p, SEC + 300 * MS), "late: due");
	is_int(p.next_us, 2 * SEC, "late: the missed ones are not made up for");
}

int main(void)
{
	test_frames();
	test_plan();
	test_many();
	test_late();
	return tap_done();
}
