/* SPDX-License-Identifier: ISC */
/* Both clocks of the house; a test may stop the monotonic one. */

#include "common/base/clock.h"

#include <time.h>

static int64_t fixed_us = -1; /* < 0: the real clock */

struct mtime mtime_now(void)
{
	int64_t us = __atomic_load_n(&fixed_us, __ATOMIC_RELAXED);
	struct timespec ts;

	if (us < 0) {
		clock_gettime(CLOCK_MONOTONIC, &ts);
		us = (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
	}
	return (struct mtime){us};
}

void mtime_set(struct mtime now)
{
	__atomic_store_n(&fixed_us, now.us, __ATOMIC_RELAXED);
}

int64_t wall_now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec;
}

char *wall_format(int64_t seconds, char *out, size_t size)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (!gmtime_r(&t, &tm) ||
		strftime(out, size, "%Y-%m-%dT%H:%M:%S+00:00", &tm) == 0)
		snprintf(out, size, "@%lld", (long long)seconds);
	return out;
}
