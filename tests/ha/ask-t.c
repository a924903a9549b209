/* SPDX-License-Identifier: ISC */

/* A master that fell silent: when it is asked, and what is made of that. */

#include "ha/ask.h"

#include "tests/tap/tap.h"

enum {
	MS = 1000,
	SEC = 1000 * MS
};

static struct ask a;
static int64_t now;

static enum ask_what step(int64_t heard, int64_t answered)
{
	return ask_step(&a, heard, SEC, answered, now);
}

/* To the next question or verdict, which must be due at `at`. */
static void is_next(int64_t at, int64_t heard, int64_t answered,
	enum ask_what want, const char *what)
{
	is_int(ask_deadline(&a), at, "%s: when", what);
	now = at - 1;
	is_int(step(heard, answered), ASK_NOTHING, "%s: not before", what);
	now = at;
	is_int(step(heard, answered), want, "%s", what);
}

static void start(int64_t heard)
{
	ask_init(&a);
	now = heard;
	is_int(step(heard, 0), ASK_NOTHING, "an advert was heard");
}

static void test_gone(void)
{
	start(5 * SEC);
	is_next(6200 * MS, 5 * SEC, 0, ASK_NOW, "first question");
	is_next(6300 * MS, 5 * SEC, 0, ASK_NOW, "second");
	is_next(6400 * MS, 5 * SEC, 6100 * MS, ASK_NOW,
		"third: what was said before does not count");
	is_next(6500 * MS, 5 * SEC, 0, ASK_GONE, "gone");
	is_int(ask_deadline(&a), INT64_MAX, "said once");
	now += SEC;
	is_int(step(5 * SEC, 0), ASK_NOTHING, "and not again");
	is_int(step(8 * SEC, 0), ASK_NOTHING, "an advert came after all");
	is_int(ask_deadline(&a), 9200 * MS, "all anew");
}

static void test_there(void)
{
	start(5 * SEC);
	is_next(6200 * MS, 5 * SEC, 0, ASK_NOW, "first question");
	is_next(6300 * MS, 5 * SEC, 6201 * MS, ASK_NOTHING, "answered");
	is_int(ask_deadline(&a), INT64_MAX, "nothing more is asked");
	now += SEC;
	is_int(step(5 * SEC, 6201 * MS), ASK_NOTHING, "nor said");
}

/* The thread stood still for seconds: nobody is dead for that. */
static void test_late(void)
{
	start(5 * SEC);
	now = 9 * SEC;
	is_int(step(5 * SEC, 0), ASK_NOW, "late: first question");
	is_int(step(5 * SEC, 0), ASK_NOTHING, "late: the second waits");
	is_int(ask_deadline(&a), 9100 * MS, "late: its time counts from then");
}

static void test_not(void)
{
	ask_init(&a);
	now = 100 * SEC;
	is_int(step(0, 0), ASK_NOTHING, "there was no master");
	is_int(ask_deadline(&a), INT64_MAX, "nothing to wait for");
	is_int(ask_step(&a, 5 * SEC, 100 * MS, 0, now), ASK_NOTHING,
		"short intervals: nothing");
	is_int(ask_deadline(&a), INT64_MAX, "at no time");
}

int main(void)
{
	test_gone();
	test_there();
	test_late();
	test_not();
	return tap_done();
}
