/* SPDX-License-Identifier: ISC */
/*
 * The steps from one tree to another:
 *
 *   switch `current` -> [restart] | [reconfig] -> addzones -> reload ->
 *   delzones -> verify
 *
 * New zones first and deleted ones last, so that no name is without an
 * answer between. A failure of any step turns `from` and `to` round.
 */

#include "authority/apply.h"

#include <errno.h>

#include "authority/nsdconf.h"
#include "authority/probe.h"
#include "common/base/log.h"
#include "common/ctl/file.h"

#define CALL_MS   8000
#define VERIFY_MS 5000

enum step {
	STEP_SWITCH,
	STEP_RESTART,
	STEP_RECONFIG,
	STEP_ADD,
	STEP_RELOAD,
	STEP_DELETE,
	STEP_VERIFY,
	STEP_END
};

struct apply {
	struct apply_job job; /* from and to change places on the way back */
	enum step step;
	bool reconfig, reconfig_again, waiting_up;
	bool hangs;              /* NSD does not answer: go back by a restart */
	bool going_back, forced; /* forced: the way back by a restart */
	struct text add, delete;
	size_t changed;
	struct probe_zone *zones; /* to verify */
	size_t zone_count;
	struct nsd_call *call;
	struct probe *probe;
	struct timer *timer; /* next step, or NSD is not up in time */
	struct err why;      /* of the first failure */
};

static void run(struct apply *a);

static void next_step(struct apply *a)
{
	a->step++;
	run(a);
}

static bool is_hidden(const struct apply *a, const struct tree_zone *zone)
{
	return a->job.hidden &&
	       name_equal(a->job.hidden->wire, zone->wire->wire);
}

static void add_probe(
	struct apply *a, const struct tree_zone *zone, bool absent)
{
	struct probe_zone *p = &a->zones[a->zone_count++];

	p->wire = zone->wire;
	p->absent = absent;
	p->serial = zone->serial;
}

static void note_change(
	void *arg, enum tree_change change, const struct tree_zone *zone)
{
	struct apply *a = arg;

	if (is_hidden(a, zone))
		return;
	if (change == TREE_ADDED && zone->plain)
		nsdconf_bulk_line(zone, true, &a->add);
	if (change == TREE_DELETED && zone->plain)
		nsdconf_bulk_line(zone, false, &a->delete);
	a->changed += change == TREE_CHANGED;
	add_probe(a, zone, change == TREE_DELETED);
}

/* After a restart every zone must be proven, and none be there besides. */
static void note_all(struct apply *a)
{
	for (size_t i = 0; i < a->job.to->count; i++) {
		if (!is_hidden(a, &a->job.to->zones[i]))
			add_probe(a, &a->job.to->zones[i], false);
	}
	for (size_t i = 0; a->job.from && i < a->job.from->count; i++) {
		const struct tree_zone *zone = &a->job.from->zones[i];

		if (!tree_find(a->job.to, zone->wire->wire) &&
			!is_hidden(a, zone))
			add_probe(a, zone, true);
	}
}

/* Do the zones with a clause of their own differ? */
static void note_clauses(
	void *arg, enum tree_change change, const struct tree_zone *zone)
{
	struct apply *a = arg;

	if (!zone->plain && change != TREE_CHANGED)
		a->reconfig = true;
}

static int plan(struct apply *a, struct err *err)
{
	size_t n = a->job.to->count + (a->job.from ? a->job.from->count : 0);

	text_fini(&a->add);
	text_fini(&a->delete);
	a->changed = a->zone_count = 0;
	a->reconfig = a->reconfig_again = false;
	free(a->zones);
	a->zones = calloc(n + 1, sizeof(struct probe_zone));
	if (!a->zones)
		return err_fail(err, -ENOMEM, "out of memory");
	if (!server_is_up(a->job.server))
		a->job.restart = true;
	tree_diff(a->job.from, a->job.to, note_clauses, a);
	if (a->job.restart)
		note_all(a);
	else
		tree_diff(a->job.from, a->job.to, note_change, a);
	return a->add.failed || a->delete.failed
		       ? err_fail(err, -ENOMEM, "out of memory")
		       : 0;
}

void apply_cancel(struct apply *a)
{
	if (!a)
		return;
	nsd_cancel(a->call);
	probe_cancel(a->probe);
	timer_free(a->timer);
	text_fini(&a->add);
	text_fini(&a->delete);
	free(a->zones);
	free(a);
}

static void end(struct apply *a, enum apply_result result)
{
	apply_done done = a->job.done;
	void *arg = a->job.arg;
	struct err why = a->why;

	apply_cancel(a);
	done(arg, result, &why);
}

/* Turn round, the second time by a restart; then it is over. */
static void failed(struct apply *a, const struct err *err)
{
	const struct tree *tree = a->job.from;
	union addr addr = a->job.from_addr;

	a->waiting_up = false;
	timer_clear(a->timer);
	if (!a->why.text[0])
		a->why = *err;
	if (!tree || (a->going_back && a->forced)) {
		if (a->going_back)
			log_error("authority: cannot go back either: %s",
				err->text);
		end(a, APPLY_FAILED);
		return;
	}
	if (a->going_back) {
		log_error("authority: going back failed, restarting NSD: %s",
			err->text);
		a->forced = a->job.restart = true;
	} else {
		log_error(
			"authority: change failed, going back: %s", err->text);
		a->going_back = true;
		a->job.from = a->job.to;
		a->job.from_addr = a->job.to_addr;
		a->job.to = tree;
		a->job.to_addr = addr;
		a->job.restart |= a->hangs;
		a->forced = a->job.restart;
	}
	a->step = STEP_SWITCH;
	timer_set_us(a->timer, 0);
}

