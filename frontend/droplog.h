/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_DROPLOG_H
#define FRONTEND_DROPLOG_H

/*
 * Why queries are dropped, by example: workers put a few of them, of each
 * reason one per pulse at most, into a ring of their own (one writer, one
 * reader, no lock); the main thread makes at most so many lines a second of
 * them, the reason that was silent for longest first. Workers never log.
 */

#include "common/base/clock.h"
#include "common/dns/name.h"
#include "common/net/addr.h"
#include "frontend/stats.h"

#define DROPLOG_RING    32 /* a power of two */
#define DROPLOG_REASONS (STAT_DROP_LAST - STAT_DROP_FIRST + 1)
#define DROPLOG_LINE    (NAME_MAX_TEXT + 256)

struct drop_sample {
	enum stat_id why;
	bool tcp, named;
	uint16_t type;
	union addr client;
	struct name name; /* when `named` */
};

struct drop_ring {
	uint64_t told; /* reasons since the last pulse; writer only */
	_Alignas(64) uint32_t head; /* writer */
	_Alignas(64) uint32_t tail; /* reader */
	struct drop_sample samples[DROPLOG_RING];
};

/* Writer: the place to fill when a sample of this reason is wanted and there
 * is room, else NULL; then drop_ring_put. */
struct drop_sample *drop_ring_want(struct drop_ring *ring, enum stat_id why);
void drop_ring_put(struct drop_ring *ring);
/* Writer, each pulse. */
void drop_ring_pulse(struct drop_ring *ring);
/* Reader: false when it is empty. */
bool drop_ring_take(struct drop_ring *ring, struct drop_sample *out);

/* The main thread's part; zeroed at the start. */
struct droplog {
	int64_t millionths; /* of lines that are allowed now */
	struct mtime last;  /* counted up to here */
	uint64_t turn;
	struct {
		bool waiting;
		uint64_t told_at, counted;
		struct drop_sample sample;
	} reasons[DROPLOG_REASONS];
};

/* A newer sample of its reason. */
void droplog_add(struct droplog *log, const struct drop_sample *sample);
/* The next line, when there is one and `per_second` allows it; `counts` tells
 * how many were dropped since the start. */
bool droplog_line(struct droplog *log, const struct metrics *counts,
	struct mtime now, unsigned per_second, char line[DROPLOG_LINE]);

#endif
