/* SPDX-License-Identifier: ISC */
/*
 * Start and stop of the daemon. The main thread answers the control socket
 * and the metrics page and watches the backends; queries are the workers'.
 */

#include "frontend/frontend.h"

#include "common/base/log.h"
#include "frontend/dump.h"

#include <errno.h>
#include <sys/resource.h>

#define WATCHDOG_MS 100
#define TICK_MS     100
#define LINGER_MS   400 /* ha hands over within this time */

/* --- heartbeat --------------------------------------------------------- */

static uint64_t count_beats(void *arg, unsigned worker)
{
	const struct frontend *fe = arg;

	return worker_beats(fe->workers[worker]);
}

static enum heartbeat_state heartbeat_now(const struct frontend *fe)
{
	if (fe->draining)
		return HEARTBEAT_DRAINING;
	return probes_all_pools_usable(fe->probes) ? HEARTBEAT_OK
						   : HEARTBEAT_DEGRADED;
}

static void on_watchdog(void *arg)
{
	struct frontend *fe = arg;

	beat_set_state(fe->beat, heartbeat_now(fe));
	timer_set_ms(fe->watchdog, WATCHDOG_MS);
}

struct worker_pool frontend_pool_sum(
	const struct frontend *fe, const struct pool *pool)
{
	struct worker_pool sum = {0};

	for (unsigned i = 0; i < fe->worker_count; i++)
		worker_pool_sum(fe->workers[i], pool->id, &sum);
	return sum;
}

/* --- log of drops, averages --------------------------------------------- */

static void log_drops(struct frontend *fe)
{
	struct drop_sample sample;
	char line[DROPLOG_LINE];

	for (unsigned i = 0; i < fe->worker_count; i++)
		while (drop_ring_take(&fe->workers[i]->drops, &sample))
			droplog_add(&fe->droplog, &sample);
	while (fe->policy->drop_lines > 0 &&
		droplog_line(&fe->droplog, &fe->metrics, mtime_now(),
			fe->policy->drop_lines, line))
		log_warn("%s", line);
}

static void add_averages(struct frontend *fe)
{
	const struct metrics *m = &fe->metrics;
	struct histogram h;
	uint64_t count = 0;

	stats_latency(m, &h);
	for (unsigned i = 0; i <= METRIC_BUCKETS; i++)
		count += h.buckets[i];
	average_step(&fe->average, count, h.sum_us);
	average_step(&fe->tcp_average, metrics_read(m, STAT_TCP_ANSWERS),
		metrics_read(m, STAT_TCP_SUM_US));
}

static void on_tick(void *arg)
{
	struct frontend *fe = arg;

	log_drops(fe);
	add_averages(fe);
	timer_set_ms(fe->tick, TICK_MS);
}

/* --- start ------------------------------------------------------------- */

