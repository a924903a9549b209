/* SPDX-License-Identifier: ISC */
#include "ha/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * CLOCK_MONOTONIC goes on over a restart of the process but not over one of
 * the machine, which is why the boot id is part of the file: another one, or
 * another layout, and everything in it is forgotten.
 */

enum {
	LAYOUT = 1,
	RECENT_US = 2 * 1000 * 1000,
	BOOT_ID = 36
};

struct keep_file {
	char magic[8];
	uint32_t layout;
	uint32_t drained;
	char boot_id[BOOT_ID];
	struct keep_entry entries[CONFIG_INSTANCES];
	int64_t restart_us; /* CLOCK_MONOTONIC; 0 = never */
	/* By the number of the entry. What is added at the end is zeros in a
	 * file of an older program, and keeps roles over the upgrade. */
	struct keep_rescue rescues[CONFIG_INSTANCES];
};

struct keep {
	int fd;
	struct keep_file *file;
};

static void read_boot_id(char out[BOOT_ID])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	memset(out, 0, BOOT_ID);
	if (fd < 0)
		return;
	if (read(fd, out, BOOT_ID) != BOOT_ID)
		memset(out, 0, BOOT_ID);
	close(fd);
}

static void check_content(struct keep_file *f)
{
	char boot_id[BOOT_ID];

	read_boot_id(boot_id);
	if (memcmp(f->magic, "ISPDNSHA", 8) == 0 && f->layout == LAYOUT &&
		memcmp(f->boot_id, boot_id, BOOT_ID) == 0)
		return;
	memset(f, 0, sizeof(*f));
	memcpy(f->magic, "ISPDNSHA", 8);
	f->layout = LAYOUT;
	memcpy(f->boot_id, boot_id, BOOT_ID);
}

static int open_locked(const char *path, struct err *err)
{
	int rc, fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);

	if (fd < 0)
		return err_fail(err, -errno, "%s: %s", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		rc = err_fail(
			err, -EBUSY, "%s: another ispdns-ha is running", path);
	else if (ftruncate(fd, sizeof(struct keep_file)) < 0)
		rc = err_fail(err, -errno, "%s: %s", path, strerror(errno));
	else
		return fd;
	close(fd);
	return rc;
}

struct keep *keep_open(const char *path, struct err *err)
{
	struct keep *k = calloc(1, sizeof(*k));
	void *map;

	if (!k) {
		err_set(err, "%s: out of memory", path);
		return NULL;
	}
	k->fd = open_locked(path, err);
	if (k->fd < 0) {
		free(k);
		return NULL;
	}
	map = mmap(NULL, sizeof(*k->file), PROT_READ | PROT_WRITE, MAP_SHARED,
		k->fd, 0);
	if (map == MAP_FAILED) {
		err_set(err, "%s: %s", path, strerror(errno));
		close(k->fd);
		free(k);
		return NULL;
	}
	k->file = map;
	check_content(k->file);
	return k;
}

void keep_close(struct keep *k)
{
	if (!k)
		return;
	munmap(k->file, sizeof(*k->file));
	close(k->fd);
	free(k);
}

struct keep_entry *keep_find(struct keep *k, const struct config_instance *conf)
{
	struct keep_entry *e, *spare = NULL;

	for (size_t i = 0; i < CONFIG_INSTANCES; i++) {
		e = &k->file->entries[i];
		if (e->used && e->vrid == conf->vrid &&
			e->family == conf->family &&
			strncmp(e->ifname, conf->ifname, IFNAMSIZ) == 0)
			return e;
		if (!e->used && !spare)
			spare = e;
	}
	if (!spare)
		return NULL;
	memset(spare, 0, sizeof(*spare));
	memcpy(spare->name, conf->name, sizeof(spare->name));
	memcpy(spare->ifname, conf->ifname, sizeof(spare->ifname));
	spare->vrid = conf->vrid;
	spare->family = conf->family;
	spare->role = STATE_INIT;
	spare->used = 1;
	memset(keep_rescue(k, spare), 0, sizeof(struct keep_rescue));
	return spare;
}

struct keep_rescue *keep_rescue(struct keep *k, const struct keep_entry *e)
{
	return k && e ? &k->file->rescues[e - k->file->entries] : NULL;
}

void keep_set_rescue(struct keep_rescue *r, const uint8_t *master)
{
	if (!r)
		return;
	r->on = 0;
	if (!master)
		return;
	memcpy(r->master, master, sizeof(r->master));
	r->on = 1;
}

bool keep_get_rescue(
	const struct keep_rescue *r, uint8_t master[STATE_ADDR_MAX])
{
	if (!r || !r->on)
		return false;
	memcpy(master, r->master, sizeof(r->master));
	return true;
}

void keep_set_trust(
	struct keep_rescue *r, const uint8_t trusted[STATE_ADDR_MAX])
{
	if (!r)
		return;
	memcpy(r->trusted, trusted, sizeof(r->trusted));
	r->known = 1;
}

bool keep_get_trust(
	const struct keep_rescue *r, uint8_t trusted[STATE_ADDR_MAX])
{
	if (!r || !r->known)
		return false;
	memcpy(trusted, r->trusted, sizeof(r->trusted));
	return true;
}

void keep_forget(struct keep_entry *e)
{
	if (e)
		memset(e, 0, sizeof(*e));
}

bool keep_resumable(
	const struct keep_entry *e, int64_t master_down_us, int64_t now_us)
{
	int64_t age = now_us - e->advert_us;

	return e->used && e->role == STATE_MASTER && age >= 0 &&
	       age < master_down_us / 2;
}

bool keep_was_master(const struct keep_entry *e, int64_t now_us)
{
	return keep_resumable(e, 2 * RECENT_US, now_us);
}

bool keep_recent(const struct keep *k, int64_t since_us)
{
	for (size_t i = 0; i < CONFIG_INSTANCES; i++) {
		const struct keep_entry *e = &k->file->entries[i];

		if (e->used && e->role == STATE_MASTER &&
			e->advert_us > since_us)
			return true;
	}
	return false;
}

void keep_mark_restart(struct keep *k, int64_t now_us)
{
	k->file->restart_us = now_us;
}

bool keep_restarts(const struct keep *k, int64_t since_us)
{
	return k->file->restart_us > since_us;
}

bool keep_drained(const struct keep *k)
{
	return k->file->drained != 0;
}

void keep_set_drained(struct keep *k, bool drained)
{
	k->file->drained = drained;
}
