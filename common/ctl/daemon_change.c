/* SPDX-License-Identifier: ISC */
/*
 * A change of configuration in two steps, one at a time:
 *
 *   NONE -> PREPARING -> PREPARED -> COMMITTING -> NONE
 *
 * prepare reads, checks and lets the daemon build without effect; commit
 * switches. A reload is both in a row. What runs is untouched until commit,
 * and stays when anything fails before.
 */

#include <unistd.h>

#include "common/base/log.h"
#include "common/ctl/daemon_impl.h"

/* Answer who waits; `why` NULL: it went well. */
static void answer(struct daemon *d, const char *why)
{
	bool prepared = d->change.state == CHANGE_PREPARED;
	struct control_call *call = d->change.call;
	const char *key = d->restart_needed;
	json_t *result;

	d->change.call = NULL;
	if (!call)
		return;
	if (why) {
		control_fail(call, "%s", why);
		return;
	}
	result = json_pack("{s:I}", "generation",
		(json_int_t)(prepared ? d->change.generation : d->generation));
	if (prepared)
		key = conf_restart_key(d->conf, d->change.conf);
	if (result && key && key[0])
		json_object_set_new(result, "restart_needed", json_string(key));
	control_ok(call, result);
}

static void forget(struct daemon *d)
{
	d->change.state = CHANGE_NONE;
	d->change.conf = NULL;
	d->change.next = NULL;
	d->change.reload = d->change.discard = false;
}

static void failed(struct daemon *d, const char *why)
{
	bool reload = d->change.reload;

	conf_free(d->change.conf);
	forget(d);
	if (reload) {
		d->reload_failures++;
		log_error("daemon: reload failed, the old configuration "
			  "stays: %s",
			why);
		daemon_notify("READY=1");
	} else {
		log_error("daemon: change refused: %s", why);
	}
	answer(d, why);
}

static void note_restart_key(struct daemon *d)
{
	const char *key = conf_restart_key(d->conf, d->change.conf);

	if (!key)
		return;
	snprintf(d->restart_needed, sizeof(d->restart_needed), "%s", key);
	log_warn("daemon: %s has changed: needs a restart to take effect", key);
}

void change_prepare(struct daemon *d, const char *path, long long generation,
	struct control_call *call)
{
	struct change *c = &d->change;
	struct err err = {.text = ""};

	if (c->state == CHANGE_PREPARING || c->state == CHANGE_COMMITTING) {
		if (call)
			control_fail(call, "another change is under way");
		else
			log_warn("daemon: reload: a change is under way");
		return;
	}
	if (c->state == CHANGE_PREPARED)
		change_discard(d, NULL); /* the newer one wins */
	c->call = call;
	c->generation = generation;
	snprintf(c->path, sizeof(c->path), "%s", path);
	if (!d->ops->prepare) {
		failed(d, "this daemon needs a restart for changes");
		return;
	}
	c->conf = daemon_read(d->ops, path, &err);
	if (!c->conf) {
		failed(d, err.text);
		return;
	}
	c->state = CHANGE_PREPARING;
	d->ops->prepare(d, d->state, c->conf);
}

long long daemon_next_generation(struct daemon *d)
{
	return d->change.generation;
}

/* End of a discard; `call` may be NULL. */
static void discarded(struct daemon *d, struct control_call *call)
{
	conf_free(d->change.conf);
	forget(d);
	if (call)
		control_ok(call, NULL);
}

void daemon_prepared(struct daemon *d, void *next, const struct err *err)
{
	struct change *c = &d->change;
	struct control_call *discard_call = c->discard_call;
	bool discard = c->discard;

	if (c->state != CHANGE_PREPARING)
		return;
	c->discard_call = NULL;
	if (err && err->text[0]) {
		failed(d, err->text);
		if (discard_call)
			control_ok(discard_call, NULL);
		return;
	}
	c->next = next;
	c->state = CHANGE_PREPARED;
	if (discard) {
		answer(d, "discarded");
		if (d->ops->discard)
			d->ops->discard(d, d->state, c->next);
		discarded(d, discard_call);
	} else if (c->reload) {
		change_commit(d, c->generation, NULL);
	} else {
		log_info("daemon: generation %lld is prepared", c->generation);
		answer(d, NULL);
	}
}

void change_commit(
	struct daemon *d, long long generation, struct control_call *call)
{
	struct change *c = &d->change;

	if (c->state != CHANGE_PREPARED) {
		if (c->state == CHANGE_NONE && generation > 0 &&
			generation == d->generation)
			control_ok(call, json_pack("{s:I}", "generation",
						 (json_int_t)generation));
		else
			control_fail(call, "nothing is prepared");
		return;
	}
	if (generation != c->generation) {
		control_fail(call, "generation %lld is prepared, not %lld",
			c->generation, generation);
		return;
	}
	if (call)
		c->call = call;
	c->state = CHANGE_COMMITTING;
	note_restart_key(d);
	if (d->ops->commit(d, d->state, c->next))
		daemon_committed(d, NULL);
}

void daemon_committed(struct daemon *d, const struct err *err)
{
	struct change *c = &d->change;
	struct conf *old = d->conf;

	if (c->state != CHANGE_COMMITTING)
		return;
	if (err && err->text[0]) {
		failed(d, err->text);
		return;
	}
	d->conf = c->conf;
	d->generation = c->generation;
	snprintf(d->path, sizeof(d->path), "%s", c->path);
	d->reloads++;
	if (c->reload)
		daemon_notify("READY=1");
	forget(d);
	conf_free(old);
	log_info("daemon: configuration is running: file=%s generation=%lld",
		d->path, d->generation);
	answer(d, NULL);
}

void change_discard(struct daemon *d, struct control_call *call)
{
	struct change *c = &d->change;

	switch (c->state) {
	case CHANGE_NONE:
		if (call)
			control_ok(call, NULL);
		return;
	case CHANGE_PREPARING:
		if (c->discard_call && call) {
			control_fail(call, "is being discarded already");
			return;
		}
		c->discard = true;
		c->discard_call = call;
		return;
	case CHANGE_COMMITTING:
		if (call)
			control_fail(call, "the commit is under way");
		return;
	case CHANGE_PREPARED:
		break;
	}
	if (d->ops->discard)
		d->ops->discard(d, d->state, c->next);
	discarded(d, call);
}

/* The file that a start would take: the first that is there. */
static const char *reload_path(const struct daemon *d, char out[DAEMON_PATH])
{
	const char *path;

	for (int i = 0; (path = daemon_candidate(d, i, out)) != NULL; i++) {
		if (access(path, F_OK) == 0)
			return path;
	}
	return daemon_candidate(d, 0, out);
}

void change_reload(struct daemon *d, struct control_call *call)
{
	char path[DAEMON_PATH], message[80];

	if (d->change.state == CHANGE_NONE ||
		d->change.state == CHANGE_PREPARED) {
		if (d->change.state == CHANGE_PREPARED)
			change_discard(d, NULL);
		d->change.reload = true;
		snprintf(message, sizeof(message),
			"RELOADING=1\nMONOTONIC_USEC=%lld",
			(long long)mtime_now().us);
		daemon_notify(message);
	}
	reload_path(d, path);
	change_prepare(d, path, daemon_path_generation(path), call);
}

void change_drop(struct daemon *d)
{
	if (d->change.state == CHANGE_PREPARED && d->ops->discard)
		d->ops->discard(d, d->state, d->change.next);
	if (d->change.call)
		answer(d, "the daemon stops");
	if (d->change.discard_call)
		control_fail(d->change.discard_call, "the daemon stops");
	d->change.discard_call = NULL;
}
