/* SPDX-License-Identifier: ISC */
/* Run a program or function to its end in a process of its own, with bounded
 * output and time, and tell what came of it. */

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/ctl/child_impl.h"

struct run {
	struct loop *loop;
	struct process process;
	struct watch *watch, *output_watch;
	struct timer *timer;
	struct text output;
	size_t max_output;
	int failure; /* -ETIMEDOUT, -EMSGSIZE */
	child_done done;
	void *arg;
};

static void run_free(struct run *run)
{
	watch_close(run->watch);
	watch_close(run->output_watch);
	timer_free(run->timer);
	process_kill(&run->process);
	process_close(&run->process);
	text_fini(&run->output);
	free(run);
}

static void finish(struct run *run, int status)
{
	run->done(run->arg, run->failure ? run->failure : status,
		run->output.data, run->output.len);
	run_free(run);
}

/* 1: took some; 0: none for now; -1: no more will come. */
static int read_some(struct run *run)
{
	char buf[16384];
	ssize_t n = read(run->process.output_fd, buf, sizeof(buf));
	size_t room = run->max_output - run->output.len;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -1;
	if ((size_t)n > room) {
		run->failure = -EMSGSIZE;
		n = (ssize_t)room;
	}
	text_add_bytes(&run->output, buf, (size_t)n);
	return run->failure == 0 ? 1 : -1;
}

static void run_output(void *arg, int fd, int events)
{
	struct run *run = arg;

	(void)fd;
	(void)events;
	if (read_some(run) < 0) {
		watch_close(run->output_watch);
		run->output_watch = NULL;
	}
	if (run->failure)
		process_signal(&run->process, SIGKILL);
}

static void run_ended(void *arg, int fd, int events)
{
	struct run *run = arg;
	int status;

	(void)fd;
	(void)events;
	if (!process_reap(&run->process, false, &status))
		return;
	while (run->failure == 0 && read_some(run) > 0)
		;
	finish(run, status);
}

static void run_timeout(void *arg)
{
	struct run *run = arg;

	run->failure = -ETIMEDOUT;
	process_kill(&run->process);
	finish(run, 0);
}

static int run_start(struct loop *loop, const struct child_config *config,
	int timeout_ms, size_t max_output, child_done done, void *arg,
	struct err *err)
{
	struct run *run = calloc(1, sizeof(*run));
	int rc;

	if (!run)
		return err_fail(err, -ENOMEM, "out of memory");
	run->loop = loop;
	run->max_output = max_output;
	run->done = done;
	run->arg = arg;
	text_init(&run->output);
	rc = process_start_captured(&run->process, config, err);
	if (rc < 0) {
		run_free(run);
		return rc;
	}
	run->watch =
		watch_open(loop, run->process.pidfd, LOOP_READ, run_ended, run);
	run->output_watch = watch_open(
		loop, run->process.output_fd, LOOP_READ, run_output, run);
	run->timer = timer_new(loop, run_timeout, run);
	if (!run->watch || !run->output_watch || !run->timer) {
		run_free(run);
		return err_fail(err, -ENOMEM, "out of memory");
	}
	timer_set_ms(run->timer, timeout_ms);
	return 0;
}

int child_run(struct loop *loop, char *const *argv, int timeout_ms,
	size_t max_output, child_done done, void *arg, struct err *err)
{
	struct child_config config = {.argv = argv};

	return run_start(loop, &config, timeout_ms, max_output, done, arg, err);
}

int child_run_entry(struct loop *loop, int (*entry)(void *entry_arg),
	void *entry_arg, int timeout_ms, size_t max_output, child_done done,
	void *arg, struct err *err)
{
	struct child_config config = {.entry = entry, .entry_arg = entry_arg};

	return run_start(loop, &config, timeout_ms, max_output, done, arg, err);
}
