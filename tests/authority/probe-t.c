/* SPDX-License-Identifier: ISC */
/* What counts as proof, and an end when nobody answers. */
#include "authority/probe.h"

#include "tests/tap/tap.h"
#include "tests/tap/wire.h"

#include <unistd.h>

static const struct name x_test = {8, "\1x\4test"};

static struct probe_zone wants(uint32_t serial)
{
	return (struct probe_zone){.wire = &x_test, .serial = serial};
}

/* An answer to "x.test SOA" with these flags and this answer section. */
static void judge(const char *flags_counts, const char *rest, bool absent,
	const char *want)
{
	struct probe_zone zone = wants(7);
	struct err err = {.text = ""};
	uint8_t msg[512];
	char text[1024];
	size_t len;
	bool good;

	snprintf(text, sizeof(text), "1234 %s %s", flags_counts, rest);
	len = wire(msg, sizeof(msg), text);
	zone.absent = absent;
	good = probe_judge(&zone, msg, len, &err);
	is_string(good ? "good" : err.text, want, "%s: %s",
		absent ? "absent" : "serial 7", flags_counts);
}

#define QUESTION "<x.test.> 0006 0001 "
#define SOA(serial)                                                            \
	"c00c 0006 0001 0000003c 0018 c00c c00c " serial                       \
	" 00000001 00000001 00000001 00000001"
#define ONE  "0001 0001 0000 0000"
#define NONE "0001 0000 0000 0000"

static void test_judge(void)
{
	judge("8400 " ONE, QUESTION SOA("00000007"), false, "good");
	judge("8400 " ONE, QUESTION SOA("00000008"), false,
		"serial is 8, not 7");
	judge("8000 " ONE, QUESTION SOA("00000007"), false,
		"no SOA in the answer");
	judge("8400 " NONE, QUESTION, false, "no SOA in the answer");
	judge("8405 " NONE, QUESTION, false, "answer is rcode 5");
	judge("8402 " NONE, QUESTION, false, "answer is rcode 2");
	judge("8405 " NONE, QUESTION, true, "good");
	judge("8403 " NONE, QUESTION, true, "good");
	judge("8400 " NONE, QUESTION, true, "good");
	judge("8400 " ONE, QUESTION SOA("00000007"), true, "is still served");
	judge("8400 " ONE, "<y.test.> 0006 0001 " SOA("00000007"), false,
		"answer to another question");
	judge("8400 " ONE, "<x.test.> 0001 0001 " SOA("00000007"), false,
		"answer to another question");
	judge("0400 " ONE, QUESTION SOA("00000007"), false,
		"answer is malformed");
	judge("8400 " ONE, QUESTION "c00c 0006 0001 0000003c 0018 c00c", false,
		"answer is malformed");
	judge("8400 " ONE,
		QUESTION "c00c 0006 0001 0000003c 0017 c00c c00c 00000007"
			 " 00000001 00000001 00000001 000000",
		false, "answer is malformed");
	judge("8400 " ONE,
		QUESTION "<y.test.> 0006 0001 0000003c 0018 c00c c00c 00000007"
			 " 00000001 00000001 00000001 00000001",
		false, "no SOA in the answer");
}

struct outcome {
	bool done;
	char why[ERR_MAX];
};

static struct loop *loop;

static void done(void *arg, const struct err *err)
{
	struct outcome *o = arg;

	o->done = true;
	snprintf(o->why, sizeof(o->why), "%s", err ? err->text : "");
	loop_stop(loop);
}

static union addr dead_end(int *fd)
{
	socklen_t len = sizeof(union addr);
	union addr a;

	if (addr_parse("127.0.0.1", 0, &a) < 0)
		tap_bail("addr_parse");
	*fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (bind(*fd, &a.sa, addr_len(&a)) < 0 ||
		getsockname(*fd, &a.sa, &len) < 0)
		tap_bail("bind");
	return a;
}

static void test_run(void)
{
	struct probe_zone zones[2] = {wants(7), wants(8)};
	struct outcome o = {.done = false};
	struct err err;
	struct histogram rtt = {.sum_us = 0};
	union addr nobody;
	struct probe *probe;
	int fd;

	nobody = dead_end(&fd);
	probe = probe_start(loop, &nobody, zones, 2, 700, &rtt, done, &o, &err);
	ok(probe != NULL, "begins");
	loop_run(loop);
	is_string(o.why, "x.test.: no answer (UDP), and others",
		"nobody answers: ends at its deadline");
	o.done = false;
	probe = probe_start(loop, &nobody, zones, 0, 700, NULL, done, &o, &err);
	loop_run(loop);
	ok(o.done && !o.why[0], "nothing to ask is fine");
	o.done = false;
	probe = probe_start(loop, &nobody, zones, 2, 700, NULL, done, &o, &err);
	probe_cancel(probe);
	ok(!o.done, "cancelled");
	close(fd);
	probe = probe_start(loop, &nobody, zones, 1, 100, NULL, done, &o, &err);
	loop_run(loop);
	ok(o.why[0], "a closed port: %s", o.why);
}

int main(void)
{
	loop = loop_new();
	test_judge();
	test_run();
	loop_free(loop);
	return tap_done();
}
