/* SPDX-License-Identifier: ISC */
/*
 * One zone into a tree: a link when it is known to be good and unchanged,
 * else its text is read and checked by us, printed flat, and checked by NSD.
 * NSD gets nothing that we did not print.
 */

#include "authority/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/digest.h"
#include "common/ctl/file.h"
#include "common/zone/zone.h"

#define WARNINGS_SHOWN 50
/* A run of nsd-checkzone takes 10 ms: not for thousands. A zone that is not
 * served yet can do no harm when NSD does not take it: the proof fails, and
 * the change goes back. One that is served would be lost, so it is always
 * checked. */
#define ADDED_CHECKED 200

extern char **environ;

int stage_open(
	struct stage *stage, const struct check_job *job, struct err *err)
{
	const char *state = auth_config_state(job->config);
	int rc;

	memset(stage, 0, sizeof(*stage));
	stage->job = job;
	text_init(&stage->manifest);
	text_add(&stage->manifest, "ispdns-tree 1 %lld\n",
		job->config->generation);
	if (path_join(stage->folder, sizeof(stage->folder), "%s/gen/%lld.tmp",
		    state, job->number) < 0)
		return err_fail(err, -ENAMETOOLONG, "%s: too long", state);
	rc = dir_remove(stage->folder, err);
	return rc < 0 ? rc : dir_make(stage->folder, 0750, err);
}

void stage_close(struct stage *stage, bool remove)
{
	struct err err;

	text_fini(&stage->manifest);
	if (remove && dir_remove(stage->folder, &err) < 0)
		printf("W %s\n", err.text);
}

/* What is being staged. */
struct item {
	const struct auth_zone *zone;
	const struct tree_zone *base; /* in the good tree, or NULL */
	char file[ZONE_FILE_NAME];
	char *text; /* source */
	size_t len;
	struct tree_zone out;
	char source_sha[DIGEST_HEX], sha[DIGEST_HEX];
	bool quiet; /* its warnings are of no use to anyone */
};

static int base_path(
	const struct stage *stage, const struct item *item, char out[TREE_PATH])
{
	return path_join(out, TREE_PATH, "%s/gen/%lld/%s",
		auth_config_state(stage->job->config), stage->job->base->number,
		item->base->file);
}

/* Is the file of the good tree still what its manifest says? */
static bool base_whole(
	const struct stage *stage, const struct item *item, const char *path)
{
	char sha[DIGEST_HEX], *text;
	size_t len;

	if (!stage->job->verify)
		return true;
	if (file_read(path, (size_t)1 << 31, &text, &len, NULL) < 0)
		return false;
	digest_hex(text, len, sha);
	free(text);
	return strcmp(sha, item->base->sha) == 0;
}

/* Link the good tree's file; false: it must be made anew. */
static bool link_base(struct stage *stage, struct item *item)
{
	char from[TREE_PATH], to[TREE_PATH];

	if (!item->base || strcmp(item->base->file, item->file) != 0 ||
		base_path(stage, item, from) < 0 ||
		path_join(to, sizeof(to), "%s/%s", stage->folder, item->file) <
			0 ||
		!base_whole(stage, item, from) || link(from, to) < 0)
		return false;
	item->out.serial = item->base->serial;
	memcpy(item->sha, item->base->sha, sizeof(item->sha));
	return true;
}

static int check_serial(const struct item *item, struct err *err)
{
	const struct auth_zone *zone = item->zone;

	if (!zone->has_serial || zone->serial == item->out.serial)
		return 0;
	return err_fail(err, -EINVAL, "%s: %s: serial is %u, not %u",
		zone->name, zone->file, item->out.serial, zone->serial);
}

static int read_source(struct stage *stage, struct item *item, struct err *err)
{
	const struct conf_node *check =
		conf_get(conf_root(stage->job->config->conf), "check");
	int rc;

	if (!item->text) {
		rc = file_read(item->zone->file,
			(size_t)conf_get_int(check, "max_zone"), &item->text,
			&item->len, err);
		if (rc < 0) {
			err_prefix(err, "%s", item->zone->name);
			return rc;
		}
	}
	digest_hex(item->text, item->len, item->source_sha);
	if (item->zone->sha256 &&
		strcasecmp(item->zone->sha256, item->source_sha) != 0)
		return err_fail(err, -EINVAL,
			"%s: %s: sha256 is %s, not %s: the file is damaged",
			item->zone->name, item->zone->file, item->source_sha,
			item->zone->sha256);
	return 0;
}

