/* SPDX-License-Identifier: ISC */

/* Anycast decisions under a virtual clock: metric, address, order of steps. */

#include "ha/route.h"

#include "tests/tap/tap.h"

enum {
	SEC = 1000000
};

static const struct route_conf conf = {
	.metric = 100,
	.drain_metric = 1000,
	.drain_us = 5LL * SEC,
	.linger_us = 10LL * SEC,
};

static const struct route_input well = {.service = TRACK_SERVICE_OK};

/* Decide at `s` seconds and check all that follows from it. */
static void at(struct route *r, const struct route_conf *c,
	const struct route_input *in, int64_t us, uint32_t metric, bool address,
	const char *reason)
{
	route_judge(r, c, in, us);
	ok(r->metric == metric && r->address == address &&
			strcmp(route_reason_name(r->reason), reason) == 0,
		"%.1f s: metric %u, address %d, %s", (double)us / SEC, metric,
		address, reason);
	if (r->metric != metric || r->address != address)
		tap_diag("is: metric %u, address %d, %s", r->metric, r->address,
			route_reason_name(r->reason));
}

static void test_health(void)
{
	struct route_input in = {.service = TRACK_SERVICE_WAITING};
	struct route r;

	route_init(&r);
	at(&r, &conf, &in, 0, 0, false, "frontend");
	is_int(route_deadline(&r), INT64_MAX, "nothing to wait for");
	at(&r, &conf, &well, 1LL * SEC, 100, true, "healthy");
	is_int(r.since_us, 1LL * SEC, "since then");
	ok(!route_judge(&r, &conf, &well, 2LL * SEC), "no news");
	in.service = TRACK_SERVICE_DEGRADED;
	at(&r, &conf, &in, 3LL * SEC, 1000, true, "degraded");
	at(&r, &conf, &in, 300LL * SEC, 1000, true, "degraded");
	at(&r, &conf, &well, 303LL * SEC, 100, true, "healthy");
	is_int(route_deadline(&r), INT64_MAX, "at rest");
	in.service = TRACK_SERVICE_FAILED;
	at(&r, &conf, &in, 304LL * SEC, 0, true, "frontend");
	is_int(route_deadline(&r), 314LL * SEC, "lingers");
	ok(route_busy(&r), "and is busy with it");
	at(&r, &conf, &in, 313LL * SEC, 0, true, "frontend");
	at(&r, &conf, &in, 314LL * SEC, 0, false, "frontend");
	ok(!route_busy(&r), "at rest");
	in.service = TRACK_SERVICE_HELD;
	at(&r, &conf, &in, 315LL * SEC, 0, false, "frontend");
	at(&r, &conf, &well, 318LL * SEC, 100, true, "healthy");
}

static const struct route_input poor = {.service = TRACK_SERVICE_DEGRADED};

/* Back to the normal metric only when well for a while. */
static void test_degraded(void)
{
	struct route_input in = {TRACK_SERVICE_OK, .drain = true};
	struct route r;

	route_init(&r);
	at(&r, &conf, &poor, 0, 1000, true, "degraded");
	is_int(route_deadline(&r), INT64_MAX, "a start: nothing to wait for");
	at(&r, &conf, &well, 1, 100, true, "healthy");
	at(&r, &conf, &poor, 1LL * SEC, 1000, true, "degraded");
	at(&r, &conf, &well, 2LL * SEC, 1000, true, "degraded");
	is_int(route_deadline(&r), 4LL * SEC, "3 s from the last time");
	at(&r, &conf, &poor, 3LL * SEC, 1000, true, "degraded");
	at(&r, &conf, &well, 5999999, 1000, true, "degraded");
	at(&r, &conf, &well, 6LL * SEC, 100, true, "healthy");
	at(&r, &conf, &poor, 7LL * SEC, 1000, true, "degraded");
	is_int(route_deadline(&r), 13LL * SEC, "soon again: twice as long");
	at(&r, &conf, &in, 8LL * SEC, 1000, true, "drain");
	at(&r, &conf, &well, 9LL * SEC, 100, true, "healthy");
	at(&r, &conf, &poor, 608LL * SEC, 1000, true, "degraded");
	is_int(route_deadline(&r), 611LL * SEC, "forgiven after 10 minutes");
	in = (struct route_input){.service = TRACK_SERVICE_FAILED};
	at(&r, &conf, &in, 609LL * SEC, 0, true, "frontend");
	at(&r, &conf, &poor, 630LL * SEC, 1000, true, "degraded");
	at(&r, &conf, &well, 632LL * SEC, 1000, true, "degraded");
	at(&r, &conf, &well, 633LL * SEC, 100, true, "healthy");
	for (int i = 0; i < 8; i++) {
		route_judge(&r, &conf, &poor, (700LL + 150 * i) * SEC);
		route_judge(&r, &conf, &well, (700LL + 150 * i + 121) * SEC);
	}
	route_judge(&r, &conf, &poor, 2000LL * SEC);
	is_int(route_deadline(&r), 2120LL * SEC, "the hold has a limit");
}

/* How often the metric changes when health is this and that in turn, as often
 * and as long, and well for `rest` after it. */
