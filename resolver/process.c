/* SPDX-License-Identifier: ISC */
/*
 * One worker process as the master sees it: forked with the settings in its
 * memory, heard through its channel, its end seen by its pid.
 */

#include "resolver/master_impl.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

void process_free(struct process *p)
{
	if (!p)
		return;
	child_free(p->child);
	channel_free(p->channel);
	list_remove(&p->link);
	free(p);
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
		master_steer(m);
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
	master_start_next(m, p->index);
	master_steer(m);
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

struct process *process_new(struct master *m, unsigned index,
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

void process_drain(struct process *p)
{
	p->state = DRAINING;
	if (p->channel)
		channel_send(p->channel, "drain", json_object());
	child_stop(p->child); /* SIGTERM drains; SIGKILL if it does not end */
}
