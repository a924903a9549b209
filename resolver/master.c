/* SPDX-License-Identifier: ISC */
/*
 * Each place in the set has one process; while it is being replaced it has
 * two for a moment. A process that dies is replaced at once, unless it died
 * young again and again. One that says nothing for long is killed: it spins,
 * and a spinning worker answers nobody.
 */

#include "resolver/master.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/list.h"
#include "common/base/log.h"
#include "common/ctl/child.h"
#include "resolver/channel.h"
#include "resolver/worker.h"

#define SILENCE_MS 10000 /* then it is killed */
#define WATCH_MS   1000
#define START_MS   15000
#define ANSWER_MS  5000
#define YOUNG_MS   2000
#define DELAY_MIN  100
#define DELAY_MAX  5000

enum state {
	STARTING,
	UP,
	DRAINING,
	DEAD, /* waits for its restart */
};

struct process {
	struct list link; /* of all */
	struct master *master;
	unsigned index;
	enum state state;
	struct child *child;
	struct channel *channel;
	struct worker_start start;
	struct mtime started, heard;
	struct stats stats;
	unsigned asked; /* id of what it has still to do; 0: nothing */
	char name[16];
	char why[ERR_MAX];
};

struct place {
	struct process *now, *next; /* next: while it is replaced */
	struct timer *timer;        /* restart */
	struct master *master;
	unsigned index, young_deaths;
};

/* One thing asked of all workers, or of a trial. */
struct asking {
	master_done done;
	void *arg;
	unsigned id, left;
	long long count;
	struct err err;
	struct timer *timer;
};

struct roll {
	master_done done;
	void *arg;
	const struct settings *from, *to;
	unsigned at; /* place being replaced */
	bool back;   /* undoing */
	bool active;
	struct err err;
	struct timer *timer;
};

struct master {
	struct loop *loop;
	const struct settings *settings;
	const struct master_events *ev;
	void *arg;
	struct list all;
	struct place places[MASTER_WORKERS];
	unsigned count;
	bool was_ready, stopping;
	struct stats past; /* of processes that are gone */
	unsigned long long restarts;
	struct timer *watch;
	struct asking asking, trial;
	struct process *trial_process;
	struct roll roll;
	unsigned next_id;
};

static void roll_up(struct master *m, struct process *p);
static void roll_failed(struct master *m, const char *why);

/* --- processes --- */

static void process_free(struct process *p)
{
	if (!p)
		return;
	child_free(p->child);
	channel_free(p->channel);
	list_remove(&p->link);
	free(p);
}

static void asked_done(struct process *p, long long count, const char *error);

static bool is_place(const struct process *p)
{
	return !p->start.trial;
}

static void place_restart(struct place *place)
{
	unsigned delay = 0;

	if (place->young_deaths > 0)
		delay = DELAY_MIN
			<< (place->young_deaths < 6 ? place->young_deaths - 1
						    : 6);
	if (delay > DELAY_MAX)
		delay = DELAY_MAX;
	timer_set_ms(place->timer, delay);
}

static void process_died(struct process *p)
{
	struct master *m = p->master;
	struct place *place = &m->places[p->index];
	bool young =
		mtime_before(mtime_now(), mtime_add_ms(p->started, YOUNG_MS));
	char why[ERR_MAX];

	snprintf(why, sizeof(why), "%s",
		p->why[0] ? p->why : "the process died");
	stats_keep(&m->past, &p->stats);
	asked_done(p, 0, why);
	if (place->next == p) {
		place->next = NULL;
		process_free(p);
		roll_failed(m, why);
		return;
	}
	if (place->now != p) { /* it was replaced */
		process_free(p);
		return;
	}
	place->now = NULL;
	process_free(p);
	if (m->stopping)
		return;
	m->restarts++;
	place->young_deaths = young ? place->young_deaths + 1 : 0;
	if (!m->was_ready)
		m->ev->failed(m->arg, why);
	else
		place_restart(place);
}

static void check_stopped(struct master *m)
{
	if (m->stopping && list_empty(&m->all))
		m->ev->stopped(m->arg);
}

static void on_child(
	void *arg, struct child *child, enum child_state state, int status)
{
	struct process *p = arg;
	struct master *m = p->master;

	(void)child;
	(void)status;
	if (state != CHILD_STOPPED)
		return;
	if (is_place(p)) {
		process_died(p);
	} else {
		asked_done(p, 0, p->why[0] ? p->why : "the trial died");
		m->trial_process = NULL;
		process_free(p);
	}
	check_stopped(m);
}

static void check_ready(struct master *m)
{
	if (m->was_ready || !master_is_ready(m))
		return;
	m->was_ready = true;
	m->ev->ready(m->arg);
}

static void on_ready(struct process *p)
{
	struct master *m = p->master;

	if (!is_place(p)) {
		child_stop(p->child);
		asked_done(p, 0, NULL);
		return;
	}
	p->state = UP;
	if (m->places[p->index].next == p)
		roll_up(m, p);
	check_ready(m);
}

