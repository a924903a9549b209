/* SPDX-License-Identifier: ISC */
/* Generations on disk: whole or absent, switched by one rename. */
#include "mgmt/agent/tree.h"

#include "common/base/log.h"
#include "common/ctl/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_SIZE_MAX   (1ULL << 30)
#define DIR_MODE        0750
#define FILE_MODE       0640
#define SHOWN_MAX       1024
#define SYNC_ONE_BY_ONE 32

static int tmp_path(const struct tree *tree, long long n, const char *file,
	char out[TREE_PATH])
{
	return path_join(out, TREE_PATH, "%s/gen/%lld.tmp%s%s", tree->root, n,
		*file ? "/" : "", file);
}

int tree_path(const struct tree *tree, long long n, const char *file,
	char out[TREE_PATH])
{
	return path_join(out, TREE_PATH, "%s/gen/%lld%s%s", tree->root, n,
		*file ? "/" : "", file);
}

static int own_path(
	const struct tree *tree, const char *file, char out[TREE_PATH])
{
	return path_join(out, TREE_PATH, "%s/%s", tree->root, file);
}

/* "12" -> 12; anything else: -1. */
static long long number(const char *text)
{
	char *end;
	long long n = strtoll(text, &end, 10);

	return *text >= '1' && *text <= '9' && !*end ? n : -1;
}

static void remove_quietly(const char *path)
{
	struct err err = {""};

	if (dir_remove(path, &err) < 0)
		log_warn("agent: %s", err.text);
}

int tree_open(struct tree *tree, const char *root, struct err *err)
{
	char path[TREE_PATH], victim[TREE_PATH];
	const struct dirent *entry;
	size_t len;
	DIR *dir;
	int rc = path_join(tree->root, sizeof(tree->root), "%s", root);

	if (rc < 0 || own_path(tree, "agent", path) < 0)
		return err_fail(err, -ENAMETOOLONG, "%s: too long", root);
	rc = dir_make(path, 0700, err);
	if (rc == 0 && own_path(tree, "gen", path) == 0)
		rc = dir_make(path, DIR_MODE, err);
	if (rc < 0)
		return rc;
	dir = opendir(path);
	if (!dir)
		return err_fail(err, -errno, "%s: %s", path, strerror(errno));
	while ((entry = readdir(dir)) != NULL) {
		len = strlen(entry->d_name);
		if (len > 4 && strcmp(entry->d_name + len - 4, ".tmp") == 0 &&
			path_join(victim, sizeof(victim), "%s/%s", path,
				entry->d_name) == 0)
			remove_quietly(victim);
	}
	closedir(dir);
	return 0;
}

long long tree_link(const struct tree *tree, const char *link)
{
	char path[TREE_PATH], target[TREE_PATH];
	const char *slash;
	ssize_t n;

	if (own_path(tree, link, path) < 0)
		return 0;
	n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return 0;
	target[n] = '\0';
	slash = strrchr(target, '/');
	return number(slash ? slash + 1 : target) > 0
		       ? number(slash ? slash + 1 : target)
		       : 0;
}

int tree_manifest(const struct tree *tree, long long n, struct manifest *out,
	struct err *err)
{
	char path[TREE_PATH], *text;
	size_t len;
	int rc;

	memset(out, 0, sizeof(*out));
	if (tree_path(tree, n, "manifest.json", path) < 0)
		return -ENAMETOOLONG;
	rc = file_read(path, 256U << 20, &text, &len, err);
	if (rc < 0)
		return rc;
	rc = manifest_parse(text, len, out, err);
	free(text);
	return rc;
}

int tree_begin(struct tree *tree, long long n, struct err *err)
{
	char path[TREE_PATH];
	int rc = tmp_path(tree, n, "", path);

	tree->written = 0;
	if (rc == 0)
		rc = dir_remove(path, err);
	if (rc == 0)
		rc = dir_make(path, DIR_MODE, err);
	return rc;
}

/* "zones/x" needs the folder zones. */
static int make_folder(
	struct tree *tree, long long n, const char *key, struct err *err)
{
	char path[TREE_PATH], folder[MANIFEST_KEY];
	const char *slash = strchr(key, '/');
	int rc;

	if (!slash)
		return 0;
	snprintf(folder, sizeof(folder), "%.*s", (int)(slash - key), key);
	rc = tmp_path(tree, n, folder, path);
	return rc == 0 ? dir_make(path, DIR_MODE, err) : rc;
}

static bool is_item(
	const struct manifest_item *item, const void *data, size_t len)
{
	char hex[DIGEST_HEX];

	return (uint64_t)item->size == len &&
	       strcmp(digest_hex(data, len, hex), item->sha256) == 0;
}

