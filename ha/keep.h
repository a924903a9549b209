/* SPDX-License-Identifier: ISC */
#ifndef HA_KEEP_H
#define HA_KEEP_H

#include "common/base/err.h"
#include "ha/config.h"
#include "ha/state.h"

/*
 * What must outlive the process: the role of each virtual router and when it
 * advertised last, in a small file mapped into memory (under /run, so that a
 * reboot forgets it). The real-time thread writes it by plain stores, no
 * system call. A lock on the file keeps a second daemon away.
 */

struct keep_entry {
	char name[CONFIG_NAME];
	char ifname[IFNAMSIZ];
	uint8_t vrid, family, used;
	uint8_t role;      /* enum state_role */
	int64_t advert_us; /* CLOCK_MONOTONIC of the last one sent */
};

/* The master that we stand in for, and the one whose silence counts
 * (rescue.h), beside the entry. */
struct keep_rescue {
	uint8_t on, known;
	uint8_t master[STATE_ADDR_MAX], trusted[STATE_ADDR_MAX];
};

struct keep;

/* Open or make the file; -EBUSY when another daemon holds it. */
struct keep *keep_open(const char *path, struct err *err) MUST_CHECK;
void keep_close(struct keep *k); /* NULL allowed */

/* The entry of an instance, made when there is none; NULL when full. */
struct keep_entry *keep_find(
	struct keep *k, const struct config_instance *conf);
void keep_forget(struct keep_entry *e);

/* Of an entry; NULL without one. */
struct keep_rescue *keep_rescue(struct keep *k, const struct keep_entry *e);
/* NULL: no rescue. `r` may be NULL. */
void keep_set_rescue(struct keep_rescue *r, const uint8_t *master);
/* False: there is none. */
bool keep_get_rescue(
	const struct keep_rescue *r, uint8_t master[STATE_ADDR_MAX]);
/* The same for who has answered before; `r` may be NULL. */
void keep_set_trust(
	struct keep_rescue *r, const uint8_t trusted[STATE_ADDR_MAX]);
bool keep_get_trust(
	const struct keep_rescue *r, uint8_t trusted[STATE_ADDR_MAX]);

/* May an instance go on as master? It was master and its last advert is
 * younger than half a master-down time, so that no peer took over yet. */
bool keep_resumable(
	const struct keep_entry *e, int64_t master_down_us, int64_t now_us);

/* Was it master, and advertised less than 2 s ago? */
bool keep_was_master(const struct keep_entry *e, int64_t now_us);

/* Was any instance master and advertised after `since_us`? */
bool keep_recent(const struct keep *k, int64_t since_us);

/* The process ends on purpose to be started again: what it put on interfaces
 * and into routing tables is to stay. Told after `since_us`? */
void keep_mark_restart(struct keep *k, int64_t now_us);
bool keep_restarts(const struct keep *k, int64_t since_us);

/* Drained by the operator; survives restarts. */
bool keep_drained(const struct keep *k);
void keep_set_drained(struct keep *k, bool drained);

#endif
