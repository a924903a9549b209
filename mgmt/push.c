/* SPDX-License-Identifier: ISC */
/*
 * The roll-out as a small state machine: STAGE until all have staged, then
 * wave after wave of APPLY. What it decides is in the database before a node
 * is told, so a restart of mgmt finds it again.
 */

#include "mgmt/push.h"

#include <errno.h>

#include "common/base/digest.h"
#include "common/base/log.h"
#include "mgmt/change.h"
#include "mgmt/push_impl.h"
#include "mgmt/wave.h"

#define STAGE_MS 20000
#define APPLY_MS 20000
#define RETRY_MS 5000
#define WAVES    4096

static void push_connected(void *arg, struct link *link);
static void push_acked(void *arg, struct link *link, long long generation);
static void push_tick(void *arg);

struct fleet *push_fleet(struct push *push)
{
	return push->fleet;
}

struct vrrp *push_vrrp(struct push *push)
{
	return push->vrrp;
}

void push_stats(const struct push *push, struct push_stats *out)
{
	*out = push->stats;
}

/* ---- what is written down ---- */

static int save(struct push *push, const char *state, bool approved,
	const char *error, struct err *err)
{
	int rc = store_begin(push->store, err);

	if (rc)
		return rc;
	rc = store_rollout_set(push->store, push->generation, state, approved,
		push->allow_missing, error, err);
	if (!rc)
		return store_commit(push->store, err);
	store_rollback(push->store);
	return rc;
}

static void save_node(struct push *push, const char *node, const char *phase,
	const char *error, int took_ms)
{
	struct err err = {""};
	int rc = store_begin(push->store, &err);

	if (rc)
		goto out;
	rc = store_rollout_node(push->store, push->generation, node, phase,
		error, took_ms, &err);
	if (!rc)
		rc = store_commit(push->store, &err);
	else
		store_rollback(push->store);
out:
	if (rc)
		log_error("push: node's phase is not saved: node=%s: %s", node,
			err.text);
}

/* ---- telling a node ---- */

static void tell(struct push *push, struct link *link, long long generation,
	const char *mode)
{
	char hex[DIGEST_HEX];

	link->since = mtime_now();
	if (store_manifest(push->store, generation, link->name, hex, NULL))
		return; /* it was not a node then */
	link->want = generation;
	link->error[0] = '\0';
	snprintf(link->phase, sizeof(link->phase), "%s", mode);
	link_send(link, json_pack("{s:s, s:I, s:s, s:s}", "type", "want",
				"generation", (json_int_t)generation,
				"manifest_sha256", hex, "mode", mode));
}

static struct member *member_of(struct push *push, const struct link *link)
{
	for (size_t i = 0; i < push->count; i++)
		if (!strcmp(push->members[i].name, link->name))
			return &push->members[i];
	return NULL;
}

static struct link *member_link(struct push *push, const struct member *m)
{
	return fleet_find(push->fleet, m->name);
}

/* ---- the roll-out ---- */

static void finish(
	struct push *push, const char *state, bool approved, const char *error)
{
	struct err err = {""};
	long long generation = push->generation;

	if (save(push, state, approved, error, &err))
		log_error("push: result is not saved: generation=%lld: %s",
			generation, err.text);
	log_info("push: roll-out ended: generation=%lld state=%s%s%s",
		generation, state, *error ? " " : "", error);
	push->stage = IDLE;
	push->count = 0;
	push->more = approved && push_has_next(push, generation);
	push->step_at = mtime_now();
	if (!push->more)
		push_wake(push, generation);
}

/* Staging failed: nothing was switched anywhere. */
static void fail_stage(struct push *push, const char *error)
{
	for (size_t i = 0; i < push->count; i++) {
		struct link *link = member_link(push, &push->members[i]);

		if (link && push->members[i].wave >= 0)
			tell(push, link, push->generation, "abort");
	}
	push->stats.failed++;
	finish(push, "failed", false, error);
}

