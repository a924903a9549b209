/* SPDX-License-Identifier: ISC */
/* The health datagram, both ends. */

#include "common/ctl/heartbeat.h"

#include "tests/tap/tap.h"

static void test_round_trip(void)
{
	for (int s = HEARTBEAT_OK; s <= HEARTBEAT_FAILED; s++) {
		struct heartbeat hb = {(enum heartbeat_state)s, 4711}, back;
		char text[HEARTBEAT_MAX];
		size_t len = heartbeat_encode(&hb, text);

		ok(heartbeat_decode(text, len, &back) &&
				back.state == hb.state && back.pid == 4711,
			"%s comes back", heartbeat_state_name(hb.state));
	}
}

static void test_golden(void)
{
	struct heartbeat hb = {HEARTBEAT_OK, 1};
	char text[HEARTBEAT_MAX];

	heartbeat_encode(&hb, text);
	is_string(text, "ispdns1 frontend ok 1\n", "wire form");
	hb.pid = 2147483647;
	hb.state = HEARTBEAT_DRAINING;
	ok(heartbeat_encode(&hb, text) < HEARTBEAT_MAX, "longest fits");
}

static void test_bad(void)
{
	static const char *const bad[] = {
		"",
		"ispdns1 frontend ok 1",
		"ispdns1 frontend ok \n",
		"ispdns1 frontend ok -1\n",
		"ispdns1 frontend ok 0\n",
		"ispdns1 frontend ok 12345678901\n",
		"ispdns1 frontend ok 1\n\n",
		"ispdns1 frontend ok 1 \n",
		"ispdns1 frontend fine 1\n",
		"ispdns1 frontend o 1\n",
		"ispdns2 frontend ok 1\n",
		"ispdns1 resolver ok 1\n",
		("ispdns1 frontend ok 1\nispdns1 frontend ok 1\n"
		 "ispdns1 frontend ok 1\n"),
	};
	struct heartbeat hb;

	for (size_t i = 0; i < countof(bad); i++)
		ok(!heartbeat_decode(bad[i], strlen(bad[i]), &hb),
			"refused: bad form %zu", i);
	ok(!heartbeat_decode("ispdns1 frontend ok 1\n\0", 23, &hb),
		"refused: NUL");
}

int main(void)
{
	test_round_trip();
	test_golden();
	test_bad();
	return tap_done();
}
