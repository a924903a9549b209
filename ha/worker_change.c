/* SPDX-License-Identifier: ISC */
#include "ha/worker_impl.h"

#include "common/base/clock.h"

/*
 * A change of configuration: what is new is made beforehand by the main
 * thread, then everything is switched between two rounds of the real-time
 * thread. A router that stays keeps its state machine and its timers.
 */

struct worker_change {
	struct worker *worker;
	const struct config *next;
	struct instance *instances[CONFIG_INSTANCES]; /* new ones only */
	struct instance *gone[CONFIG_INSTANCES];
	size_t gone_count;
	struct anycast_change anycast;
};

static struct instance *find_router(
	struct worker *w, const struct config_instance *conf)
{
	for (size_t i = 0; i < w->count; i++)
		if (config_same_router(&w->instances[i]->conf, conf))
			return w->instances[i];
	return NULL;
}

struct worker_change *worker_prepare(
	struct worker *w, const struct config *next, struct err *err)
{
	struct worker_change *c = calloc(1, sizeof(*c));

	if (!c) {
		err_set(err, "out of memory");
		return NULL;
	}
	c->worker = w;
	c->next = next;
	for (size_t i = 0; i < next->instance_count; i++) {
		if (find_router(w, &next->instances[i]))
			continue;
		c->instances[i] = worker_make(w, &next->instances[i], err);
		if (!c->instances[i]) {
			worker_discard(c);
			return NULL;
		}
		c->instances[i]->resume = c->instances[i]->late = false;
	}
	if (worker_anycast_prepare(w, &c->anycast, next, err) < 0) {
		worker_discard(c);
		return NULL;
	}
	return c;
}

void worker_discard(struct worker_change *change)
{
	if (!change)
		return;
	for (size_t i = 0; i < CONFIG_INSTANCES; i++) {
		if (!change->instances[i])
			continue;
		keep_forget(change->instances[i]->keep);
		instance_free(change->instances[i]);
	}
	worker_anycast_done(&change->anycast);
	free(change);
}

static bool is_listed(
	const struct worker *w, size_t count, const struct instance *in)
{
	for (size_t i = 0; i < count; i++)
		if (w->instances[i] == in)
			return true;
	return false;
}

/* One that has another VRID or link now leaves its role to the new one. */
static void hand_on(struct worker_change *c, struct instance *old, int64_t now)
{
	for (size_t i = 0; i < c->next->instance_count; i++)
		if (c->instances[i] &&
			instance_is_renamed(old, &c->next->instances[i]))
			instance_inherit(c->instances[i], old, now);
}

/* On the real-time thread. Old ones that are not in the new list say goodbye
 * first, since a new one may take over their addresses. */
static void switch_over(struct worker *w, void *arg)
{
	struct worker_change *c = arg;
	struct instance *old[CONFIG_INSTANCES], *list[CONFIG_INSTANCES];
	size_t old_count = w->count;
	int64_t now = mtime_now().us;
	bool drained = keep_drained(w->keep);

	memcpy(old, w->instances, sizeof(old));
	for (size_t i = 0; i < c->next->instance_count; i++)
		list[i] = c->instances[i]
				  ? c->instances[i]
				  : find_router(w, &c->next->instances[i]);
	w->count = c->next->instance_count;
	memcpy(w->instances, list, w->count * sizeof(list[0]));
	for (size_t i = 0; i < old_count; i++) {
		if (is_listed(w, w->count, old[i]))
			continue;
		hand_on(c, old[i], now);
		instance_close(old[i], now);
		c->gone[c->gone_count++] = old[i];
	}
	w->env.config = c->next;
	for (size_t i = 0; i < w->count; i++) {
		if (c->instances[i])
			instance_drain(w->instances[i], drained);
		else
			instance_reconf(
				w->instances[i], &c->next->instances[i], now);
	}
	worker_anycast_switch(w, &c->anycast, c->next, drained);
	kernel_look(w->kernel);
}

void worker_commit(struct worker *w, struct worker_change *change)
{
	int64_t end = mtime_now().us + CHANGE_US;

	worker_call(w, switch_over, change);
	/* Who asked for the change finds addresses and sockets changed. */
	(void)kernel_wait(w->kernel, CHANGE_US);
	(void)opener_wait(w->opener, end - mtime_now().us);
	for (size_t i = 0; i < change->gone_count; i++)
		instance_free(change->gone[i]);
	worker_anycast_done(&change->anycast);
	free(change);
}
