/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_STATS_H
#define FRONTEND_STATS_H

/*
 * The counters of the frontend: one row of cells per worker and one for the
 * main thread. A cell is written by its owner only, read by anybody.
 */

#include "common/base/metrics.h"
#include "frontend/stats_table.h"

enum stat_id {
#define STAT_ENUM(id, name, help) id,
	STAT_TABLE(STAT_ENUM)
#undef STAT_ENUM
	STAT_TCP_OPEN,  /* gauges */
	STAT_TRANSFERS, /* now handed on, with NOTIFY and UPDATE */
	/* METRIC_BUCKETS + 1 cells, not printed as a table */
	STAT_LATENCY,
	STAT_LATENCY_SUM_US = STAT_LATENCY + METRIC_BUCKETS + 1,
	/* of these, over TCP */
	STAT_TCP_ANSWERS,
	STAT_TCP_SUM_US,
	STAT_COUNT
};

/* The cells drops_total{...} are adjacent. */
#define STAT_DROP_FIRST STAT_DROP_ACL
#define STAT_DROP_LAST  STAT_DROP_NO_SERVER

/* All cells, rows to be added with metrics_row_new. */
void stats_init(struct metrics *m);
/* An answer with this rcode left after `us` microseconds. Row's owner. */
void stats_answer(struct metrics_row *row, unsigned rcode, int64_t us);
/* The same answer went over TCP. Row's owner. */
void stats_tcp_answer(struct metrics_row *row, int64_t us);
/* Sum over the latency cells. Any thread. */
void stats_latency(const struct metrics *m, struct histogram *out);
/* The whole table and the latency as Prometheus text, own names and those
 * dnsdist_* counters that follow from them. Any thread. */
void stats_print(const struct metrics *m, struct text *out);
/* A histogram with dnsdist's bounds, in milliseconds; `labels` as a="b",... or
 * "". */
void stats_print_ms(const struct histogram *h, const char *name,
	const char *labels, struct text *out);
/* Name without prefix of a cell, e.g. "drops_total{reason=\"acl\"}". */
const char *stats_name(enum stat_id id);
/* The label "reason" of a cell, "" without; cut to `size`. */
void stats_reason(enum stat_id id, char *out, size_t size);

#endif
