/* SPDX-License-Identifier: ISC */
/*
 * Scenario 45: expired answers are better than none, and fresh ones better
 * than these as soon as there are any.
 */

#include "tests/frontend/scene.h"

#include "common/base/buf.h"
#include "common/dns/code.h"
#include "common/dns/msg.h"
#include "tests/tap/tap.h"

#include <unistd.h>

#define CONFIG                                                                 \
	"retry: {hedge: false, timeout: 100ms, deadline: 300ms}\n"             \
	"cache: {prefetch: false, stale: 2s}\n"
#define CHECK                                                                  \
	"name: probe.test, type: A, interval: 100ms, timeout: 200ms, "         \
	"rise: 1, fall: 2"

static struct scene sc;
static struct mtime start;
static const struct script silent = {.silent = true};

static void set_both(const struct script *script)
{
	stub_set(&sc.stubs[0], script);
	stub_set(&sc.stubs[1], script);
}

static bool is_later(void *arg)
{
	const struct mtime *t = arg;

	return !mtime_before(mtime_now(), *t);
}

/* The passing of time is what is tested here. */
static void wait_until_ms(int64_t ms)
{
	struct mtime t = mtime_add_ms(start, ms);

	if (!tap_wait(is_later, &t, 30000))
		tap_bail("time stands still");
}

static void wait_both(const char *state)
{
	if (!scene_wait_state(&sc, "r1", state) ||
		!scene_wait_state(&sc, "r2", state))
		tap_bail("the backends do not get %s", state);
}

static bool ask(const char *name)
{
	struct ask ask = {.name = name, .payload = 1232};

	return scene_ask(&sc, &ask);
}

static bool is_stale(const char *name)
{
	return ask(name) && scene_rcode(&sc) == 0 &&
	       first_ttl(&sc.answer) == 30 &&
	       ede_of(&sc.answer) == DNS_EDE_STALE_ANSWER;
}

static bool is_fresh(const char *name)
{
	return ask(name) && scene_rcode(&sc) == 0 &&
	       first_ttl(&sc.answer) == 60 && ede_of(&sc.answer) < 0;
}

static void prime(void)
{
	static const char *const names[] = {
		"failure.test", "silence.test", "down.test", "window.test"};
	struct script script = *stub_answering();

	script.reply.ttl_s = 1;
	set_both(&script);
	for (unsigned i = 0; i < countof(names); i++)
		if (!ask(names[i]))
			tap_bail("%s is not answered", names[i]);
}

int main(void)
{
	struct script failing = *stub_answering();

	scene_start(&sc, CONFIG, "policy: firstAvailable", CHECK);
	wait_both("up");
	start = mtime_now();
	prime();
	wait_until_ms(1150);
	failing.reply = (struct reply){.rcode = DNS_RCODE_SERVFAIL};
	set_both(&failing);
	ok(is_stale("failure.test"),
		"45: SERVFAIL of live backends: stale, TTL 30, EDE 3");
	(void)stub_asked(&sc.stubs[0]);
	(void)stub_asked(&sc.stubs[1]);
	ok(is_stale("failure.test") && stub_asked(&sc.stubs[0]) == 0 &&
			stub_asked(&sc.stubs[1]) == 0,
		"45: for a while at once, and no backend is asked");
	set_both(&silent);
	ok(is_stale("silence.test"), "45: silence of live backends: stale");
	wait_both("down");
	ok(is_stale("down.test"), "45: all backends down: stale");
	ok(is_stale("down.test"), "45: and again");
	set_both(stub_answering());
	wait_both("up");
	ok(is_fresh("down.test"), "45: they are back: fresh at once");
	set_both(&silent);
	wait_until_ms(3500);
	ok(ask("window.test") && scene_rcode(&sc) == DNS_RCODE_SERVFAIL,
		"45: past the stale time: SERVFAIL");
	scene_stop(&sc, "45");
	return tap_done();
}
