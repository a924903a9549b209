/* SPDX-License-Identifier: ISC */
/*
 * Each place in the set has one process; while it is being replaced it has
 * two for a moment. A process that dies is replaced at once, unless it died
 * young again and again. One that says nothing for long is killed: it spins,
 * and a spinning worker answers nobody.
 */

#include "resolver/master_impl.h"

#include <errno.h>
#include <signal.h>

/* --- places --- */

static int place_start(struct place *place, struct err *err)
{
	struct master *m = place->master;
	const struct roll *r = &m->roll;
	bool changed = r->active && place->index < r->at;

	place->now = process_new(
		m, place->index, changed ? r->to : m->settings, false, err);
	return place->now ? 0 : -EAGAIN;
}

static void on_restart(void *arg)
{
	struct place *place = arg;
	struct err err;

	if (place->now || place->master->stopping ||
		place->index >= place->master->count)
		return;
	if (place_start(place, &err) == 0)
		return;
	log_error("worker %u: cannot start: %s", place->index, err.text);
	timer_set_ms(place->timer, DELAY_MAX);
}

static void on_watch(void *arg)
{
	struct master *m = arg;
	struct mtime now = mtime_now();
	struct list *at;

	list_each(at, &m->all) {
		struct process *p = list_entry(at, struct process, link);
		int64_t bound = p->state == STARTING ? START_MS : SILENCE_MS;

		if (!mtime_before(mtime_add_ms(p->heard, bound), now) ||
			child_pid(p->child) == 0)
			continue;
		log_error("%s: silent for %lld s: killed", p->name,
			(long long)bound / 1000);
		kill(child_pid(p->child), SIGKILL);
	}
	timer_set_ms(m->watch, WATCH_MS);
}

/* At first one after the other, so that the index of a worker is that of its
 * sockets in their group (steer.h). */
void master_start_next(struct master *m, unsigned after)
{
	struct place *place = &m->places[after + 1];
	struct err err;

	if (m->was_ready || m->stopping || after + 1 >= m->count || place->now)
		return;
	if (place_start(place, &err) < 0)
		m->ev->failed(m->arg, err.text);
}

/* --- asking --- */

static void asking_end(struct asking *a)
{
	master_done done = a->done;
	struct err err = a->err;

	timer_clear(a->timer);
	a->id = 0;
	a->done = NULL;
	if (done)
		done(a->arg, a->count, &err);
}

/* It keeps what it must not: it starts anew, with the settings of now. */
static void give_up(struct process *p)
{
	if (child_pid(p->child) > 0)
		kill(child_pid(p->child), SIGKILL);
}

void asked_done(struct process *p, long long count, const char *error)
{
	struct master *m = p->master;
	struct asking *a = is_place(p) ? &m->asking : &m->trial;

	if (p->asked == 0 || p->asked != a->id)
		return;
	p->asked = 0;
	a->count += count;
	if (error && a->must)
		give_up(p);
	if (error && !a->err.text[0])
		err_set(&a->err, "%s: %s", p->name, error);
	if (a->left > 0 && --a->left == 0)
		asking_end(a);
}

static void on_trial_late(void *arg)
{
	struct asking *a = arg;

	err_set(&a->err, "the trial did not answer in time");
	asking_end(a);
}

static void on_asking_late(void *arg)
{
	struct master *m = arg;
	struct asking *a = &m->asking;
	struct list *at;

	list_each(at, &m->all) {
		struct process *p = list_entry(at, struct process, link);

		if (a->must && is_place(p) && p->asked == a->id)
			give_up(p);
	}
	err_set(&a->err, "a worker did not answer in time");
	asking_end(a);
}

static void asking_begin(struct master *m, struct asking *a, master_done done,
	void *arg, unsigned ms)
{
	a->must = false;
	a->done = done;
	a->arg = arg;
	a->id = ++m->next_id;
	a->left = 0;
	a->count = 0;
	a->err.text[0] = '\0';
	timer_set_ms(a->timer, ms);
}

static void ask_all(struct master *m, const char *type, const json_t *args,
	const char *text)
{
	struct asking *a = &m->asking;

	a->left = 1; /* ours, so that it does not end too early */
	for (unsigned i = 0; i < m->count; i++) {
		struct process *p = m->places[i].now;
		json_t *msg;

		/* One that is starting reads it when it is up. */
		if (!p || p->state == DRAINING || !p->channel)
			continue;
		msg = json_deep_copy(args);
		json_object_set_new(msg, "id", json_integer(a->id));
		p->asked = a->id;
		a->left++;
		if ((text && channel_send_text(p->channel, text, strlen(text)) <
				     0) ||
			channel_send(p->channel, type, msg) < 0)
			asked_done(p, 0, "cannot be reached");
	}
	if (--a->left == 0)
		asking_end(a);
}

void master_flush(struct master *m, enum flush_what what, const char *name,
	master_done done, void *arg)
{
	json_t *args;

	if (m->asking.id) {
		struct err err;

		err_set(&err, "the workers are busy with another command");
		done(arg, 0, &err);
		return;
	}
	args = json_pack("{s:i, s:s}", "what", (int)what, "name", name);
	asking_begin(m, &m->asking, done, arg, ANSWER_MS);
	ask_all(m, "flush", args, NULL);
	json_decref(args);
}