/* Sixteen sockets for each of many backends are more than 1024. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		log_warn("start: limit of open files not raised: %s",
			strerror(errno));
}

static int make_stores(struct frontend *fe, const struct conf *conf,
	const struct config_sizes *sizes, struct err *err)
{
	int rc = config_blocks_file(
		conf, fe->blocks_file, sizeof(fe->blocks_file), err);

	if (rc < 0)
		return rc;
	fe->cache = cache_new(sizes->cache_entries, sizes->cache_bytes);
	fe->limiter = limiter_new(sizes->limit_entries);
	fe->blocks = blocks_new();
	fe->offenders = offenders_new(sizes->offender_entries);
	if (!fe->cache || !fe->limiter || !fe->blocks || !fe->offenders)
		return err_fail(err, -ENOMEM,
			"out of memory for the cache or the table of limits");
	if (frontend_blocks_start(fe) < 0)
		return err_fail(err, -ENOMEM, "out of memory for blocks");
	return 0;
}

static int make_policy(
	struct frontend *fe, const struct conf *conf, struct err *err)
{
	int rc = config_build(conf, &fe->registry, &fe->policy, err);

	if (rc < 0)
		return rc;
	fe->policy->cache = fe->cache;
	fe->policy->limiter = fe->limiter;
	fe->policy->blocks = fe->blocks;
	fe->policy->offenders = fe->offenders;
	return probes_update(fe->probes, fe->policy, err);
}

static int make_workers(struct frontend *fe, const struct conf *conf,
	const struct config_sizes *sizes, struct err *err)
{
	union addr addrs[CONFIG_LISTEN_MAX];
	struct worker_config config = {
		.inflight = sizes->inflight,
		.secret = &fe->secret,
		.policy = fe->policy,
	};

	config_serve(conf, addrs, &config.serve);
	for (unsigned i = 0; i < sizes->workers; i++) {
		config.index = i;
		config.row = metrics_row_new(&fe->metrics);
		if (!config.row)
			return err_fail(err, -ENOMEM, "out of memory");
		fe->workers[i] = worker_new(&config, err);
		if (!fe->workers[i])
			return -EIO;
		fe->worker_count++;
	}
	return 0;
}

/* A cache that cannot be read costs speed only. */
static void load_cache(struct frontend *fe, const struct conf *conf)
{
	const char *path = config_cache_file(conf);
	struct err err = {.text = ""};
	size_t count;
	int rc;

	if (!path)
		return;
	rc = dump_load(fe->cache, &fe->registry, &fe->secret,
		&fe->policy->cache_rules, path, &count, &err);
	if (rc == 0 || count > 0)
		log_info("cache: read: file=%s answers=%zu", path, count);
	if (rc < 0 && rc != -ENOENT)
		log_warn("cache: %s", err.text);
}

static void save_cache(struct frontend *fe)
{
	const char *path = config_cache_file(daemon_conf(fe->daemon));
	struct err err = {.text = ""};
	size_t count;

	if (!path)
		return;
	if (dump_save(fe->cache, &fe->registry, path, &count, &err) == 0)
		log_info("cache: written: file=%s answers=%zu", path, count);
	else
		log_warn("cache: not written: %s", err.text);
}

static int start_threads(
	struct frontend *fe, const struct conf *conf, struct err *err)
{
	const char *ha = config_ha_socket(conf);

	fe->droplog.last = mtime_now();
	timer_set_ms(fe->tick, TICK_MS);
	for (unsigned i = 0; i < fe->worker_count; i++) {
		int rc = worker_start(fe->workers[i], err);

		if (rc < 0)
			return rc;
	}
	if (!ha || !ha[0])
		return 0;
	fe->beat = beat_start(ha, fe->worker_count, count_beats, fe, err);
	if (!fe->beat)
		return -EIO;
	on_watchdog(fe);
	return 0;
}

static int open_page(
	struct frontend *fe, const struct conf *conf, struct err *err)
{
	const union addr *addr = config_metrics(conf);

	if (!addr)
		return 0;
	fe->http = http_server_new(fe->loop, addr, frontend_page, fe, err);
	return fe->http ? 0 : -EIO;
}

static void frontend_free(void *state)
{
	struct frontend *fe = state;

	if (!fe)
		return;
	beat_stop(fe->beat);
	http_server_free(fe->http);
	for (unsigned i = 0; i < fe->worker_count; i++)
		worker_free(fe->workers[i]);
	probes_free(fe->probes);
	timer_free(fe->watchdog);
	timer_free(fe->linger);
	timer_free(fe->tick);
	rates_fini(&fe->rates);
	config_release(fe->policy, &fe->registry);
	cache_free(fe->cache);
	limiter_free(fe->limiter);
	frontend_blocks_stop(fe);
	registry_fini(&fe->registry);
	metrics_fini(&fe->metrics);
	free(fe);
}

static void linger_over(void *arg);

static struct frontend *frontend_new(struct daemon *d)
{
	struct frontend *fe = calloc(1, sizeof(*fe));

