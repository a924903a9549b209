/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_AVERAGE_H
#define FRONTEND_AVERAGE_H

/*
 * Latency averaged over about the last 100, 1000, 10000 and 1000000 answers,
 * as dnsdist's latency-avg: from sums that are kept anyway, so it costs
 * nothing per query. Pure.
 */

#include <stdint.h>

#define AVERAGES 4

struct average {
	uint64_t count, sum_us; /* as last seen */
	double us[AVERAGES];
};

/* How many answers each of them covers. */
extern const uint32_t average_spans[AVERAGES];

/* Answers and the time they took together, since the start. */
void average_step(struct average *a, uint64_t count, uint64_t sum_us);

#endif
