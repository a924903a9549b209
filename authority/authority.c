/* SPDX-License-Identifier: ISC */
/*
 * From configuration to a served tree, and from one to the next. The start
 * is a change too, from nothing. A tree that was served and proven is marked
 * good; one that is not is checked again as a whole before NSD sees it.
 */

#include "authority/authority.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "authority/authority_impl.h"
#include "authority/nsdconf.h"
#include "common/base/log.h"
#include "common/ctl/file.h"

#define UP_MS   10000 /* and a millisecond for each zone */
#define LOCK_MS 5000

static const struct name *hidden(
	const struct authority *a, const struct auth_config *config)
{
	return a->draining ? auth_config_health(config) : NULL;
}

static void next_free(struct next *next)
{
	if (!next)
		return;
	auth_config_free(next->config);
	tree_free(next->tree);
	free(next);
}

/* The tree of a change that is not to be. */
static void next_drop(struct authority *a, struct next *next)
{
	char path[TREE_PATH];
	struct err err;

	if (next->tree &&
		path_join(path, sizeof(path), "%s/gen/%lld", a->state,
			next->tree->number) == 0 &&
		dir_remove(path, &err) < 0)
		log_warn("authority: %s", err.text);
	next_free(next);
}

/* --- a change has ended --- */

static void mark_good(struct authority *a)
{
	struct err err;

	if (tree_mark_good(a->state, a->tree, &err) < 0)
		log_error("authority: cannot mark the tree as good: %s",
			err.text);
	tree_prune(a->state,
		(size_t)conf_get_int(conf_root(a->config->conf), "keep"),
		a->tree->number);
}

/* A drain or undrain that came while a change was on its way. */
static void catch_up_drain(struct authority *a)
{
	if (a->drain_wanted != a->draining)
		authority_drain(a->d, a, a->drain_wanted);
}

static void start_ended(
	struct authority *a, enum apply_result result, const struct err *why)
{
	a->proven = result == APPLY_DONE;
	if (a->proven)
		mark_good(a);
	else
		snprintf(a->degraded, sizeof(a->degraded), "%s", why->text);
	if (!a->proven)
		log_error("authority: not all zones are served: %s", why->text);
	daemon_ready(a->d);
}

static void change_ended(
	struct authority *a, enum apply_result result, const struct err *why)
{
	struct next *next = a->next;

	a->next = NULL;
	stats_change(
		a->stats, result, mtime_sub_us(mtime_now(), a->apply_began));
	a->proven = result != APPLY_FAILED;
	if (result == APPLY_DONE) {
		struct auth_config *config = a->config;
		struct tree *tree = a->tree;

		a->config = next->config;
		a->tree = next->tree;
		free(next);
		server_set_tree(a->server, a->tree, hidden(a, a->config));
		mark_good(a);
		a->degraded[0] = '\0';
		log_info("authority: served and proven: zones=%zu ms=%lld",
			a->config->zone_count,
			(long long)mtime_sub_us(mtime_now(), a->apply_began) /
				1000);
		daemon_committed(a->d, NULL); /* frees the conf of `config` */
		auth_config_free(config);
		tree_free(tree);
		return;
	}
	server_set_tree(a->server, a->tree, hidden(a, a->config));
	next_drop(a, next);
	if (result == APPLY_FAILED)
		snprintf(a->degraded, sizeof(a->degraded), "%s", why->text);
	daemon_committed(a->d, why);
}

static void apply_ended(
	void *arg, enum apply_result result, const struct err *why)
{
	struct authority *a = arg;

	a->apply = NULL;
	if (a->next)
		change_ended(a, result, why);
	else
		start_ended(a, result, why);
	daemon_ready(a->d);
	catch_up_drain(a);
}

/* --- start --- */

static void server_changed(void *arg, bool up)
{
	struct authority *a = arg;

	if (a->apply)
		apply_server_changed(a->apply, up);
	else
		a->proven = up; /* from the same good tree */
}

static void server_failed(void *arg)
{
	struct authority *a = arg;

	if (a->apply)
		apply_server_failed(a->apply);
}

static void server_stopped(void *arg)
{
	struct authority *a = arg;

	daemon_stopped(a->d);
}

static void tell_now(void *arg, struct stats_now *now)
{
	const struct authority *a = arg;

	now->generation = a->tree->generation;
	now->zones = a->config->zone_count;
	now->serving = a->proven && server_is_up(a->server);
	now->degraded = a->degraded[0] != '\0';
	now->draining = a->draining;
}

/*
 * One supervisor per state folder. NSD inherits the lock: after a killed
 * supervisor the next one waits here until the last process of the old NSD
 * is gone, so that the two never meet on a port or on the control socket.
 */
