/* SPDX-License-Identifier: ISC */
/* Child processes: start, output, stop, restart with back-off. */

#include "common/ctl/child.h"

#include "tests/tap/tap.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static struct loop *loop;

struct seen {
	enum child_state states[64];
	int statuses[64];
	unsigned count;
	enum child_state until; /* stop the loop at this state ... */
	unsigned times;         /* ... seen so often */
};

static void changed(void *arg, struct child *c, enum child_state s, int status)
{
	struct seen *seen = arg;

	(void)c;
	if (seen->count < countof(seen->states)) {
		seen->states[seen->count] = s;
		seen->statuses[seen->count++] = status;
	}
	if (s == seen->until && seen->times > 0 && --seen->times == 0)
		loop_stop(loop);
}

static void give_up(void *arg)
{
	(void)arg;
	tap_bail("nothing happened in 20 s");
}

/* Run the loop until `until` has been reported `times` times. */
static void run_until(struct seen *seen, enum child_state until, unsigned times)
{
	struct timer *timer = timer_new(loop, give_up, NULL);

	seen->until = until;
	seen->times = times;
	timer_set_ms(timer, 20000);
	loop_run(loop);
	timer_free(timer);
}

static void test_run_and_stop(void)
{
	static char prog[] = "/bin/sleep", arg[] = "600";
	static char *const argv[] = {prog, arg, NULL};
	struct seen seen = {.count = 0};
	struct child_config config = {.name = "sleep",
		.argv = argv,
		.restart = true,
		.backoff_min_ms = 20,
		.changed = changed,
		.arg = &seen};
	struct child *child = child_new(loop, &config);
	struct err err = {.text = ""};
	pid_t pid;

	is_int(child_pid(child), 0, "not running yet");
	is_int(child_start(child, &err), 0, "starts (%s)", err.text);
	is_string(child_state_name(child_get_state(child)), "running", "state");
	pid = child_pid(child);
	ok(pid > 0 && getpgid(pid) == pid, "leads its process group");
	is_int(child_start(child, &err), 0, "start again is nothing");
	is_int(child_pid(child), pid, "same process");
	kill(pid, SIGKILL);
	run_until(&seen, CHILD_RUNNING, 1);
	is_int(seen.states[1], CHILD_BACKOFF, "killed: back-off");
	ok(WIFSIGNALED(seen.statuses[1]) &&
			WTERMSIG(seen.statuses[1]) == SIGKILL,
		"with its status");
	ok(child_pid(child) > 0 && child_pid(child) != pid, "a new process");
	is_int(child_restarts(child), 1, "one restart");
	child_stop(child);
	run_until(&seen, CHILD_STOPPED, 1);
	is_int(child_pid(child), 0, "stopped");
	child_stop(child);
	is_int(child_start(child, &err), 0, "can be started again");
	pid = child_pid(child);
	child_free(child);
	ok(kill(pid, 0) < 0 && errno == ESRCH, "freed: ended and reaped");
}

static void test_failed(void)
{
	static char prog[] = "/bin/false";
	static char *const argv[] = {prog, NULL};
	struct seen seen = {.count = 0};
	struct child_config config = {.name = "false",
		.argv = argv,
		.restart = true,
		.backoff_min_ms = 10,
		.backoff_max_ms = 40,
		.fail_count = 3,
		.changed = changed,
		.arg = &seen};
	struct child *child = child_new(loop, &config);
	struct err err;

	is_int(child_start(child, &err), 0, "starts");
	run_until(&seen, CHILD_FAILED, 2);
	is_int(seen.states[1], CHILD_BACKOFF, "first death");
	is_int(seen.states[3], CHILD_BACKOFF, "second death");
	is_int(seen.states[5], CHILD_FAILED, "third death in the window");
	is_int(seen.states[6], CHILD_RUNNING, "is still retried");
	is_int(WEXITSTATUS(seen.statuses[1]), 1, "exit status");
	child_free(child);
}

/* Tells through a pipe that it no longer minds SIGTERM. */
static int stubborn(void *arg)
{
	signal(SIGTERM, SIG_IGN);
	if (write(*(int *)arg, "x", 1) != 1)
		return 1;
	for (int i = 0; i < 1000; i++)
		pause();
	return 0;
}

static void mark(void *arg)
{
	*(int *)arg = 42;
}

static int told;
static int tell(void *arg)
{
	(void)arg;
	return told;
}

static void test_entry(void)
{
	struct seen seen = {.count = 0};
	struct child_config config = {.name = "entry",
		.entry = tell,
		.prepare = mark,
		.prepare_arg = &told,
		.changed = changed,
		.arg = &seen};
	struct child *child = child_new(loop, &config);
	struct err err;

	is_int(child_start(child, &err), 0, "a function starts");
	run_until(&seen, CHILD_STOPPED, 1);
	is_int(WEXITSTATUS(seen.statuses[1]), 42,
		"prepare ran in the child, its status is the return");
	is_int(told, 0, "and not here");
	child_free(child);
}

