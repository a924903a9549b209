/* SPDX-License-Identifier: ISC */
/*
 * Scenario 54: a thousand questions a second, no two alike, two backends, of
 * which one is killed, frozen, or answers SERVFAIL at once; or both do the
 * last. The four run at the same time, each with a frontend of its own. Longer
 * and with more policies: tests/system/frontend-t.sh.
 */

#include "frontend/budget.h"
#include "tests/frontend/scene.h"

#include "common/base/buf.h"
#include "common/dns/code.h"
#include "common/dns/msg.h"
#include "tests/tap/tap.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#define RATE     1000 /* a second */
#define COUNT    2000
#define FAULT_AT 500  /* questions */
#define WAIT_MS  2500 /* for the last answer: a client's patience */
#define AT_ONCE  8    /* after a pause: a kernel's buffer is no test */

struct drill {
	const char *name;
	void (*fault)(struct stub *stub);
	bool all; /* of both */
	struct scene sc;
	pthread_t thread;
	struct mtime fault_at;
	unsigned sent, noerror, servfail, other;
	unsigned after; /* questions at the sick one since the fault */
	unsigned at_other, sent_before;
	uint8_t seen[COUNT];
	struct packet packet;
};

static void freeze(struct stub *stub)
{
	struct script script = *stub_answering();

	script.silent = true;
	stub_set(stub, &script);
}

static void fail(struct stub *stub)
{
	struct script script = *stub_answering();

	script.reply = (struct reply){.rcode = DNS_RCODE_SERVFAIL};
	stub_set(stub, &script);
}

static struct drill drills[] = {
	{.name = "killed", .fault = stub_kill},
	{.name = "frozen", .fault = freeze},
	{.name = "failing", .fault = fail},
	{.name = "all failing", .fault = fail, .all = true},
};

static void send_one(struct drill *d)
{
	char name[40];
	struct ask ask = {.name = name, .id = (uint16_t)d->sent};

	(void)snprintf(name, sizeof(name), "u%u.test", d->sent);
	ask_udp(d->sc.client, &ask);
	d->sent++;
}

static void take_one(struct drill *d)
{
	unsigned id = msg_id(d->packet.data);
	unsigned rcode = msg_rcode(d->packet.data);

	if (id >= COUNT || d->seen[id]++) {
		d->other++;
		return;
	}
	d->noerror += rcode == DNS_RCODE_NOERROR;
	d->servfail += rcode == DNS_RCODE_SERVFAIL;
	d->other += rcode != DNS_RCODE_NOERROR && rcode != DNS_RCODE_SERVFAIL;
}

static void begin_fault(struct drill *d)
{
	(void)stub_asked(&d->sc.stubs[0]);
	(void)stub_asked(&d->sc.stubs[1]);
	d->fault(&d->sc.stubs[0]);
	if (d->all)
		d->fault(&d->sc.stubs[1]);
	d->sent_before = d->sent;
	d->fault_at = mtime_now();
}

static void *run(void *arg)
{
	struct drill *d = arg;
	struct mtime start = mtime_now(), last = start;

	while (d->noerror + d->servfail < COUNT) {
		struct mtime now = mtime_now();
		unsigned due =
			(unsigned)(mtime_sub_us(now, start) * RATE / 1000000);

		if (d->sent < COUNT)
			last = now;
		else if (mtime_sub_us(now, last) > WAIT_MS * 1000)
			break;
		for (unsigned n = 0;
			n < AT_ONCE && d->sent < due && d->sent < COUNT; n++)
			send_one(d);
		if (d->fault_at.us == 0 && d->sent >= FAULT_AT)
			begin_fault(d);
		for (int ms = 1; take_udp(d->sc.client, &d->packet, ms); ms = 0)
			take_one(d);
	}
	d->after = stub_asked(&d->sc.stubs[0]);
	d->at_other = stub_asked(&d->sc.stubs[1]);
	return NULL;
}

static void begin(struct drill *d)
{
	struct script slow = *stub_answering();

	slow.delay_ms = 5;
	scene_start(&d->sc, "retry: {hedge: true}\n",
		"policy: leastOutstanding", "name: probe.test, type: A");
	stub_set(&d->sc.stubs[0], &slow);
	stub_set(&d->sc.stubs[1], &slow);
	if (!scene_wait_state(&d->sc, "r1", "up") ||
		!scene_wait_state(&d->sc, "r2", "up"))
		tap_bail("the backends do not come up");
}

/* There is none: a tenth is asked again, and the few of a quiet time (those
 * on their way to a backend at the fault are not in `sent`). */
static void judge_storm(struct drill *d)
{
	unsigned asked = d->after + d->at_other;
	unsigned sent = d->sent - d->sent_before;

	ok(d->servfail >= sent - 50,
		"54: all failing: the clients see what the backends say: %u",
		d->servfail);
	ok(asked <= sent + d->sent / BUDGET_SHARE + BUDGET_FLOOR + 50,
		"54: all failing: a tenth more questions at most: %u for %u",
		asked, sent);
	ok(scene_stat(&d->sc, "retries_denied_total") > 0,
		"54: all failing: retries denied are counted");
}

static void judge(struct drill *d)
{
	int64_t out_ms =
		mtime_sub_us(stub_last(&d->sc.stubs[0]), d->fault_at) / 1000;

	tap_diag("%s: %u sent, %u NOERROR, %u SERVFAIL, %u more to it, the "
		 "last after %lld ms",
		d->name, d->sent, d->noerror, d->servfail, d->after,
		(long long)out_ms);
	is_int(d->sent, COUNT, "54: %s: all are sent", d->name);
	is_int(d->noerror + d->servfail, COUNT, "54: %s: none is lost",
		d->name);
	is_int(d->other, 0, "54: %s: nothing else comes", d->name);
	if (d->all) {
		judge_storm(d);
	} else if (d->fault == fail) {
		ok(d->servfail * 200 < COUNT,
			"54: failing: fewer than 0.5 %% see SERVFAIL");
		ok(d->after < RATE * 3 / 10,
			"54: failing: out of rotation within the questions of "
			"300 ms");
	} else {
		is_int(d->servfail, 0, "54: %s: none sees SERVFAIL", d->name);
	}
	ok(scene_stat(&d->sc, "forwarded_total") == COUNT,
		"54: %s: each was asked for", d->name);
	scene_stop(&d->sc, "54");
}

int main(void)
{
	for (unsigned i = 0; i < countof(drills); i++)
		begin(&drills[i]);
	for (unsigned i = 0; i < countof(drills); i++)
		if (pthread_create(&drills[i].thread, NULL, run, &drills[i]))
			tap_bail("pthread_create");
	for (unsigned i = 0; i < countof(drills); i++)
		(void)pthread_join(drills[i].thread, NULL);
	for (unsigned i = 0; i < countof(drills); i++)
		judge(&drills[i]);
	return tap_done();
}
