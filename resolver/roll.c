/* SPDX-License-Identifier: ISC */
/*
 * Replacing the workers one at a time: a new process takes the place when it
 * is up, only then does the old one drain, so the place never stands empty.
 * When one cannot start, those replaced so far go back the same way.
 */

#include "resolver/master_impl.h"

#include <signal.h>

static void roll_end(struct master *m)
{
	struct roll *r = &m->roll;
	struct err err = r->err;

	r->active = false;
	timer_clear(r->timer);
	if (!r->back)
		m->settings = r->to;
	r->done(r->arg, 0, &err);
}

/* Drop the places that the new settings do not have. */
static void shrink(struct master *m, unsigned count)
{
	for (unsigned i = count; i < m->count; i++) {
		struct process *p = m->places[i].now;

		m->places[i].now = NULL;
		if (p)
			process_drain(p);
	}
	m->count = count;
}

static void roll_next(struct master *m)
{
	struct roll *r = &m->roll;
	struct place *place = &m->places[r->at];
	struct err err;

	if (r->at >= r->to->workers) {
		shrink(m, r->to->workers);
		roll_end(m);
		return;
	}
	timer_set_ms(r->timer, START_MS);
	place->next = process_new(m, r->at, r->to, false, &err);
	if (!place->next)
		roll_failed(m, err.text);
}

void roll_up(struct master *m, struct process *p)
{
	struct roll *r = &m->roll;
	struct place *place = &m->places[p->index];
	struct process *old = place->now;

	place->now = p;
	place->next = NULL;
	place->young_deaths = 0;
	if (p->index >= m->count)
		m->count = p->index + 1;
	if (old)
		process_drain(old);
	if (!r->active)
		return;
	r->at++;
	roll_next(m);
}

/* Put those that were replaced back to the former settings. */
void roll_failed(struct master *m, const char *why)
{
	struct roll *r = &m->roll;
	unsigned replaced = r->at;

	if (!r->active)
		return;
	if (r->back) { /* nothing left to go back to: restarts will do */
		log_error("master: worker %u cannot go back: %s", r->at, why);
		roll_end(m);
		return;
	}
	err_set(&r->err, "worker %u: %s", r->at, why);
	r->back = true;
	r->to = r->from;
	r->at = 0;
	if (replaced == 0) {
		roll_end(m);
		return;
	}
	roll_next(m);
}

void roll_late(void *arg)
{
	struct master *m = arg;
	struct place *place = &m->places[m->roll.at];

	if (place->next) /* its death ends the roll */
		kill(child_pid(place->next->child), SIGKILL);
}

void master_roll(struct master *m, const struct settings *next,
	master_done done, void *arg)
{
	struct roll *r = &m->roll;

	r->done = done;
	r->arg = arg;
	r->from = m->settings;
	r->to = next;
	r->at = 0;
	r->back = false;
	r->active = true;
	r->err.text[0] = '\0';
	roll_next(m);
}
