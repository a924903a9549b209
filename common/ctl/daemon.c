/* SPDX-License-Identifier: ISC */
/*
 * The main of every daemon: what is asked (arguments), which configuration
 * (current, previous, /etc), start, signals, readiness, end.
 */

#include "common/ctl/daemon.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/ctl/daemon_impl.h"

#define STOP_MS 20000

struct arguments {
	const char *config, *control, *check;
	enum log_level level;
	bool do_check, json;
	int verb; /* index of the verb in argv, 0: none */
};

static const char *const places[] = {
	ISPDNS_STATE_DIR "/current/%s.yaml",
	ISPDNS_STATE_DIR "/previous/%s.yaml",
	ISPDNS_ETC_DIR "/%s.yaml",
};

const char *daemon_candidate(
	const struct daemon *d, int i, char out[DAEMON_PATH])
{
	const char *only = d->config_arg ? d->config_arg : d->ops->config_file;

	if (only) {
		snprintf(out, DAEMON_PATH, "%s", only);
		return i == 0 ? out : NULL;
	}
	if ((size_t)i >= countof(places))
		return NULL;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(out, DAEMON_PATH, places[i], d->ops->part);
#pragma GCC diagnostic pop
	return out;
}

/* ".../gen/12/x.yaml" after all links -> 12. */
long long daemon_path_generation(const char *path)
{
	char real[PATH_MAX];
	long long generation;
	const char *p;
	char *end;

	if (!realpath(path, real))
		return 0;
	p = strstr(real, "/gen/");
	if (!p)
		return 0;
	generation = strtoll(p + 5, &end, 10);
	return *end == '/' && generation > 0 ? generation : 0;
}

struct conf *daemon_read(
	const struct daemon_ops *ops, const char *path, struct err *err)
{
	struct conf *conf = conf_read(path, ops->schema, err);

	if (conf && ops->check && ops->check(conf, err) < 0) {
		conf_free(conf);
		return NULL;
	}
	return conf;
}

static struct conf *read_defaults(const struct daemon_ops *ops, struct err *err)
{
	return conf_parse("{}\n", 3, ops->part, ops->schema, err);
}

struct loop *daemon_loop(struct daemon *d)
{
	return d->loop;
}

const struct conf *daemon_conf(struct daemon *d)
{
	return d->conf;
}

long long daemon_generation(struct daemon *d)
{
	return d->generation;
}

void daemon_hold_ready(struct daemon *d)
{
	d->hold_ready = true;
}

void daemon_ready(struct daemon *d)
{
	if (d->ready)
		return;
	d->ready = true;
	d->hold_ready = false;
	daemon_notify("READY=1");
	log_info("daemon: ready: version=%s generation=%lld", VERSION,
		d->generation);
}

void daemon_stopped(struct daemon *d)
{
	d->stopped = true;
	loop_stop(d->loop);
}

void daemon_fail(struct daemon *d, const char *why)
{
	log_error("daemon: cannot go on: %s", why);
	d->status = 1;
	daemon_stopped(d);
}

static void stop_timeout(void *arg)
{
	struct daemon *d = arg;

	log_warn("daemon: did not stop in time");
	d->status = 1;
	daemon_stopped(d);
}

static void on_term(void *arg)
{
	struct daemon *d = arg;

	if (d->stopping) {
		daemon_stopped(d);
		return;
	}
	d->stopping = true;
	daemon_notify("STOPPING=1");
	log_info("daemon: stopping");
	timer_set_ms(d->stop_timer, STOP_MS);
	if (d->ops->stop && d->state)
		d->ops->stop(d, d->state);
	else
		daemon_stopped(d);
}

static void on_hup(void *arg)
{
	struct daemon *d = arg;

	if (!d->stopping)
		change_reload(d, NULL);
}

static void on_watchdog(void *arg)
{
	struct daemon *d = arg;

	daemon_notify("WATCHDOG=1");
	timer_set_us(d->watchdog, d->watchdog_us / 2);
}

static int frame_open(struct daemon *d, struct err *err)
{
	d->loop = loop_new();
	if (!d->loop)
		return err_fail(err, -ENOMEM, "cannot make the event loop");
	d->stop_timer = timer_new(d->loop, stop_timeout, d);
	d->watchdog = timer_new(d->loop, on_watchdog, d);
	if (!d->stop_timer || !d->watchdog ||
		loop_signal(d->loop, SIGTERM, on_term, d) < 0 ||
		loop_signal(d->loop, SIGINT, on_term, d) < 0 ||
		loop_signal(d->loop, SIGHUP, on_hup, d) < 0)
		return err_fail(err, -ENOMEM, "out of memory");
	d->control =
		control_new(d->loop, d->control_path, daemon_commands, d, err);
	return d->control ? 0 : -EADDRINUSE;
}

