/* SPDX-License-Identifier: ISC */
/*
 * One supervised process. Its end is seen through a pidfd in the loop, so
 * there is no SIGCHLD handler and no race with pids. The child leads a
 * process group of its own: what it leaves behind is killed with it, before
 * its pid can be used again. PR_SET_PDEATHSIG ends it when we die.
 */

#include "common/ctl/child.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/ctl/child_impl.h"

#define DEATHS_KEPT 16
#define STEADY_MS   10000 /* lived that long: back-off starts anew */

struct child {
	struct loop *loop;
	struct child_config config;
	enum child_state state;
	struct process process;
	struct watch *watch, *output_watch;
	struct timer *timer; /* restart, or SIGKILL */
	struct child_lines lines;
	struct mtime started;
	int64_t deaths_us[DEATHS_KEPT];
	unsigned death_count, restarts, quick_deaths;
};

static const char *const state_names[] = {
	[CHILD_STOPPED] = "stopped",
	[CHILD_RUNNING] = "running",
	[CHILD_BACKOFF] = "backoff",
	[CHILD_STOPPING] = "stopping",
	[CHILD_FAILED] = "failed",
};

const char *child_state_name(enum child_state state)
{
	return state_names[state];
}

pid_t child_pid(const struct child *child)
{
	return child->process.pid;
}

enum child_state child_get_state(const struct child *child)
{
	return child->state;
}

unsigned child_restarts(const struct child *child)
{
	return child->restarts;
}

static void set_state(struct child *child, enum child_state state, int status)
{
	child->state = state;
	if (child->config.changed)
		child->config.changed(child->config.arg, child, state, status);
}

/* Was this death one too many in the window? */
static bool too_often(struct child *child)
{
	unsigned n = child->config.fail_count;
	int64_t now_us = mtime_now().us, oldest_us;

	child->deaths_us[child->death_count++ % DEATHS_KEPT] = now_us;
	if (child->death_count < n)
		return false;
	oldest_us = child->deaths_us[(child->death_count - n) % DEATHS_KEPT];
	return now_us - oldest_us <= child->config.fail_window_ms * 1000LL;
}

static int64_t backoff_ms(struct child *child)
{
	int64_t ms = child->config.backoff_min_ms;
	int64_t lived_us = mtime_sub_us(mtime_now(), child->started);

	if (lived_us >= STEADY_MS * 1000LL)
		child->quick_deaths = 0;
	for (unsigned i = 0; i < child->quick_deaths; i++) {
		ms *= 2;
		if (ms > child->config.backoff_max_ms)
			return child->config.backoff_max_ms;
	}
	child->quick_deaths++;
	return ms;
}

static void log_death(const struct child *child, pid_t pid, int status)
{
	if (WIFSIGNALED(status))
		log_error("%s: process %d killed by signal %d (%s)",
			child->config.name, (int)pid, WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	else
		log_error("%s: process %d ended with status %d",
			child->config.name, (int)pid, WEXITSTATUS(status));
}

static void release(struct child *child)
{
	watch_close(child->watch);
	watch_close(child->output_watch);
	child->watch = child->output_watch = NULL;
	process_close(&child->process);
}

static void died(struct child *child, pid_t pid, int status)
{
	bool stopping = child->state == CHILD_STOPPING;
	bool failed = false;

	child_lines_read(&child->lines, child->process.output_fd, true);
	timer_clear(child->timer);
	if (!stopping)
		log_death(child, pid, status);
	release(child);
	if (stopping || !child->config.restart) {
		set_state(child, CHILD_STOPPED, status);
		return;
	}
	failed = too_often(child);
	if (failed && child->state != CHILD_FAILED)
		log_error("%s: died %u times in a short time",
			child->config.name, child->config.fail_count);
	timer_set_ms(child->timer,
		failed ? child->config.backoff_max_ms : backoff_ms(child));
	set_state(child, failed ? CHILD_FAILED : CHILD_BACKOFF, status);
}

static void pidfd_event(void *arg, int fd, int events)
{
	struct child *child = arg;
	pid_t pid = child->process.pid;
	int status;

	(void)fd;
	(void)events;
	if (process_reap(&child->process, false, &status))
		died(child, pid, status);
}

static void output_event(void *arg, int fd, int events)
{
	struct child *child = arg;

	(void)events;
	if (!child_lines_read(&child->lines, fd, false)) {
		watch_close(child->output_watch);
		child->output_watch = NULL;
	}
}

static int launch(struct child *child, struct err *err)
{
	int rc = process_start(&child->process, &child->config, err);

	if (rc < 0)
		return rc;
	child->started = mtime_now();
	child->watch = watch_open(child->loop, child->process.pidfd, LOOP_READ,
		pidfd_event, child);
	if (child->process.output_fd >= 0)
		child->output_watch =
			watch_open(child->loop, child->process.output_fd,
				LOOP_READ, output_event, child);
	if (!child->watch) {
		process_kill(&child->process);
		release(child);
		return err_fail(err, -ENOMEM, "out of memory");
	}
	set_state(child, CHILD_RUNNING, 0);
	return 0;
}

static void timer_event(void *arg)
{
	struct child *child = arg;
	struct err err;

	if (child->state == CHILD_STOPPING) {
		log_warn("%s: process %d did not stop in time, killing it",
			child->config.name, (int)child->process.pid);
		process_signal(&child->process, SIGKILL);
		return;
	}
	child->restarts++;
	if (launch(child, &err) == 0)
		return;
	log_error("%s: cannot start: %s", child->config.name, err.text);
	timer_set_ms(child->timer, child->config.backoff_max_ms);
}

static void fill_defaults(struct child_config *config)
{
	if (config->backoff_min_ms == 0)
		config->backoff_min_ms = 100;
	if (config->backoff_max_ms == 0)
		config->backoff_max_ms = 30000;
	if (config->stop_ms == 0)
		config->stop_ms = 10000;
	if (config->fail_count == 0)
		config->fail_count = 5;
	if (config->fail_count > DEATHS_KEPT)
		config->fail_count = DEATHS_KEPT;
	if (config->fail_window_ms == 0)
		config->fail_window_ms = 60000;
}

struct child *child_new(struct loop *loop, const struct child_config *config)
{
	struct child *child = calloc(1, sizeof(*child));

	if (!child)
		return NULL;
	child->loop = loop;
	child->config = *config;
	fill_defaults(&child->config);
	child->process = PROCESS_NONE;
	child->timer = timer_new(loop, timer_event, child);
	if (!child->timer) {
		free(child);
		return NULL;
	}
	child->lines.name = child->config.name;
	return child;
}

int child_start(struct child *child, struct err *err)
{
	if (child->process.pid > 0)
		return 0;
	timer_clear(child->timer);
	child->quick_deaths = child->death_count = 0;
	return launch(child, err);
}

void child_stop(struct child *child)
{
	if (child->state == CHILD_STOPPING || child->state == CHILD_STOPPED)
		return;
	timer_clear(child->timer);
	if (child->process.pid == 0) {
		set_state(child, CHILD_STOPPED, 0);
		return;
	}
	process_signal(&child->process, SIGTERM);
	timer_set_ms(child->timer, child->config.stop_ms);
	set_state(child, CHILD_STOPPING, 0);
}

void child_free(struct child *child)
{
	if (!child)
		return;
	if (child->process.pid > 0) {
		process_signal(&child->process, SIGTERM);
		process_wait(&child->process, (int)child->config.stop_ms);
		child_lines_read(&child->lines, child->process.output_fd, true);
		process_kill(&child->process);
	}
	release(child);
	timer_free(child->timer);
	free(child);
}