/* Not on the disk yet: tree_finish sees to all files at once. */
static int write_plain(
	const char *path, const void *data, size_t len, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
	const char *at = data;
	ssize_t n = 0;

	while (fd >= 0 && len > 0 && (n = write(fd, at, len)) > 0) {
		at += n;
		len -= (size_t)n;
	}
	if (fd >= 0 && close(fd) == 0 && len == 0)
		return 0;
	return err_fail(err, n < 0 || fd < 0 ? -errno : -EIO, "%s: %s", path,
		strerror(n < 0 || fd < 0 ? errno : EIO));
}

int tree_put(struct tree *tree, long long n, const struct manifest_item *item,
	const void *data, size_t len, struct err *err)
{
	char path[TREE_PATH];
	int rc;

	if ((uint64_t)item->size != len)
		return err_fail(err, -EBADMSG,
			"%s: %zu octets came, %lld are announced", item->key,
			len, (long long)item->size);
	if (!is_item(item, data, len))
		return err_fail(err, -EBADMSG,
			"%s: its sha256 is not the announced one", item->key);
	tree->written++;
	rc = make_folder(tree, n, item->key, err);
	if (rc == 0)
		rc = tmp_path(tree, n, item->key, path);
	return rc == 0 ? write_plain(path, data, len, err) : rc;
}

int tree_share(struct tree *tree, long long n, const struct manifest_item *item,
	long long from, const struct manifest_item *have)
{
	char source[TREE_PATH], path[TREE_PATH], *data = NULL;
	size_t len;
	int rc;

	if (strcmp(item->sha256, have->sha256) != 0 ||
		tree_path(tree, from, have->key, source) < 0 ||
		tmp_path(tree, n, item->key, path) < 0)
		return -ENOENT;
	rc = file_read(source, FILE_SIZE_MAX, &data, &len, NULL);
	if (rc == 0 && !is_item(item, data, len))
		rc = -EBADMSG; /* the disk has changed it: fetch anew */
	free(data);
	if (rc == 0)
		rc = make_folder(tree, n, item->key, NULL);
	if (rc == 0 && link(source, path) < 0)
		rc = -errno;
	return rc < 0 ? -ENOENT : 0;
}

/* Shared files have been on the disk since their first generation. */
static int sync_file(int folder, const char *name)
{
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	int rc = fd < 0 || fstat(fd, &st) < 0 ? -errno : 0;

	if (rc == 0 && st.st_nlink == 1 && fsync(fd) < 0)
		rc = -errno;

	if (fd >= 0)
		close(fd);
	return rc;
}

/* Files and folders below `fd`, which is taken. Depth two, as keys have. */
static int sync_below(int fd, unsigned depth)
{
	const struct dirent *entry;
	DIR *dir = fdopendir(fd);
	int rc = 0;

	if (!dir) {
		rc = -errno;
		close(fd);
		return rc;
	}
	while (rc == 0 && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (entry->d_type == DT_DIR && depth < 2)
			rc = sync_below(
				openat(dirfd(dir), entry->d_name,
					O_RDONLY | O_DIRECTORY | O_CLOEXEC),
				depth + 1);
		else
			rc = sync_file(dirfd(dir), entry->d_name);
	}
	if (rc == 0 && fsync(dirfd(dir)) < 0)
		rc = -errno;
	closedir(dir);
	return rc;
}

/* Few files are synced one by one; for many the whole file system is asked,
 * since each fsync costs a commit of its journal. */
static int sync_all(struct tree *tree, long long n, struct err *err)
{
	char path[TREE_PATH];
	int fd, rc = tmp_path(tree, n, "", path);

	if (rc < 0)
		return rc;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_fail(err, -errno, "%s: %s", path, strerror(errno));
	if (tree->written > SYNC_ONE_BY_ONE) {
		rc = syncfs(fd) < 0 ? -errno : 0;
		close(fd);
	} else {
		rc = sync_below(fd, 1);
	}
	return rc == 0 ? 0 : err_fail(err, rc, "%s: %s", path, strerror(-rc));
}

int tree_finish(struct tree *tree, long long n, const char *manifest,
	size_t len, struct err *err)
{
	char tmp[TREE_PATH], path[TREE_PATH], file[TREE_PATH];
	int rc = tmp_path(tree, n, "manifest.json", file);

	if (rc == 0)
		rc = file_write(file, manifest, len, FILE_MODE, err);
	if (rc == 0)
		rc = sync_all(tree, n, err);
	if (rc == 0 && (tmp_path(tree, n, "", tmp) < 0 ||
			       tree_path(tree, n, "", path) < 0))
		rc = -ENAMETOOLONG;
	if (rc == 0)
		rc = dir_remove(path, err);
	if (rc == 0 && rename(tmp, path) < 0)
		rc = err_fail(err, -errno, "%s: %s", path, strerror(errno));
	if (rc == 0 && own_path(tree, "gen", path) == 0)
		rc = dir_sync(path, err);
	return rc;
}