/* Change what is prepared first: its memory may point into the state. */
static void frame_close(struct daemon *d)
{
	if (d->state)
		change_drop(d);
	if (d->state && d->ops->free)
		d->ops->free(d->state);
	control_free(d->control);
	timer_free(d->watchdog);
	timer_free(d->stop_timer);
	loop_free(d->loop);
	conf_free(d->change.conf);
	conf_free(d->conf);
}

static int start_with(struct daemon *d, const char *path, struct err *err)
{
	char none[DAEMON_PATH];

	d->conf = path ? daemon_read(d->ops, path, err)
		       : read_defaults(d->ops, err);
	if (!d->conf)
		return -EINVAL;
	/* Where a file would be read from when there is one later. */
	if (!path)
		path = daemon_candidate(d, countof(places) - 1, none);
	snprintf(d->path, sizeof(d->path), "%s", path);
	d->generation = daemon_path_generation(path);
	d->hold_ready = false;
	if (d->ops->start(d, d->conf, &d->state, err) == 0)
		return 0;
	d->state = NULL;
	conf_free(d->conf);
	d->conf = NULL;
	return -EINVAL;
}

/* The first configuration that is there and works. */
static int start(struct daemon *d)
{
	struct err err = {.text = "no configuration"};
	char path[DAEMON_PATH];
	bool any = false;

	for (int i = 0; daemon_candidate(d, i, path); i++) {
		if (access(path, F_OK) < 0 && !d->config_arg &&
			!d->ops->config_file)
			continue;
		any = true;
		if (start_with(d, path, &err) == 0) {
			if (i > 0)
				log_info("daemon: runs with %s", path);
			return 0;
		}
		log_error("daemon: cannot start with %s: %s", path, err.text);
	}
	if (!any && d->ops->config_optional) {
		if (start_with(d, NULL, &err) == 0)
			return 0;
		log_error("daemon: cannot start: %s", err.text);
	} else if (!any)
		log_error("daemon: no configuration in " ISPDNS_STATE_DIR
			  "/current, " ISPDNS_STATE_DIR
			  "/previous or " ISPDNS_ETC_DIR);
	return -EINVAL;
}

static void raise_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int serve(struct daemon *d)
{
	struct err err = {.text = ""};

	if (frame_open(d, &err) < 0) {
		log_error("daemon: %s", err.text);
		return 1;
	}
	if (start(d) < 0)
		return 1;
	if (d->ops->commands &&
		control_add(d->control, d->ops->commands, d->state) < 0)
		return 1;
	if (d->watchdog_us > 0)
		timer_set_us(d->watchdog, d->watchdog_us / 2);
	if (!d->hold_ready)
		daemon_ready(d);
	if (!d->stopped && loop_run(d->loop) < 0)
		return 1;
	log_info("daemon: stopped");
	return d->status;
}

static int run_daemon(
	const struct daemon_ops *ops, const struct arguments *args)
{
	struct daemon d = {.ops = ops, .config_arg = args->config};
	int status;

	log_open(ops->name, args->level);
	signal(SIGPIPE, SIG_IGN);
	raise_files();
	d.watchdog_us = notify_init();
	d.started = mtime_now();
	d.started_wall_s = wall_now_s();
	snprintf(d.control_path, sizeof(d.control_path), "%s", args->control);
	status = serve(&d);
	frame_close(&d);
	return status;
}

static int run_check(const struct daemon_ops *ops, const struct arguments *args)
{
	struct daemon d = {.ops = ops,
		.config_arg = args->check ? args->check : args->config};
	char path[DAEMON_PATH];
	struct conf *conf;
	struct err err;
	int i = 0;

	while (daemon_candidate(&d, i, path) && access(path, F_OK) < 0)
		i++;
	if (!daemon_candidate(&d, i, path))
		daemon_candidate(&d, 0, path);
	conf = daemon_read(ops, path, &err);
	if (!conf) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	conf_free(conf);
	printf("%s: ok\n", path);
	return 0;
}

static void print_commands(const struct control_command *c)
{
	for (; c && c->verb; c++)
		printf("  %-12s %s\n", c->verb, c->help ? c->help : "");
}

