/* SPDX-License-Identifier: ISC */
/*
 * Whole files and small trees. A reader of a file written here sees the old
 * or the new content, also after a power cut: the new one is complete and
 * synced under a temporary name before it takes the old one's place.
 */

#include "common/ctl/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 4096

static int fail(struct err *err, const char *what, const char *path)
{
	int code = -errno;

	return err_fail(err, code, "%s: %s: %s", path, what, strerror(-code));
}

int path_join(char *out, size_t size, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(out, size, fmt, args);
	va_end(args);
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

/* Read up to `max` octets and one more, to see whether there are more. */
static ssize_t read_whole(int fd, size_t max, char **data)
{
	size_t len = 0, size = 0;
	ssize_t n;

	*data = NULL;
	do {
		if (len + 1 >= size) {
			char *bigger = realloc(*data, size * 2 + 8192);

			if (!bigger)
				return -ENOMEM;
			*data = bigger;
			size = size * 2 + 8192;
		}
		n = read(fd, *data + len, size - 1 - len);
		if (n < 0 && errno != EINTR)
			return -errno;
		len += n > 0 ? (size_t)n : 0;
		if (len > max)
			return -EFBIG;
	} while (n != 0);
	(*data)[len] = '\0';
	return (ssize_t)len;
}

int file_read(
	const char *path, size_t max, char **data, size_t *len, struct err *err)
{
	/* O_NONBLOCK: a pipe must not make us wait for its writer. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	ssize_t n;

	*data = NULL;
	*len = 0;
	if (fd < 0)
		return fail(err, "cannot open", path);
	if (fstat(fd, &st) == 0 &&
		(S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode))) {
		close(fd);
		return err_fail(err, -EINVAL, "%s: not a file", path);
	}
	n = read_whole(fd, max, data);
	close(fd);
	if (n >= 0) {
		*len = (size_t)n;
		return 0;
	}
	free(*data);
	*data = NULL;
	if (n == -EFBIG)
		return err_fail(
			err, -EFBIG, "%s: larger than %zu octets", path, max);
	errno = (int)-n;
	return fail(err, "cannot read", path);
}

static int write_whole(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/* The folder of `path` into `out`. */
static int parent_of(const char *path, char out[PATH_SIZE])
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return path_join(out, PATH_SIZE, ".");
	if (slash == path)
		return path_join(out, PATH_SIZE, "/");
	return path_join(out, PATH_SIZE, "%.*s", (int)(slash - path), path);
}

int dir_sync(const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = 0;

	if (fd < 0)
		return fail(err, "cannot open", path);
	if (fsync(fd) < 0 && errno != EINVAL && errno != EROFS)
		rc = fail(err, "cannot sync", path);
	close(fd);
	return rc;
}

static int sync_parent(const char *path, struct err *err)
{
	char folder[PATH_SIZE];

	if (parent_of(path, folder) < 0)
		return err_fail(err, -ENAMETOOLONG, "%s: too long", path);
	return dir_sync(folder, err);
}

/* Rename over the old one and make that last. */
static int put_in_place(const char *tmp, const char *path, struct err *err)
{
	if (rename(tmp, path) < 0) {
		int rc = fail(err, "cannot rename to", path);

		unlink(tmp);
		return rc;
	}
	return sync_parent(path, err);
}

int file_write(const char *path, const void *data, size_t len, mode_t mode,
	struct err *err)
{
	char tmp[PATH_SIZE];
	int fd, rc;

	if (path_join(tmp, sizeof(tmp), "%s.XXXXXX", path) < 0)
		return err_fail(err, -ENAMETOOLONG, "%s: too long", path);
	fd = mkostemp(tmp, O_CLOEXEC);
	if (fd < 0)
		return fail(err, "cannot create", path);
	rc = write_whole(fd, data, len);
	if (rc == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
		rc = -errno;
	if (close(fd) < 0 && rc == 0)
		rc = -errno;
	if (rc < 0) {
		unlink(tmp);
		errno = -rc;
		return fail(err, "cannot write", path);
	}
	return put_in_place(tmp, path, err);
}

int dir_make(const char *path, mode_t mode, struct err *err)
{
	char part[PATH_SIZE];
	size_t len = strlen(path);

	if (path_join(part, sizeof(part), "%s", path) < 0)
		return err_fail(err, -ENAMETOOLONG, "%s: too long", path);
	for (size_t i = 1; i <= len; i++) {
		if (part[i] != '/' && part[i] != '\0')
			continue;
		part[i] = '\0';
		if (mkdir(part, mode) < 0 && errno != EEXIST)
			return fail(err, "cannot make the folder", part);
		part[i] = i < len ? '/' : '\0';
	}
	return 0;
}

/* Remove everything in the folder `fd` (taken over). */
static int remove_content(int fd)
{
	DIR *dir = fdopendir(fd);
	struct dirent *e;
	int rc = 0;

	if (!dir) {
		rc = -errno;
		close(fd);
		return rc;
	}
	while (rc == 0 && (e = readdir(dir)) != NULL) {
		int sub;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, e->d_name, 0) == 0)
			continue;
		sub = openat(fd, e->d_name,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		rc = sub < 0 ? -errno : remove_content(sub);
		if (rc == 0 && unlinkat(fd, e->d_name, AT_REMOVEDIR) < 0)
			rc = -errno;
	}
	closedir(dir);
	return rc;
}

int dir_remove(const char *path, struct err *err)
{
	int fd, rc;

	if (unlink(path) == 0 || errno == ENOENT)
		return 0;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fail(err, "cannot remove", path);
	rc = remove_content(fd);
	if (rc == 0 && rmdir(path) < 0)
		rc = -errno;
	if (rc == 0)
		return 0;
	errno = -rc;
	return fail(err, "cannot remove", path);
}

int link_replace(const char *target, const char *link, struct err *err)
{
	char tmp[PATH_SIZE];

	if (path_join(tmp, sizeof(tmp), "%s.%d.tmp", link, (int)getpid()) < 0)
		return err_fail(err, -ENAMETOOLONG, "%s: too long", link);
	if (unlink(tmp) < 0 && errno != ENOENT)
		return fail(err, "cannot replace", link);
	if (symlink(target, tmp) < 0)
		return fail(err, "cannot make the link", link);
	return put_in_place(tmp, link, err);
}
