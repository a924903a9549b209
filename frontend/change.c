/* SPDX-License-Identifier: ISC */
/*
 * A change of configuration under load. prepare builds the next snapshot and
 * tries the new addresses; commit hands it to each worker by a message to its
 * loop. When a worker cannot take it, all go back. What was replaced is freed
 * when no worker uses it any more. Cache, limits, health and counters stay.
 */

#include "frontend/frontend.h"

#include "common/base/log.h"
#include "common/net/udp.h"

#include <errno.h>
#include <unistd.h>

struct change {
	struct frontend *fe;
	struct policy *policy;
	struct cache *cache;     /* as fe's, or a new one of another size */
	struct limiter *limiter; /* likewise */
	struct serve_config serve, serve_before;
	union addr addrs[CONFIG_LISTEN_MAX], addrs_before[CONFIG_LISTEN_MAX];
	unsigned waiting; /* workers that have not answered */
	bool back;        /* the old one is being restored */
	struct err err;
};

/* One worker's part; travels there and back. */
struct order {
	struct change *change;
	struct worker *worker;
	const struct policy *policy;
	const struct serve_config *serve;
	struct err err;
};

static void change_free(struct change *c)
{
	struct frontend *fe = c->fe;

	config_release(c->policy, &fe->registry);
	if (c->cache != fe->cache)
		cache_free(c->cache);
	if (c->limiter != fe->limiter)
		limiter_free(c->limiter);
	free(c);
}

/* --- prepare ----------------------------------------------------------- */

static int make_stores(
	struct change *c, const struct conf *conf, struct err *err)
{
	struct frontend *fe = c->fe;
	struct config_sizes sizes, now;

	config_sizes(conf, &sizes);
	config_sizes(daemon_conf(fe->daemon), &now);
	c->cache = fe->cache;
	c->limiter = fe->limiter;
	if (sizes.cache_entries != now.cache_entries ||
		sizes.cache_bytes != now.cache_bytes)
		c->cache = cache_new(sizes.cache_entries, sizes.cache_bytes);
	if (sizes.limit_entries != now.limit_entries)
		c->limiter = limiter_new(sizes.limit_entries);
	if (c->cache && c->limiter)
		return 0;
	return err_fail(err, -ENOMEM,
		"out of memory for the cache or the table of limits");
}

static bool is_listening(const struct change *c, const union addr *addr)
{
	for (size_t i = 0; i < c->serve_before.addr_count; i++)
		if (addr_equal(&c->addrs_before[i], addr))
			return true;
	return false;
}

/* Can the new addresses be had? A worker that finds out later costs more. */
static int try_addresses(const struct change *c, struct err *err)
{
	int flags = UDP_REUSEPORT | (c->serve.freebind ? UDP_FREEBIND : 0);

	for (size_t i = 0; i < c->serve.addr_count; i++) {
		int fd;

		if (is_listening(c, &c->addrs[i]))
			continue;
		fd = udp_open(&c->addrs[i], flags, err);
		if (fd < 0)
			return fd;
		close(fd);
	}
	return 0;
}

void frontend_prepare(struct daemon *d, void *state, const struct conf *conf)
{
	struct frontend *fe = state;
	struct change *c = calloc(1, sizeof(*c));
	struct err err = {.text = ""};
	int rc;

	if (!c) {
		err_set(&err, "out of memory");
		daemon_prepared(d, NULL, &err);
		return;
	}
	c->fe = fe;
	config_serve(conf, c->addrs, &c->serve);
	config_serve(daemon_conf(d), c->addrs_before, &c->serve_before);
	rc = config_build(conf, &fe->registry, &c->policy, &err);
	if (rc == 0)
		rc = make_stores(c, conf, &err);
	if (rc == 0)
		rc = try_addresses(c, &err);
	if (rc < 0) {
		change_free(c);
		daemon_prepared(d, NULL, &err);
		return;
	}
	c->policy->cache = c->cache;
	c->policy->limiter = c->limiter;
	c->policy->blocks = fe->blocks;
	c->policy->offenders = fe->offenders;
	daemon_prepared(d, c, NULL);
}

void frontend_discard(struct daemon *d, void *state, void *next)
{
	(void)d;
	(void)state;
	change_free(next);
}

/* --- commit ------------------------------------------------------------ */

static void send_orders(struct change *c);

/* All workers use the new snapshot. */
static void finish(struct change *c)
{
	struct frontend *fe = c->fe;
	struct policy *old = fe->policy;
	struct cache *old_cache = fe->cache;
	struct limiter *old_limiter = fe->limiter;
	struct err err = {.text = ""};

	fe->policy = c->policy;
	fe->cache = c->cache;
	fe->limiter = c->limiter;
	fe->reloads++;
	if (probes_update(fe->probes, fe->policy, &err) < 0)
		log_error("reload: some backends are not probed: %s", err.text);
	/* what change_free is to free */
	c->policy = old;
	c->cache = old_cache;
	c->limiter = old_limiter;
	change_free(c);
	daemon_committed(fe->daemon, NULL);
}

/* All workers use the old one again. */
static void finish_back(struct change *c)
{
	struct daemon *d = c->fe->daemon;
	struct err err = c->err;

	change_free(c);
	daemon_committed(d, &err);
}

/* Main thread: a worker has done its part. */
static void order_done(void *arg)
{
	struct order *order = arg;
	struct change *c = order->change;

	if (order->err.text[0] && c->back)
		log_error("reload: worker %u: %s", order->worker->index,
			order->err.text);
	else if (order->err.text[0])
		c->err = order->err;
	free(order);
	if (--c->waiting > 0)
		return;
	if (c->back) {
		finish_back(c);
	} else if (c->err.text[0]) {
		c->back = true;
		send_orders(c);
	} else {
		finish(c);
	}
}

/* Worker's thread. */
static void order_run(void *arg)
{
	struct order *order = arg;
	int rc = worker_change(
		order->worker, order->policy, order->serve, &order->err);

	if (rc < 0 && !order->err.text[0])
		err_set(&order->err, "%s", strerror(-rc));
	while (loop_post(order->change->fe->loop, order_done, order) < 0)
		(void)usleep(1000); /* memory is short: the main waits */
}

static void send_orders(struct change *c)
{
	struct frontend *fe = c->fe;

	c->waiting = fe->worker_count;
	for (unsigned i = 0; i < fe->worker_count; i++) {
		struct order *order = NULL;

		while (!order)
			order = calloc(1, sizeof(*order));
		order->change = c;
		order->worker = fe->workers[i];
		order->policy = c->back ? fe->policy : c->policy;
		order->serve = c->back ? &c->serve_before : &c->serve;
		while (loop_post(fe->workers[i]->loop, order_run, order) < 0)
			(void)usleep(1000);
	}
}

bool frontend_commit(struct daemon *d, void *state, void *next)
{
	struct frontend *fe = state;
	struct change *c = next;

	(void)d;
	if (c->cache != fe->cache)
		cache_copy(c->cache, fe->cache);
	send_orders(c);
	return false;
}
