/* SPDX-License-Identifier: ISC */
/*
 * Rows live in shared anonymous memory of their own pages: a row made before
 * fork(2) is counted in by the child and read by the parent. Each cell has
 * one writer, so relaxed loads and stores are enough (a reader sees a value
 * at most a moment old).
 */

#include "common/base/metrics.h"

#include <inttypes.h>
#include <sys/mman.h>

const uint32_t metric_bounds_us[METRIC_BUCKETS] = {
	100,
	200,
	500,
	1000,
	2000,
	5000,
	10000,
	20000,
	50000,
	100000,
	200000,
	500000,
	1000000,
	2000000,
	5000000,
	10000000,
};

void metrics_init(
	struct metrics *m, const struct metric_def *defs, size_t count)
{
	m->defs = defs;
	m->count = count;
	m->rows = NULL;
}

static size_t cells_bytes(const struct metrics *m)
{
	return (m->count ? m->count : 1) * sizeof(uint64_t);
}

void metrics_fini(struct metrics *m)
{
	while (m->rows) {
		struct metrics_row *row = m->rows;

		m->rows = row->next;
		munmap(row->cells, cells_bytes(m));
		free(row);
	}
}

struct metrics_row *metrics_row_new(struct metrics *m)
{
	struct metrics_row *row =
		aligned_alloc(_Alignof(struct metrics_row), sizeof(*row));
	void *cells;

	if (!row)
		return NULL;
	cells = mmap(NULL, cells_bytes(m), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (cells == MAP_FAILED) {
		free(row);
		return NULL;
	}
	row->cells = cells;
	row->next = m->rows;
	m->rows = row;
	return row;
}

uint64_t metrics_read(const struct metrics *m, size_t id)
{
	uint64_t sum = 0;

	for (const struct metrics_row *row = m->rows; row; row = row->next)
		sum += __atomic_load_n(&row->cells[id], __ATOMIC_RELAXED);
	return sum;
}

void metrics_family(
	struct text *out, const char *name, const char *type, const char *help)
{
	int len = (int)strcspn(name, "{");

	text_add(out, "# HELP %.*s %s\n", len, name, help);
	text_add(out, "# TYPE %.*s %s\n", len, name, type);
}

static bool same_family(const char *a, const char *b)
{
	size_t len = strcspn(a, "{");

	return len == strcspn(b, "{") && memcmp(a, b, len) == 0;
}

void metrics_print(const struct metrics *m, struct text *out)
{
	for (size_t i = 0; i < m->count; i++) {
		const struct metric_def *def = &m->defs[i];

		if (i == 0 || !same_family(def[-1].name, def->name))
			metrics_family(out, def->name,
				def->kind == METRIC_GAUGE ? "gauge" : "counter",
				def->help);
		text_add(
			out, "%s %" PRIu64 "\n", def->name, metrics_read(m, i));
	}
}

void metrics_label(struct text *out, const char *value)
{
	for (const char *p = value; *p != '\0'; p++) {
		if (*p == '\n')
			text_add_bytes(out, "\\n", 2);
		else if (*p == '\\' || *p == '"')
			text_add(out, "\\%c", *p);
		else
			text_add_bytes(out, p, 1);
	}
}

static void bump(uint64_t *cell, uint64_t n)
{
	__atomic_store_n(cell, __atomic_load_n(cell, __ATOMIC_RELAXED) + n,
		__ATOMIC_RELAXED);
}

void histogram_add(struct histogram *h, uint64_t us)
{
	size_t i = 0;

	while (i < METRIC_BUCKETS && us > metric_bounds_us[i])
		i++;
	bump(&h->buckets[i], 1);
	bump(&h->sum_us, us);
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
	for (size_t i = 0; i <= METRIC_BUCKETS; i++)
		into->buckets[i] +=
			__atomic_load_n(&from->buckets[i], __ATOMIC_RELAXED);
	into->sum_us += __atomic_load_n(&from->sum_us, __ATOMIC_RELAXED);
}

void histogram_print(const struct histogram *h, const char *name,
	const char *labels, struct text *out)
{
	const char *comma = *labels ? "," : "";
	const char *open = *labels ? "{" : "";
	const char *close = *labels ? "}" : "";
	uint64_t count = 0;

	for (size_t i = 0; i < METRIC_BUCKETS; i++) {
		count += h->buckets[i];
		text_add(out, "%s_bucket{%s%sle=\"%g\"} %" PRIu64 "\n", name,
			labels, comma, metric_bounds_us[i] / 1e6, count);
	}
	count += h->buckets[METRIC_BUCKETS];
	text_add(out, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", name, labels,
		comma, count);
	text_add(out, "%s_sum%s%s%s %.6f\n", name, open, labels, close,
		(double)h->sum_us / 1e6);
	text_add(out, "%s_count%s%s%s %" PRIu64 "\n", name, open, labels, close,
		count);
}

uint64_t histogram_quantile_us(const struct histogram *h, double q)
{
	uint64_t total = 0, seen = 0;

	for (size_t i = 0; i <= METRIC_BUCKETS; i++)
		total += h->buckets[i];
	if (total == 0)
		return 0;
	for (size_t i = 0; i < METRIC_BUCKETS; i++) {
		seen += h->buckets[i];
		if ((double)seen >= q * (double)total)
			return metric_bounds_us[i];
	}
	return metric_bounds_us[METRIC_BUCKETS - 1];
}
