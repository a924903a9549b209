/* SPDX-License-Identifier: ISC */
#ifndef DEPLOY_LAB_LAB_UNIT_H
#define DEPLOY_LAB_LAB_UNIT_H

/*
 * The part of a systemd unit that decides as whom a service runs and what it
 * may write: User=, Group=, UMask=, RuntimeDirectory=, StateDirectory=, their
 * modes, AmbientCapabilities=, CapabilityBoundingSet=, NoNewPrivileges=. So a
 * service in the lab has the rights of the installed one and no more. Mount
 * and system call settings are not looked at.
 */

#include "common/base/base.h"

#include <stdint.h>
#include <sys/types.h>

#define UNIT_DIRS 4

struct unit {
	char user[32], group[32];
	char runtime[UNIT_DIRS][64]; /* below /run */
	char state[UNIT_DIRS][64];   /* below /var/lib */
	mode_t umask, runtime_mode, state_mode;
	uint64_t ambient, bounding; /* bit n: capability n */
	unsigned rtprio;            /* LimitRTPRIO= */
};

/* 0, -ENOENT when there is no such file, -EINVAL with a line on stderr. */
MUST_CHECK int unit_load(const char *path, struct unit *out);

/* Make its directories, owned by its user. Root, before each start. */
MUST_CHECK int unit_make_dirs(const struct unit *u);

/* Become its user, in the child. Root. 0 or -errno. */
MUST_CHECK int unit_become(const struct unit *u);

#endif