static void start_return(struct push *push, long long failed)
{
	struct change change = {
		.author = "ispdns-mgmt", .above = push_highest(push)};
	struct err err = {""};
	long long generation = 0;
	char message[96];
	int rc;

	snprintf(message, sizeof(message),
		"automatic return to %lld, since %lld failed", push->before,
		failed);
	change.message = message;
	rc = store_begin(push->store, &err);
	if (!rc) {
		rc = change_return(
			push->store, push->before, &change, &generation, &err);
		if (!rc)
			rc = store_commit(push->store, &err);
		else
			store_rollback(push->store);
	}
	if (!rc)
		rc = push_start(push, generation, true, &err);
	if (rc)
		log_error("push: cannot return to generation %lld: %s",
			push->before, err.text);
	else
		push->returning = true;
}

/* A node could not apply: the fleet goes back to what it had. */
static void fail_apply(struct push *push, const char *error)
{
	long long failed = push->generation;
	bool can_return = push->before > 0 && !push->returning;

	push->approved = push->before;
	push->stats.rolled_back++;
	finish(push, can_return ? "rolled_back" : "failed", false, error);
	if (can_return)
		start_return(push, failed);
}

static bool wave_has_members(struct push *push, int wave)
{
	for (size_t i = 0; i < push->count; i++)
		if (push->members[i].wave == wave)
			return true;
	return false;
}

/* The base and 5 ms for each item of the longest manifest, whose items are
 * some 150 octets each: a node with 10,000 new zones is not late after 20 s. */
static int64_t patience_ms(struct push *push, int64_t base)
{
	char hex[DIGEST_HEX];
	size_t size, most = 0;

	for (size_t i = 0; i < push->count; i++)
		if (!store_manifest(push->store, push->generation,
			    push->members[i].name, hex, NULL) &&
			!store_blob_size(push->store, hex, &size, NULL) &&
			size > most)
			most = size;
	return base + (int64_t)(most / 30);
}

static void start_wave(struct push *push)
{
	while (push->wave < WAVES && !wave_has_members(push, push->wave))
		push->wave++;
	if (push->wave >= WAVES) {
		finish(push, "done", true, "");
		return;
	}
	push->deadline = mtime_add_ms(mtime_now(), patience_ms(push, APPLY_MS));
	for (size_t i = 0; i < push->count; i++) {
		struct link *link = member_link(push, &push->members[i]);

		if (link && push->members[i].wave == push->wave)
			tell(push, link, push->generation, "apply");
	}
}

/* All staged: from here on nodes that come late may switch too. */
static void approve(struct push *push)
{
	struct err err = {""};

	if (save(push, "running", true, "", &err)) {
		fail_stage(push, err.text);
		return;
	}
	push->approved = push->generation;
	push->stage = APPLY;
	push->wave = 0;
	start_wave(push);
}

static bool all_in_phase(struct push *push, int wave, const char *phase)
{
	for (size_t i = 0; i < push->count; i++) {
		const struct member *m = &push->members[i];
		const struct link *link = member_link(push, m);

		if (m->wave < 0 || (wave >= 0 && m->wave != wave))
			continue;
		if (!link || link->want != push->generation ||
			strcmp(link->phase, phase))
			return false;
	}
	return true;
}

static void advance(struct push *push)
{
	if (push->stage == STAGE && all_in_phase(push, -1, "staged")) {
		approve(push);
		return;
	}
	if (push->stage == APPLY && all_in_phase(push, push->wave, "applied")) {
		push->wave++;
		start_wave(push);
	}
}

static bool has_manifest(struct push *push, const struct link *link)
{
	char hex[DIGEST_HEX];

	return !store_manifest(
		push->store, push->generation, link->name, hex, NULL);
}

static int members_make(struct push *push, struct err *err)
{
	struct list *pos;
	size_t n = 0;
	struct member *members;

	list_each(pos, fleet_links(push->fleet))
		n++;
	members = calloc(n + 1, sizeof(*members));
	if (!members)
		return err_fail(err, -ENOMEM, "no memory");
	free(push->members);
	push->members = members;
	push->count = 0;
	list_each(pos, fleet_links(push->fleet)) {
		struct link *link = list_entry(pos, struct link, list);
		struct member *m = &members[push->count++];

		snprintf(m->name, sizeof(m->name), "%s", link->name);
		m->wave = -1;
		if (link_alive(link) && has_manifest(push, link))
			m->wave = wave_of(push->store, push->fleet, link,
				push->generation, push->before);
	}
	return 0;
}

