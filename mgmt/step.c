/* SPDX-License-Identifier: ISC */
/*
 * For each router that is in both docs: take the goal, then put back what it
 * is too early for. Only the columns below are ever put back.
 */

#include "mgmt/step.h"

#include <errno.h>

#include "mgmt/model.h"

static const char *const timing[] = {"version", "interval_ms", "auth",
	"password", "accept_interval_ms", "accept_other_version", NULL};
static const char *const signing[] = {
	"hmac", "hmac_key", "hmac_also", "hmac_window_ms", NULL};

/* One router on its way. */
struct way {
	const json_t *now, *goal; /* rows */
	json_t *next;             /* begins as the goal */
};

static void keep(struct way *w, const char *const columns[])
{
	for (size_t i = 0; columns[i]; i++)
		json_object_set(w->next, columns[i],
			json_object_get(w->now, columns[i]));
}

static bool differ(const struct way *w, const char *const columns[])
{
	for (size_t i = 0; columns[i]; i++)
		if (!json_equal(json_object_get(w->now, columns[i]),
			    json_object_get(w->goal, columns[i])))
			return true;
	return false;
}

static void set_int(struct way *w, const char *column, int64_t value)
{
	json_object_set_new(w->next, column, json_integer(value));
}

static bool is_equal(const struct way *w, const char *column)
{
	return json_equal(json_object_get(w->now, column),
		json_object_get(w->goal, column));
}

/* ---- interval and version ---- */

static void step_interval(struct way *w)
{
	int64_t old = row_int(w->now, "interval_ms");
	int64_t new = row_int(w->goal, "interval_ms");

	if (old == new || row_int(w->goal, "version") != 2)
		return;
	if (row_int(w->now, "accept_interval_ms") == new) {
		set_int(w, "accept_interval_ms", old);
		return;
	}
	set_int(w, "interval_ms", old);
	set_int(w, "accept_interval_ms", new);
}

/* With the version its password and interval change too. */
static void step_version(struct way *w)
{
	if (is_equal(w, "version"))
		return;
	if (!row_bool(w->now, "accept_other_version"))
		keep(w, timing);
	json_object_set_new(w->next, "accept_other_version", json_true());
}

/* ---- signatures ---- */

static const char *const levels[] = {
	"off", "receive-only", "permissive", "enforce"};

static int level_of(const json_t *row)
{
	int level = 0;

	for (int i = 0; i < (int)countof(levels); i++)
		if (!strcmp(levels[i], row_str(row, "hmac")))
			level = i;
	return level;
}

static void step_level(struct way *w, int from, int to)
{
	int next = from + (to > from ? 1 : -1);

	if (from > 0 && next > 0) { /* with the key that is known */
		json_object_set(w->next, "hmac_key",
			json_object_get(w->now, "hmac_key"));
		json_object_set(w->next, "hmac_also",
			json_object_get(w->now, "hmac_also"));
	}
	json_object_set_new(w->next, "hmac", json_string(levels[next]));
}

static void step_key(struct way *w)
{
	int64_t old = row_int(w->now, "hmac_key");
	int64_t new = row_int(w->goal, "hmac_key");

	if (old == new)
		return;
	if (row_int(w->now, "hmac_also") == new) {
		set_int(w, "hmac_also", old);
		return;
	}
	set_int(w, "hmac_key", old);
	set_int(w, "hmac_also", new);
}

static void step_hmac(struct way *w)
{
	int from = level_of(w->now), to = level_of(w->goal);

	if (from != to)
		step_level(w, from, to);
	else if (from > 0)
		step_key(w);
}

/* ---- one router ---- */

static bool has_password(const json_t *row)
{
	return !strcmp(row_str(row, "auth"), "pass");
}

/* A router's next row. What both would send at once is sent one after the
 * other: signatures end before a password begins, and the other way round. */
static void step_row(struct way *w)
{
	if (level_of(w->now) > 0 && has_password(w->goal)) {
		keep(w, timing);
		step_hmac(w);
		return;
	}
	step_version(w);
	if (is_equal(w, "version"))
		step_interval(w);
	if (level_of(w->now) == 0 && level_of(w->goal) == 0)
		return;
	if (!is_equal(w, "version") || has_password(w->now))
		keep(w, signing);
	else
		step_hmac(w);
}

/* ---- the docs ---- */

static const json_t *find_vip(const json_t *doc, const char *vip)
{
	size_t i;
	json_t *row;

	json_array_foreach(model_rows(doc, "vip"), i, row)
		if (!strcmp(row_str(row, "vip"), vip))
			return row;
	return NULL;
}

/* Is there anything that a node could be deaf to? Version 3 learns the interval
 * from every advert. */
static bool is_delicate(const struct way *w)
{
	bool learns = row_int(w->now, "version") == 3 &&
		      is_equal(w, "version") &&
		      is_equal(w, "accept_other_version");

	return (differ(w, timing) && !learns) || differ(w, signing);
}

static bool is_member(const json_t *doc, const char *vip, const char *node)
{
	size_t i;
	json_t *row;

	json_array_foreach(model_rows(doc, "vip_node"), i, row)
		if (!strcmp(row_str(row, "vip"), vip) &&
			!strcmp(row_str(row, "node"), node))
			return true;
	return false;
}

/* Those that have it now and go on with it; who leaves it or is new hears
 * nobody. NULL: all are ready. */
static const char *late_node(const json_t *now, const json_t *goal,
	const char *vip, step_ready_fn ready, void *arg)
{
	size_t i;
	json_t *row;

	json_array_foreach(model_rows(now, "vip_node"), i, row) {
		const char *node = row_str(row, "node");

		if (!strcmp(row_str(row, "vip"), vip) &&
			is_member(goal, vip, node) && !ready(arg, node))
			return node;
	}
	return NULL;
}

static void wait_for(json_t *waits, const char *vip, const char *node)
{
	if (waits)
		json_array_append_new(waits,
			json_sprintf("vip %s: its change goes on when node %s "
				     "has the generation before (or is taken "
				     "out of it)",
				vip, node));
}

int step_doc(const json_t *now, const json_t *goal, step_ready_fn ready,
	void *arg, json_t **out, json_t *waits, struct err *err)
{
	json_t *doc = json_copy((json_t *)(uintptr_t)goal);
	json_t *rows = json_array(), *row;
	size_t i;

	json_array_foreach(model_rows(goal, "vip"), i, row) {
		const char *vip = row_str(row, "vip"), *late;
		struct way w = {.goal = row, .next = json_copy(row)};

		w.now = now ? find_vip(now, vip) : NULL;
		if (w.now && is_delicate(&w)) {
			late = late_node(now, goal, vip, ready, arg);
			if (late) {
				keep(&w, timing);
				keep(&w, signing);
				wait_for(waits, vip, late);
			} else {
				step_row(&w);
			}
		}
		json_array_append_new(rows, w.next);
	}
	if (!doc || json_object_set_new(doc, "vip", rows)) {
		json_decref(doc);
		return err_fail(err, -ENOMEM, "no memory");
	}
	*out = doc;
	return 0;
}
