/* SPDX-License-Identifier: ISC */
/* Files with zone text: read whole, and which ones $INCLUDE may name. */

#include "common/zone/private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES_MAX (256LL << 20)

/* False: the file ended before `size` octets. */
static bool read_all(int fd, char *data, size_t size)
{
	size_t have = 0;

	while (have < size) {
		ssize_t n = read(fd, data + have, size - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		have += (size_t)n;
	}
	return true;
}

char *zone_slurp(const char *path, size_t *len, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	char *data = NULL;

	if (fd < 0 || fstat(fd, &st) != 0) {
		err_set(err, "%s: %s", path, strerror(errno));
		goto out;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_BYTES_MAX) {
		err_set(err, "%s: not a file of at most 256 MiB", path);
		goto out;
	}
	*len = (size_t)st.st_size;
	data = malloc(*len + 1);
	if (!data) {
		err_set(err, "out of memory");
	} else if (!read_all(fd, data, *len)) {
		err_set(err, "%s: cannot be read whole", path);
		free(data);
		data = NULL;
	}
out:
	if (fd >= 0)
		close(fd);
	return data;
}

bool zone_include_path(
	const char *dir, const char *word, char path[PATH_MAX], struct err *err)
{
	char root[PATH_MAX], joined[PATH_MAX];
	bool absolute = word[0] == '/';
	size_t len;
	int n;

	if (!dir) {
		err_set(err, "is not allowed here");
		return false;
	}
	if (!realpath(dir, root)) {
		err_set(err, "%s: %s", dir, strerror(errno));
		return false;
	}
	n = snprintf(joined, sizeof(joined), "%s%s%s", absolute ? "" : root,
		absolute ? "" : "/", word);
	if (n < 0 || (size_t)n >= sizeof(joined) || !realpath(joined, path)) {
		err_set(err, "%s: %s", word, strerror(errno));
		return false;
	}
	len = strlen(root);
	if (strncmp(path, root, len) != 0 ||
		(path[len] != '/' && strcmp(root, "/") != 0)) {
		err_set(err, "%s: not below %s", word, root);
		return false;
	}
	return true;
}
