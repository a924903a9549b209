/* SPDX-License-Identifier: ISC */
#ifndef RESOLVER_QUERY_H
#define RESOLVER_QUERY_H

/*
 * Clients' questions in flight in one worker: policy, cache, lookup, reply.
 * Worker's loop only.
 */

#include "common/serve/serve.h"
#include "resolver/config.h"
#include "resolver/stats.h"

struct queries;

/* `settings` is borrowed until the next queries_set. Starts the library. */
struct queries *queries_new(struct loop *loop, const struct settings *settings,
	struct err *err) MUST_CHECK;
void queries_free(struct queries *queries); /* NULL allowed */
/* Through which the answers leave; before the first request. */
void queries_attach(struct queries *queries, struct serve *serve);
/* serve_fn and serve_admit_fn; arg: struct queries. */
void queries_request(void *arg, const struct serve_request *req);
bool queries_admit(void *arg, const union addr *client);
/* New settings that need no new library (settings_need_roll: false). */
void queries_set(struct queries *queries, const struct settings *settings);

enum flush_what {
	FLUSH_ALL,
	FLUSH_NAME,
	FLUSH_SUFFIX
};
/* Drop from the front cache (how many: *count) and from the library's. */
int queries_flush(struct queries *queries, enum flush_what what,
	const struct name *name, uint32_t *count, struct err *err) MUST_CHECK;
/* The front cache from and to files (dump.h), as worker `index`. Nothing
 * happens without a folder in the settings. */
void queries_load(struct queries *queries, unsigned index);
void queries_save(struct queries *queries, unsigned index);
/* How many clients wait. */
uint32_t queries_waiting(const struct queries *queries);
/* All counters, gauges included. */
void queries_stats(struct queries *queries, struct stats *out);

#endif
