/* SPDX-License-Identifier: ISC */
#ifndef HA_PACE_H
#define HA_PACE_H

#include "common/base/metrics.h"

/*
 * How short may the interval between adverts be on this machine? A backup
 * that ran late by a good part of it takes a living master for a dead one, so
 * PACE_FACTOR times what 999 of 1000 wake-ups of the VRRP thread stay under
 * is the shortest that is safe. Pure.
 */

enum {
	PACE_FACTOR = 20,
	PACE_SAMPLES = 1000, /* fewer say nothing about one of 1000 */
};

/* In microseconds, from how late wake-ups were; 0: not known yet. */
uint64_t pace_min_us(const struct histogram *late);

#endif
