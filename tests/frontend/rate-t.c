/* SPDX-License-Identifier: ISC */
/* Rates of backends: over the last step only, none for a new one. */

#include "frontend/rate.h"

#include "tests/tap/tap.h"

int main(void)
{
	struct registry *registry = calloc(1, sizeof(*registry));
	struct rates *r = calloc(1, sizeof(*r));
	struct mtime now = {.us = 5000000};
	union addr addr = {.v4 = {.sin_family = AF_INET}};
	struct server *s;

	if (!registry || !r)
		tap_bail("no memory");
	registry_init(registry);
	r->registry = registry;
	s = registry_take(registry, "rec", "r1", &addr);
	rates_step(r, now);
	s->queries = 1000;
	s->timeouts = 10;
	now = mtime_add_ms(now, 2000);
	rates_step(r, now);
	is_int((long long)r->of[s->id].qps, 500, "1000 in two seconds");
	is_int((long long)r->of[s->id].drops, 5, "10 drops");
	now = mtime_add_ms(now, 1000);
	rates_step(r, now);
	is_int((long long)r->of[s->id].qps, 0, "nothing since");
	registry_give(registry, s);
	s = registry_take(registry, "rec", "r2", &addr);
	s->queries = 3;
	now = mtime_add_ms(now, 1000);
	rates_step(r, now);
	is_int((long long)r->of[s->id].qps, 0, "another under its number");
	s->queries = 8;
	now = mtime_add_ms(now, 1000);
	rates_step(r, now);
	is_int((long long)r->of[s->id].qps, 5, "then its own");
	registry_fini(registry);
	free(registry);
	free(r);
	return tap_done();
}
