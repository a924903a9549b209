/* SPDX-License-Identifier: ISC */
#ifndef COMMON_SERVE_BAN_H
#define COMMON_SERVE_BAN_H

/*
 * Clients that get no TCP connection for a while: a fixed table, found by a
 * keyed hash of the address, which is the identity. When it is full, the
 * client whose time is over first makes room. One thread.
 */

#include "common/base/clock.h"

#define BANS     1024
#define BAN_WAYS 4

struct bans {
	struct {
		uint64_t client; /* 0: free */
		struct mtime until;
	} slots[BANS];
};

/* In zeroed memory. `client`: the hash. */
void bans_add(struct bans *b, uint64_t client, struct mtime until);
bool bans_hold(const struct bans *b, uint64_t client, struct mtime now);

#endif
