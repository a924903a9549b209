/* SPDX-License-Identifier: ISC */
/*
 * Names of one length, such as n000000001f0.bench.test: known ones by number,
 * unseen ones by the seed of the run and a counter.
 */

#include "tests/bench/load.h"

#include <errno.h>
#include <math.h>

#define DRAWS (1u << 18)

static uint64_t next_random(struct names *n)
{
	/* xorshift64*: speed counts, not secrecy */
	n->random ^= n->random >> 12;
	n->random ^= n->random << 25;
	n->random ^= n->random >> 27;
	return n->random * 0x2545f4914f6cdd1dULL;
}

static uint32_t below(struct names *n, uint32_t limit)
{
	return (uint32_t)(((next_random(n) >> 32) * limit) >> 32);
}

/* The rank at which the summed weights 1/1 + 1/2 + ... reach `sum`. */
static uint32_t rank_of(const double *sums, uint32_t count, double sum)
{
	uint32_t low = 0, high = count - 1;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (sums[mid] < sum)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int draw_all(struct names *n)
{
	double *sums = calloc(n->count, sizeof(*sums)), sum = 0;

	n->draws = calloc(DRAWS, sizeof(*n->draws));
	if (!sums || !n->draws) {
		free(sums);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < n->count; i++)
		sums[i] = sum += 1.0 / (i + 1.0);
	for (uint32_t i = 0; i < DRAWS; i++) {
		double at = (double)(next_random(n) >> 11) * 0x1p-53;

		n->draws[i] = rank_of(sums, n->count, at * sum);
	}
	free(sums);
	return 0;
}

int names_init(struct names *n, const char *text, uint32_t seed)
{
	char end;

	memset(n, 0, sizeof(*n));
	n->seed = seed;
	n->random = 0x9e3779b97f4a7c15ULL + seed;
	if (strcmp(text, "unique") == 0)
		n->pattern = NAMES_UNIQUE;
	else if (sscanf(text, "hot:%u%c", &n->count, &end) == 1)
		n->pattern = NAMES_HOT;
	else if (sscanf(text, "each:%u%c", &n->count, &end) == 1)
		n->pattern = NAMES_EACH;
	else if (sscanf(text, "zipf:%u:%u%c", &n->count, &n->fresh, &end) == 2)
		n->pattern = NAMES_ZIPF;
	else
		return -EINVAL;
	if (n->pattern != NAMES_UNIQUE && n->count == 0)
		return -EINVAL;
	return n->pattern == NAMES_ZIPF ? draw_all(n) : 0;
}

void names_fini(struct names *n)
{
	free(n->draws);
}

static void write_hex(uint8_t *out, uint64_t value, unsigned digits)
{
	static const char hex[] = "0123456789abcdef";

	while (digits-- > 0) {
		out[digits] = (uint8_t)hex[value & 15];
		value >>= 4;
	}
}

static void write_name(uint8_t *wire, char kind, uint32_t high, uint64_t low)
{
	memcpy(wire,
		"\x0cn00000000000\x05"
		"bench\x04test",
		NAME_OCTETS);
	wire[1] = (uint8_t)kind;
	write_hex(wire + 2, high, 3);
	write_hex(wire + 5, low, 8);
}

void names_next(struct names *n, uint8_t wire[NAME_OCTETS])
{
	switch (n->pattern) {
	case NAMES_HOT:
		write_name(wire, 'n', 0, below(n, n->count));
		return;
	case NAMES_EACH:
		write_name(wire, 'n', 0, n->next++ % n->count);
		return;
	case NAMES_ZIPF:
		if (below(n, 100) >= n->fresh) {
			uint32_t i = below(n, DRAWS);

			write_name(wire, 'n', 0, n->draws[i]);
			return;
		}
		break;
	case NAMES_UNIQUE:
		break;
	}
	write_name(wire, 'u', n->seed, n->next++);
}
