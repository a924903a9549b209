/* SPDX-License-Identifier: ISC */
/*
 * A worker is forked by the master and so has the settings in its memory; it
 * keeps nothing else of it. It ends when the master is gone, when it was
 * told to drain and nobody waits any more, or by SIGTERM, which drains too.
 */

#include "resolver/worker.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/base/log.h"
#include "resolver/channel.h"
#include "resolver/query.h"
#include "resolver/sandbox.h"
#include "resolver/steer.h"

#define DRAIN_TICK_MS 10
#define DRAIN_MS      7000 /* longer than a client's deadline */

struct worker {
	const struct worker_start *start;
	struct loop *loop;
	struct channel *channel;
	const struct settings *settings;
	struct settings *own; /* settings that came later; freed by us */
	struct queries *queries;
	struct serve *serve;
	struct timer *stats_timer, *drain_timer;
	struct mtime drain_end;
	bool draining;
};

/* --- drain --- */

static bool is_drained(const struct worker *w)
{
	return queries_waiting(w->queries) == 0 &&
	       serve_get_stats(w->serve)->tcp_open == 0;
}

static void on_drain(void *arg)
{
	struct worker *w = arg;

	if (is_drained(w) || mtime_before(w->drain_end, mtime_now()))
		loop_stop(w->loop);
	else
		timer_set_ms(w->drain_timer, DRAIN_TICK_MS);
}

static void drain(void *arg)
{
	struct worker *w = arg;

	if (w->draining)
		return;
	w->draining = true;
	if (!w->serve) {
		loop_stop(w->loop);
		return;
	}
	/* The kernel's own choice passes over a paused socket, a program's
	 * does not; the master has it attached again when we are gone. */
	for (size_t i = 0; i < w->settings->listen_count; i++)
		steer_detach(serve_udp_fd(w->serve, i));
	serve_pause(w->serve);
	w->drain_end = mtime_add_ms(mtime_now(), DRAIN_MS);
	timer_set_ms(w->drain_timer, DRAIN_TICK_MS);
}

/* --- messages --- */

static void send_stats(struct worker *w)
{
	struct stats stats;

	queries_stats(w->queries, &stats);
	channel_send(w->channel, "stats", stats_encode(&stats));
}

static void on_stats(void *arg)
{
	struct worker *w = arg;

	send_stats(w);
	timer_set_ms(w->stats_timer, WORKER_STATS_MS);
}

static struct serve_config serve_config_of(const struct settings *s)
{
	struct serve_config c = {
		.addrs = s->listen,
		.addr_count = s->listen_count,
		.reuseport = true,
		.freebind = true,
		.tcp_max = s->tcp_max,
		.tcp_per_client = s->tcp_per_client,
		.tcp_idle_ms = s->tcp_idle_ms,
		.tcp_message_ms = s->tcp_message_ms,
	};

	return c;
}

static int apply(struct worker *w, const char *text, struct err *err)
{
	struct conf *conf = conf_parse(
		text, strlen(text), "resolver.yaml", resolver_schema, err);
	struct settings *next = conf ? settings_new(conf, err) : NULL;
	struct serve_config config;

	conf_free(conf);
	if (!next)
		return -EINVAL;
	config = serve_config_of(next);
	if (serve_update(w->serve, &config, err) < 0) {
		settings_free(next);
		return -EINVAL;
	}
	queries_set(w->queries, next);
	settings_free(w->own);
	w->settings = w->own = next;
	return 0;
}

static void tell_done(
	struct worker *w, const json_t *msg, uint32_t count, const char *error)
{
	json_t *out = json_pack("{s:O, s:i}", "id", json_object_get(msg, "id"),
		"count", (int)count);

	if (out && error)
		json_object_set_new(out, "error", json_string(error));
	channel_send(w->channel, "done", out);
}

static void on_apply(struct worker *w, const json_t *msg, const char *text)
{
	struct err err = {.text = ""};
	int rc = apply(w, text, &err);

	tell_done(w, msg, 0, rc < 0 ? err.text : NULL);
}