static int changes_of(enum track_service bad, int flips, int64_t each_us,
	int64_t rest_us, struct route *r)
{
	int64_t end = flips * each_us + rest_us;
	uint32_t before;
	int n = 0;

	route_init(r);
	route_judge(r, &conf, &well, 0);
	before = r->metric;
	for (int64_t now = 1; now < end; now += 50000) {
		bool up = now / each_us % 2 || now >= flips * each_us;
		struct route_input in = {
			.service = up ? TRACK_SERVICE_OK : bad};

		route_judge(r, &conf, &in, now);
		n += r->metric != before;
		before = r->metric;
	}
	return n;
}

static void test_degraded_flaps(void)
{
	static const int64_t each[] = {
		50000, 200000, 1LL * SEC, 2900000, 4LL * SEC};
	struct route r;

	for (size_t i = 0; i < countof(each); i++) {
		int n = changes_of(
			TRACK_SERVICE_DEGRADED, 20, each[i], 7LL * SEC, &r);

		ok(n >= 2 && n <= 4, "20 flips, one in %.2f s: %d updates",
			(double)each[i] / SEC, n);
		is_int(r.metric, 100, "well in the end");
	}
}

/* While only the probe fails the address stays, to be asked again. */
static void test_probe(void)
{
	struct route_input in = {TRACK_SERVICE_OK, .probe_failed = true};
	struct route r;

	route_init(&r);
	at(&r, &conf, &well, 0, 100, true, "healthy");
	at(&r, &conf, &in, 1LL * SEC, 0, true, "probe");
	at(&r, &conf, &in, 100LL * SEC, 0, true, "probe");
	at(&r, &conf, &well, 101LL * SEC, 100, true, "healthy");
	in.service = TRACK_SERVICE_UNUSED;
	at(&r, &conf, &in, 102LL * SEC, 0, true, "probe");
	in.probe_failed = false;
	at(&r, &conf, &in, 103LL * SEC, 100, true, "healthy");
}

static void test_drain(void)
{
	struct route_input in = {TRACK_SERVICE_OK, .drain = true};
	struct route_input says = {.service = TRACK_SERVICE_DRAINING};
	struct route r;

	route_init(&r);
	at(&r, &conf, &in, 0, 0, false, "drained");
	at(&r, &conf, &well, 1LL * SEC, 100, true, "healthy");
	at(&r, &conf, &in, 2LL * SEC, 1000, true, "drain");
	is_int(route_deadline(&r), 7LL * SEC, "withdraws in 5 s");
	at(&r, &conf, &in, 6900000, 1000, true, "drain");
	at(&r, &conf, &in, 7LL * SEC, 0, true, "drained");
	at(&r, &conf, &in, 17LL * SEC, 0, false, "drained");
	at(&r, &conf, &well, 18LL * SEC, 100, true, "healthy");
	at(&r, &conf, &says, 19LL * SEC, 1000, true, "drain");
	at(&r, &conf, &well, 20LL * SEC, 100, true, "healthy");
	at(&r, &conf, &says, 30LL * SEC, 1000, true, "drain");
	at(&r, &conf, &says, 34LL * SEC, 1000, true, "drain");
	in.service = TRACK_SERVICE_FAILED;
	at(&r, &conf, &in, 34500000, 0, true, "frontend");
	in.service = TRACK_SERVICE_OK;
	at(&r, &conf, &in, 36LL * SEC, 0, true, "drained");
}

static void test_last_man(void)
{
	struct route_conf c = conf;
	struct route_input in = {.service = TRACK_SERVICE_FAILED};
	struct route r;

	c.last_man = true;
	route_init(&r);
	at(&r, &c, &in, 0, 0, false, "frontend");
	at(&r, &c, &well, 1LL * SEC, 100, true, "healthy");
	at(&r, &c, &in, 2LL * SEC, 1000, true, "last_man");
	in.drain = true;
	at(&r, &c, &in, 3LL * SEC, 1000, true, "drain");
	at(&r, &c, &in, 8LL * SEC, 0, true, "drained");
}

static void test_role(void)
{
	struct route_conf c = conf;
	struct route_input in = {.service = TRACK_SERVICE_UNUSED};
	struct route r;

	c.by_role = true;
	route_init(&r);
	at(&r, &c, &in, 0, 0, false, "role");
	in.master = true;
	at(&r, &c, &in, 1LL * SEC, 100, true, "healthy");
	in.drain = true;
	at(&r, &c, &in, 2LL * SEC, 1000, true, "drain");
	at(&r, &c, &in, 60LL * SEC, 1000, true, "drain");
	in.master = false;
	at(&r, &c, &in, 61LL * SEC, 0, true, "role");
}

static void test_change(void)
{
	struct route_conf c = conf;
	struct route_input in = well;
	struct route r;

	route_init(&r);
	route_adopt(&r, &c, 1000);
	ok(r.metric == 1000 && r.address, "adopted while drained");
	route_init(&r);
	route_adopt(&r, &c, 77);
	is_int(r.metric, 100, "adopted with a metric of another time");
	at(&r, &c, &in, 0, 100, true, "healthy");
	c.metric = 50;
	at(&r, &c, &in, 1LL * SEC, 50, true, "healthy");
	in.removed = true;
	at(&r, &c, &in, 2LL * SEC, 0, true, "removed");
	at(&r, &c, &in, 12LL * SEC, 0, false, "removed");
	is_string(route_reason_name(ROUTE_REASONS), "?", "no such reason");
}

