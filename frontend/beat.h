/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_BEAT_H
#define FRONTEND_BEAT_H

/*
 * Tells ispdns-ha on this host that we live: a thread of its own sends a
 * beat every 50 ms, or as soon after that as each worker's loop has turned
 * since the last one. The socket may be absent or go away: it is tried again.
 */

#include "common/base/err.h"
#include "common/ctl/heartbeat.h"

struct beat;

/* Sum of what the workers have done; called on the beat's thread with the
 * worker's number. */
typedef uint64_t (*beat_count_fn)(void *arg, unsigned worker);

struct beat *beat_start(const char *path, unsigned workers, beat_count_fn count,
	void *arg, struct err *err) MUST_CHECK;
/* Any thread. */
void beat_set_state(struct beat *beat, enum heartbeat_state state);
bool beat_is_connected(const struct beat *beat);
void beat_stop(struct beat *beat); /* joins and frees; NULL allowed */

#endif
