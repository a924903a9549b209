/* SPDX-License-Identifier: ISC */
/* Files read whole and written at once. */

#include "common/ctl/file.h"

#include "tests/tap/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/ispdns-file-t.XXXXXX";

static const char *at(const char *name)
{
	static char path[4][256];
	static int i;

	i = (i + 1) % 4;
	snprintf(path[i], sizeof(path[i]), "%s/%s", root, name);
	return path[i];
}

static void test_files(void)
{
	struct err err = {.text = ""};
	struct stat st;
	char *data;
	size_t len;

	is_int(file_write(at("a"), "hello", 5, 0640, &err), 0, "write");
	is_int(file_read(at("a"), 5, &data, &len, &err), 0, "read");
	is_string(data, "hello", "content, with its NUL");
	is_int(len, 5, "length");
	free(data);
	ok(stat(at("a"), &st) == 0 && (st.st_mode & 07777) == 0640, "mode");
	is_int(file_write(at("a"), "", 0, 0600, &err), 0, "replace");
	is_int(file_read(at("a"), 0, &data, &len, &err), 0, "read empty");
	ok(data && len == 0 && data[0] == '\0', "empty");
	free(data);
	is_int(file_write(at("a"), "123456", 6, 0600, &err), 0, "write");
	is_int(file_read(at("a"), 5, &data, &len, &err), -EFBIG, "too big");
	ok(strstr(err.text, "larger than 5") != NULL, "says so");
	is_int(file_read(at("none"), 5, &data, &len, &err), -ENOENT, "absent");
	is_int(file_write(at("none/x"), "", 0, 0600, &err), -ENOENT,
		"no folder");
	if (mkfifo(at("pipe"), 0600) < 0)
		tap_bail("mkfifo");
	is_int(file_read(at("pipe"), 5, &data, &len, &err), -EINVAL,
		"a pipe is refused, not waited for");
	unlink(at("pipe"));
	is_int(file_read(root, 5, &data, &len, &err), -EISDIR, "a folder");
}

static void test_no_rest(void)
{
	struct err err;

	if (mkdir(at("d"), 0700) < 0)
		tap_bail("mkdir");
	is_int(file_write(at("d"), "x", 1, 0600, &err), -EISDIR,
		"a folder is not replaced");
	is_int(rmdir(at("d")), 0, "and is there, empty");
	is_int(dir_remove(at("a"), &err), 0, "remove a file");
	is_int(rmdir(root), 0, "no temporary file is left");
	if (mkdir(root, 0700) < 0)
		tap_bail("mkdir");
}

static void test_folders(void)
{
	struct err err = {.text = ""};
	struct stat st;

	is_int(dir_make(at("x/y/z"), 0750, &err), 0, "mkdir -p");
	is_int(dir_make(at("x/y/z"), 0750, &err), 0, "again");
	is_int(dir_sync(at("x/y"), &err), 0, "sync");
	is_int(file_write(at("keep"), "k", 1, 0600, &err), 0, "write");
	is_int(file_write(at("x/y/f"), "f", 1, 0600, &err), 0, "write");
	if (symlink(root, at("x/y/up")) < 0)
		tap_bail("symlink");
	is_int(dir_remove(at("x"), &err), 0, "rm -r (%s)", err.text);
	ok(stat(at("x"), &st) < 0, "gone");
	is_int(stat(at("keep"), &st), 0, "links are not followed");
	is_int(dir_remove(at("x"), &err), 0, "absent is fine");
	is_int(dir_make(at("keep/sub"), 0700, &err), -ENOTDIR,
		"file in the way");
}

static void test_links(void)
{
	struct err err = {.text = ""};
	char target[64];
	ssize_t n;

	is_int(link_replace("gen/1", at("current"), &err), 0, "new link");
	is_int(link_replace("gen/2", at("current"), &err), 0, "switched");
	n = readlink(at("current"), target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';
	is_string(target, "gen/2", "target");
}

static void test_path(void)
{
	char out[8];

	is_int(path_join(out, sizeof(out), "%s/%s", "abc", "def"), 0, "fits");
	is_int(path_join(out, sizeof(out), "%s/%s", "abcd", "def"),
		-ENAMETOOLONG, "does not fit");
}

int main(void)
{
	struct err err;

	if (!mkdtemp(root))
		tap_bail("mkdtemp");
	test_files();
	test_no_rest();
	test_folders();
	test_links();
	test_path();
	is_int(dir_remove(root, &err), 0, "clean up");
	return tap_done();
}
