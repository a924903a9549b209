/* SPDX-License-Identifier: ISC */
/*
 * Changes that take several generations: when one is done the next step
 * begins by itself, as soon as every node that it concerns has the one before.
 * That there is more to come is in the database, so a restart of mgmt goes on.
 */

#include "mgmt/push_impl.h"

#include "common/base/log.h"
#include "mgmt/change.h"

#define AGAIN_MS 1000

/* One that never joined hears nobody and is heard by nobody. */
bool push_node_is_ready(void *arg, const char *node)
{
	const struct push *push = arg;
	const struct link *link = fleet_find(push->fleet, node);

	return !link || !link->joined || link->have == push->approved;
}

bool push_has_next(struct push *push, long long generation)
{
	json_t *gen = NULL;
	bool more = !store_gen(push->store, generation, &gen, NULL) &&
		    *row_str(gen, "goal_sha256");

	json_decref(gen);
	return more;
}

/* The generation behind this one, 0: it is the newest. */
static long long child_of(struct push *push, long long generation)
{
	json_t *rows = NULL, *row;
	long long child = 0;
	size_t i;

	if (store_history(push->store, PUSH_STEPS, &rows, NULL))
		return 0;
	json_array_foreach(rows, i, row)
		if (row_int(row, "parent") == generation)
			child = row_int(row, "generation");
	json_decref(rows);
	return child;
}

long long push_follow(struct push *push, long long generation)
{
	long long next;

	for (int i = 0;
		generation && i < PUSH_STEPS && push_has_next(push, generation);
		i++) {
		next = child_of(push, generation);
		if (!next)
			break;
		generation = next;
	}
	return generation;
}

static void move_waiters(struct push *push, long long from, long long to)
{
	struct list *pos;

	list_each(pos, &push->waiters) {
		struct waiter *w = list_entry(pos, struct waiter, list);

		if (w->generation == from)
			w->generation = to;
	}
}

static int make_next(struct push *push, json_t *gen, long long *generation,
	json_t *waits, struct err *err)
{
	const struct change change = {.author = row_str(gen, "author"),
		.message = row_str(gen, "message"),
		.above = push_highest(push),
		.ready = push_node_is_ready,
		.arg = push};
	int rc = store_begin(push->store, err);

	if (rc)
		return rc;
	rc = change_next(push->store, &change, generation, waits, err);
	if (!rc)
		return store_commit(push->store, err);
	store_rollback(push->store);
	return rc;
}

void push_step_on(struct push *push)
{
	struct err err = {""};
	json_t *gen = NULL, *waits = json_array();
	long long next = 0;
	int rc;

	push->step_at = mtime_add_ms(mtime_now(), AGAIN_MS);
	rc = store_gen(push->store, push->approved, &gen, &err);
	if (!rc)
		rc = make_next(push, gen, &next, waits, &err);
	if (!rc && next) {
		move_waiters(push, push->approved, next);
		rc = push_start(push, next, push->allow_missing, &err);
	}
	if (rc)
		log_error("push: next step: generation=%lld: %s",
			push->approved, err.text);
	json_decref(push->waits);
	push->waits = waits;
	json_decref(gen);
}

void push_step_tick(struct push *push)
{
	if (push->stage == IDLE && push->more &&
		!mtime_before(mtime_now(), push->step_at))
		push_step_on(push);
}
