/* SPDX-License-Identifier: ISC */
#ifndef DEPLOY_LAB_LAB_SVC_H
#define DEPLOY_LAB_LAB_SVC_H

/*
 * The services of one lab host: a table of commands that are kept running
 * with the semantics of systemd's Restart=always, RestartSec=1s,
 * ConditionPathExists= and KillMode=control-group. Used by the one thread of
 * the host's pid 1; times are milliseconds of CLOCK_MONOTONIC.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define SVC_MAX      24
#define SVC_ARGS_MAX 40

enum svc_state {
	SVC_STOPPED,  /* by order, stays so until svc_start */
	SVC_WAITING,  /* its condition file does not exist yet */
	SVC_RUNNING,  /* main process alive */
	SVC_STOPPING, /* SIGTERM sent, SIGKILL follows at due_ms */
	SVC_BACKOFF,  /* died, starts again at due_ms */
};

struct svc {
	char name[32];
	char line[1024];          /* what argv points into */
	char *argv[SVC_ARGS_MAX]; /* NULL-terminated */
	const char *cond;         /* path, or NULL */
	bool autostart;
	bool frozen;
	bool ready; /* said READY=1 since its last start */
	bool again; /* start once more when stopped (restart) */
	enum svc_state state;
	pid_t pid;  /* 0 when there is no main process */
	int status; /* of waitpid, when it ended last */
	unsigned starts;
	int64_t since_ms; /* of the last change of state */
	int64_t due_ms;   /* SVC_STOPPING, SVC_BACKOFF */
};

int64_t svc_now_ms(void);

/*
 * Add one service from `NAME CONDITION|- auto|manual COMMAND ARG...`. Words
 * are separated by blanks, no quoting. 0, -EINVAL, -EEXIST or -ENOSPC.
 */
int svc_add(const char *line);

/* svc_add() every line of a file; blank lines and `#` comments are skipped. */
int svc_load(const char *path);

/* The service of that name, or NULL. Valid until the process ends. */
struct svc *svc_find(const char *name);

/*
 * From now on service NAME runs with the rights of UNITS/ispdns-NAME.service
 * where that exists; the others as root.
 */
void svc_set_units(const char *units);

/* Standard output and error of services go to `NAME.log` in this directory. */
void svc_set_log_dir(int dirfd);

void svc_start(struct svc *s);
void svc_stop(struct svc *s);
void svc_restart(struct svc *s);

/* Send a signal to every process of the service, not to its main one alone. */
void svc_signal(struct svc *s, int sig);

/* A child was reaped. Processes that are no main process are ignored. */
void svc_reaped(pid_t pid, int status);

/* The process `pid` said READY=1; any process of the service may say so. */
void svc_ready(pid_t pid);

/* Start what is due. Milliseconds until it wants to be called again. */
int svc_tick(void);

void svc_stop_all(void);
bool svc_all_stopped(void);

/* One line of JSON for each service, or for that one alone. */
void svc_print(FILE *out, const char *name);

#endif
