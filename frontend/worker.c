/* SPDX-License-Identifier: ISC */
/*
 * Puts the parts of one worker together, and turns its loop. The pulse tells
 * the main thread that the loop turns; a worker that hangs stops the
 * heartbeat.
 */

#include "frontend/worker.h"

#include "frontend/query.h"
#include "frontend/transfer.h"

#include <errno.h>

#include "common/base/thread.h"

#define PULSE_MS 20
#define HURRY_MS 2000 /* transfers have so long when we stop */

/* What the listeners have counted, to where other threads may read it. */
static void publish(struct worker *w)
{
	const struct serve_stats *s = serve_get_stats(w->serve);

	metric_set(w->row, STAT_UDP_CUT, s->udp_cut);
	metric_set(w->row, STAT_UDP_SEND_ERRORS, s->udp_send_errors);
	metric_set(w->row, STAT_TCP_ACCEPTED, s->tcp_accepted);
	metric_set(w->row, STAT_TCP_REFUSED, s->tcp_refused);
	metric_set(w->row, STAT_TCP_OVER_CLIENT, s->tcp_over_client);
	metric_set(w->row, STAT_TCP_OVER_NET, s->tcp_over_net);
	metric_set(w->row, STAT_TCP_BANNED, s->tcp_banned);
	metric_set(w->row, STAT_TCP_DRIPS, s->tcp_drips);
	metric_set(w->row, STAT_TCP_EVICTED, s->tcp_evicted);
	metric_set(w->row, STAT_TCP_TIMEOUTS, s->tcp_timeouts);
	metric_set(w->row, STAT_TCP_GONE, s->tcp_gone);
	metric_set(w->row, STAT_TCP_OPEN, s->tcp_open);
	metric_set(w->row, STAT_TRANSFERS, transfers_open(w->transfers));
	fronts_publish(&w->fronts, w->serve);
}

static uint64_t read_own(const struct worker *w, enum stat_id id)
{
	return w->row->cells[id];
}

static void turn_top(struct worker *w)
{
	top_turn(w->top, loop_now(w->loop), w->policy->top_window_ms,
		read_own(w, STAT_UDP_QUERIES) + read_own(w, STAT_TCP_QUERIES),
		read_own(w, STAT_SERVFAIL) + read_own(w, STAT_NXDOMAIN));
}

static void pulse(void *arg)
{
	struct worker *w = arg;

	publish(w);
	turn_top(w);
	drop_ring_pulse(&w->drops);
	(void)__atomic_fetch_add(&w->beats, 1, __ATOMIC_RELAXED);
	timer_set_ms(w->pulse, PULSE_MS);
	if (w->stopped && flights_waiting(w->flights) == 0 &&
		transfers_open(w->transfers) == 0) {
		void (*stopped)(void *) = w->stopped;

		w->stopped = NULL;
		stopped(w->stopped_arg);
	}
}

uint64_t worker_beats(const struct worker *w)
{
	return __atomic_load_n(&w->beats, __ATOMIC_RELAXED);
}

void worker_pool_sum(
	const struct worker *w, uint16_t pool, struct worker_pool *sum)
{
	const struct worker_pool *p = &w->pools[pool];

	sum->queries += __atomic_load_n(&p->queries, __ATOMIC_RELAXED);
	sum->hits += __atomic_load_n(&p->hits, __ATOMIC_RELAXED);
	sum->misses += __atomic_load_n(&p->misses, __ATOMIC_RELAXED);
}

/* The worker keeps its own copy of the addresses. */
static void keep_addrs(struct worker *w, struct serve_config *serve)
{
	memcpy(w->addrs, serve->addrs, serve->addr_count * sizeof(w->addrs[0]));
	serve->addrs = w->addrs;
}

struct worker *worker_new(const struct worker_config *config, struct err *err)
{
	struct worker *w = calloc(1, sizeof(*w));
	struct serve_config serve = config->serve;
	uint32_t attempts =
		config->inflight < 15000 ? config->inflight * 2 : 30000;

	if (!w || serve.addr_count > countof(w->addrs))
		goto fail;
	w->index = config->index;
	w->row = config->row;
	w->secret = config->secret;
	w->policy = config->policy;
	rng_init(&w->rng);
	w->loop = loop_new();
	if (!w->loop)
		goto fail;
	w->pulse = timer_new(w->loop, pulse, w);
	w->top = top_new(w->secret);
	w->backends = backends_new(
		w->loop, &w->rng, w->row, attempts, flight_events(), w);
	w->flights = flights_new(w, config->inflight, query_flight_ops());
	w->transfers = transfers_new(w);
	w->warm = warm_new(&w->rng);
	w->queries = queries_new();
	if (!w->pulse || !w->top || !w->backends || !w->flights ||
		!w->transfers || !w->warm || !w->queries)
		goto fail;
	backends_update(w->backends, w->policy);
	warm_update(w->warm, w->policy->warm, w->policy->warm_count);
	keep_addrs(w, &serve);
	w->serve = serve_new(
		w->loop, &serve, query_begin, query_admit_tcp, w, err);
	if (!w->serve)
		goto out;
	fronts_set(&w->fronts, w->addrs, serve.addr_count);
	turn_top(w);
	serve_on_batch_end(w->serve, query_finish);
	serve_on_flow(w->serve, transfer_flow_events());
	timer_set_ms(w->pulse, PULSE_MS);
	return w;
fail:
	err_set(err, "worker %u: out of memory or descriptors", config->index);
out:
	worker_free(w);
	return NULL;
}

static void *run(void *arg)
{
	struct worker *w = arg;

	(void)loop_run(w->loop);
	return NULL;
}

int worker_start(struct worker *w, struct err *err)
{
	int rc = thread_start(&w->thread, run, w);

	if (rc < 0)
		return err_fail(err, rc, "start of worker %u: %s", w->index,
			strerror(-rc));
	w->running = true;
	return 0;
}

int worker_change(struct worker *w, const struct policy *policy,
	const struct serve_config *config, struct err *err)
{
	struct serve_config serve = *config;
	union addr before[64];
	int rc;

	memcpy(before, w->addrs, sizeof(before));
	if (serve.addr_count > countof(w->addrs))
		return err_fail(err, -EINVAL, "too many addresses");
	keep_addrs(w, &serve);
	rc = serve_update(w->serve, &serve, err);
	if (rc < 0) {
		memcpy(w->addrs, before, sizeof(before));
		return rc;
	}
	w->policy = policy;
	fronts_set(&w->fronts, w->addrs, serve.addr_count);
	backends_update(w->backends, policy);
	transfers_update(w->transfers, policy);
	warm_update(w->warm, policy->warm, policy->warm_count);
	return 0;
}

void worker_drain(struct worker *w, void (*stopped)(void *arg), void *arg)
{
	w->stopping = true;
	serve_pause(w->serve);
	transfers_hurry(w->transfers, HURRY_MS);
	w->stopped_arg = arg;
	w->stopped = stopped;
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	if (w->running) {
		loop_stop(w->loop);
		(void)pthread_join(w->thread, NULL);
	}
	serve_free(w->serve);
	transfers_free(w->transfers);
	flights_free(w->flights);
	queries_free(w->queries);
	backends_free(w->backends);
	warm_free(w->warm);
	timer_free(w->pulse);
	top_free(w->top);
	loop_free(w->loop);
	free(w);
}
