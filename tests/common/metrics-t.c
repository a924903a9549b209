/* SPDX-License-Identifier: ISC */
/* Counters over rows and processes, the Prometheus text, histograms. */

#include "common/base/metrics.h"

#include "tests/tap/failmem.h"
#include "tests/tap/tap.h"

#include <sys/wait.h>
#include <unistd.h>

enum {
	QUERIES,
	DROP_ACL,
	DROP_ANY,
	UP
};

static const struct metric_def defs[] = {
	[QUERIES] = {"x_queries_total", METRIC_COUNTER, "Queries."},
	[DROP_ACL] = {"x_drop_total{reason=\"acl\"}", METRIC_COUNTER, "Drops."},
	[DROP_ANY] = {"x_drop_total{reason=\"any\"}", METRIC_COUNTER, "Drops."},
	[UP] = {"x_up", METRIC_GAUGE, "Up."},
};

static void test_rows(void)
{
	struct metrics m;
	struct metrics_row *a, *b;
	struct text out;
	int status;

	metrics_init(&m, defs, countof(defs));
	a = metrics_row_new(&m);
	b = metrics_row_new(&m);
	if (!a || !b)
		tap_bail("no memory");
	metric_inc(a, QUERIES);
	metric_add(b, QUERIES, 10);
	metric_inc(b, DROP_ANY);
	metric_set(a, UP, 1);
	is_int((long long)metrics_read(&m, QUERIES), 11, "sum over the rows");
	if (fork() == 0) {
		metric_add(b, QUERIES, 100);
		_exit(0);
	}
	wait(&status);
	is_int((long long)metrics_read(&m, QUERIES), 111,
		"a child counts in the row it was given");
	text_init(&out);
	metrics_print(&m, &out);
	is_string(out.data,
		"# HELP x_queries_total Queries.\n"
		"# TYPE x_queries_total counter\n"
		"x_queries_total 111\n"
		"# HELP x_drop_total Drops.\n"
		"# TYPE x_drop_total counter\n"
		"x_drop_total{reason=\"acl\"} 0\n"
		"x_drop_total{reason=\"any\"} 1\n"
		"# HELP x_up Up.\n"
		"# TYPE x_up gauge\n"
		"x_up 1\n",
		"Prometheus text");
	text_fini(&out);
	metrics_fini(&m);
	ok(m.rows == NULL, "fini frees the rows");

	failmem_after(0);
	ok(metrics_row_new(&m) == NULL, "no memory, no row");
	failmem_off();
}

static void test_label(void)
{
	struct text out;

	text_init(&out);
	metrics_label(&out, "a\"b\\c\nd");
	is_string(out.data, "a\\\"b\\\\c\\nd", "label escaped");
	text_fini(&out);
}

static void test_histogram(void)
{
	struct histogram h = {{0}, 0}, sum = {{0}, 0};
	struct text out;

	is_int((long long)histogram_quantile_us(&h, 0.5), 0, "no samples");
	for (int i = 0; i < 90; i++)
		histogram_add(&h, 150);
	for (int i = 0; i < 9; i++)
		histogram_add(&h, 5000);
	histogram_add(&h, 60000000);
	is_int((long long)histogram_quantile_us(&h, 0.5), 200, "median");
	is_int((long long)histogram_quantile_us(&h, 0.95), 5000, "p95");
	is_int((long long)histogram_quantile_us(&h, 1), 10000000,
		"over all bounds: the last");
	histogram_merge(&sum, &h);
	histogram_merge(&sum, &h);
	is_int((long long)sum.buckets[1], 180, "merged");
	text_init(&out);
	histogram_print(&h, "t", "p=\"rec\"", &out);
	ok(strstr(out.data, "t_bucket{p=\"rec\",le=\"0.0001\"} 0\n") != NULL,
		"first bucket");
	ok(strstr(out.data, "t_bucket{p=\"rec\",le=\"0.005\"} 99\n") != NULL,
		"buckets are cumulative");
	ok(strstr(out.data, "t_bucket{p=\"rec\",le=\"+Inf\"} 100\n") != NULL,
		"last bucket");
	ok(strstr(out.data, "t_sum{p=\"rec\"} 60.058500\n") != NULL, "sum");
	text_fini(&out);
	histogram_print(&h, "t", "", &out);
	ok(strstr(out.data, "t_bucket{le=\"10\"} 99\n") != NULL, "no labels");
	ok(strstr(out.data, "\nt_count 100\n") != NULL, "count");
	text_fini(&out);
}

int main(void)
{
	test_rows();
	test_label();
	test_histogram();
	return tap_done();
}
