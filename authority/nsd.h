/* SPDX-License-Identifier: ISC */
#ifndef AUTHORITY_NSD_H
#define AUTHORITY_NSD_H

/*
 * NSD's control protocol, version 1, over its unix socket: one command per
 * connection, the answer is text until EOF. Written and read at the same
 * time: NSD answers each line of a bulk command with a blocking write, so a
 * client that only writes stops both. "ok" means queued, never done.
 */

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/net/loop.h"

struct nsd_call;

/* `rc` 0: an answer that is no error; -EREMOTEIO: NSD said "error ...";
 * -EPROTO: cut or empty answer; -ETIMEDOUT, -ECONNREFUSED ...: not reached.
 * `reply` is NUL-terminated. The call is over, and may not be cancelled. */
typedef void (*nsd_done)(void *arg, int rc, const char *reply, size_t len);

/*
 * Send `command` ("status", "reload x.lab"); `lines`, when not NULL, follow
 * it as the body of a bulk command ("name pattern\n" each). Both are copied.
 * At most 1000 octets of command, 2000 of a line, 64 MiB of answer. NULL with
 * err when it could not begin (then `done` is not called).
 */
struct nsd_call *nsd_call(struct loop *loop, const char *path,
	const char *command, const char *lines, int timeout_ms, nsd_done done,
	void *arg, struct err *err) MUST_CHECK;
/* End it without `done`. NULL allowed. */
void nsd_cancel(struct nsd_call *call);

/* How many lines of the answer to a bulk command are errors or warnings;
 * the first of them into err. */
size_t nsd_bulk_errors(const char *reply, struct err *err);
/* "x.y=1.5" lines of a statistics answer: calls `each` for every whole one. */
void nsd_parse_stats(const char *reply,
	void (*each)(void *arg, const char *name, double value), void *arg);

#endif
