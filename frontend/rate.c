/* SPDX-License-Identifier: ISC */
/*
 * Counters rise only, except when another backend got the number of one that
 * is gone: then there is no rate for a second.
 */

#include "frontend/rate.h"

#include <errno.h>

#define STEP_MS 1000

static double per_second(uint64_t now, uint64_t before, double seconds)
{
	return now < before || seconds <= 0 ? 0
					    : (double)(now - before) / seconds;
}

void rates_step(struct rates *r, struct mtime now)
{
	double seconds = (double)mtime_sub_us(now, r->last) / 1e6;

	r->last = now;
	for (unsigned i = 0; i < SERVERS_MAX; i++) {
		const struct server *s = r->registry->servers[i];
		struct rate *rate = &r->of[i];
		uint64_t queries = s ? server_read(&s->queries) : 0;
		uint64_t timeouts = s ? server_read(&s->timeouts) : 0;

		rate->qps = per_second(queries, rate->queries, seconds);
		rate->drops = per_second(timeouts, rate->timeouts, seconds);
		rate->queries = queries;
		rate->timeouts = timeouts;
	}
}

static void on_time(void *arg)
{
	struct rates *r = arg;

	rates_step(r, loop_now(r->loop));
	timer_set_ms(r->timer, STEP_MS);
}

int rates_init(
	struct rates *r, struct loop *loop, const struct registry *registry)
{
	r->loop = loop;
	r->registry = registry;
	r->last = mtime_now();
	r->timer = timer_new(loop, on_time, r);
	if (!r->timer)
		return -ENOMEM;
	timer_set_ms(r->timer, STEP_MS);
	return 0;
}

void rates_fini(struct rates *r)
{
	timer_free(r->timer);
	r->timer = NULL;
}
