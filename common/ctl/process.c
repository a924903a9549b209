/* SPDX-License-Identifier: ISC */
/* Start, watch and end one process, for child.c and child_run.c. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/ctl/child_impl.h"

/* Signals back to what a fresh program expects; libevent's handlers would
 * write into a pipe that is shared with the parent. */
static void reset_signals(void)
{
	static const int signals[] = {
		SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGCHLD, SIGUSR1, SIGUSR2};
	sigset_t none;

	for (size_t i = 0; i < countof(signals); i++)
		signal(signals[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void child_output(int fd)
{
	if (fd < 0)
		return;
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
}

/* In the child; does not return. */
static NORETURN void become(
	const struct child_config *config, pid_t parent, int output_fd)
{
	static const char failed[] = "cannot execute the program\n";

	reset_signals();
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, config->argv ? SIGTERM : SIGKILL);
	if (getppid() != parent)
		_exit(126); /* it died before the line above */
	child_output(output_fd);
	if (config->prepare)
		config->prepare(config->prepare_arg);
	if (!config->argv)
		_exit(config->entry(config->entry_arg));
	execv(config->argv[0], config->argv);
	if (write(STDERR_FILENO, failed, sizeof(failed) - 1) < 0)
		_exit(126);
	_exit(127);
}

static int start(struct process *p, const struct child_config *config,
	const int output[2], struct err *err)
{
	pid_t parent = getpid();

	fflush(NULL);
	p->pid = fork();
	if (p->pid == 0)
		become(config, parent, output[1]);
	if (p->pid < 0) {
		p->pid = 0;
		return err_fail(err, -errno, "fork: %s", strerror(errno));
	}
	setpgid(p->pid, p->pid); /* both do it: whoever comes first */
	p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	if (p->pidfd >= 0)
		return 0;
	err_set(err, "pidfd_open: %s", strerror(errno));
	process_kill(p);
	return -errno;
}

static int start_output(struct process *p, const struct child_config *config,
	bool capture, struct err *err)
{
	int output[2] = {-1, -1};
	int rc;

	*p = PROCESS_NONE;
	if (config->argv && access(config->argv[0], X_OK) < 0)
		return err_fail(err, -errno, "%s: %s", config->argv[0],
			strerror(errno));
	if (capture && pipe2(output, O_CLOEXEC) < 0)
		return err_fail(err, -errno, "pipe: %s", strerror(errno));
	rc = start(p, config, output, err);
	if (output[1] >= 0)
		close(output[1]);
	if (rc < 0) {
		if (output[0] >= 0)
			close(output[0]);
		return rc;
	}
	p->output_fd = output[0];
	if (capture)
		fcntl(p->output_fd, F_SETFL, O_NONBLOCK);
	return 0;
}

int process_start(
	struct process *p, const struct child_config *config, struct err *err)
{
	return start_output(p, config, config->argv != NULL, err);
}

int process_start_captured(
	struct process *p, const struct child_config *config, struct err *err)
{
	return start_output(p, config, true, err);
}

void process_signal(const struct process *p, int signo)
{
	if (p->pid > 0)
		kill(p->pid, signo);
}

bool process_reap(struct process *p, bool block, int *status)
{
	siginfo_t info = {.si_pid = 0};
	int flags = WEXITED | WNOWAIT | (block ? 0 : WNOHANG);

	if (p->pid == 0)
		return false;
	while (waitid(P_PID, (id_t)p->pid, &info, flags) < 0) {
		if (errno != EINTR)
			return false;
	}
	if (info.si_pid == 0)
		return false;
	kill(-p->pid, SIGKILL); /* its pid is still taken: no stranger */
	while (waitpid(p->pid, status, 0) < 0 && errno == EINTR)
		;
	p->pid = 0;
	return true;
}

void process_wait(const struct process *p, int ms)
{
	struct pollfd fd = {.fd = p->pidfd, .events = POLLIN};

	if (p->pidfd >= 0)
		poll(&fd, 1, ms);
}

void process_kill(struct process *p)
{
	int status;

	if (p->pid == 0)
		return;
	kill(p->pid, SIGKILL);
	kill(-p->pid, SIGKILL);
	process_reap(p, true, &status);
}

void process_close(struct process *p)
{
	if (p->pidfd >= 0)
		close(p->pidfd);
	if (p->output_fd >= 0)
		close(p->output_fd);
	p->pidfd = p->output_fd = -1;
}

/* The level by the word that most programs write. */
static enum log_level line_level(const struct child_lines *lines)
{
	static const struct {
		const char *word;
		enum log_level level;
	} words[] = {{"error:", LOG_LVL_ERROR}, {"warning:", LOG_LVL_WARN},
		{"info:", LOG_LVL_DEBUG}};

	for (size_t i = 0; i < countof(words); i++) {
		if (memmem(lines->line, lines->len, words[i].word,
			    strlen(words[i].word)))
			return words[i].level;
	}
	return LOG_LVL_INFO;
}

static void log_line(struct child_lines *lines)
{
	if (lines->len > 0)
		log_write(line_level(lines), "%s: %.*s", lines->name,
			(int)lines->len, lines->line);
	lines->len = 0;
}

static void add_octet(struct child_lines *lines, char c)
{
	if (c == '\n' || lines->len == sizeof(lines->line))
		log_line(lines);
	if (c != '\n' && c != '\r')
		lines->line[lines->len++] = c;
}

/* At most 16 reads a call, so that a babbler cannot hold the loop. */
bool child_lines_read(struct child_lines *lines, int fd, bool last)
{
	char buf[4096];
	ssize_t n = -1;

	for (int round = 0; fd >= 0 && round < 16; round++) {
		n = read(fd, buf, sizeof(buf));
		if (n <= 0)
			break;
		for (ssize_t i = 0; i < n; i++)
			add_octet(lines, buf[i]);
	}
	if (last)
		log_line(lines);
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}