/* 20 flips of health are at most 3 updates: the heartbeat's judge holds. */
static void test_flaps(void)
{
	static const struct track_beat_conf bc = {
		50000, 3, 3LL * SEC, 120LL * SEC, 600LL * SEC};
	struct track_beat beat;
	struct route_input in = {.service = TRACK_SERVICE_WAITING};
	struct route r;
	uint32_t before = 0;
	int changes = 0;

	route_init(&r);
	track_beat_init(&beat, &bc);
	for (int64_t now = 1; now < 44LL * SEC; now += 50000) {
		bool up = now / SEC % 2 == 0 || now > 40LL * SEC;

		track_beat_heard(&beat, &bc,
			up ? TRACK_SERVICE_OK : TRACK_SERVICE_FAILED, now);
		in.service = track_beat_judge(&beat, &bc, now);
		route_judge(&r, &conf, &in, now);
		changes += r.metric != before;
		before = r.metric;
	}
	is_int(changes, 3, "20 flips: announced, withdrawn, announced");
	is_int(r.metric, 100, "3 s after the last one");
}

/* --- the order of steps -------------------------------------------------- */

static const char *plan_text(uint32_t metric, bool address, bool del_first,
	const struct route_have *have)
{
	static const char *const names[] = {"+addr", "+%u", "-%u", "-addr"};
	static char out[128];
	struct route_op ops[ROUTE_OPS];
	size_t n = route_plan(metric, address, del_first, have, ops), len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		len += (size_t)snprintf(
			out + len, sizeof(out) - len, i ? " " : "");
		if (ops[i].kind == ROUTE_OP_ADDR_ADD ||
			ops[i].kind == ROUTE_OP_ADDR_DEL)
			len += (size_t)snprintf(out + len, sizeof(out) - len,
				"%s", names[ops[i].kind]);
		else
			len += (size_t)snprintf(out + len, sizeof(out) - len,
				"%c%u", ops[i].kind == ROUTE_OP_ADD ? '+' : '-',
				ops[i].metric);
	}
	return out;
}

static void test_plan(void)
{
	struct route_have none = {.count = 0};
	struct route_have normal = {{100}, 1, true};
	struct route_have both = {{100, 1000}, 2, true};

	is_string(plan_text(100, true, false, &none), "+addr +100", "announce");
	is_string(plan_text(100, true, false, &normal), "", "nothing to do");
	is_string(plan_text(1000, true, false, &normal), "+1000 -100",
		"drain: the new metric first");
	is_string(plan_text(100, true, false, &both), "-1000", "one too many");
	is_string(plan_text(0, true, false, &both), "-100 -1000", "withdraw");
	is_string(plan_text(0, false, false, &normal), "-100 -addr",
		"the route goes before the address");
	is_string(plan_text(1000, true, true, &normal), "-100 +1000",
		"FRR: the old metric first");
	is_string(plan_text(100, true, true, &both), "-100 -1000 +100",
		"FRR: what stays is said again");
	is_string(plan_text(100, true, true, &normal), "", "FRR: nothing");
	is_string(plan_text(0, false, true, &normal), "-100 -addr",
		"FRR: withdraw");
}

/* Every way from anywhere to anywhere ends there, never has a gap when there
 * was a route and is to be one, and never a route without its address. */
static void test_steps(void)
{
	static const uint32_t metrics[] = {0, 50, 100, 1000};
	struct route_have have = {.count = 0};
	int gaps = 0, bare = 0, wrong = 0;
	unsigned seed = 1;

	for (int i = 0; i < 10000; i++) {
		struct route_op ops[ROUTE_OPS];
		uint32_t metric;
		bool had = have.count > 0;
		size_t n, stop;

		seed = seed * 1103515245 + 12345;
		metric = metrics[seed >> 16 & 3];
		n = route_plan(
			metric, metric || seed >> 18 & 1, false, &have, ops);
		stop = seed >> 20 & 1 ? n : (seed >> 21) % (n + 1);
		for (size_t k = 0; k < stop; k++) {
			route_done(&have, &ops[k]);
			gaps += had && metric && have.count == 0;
			bare += have.count > 0 && !have.address;
		}
		if (stop < n) /* a call failed; the next round goes on */
			continue;
		wrong += metric ? have.count != 1 || !route_has(&have, metric)
				: have.count != 0;
	}
	is_int(gaps, 0, "10000 random steps: no gap");
	is_int(bare, 0, "no route without its address");
	is_int(wrong, 0, "each ends where it should");
}

int main(void)
{
	test_health();
	test_degraded();
	test_degraded_flaps();
	test_probe();
	test_drain();
	test_last_man();
	test_role();
	test_change();
	test_flaps();
	test_plan();
	test_steps();
	return tap_done();
}
