/* SPDX-License-Identifier: ISC */
/*
 * "show top": each worker copies what it counted between two queries, the
 * main thread adds up. Nothing is shared, so nothing is locked.
 */

#include "frontend/frontend.h"

#include <errno.h>
#include <unistd.h>

#define ROWS_DEFAULT 10
#define ROWS_MAX     200

struct view;

/* One worker's part; travels there and back. */
struct top_order {
	struct view *view;
	struct worker *worker;
	struct top *copy;
};

struct view {
	struct frontend *fe;
	struct control_call *call;
	unsigned rows, count, waiting;
	struct top_order orders[CONFIG_WORKERS_MAX];
	struct top_row table[ROWS_MAX];
};

static void view_free(struct view *v)
{
	for (unsigned i = 0; i < v->count; i++)
		top_free(v->orders[i].copy);
	free(v);
}

static json_t *row_json(const struct top_row *row, unsigned rank,
	uint64_t total, double seconds)
{
	char text[NAME_MAX_TEXT], addr[ADDR_TEXT], share[16], qps[16];
	double n = (double)row->count;

	(void)snprintf(share, sizeof(share), "%.1f%%",
		total ? 100.0 * n / (double)total : 0.0);
	(void)snprintf(qps, sizeof(qps), "%.1f", seconds > 0 ? n / seconds : 0);
	return json_pack("{s:i, s:s, s:I, s:s, s:s}", "#", (int)rank,
		row->is_name ? "name" : "client",
		row->is_name ? name_print(&row->name, text)
			     : addr_print_ip(&row->client, addr),
		"queries", (json_int_t)row->count, "share", share, "qps", qps);
}

static json_t *list_json(struct view *v, enum top_kind kind, double seconds)
{
	const struct top *tops[CONFIG_WORKERS_MAX];
	json_t *list = json_array();
	uint64_t total;
	int n;

	for (unsigned i = 0; i < v->count; i++)
		tops[i] = v->orders[i].copy;
	n = top_rank(tops, v->count, kind, v->table, v->rows, &total);
	for (int i = 0; i < n; i++)
		json_array_append_new(
			list, row_json(&v->table[i], (unsigned)i + 1, total,
				      seconds));
	return list;
}

static void answer(struct view *v)
{
	double seconds = top_seconds(v->orders[0].copy, mtime_now());

	control_ok(v->call,
		json_pack("{s:I, s:o, s:o, s:o, s:o}", "seconds",
			(json_int_t)seconds, "names",
			list_json(v, TOP_NAMES, seconds), "clients",
			list_json(v, TOP_CLIENTS, seconds), "servfail",
			list_json(v, TOP_SERVFAIL, seconds), "nxdomain",
			list_json(v, TOP_NXDOMAIN, seconds)));
}

/* Main thread. */
static void order_done(void *arg)
{
	struct top_order *order = arg;
	struct view *v = order->view;

	if (--v->waiting > 0)
		return;
	answer(v);
	view_free(v);
}

/* Worker's thread. */
static void order_run(void *arg)
{
	struct top_order *order = arg;

	top_copy(order->copy, order->worker->top);
	while (loop_post(order->view->fe->loop, order_done, order) < 0)
		(void)usleep(1000); /* memory is short */
}

static struct view *view_new(struct frontend *fe)
{
	struct view *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->fe = fe;
	for (; v->count < fe->worker_count; v->count++) {
		struct top_order *order = &v->orders[v->count];

		order->view = v;
		order->worker = fe->workers[v->count];
		order->copy = top_room();
		if (!order->copy) {
			view_free(v);
			return NULL;
		}
	}
	return v;
}

/* 0: not a number of rows. */
static unsigned parse_rows(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (!text[0])
		return ROWS_DEFAULT;
	return *end || text[0] == '-' || n > ROWS_MAX ? 0 : (unsigned)n;
}

void show_top(struct frontend *fe, struct control_call *call, const char *text)
{
	unsigned rows = parse_rows(text);
	struct view *v;

	if (rows == 0) {
		control_fail(call, "show top [ROWS]: 1 to %d", ROWS_MAX);
		return;
	}
	if (fe->policy->top_window_ms == 0) {
		control_fail(call, "top.enabled is false in the configuration");
		return;
	}
	v = view_new(fe);
	if (!v) {
		control_fail(call, "out of memory");
		return;
	}
	v->call = call;
	v->rows = rows;
	v->waiting = v->count;
	for (unsigned i = 0; i < v->count; i++)
		while (loop_post(v->orders[i].worker->loop, order_run,
			       &v->orders[i]) < 0)
			(void)usleep(1000);
}