static void on_flush(struct worker *w, const json_t *msg)
{
	const char *text = json_string_value(json_object_get(msg, "name"));
	json_int_t what = json_integer_value(json_object_get(msg, "what"));
	struct err err = {.text = ""};
	struct name name;
	uint32_t count;

	if (name_parse(text ? text : ".", &name) < 0)
		tell_done(w, msg, 0, "not a name");
	else if (queries_flush(w->queries, (enum flush_what)what, &name, &count,
			 &err) < 0)
		tell_done(w, msg, 0, err.text);
	else
		tell_done(w, msg, count, NULL);
}

static void on_steer(struct worker *w, const json_t *msg)
{
	json_int_t count = json_integer_value(json_object_get(msg, "count"));
	struct err err;

	for (size_t i = 0; i < w->settings->listen_count; i++)
		if (steer_attach(serve_udp_fd(w->serve, i), (unsigned)count,
			    &err) < 0)
			log_warn("worker: names are cached in more than one "
				 "worker: %s",
				err.text);
}

static void on_message(
	void *arg, const char *type, const json_t *msg, const char *text)
{
	struct worker *w = arg;

	if (strcmp(type, "apply") == 0)
		on_apply(w, msg, text);
	else if (strcmp(type, "flush") == 0)
		on_flush(w, msg);
	else if (strcmp(type, "steer") == 0 && !w->draining)
		on_steer(w, msg);
	else if (strcmp(type, "drain") == 0)
		drain(w);
	if (w->serve)
		send_stats(w);
}

static void on_closed(void *arg)
{
	struct worker *w = arg;

	loop_stop(w->loop); /* the master is gone */
}

static const struct channel_events channel_events = {on_message, on_closed};

/* --- start and end --- */

static void leave_parent(int fd)
{
	/* The master's sockets, epoll and control clients are not ours. */
	if (dup2(fd, 3) < 0 || close_range(4, ~0u, 0) < 0)
		_exit(1);
}

static int start_serving(struct worker *w, struct err *err)
{
	struct serve_config config = serve_config_of(w->settings);

	w->queries = queries_new(w->loop, w->settings, err);
	if (!w->queries)
		return -EINVAL;
	if (w->start->trial)
		return 0;
	queries_load(w->queries, w->start->index);
	w->serve = serve_new(w->loop, &config, queries_request, queries_admit,
		w->queries, err);
	if (!w->serve)
		return -EINVAL;
	queries_attach(w->queries, w->serve);
	return sandbox_enter(err);
}

static int open_worker(struct worker *w, struct err *err)
{
	err_set(err, "out of memory");
	w->loop = loop_new();
	if (!w->loop)
		return -ENOMEM;
	w->channel = channel_new(w->loop, 3, &channel_events, w);
	w->stats_timer = timer_new(w->loop, on_stats, w);
	w->drain_timer = timer_new(w->loop, on_drain, w);
	if (!w->channel || !w->stats_timer || !w->drain_timer ||
		loop_signal(w->loop, SIGTERM, drain, w) < 0)
		return -ENOMEM;
	return start_serving(w, err);
}

/* SIGTERM first: the library must not live longer than who answers. */
static void close_worker(struct worker *w)
{
	serve_free(w->serve);
	queries_free(w->queries);
	timer_free(w->stats_timer);
	timer_free(w->drain_timer);
	channel_free(w->channel);
	loop_free(w->loop);
	settings_free(w->own);
}

static int run(struct worker *w)
{
	struct err err;
	int rc = open_worker(w, &err);

	if (!w->channel)
		return 1;
	if (rc < 0) {
		channel_send(w->channel, "failed",
			json_pack("{s:s}", "why", err.text));
		return 1;
	}
	channel_send(w->channel, "ready", json_object());
	if (!w->start->trial) /* a trial waits to be stopped */
		on_stats(w);
	return loop_run(w->loop) < 0;
}

int worker_main(void *arg)
{
	struct worker w = {.start = arg};
	char name[16];
	int status;

	snprintf(name, sizeof(name), "resolver-w%u", w.start->index);
	prctl(PR_SET_NAME, name);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN); /* ^C goes to the master, which tells us */
	leave_parent(w.start->fd);
	w.settings = w.start->settings;
	status = run(&w);
	if (status == 0 && w.serve)
		queries_save(w.queries, w.start->index);
	if (status == 0)
		close_worker(&w);
	return status;
}
