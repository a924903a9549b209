/* SPDX-License-Identifier: ISC */
#ifndef COMMON_CTL_CONTROL_H
#define COMMON_CTL_CONTROL_H

/*
 * The local control socket of a daemon: one JSON object per line each way.
 *   -> {"verb":"status","args":{...}}
 *   <- {"ok":true,"result":{...}}  or  {"ok":false,"error":"one line"}
 * Unix stream socket, mode 0660. Lines up to 4 MiB, at most 16 connections,
 * 30 s idle. Main loop's thread.
 */

#include "common/base/err.h"
#include "common/net/loop.h"

#include <jansson.h>

struct control;
struct control_call; /* one request being answered */

struct control_command {
	const char *verb; /* NULL ends a table */
	/* Must call control_ok or control_fail once, now or later. `args` is
	 * borrowed, an object, valid until the reply. */
	void (*run)(void *arg, struct control_call *call, const json_t *args);
	const char *help;
};

/* Remove a stale socket (nobody accepts), refuse a live one (-EADDRINUSE).
 * `commands` may be followed by another table: control_add. */
struct control *control_new(struct loop *loop, const char *path,
	const struct control_command *commands, void *arg,
	struct err *err) MUST_CHECK;
int control_add(struct control *control, const struct control_command *commands,
	void *arg) MUST_CHECK;
void control_free(struct control *control); /* removes the socket file */

/* `result` is stolen; NULL gives {}. */
void control_ok(struct control_call *call, json_t *result);
void control_fail(struct control_call *call, const char *fmt, ...)
	PRINTF_LIKE(2, 3);

/* Client, blocking: 0 and *result (new reference) when ok; -EREMOTEIO with
 * the daemon's line in err when it said no; other negative errno when it was
 * not reached in `timeout_ms`. `args` is borrowed, may be NULL. */
int control_call_path(const char *path, const char *verb, const json_t *args,
	int timeout_ms, json_t **result, struct err *err) MUST_CHECK;

#endif