static int take_lock(struct authority *a, struct err *err)
{
	struct mtime end = mtime_add_ms(mtime_now(), LOCK_MS);
	const struct timespec pause = {.tv_nsec = 20000000};
	char path[TREE_PATH];

	if (path_join(path, sizeof(path), "%s/lock", a->state) < 0)
		return err_fail(err, -ENAMETOOLONG, "%s: too long", a->state);
	a->lock_fd = open(path, O_RDWR | O_CREAT, 0640);
	if (a->lock_fd < 0)
		return err_fail(err, -errno, "%s: %s", path, strerror(errno));
	while (flock(a->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		if (!mtime_before(mtime_now(), end))
			return err_fail(err, -EBUSY,
				"%s: another ispdns-authority, or its NSD, "
				"runs there",
				a->state);
		nanosleep(&pause, NULL);
	}
	return 0;
}

/* What a killed NSD leaves: its folders for transfers. */
static void remove_rests(const char *state)
{
	DIR *dir = opendir(state);
	char path[TREE_PATH];
	struct dirent *e;
	struct err err;

	while (dir && (e = readdir(dir)) != NULL) {
		if (strncmp(e->d_name, "nsd-xfr-", 8) == 0 &&
			path_join(path, sizeof(path), "%s/%s", state,
				e->d_name) == 0 &&
			dir_remove(path, &err) < 0)
			log_warn("authority: %s", err.text);
	}
	if (dir)
		closedir(dir);
}

static int open_state(struct authority *a, struct err *err)
{
	char path[TREE_PATH];

	if (path_join(a->state, sizeof(a->state), "%s",
		    auth_config_state(a->config)) < 0 ||
		path_join(path, sizeof(path), "%s/gen", a->state) < 0)
		return err_fail(err, -ENAMETOOLONG, "state: too long");
	if (dir_make(path, 0750, err) < 0 || take_lock(a, err) < 0)
		return -EINVAL;
	remove_rests(a->state);
	tree_clean(a->state);
	return 0;
}

/* The newest tree that was proven; NULL: there is none. */
static struct tree *load_good(const char *state)
{
	long long number = tree_last_good(state);
	struct tree *tree;
	struct err err;

	if (number == 0)
		return NULL;
	tree = tree_load(state, number, &err);
	if (!tree)
		log_error("authority: cannot use the last good tree: %s",
			err.text);
	return tree;
}

/* The frame has another configuration to try when this one is bad. */
static bool has_previous(const struct conf *conf)
{
	return strcmp(conf_file(conf),
		       ISPDNS_STATE_DIR "/current/authority.yaml") == 0 &&
	       access(ISPDNS_STATE_DIR "/previous/authority.yaml", R_OK) == 0;
}

/* The tree to start with: of the configuration, or the last good one. */
static int first_tree(struct authority *a, struct err *err)
{
	struct tree *good = load_good(a->state);
	struct check_job job = {.config = a->config,
		.base = good,
		.served = good,
		.number = tree_next_number(a->state),
		.verify = true};

	/* Thousands of zones that are not known yet take their time. */
	daemon_notify("EXTEND_TIMEOUT_USEC=300000000");
	a->tree = check_now(&job, err);
	if (!a->tree && good && !has_previous(a->config->conf)) {
		log_error("authority: the last good zones are served instead, "
			  "since: %s",
			err->text);
		snprintf(a->degraded, sizeof(a->degraded), "%s", err->text);
		a->tree = good;
		good = NULL;
	}
	tree_free(good);
	return a->tree ? 0 : -EINVAL;
}

static int start_server(struct authority *a, struct err *err)
{
	static const struct server_events events = {.changed = server_changed,
		.failed = server_failed,
		.stopped = server_stopped};
	struct apply_job job = {.loop = a->loop,
		.state = a->state,
		.to = a->tree,
		.to_addr = auth_config_probe_addr(a->config),
		.restart = true,
		.done = apply_ended,
		.arg = a};

	a->server = server_new(a->loop, a->config, &events, a);
	if (!a->server)
		return err_fail(err, -ENOMEM, "out of memory");
	a->stats = stats_new(a->loop, a->config, a->server, tell_now, a, err);
	if (!a->stats)
		return -EINVAL;
	job.server = a->server;
	job.rtt = stats_rtt(a->stats);
	a->apply = apply_start(&job);
	if (!a->apply || monitor_open(a) < 0)
		return err_fail(err, -ENOMEM, "out of memory");
	return 0;
}

int authority_start(struct daemon *d, const struct conf *conf, void **state,
	struct err *err)
{
	struct authority *a = calloc(1, sizeof(*a));

	if (!a)
		return err_fail(err, -ENOMEM, "out of memory");
	a->d = d;
	a->loop = daemon_loop(d);
	a->lock_fd = -1;
	a->config = auth_config_new(conf, daemon_generation(d));
	if (!a->config || open_state(a, err) < 0 || first_tree(a, err) < 0 ||
		start_server(a, err) < 0) {
		authority_free(a);
		return -EINVAL;
	}
	daemon_hold_ready(d);
	*state = a;
	return 0;
}

/* --- prepare, commit, discard --- */

struct preparing {
	struct authority *a;
	struct auth_config *config;
};

static void prepared(void *arg, struct tree *tree, const struct err *err)
{
	struct preparing *p = arg;
	struct authority *a = p->a;
	struct next *next = calloc(1, sizeof(*next));
	struct err none = {.text = "out of memory"};

	if (tree && next) {
		next->config = p->config;
		next->tree = tree;
		free(p);
		daemon_prepared(a->d, next, NULL);
		return;
	}
	auth_config_free(p->config);
	free(p);
	free(next);
	tree_free(tree);
	stats_check_failed(a->stats);
	daemon_prepared(a->d, NULL, err->text[0] ? err : &none);
}

static int begin_prepare(
	struct authority *a, const struct conf *conf, struct err *err)
{
	struct preparing *p = calloc(1, sizeof(*p));
	struct check_job job = {.base = a->tree->good ? a->tree : NULL,
		.served = a->tree,
		.number = tree_next_number(a->state)};
	int rc;

	if (!p)
		return err_fail(err, -ENOMEM, "out of memory");
	p->a = a;
	p->config = auth_config_new(conf, daemon_next_generation(a->d));
	job.config = p->config;
	if (!p->config)
		rc = err_fail(err, -ENOMEM, "out of memory");
	else if (strcmp(auth_config_state(p->config), a->state) != 0)
		rc = conf_error(conf, conf_get(conf_root(conf), "state"), err,
			"state: cannot change without a restart");
	else
		rc = check_start(a->loop, &job, prepared, p, err);
	if (rc < 0) {
		auth_config_free(p->config);
		free(p);
	}
	return rc;
}

void authority_prepare(struct daemon *d, void *state, const struct conf *conf)
{
	struct err err = {.text = ""};

	if (begin_prepare(state, conf, &err) < 0)
		daemon_prepared(d, NULL, &err);
}

/* Does NSD's own configuration differ beyond the zones? */
static bool needs_restart(
	const struct auth_config *from, const struct auth_config *to)
{
	struct text a, b;
	bool differs;

	text_init(&a);
	text_init(&b);
	nsdconf_server(from, "", &a);
	nsdconf_server(to, "", &b);
	differs = strcmp(a.data, b.data) != 0;
	text_fini(&a);
	text_fini(&b);
	return differs;
}

bool authority_commit(struct daemon *d, void *state, void *next_)
{
	struct authority *a = state;
	struct next *next = next_;
	bool starting = a->apply != NULL; /* never came up with the old one */
	struct apply_job job = {.loop = a->loop,
		.server = a->server,
		.state = a->state,
		.from = starting ? NULL : a->tree,
		.to = next->tree,
		.from_addr = auth_config_probe_addr(a->config),
		.to_addr = auth_config_probe_addr(next->config),
		.hidden = hidden(a, next->config),
		.restart = starting || needs_restart(a->config, next->config),
		.up_ms = UP_MS + (int)next->tree->count,
		.rtt = stats_rtt(a->stats),
		.done = apply_ended,
		.arg = a};
	struct err err = {.text = "out of memory"};

	(void)d;
	monitor_pause(a);
	apply_cancel(a->apply);
	a->next = next;
	a->apply_began = mtime_now();
	a->apply = apply_start(&job);
	if (!a->apply)
		change_ended(a, APPLY_ROLLED_BACK, &err);
	return false;
}

void authority_discard(struct daemon *d, void *state, void *next)
{
	(void)d;
	next_drop(state, next);
}

/* --- drain and end --- */

static void drained(void *arg, int rc, const char *reply, size_t len)
{
	(void)arg;
	(void)len;
	if (rc < 0)
		log_error("authority: health zone: %s",
			rc == -EREMOTEIO ? reply : strerror(-rc));
}

void authority_drain(struct daemon *d, void *state, bool on)
{
	struct authority *a = state;
	const struct tree_zone *zone;
	char command[NAME_MAX_TEXT + 32];
	struct err err;

	(void)d;
	a->drain_wanted = on;
	if (a->apply)
		return; /* apply_ended comes back here */
	a->draining = on;
	server_set_tree(a->server, a->tree, hidden(a, a->config));
	zone = tree_find(a->tree, auth_config_health(a->config)->wire);
	if (!zone || !server_is_up(a->server))
		return;
	snprintf(command, sizeof(command), "%s %s%s",
		on ? "delzone" : "addzone", zone->nsd_name,
		on ? "" : " " NSDCONF_PATTERN);
	if (!server_call(a->server, command, NULL, 10000, drained, NULL, &err))
		log_error("authority: health zone: %s", err.text);
}

void authority_stop(struct daemon *d, void *state)
{
	struct authority *a = state;

	(void)d;
	a->stopping = true;
	monitor_close(a);
	apply_cancel(a->apply);
	a->apply = NULL;
	server_stop(a->server);
}

void authority_free(void *state)
{
	struct authority *a = state;

	monitor_close(a);
	apply_cancel(a->apply);
	stats_free(a->stats);
	server_free(a->server);
	next_free(a->next);
	tree_free(a->tree);
	auth_config_free(a->config);
	if (a->lock_fd >= 0)
		close(a->lock_fd);
	free(a);
}
