/* SPDX-License-Identifier: ISC */
/* The process that makes and checks a tree; see stage.c for one zone. */

#include "authority/check.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "authority/confine.h"
#include "authority/nsdconf.h"
#include "authority/stage.h"
#include "common/base/log.h"
#include "common/ctl/child.h"
#include "common/ctl/file.h"

#define OUTPUT_MAX (256u << 10)
#define BAD_SHOWN  20

static void set_limits(const struct auth_config *config)
{
	const struct conf_node *check =
		conf_get(conf_root(config->conf), "check");
	struct rlimit none = {0, 0}, memory;

	memory.rlim_cur = memory.rlim_max =
		(rlim_t)conf_get_int(check, "memory");
	setrlimit(RLIMIT_CORE, &none);
/* the shadow of a sanitizer is terabytes of addresses */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	setrlimit(RLIMIT_AS, &memory);
#endif
}

/* Stage all zones; how many were bad. Prints E lines for the first ones. */
static size_t stage_all(struct stage *stage)
{
	const struct auth_config *config = stage->job->config;
	struct err err;
	size_t bad = 0;

	for (size_t i = 0; i < config->zone_count; i++) {
		err.text[0] = '\0';
		if (stage_zone(stage, &config->zones[i], &err) == 0)
			continue;
		if (bad++ < BAD_SHOWN)
			printf("E %s\n", err.text);
		if (stage->fatal)
			return bad;
	}
	err.text[0] = '\0';
	if (bad == 0 && stage_health(stage, &err) < 0) {
		printf("E %s\n", err.text);
		bad++;
	}
	return bad;
}

static int write_manifest(struct stage *stage, struct err *err)
{
	char path[TREE_PATH];

	if (stage->manifest.failed)
		return err_fail(err, -ENOMEM, "out of memory");
	if (path_join(path, sizeof(path), "%s/" TREE_MANIFEST, stage->folder) <
		0)
		return err_fail(err, -ENAMETOOLONG, "path too long");
	return file_write(
		path, stage->manifest.data, stage->manifest.len, 0640, err);
}

/* nsd.conf of the tree, checked by NSD's own reader. */
static int write_conf(
	struct stage *stage, const struct tree *tree, struct err *err)
{
	const struct auth_config *config = stage->job->config;
	char path[TREE_PATH], control[TREE_PATH], tool[TREE_PATH];
	char *argv[] = {tool, path, NULL};
	struct text text;
	int rc;

	if (path_join(path, sizeof(path), "%s/nsd.conf", stage->folder) < 0 ||
		path_join(control, sizeof(control), "%s/nsd.sock",
			auth_config_state(config)) < 0 ||
		auth_config_tool(config, "nsd-checkconf", tool, sizeof(tool)) <
			0)
		return err_fail(err, -ENAMETOOLONG, "path too long");
	text_init(&text);
	nsdconf_server(config, control, &text);
	nsdconf_zones(config, tree, &text);
	rc = text.failed ? err_fail(err, -ENOMEM, "out of memory")
			 : file_write(path, text.data, text.len, 0640, err);
	text_fini(&text);
	return rc < 0 ? rc : stage_tool(argv, err);
}

