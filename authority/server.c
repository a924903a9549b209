/* SPDX-License-Identifier: ISC */
/* NSD as our child. */

#include "authority/server.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "authority/nsdconf.h"
#include "common/base/log.h"
#include "common/ctl/file.h"

#define POLL_MS        20
#define STATUS_MS      2000
#define RETRY_MS       1000
#define BACKOFF_MAX_MS 5000
#define STOP_MS        3000

struct server {
	struct loop *loop;
	char program[TREE_PATH], conf[TREE_PATH], list[TREE_PATH];
	char control[TREE_PATH];
	char *argv[5];
	struct child *child;
	struct timer *poll;
	struct nsd_call *status_call;
	const struct tree *tree;
	const struct name *hidden;
	struct server_events events;
	void *arg;
	bool up, restart, stopping;
	char version[32];
};

static void set_up(struct server *server, bool up)
{
	if (server->up == up)
		return;
	server->up = up;
	server->events.changed(server->arg, up);
}

static int write_list(struct server *server, struct err *err)
{
	struct text text;
	int rc;

	text_init(&text);
	nsdconf_zone_list(server->tree, server->hidden, &text);
	rc = text.failed
		     ? err_fail(err, -ENOMEM, "out of memory")
		     : file_write(server->list, text.data, text.len, 0640, err);
	text_fini(&text);
	return rc;
}

/* Before NSD starts: its list, and no socket of a dead one. */
static int make_ready(struct server *server, struct err *err)
{
	unlink(server->control);
	return write_list(server, err);
}

static void launch(struct server *server)
{
	struct err err;

	server->restart = false;
	if (make_ready(server, &err) == 0 &&
		child_start(server->child, &err) == 0)
		return;
	log_error("authority: cannot start NSD: %s", err.text);
	timer_set_ms(server->poll, RETRY_MS);
}

/* "key: value" of the status answer; "" when absent. */
static void status_value(
	const char *reply, const char *key, char *out, size_t size)
{
	const char *p = strstr(reply, key);

	out[0] = '\0';
	if (!p)
		return;
	p += strlen(key);
	snprintf(out, size, "%.*s", (int)strcspn(p, "\n"), p);
}

static void check_ratelimit(const char *reply)
{
	char value[32];

	status_value(reply, "ratelimit: ", value, sizeof(value));
	if (value[0] && strcmp(value, "0") != 0)
		log_error("authority: NSD limits answers to %s a second: it "
			  "would drop queries of the frontends",
			value);
}

static void on_status(void *arg, int rc, const char *reply, size_t len)
{
	struct server *server = arg;

	(void)len;
	server->status_call = NULL;
	if (child_get_state(server->child) != CHILD_RUNNING)
		return;
	if (rc < 0) {
		timer_set_ms(server->poll, POLL_MS);
		return;
	}
	status_value(
		reply, "version: ", server->version, sizeof(server->version));
	check_ratelimit(reply);
	log_info("authority: NSD %s is up: pid=%d zones=%zu", server->version,
		(int)child_pid(server->child), server->tree->count);
	set_up(server, true);
}

static void on_poll(void *arg)
{
	struct server *server = arg;

	if (server->stopping)
		return;
	if (child_get_state(server->child) == CHILD_STOPPED) {
		launch(server);
		return;
	}
	server->status_call = nsd_call(server->loop, server->control, "status",
		NULL, STATUS_MS, on_status, server, NULL);
	if (!server->status_call)
		timer_set_ms(server->poll, POLL_MS);
}

static void on_stopped(struct server *server)
{
	if (server->stopping)
		server->events.stopped(server->arg);
	else if (server->restart)
		launch(server);
}

static void on_child(
	void *arg, struct child *child, enum child_state state, int status)
{
	struct server *server = arg;
	struct err err;

	(void)child;
	(void)status;
	nsd_cancel(server->status_call);
	server->status_call = NULL;
	timer_clear(server->poll);
	if (state != CHILD_STOPPING)
		set_up(server, false);
	if (state == CHILD_RUNNING)
		timer_set_ms(server->poll, POLL_MS);
	else if (state == CHILD_STOPPED)
		on_stopped(server);
	else if (state != CHILD_STOPPING && make_ready(server, &err) < 0)
		log_error("authority: before NSD's restart: %s", err.text);
	if (state == CHILD_FAILED)
		server->events.failed(server->arg);
}

static int fill_paths(struct server *server, const struct auth_config *config)
{
	const char *state = auth_config_state(config);
	static char foreground[] = "-d", conf_option[] = "-c";

	if (auth_config_tool(config, "nsd", server->program,
		    sizeof(server->program)) < 0 ||
		path_join(server->conf, sizeof(server->conf),
			"%s/current/nsd.conf", state) < 0 ||
		path_join(server->list, sizeof(server->list), "%s/zone.list",
			state) < 0 ||
		path_join(server->control, sizeof(server->control),
			"%s/nsd.sock", state) < 0)
		return -ENAMETOOLONG;
	snprintf(server->program, sizeof(server->program), "%s",
		conf_get_str(conf_root(config->conf), "nsd"));
	server->argv[0] = server->program;
	server->argv[1] = foreground;
	server->argv[2] = conf_option;
	server->argv[3] = server->conf;
	return 0;
}

struct server *server_new(struct loop *loop, const struct auth_config *config,
	const struct server_events *events, void *arg)
{
	struct server *server = calloc(1, sizeof(*server));
	struct child_config child = {.name = "nsd",
		.restart = true,
		.backoff_max_ms = BACKOFF_MAX_MS,
		.stop_ms = STOP_MS,
		.changed = on_child,
		.arg = server};

	if (!server || fill_paths(server, config) < 0) {
		free(server);
		return NULL;
	}
	server->loop = loop;
	server->events = *events;
	server->arg = arg;
	child.argv = server->argv;
	server->child = child_new(loop, &child);
	server->poll = timer_new(loop, on_poll, server);
	if (server->child && server->poll)
		return server;
	server_free(server);
	return NULL;
}

void server_free(struct server *server)
{
	if (!server)
		return;
	child_free(server->child);
	nsd_cancel(server->status_call);
	timer_free(server->poll);
	unlink(server->control);
	free(server);
}

void server_set_tree(struct server *server, const struct tree *tree,
	const struct name *hidden)
{
	server->tree = tree;
	server->hidden = hidden;
}

void server_restart(struct server *server)
{
	set_up(server, false);
	if (child_get_state(server->child) == CHILD_STOPPED) {
		launch(server);
		return;
	}
	server->restart = true;
	child_stop(server->child); /* on_child goes on */
}

void server_stop(struct server *server)
{
	server->stopping = true;
	timer_clear(server->poll);
	if (child_get_state(server->child) == CHILD_STOPPED)
		server->events.stopped(server->arg);
	else
		child_stop(server->child);
}

bool server_is_up(const struct server *server)
{
	return server->up;
}

struct nsd_call *server_call(struct server *server, const char *command,
	const char *lines, int timeout_ms, nsd_done done, void *arg,
	struct err *err)
{
	return nsd_call(server->loop, server->control, command, lines,
		timeout_ms, done, arg, err);
}

const char *server_version(const struct server *server)
{
	return server->version;
}

pid_t server_pid(const struct server *server)
{
	return child_pid(server->child);
}

unsigned server_restarts(const struct server *server)
{
	return child_restarts(server->child);
}

const char *server_state_name(const struct server *server)
{
	if (server->up)
		return "up";
	if (child_get_state(server->child) == CHILD_RUNNING)
		return "starting";
	return child_state_name(child_get_state(server->child));
}
