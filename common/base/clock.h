/* SPDX-License-Identifier: ISC */
#ifndef COMMON_BASE_CLOCK_H
#define COMMON_BASE_CLOCK_H

/*
 * Monotonic time as a struct, so that it mixes with no other number. All
 * timers, TTLs and rate limits use it; wall time is for certificates, zone
 * serials and log lines only.
 */

#include "common/base/base.h"

#include <stdbool.h>
#include <stdint.h>

struct mtime {
	int64_t us; /* CLOCK_MONOTONIC, microseconds */
};

struct mtime mtime_now(void);
/* Tests: every later mtime_now() gives `now`; us < 0 ends that. */
void mtime_set(struct mtime now);

static inline struct mtime mtime_add_us(struct mtime t, int64_t us)
{
	t.us += us;
	return t;
}

static inline struct mtime mtime_add_ms(struct mtime t, int64_t ms)
{
	return mtime_add_us(t, ms * 1000);
}

/* a - b in microseconds. */
static inline int64_t mtime_sub_us(struct mtime a, struct mtime b)
{
	return a.us - b.us;
}

static inline bool mtime_before(struct mtime a, struct mtime b)
{
	return a.us < b.us;
}

/* Wall clock, seconds since 1970. */
int64_t wall_now_s(void);
/* "2026-02-14T10:00:00+00:00"; `size` at least 26. Returns `out`. */
char *wall_format(int64_t seconds, char *out, size_t size);

#endif
