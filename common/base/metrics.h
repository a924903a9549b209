/* SPDX-License-Identifier: ISC */
#ifndef COMMON_BASE_METRICS_H
#define COMMON_BASE_METRICS_H

/*
 * Counters declared by a table, one row of cells per thread or process, so
 * that counting is a plain add; summed when read. Printed as Prometheus text
 * (version 0.0.4) or looked up by name for `stats`.
 */

#include "common/base/buf.h"

#include <stdint.h>

enum metric_kind {
	METRIC_COUNTER,
	METRIC_GAUGE
};

/* One cell. `name` may hold labels: "x_total{reason=\"acl\"}"; rows of one
 * family (same text before '{') must be adjacent in the table. */
struct metric_def {
	const char *name;
	enum metric_kind kind;
	const char *help;
};

/* One row of cells: written by its owner only, read by any thread. */
struct metrics_row {
	_Alignas(64) uint64_t *cells;
	struct metrics_row *next;
};

struct metrics {
	const struct metric_def *defs;
	size_t count;
	struct metrics_row *rows;
};

void metrics_init(
	struct metrics *m, const struct metric_def *defs, size_t count);
void metrics_fini(struct metrics *m); /* frees its rows too */
/* A new row, owned by `m`. Before start of threads. NULL: no memory. */
struct metrics_row *metrics_row_new(struct metrics *m) MUST_CHECK;

static inline void metric_add(struct metrics_row *row, size_t id, uint64_t n)
{
	__atomic_store_n(&row->cells[id],
		__atomic_load_n(&row->cells[id], __ATOMIC_RELAXED) + n,
		__ATOMIC_RELAXED);
}

static inline void metric_inc(struct metrics_row *row, size_t id)
{
	metric_add(row, id, 1);
}

static inline void metric_set(struct metrics_row *row, size_t id, uint64_t v)
{
	__atomic_store_n(&row->cells[id], v, __ATOMIC_RELAXED);
}

/* Sum over the rows. Any thread. */
uint64_t metrics_read(const struct metrics *m, size_t id);
/* All cells as Prometheus text, with # HELP and # TYPE once per family. */
void metrics_print(const struct metrics *m, struct text *out);
/* One family header, for values that are not in a table. */
void metrics_family(
	struct text *out, const char *name, const char *type, const char *help);
/* A label value with \ " and newline escaped. */
void metrics_label(struct text *out, const char *value);

/* Histogram with fixed bounds in microseconds, 100 us .. 10 s. */
#define METRIC_BUCKETS 16
extern const uint32_t metric_bounds_us[METRIC_BUCKETS];
struct histogram {
	uint64_t buckets[METRIC_BUCKETS + 1]; /* last: over all bounds */
	uint64_t sum_us;
};
void histogram_add(struct histogram *h, uint64_t us);
void histogram_merge(struct histogram *into, const struct histogram *from);
/* As <name>_bucket{<labels>,le="seconds"} ... _sum _count, in seconds.
 * `labels` is "" or "a=\"b\"". */
void histogram_print(const struct histogram *h, const char *name,
	const char *labels, struct text *out);
/* The bound under which `q` (0..1) of the samples lie, microseconds. */
uint64_t histogram_quantile_us(const struct histogram *h, double q);

#endif