static void fail_text(struct apply *a, const char *what, const char *why)
{
	struct err err;

	err_set(&err, "%s: %s", what, why);
	failed(a, &err);
}

static const char *const step_names[] = {
	[STEP_RECONFIG] = "reconfig",
	[STEP_ADD] = "addzones",
	[STEP_RELOAD] = "reload",
	[STEP_DELETE] = "delzones",
};

static void on_reply(void *arg, int rc, const char *reply, size_t len)
{
	struct apply *a = arg;
	char line[200];
	struct err err;

	(void)len;
	a->call = NULL;
	if (rc == 0) {
		if (nsd_bulk_errors(reply, &err) > 0)
			log_warn("authority: NSD: %s: %s", step_names[a->step],
				err.text);
		next_step(a);
		return;
	}
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(reply, "\n"), reply);
	if (rc == -ETIMEDOUT)
		a->hangs = true;
	if (a->step == STEP_RECONFIG && rc == -EREMOTEIO &&
		!a->reconfig_again) {
		/* Its parser can carry an error over from the time before. */
		a->reconfig_again = true;
		run(a);
		return;
	}
	fail_text(a, step_names[a->step],
		rc == -EREMOTEIO ? line : strerror(-rc));
}

static void command(struct apply *a, const char *lines)
{
	struct err err;

	a->call = server_call(a->job.server, step_names[a->step], lines,
		CALL_MS, on_reply, a, &err);
	if (!a->call)
		fail_text(a, step_names[a->step], err.text);
}

static void do_switch(struct apply *a)
{
	struct err err = {.text = ""};

	if (plan(a, &err) < 0 ||
		tree_switch(a->job.state, a->job.to->number, &err) < 0) {
		failed(a, &err);
		return;
	}
	server_set_tree(a->job.server, a->job.to, a->job.hidden);
	a->step = a->job.restart ? STEP_RESTART : STEP_RECONFIG;
	run(a);
}

static void do_restart(struct apply *a)
{
	a->waiting_up = true;
	if (a->job.up_ms > 0)
		timer_set_ms(a->timer, a->job.up_ms);
	server_restart(a->job.server);
}

static void on_probe(void *arg, const struct err *err)
{
	struct apply *a = arg;

	a->probe = NULL;
	if (err)
		fail_text(a, "proof", err->text);
	else
		next_step(a);
}

static void do_verify(struct apply *a)
{
	struct err err;

	a->probe = probe_start(a->job.loop, &a->job.to_addr, a->zones,
		a->zone_count, VERIFY_MS + (int)a->zone_count, a->job.rtt,
		on_probe, a, &err);
	if (!a->probe)
		fail_text(a, "proof", err.text);
}

/* Do the current step, or pass it over. */
static void run(struct apply *a)
{
	switch (a->step) {
	case STEP_SWITCH:
		do_switch(a);
		return;
	case STEP_RESTART:
		do_restart(a);
		return;
	case STEP_RECONFIG:
		if (a->reconfig)
			command(a, NULL);
		else
			next_step(a);
		return;
	case STEP_ADD:
		if (a->add.len > 0)
			command(a, a->add.data);
		else
			next_step(a);
		return;
	case STEP_RELOAD:
		if (a->changed > 0)
			command(a, NULL);
		else
			next_step(a);
		return;
	case STEP_DELETE:
		if (a->delete.len > 0)
			command(a, a->delete.data);
		else
			next_step(a);
		return;
	case STEP_VERIFY:
		do_verify(a);
		return;
	case STEP_END:
		end(a, a->going_back ? APPLY_ROLLED_BACK : APPLY_DONE);
		return;
	}
}

static void on_timer(void *arg)
{
	struct apply *a = arg;

	if (a->waiting_up)
		fail_text(a, "NSD", "did not come up in time");
	else
		run(a);
}

/* NSD died of the change, or beside it: not worth to wait for the proof. */
static void server_died(struct apply *a)
{
	nsd_cancel(a->call);
	probe_cancel(a->probe);
	a->call = NULL;
	a->probe = NULL;
	fail_text(a, "NSD", "died during the change");
}

void apply_server_changed(struct apply *a, bool up)
{
	if (!up) {
		if (!a->waiting_up && a->step != STEP_SWITCH)
			server_died(a);
	} else if (a->waiting_up) {
		a->waiting_up = false;
		timer_clear(a->timer);
		a->step = STEP_VERIFY;
		run(a);
	}
}

void apply_server_failed(struct apply *a)
{
	if (a->waiting_up && a->job.up_ms > 0)
		fail_text(a, "NSD", "does not start; its log says why");
}

struct apply *apply_start(const struct apply_job *job)
{
	struct apply *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->job = *job;
	text_init(&a->add);
	text_init(&a->delete);
	a->timer = timer_new(job->loop, on_timer, a);
	if (!a->timer) {
		free(a);
		return NULL;
	}
	timer_set_us(a->timer, 0);
	return a;
}