static void stage_all(struct push *push)
{
	push->stage = STAGE;
	push->deadline = mtime_add_ms(mtime_now(), patience_ms(push, STAGE_MS));
	for (size_t i = 0; i < push->count; i++) {
		struct member *m = &push->members[i];
		struct link *link = member_link(push, m);

		if (m->wave >= 0) {
			save_node(push, m->name, "staging", "", 0);
			tell(push, link, push->generation, "stage");
		} else if (link && link->joined) {
			save_node(push, m->name, "missing", "", 0);
		}
	}
	advance(push); /* with no node at all it is done at once */
}

int push_ready(struct push *push, bool allow_missing, struct err *err)
{
	struct list *pos;

	if (push->stage != IDLE)
		return err_fail(err, -EBUSY,
			"generation %lld is still being rolled out",
			push->generation);
	list_each(pos, fleet_links(push->fleet)) {
		const struct link *link = list_entry(pos, struct link, list);

		if (allow_missing || !link->joined || link_alive(link))
			continue;
		return err_fail(err, -EHOSTUNREACH,
			"node %s is not reachable (--allow-missing applies "
			"without it)",
			link->name);
	}
	return 0;
}

int push_start(struct push *push, long long generation, bool allow_missing,
	struct err *err)
{
	int rc = push_ready(push, true, err);

	if (rc)
		return rc;
	push->generation = generation;
	push->before = push->approved;
	push->allow_missing = allow_missing;
	push->returning = false;
	rc = save(push, "running", false, "", err);
	if (!rc)
		rc = members_make(push, err);
	if (rc)
		return rc;
	push->more = false;
	push->stats.rollouts++;
	log_info("push: roll-out begins: generation=%lld", generation);
	stage_all(push);
	return 0;
}

/* ---- what nodes say ---- */

/* A node outside of a roll-out: bring it to the newest approved. */
static void catch_up(struct push *push, struct link *link)
{
	if (push->approved > link->have && link_alive(link))
		tell(push, link, push->approved, "stage");
}

/* A member's stream broke in the middle and is there again. */
static void rejoin(struct push *push, struct link *link, const struct member *m)
{
	bool apply = push->stage == APPLY && m->wave <= push->wave;

	if (link->have != push->generation) {
		tell(push, link, push->generation, apply ? "apply" : "stage");
		return;
	}
	link->want = push->generation;
	snprintf(link->phase, sizeof(link->phase), "applied");
	save_node(push, link->name, "applied", "", 0);
	advance(push);
}

static void push_connected(void *arg, struct link *link)
{
	struct push *push = arg;
	struct member *m = member_of(push, link);
	char *epoch = NULL;

	if (store_meta(push->store, "epoch", &epoch, NULL))
		epoch = NULL;
	link_send(link,
		json_pack("{s:s, s:i, s:I, s:s}", "type", "hello", "proto",
			FLEET_PROTO, "epoch",
			(json_int_t)(epoch ? strtoll(epoch, NULL, 10) : 0),
			"node", link->name));
	free(epoch);
	link->phase[0] = '\0';
	if (push->stage == IDLE || !m || m->wave < 0)
		catch_up(push, link);
	else
		rejoin(push, link, m);
}

static void member_acked(struct push *push, struct link *link)
{
	char why[FLEET_NAME + 320];

	save_node(push, link->name, link->phase, link->error, link->took_ms);
	if (!push_is_failure(link)) {
		advance(push);
		return;
	}
	snprintf(why, sizeof(why), "node %s: %s", link->name, link->error);
	if (push->stage == STAGE)
		fail_stage(push, why);
	else
		fail_apply(push, why);
}

static void push_acked(void *arg, struct link *link, long long generation)
{
	struct push *push = arg;
	const struct member *m = member_of(push, link);

	if (push->stage != IDLE && generation == push->generation && m &&
		m->wave >= 0) {
		member_acked(push, link);
		return;
	}
	if (!strcmp(link->phase, "staged") && generation == push->approved)
		tell(push, link, generation, "apply");
	else if (push_is_failure(link))
		log_warn("push: node cannot catch up: node=%s: %s", link->name,
			link->error);
}

