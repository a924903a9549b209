/* SPDX-License-Identifier: ISC */
/* What becomes of a question that was in flight: kept, and told to all who
 * wait for it. */

#include "frontend/query_impl.h"
#include "frontend/subnet.h"

/* No good answer: an expired one is better (RFC 8767). True: it is set. */
static bool use_stale(struct worker *w, struct flight_end *end)
{
	const struct policy *p = w->policy;
	struct mtime now = loop_now(w->loop);
	struct cache_found found;
	enum cache_result result = subnet_lookup(p->cache, w->secret, end->key,
		&p->cache_rules, now, &w->answer, w->stored, &found);

	if (result == CACHE_MISS || is_truncated(result, &w->answer))
		return false; /* among the waiters may be one by TCP */
	end->answer = &w->answer;
	end->style.age_s = found.age_s;
	if (result == CACHE_HIT) /* by another worker, or it was a refresh */
		return true;
	end->style.stale = true;
	end->style.stale_ttl_s = STALE_TTL_S;
	subnet_hold(p->cache, w->secret, end->key, now, HOLD_S);
	metric_inc(w->row, STAT_CACHE_STALE);
	return true;
}

static void flight_done(struct worker *w, struct flight_end *end)
{
	const struct policy *p = w->policy;
	bool keep = !end->failed || (end->exhausted && !end->silent);

	if (!end->pool || !end->pool->cached)
		return;
	if (end->failed && use_stale(w, end)) {
		end->deserted = false;
		return;
	}
	if (keep)
		(void)subnet_insert(p->cache, w->secret, end->key,
			&p->cache_rules, loop_now(w->loop), end->answer);
	if (p->cache_rules.cap_served)
		end->style.cap_s = p->cache_rules.max_ttl_s;
}

/* Nobody is there who could answer: be as silent. A client by TCP learns at
 * once that there will be nothing. */
static void drop_deserted(struct worker *w, const struct serve_peer *peer,
	const struct asker *asker)
{
	struct drop_sample *s = query_want_sample(
		w, STAT_DROP_NO_SERVER, &peer->client, peer->tcp);

	if (s)
		query_put_sample(
			w, s, asker->name, asker->name_len, asker->type);
	metric_inc(w->row, STAT_DROP_NO_SERVER);
	serve_close(w->serve, peer);
}

static void flight_reply(struct worker *w, const struct serve_peer *peer,
	const struct asker *asker, struct mtime since,
	const struct flight_end *end)
{
	if (end->silent)
		front_count(&w->fronts, peer, FRONT_BACKEND_TIMEOUTS);
	if (end->deserted && end->pool->drops) {
		drop_deserted(w, peer, asker);
		return;
	}
	query_send_answer(w, peer, asker, since, end->answer, &end->style);
}

const struct flight_ops *query_flight_ops(void)
{
	static const struct flight_ops ops = {
		.done = flight_done,
		.reply = flight_reply,
	};

	return &ops;
}
