/* SPDX-License-Identifier: ISC */

/* What outlives the process: written, read again, refused to a second. */

#include "ha/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/tap/tap.h"

enum {
	SEC = 1000000
};

static char path[64];

static struct keep *open_keep(void)
{
	struct err err = {.text = ""};
	struct keep *k = keep_open(path, &err);

	if (!k)
		tap_bail("%s", err.text);
	return k;
}

static void test_life(void)
{
	struct config_instance vi = {
		.name = "VI", .ifname = "eth0", .vrid = 51, .family = 4};
	struct keep *k = open_keep();
	struct keep_entry *e = keep_find(k, &vi);
	struct err err = {.text = ""};

	is_int(e->role, STATE_INIT, "a new one has no role");
	is_int(keep_resumable(e, 3 * SEC, SEC), false, "nothing to resume");
	e->role = STATE_MASTER;
	e->advert_us = 100 * (int64_t)SEC;
	keep_set_drained(k, true);
	ok(!keep_open(path, &err), "a second daemon is refused");
	ok(strstr(err.text, "another ispdns-ha"), "and told why");
	keep_close(k);
	k = open_keep();
	e = keep_find(k, &vi);
	is_int(e->role, STATE_MASTER, "the role is there again");
	ok(keep_drained(k), "and that it was drained");
	ok(keep_resumable(e, 3 * SEC, 101 * (int64_t)SEC),
		"1 s old of 3: resume");
	ok(!keep_resumable(e, 3 * SEC, 102 * (int64_t)SEC),
		"2 s old of 3: the peer may lead already");
	ok(!keep_resumable(e, 3 * SEC, 99 * (int64_t)SEC),
		"from the future: no");
	ok(keep_was_master(e, 102 * (int64_t)SEC - 1),
		"which it was a moment ago");
	ok(!keep_was_master(e, 102 * (int64_t)SEC), "then no more");
	ok(keep_recent(k, 99 * (int64_t)SEC), "recently a master");
	ok(!keep_recent(k, 100 * (int64_t)SEC), "not that recently");
	vi.vrid = 52;
	ok(keep_find(k, &vi) != e, "another router, another entry");
	keep_forget(e);
	vi.vrid = 51;
	is_int(keep_find(k, &vi)->role, STATE_INIT, "forgotten");
	keep_close(k);
}

static void test_rescue(void)
{
	struct config_instance vi = {.ifname = "eth0", .vrid = 51, .family = 4};
	uint8_t master[STATE_ADDR_MAX] = {10, 98, 0, 12}, out[STATE_ADDR_MAX];
	struct keep *k = open_keep();
	struct keep_entry *e = keep_find(k, &vi);
	struct stat st;

	ok(!keep_rescue(k, NULL) && !keep_rescue(NULL, e),
		"nothing of nothing");
	keep_set_rescue(NULL, master);
	ok(!keep_get_rescue(NULL, out), "to write there and to read");
	ok(!keep_get_rescue(keep_rescue(k, e), out), "no rescue");
	e->role = STATE_MASTER;
	keep_set_rescue(keep_rescue(k, e), master);
	keep_close(k);
	k = open_keep();
	e = keep_find(k, &vi);
	ok(keep_get_rescue(keep_rescue(k, e), out) &&
			memcmp(out, master, sizeof(out)) == 0,
		"a rescue outlives the process");
	ok(!keep_get_trust(keep_rescue(k, e), out) &&
			!keep_get_trust(NULL, out),
		"nobody has answered");
	keep_set_trust(NULL, master);
	keep_set_trust(keep_rescue(k, e), master);
	ok(keep_get_trust(keep_rescue(k, e), out) &&
			memcmp(out, master, sizeof(out)) == 0,
		"that one has");
	keep_forget(e);
	e = keep_find(k, &vi);
	ok(!keep_get_rescue(keep_rescue(k, e), out) &&
			!keep_get_trust(keep_rescue(k, e), out),
		"neither outlives its entry");
	e->role = STATE_MASTER;
	keep_set_rescue(keep_rescue(k, e), master);
	keep_set_rescue(keep_rescue(k, e), NULL);
	ok(!keep_get_rescue(keep_rescue(k, e), out), "ended");
	keep_set_rescue(keep_rescue(k, e), master);
	keep_close(k);
	if (stat(path, &st) < 0 ||
		truncate(path,
			st.st_size - (off_t)(CONFIG_INSTANCES *
					     sizeof(struct keep_rescue))) < 0)
		tap_bail("%s", strerror(errno));
	k = open_keep();
	e = keep_find(k, &vi);
	ok(e->role == STATE_MASTER && !keep_get_rescue(keep_rescue(k, e), out),
		"the file of a program that knew of none keeps its roles");
	keep_forget(e);
	keep_close(k);
}

static void test_full(void)
{
	struct config_instance vi = {.ifname = "eth1", .family = 4};
	struct keep *k = open_keep();
	int count = 0;

	for (int i = 1; i < 100; i++) {
		vi.vrid = (uint8_t)i;
		count += keep_find(k, &vi) != NULL;
	}
	ok(count > 0 && count <= CONFIG_INSTANCES, "it has an end");
	keep_close(k);
}

static void test_rubbish(void)
{
	struct config_instance vi = {.ifname = "eth0", .vrid = 51, .family = 4};
	int fd = open(path, O_WRONLY | O_TRUNC);
	char rubbish[8192];
	struct keep *k;

	memset(rubbish, 0xff, sizeof(rubbish));
	ok(fd >= 0 && write(fd, rubbish, sizeof(rubbish)) > 0, "rubbish");
	close(fd);
	k = open_keep();
	is_int(keep_find(k, &vi)->role, STATE_INIT, "is forgotten");
	ok(!keep_drained(k), "whole");
	keep_close(k);
}

int main(void)
{
	snprintf(path, sizeof(path), "/tmp/ispdns-keep-t.%d", (int)getpid());
	test_life();
	test_rescue();
	test_full();
	test_rubbish();
	unlink(path);
	return tap_done();
}
