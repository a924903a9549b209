/* SPDX-License-Identifier: ISC */
/*
 * ispdns-resolver: recursion for clients by libunbound, in worker processes
 * under this master. Here: how the master fits into the daemon's frame.
 */

#include <config.h>
#include <errno.h>

#include "common/base/log.h"
#include "common/ctl/daemon.h"
#include "common/net/http.h"
#include "resolver/engine.h"
#include "resolver/master.h"

struct resolver {
	struct daemon *daemon;
	struct settings *settings;
	struct master *master;
	struct http_server *metrics;
	struct change *change; /* being committed */
};

/* A prepared change. */
struct change {
	struct resolver *resolver;
	struct settings *settings;
	struct text text; /* for the workers */
	struct http_server *metrics;
	bool new_metrics;
};

/* --- metrics --- */

static int page(struct resolver *r, struct text *body)
{
	struct stats stats;

	master_stats(r->master, &stats);
	stats_print(&stats, body);
	metrics_family(body, "ispdns_resolver_worker_restarts_total", "counter",
		"Workers that died and were started again.");
	text_add(body, "ispdns_resolver_worker_restarts_total %llu\n",
		master_restarts(r->master));
	metrics_family(body, "ispdns_resolver_generation", "gauge",
		"Generation of the running configuration.");
	text_add(body, "ispdns_resolver_generation %lld\n",
		daemon_generation(r->daemon));
	metrics_family(
		body, "ispdns_resolver_info", "gauge", "Versions, as labels.");
	text_add(body,
		"ispdns_resolver_info{version=\"%s\",libunbound=\"%s\"} 1\n",
		VERSION, engine_version());
	return 200;
}

static int on_get(void *arg, const char *path, struct text *body)
{
	struct resolver *r = arg;

	if (strcmp(path, "/metrics") == 0)
		return page(r, body);
	if (strcmp(path, "/health") != 0)
		return 404;
	if (!master_is_ready(r->master))
		return 503;
	text_add(body, "ok\n");
	return 200;
}

static bool same_metrics(const struct settings *a, const struct settings *b)
{
	return a->metrics == b->metrics &&
	       (!a->metrics || addr_equal(&a->metrics_addr, &b->metrics_addr));
}

static int open_metrics(struct resolver *r, const struct settings *s,
	struct http_server **out, struct err *err)
{
	*out = NULL;
	if (!s->metrics)
		return 0;
	*out = http_server_new(
		daemon_loop(r->daemon), &s->metrics_addr, on_get, r, err);
	return *out ? 0 : -EADDRINUSE;
}

/* --- start and stop --- */

static void on_ready(void *arg)
{
	struct resolver *r = arg;

	daemon_ready(r->daemon);
}

static void on_failed(void *arg, const char *why)
{
	struct resolver *r = arg;

	daemon_fail(r->daemon, why);
}

static void on_stopped(void *arg)
{
	struct resolver *r = arg;

	daemon_stopped(r->daemon);
}

static const struct master_events master_events = {
	on_ready, on_failed, on_stopped};

static void resolver_free(void *state)
{
	struct resolver *r = state;

	http_server_free(r->metrics);
	master_free(r->master);
	settings_free(r->settings);
	free(r);
}

static int resolver_start(struct daemon *d, const struct conf *conf,
	void **state, struct err *err)
{
	struct resolver *r = calloc(1, sizeof(*r));

	if (!r)
		return err_fail(err, -ENOMEM, "out of memory");
	r->daemon = d;
	log_info("resolver: libunbound %s", engine_version());
	if (engine_version_warning())
		log_warn("resolver: %s", engine_version_warning());
	r->settings = settings_new(conf, err);
	if (!r->settings)
		goto fail;
	r->master =
		master_new(daemon_loop(d), r->settings, &master_events, r, err);
	if (!r->master || open_metrics(r, r->settings, &r->metrics, err) < 0)
		goto fail;
	daemon_hold_ready(d);
	*state = r;
	return 0;
fail:
	resolver_free(r);
	return -EINVAL;
}

static void resolver_stop(struct daemon *d, void *state)
{
	struct resolver *r = state;

	(void)d;
	master_stop(r->master);
}

/* --- changes --- */

static void change_free(struct change *c)
{
	if (!c)
		return;
	http_server_free(c->metrics);
	settings_free(c->settings);
	text_fini(&c->text);
	free(c);
}

static void on_tried(void *arg, long long count, const struct err *err)
{
	struct change *c = arg;
	struct daemon *d = c->resolver->daemon;

	(void)count;
	if (err->text[0]) {
		struct err copy = *err;

		change_free(c);
		daemon_prepared(d, NULL, &copy);
		return;
	}
	daemon_prepared(d, c, NULL);
}

static struct change *change_new(
	struct resolver *r, const struct conf *conf, struct err *err)
{
	struct change *c = calloc(1, sizeof(*c));

