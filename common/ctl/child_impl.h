/* SPDX-License-Identifier: ISC */
#ifndef COMMON_CTL_CHILD_IMPL_H
#define COMMON_CTL_CHILD_IMPL_H

/* Inside of child: a process with its pidfd and output, and its lines. */

#include "common/ctl/child.h"

struct process {
	pid_t pid;     /* 0: none */
	int pidfd;     /* readable when it has ended */
	int output_fd; /* its stdout and stderr, non-blocking; -1: ours */
};

#define PROCESS_NONE ((struct process){.pid = 0, .pidfd = -1, .output_fd = -1})

/* fork and exec argv (output captured) or run entry (output: ours, captured
 * when `capture`), in a process group of its own. */
int process_start(struct process *p, const struct child_config *config,
	struct err *err) MUST_CHECK;
int process_start_captured(struct process *p, const struct child_config *config,
	struct err *err) MUST_CHECK;
void process_signal(const struct process *p, int signo);
/* Has it ended (or, `block`: wait for it)? Then its group is killed, it is
 * reaped, pid is 0 and *status is wait(2)'s. */
bool process_reap(struct process *p, bool block, int *status);
/* Wait at most `ms` for its end; it is not reaped. */
void process_wait(const struct process *p, int ms);
/* SIGKILL to it and its group, reap. */
void process_kill(struct process *p);
/* Close the descriptors. */
void process_close(struct process *p);

#define CHILD_LINE 1024
/* Output of a child cut into log lines "NAME: line"; one with "error:" or
 * "warning:" in it is logged as such, one with "info:" as debug. */
struct child_lines {
	const char *name;
	size_t len;
	char line[CHILD_LINE];
};
/* Log what is there; `last` also the line without end. False at the end. */
bool child_lines_read(struct child_lines *lines, int fd, bool last);

#endif