static void print_warnings(
	struct stage *stage, const char *name, const struct zone_report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		if (report->items[i].severity == ZONE_WARNING &&
			stage->warnings++ < WARNINGS_SHOWN)
			printf("W %s: %s\n", name, report->items[i].text);
	}
}

static int report_fail(const struct item *item,
	const struct zone_report *report, struct err *err)
{
	err_set(err, "cannot be read");
	(void)zone_report_err(report, err);
	err_prefix(err, "%s", item->zone->name);
	return -EINVAL;
}

/* Our own reading and rules; flat text out. */
static int parse_zone(struct stage *stage, struct item *item, struct text *flat,
	struct err *err)
{
	struct zone_read_options options = {.origin = item->zone->name};
	const struct tree_zone *served =
		tree_find(stage->job->served, item->zone->wire->wire);
	struct zone_check_options check = {
		.served_serial = served ? &served->serial : NULL};
	struct zone_report report;
	char folder[4096];
	struct zone *zone;
	const char *slash = strrchr(item->zone->file, '/');
	int rc = 0;

	if (!item->zone->sha256 && slash &&
		path_join(folder, sizeof(folder), "%.*s",
			(int)(slash - item->zone->file), item->zone->file) == 0)
		options.include_dir = folder;
	zone_report_init(&report);
	zone = zone_read_text(
		item->text, item->len, item->zone->file, &options, &report);
	if (!zone || zone_check(zone, &check, &report) < 0 ||
		!zone_serial(zone, &item->out.serial))
		rc = report_fail(item, &report, err);
	else
		zone_print(zone, flat);
	if (rc == 0 && flat->failed)
		rc = err_fail(
			err, -ENOMEM, "%s: out of memory", item->zone->name);
	if (!item->quiet)
		print_warnings(stage, item->zone->name, &report);
	zone_report_fini(&report);
	zone_free(zone);
	return rc;
}

/* Without a sync each: syncfs ends the tree as a whole. */
static int write_plain(struct stage *stage, const char *path,
	const struct text *flat, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	size_t done = 0;
	ssize_t n = 0;

	while (fd >= 0 && done < flat->len) {
		n = write(fd, flat->data + done, flat->len - done);
		if (n < 0 && errno != EINTR)
			break;
		done += n > 0 ? (size_t)n : 0;
	}
	if (fd >= 0 && n >= 0 && close(fd) == 0)
		return 0;
	stage->fatal = true;
	return err_fail(err, -errno, "%s: %s", path, strerror(errno));
}

/* Write the flat text and let NSD read it. */
static int write_zone(struct stage *stage, struct item *item,
	const struct text *flat, struct err *err)
{
	char path[TREE_PATH], tool[TREE_PATH], name[NAME_MAX_TEXT];
	char *argv[] = {tool, name, path, NULL};
	int rc;

	if (path_join(path, sizeof(path), "%s/%s", stage->folder, item->file) <
			0 ||
		auth_config_tool(stage->job->config, "nsd-checkzone", tool,
			sizeof(tool)) < 0)
		return err_fail(err, -ENAMETOOLONG, "path too long");
	rc = write_plain(stage, path, flat, err);
	if (rc < 0)
		return rc;
	stage->changed++;
	if (!tree_find(stage->job->served, item->zone->wire->wire) &&
		stage->added++ >= ADDED_CHECKED)
		return 0;
	snprintf(name, sizeof(name), "%s", item->zone->name);
	rc = stage_tool(argv, err);
	if (rc < 0)
		err_prefix(err, "%s", item->zone->name);
	return rc;
}

static int make_zone(struct stage *stage, struct item *item, struct err *err)
{
	struct text flat;
	int rc;

	text_init(&flat);
	rc = parse_zone(stage, item, &flat, err);
	if (rc == 0) {
		digest_hex(flat.data, flat.len, item->sha);
		if (!item->base || strcmp(item->sha, item->base->sha) != 0 ||
			!link_base(stage, item))
			rc = write_zone(stage, item, &flat, err);
	}
	text_fini(&flat);
	return rc;
}

static void add_line(struct stage *stage, struct item *item)
{
	item->out.name = item->zone->name;
	item->out.file = item->file;
	item->out.source_sha = item->source_sha;
	item->out.sha = item->sha;
	tree_print_line(&item->out, &stage->manifest);
}