/* Everything is on the disk before the tree has its name. */
static int finish(struct stage *stage, struct err *err)
{
	const char *state = auth_config_state(stage->job->config);
	char path[TREE_PATH];
	int fd, rc;

	if (path_join(path, sizeof(path), "%s/gen/%lld", state,
		    stage->job->number) < 0)
		return err_fail(err, -ENAMETOOLONG, "path too long");
	fd = open(stage->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = fd < 0 || syncfs(fd) < 0 ? -errno : 0;
	if (fd >= 0)
		close(fd);
	if (rc == 0 && rename(stage->folder, path) < 0)
		rc = -errno;
	if (rc < 0)
		return err_fail(err, rc, "%s: %s", path, strerror(-rc));
	if (path_join(path, sizeof(path), "%s/gen", state) < 0)
		return err_fail(err, -ENAMETOOLONG, "path too long");
	return dir_sync(path, err);
}

/* The manifest, read back as it will be later, and what follows from it. */
static int make_conf(struct stage *stage, struct err *err)
{
	struct tree *tree;
	int rc = write_manifest(stage, err);

	if (rc < 0)
		return rc;
	tree = tree_load_folder(stage->folder, stage->job->number, err);
	if (!tree)
		return -EINVAL;
	rc = write_conf(stage, tree, err);
	tree_free(tree);
	return rc;
}

int check_entry(void *arg)
{
	const struct check_job *job = arg;
	struct err err = {.text = ""};
	struct stage stage;
	size_t bad;

	set_limits(job->config);
	if (confine(job->config, &err) < 0 ||
		stage_open(&stage, job, &err) < 0) {
		printf("E %s\n", err.text);
		fflush(stdout);
		return 1;
	}
	bad = stage_all(&stage);
	if (bad > 1)
		printf("N %zu\n", bad - 1);
	if (bad == 0 &&
		(make_conf(&stage, &err) < 0 || finish(&stage, &err) < 0)) {
		printf("E %s\n", err.text);
		bad++;
	}
	if (bad == 0)
		printf("OK %zu\n", stage.changed);
	stage_close(&stage, bad > 0);
	fflush(stdout);
	return bad > 0;
}

/* --- the parent's side --- */

struct waiting {
	struct check_job job;
	check_done done;
	void *arg;
};

static void more_zones(struct err *err, const char *count, int len)
{
	struct err first = *err;

	err_set(err, "%.400s (and %.*s more zones)", first.text, len, count);
}

/* First E line into err (with how many more), W lines to the log. */
static bool read_output(const char *output, size_t len, struct err *err)
{
	const char *p = output, *end = output + len, *eol;
	bool good = false;

	for (; p < end && (eol = memchr(p, '\n', (size_t)(end - p))) != NULL;
		p = eol + 1) {
		int n = (int)(eol - p);

		if (n > 2 && p[0] == 'W')
			log_warn("authority: %.*s", n - 2, p + 2);
		else if (n > 2 && p[0] == 'E' && !err->text[0])
			err_set(err, "%.*s", n - 2, p + 2);
		else if (n > 2 && p[0] == 'E')
			log_error("authority: %.*s", n - 2, p + 2);
		else if (n > 2 && p[0] == 'N')
			more_zones(err, p + 2, n - 2);
		else if (n > 2 && strncmp(p, "OK", 2) == 0)
			good = true;
	}
	return good && !err->text[0];
}

static void ended(void *arg, int status, const char *output, size_t len)
{
	struct waiting *w = arg;
	struct err err = {.text = ""};
	struct tree *tree = NULL;
	bool good = read_output(output, len, &err);

	if (good && status == 0)
		tree = tree_load(
			auth_config_state(w->job.config), w->job.number, &err);
	else if (status == -ETIMEDOUT)
		err_set(&err, "checking the zones took too long");
	else if (status < 0)
		err_set(&err, "checking the zones: %s", strerror(-status));
	else if (!err.text[0] && WIFSIGNALED(status))
		err_set(&err, "checking the zones: killed by signal %d",
			WTERMSIG(status));
	else if (!err.text[0])
		err_set(&err, "checking the zones: ended with status %d",
			WEXITSTATUS(status));
	w->done(w->arg, tree, &err);
	free(w);
}

int check_start(struct loop *loop, const struct check_job *job, check_done done,
	void *arg, struct err *err)
{
	const struct conf_node *root = conf_root(job->config->conf);
	struct waiting *w = calloc(1, sizeof(*w));
	int rc;

	if (!w)
		return err_fail(err, -ENOMEM, "out of memory");
	w->job = *job;
	w->done = done;
	w->arg = arg;
	rc = child_run_entry(loop, check_entry, &w->job,
		(int)conf_int(conf_path(root, "check.timeout")), OUTPUT_MAX,
		ended, w, err);
	if (rc < 0)
		free(w);
	return rc;
}

struct now {
	struct loop *loop;
	struct tree *tree;
	struct err err;
};

static void now_done(void *arg, struct tree *tree, const struct err *err)
{
	struct now *now = arg;

	now->tree = tree;
	now->err = *err;
	loop_stop(now->loop);
}

struct tree *check_now(const struct check_job *job, struct err *err)
{
	struct now now = {.loop = loop_new()};

	if (!now.loop) {
		err_set(err, "out of memory");
		return NULL;
	}
	if (check_start(now.loop, job, now_done, &now, &now.err) == 0)
		loop_run(now.loop);
	loop_free(now.loop);
	if (!now.tree)
		err_set(err, "%s", now.err.text);
	return now.tree;
}
