/* SPDX-License-Identifier: ISC */
#ifndef COMMON_CTL_DAEMON_H
#define COMMON_CTL_DAEMON_H

/*
 * The main of every daemon: arguments, configuration (current, previous,
 * /etc), log, control socket, readiness (one datagram to $NOTIFY_SOCKET),
 * watchdog, signals, reload, and the two-step change prepare -> commit or
 * discard that the node's agent drives.
 *
 *   NAME [--config FILE] [--control PATH] [--log-level LEVEL]
 *   NAME --check [FILE]       0 and "FILE: ok", or 1 and FILE:LINE: why
 *   NAME --version | --help | --print-config-reference
 *   NAME VERB [ARG ...] [--json]   ask the running daemon (control socket)
 *
 * An ARG "key=value" becomes a member of the call's args (integers and
 * true/false as such), other words go into its array "words".
 */

#include "common/ctl/conf.h"
#include "common/ctl/control.h"
#include "common/net/loop.h"

struct daemon; /* the frame */

struct daemon_ops {
	const char *name;    /* "ispdns-frontend" */
	const char *part;    /* "frontend": file, socket and folder name */
	const char *summary; /* one line for --help */
	/* The one configuration file without --config, in place of the search
	 * in current, previous and /etc; NULL: search. */
	const char *config_file;
	const struct schema_item *schema;
	const char *version_extra; /* e.g. libunbound's version; may be NULL */
	/* Every key has a default that suits: start without any file too. */
	bool config_optional;

	/* Checks beyond the schema (references); no side effects. NULL: none.
	 */
	int (*check)(const struct conf *conf, struct err *err);
	/* Build and start everything. *state is handed to the others. */
	int (*start)(struct daemon *d, const struct conf *conf, void **state,
		struct err *err);
	/* Build what the new configuration needs, without effect on what runs.
	 * Calls daemon_prepared(d, new, err) once, now or later. `conf` stays
	 * valid until commit or discard, and after commit until the next. */
	void (*prepare)(struct daemon *d, void *state, const struct conf *conf);
	/* Switch to `next`; must not fail. May finish later: then it returns
	 * false and calls daemon_committed(d, err) (err set: it went back). */
	bool (*commit)(struct daemon *d, void *state, void *next);
	void (*discard)(struct daemon *d, void *state, void *next);
	/* drain/undrain verbs; NULL: not offered. */
	void (*drain)(struct daemon *d, void *state, bool on);
	/* Add members to the answer of status / stats (an object). */
	void (*status)(void *state, json_t *out);
	void (*stats)(void *state, json_t *out);
	/* Begin to stop (SIGTERM): call daemon_stopped(d) when done. NULL: at
	 * once. A second SIGTERM or 20 s end the wait. */
	void (*stop)(struct daemon *d, void *state);
	void (*free)(void *state);
	/* The daemon's own verbs; run gets `state`. NULL: none. */
	const struct control_command *commands;
	/* Turn a verb's reply to text for a person; false: print JSON. */
	bool (*render)(const char *verb, const json_t *result);
	/* Extra arguments such as --cleanup: >= 0 ends the program with it. */
	int (*option)(int argc, char **argv);
};

/* JSON as text for a person: "key  value" lines, tables for arrays. For
 * `render`. */
void daemon_render(const json_t *value, int indent, FILE *out);

/* The whole program. Returns the exit status. */
int daemon_main(int argc, char **argv, const struct daemon_ops *ops);

struct loop *daemon_loop(struct daemon *d);
const struct conf *daemon_conf(struct daemon *d);
/* Generation of the running configuration, 0 when none was told. */
long long daemon_generation(struct daemon *d);
/* That of the change being prepared (or committed); 0: none told. */
long long daemon_next_generation(struct daemon *d);
/* Called in start: READY is told to systemd only when daemon_ready is called
 * (once what start began is up). Until then `status` says "starting". */
void daemon_hold_ready(struct daemon *d);
void daemon_ready(struct daemon *d);
void daemon_prepared(struct daemon *d, void *next, const struct err *err);
void daemon_committed(struct daemon *d, const struct err *err);
void daemon_stopped(struct daemon *d);
/* End with failure (logged): for what cannot be survived. */
void daemon_fail(struct daemon *d, const char *why);
/* Tell systemd one more line, e.g. "STATUS=...". */
void daemon_notify(const char *text);

#endif