/* The told digest is that of a good zone: its source need not be there. */
static bool known_by_digest(const struct item *item)
{
	return item->zone->sha256 && item->base && !item->text &&
	       strcasecmp(item->zone->sha256, item->base->source_sha) == 0;
}

/* Same source as the good one, and no other file has a part in it. */
static bool known_by_source(const struct item *item)
{
	return item->base &&
	       strcmp(item->source_sha, item->base->source_sha) == 0 &&
	       !strcasestr(item->text, "$INCLUDE");
}

static int stage_item(struct stage *stage, struct item *item, struct err *err)
{
	bool done;
	int rc = 0;

	item->base = tree_find(stage->job->base, item->zone->wire->wire);
	zone_file_name(item->zone->wire, item->file);
	done = known_by_digest(item) && link_base(stage, item);
	if (done)
		memcpy(item->source_sha, item->base->source_sha,
			sizeof(item->source_sha));
	else
		rc = read_source(stage, item, err);
	if (rc == 0 && !done && known_by_source(item))
		done = link_base(stage, item);
	if (rc == 0 && !done)
		rc = make_zone(stage, item, err);
	if (rc == 0)
		rc = check_serial(item, err);
	if (rc == 0)
		add_line(stage, item);
	return rc;
}

int stage_zone(
	struct stage *stage, const struct auth_zone *zone, struct err *err)
{
	struct item item = {.zone = zone};
	int rc = stage_item(stage, &item, err);

	free(item.text);
	return rc;
}

/* Without a generation the tree's number tells a change; it stays when there
 * is none, so that NSD has nothing to read. */
static unsigned health_serial(
	const struct stage *stage, const struct name *wire)
{
	const struct check_job *job = stage->job;
	const struct tree_zone *old = tree_find(job->base, wire->wire);

	if (job->config->generation > 0)
		return (unsigned)job->config->generation;
	if (old && job->base->generation == 0 && stage->changed == 0 &&
		job->base->count == job->config->zone_count + 1)
		return old->serial;
	return (unsigned)job->number;
}

int stage_health(struct stage *stage, struct err *err)
{
	const struct check_job *job = stage->job;
	const struct name *wire = auth_config_health(job->config);
	char name[NAME_MAX_TEXT];
	struct auth_zone zone = {
		.wire = wire, .name = name, .file = "health zone"};
	struct item item = {.zone = &zone, .quiet = true};
	struct text text;
	int rc;

	name_print(wire, name);
	text_init(&text);
	text_add(&text,
		"@ 0 IN SOA localhost. nobody.invalid. %u 60 60 86400 0\n"
		"@ 0 IN NS localhost.\n",
		health_serial(stage, wire));
	item.len = text.len;
	item.text = text_take(&text);
	rc = item.text ? stage_item(stage, &item, err)
		       : err_fail(err, -ENOMEM, "out of memory");
	free(item.text);
	return rc;
}

/* Last line of what a tool said, for a person. */
static void tool_said(char *const *argv, char *said, struct err *err)
{
	char *p = said + strlen(said), *line;

	while (p > said && (p[-1] == '\n' || p[-1] == ' '))
		*--p = '\0';
	line = strchr(said, '\n');
	if (line)
		*line = '\0'; /* the first names the place */
	line = strstr(said, "error: ");
	err_set(err, "%s: %s",
		strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0],
		line ? line + 7 : said);
}

static int wait_tool(pid_t pid, int fd, char *said, size_t size)
{
	size_t len = 0;
	char rest[512];
	ssize_t n;
	int status;

	for (;;) {
		bool full = len + 1 >= size;

		n = full ? read(fd, rest, sizeof(rest))
			 : read(fd, said + len, size - 1 - len);
		if (n == 0 || (n < 0 && errno != EINTR))
			break;
		if (n > 0 && !full)
			len += (size_t)n;
	}
	said[len] = '\0';
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return status == 0 ? 0 : -EINVAL;
}

int stage_tool(char *const *argv, struct err *err)
{
	posix_spawn_file_actions_t actions;
	char said[2048];
	int fds[2], rc;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_fail(err, -errno, "pipe: %s", strerror(errno));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, fds[1], STDERR_FILENO);
	rc = posix_spawn(&pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(fds[1]);
	if (rc != 0) {
		close(fds[0]);
		return err_fail(err, -rc, "%s: %s", argv[0], strerror(rc));
	}
	rc = wait_tool(pid, fds[0], said, sizeof(said));
	close(fds[0]);
	if (rc < 0)
		tool_said(argv, said, err);
	return rc;
}
