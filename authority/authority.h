/* SPDX-License-Identifier: ISC */
#ifndef AUTHORITY_AUTHORITY_H
#define AUTHORITY_AUTHORITY_H

/* The daemon's life: start from disk, prepare, commit, watch, stop. */

#include "common/ctl/daemon.h"

/* Members of daemon_ops; see there. */
int authority_start(struct daemon *d, const struct conf *conf, void **state,
	struct err *err);
void authority_prepare(struct daemon *d, void *state, const struct conf *conf);
bool authority_commit(struct daemon *d, void *state, void *next);
void authority_discard(struct daemon *d, void *state, void *next);
void authority_drain(struct daemon *d, void *state, bool on);
void authority_status(void *state, json_t *out);
void authority_stats(void *state, json_t *out);
void authority_stop(struct daemon *d, void *state);
void authority_free(void *state);
extern const struct control_command authority_commands[];

#endif