void master_apply(struct master *m, const struct settings *next,
	const char *text, master_done done, void *arg)
{
	json_t *args;

	if (m->asking.id) { /* a flush: it can be asked for again */
		err_set(&m->asking.err, "a change came in between");
		asking_end(&m->asking);
	}
	m->settings = next; /* for those that start from now on */
	args = json_object();
	asking_begin(m, &m->asking, done, arg, ANSWER_MS);
	m->asking.must = true;
	ask_all(m, "apply", args, text);
	json_decref(args);
}

int master_try(struct master *m, const struct settings *settings,
	master_done done, void *arg, struct err *err)
{
	if (m->trial_process)
		return err_fail(err, -EBUSY, "another trial is under way");
	m->trial_process = process_new(m, 0, settings, true, err);
	if (!m->trial_process)
		return -EAGAIN;
	asking_begin(m, &m->trial, done, arg, START_MS);
	m->trial.left = 1;
	m->trial_process->asked = m->trial.id;
	return 0;
}

/* --- the whole --- */

void master_steer(struct master *m)
{
	struct list *at;

	if (m->count < 2 || m->stopping || m->roll.active ||
		!master_is_ready(m))
		return;
	list_each(at, &m->all)
		if (list_entry(at, struct process, link)->state == DRAINING)
			return;
	/* The program belongs to the group: one member attaches it. */
	if (m->places[0].now->channel)
		channel_send(m->places[0].now->channel, "steer",
			json_pack("{s:i}", "count", (int)m->count));
}

static int make_places(struct master *m)
{
	for (unsigned i = 0; i < MASTER_WORKERS; i++) {
		struct place *place = &m->places[i];

		place->master = m;
		place->index = i;
		place->timer = timer_new(m->loop, on_restart, place);
		if (!place->timer)
			return -ENOMEM;
	}
	m->watch = timer_new(m->loop, on_watch, m);
	m->asking.timer = timer_new(m->loop, on_asking_late, m);
	m->trial.timer = timer_new(m->loop, on_trial_late, &m->trial);
	m->roll.timer = timer_new(m->loop, roll_late, m);
	if (!m->watch || !m->asking.timer || !m->trial.timer || !m->roll.timer)
		return -ENOMEM;
	return 0;
}

struct master *master_new(struct loop *loop, const struct settings *settings,
	const struct master_events *ev, void *arg, struct err *err)
{
	struct master *m = calloc(1, sizeof(*m));

	err_set(err, "out of memory");
	if (!m)
		return NULL;
	m->loop = loop;
	m->settings = settings;
	m->ev = ev;
	m->arg = arg;
	m->count = settings->workers;
	list_init(&m->all);
	if (make_places(m) < 0)
		goto fail;
	if (place_start(&m->places[0], err) < 0)
		goto fail;
	timer_set_ms(m->watch, WATCH_MS);
	return m;
fail:
	master_free(m);
	return NULL;
}

void master_free(struct master *m)
{
	if (!m)
		return;
	m->stopping = true;
	while (!list_empty(&m->all))
		process_free(list_entry(m->all.next, struct process, link));
	for (unsigned i = 0; i < MASTER_WORKERS; i++)
		timer_free(m->places[i].timer);
	timer_free(m->watch);
	timer_free(m->asking.timer);
	timer_free(m->trial.timer);
	timer_free(m->roll.timer);
	free(m);
}

void master_stop(struct master *m)
{
	struct list *at, *next;

	m->stopping = true;
	m->roll.active = false;
	list_each_safe(at, next, &m->all)
		process_drain(list_entry(at, struct process, link));
	if (list_empty(&m->all))
		m->ev->stopped(m->arg);
}

/* --- reading --- */

bool master_is_ready(const struct master *m)
{
	for (unsigned i = 0; i < m->count; i++)
		if (!m->places[i].now || m->places[i].now->state != UP)
			return false;
	return true;
}

static const char *state_name(const struct process *p)
{
	static const char *const names[] = {
		[STARTING] = "starting",
		[UP] = "up",
		[DRAINING] = "draining",
		[DEAD] = "dead",
	};

	return names[p ? p->state : DEAD];
}

void master_status(const struct master *m, json_t *out)
{
	json_t *workers = json_array();

	for (unsigned i = 0; i < m->count; i++) {
		const struct process *p = m->places[i].now;

		json_array_append_new(
			workers, json_pack("{s:i, s:s, s:i}", "index", (int)i,
					 "state", state_name(p), "pid",
					 p ? (int)child_pid(p->child) : 0));
	}
	json_object_set_new(out, "workers", workers);
	json_object_set_new(
		out, "worker_restarts", json_integer((json_int_t)m->restarts));
	json_object_set_new(out, "rolling", json_boolean(m->roll.active));
}

void master_stats(const struct master *m, struct stats *out)
{
	struct list *at;

	*out = m->past;
	list_each(at, &m->all)
		stats_add(out, &list_entry(at, struct process, link)->stats);
}

unsigned long long master_restarts(const struct master *m)
{
	return m->restarts;
}
