/* SPDX-License-Identifier: ISC */
/* The ring between a worker and the main thread; lines in turn and in time. */

#include "frontend/droplog.h"

#include "tests/tap/tap.h"

#include <pthread.h>

static struct metrics counts;
static struct metrics_row *row;
static char line[DROPLOG_LINE];

static void put(struct drop_ring *ring, enum stat_id why, uint16_t type)
{
	struct drop_sample *s = drop_ring_want(ring, why);

	if (!s)
		return;
	memset(s, 0, sizeof(*s));
	s->why = why;
	s->type = type;
	drop_ring_put(ring);
}

static void test_ring(void)
{
	static struct drop_ring ring;
	struct drop_sample s;
	int taken = 0;

	ok(!drop_ring_take(&ring, &s), "empty");
	put(&ring, STAT_DROP_ANY, 1);
	put(&ring, STAT_DROP_ANY, 2);
	put(&ring, STAT_DROP_LIMIT, 3);
	ok(drop_ring_take(&ring, &s) && s.why == STAT_DROP_ANY && s.type == 1,
		"the first of a reason");
	ok(drop_ring_take(&ring, &s) && s.why == STAT_DROP_LIMIT,
		"no second before the next pulse, but another reason");
	ok(!drop_ring_take(&ring, &s), "no more");
	for (int i = 0; i < 100; i++) {
		drop_ring_pulse(&ring);
		put(&ring, STAT_DROP_ANY, (uint16_t)i);
	}
	while (drop_ring_take(&ring, &s))
		taken++;
	is_int(taken, DROPLOG_RING, "a full ring takes no more");
	drop_ring_pulse(&ring);
	put(&ring, STAT_DROP_ANY, 7);
	ok(drop_ring_take(&ring, &s) && s.type == 7, "and goes on");
}

static void *write_many(void *arg)
{
	struct drop_ring *ring = arg;

	for (unsigned i = 1; i <= 200000; i++) {
		struct drop_sample *s;

		drop_ring_pulse(ring);
		s = drop_ring_want(ring, STAT_DROP_ANY);
		if (!s)
			continue;
		s->type = (uint16_t)i;
		s->name.len = (uint8_t)i;
		memset(s->name.wire, (int)i, sizeof(s->name.wire));
		drop_ring_put(ring);
	}
	return NULL;
}

static void test_threads(void)
{
	static struct drop_ring ring;
	struct drop_sample s;
	unsigned torn = 0, taken = 0;
	pthread_t thread;
	bool done = false;

	if (pthread_create(&thread, NULL, write_many, &ring) != 0)
		tap_bail("no thread");
	while (!done || drop_ring_take(&ring, &s)) {
		if (!done && !drop_ring_take(&ring, &s)) {
			done = pthread_tryjoin_np(thread, NULL) == 0;
			continue;
		}
		taken++;
		torn += s.name.len != (uint8_t)s.type ||
			s.name.wire[0] != (uint8_t)s.type ||
			s.name.wire[254] != (uint8_t)s.type;
	}
	ok(taken > 0, "%u samples of another thread", taken);
	is_int(torn, 0, "each whole");
}

static void add(struct droplog *log, enum stat_id why, const char *name)
{
	struct drop_sample s = {.why = why,
		.named = name != NULL,
		.type = 28,
		.client.v4 = {.sin_family = AF_INET,
			.sin_addr.s_addr = htonl(0xc0000207)}};

	metric_add(row, why, 5);
	if (name && name_parse(name, &s.name) < 0)
		tap_bail("%s", name);
	droplog_add(log, &s);
}

static void test_lines(void)
{
	static struct droplog log;
	struct mtime now = {.us = 1000000};
	int lines = 0;

	log.last = now;
	add(&log, STAT_DROP_LIMIT, "a.test.");
	ok(!droplog_line(&log, &counts, now, 1, line), "not at once");
	now = mtime_add_ms(now, 1000);
	add(&log, STAT_DROP_LIMIT, "b\\010.test.");
	ok(droplog_line(&log, &counts, now, 1, line), "a line a second");
	is_string(line,
		"drop: limit: client=192.0.2.7 proto=udp name=b\\010.test. "
		"type=AAAA count=10",
		"why, who, what, how many");
	for (int i = 0; i < 100; i++) {
		now = mtime_add_ms(now, 100);
		add(&log, STAT_DROP_LIMIT, "a.test.");
		add(&log, STAT_DROP_SHORT, NULL);
		lines += droplog_line(&log, &counts, now, 1, line);
	}
	is_int(lines, 10, "ten in ten seconds");
	for (int i = 0; i < 2; i++) {
		bool limit = strstr(line, "drop: limit:") != NULL;

		now = mtime_add_ms(now, 1000);
		add(&log, STAT_DROP_LIMIT, "a.test.");
		add(&log, STAT_DROP_SHORT, NULL);
		ok(droplog_line(&log, &counts, now, 1, line) &&
				(strstr(line, "drop: limit:") != NULL) != limit,
			"the reasons take turns: %s", line);
	}
	now = mtime_add_ms(now, 3600000);
	lines = 0;
	for (int i = 0; i < 20; i++) {
		add(&log, STAT_DROP_LIMIT, "a.test.");
		lines += droplog_line(&log, &counts, now, 5, line);
	}
	is_int(lines, 5, "five a second: no more after an hour of silence");
	now = mtime_add_ms(now, 1000);
	(void)droplog_line(&log, &counts, now, 5, line);
	ok(!droplog_line(&log, &counts, mtime_add_ms(now, 1000), 5, line),
		"nothing new, nothing said");
}

int main(void)
{
	stats_init(&counts);
	row = metrics_row_new(&counts);
	if (!row)
		tap_bail("no memory");
	test_ring();
	test_threads();
	test_lines();
	metrics_fini(&counts);
	return tap_done();
}