	if (!fe)
		return NULL;
	fe->daemon = d;
	fe->loop = daemon_loop(d);
	fe->started = mtime_now();
	registry_init(&fe->registry);
	stats_init(&fe->metrics);
	hash_key_random(&fe->secret);
	fe->probes = probes_new(fe->loop);
	fe->watchdog = timer_new(fe->loop, on_watchdog, fe);
	fe->linger = timer_new(fe->loop, linger_over, fe);
	fe->tick = timer_new(fe->loop, on_tick, fe);
	if (rates_init(&fe->rates, fe->loop, &fe->registry) == 0 &&
		fe->probes && fe->watchdog && fe->linger && fe->tick)
		return fe;
	frontend_free(fe);
	return NULL;
}

static int frontend_start(struct daemon *d, const struct conf *conf,
	void **state, struct err *err)
{
	struct frontend *fe = frontend_new(d);
	struct config_sizes sizes;
	int rc;

	if (!fe)
		return err_fail(err, -ENOMEM, "out of memory");
	raise_descriptor_limit();
	config_sizes(conf, &sizes);
	rc = make_stores(fe, conf, &sizes, err);
	if (rc == 0)
		rc = make_policy(fe, conf, err);
	if (rc == 0)
		rc = make_workers(fe, conf, &sizes, err);
	if (rc == 0)
		load_cache(fe, conf);
	if (rc == 0)
		rc = open_page(fe, conf, err);
	if (rc == 0)
		rc = start_threads(fe, conf, err);
	if (rc < 0) {
		frontend_free(fe);
		return rc;
	}
	*state = fe;
	return 0;
}

/* --- drain and stop ---------------------------------------------------- */

static void frontend_drain(struct daemon *d, void *state, bool on)
{
	struct frontend *fe = state;

	(void)d;
	fe->draining = on;
	if (fe->beat)
		beat_set_state(fe->beat, heartbeat_now(fe));
}

/* Main thread: one more worker has answered its last query. */
static void worker_is_done(void *arg)
{
	struct frontend *fe = arg;

	if (--fe->stopping > 0)
		return;
	save_cache(fe);
	frontend_blocks_save(fe); /* with hits, and what is new */
	daemon_stopped(fe->daemon);
}

/* Worker's thread. */
static void tell_done(void *arg)
{
	struct frontend *fe = arg;

	if (loop_post(fe->loop, worker_is_done, fe) < 0)
		log_error("stop: out of memory");
}

struct drain_order {
	struct frontend *fe;
	struct worker *worker;
};

/* Worker's thread. */
static void drain_worker(void *arg)
{
	struct drain_order *order = arg;

	worker_drain(order->worker, tell_done, order->fe);
	free(order);
}

static void linger_over(void *arg)
{
	struct frontend *fe = arg;

	fe->stopping = fe->worker_count;
	for (unsigned i = 0; i < fe->worker_count; i++) {
		struct drain_order *order = malloc(sizeof(*order));

		if (order) {
			order->fe = fe;
			order->worker = fe->workers[i];
		}
		if (!order || loop_post(order->worker->loop, drain_worker,
				      order) < 0) {
			free(order);
			worker_is_done(fe);
		}
	}
}

/* ha is told first and may move the address while we still answer. */
static void frontend_stop(struct daemon *d, void *state)
{
	struct frontend *fe = state;

	frontend_drain(d, fe, true);
	timer_set_ms(fe->linger,
		fe->beat && beat_is_connected(fe->beat) ? LINGER_MS : 0);
}

const struct daemon_ops *frontend_ops(void)
{
	static struct daemon_ops ops = {
		.name = "ispdns-frontend",
		.part = "frontend",
		.summary = "DNS load balancer: limits, routes, caches, retries",
		.check = config_check,
		.start = frontend_start,
		.prepare = frontend_prepare,
		.commit = frontend_commit,
		.discard = frontend_discard,
		.drain = frontend_drain,
		.status = frontend_status,
		.stats = frontend_stats,
		.stop = frontend_stop,
		.render = frontend_render,
		.free = frontend_free,
	};

	ops.schema = config_schema();
	ops.commands = frontend_commands();
	return &ops;
}