static void late_member(struct push *push, struct member *m)
{
	char why[FLEET_NAME + 64];

	snprintf(why, sizeof(why), "node %s: no answer in time", m->name);
	save_node(push, m->name, "missing", "no answer in time", 0);
	if (push->allow_missing) {
		m->wave = -1;
		advance(push);
	} else if (push->stage == STAGE) {
		fail_stage(push, why);
	} else {
		fail_apply(push, why);
	}
}

/* The first member that the present step waits for. */
static struct member *late(struct push *push)
{
	for (size_t i = 0; i < push->count; i++) {
		struct member *m = &push->members[i];
		const struct link *link = member_link(push, m);
		const char *wanted =
			push->stage == STAGE ? "staged" : "applied";

		if (m->wave < 0 ||
			(push->stage == APPLY && m->wave != push->wave))
			continue;
		if (!link || strcmp(link->phase, wanted))
			return m;
	}
	return NULL;
}

/* Nodes that are behind are told again now and then. */
static void retry_behind(struct push *push)
{
	struct list *pos;

	if (push->stage != IDLE)
		return;
	list_each(pos, fleet_links(push->fleet)) {
		struct link *link = list_entry(pos, struct link, list);

		if (link->have < push->approved && link_alive(link) &&
			mtime_sub_us(mtime_now(), link->since) >
				RETRY_MS * 1000LL)
			catch_up(push, link);
	}
}

/* Since when is a node behind? */
static void note_current(struct push *push)
{
	struct list *pos;

	list_each(pos, fleet_links(push->fleet)) {
		struct link *link = list_entry(pos, struct link, list);

		if (link->have == push->approved || link->current_at.us == 0)
			link->current_at = mtime_now();
	}
}

static void push_tick(void *arg)
{
	struct push *push = arg;
	struct member *m;

	note_current(push);
	vrrp_tick(push->vrrp);
	if (push->stage != IDLE && !mtime_before(mtime_now(), push->deadline) &&
		(m = late(push)) != NULL)
		late_member(push, m);
	retry_behind(push);
	push_step_tick(push);
	push_wake(push, 0);
}

/* ---- start and stop ---- */

/* A roll-out that a restart of mgmt has cut: before approval nothing was
 * switched; after it nodes catch up one by one. */
static int recover(struct push *push, struct err *err)
{
	json_t *gen = NULL;
	int rc = store_gen_newest(push->store, true, &push->approved, err);
	int have = rc ? rc : store_gen(push->store, 0, &gen, NULL);

	if (!have && row_int(gen, "generation") == push->approved)
		push->more = push_has_next(push, push->approved);
	if (have || strcmp(row_str(gen, "state"), "running"))
		goto out;
	push->generation = row_int(gen, "generation");
	push->allow_missing = row_int(gen, "allow_missing") != 0;
	if (push->generation == push->approved)
		rc = save(push, "done", true,
			"ispdns-mgmt was restarted; nodes catch up", err);
	else
		rc = save(push, "failed", false, "ispdns-mgmt was restarted",
			err);
out:
	json_decref(gen);
	return rc;
}

struct push *push_new(struct loop *loop, struct store *store, struct err *err)
{
	static const struct fleet_events events = {
		push_connected, push_acked, push_tick};
	struct push *push = calloc(1, sizeof(*push));

	if (!push) {
		err_set(err, "no memory");
		return NULL;
	}
	push->store = store;
	list_init(&push->waiters);
	push->fleet = fleet_new(loop, store, &events, push, err);
	if (push->fleet && !(push->vrrp = vrrp_new(push->fleet, store)))
		err_set(err, "no memory");
	if (push->vrrp && recover(push, err) == 0)
		return push;
	push_free(push);
	return NULL;
}

void push_free(struct push *push)
{
	if (!push)
		return;
	while (!list_empty(&push->waiters)) {
		struct waiter *w =
			list_entry(push->waiters.next, struct waiter, list);

		list_remove(&w->list);
		w->cb(w->arg);
		free(w);
	}
	json_decref(push->waits);
	vrrp_free(push->vrrp);
	fleet_free(push->fleet);
	free(push->members);
	free(push);
}
