/* SPDX-License-Identifier: ISC */
/* Who asks most: counted one by one, by samples, through floods, in time. */

#include "frontend/top.h"

#include "tests/tap/tap.h"

#define WINDOW_MS 60000
#define TURN_MS   20

static const struct hash_key key = {1, 2};
static struct rng rng;
static struct top_row rows[200];
static uint64_t total;

static struct top *fresh(struct mtime now)
{
	struct top *top = top_new(&key);

	if (!top)
		tap_bail("no memory");
	top_turn(top, now, WINDOW_MS, 0, 0);
	return top;
}

static void ask(struct top *top, const char *text)
{
	struct name name;
	uint32_t weight = top_take_query(top, &rng);

	if (name_parse(text, &name) < 0)
		tap_bail("%s", text);
	if (weight > 0)
		top_add_name(top, TOP_NAMES, name.wire, name.len, weight);
}

static int rank(const struct top *top, enum top_kind kind)
{
	const struct top *tops[] = {top};

	return top_rank(tops, 1, kind, rows, countof(rows), &total);
}

static bool row_is(int i, const char *text, uint64_t count)
{
	char name[NAME_MAX_TEXT];

	(void)name_print(&rows[i].name, name);
	if (strcmp(name, text) == 0 && rows[i].count == count)
		return true;
	tap_diag("%s: %llu", name, (unsigned long long)rows[i].count);
	return false;
}

static void test_exact(void)
{
	struct mtime now = {.us = 1000000};
	struct top *top = fresh(now);
	union addr a = {.v4 = {.sin_family = AF_INET}};

	for (int i = 0; i < 60; i++)
		ask(top, i % 6 < 3   ? i & 1 ? "a.test." : "A.Test."
			 : i % 6 < 5 ? "b.test."
				     : "c.test.");
	is_int(rank(top, TOP_NAMES), 3, "three names");
	ok(row_is(0, "a.test.", 30) && row_is(1, "b.test.", 20) &&
			row_is(2, "c.test.", 10),
		"each counted, in any case, the greatest first");
	ok(total == 60 && rows[0].surplus == 0, "all of them");
	for (uint32_t i = 0; i < 10; i++) {
		a.v4.sin_addr.s_addr = htonl(0xc0000200 + i % 3);
		a.v4.sin_port = (uint16_t)i;
		top_add_client(top, &a, 1);
	}
	is_int(rank(top, TOP_CLIENTS), 3, "three clients, whatever their port");
	is_int((long long)rows[0].count, 4, "the first with four");
	top_add_name(top, TOP_SERVFAIL, (const uint8_t *)"\1x", 3,
		top_take_failure(top, &rng));
	ok(rank(top, TOP_SERVFAIL) == 1 && rank(top, TOP_NXDOMAIN) == 0,
		"failures apart");
	top_free(top);
}

static void test_time(void)
{
	struct mtime now = {.us = 1000000};
	struct top *top = fresh(now);

	ask(top, "old.test.");
	now = mtime_add_ms(now, WINDOW_MS);
	top_turn(top, now, WINDOW_MS, 1, 0);
	ask(top, "new.test.");
	is_int(rank(top, TOP_NAMES), 2, "the last window counts too");
	is_int((long long)top_seconds(top, mtime_add_ms(now, 5000)), 65,
		"65 seconds");
	now = mtime_add_ms(now, WINDOW_MS);
	top_turn(top, now, WINDOW_MS, 2, 0);
	ok(rank(top, TOP_NAMES) == 1 && row_is(0, "new.test.", 1),
		"the one before does not");
	top_turn(top, now, 0, 3, 0);
	is_int(top_take_query(top, &rng), 0, "off: nothing is counted");
	top_turn(top, now, WINDOW_MS, 4, 0);
	is_int(rank(top, TOP_NAMES), 0, "on again: from the start");
	is_int(top_take_query(top, &rng), 1, "counted again");
	top_free(top);
}

/* 100000 names asked once do not hide one that is asked by two of a hundred,
 * nor is it counted too low. */
static void test_flood(void)
{
	struct top *top = fresh((struct mtime){.us = 1});
	int asked = 0, n;

	for (int i = 0; i < 100000; i++) {
		char text[32];

		(void)snprintf(text, sizeof(text), "x%d.flood.", i);
		ask(top, i % 50 ? text : "popular.test.");
		asked += i % 50 == 0;
	}
	n = rank(top, TOP_NAMES);
	ok(n > 100 && rows[0].count >= (uint64_t)asked &&
			rows[0].count - rows[0].surplus <= (uint64_t)asked,
		"popular in a flood: %llu, surplus %llu, asked %d",
		(unsigned long long)rows[0].count,
		(unsigned long long)rows[0].surplus, asked);
	ok(row_is(0, "popular.test.", rows[0].count), "it is the first");
	is_int((long long)total, 100000, "of all");
	top_free(top);
}

/* A million a second: a part is counted and stands for all. */
static void test_samples(void)
{
	struct mtime now = {.us = 1};
	struct top *top = fresh(now);
	uint64_t seen = 0, counted = 0;

	for (int turn = 0; turn < 50; turn++) {
		for (int i = 0; i < 20000; i++, seen++) {
			uint32_t weight = top_take_query(top, &rng);

			counted += weight > 0;
			if (weight > 0)
				top_add_name(top, TOP_NAMES,
					(const uint8_t *)(i & 3 ? "\1x"
								: "\1y"),
					3, weight);
		}
		now = mtime_add_ms(now, TURN_MS);
		top_turn(top, now, WINDOW_MS, seen, 0);
	}
	ok(counted < 20000 + 50 * 80, "%llu of a million were looked at",
		(unsigned long long)counted);
	ok(total == 0 && rank(top, TOP_NAMES) == 2 && total > 900000 &&
			total < 1100000,
		"they stand for %llu", (unsigned long long)total);
	ok(rows[0].count > 650000 && rows[0].count < 850000,
		"three of four: %llu", (unsigned long long)rows[0].count);
	top_free(top);
}

static void test_sum(void)
{
	struct top *a = fresh((struct mtime){.us = 1});
	struct top *b = fresh((struct mtime){.us = 1});
	struct top *copy = top_room();
	const struct top *tops[] = {a, copy};

	ask(a, "both.test.");
	ask(a, "one.test.");
	ask(b, "both.test.");
	ask(b, "both.test.");
	top_copy(copy, b);
	is_int(top_rank(tops, 2, TOP_NAMES, rows, 1, &total), 1,
		"no more rows than asked for");
	ok(row_is(0, "both.test.", 3) && total == 4, "two workers added up");
	top_free(a);
	top_free(b);
	top_free(copy);
}

int main(void)
{
	rng_init(&rng);
	test_exact();
	test_time();
	test_flood();
	total = 0;
	test_samples();
	test_sum();
	return tap_done();
}