static int print_help(const struct daemon_ops *ops)
{
	const char *n = ops->name;

	printf("%s: %s\n\n"
	       "  %s [--config FILE] [--control PATH] [--log-level LEVEL]\n"
	       "  %s --check [FILE]    is the configuration right?\n"
	       "  %s --version | --help | --print-config-reference\n"
	       "  %s VERB [KEY=VALUE | WORD ...] [--json]\n"
	       "                       ask the running daemon\n\n"
	       "Without --config ",
		n, ops->summary, n, n, n, n);
	if (ops->config_file)
		printf("%s is read.\n\nVerbs:\n", ops->config_file);
	else
		printf("the first of these that works is taken:\n"
		       "  " ISPDNS_STATE_DIR "/current/%s.yaml\n"
		       "  " ISPDNS_STATE_DIR "/previous/%s.yaml\n"
		       "  " ISPDNS_ETC_DIR "/%s.yaml\n\nVerbs:\n",
			ops->part, ops->part, ops->part);
	print_commands(daemon_commands);
	print_commands(ops->commands);
	return 0;
}

static int print_version(const struct daemon_ops *ops)
{
	printf("%s %s", ops->name, VERSION);
	if (ops->version_extra)
		printf(" (%s)", ops->version_extra);
	printf("\n");
	return 0;
}

static int print_reference(const struct daemon_ops *ops)
{
	char title[256];
	struct text text;

	snprintf(title, sizeof(title), "%s.yaml: configuration of %s",
		ops->part, ops->name);
	text_init(&text);
	schema_print_reference(ops->schema, title, &text);
	fputs(text.data, stdout);
	text_fini(&text);
	return 0;
}

static int usage(
	const struct daemon_ops *ops, const char *what, const char *argument)
{
	fprintf(stderr, "%s: %s: %s (try --help)\n", ops->name, what, argument);
	return 2;
}

/* "--name VALUE" or "--name=VALUE" at argv[*i]: the value, or NULL. */
static const char *option_value(int argc, char **argv, int *i, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(argv[*i], name, len) != 0)
		return NULL;
	if (argv[*i][len] == '=')
		return argv[*i] + len + 1;
	if (argv[*i][len] != '\0' || *i + 1 >= argc)
		return NULL;
	return argv[++*i];
}

/* 0: taken; -1: not known here. */
static int parse_one(int argc, char **argv, int *i, struct arguments *args)
{
	const char *value;

	if ((value = option_value(argc, argv, i, "--config")) != NULL) {
		args->config = value;
	} else if ((value = option_value(argc, argv, i, "--control")) != NULL) {
		args->control = value;
	} else if ((value = option_value(argc, argv, i, "--log-level")) !=
		   NULL) {
		return log_level_parse(value, &args->level) ? 0 : -1;
	} else if (strcmp(argv[*i], "--check") == 0) {
		args->do_check = true;
		if (*i + 1 < argc && argv[*i + 1][0] != '-')
			args->check = argv[++*i];
	} else if (strcmp(argv[*i], "--json") == 0) {
		args->json = true;
	} else if (strcmp(argv[*i], "--foreground") != 0) {
		return -1;
	}
	return 0;
}

/* Things that print and end; < 0: none of them. */
static int print_something(const struct daemon_ops *ops, const char *argument)
{
	if (strcmp(argument, "--version") == 0)
		return print_version(ops);
	if (strcmp(argument, "--help") == 0)
		return print_help(ops);
	if (strcmp(argument, "--print-config-reference") == 0)
		return print_reference(ops);
	return -1;
}

static bool has_json(int argc, char **argv, int at)
{
	for (; at < argc; at++) {
		if (strcmp(argv[at], "--json") == 0)
			return true;
	}
	return false;
}

int daemon_main(int argc, char **argv, const struct daemon_ops *ops)
{
	struct arguments args = {.level = LOG_LVL_INFO};
	char control[sizeof(((struct daemon *)NULL)->control_path)];
	int rc;

	if (ops->option && (rc = ops->option(argc, argv)) >= 0)
		return rc;
	snprintf(control, sizeof(control), ISPDNS_RUN_DIR "/%s/control.sock",
		ops->part);
	args.control = control;
	for (int i = 1; i < argc && !args.verb; i++) {
		if ((rc = print_something(ops, argv[i])) >= 0)
			return rc;
		if (argv[i][0] != '-')
			args.verb = i;
		else if (parse_one(argc, argv, &i, &args) < 0)
			return usage(
				ops, "unknown or incomplete argument", argv[i]);
	}
	if (strlen(args.control) >= sizeof(control))
		return usage(ops, "path is too long", args.control);
	if (args.verb)
		return daemon_client(ops, args.control, argc, argv, args.verb,
			args.json || has_json(argc, argv, args.verb));
	if (args.do_check)
		return run_check(ops, &args);
	return run_daemon(ops, &args);
}