static void on_message(
	void *arg, const char *type, const json_t *msg, const char *text)
{
	struct process *p = arg;
	const char *why;

	(void)text;
	p->heard = mtime_now();
	if (strcmp(type, "stats") == 0) {
		stats_decode(msg, &p->stats);
	} else if (strcmp(type, "ready") == 0) {
		on_ready(p);
	} else if (strcmp(type, "failed") == 0) {
		why = json_string_value(json_object_get(msg, "why"));
		snprintf(p->why, sizeof(p->why), "%s", why ? why : "");
	} else if (strcmp(type, "done") == 0 &&
		   json_integer_value(json_object_get(msg, "id")) == p->asked) {
		asked_done(p, json_integer_value(json_object_get(msg, "count")),
			json_string_value(json_object_get(msg, "error")));
	}
}

static void on_closed(void *arg)
{
	struct process *p = arg; /* its end is seen by its pid */

	channel_free(p->channel);
	p->channel = NULL;
}

static const struct channel_events channel_events = {on_message, on_closed};

static int process_launch(struct process *p, struct err *err)
{
	struct child_config config = {
		.name = p->name,
		.entry = worker_main,
		.entry_arg = &p->start,
		.stop_ms = 9000,
		.changed = on_child,
		.arg = p,
	};
	int fds[2], rc;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		    fds) < 0)
		return err_fail(err, -errno, "socketpair: %s", strerror(errno));
	p->start.fd = fds[1];
	p->channel = channel_new(p->master->loop, fds[0], &channel_events, p);
	p->child = p->channel ? child_new(p->master->loop, &config) : NULL;
	if (p->child)
		rc = child_start(p->child, err);
	else
		rc = err_fail(err, -ENOMEM, "out of memory");
	close(fds[1]);
	return rc;
}

static struct process *process_new(struct master *m, unsigned index,
	const struct settings *settings, bool trial, struct err *err)
{
	struct process *p = calloc(1, sizeof(*p));

	if (!p) {
		err_set(err, "out of memory");
		return NULL;
	}
	p->master = m;
	p->index = index;
	p->start.index = index;
	p->start.settings = settings;
	p->start.trial = trial;
	p->started = p->heard = mtime_now();
	snprintf(
		p->name, sizeof(p->name), trial ? "trial" : "worker %u", index);
	list_append(&m->all, &p->link);
	if (process_launch(p, err) == 0)
		return p;
	process_free(p);
	return NULL;
}

static void process_drain(struct process *p)
{
	p->state = DRAINING;
	if (p->channel)
		channel_send(p->channel, "drain", json_object());
	child_stop(p->child); /* SIGTERM drains; SIGKILL if it does not end */
}

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

	list_each(at, &m->all)
	{
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

static void asked_done(struct process *p, long long count, const char *error)
{
	struct master *m = p->master;
	struct asking *a = is_place(p) ? &m->asking : &m->trial;

	if (p->asked == 0 || p->asked != a->id)
		return;
	p->asked = 0;
	a->count += count;
	if (error && !a->err.text[0])
		err_set(&a->err, "%s: %s", p->name, error);
	if (a->left > 0 && --a->left == 0)
		asking_end(a);
}

static void on_asking_late(void *arg)
{
	struct asking *a = arg;

	err_set(&a->err, "a worker did not answer in time");
	asking_end(a);
}

static void asking_begin(struct master *m, struct asking *a, master_done done,
	void *arg, unsigned ms)
{
	a->done = done;
	a->arg = arg;
	a->id = ++m->next_id;
	a->left = 0;
	a->count = 0;
	a->err.text[0] = '\0';
	timer_set_ms(a->timer, ms);
}

/* Busy with another question: the new one fails. */
static bool asking_busy(const struct asking *a, master_done done, void *arg)
{
	struct err err;

	if (a->id == 0)
		return false;
	err_set(&err, "the workers are busy with another command");
	done(arg, 0, &err);
	return true;
}

static void ask_all(struct master *m, const char *type, const json_t *args,
	const char *text)
{
	struct asking *a = &m->asking;

	a->left = 1; /* ours, so that it does not end too early */
	for (unsigned i = 0; i < m->count; i++) {
		struct process *p = m->places[i].now;
		json_t *msg;

		if (!p || p->state != UP || !p->channel)
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

	if (asking_busy(&m->asking, done, arg))
		return;
	args = json_pack("{s:i, s:s}", "what", (int)what, "name", name);
	asking_begin(m, &m->asking, done, arg, ANSWER_MS);
	ask_all(m, "flush", args, NULL);
	json_decref(args);
}

void master_apply(struct master *m, const struct settings *next,
	const char *text, master_done done, void *arg)
{
	json_t *args;

	if (asking_busy(&m->asking, done, arg))
		return;
	m->settings = next; /* for those that start from now on */
	args = json_object();
	asking_begin(m, &m->asking, done, arg, ANSWER_MS);
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

/* --- replacing --- */

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

static void roll_up(struct master *m, struct process *p)
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
static void roll_failed(struct master *m, const char *why)
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

static void on_roll_late(void *arg)
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

/* --- the whole --- */

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
	m->asking.timer = timer_new(m->loop, on_asking_late, &m->asking);
	m->trial.timer = timer_new(m->loop, on_asking_late, &m->trial);
	m->roll.timer = timer_new(m->loop, on_roll_late, m);
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
	for (unsigned i = 0; i < m->count; i++)
		if (place_start(&m->places[i], err) < 0)
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