	if (!c) {
		err_set(err, "out of memory");
		return NULL;
	}
	c->resolver = r;
	text_init(&c->text);
	conf_print(conf, &c->text);
	c->settings = settings_new(conf, err);
	if (!c->settings)
		goto fail;
	c->new_metrics = !same_metrics(r->settings, c->settings);
	if (c->new_metrics &&
		open_metrics(r, c->settings, &c->metrics, err) < 0)
		goto fail;
	return c;
fail:
	change_free(c);
	return NULL;
}

static void resolver_prepare(
	struct daemon *d, void *state, const struct conf *conf)
{
	struct resolver *r = state;
	struct err err = {.text = ""};
	struct change *c = change_new(r, conf, &err);

	if (c && !settings_need_roll(r->settings, c->settings)) {
		daemon_prepared(d, c, NULL);
		return;
	}
	if (c && master_try(r->master, c->settings, on_tried, c, &err) == 0)
		return;
	change_free(c);
	daemon_prepared(d, NULL, &err);
}

/* The workers have it (or, with an error, have gone back). */
static void on_changed(void *arg, long long count, const struct err *err)
{
	struct change *c = arg;
	struct resolver *r = c->resolver;
	struct settings *old = r->settings;
	struct err copy = *err;

	(void)count;
	r->change = NULL;
	if (err->text[0]) {
		change_free(c);
		daemon_committed(r->daemon, &copy);
		return;
	}
	r->settings = c->settings;
	c->settings = old;
	if (c->new_metrics) {
		struct http_server *server = r->metrics;

		r->metrics = c->metrics;
		c->metrics = server;
	}
	change_free(c);
	daemon_committed(r->daemon, NULL);
}

/* A live change that a worker did not take: that worker starts anew, with
 * the new settings, so the change is in effect all the same. */
static void on_applied(void *arg, long long count, const struct err *err)
{
	const struct err none = {.text = ""};

	if (err->text[0])
		log_warn("resolver: change: %s", err->text);
	on_changed(arg, count, &none);
}

static bool resolver_commit(struct daemon *d, void *state, void *next)
{
	struct resolver *r = state;
	struct change *c = next;

	(void)d;
	r->change = c;
	if (settings_need_roll(r->settings, c->settings))
		master_roll(r->master, c->settings, on_changed, c);
	else
		master_apply(
			r->master, c->settings, c->text.data, on_applied, c);
	return false;
}

static void resolver_discard(struct daemon *d, void *state, void *next)
{
	(void)d;
	(void)state;
	change_free(next);
}

/* --- verbs --- */

static void resolver_status(void *state, json_t *out)
{
	struct resolver *r = state;

	json_object_set_new(out, "libunbound", json_string(engine_version()));
	if (engine_version_warning())
		json_object_set_new(
			out, "warning", json_string(engine_version_warning()));
	master_status(r->master, out);
}

static void resolver_stats(void *state, json_t *out)
{
	struct resolver *r = state;
	struct stats stats;

	master_stats(r->master, &stats);
	stats_members(&stats, out);
	json_object_set_new(out, "worker_restarts",
		json_integer((json_int_t)master_restarts(r->master)));
}

static void on_flushed(void *arg, long long count, const struct err *err)
{
	struct control_call *call = arg;

	if (err->text[0])
		control_fail(call, "%s", err->text);
	else
		control_ok(
			call, json_pack("{s:I}", "flushed", (json_int_t)count));
}

/* args {"what": "all" | "name" | "suffix", "name": "..."} or words. */
static void verb_flush(
	void *state, struct control_call *call, const json_t *args)
{
	static const char *const whats[] = {"all", "name", "suffix"};
	const json_t *words = json_object_get(args, "words");
	const char *what = json_string_value(json_object_get(args, "what"));
	const char *text = json_string_value(json_object_get(args, "name"));
	struct resolver *r = state;
	struct name name;
	unsigned i = 0;

	what = what ? what : json_string_value(json_array_get(words, 0));
	text = text ? text : json_string_value(json_array_get(words, 1));
	while (what && i < countof(whats) && strcmp(what, whats[i]) != 0)
		i++;
	if (!what || i == countof(whats) || (i > 0 && !text)) {
		control_fail(call, "flush all | name NAME | suffix NAME");
		return;
	}
	if (i > 0 && name_parse(text, &name) < 0) {
		control_fail(call, "%s: not a name", text);
		return;
	}
	master_flush(r->master, (enum flush_what)i, i > 0 ? text : ".",
		on_flushed, call);
}

static const struct control_command commands[] = {
	{"flush", verb_flush,
		"all | name NAME | suffix NAME: drop from the caches"},
	{NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
	char extra[64];
	const struct daemon_ops ops = {
		.name = "ispdns-resolver",
		.part = "resolver",
		.summary = "recursive, validating DNS resolver",
		.schema = resolver_schema,
		.version_extra = extra,
		.check = settings_check,
		.start = resolver_start,
		.prepare = resolver_prepare,
		.commit = resolver_commit,
		.discard = resolver_discard,
		.status = resolver_status,
		.stats = resolver_stats,
		.stop = resolver_stop,
		.free = resolver_free,
		.commands = commands,
	};

	snprintf(extra, sizeof(extra), "libunbound %s", engine_version());
	return daemon_main(argc, argv, &ops);
}