static void test_stubborn(void)
{
	struct seen seen = {.count = 0};
	int fds[2];
	char byte;
	struct child_config config = {.name = "stubborn",
		.entry = stubborn,
		.entry_arg = &fds[1],
		.stop_ms = 50,
		.restart = true,
		.changed = changed,
		.arg = &seen};
	struct child *child = child_new(loop, &config);
	struct err err;
	pid_t pid;

	if (pipe(fds) < 0)
		tap_bail("pipe");
	is_int(child_start(child, &err), 0, "starts");
	ok(read(fds[0], &byte, 1) == 1, "runs");
	child_stop(child);
	run_until(&seen, CHILD_STOPPED, 1);
	ok(WIFSIGNALED(seen.statuses[seen.count - 1]), "ends at last");
	is_int(child_start(child, &err), 0, "starts");
	pid = child_pid(child);
	ok(read(fds[0], &byte, 1) == 1, "runs");
	child_free(child);
	ok(kill(pid, 0) < 0, "free ends it too");
	close(fds[0]);
	close(fds[1]);
}

static void test_no_program(void)
{
	static char prog[] = "/nonexistent/prog";
	static char *const argv[] = {prog, NULL};
	struct child_config config = {.name = "none", .argv = argv};
	struct child *child = child_new(loop, &config);
	struct err err = {.text = ""};

	is_int(child_start(child, &err), -ENOENT, "no such program");
	is_string(err.text, "/nonexistent/prog: No such file or directory",
		"says so");
	child_free(child);
}

/* The parent dies: the child, and its own child, must end. */
static void test_parent_death(void)
{
	static char prog[] = "/bin/sleep", arg[] = "600";
	static char *const argv[] = {prog, arg, NULL};
	struct child_config config = {.name = "sleep", .argv = argv};
	int fds[2], gone = 0;
	pid_t pid = 0, helper;

	if (pipe(fds) < 0)
		tap_bail("pipe");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	helper = fork();
	if (helper == 0) {
		struct child *child = child_new(loop, &config);

		if (child_start(child, NULL) < 0)
			_exit(1);
		pid = child_pid(child);
		if (write(fds[1], &pid, sizeof(pid)) < 0)
			_exit(1);
		pause();
	}
	if (read(fds[0], &pid, sizeof(pid)) != sizeof(pid))
		tap_bail("no pid");
	kill(helper, SIGKILL);
	waitpid(helper, NULL, 0);
	for (int i = 0; i < 500 && !gone; i++) {
		gone = waitpid(pid, NULL, WNOHANG) == pid;
		usleep(10000);
	}
	ok(gone, "the child of a killed parent ends");
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	close(fds[0]);
	close(fds[1]);
}

struct outcome {
	int status;
	char output[256];
	size_t len;
};

static void done(void *arg, int status, const char *output, size_t len)
{
	struct outcome *o = arg;

	o->status = status;
	o->len = len;
	snprintf(o->output, sizeof(o->output), "%.*s", (int)len, output);
	loop_stop(loop);
}

static struct outcome run_shell(const char *script, int ms, size_t max)
{
	struct outcome o = {.status = -1};
	static char prog[] = "/bin/sh", flag[] = "-c";
	char *text = strdup(script);
	char *const argv[] = {prog, flag, text, NULL};
	struct timer *timer = timer_new(loop, give_up, NULL);

	timer_set_ms(timer, 20000);
	if (child_run(loop, argv, ms, max, done, &o, NULL) < 0)
		tap_bail("child_run");
	loop_run(loop);
	timer_free(timer);
	free(text);
	return o;
}

static int print_three(void *arg)
{
	printf("%d\n", *(int *)arg);
	fflush(stdout);
	return 3;
}

static void test_run(void)
{
	struct outcome o =
		run_shell("echo out; echo err >&2; exit 7", 5000, 99);
	struct timer *timer;
	int three = 3;

	is_string(o.output, "out\nerr\n", "stdout and stderr");
	is_int(WEXITSTATUS(o.status), 7, "exit status");
	o = run_shell("echo early; sleep 600", 2000, 99);
	is_int(o.status, -ETIMEDOUT, "over its time");
	is_string(o.output, "early\n", "what it said until then");
	o = run_shell("while :; do echo aaaaaaaaaa; done", 10000, 100);
	is_int(o.status, -EMSGSIZE, "talks too much");
	is_int(o.len, 100, "cut");
	o = run_shell("exec >&- 2>&-; sleep 0.1; exit 5", 5000, 100);
	is_int(WEXITSTATUS(o.status), 5, "closes its output early");
	o = run_shell("kill -9 $$", 5000, 100);
	ok(WIFSIGNALED(o.status), "killed");
	timer = timer_new(loop, give_up, NULL);
	timer_set_ms(timer, 20000);
	is_int(child_run_entry(
		       loop, print_three, &three, 5000, 100, done, &o, NULL),
		0, "a function");
	loop_run(loop);
	timer_free(timer);
	is_string(o.output, "3\n", "its output");
	is_int(WEXITSTATUS(o.status), 3, "its return");
}

int main(void)
{
	loop = loop_new();
	if (!loop)
		tap_bail("loop_new");
	test_run_and_stop();
	test_failed();
	test_entry();
	test_stubborn();
	test_no_program();
	test_parent_death();
	test_run();
	loop_free(loop);
	return tap_done();
}
