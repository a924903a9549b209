/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_QUERY_IMPL_H
#define FRONTEND_QUERY_IMPL_H

/* What the files behind query.h share: query.c (the way in) and arrival.c
 * (what backends say). */

#include "frontend/query.h"

#define STALE_TTL_S 30 /* RFC 8767 4 */
#define HOLD_S      5  /* a stale answer is given at once for so long */

/* Render it for this client, count it and send it. */
void query_send_answer(struct worker *w, const struct serve_peer *peer,
	const struct asker *asker, struct mtime since, const struct answer *a,
	const struct answer_style *style);

/* Where an example of a drop goes, when one is wanted for the log; else NULL.
 * Then drop_ring_put, or the other one. */
struct drop_sample *query_want_sample(
	struct worker *w, enum stat_id why, const union addr *client, bool tcp);
void query_put_sample(struct worker *w, struct drop_sample *s,
	const uint8_t *name, uint8_t len, uint16_t type);

/* Is it of use to those only who may come again by TCP? */
static inline bool is_truncated(
	enum cache_result result, const struct answer *a)
{
	return result != CACHE_MISS && a->info.kind == ANSWER_TRUNCATED;
}

#endif
