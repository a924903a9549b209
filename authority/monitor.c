/* SPDX-License-Identifier: ISC */
/*
 * Does NSD still serve what it should? Every few seconds the health zone and
 * some zones in turn are asked. What is missing is added and read again; an
 * NSD that fails three times in a row is restarted.
 */

#include "authority/authority_impl.h"

#include <errno.h>

#include "authority/nsdconf.h"
#include "common/base/log.h"

#define EVERY_MS    10000
#define DEADLINE_MS 3000
#define SAMPLE      8
#define FAILURES    3

static void repaired(void *arg, int rc, const char *reply, size_t len)
{
	struct authority *a = arg;

	(void)len;
	a->watch_call = NULL;
	if (rc < 0)
		log_error("authority: repair: %s",
			rc == -EREMOTEIO ? reply : strerror(-rc));
}

static void added(void *arg, int rc, const char *reply, size_t len)
{
	struct authority *a = arg;

	repaired(a, rc, reply, len);
	if (rc == 0)
		a->watch_call = server_call(
			a->server, "reload", NULL, 60000, repaired, a, NULL);
}

/* All zones again: those that NSD has are no error. */
static void repair(struct authority *a)
{
	struct text lines;

	if (a->watch_call)
		return;
	text_init(&lines);
	for (size_t i = 0; i < a->tree->count; i++) {
		if (a->tree->zones[i].plain)
			nsdconf_bulk_line(&a->tree->zones[i], true, &lines);
	}
	if (!lines.failed)
		a->watch_call = server_call(a->server, "addzones", lines.data,
			60000, added, a, NULL);
	text_fini(&lines);
}

static bool may_look(const struct authority *a)
{
	return !a->apply && !a->draining && server_is_up(a->server);
}

static void looked(void *arg, const struct err *err)
{
	struct authority *a = arg;

	a->watch_probe = NULL;
	timer_set_ms(a->watch_timer, EVERY_MS);
	if (!err) {
		a->watch_failures = 0;
		a->proven = true;
		return;
	}

	if (!may_look(a))
		return; /* a change began meanwhile */
	a->proven = false;
	log_error(
		"authority: NSD does not serve what it should: %s", err->text);
	timer_set_ms(a->watch_timer, EVERY_MS / 10);
	if (++a->watch_failures < FAILURES) {
		repair(a);
		return;
	}
	a->watch_failures = 0;
	log_error("authority: restarting NSD");
	server_restart(a->server);
}

static size_t choose(struct authority *a, struct probe_zone out[SAMPLE])
{
	const struct tree *tree = a->tree;
	size_t n = 0;

	for (; n < SAMPLE && n < tree->count; n++) {
		const struct tree_zone *z =
			&tree->zones[a->watch_cursor++ % tree->count];

		out[n] = (struct probe_zone){
			.wire = z->wire, .serial = z->serial};
	}
	return n;
}

static void look(void *arg)
{
	struct authority *a = arg;
	struct probe_zone zones[SAMPLE];
	union addr addr = auth_config_probe_addr(a->config);
	struct err err;

	timer_set_ms(a->watch_timer, EVERY_MS);
	if (!may_look(a) || a->watch_probe)
		return;
	a->watch_probe = probe_start(a->loop, &addr, zones, choose(a, zones),
		DEADLINE_MS, stats_rtt(a->stats), looked, a, &err);
	if (!a->watch_probe)
		log_error("authority: cannot ask NSD: %s", err.text);
}

int monitor_open(struct authority *a)
{
	a->watch_timer = timer_new(a->loop, look, a);
	if (!a->watch_timer)
		return -1;
	timer_set_ms(a->watch_timer, EVERY_MS);
	return 0;
}

void monitor_pause(struct authority *a)
{
	probe_cancel(a->watch_probe);
	a->watch_probe = NULL;
}

void monitor_close(struct authority *a)
{
	probe_cancel(a->watch_probe);
	nsd_cancel(a->watch_call);
	timer_free(a->watch_timer);
	a->watch_probe = NULL;
	a->watch_call = NULL;
	a->watch_timer = NULL;
}
