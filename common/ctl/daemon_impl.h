/* SPDX-License-Identifier: ISC */
#ifndef COMMON_CTL_DAEMON_IMPL_H
#define COMMON_CTL_DAEMON_IMPL_H

/* Inside of the daemon frame: daemon.c (main), daemon_change.c (prepare,
 * commit, reload), daemon_verbs.c (control), daemon_client.c, notify.c. */

#include "config.h"

#include "common/ctl/daemon.h"

#define DAEMON_PATH 4096

enum change_state {
	CHANGE_NONE,
	CHANGE_PREPARING,  /* the daemon works on it */
	CHANGE_PREPARED,   /* waits for commit or discard */
	CHANGE_COMMITTING, /* the daemon switches */
};

/* One change on its way; see daemon_change.c. */
struct change {
	enum change_state state;
	struct conf *conf;
	void *next;
	long long generation;
	char path[DAEMON_PATH];
	bool reload;               /* commits by itself */
	bool discard;              /* wanted while it was being prepared */
	struct control_call *call; /* who waits for the outcome; or NULL */
	struct control_call *discard_call;
};

struct daemon {
	const struct daemon_ops *ops;
	struct loop *loop;
	struct control *control;
	struct conf *conf; /* running */
	void *state;
	long long generation;
	char path[DAEMON_PATH]; /* file of the running configuration */
	const char *config_arg; /* --config; NULL: search */
	char control_path[108];
	char restart_needed[512]; /* key whose change waits for a restart */
	struct change change;
	struct timer *watchdog, *stop_timer;
	int64_t watchdog_us;
	struct mtime started;
	int64_t started_wall_s;
	unsigned reloads, reload_failures;
	bool hold_ready, ready, draining, stopping, stopped;
	int status; /* exit status */
};

/* The i-th place where the configuration may be (NULL: no more), and the
 * generation that place stands for (0: none). */
const char *daemon_candidate(
	const struct daemon *d, int i, char out[DAEMON_PATH]);
long long daemon_path_generation(const char *path);
/* Read and check `path`. */
struct conf *daemon_read(const struct daemon_ops *ops, const char *path,
	struct err *err) MUST_CHECK;

/* Start a change; `call` may be NULL (SIGHUP). Answers it, now or later. */
void change_prepare(struct daemon *d, const char *path, long long generation,
	struct control_call *call);
void change_commit(
	struct daemon *d, long long generation, struct control_call *call);
void change_discard(struct daemon *d, struct control_call *call);
void change_reload(struct daemon *d, struct control_call *call);
/* At the end of the program. */
void change_drop(struct daemon *d);

extern const struct control_command daemon_commands[];

/* argv[at] is a verb: ask the running daemon and print. The exit status. */
int daemon_client(const struct daemon_ops *ops, const char *control_path,
	int argc, char **argv, int at, bool json);

/* Take $NOTIFY_SOCKET, $WATCHDOG_USEC out of the environment; gives the
 * watchdog's period or 0. */
int64_t notify_init(void);

#endif
