/* SPDX-License-Identifier: ISC */
#include "ha/pace.h"

/* The quantile is the upper bound of its bucket, so the answer errs on the
 * long side. */

uint64_t pace_min_us(const struct histogram *late)
{
	uint64_t samples = 0;

	for (size_t i = 0; i <= METRIC_BUCKETS; i++)
		samples += late->buckets[i];
	if (samples < PACE_SAMPLES)
		return 0;
	return PACE_FACTOR * histogram_quantile_us(late, 0.999);
}
