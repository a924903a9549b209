/* SPDX-License-Identifier: ISC */
/*
 * Scenario 59, dynamic blocks: who asks too much is blocked for a while, each
 * action, and who never is.
 */

#include "tests/frontend/scene.h"

#include "common/dns/code.h"
#include "common/dns/msg.h"
#include "tests/tap/tap.h"

#include <stdio.h>
#include <unistd.h>

static struct scene sc;

static bool ask_from(const char *source, int ms)
{
	int fd = scene_client(&sc, SOCK_DGRAM, source);
	bool came;

	ask_udp(fd, &(struct ask){.name = "asked.test", .flags = MSG_RD});
	came = take_udp(fd, &sc.answer, ms);
	close(fd);
	return came;
}

/* 40 questions where 20 a second are allowed. */
static void flood(const char *source)
{
	int fd = scene_client(&sc, SOCK_DGRAM, source);

	for (uint16_t i = 0; i < 40; i++)
		ask_udp(fd, &(struct ask){.name = "asked.test", .id = i});
	for (unsigned i = 0; i < 40; i++)
		if (!take_udp(fd, &sc.answer, SCENE_NEVER))
			break;
	close(fd);
}

static bool is_blocked(const char *source, const char *action)
{
	char *text = scene_call(&sc, "block list"), row[100];
	bool found;

	(void)snprintf(row, sizeof(row),
		"\"target\":\"%s/32\",\"action\":\"%s\",\"reason\":\"rate\"",
		source, action);
	found = text && strstr(text, row);
	free(text);
	return found;
}

struct wanted {
	const char *source, *action;
};

static bool blocked(void *arg)
{
	const struct wanted *w = arg;

	return is_blocked(w->source, w->action);
}

static bool answered(void *arg)
{
	return ask_from(arg, 50);
}

static void act(const char *action)
{
	char extra[200];
	struct err err;

	(void)snprintf(extra, sizeof(extra),
		"dynamic_blocks: {qps: 20, window: 1s, duration: %s, "
		"action: %s, exempt: [127.0.6.0/24]}\n",
		strcmp(action, "drop") == 0 ? "1s" : "1h", action);
	if (!scene_reload(&sc, extra, "", &err))
		tap_bail("%s", err.text);
}

/* Flood, and be blocked. */
static bool offend(const char *source, const char *action)
{
	struct wanted w = {source, action};

	act(action);
	flood(source);
	return tap_wait(blocked, &w, SCENE_SOON);
}

static void test_duration(void)
{
	static char source[] = "127.0.5.1";
	struct mtime since = mtime_now();
	int64_t ms;

	ok(offend(source, "drop"), "59: over the rate: blocked");
	ok(!ask_from(source, SCENE_NEVER), "59: not answered");
	ok(ask_from("127.0.5.2", SCENE_SOON), "59: another one is");
	ok(tap_wait(answered, source, SCENE_SOON), "59: released");
	ms = mtime_sub_us(mtime_now(), since) / 1000;
	ok(ms >= 1000, "59: after its time: %lld ms of 1000", (long long)ms);
	ok(!is_blocked(source, "drop"), "59: and off the list");
	flood("127.0.6.1");
	flood("127.0.6.1");
	ok(offend("127.0.5.3", "drop") && !is_blocked("127.0.6.1", "drop") &&
			ask_from("127.0.6.1", SCENE_SOON),
		"59: one of the excluded range is never blocked");
}

static void test_actions(void)
{
	ok(offend("127.0.5.11", "refuse") &&
			ask_from("127.0.5.11", SCENE_SOON) &&
			scene_rcode(&sc) == DNS_RCODE_REFUSED,
		"59: action refuse: REFUSED");
	ok(offend("127.0.5.12", "nxdomain") &&
			ask_from("127.0.5.12", SCENE_SOON) &&
			scene_rcode(&sc) == DNS_RCODE_NXDOMAIN,
		"59: action nxdomain: NXDOMAIN");
	ok(offend("127.0.5.13", "tc") && ask_from("127.0.5.13", SCENE_SOON) &&
			(msg_flags(sc.answer.data) & MSG_TC),
		"59: action tc: TC");
	ok(offend("127.0.5.14", "log") && ask_from("127.0.5.14", SCENE_SOON) &&
			scene_rcode(&sc) == 0 &&
			msg_count(sc.answer.data, MSG_AN) == 1,
		"59: action log: it is listed, and answered");
	ok(scene_logged(&sc, "source=127.0.5.14/32 reason=rate action=log"),
		"59: and in the log");
}

int main(void)
{
	scene_start(&sc, "", "", NULL);
	test_duration();
	test_actions();
	scene_stop(&sc, "59");
	return tap_done();
}
