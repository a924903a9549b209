/* SPDX-License-Identifier: ISC */
/*
 * A context that is replaced keeps its questions under way: it is freed when
 * the last one has ended.
 */

#include "resolver/engines.h"

#include <errno.h>

#define RETIRED  8 /* contexts that still have work */
#define CHECK_MS 500

struct forgotten {
	struct name name;
	bool below; /* all names below it too */
	struct mtime until;
};

struct engines {
	struct loop *loop;
	const char *text;
	engine_done done;
	void *arg;
	struct engine *main, *side; /* side: NULL until it is needed */
	struct engine *retired[RETIRED];
	struct timer *timer;
	struct forgotten forgotten[ENGINES_FORGOTTEN];
	unsigned count;
};

/* --- retired contexts --- */

static bool free_idle(struct engines *e)
{
	bool left = false;

	for (unsigned i = 0; i < RETIRED; i++) {
		if (!e->retired[i])
			continue;
		if (engine_inflight(e->retired[i]) > 0) {
			left = true;
			continue;
		}
		engine_free(e->retired[i]);
		e->retired[i] = NULL;
		engine_log_again(e->main);
	}
	return left;
}

static void on_check(void *arg)
{
	struct engines *e = arg;

	if (free_idle(e))
		timer_set_ms(e->timer, CHECK_MS);
}

/* A free place for a retired context, or NULL. */
static struct engine **retired_slot(struct engines *e)
{
	free_idle(e);
	for (unsigned i = 0; i < RETIRED; i++)
		if (!e->retired[i])
			return &e->retired[i];
	return NULL;
}

/* Put a fresh context in the place of *which. */
static int replace(struct engines *e, struct engine **which, struct err *err)
{
	struct engine **slot = retired_slot(e), *fresh;

	if (!slot)
		return err_fail(err, -EBUSY,
			"too many flushes while lookups are under way");
	fresh = engine_new(e->loop, e->text, e->done, e->arg, err);
	if (!fresh)
		return -ENOMEM;
	*slot = *which;
	*which = fresh;
	/* Freed later in any case: we may be below one of its callbacks. */
	timer_set_ms(e->timer, CHECK_MS);
	return 0;
}

/* --- forgotten names --- */

static bool covers(const struct forgotten *f, const uint8_t *name)
{
	return f->below ? name_under(name, f->name.wire)
			: name_equal(name, f->name.wire);
}

static void drop_expired(struct engines *e, struct mtime now)
{
	for (unsigned i = 0; i < e->count;) {
		if (mtime_before(now, e->forgotten[i].until))
			i++;
		else
			e->forgotten[i] = e->forgotten[--e->count];
	}
}

static bool is_forgotten(struct engines *e, const uint8_t *name)
{
	struct mtime now;

	if (e->count == 0)
		return false;
	now = loop_now(e->loop);
	for (unsigned i = 0; i < e->count; i++)
		if (mtime_before(now, e->forgotten[i].until) &&
			covers(&e->forgotten[i], name))
			return true;
	return false;
}

static int add_forgotten(
	struct engines *e, const struct forgotten *f, struct err *err)
{
	for (unsigned i = 0; i < e->count; i++) {
		struct forgotten *old = &e->forgotten[i];

		if (old->below == f->below &&
			name_equal(old->name.wire, f->name.wire)) {
			old->until = f->until;
			return 0;
		}
	}
	if (e->count == ENGINES_FORGOTTEN)
		return err_fail(err, -ENOSPC,
			"%d names are flushed already: flush all instead",
			ENGINES_FORGOTTEN);
	e->forgotten[e->count++] = *f;
	return 0;
}

int engines_forget(struct engines *e, enum flush_what what,
	const struct name *name, int64_t keep_ms, struct err *err)
{
	struct forgotten f = {.below = what == FLUSH_SUFFIX,
		.until = mtime_add_ms(loop_now(e->loop), keep_ms)};
	int rc;

	if (what == FLUSH_ALL) {
		rc = replace(e, &e->main, err);
		if (rc == 0)
			e->count = 0;
		return rc;
	}
	f.name = *name;
	drop_expired(e, loop_now(e->loop));
	rc = replace(e, &e->side, err);
	return rc < 0 ? rc : add_forgotten(e, &f, err);
}

int engines_resolve(struct engines *e, const struct question *q, uint64_t token)
{
	struct engine *engine = e->main;

	if (is_forgotten(e, q->name))
		engine = e->side;
	return engine_resolve(engine, q, token);
}

/* --- the whole --- */

struct engines *engines_new(struct loop *loop, const char *text,
	engine_done done, void *arg, struct err *err)
{
	struct engines *e = calloc(1, sizeof(*e));

	if (!e) {
		err_set(err, "out of memory");
		return NULL;
	}
	e->loop = loop;
	e->text = text;
	e->done = done;
	e->arg = arg;
	e->main = engine_new(loop, text, done, arg, err);
	if (!e->main)
		goto fail;
	e->timer = timer_new(loop, on_check, e);
	if (e->timer)
		return e;
	err_set(err, "out of memory");
fail:
	engines_free(e);
	return NULL;
}

void engines_set_text(struct engines *e, const char *text)
{
	e->text = text;
}

void engines_free(struct engines *e)
{
	if (!e)
		return;
	for (unsigned i = 0; i < RETIRED; i++)
		engine_free(e->retired[i]);
	engine_free(e->side);
	engine_free(e->main);
	timer_free(e->timer);
	free(e);
}
