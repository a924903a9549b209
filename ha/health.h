/* SPDX-License-Identifier: ISC */
#ifndef HA_HEALTH_H
#define HA_HEALTH_H

#include "common/base/err.h"
#include "ha/poll.h"
#include "ha/track.h"

/*
 * The ear for the daemon that serves the addresses (heartbeat.h). Three
 * signs of death: end of its connection, its pidfd, three missed beats; the
 * first two come within one wake-up. Real-time thread only after
 * health_open; no allocation there.
 */

enum {
	HEALTH_CONNS = 4
};

struct health;

struct health_conn {
	struct health *owner;
	struct poll_item sock;
	struct poll_item pidfd;
	int pid;
	bool speaks; /* has sent a valid beat */
};

struct health {
	struct poll *poll;
	struct poll_item listener;
	struct health_conn conns[HEALTH_CONNS];
	struct health_conn *current; /* whose word counts */
	struct track_beat beat;
	struct track_beat_conf conf;
	char path[108];
	uint64_t beats, malformed, deaths;
};

/* Listen at `path` (a stale socket file is replaced). -errno, err. */
int health_open(struct health *h, const char *path, struct err *err) MUST_CHECK;
/* Let `poll` drive it. */
int health_watch(struct health *h, struct poll *poll) MUST_CHECK;
void health_close(struct health *h); /* removes the file */

#endif
