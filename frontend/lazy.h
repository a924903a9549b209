/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_LAZY_H
#define FRONTEND_LAZY_H

/*
 * Lazy health checks: a backend is not probed while real queries go well.
 * When a fifth of its last hundred ended without a good answer, probes begin,
 * and they decide. Pure.
 */

#include "frontend/health.h"

#define LAZY_RESULTS 100
#define LAZY_PERCENT 20

struct lazy {
	bool failed[LAZY_RESULTS]; /* a ring */
	unsigned at, count, failures;
	bool suspect;
};

/* In zeroed memory. These ended; of more than a ring holds its share. */
void lazy_add(struct lazy *lazy, const struct health_sample *sample);
/* A probe was good: all is well, and what was before is forgotten. */
void lazy_clear(struct lazy *lazy);

#endif
