/* SPDX-License-Identifier: ISC */
#ifndef AUTHORITY_STATS_H
#define AUTHORITY_STATS_H

/*
 * Numbers of ispdns-authority: its own, and NSD's under the names of NSD's
 * own exporter. NSD is asked only when somebody asks us, and not again within
 * the interval: in NSD 4.6 each time replaces its processes and closes idle
 * TCP connections.
 */

#include "authority/apply.h"
#include "authority/server.h"

#include <jansson.h>

struct stats;

/* What the owner knows, filled in for each page. */
struct stats_now {
	long long generation;
	size_t zones;
	bool serving;  /* NSD is up and its zones are proven */
	bool degraded; /* serves something else than it was told */
	bool draining;
};
typedef void (*stats_now_fn)(void *arg, struct stats_now *out);

/* With metrics.listen in `config`, serves /metrics and /health. */
struct stats *stats_new(struct loop *loop, const struct auth_config *config,
	struct server *server, stats_now_fn now, void *arg,
	struct err *err) MUST_CHECK;
void stats_free(struct stats *stats); /* NULL allowed */
void stats_change(
	struct stats *stats, enum apply_result result, int64_t duration_us);
void stats_check_failed(struct stats *stats);
struct histogram *stats_rtt(struct stats *stats);
void stats_print(struct stats *stats, struct text *out);
void stats_json(struct stats *stats, json_t *out);
/* How often NSD was asked. */
unsigned stats_nsd_asked(const struct stats *stats);

#endif
