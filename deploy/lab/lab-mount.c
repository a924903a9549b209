/* SPDX-License-Identifier: ISC */
/*
 * Mounts of a lab host. A directory that must get new entries (/etc,
 * /var/lib) is shadowed: a tmpfs takes its place and shows the old entries,
 * directories by bind mount, files by copy (so that they may be replaced).
 * That needs no mount point on the machine and no overlayfs, which many
 * containers lack.
 */
#include "deploy/lab/lab-mount.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static int failed(const char *what, const char *path)
{
	int err = errno;

	fprintf(stderr, "lab-host: %s %s: %s\n", what, path, strerror(err));
	return err ? -err : -EIO;
}

static void copy_file(int from, int to, const char *name, const struct stat *st)
{
	int in = openat(from, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		st->st_mode & 07777);

	if (in >= 0 && out >= 0) {
		off_t left = st->st_size;

		while (left > 0) {
			ssize_t n = sendfile(out, in, NULL, (size_t)left);

			if (n <= 0)
				break;
			left -= n;
		}
		if (fchown(out, st->st_uid, st->st_gid) < 0)
			failed("chown", name);
	}
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
}

static void copy_link(int from, int to, const char *name)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from, name, target, sizeof(target) - 1);

	if (n < 0)
		return;
	target[n] = '\0';
	if (symlinkat(target, to, name) < 0)
		failed("symlink", name);
}

static void copy_dir(int from, int to, const char *name, const struct stat *st)
{
	char source[PATH_MAX], target[PATH_MAX];

	if (mkdirat(to, name, st->st_mode & 07777) < 0) {
		failed("mkdir", name);
		return;
	}
	snprintf(source, sizeof(source), "/proc/self/fd/%d/%s", from, name);
	snprintf(target, sizeof(target), "/proc/self/fd/%d/%s", to, name);
	if (mount(source, target, NULL, MS_BIND | MS_REC, NULL) < 0)
		failed("bind", name);
}

static bool is_skipped(const char *name, const char *const *skip)
{
	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return true;
	for (; *skip; skip++)
		if (!strcmp(name, *skip))
			return true;
	return false;
}

static int shadow(const char *path, const char *const *skip)
{
	int from = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), to;
	DIR *d = from < 0 ? NULL : fdopendir(from);
	struct dirent *e;
	struct stat st;

	if (!d)
		return failed("open", path);
	if (mount("tmpfs", path, "tmpfs", MS_NODEV, "mode=755") < 0)
		return failed("mount", path);
	to = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (to < 0)
		return failed("open", path);
	while ((e = readdir(d)) != NULL) {
		if (is_skipped(e->d_name, skip) ||
			fstatat(from, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISDIR(st.st_mode))
			copy_dir(from, to, e->d_name, &st);
		else if (S_ISLNK(st.st_mode))
			copy_link(from, to, e->d_name);
		else if (S_ISREG(st.st_mode))
			copy_file(from, to, e->d_name, &st);
	}
	close(to);
	closedir(d);
	return 0;
}

static int bind_dir(const char *dir, const char *name, const char *target)
{
	char source[PATH_MAX];
	struct stat st;

	snprintf(source, sizeof(source), "%s/%s", dir, name);
	if (stat(source, &st) < 0)
		return failed("stat", source);
	if (mkdir(target, st.st_mode & 07777) < 0 && errno != EEXIST)
		return failed("mkdir", target);
	if (mount(source, target, NULL, MS_BIND, NULL) < 0)
		return failed("bind", target);
	return 0;
}

static void copy_etc(const char *dir, const char *name)
{
	int from = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int to = open("/etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (from >= 0 && to >= 0 && fstatat(from, name, &st, 0) == 0)
		copy_file(from, to, name, &st);
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
}

/* /run and the directories that programs expect a boot to have made there. */
static int mount_run(void)
{
	static const char *const made[] = {"/run/lock", "/run/nsd",
		"/run/ispdns", "/run/ispdns-mgmt", "/run/lab"};

	if (mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") <
		0)
		return failed("mount", "/run");
	for (size_t i = 0; i < countof(made); i++)
		if (mkdir(made[i], 0755) < 0)
			return failed("mkdir", made[i]);
	return 0;
}

/*
 * The programs under a path that every user of the host can reach: a checkout
 * may be in a directory that only root may enter.
 */
static int mount_programs(int fd)
{
	char source[64];

	if (mkdir(LAB_PROGRAMS, 0755) < 0)
		return failed("mkdir", LAB_PROGRAMS);
	snprintf(source, sizeof(source), "/proc/self/fd/%d", fd);
	if (mount(source, LAB_PROGRAMS, NULL, MS_BIND, NULL) < 0)
		return failed("bind", LAB_PROGRAMS);
	return 0;
}

int lab_mount(const char *dir, const char *programs)
{
	static const char *const etc_skip[] = {"ispdns", "hosts", "hostname",
		"resolv.conf", "passwd", "group", NULL};
	static const char *const lib_skip[] = {"ispdns", "ispdns-mgmt", NULL};
	int ret, fd;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return failed("make private", "/");
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		    NULL) < 0)
		return failed("mount", "/proc");
	/* Shows this network namespace's devices; not all containers let us. */
	if (mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		    NULL) < 0)
		failed("mount", "/sys");
	ret = shadow("/etc", etc_skip);
	if (!ret)
		ret = shadow("/var/lib", lib_skip);
	if (!ret)
		ret = bind_dir(dir, "etc", "/etc/ispdns");
	if (!ret)
		ret = bind_dir(dir, "lib", "/var/lib/ispdns");
	if (!ret)
		ret = bind_dir(dir, "lib-mgmt", "/var/lib/ispdns-mgmt");
	if (ret)
		return ret;
	copy_etc(dir, "hosts");
	copy_etc(dir, "hostname");
	copy_etc(dir, "resolv.conf");
	copy_etc(dir, "passwd");
	copy_etc(dir, "group");
	fd = open(programs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return failed("open", programs);
	ret = mount_run();
	if (!ret)
		ret = mount_programs(fd);
	close(fd);
	return ret;
}