void tree_drop(struct tree *tree, long long n)
{
	char path[TREE_PATH];

	if (tmp_path(tree, n, "", path) == 0)
		remove_quietly(path);
	if (tree_path(tree, n, "", path) == 0)
		remove_quietly(path);
}

static int point(
	struct tree *tree, const char *link, long long n, struct err *err)
{
	char path[TREE_PATH], target[64];
	int rc = own_path(tree, link, path);

	if (rc < 0)
		return rc;
	if (n == 0) {
		if (unlink(path) < 0 && errno != ENOENT)
			return err_fail(
				err, -errno, "%s: %s", path, strerror(errno));
		return dir_sync(tree->root, err);
	}
	snprintf(target, sizeof(target), "gen/%lld", n);
	return link_replace(target, path, err);
}

/* "NEW OLD PREVIOUS" of a switch under way. */
static bool read_note(const struct tree *tree, long long note[3])
{
	char path[TREE_PATH], *text = NULL;
	size_t len;
	bool found = false;

	if (own_path(tree, "agent/switching", path) == 0 &&
		file_read(path, 64, &text, &len, NULL) == 0)
		found = sscanf(text, "%lld %lld %lld", &note[0], &note[1],
				&note[2]) == 3;
	free(text);
	return found;
}

int tree_switch(struct tree *tree, long long n, long long old, struct err *err)
{
	char path[TREE_PATH], note[80];
	int len = snprintf(note, sizeof(note), "%lld %lld %lld\n", n, old,
		tree_link(tree, "previous"));
	int rc = own_path(tree, "agent/switching", path);

	if (rc == 0)
		rc = file_write(path, note, (size_t)len, 0600, err);
	if (rc == 0 && old > 0)
		rc = point(tree, "previous", old, err);
	if (rc == 0)
		rc = point(tree, "current", n, err);
	return rc;
}

int tree_back(struct tree *tree, long long old, struct err *err)
{
	long long note[3] = {0};
	int rc = point(tree, "current", old, err);

	if (rc == 0 && read_note(tree, note))
		rc = point(tree, "previous", note[2], err);
	return rc;
}

int tree_settled(struct tree *tree, struct err *err)
{
	char path[TREE_PATH];
	int rc = own_path(tree, "agent/switching", path);

	if (rc == 0 && unlink(path) < 0 && errno != ENOENT)
		return err_fail(err, -errno, "%s: %s", path, strerror(errno));
	if (rc == 0)
		rc = own_path(tree, "agent", path);
	return rc == 0 ? dir_sync(path, err) : rc;
}

bool tree_unsettled(const struct tree *tree, long long *n, long long *old)
{
	long long note[3];

	if (!read_note(tree, note))
		return false;
	*n = note[0];
	*old = note[1];
	return true;
}

static bool listed(const long long *list, size_t count, long long n)
{
	for (size_t i = 0; i < count; i++)
		if (list[i] == n)
			return true;
	return false;
}

void tree_prune(
	struct tree *tree, unsigned keep, const long long *used, size_t count)
{
	long long all[SHOWN_MAX], n, current = tree_link(tree, "current");
	long long previous = tree_link(tree, "previous");
	const struct dirent *entry;
	char path[TREE_PATH];
	size_t found = 0, newer;
	DIR *dir;

	if (own_path(tree, "gen", path) < 0 || !(dir = opendir(path)))
		return;
	while (found < SHOWN_MAX && (entry = readdir(dir)) != NULL)
		if ((n = number(entry->d_name)) > 0)
			all[found++] = n;
	closedir(dir);
	for (size_t i = 0; i < found; i++) {
		newer = 0;
		for (size_t k = 0; k < found; k++)
			newer += all[k] > all[i];
		if (newer >= keep && all[i] != current && all[i] != previous &&
			!listed(used, count, all[i]))
			tree_drop(tree, all[i]);
	}
}

long long tree_epoch(const struct tree *tree)
{
	char path[TREE_PATH], *text = NULL;
	long long epoch = 0;
	size_t len;

	if (own_path(tree, "agent/epoch", path) == 0 &&
		file_read(path, 64, &text, &len, NULL) == 0)
		epoch = strtoll(text, NULL, 10);
	free(text);
	return epoch;
}

int tree_set_epoch(struct tree *tree, long long epoch, struct err *err)
{
	char path[TREE_PATH], text[32];
	int len = snprintf(text, sizeof(text), "%lld\n", epoch);
	int rc = own_path(tree, "agent/epoch", path);

	return rc == 0 ? file_write(path, text, (size_t)len, 0600, err) : rc;
}
