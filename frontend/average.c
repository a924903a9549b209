/* SPDX-License-Identifier: ISC */
/*
 * n answers of mean m move an average over N of them as far as n single steps
 * of 1/N would, had each taken m.
 */

#include "frontend/average.h"

const uint32_t average_spans[AVERAGES] = {100, 1000, 10000, 1000000};

static double power(double base, uint64_t n)
{
	double result = 1;

	for (; n > 0; n >>= 1, base *= base)
		if (n & 1)
			result *= base;
	return result;
}

void average_step(struct average *a, uint64_t count, uint64_t sum_us)
{
	uint64_t n = count - a->count;
	double mean;

	if (n == 0)
		return;
	mean = (double)(sum_us - a->sum_us) / (double)n;
	for (unsigned i = 0; i < AVERAGES; i++) {
		double keep = power(1 - 1.0 / average_spans[i], n);

		a->us[i] = a->us[i] * keep + mean * (1 - keep);
	}
	a->count = count;
	a->sum_us = sum_us;
}
