/* SPDX-License-Identifier: ISC */
/*
 * Links: made from the node table, filled by what nodes send. A node is
 * believed lost when nothing came for 15 s, not when its stream breaks.
 */

#include "mgmt/fleet.h"

#include <errno.h>

#include "common/base/log.h"

#define TICK_MS    100
#define COMMAND_MS 10000

struct command {
	struct list list;
	long long id;
	char node[FLEET_NAME];
	struct mtime deadline;
	fleet_result_cb cb;
	void *arg;
};

struct fleet {
	struct loop *loop;
	struct store *store;
	struct timer *timer;
	struct list links, commands;
	size_t command_count;
	long long next_id;
	struct mtime next_ping;
	struct fleet_events events;
	void *arg;
};

struct list *fleet_links(struct fleet *fleet)
{
	return &fleet->links;
}

struct link *fleet_find(struct fleet *fleet, const char *node)
{
	struct list *pos;

	list_each(pos, &fleet->links) {
		struct link *link = list_entry(pos, struct link, list);

		if (!strcmp(link->name, node))
			return link;
	}
	return NULL;
}

bool link_alive(const struct link *link)
{
	struct mtime now = mtime_now();

	if (!link->connected)
		return link->joined && link->seen &&
		       mtime_sub_us(now, link->cut_at) <
			       FLEET_GRACE_MS * 1000LL;
	return mtime_sub_us(now, link->last_seen) < FLEET_LOST_MS * 1000LL;
}

/* `message` is stolen. */
void link_send(struct link *link, json_t *message)
{
	char *line = json_canonical(message);

	if (link->connected && line)
		link->stream.send(link->stream.arg, line);
	free(line);
	json_decref(message);
}

static void link_close(struct link *link)
{
	struct fleet_stream old = link->stream;

	if (!link->connected)
		return;
	link->connected = false;
	old.close(old.arg);
}

static void link_free(struct link *link)
{
	list_remove(&link->list);
	link_close(link);
	json_decref(link->roles);
	json_decref(link->parts);
	json_decref(link->blobs);
	free(link);
}

static void command_end(struct fleet *fleet, struct command *c, bool ok,
	const json_t *result, const char *error)
{
	list_remove(&c->list);
	fleet->command_count--;
	c->cb(c->arg, ok, result, error);
	free(c);
}

static void ping_all(struct fleet *fleet)
{
	struct list *pos;

	if (mtime_before(mtime_now(), fleet->next_ping))
		return;
	fleet->next_ping = mtime_add_ms(mtime_now(), FLEET_PING_MS);
	list_each(pos, &fleet->links)
		link_send(list_entry(pos, struct link, list),
			json_pack("{s:s}", "type", "ping"));
}

static void fleet_tick(void *arg)
{
	struct fleet *fleet = arg;
	struct list *pos, *tmp;

	timer_set_ms(fleet->timer, TICK_MS);
	list_each_safe(pos, tmp, &fleet->commands) {
		struct command *c = list_entry(pos, struct command, list);

		if (!mtime_before(mtime_now(), c->deadline))
			command_end(fleet, c, false, NULL,
				"the node did not answer in time");
	}
	ping_all(fleet);
	fleet->events.tick(fleet->arg);
}

struct fleet *fleet_new(struct loop *loop, struct store *store,
	const struct fleet_events *events, void *arg, struct err *err)
{
	struct fleet *fleet = calloc(1, sizeof(*fleet));

	if (!fleet)
		goto fail;
	fleet->loop = loop;
	fleet->store = store;
	fleet->events = *events;
	fleet->arg = arg;
	fleet->next_id = 1;
	list_init(&fleet->links);
	list_init(&fleet->commands);
	fleet->timer = timer_new(loop, fleet_tick, fleet);
	if (!fleet->timer)
		goto fail;
	timer_set_ms(fleet->timer, TICK_MS);
	if (fleet_sync(fleet, err) == 0)
		return fleet;
	fleet_free(fleet);
	return NULL;
fail:
	free(fleet);
	err_set(err, "no memory");
	return NULL;
}

void fleet_free(struct fleet *fleet)
{
	if (!fleet)
		return;
	while (!list_empty(&fleet->commands))
		command_end(fleet,
			list_entry(fleet->commands.next, struct command, list),
			false, NULL, "ispdns-mgmt is stopping");
	while (!list_empty(&fleet->links))
		link_free(list_entry(fleet->links.next, struct link, list));
	timer_free(fleet->timer);
	free(fleet);
}

static struct link *link_new(struct fleet *fleet, const char *node)
{
	struct link *link = calloc(1, sizeof(*link));

	if (!link)
		return NULL;
	snprintf(link->name, sizeof(link->name), "%s", node);
	list_append(&fleet->links, &link->list);
	return link;
}

static bool has_cert(struct fleet *fleet, const char *node)
{
	json_t *certs = NULL, *row;
	bool valid = false;
	size_t i;

	if (store_certs(fleet->store, node, &certs, NULL))
		return false;
	json_array_foreach(certs, i, row)
		if (row_int(row, "revoked") == 0)
			valid = true;
	json_decref(certs);
	return valid;
}

static int sync_row(struct fleet *fleet, const json_t *row, struct err *err)
{
	const char *node = row_str(row, "node");
	struct link *link = fleet_find(fleet, node);

	if (!link && !(link = link_new(fleet, node)))
		return err_fail(err, -ENOMEM, "no memory");
	json_decref(link->roles);
	link->roles = json_deep_copy(row_list(row, "roles"));
	link->joined = has_cert(fleet, node);
	if (!link->joined)
		link_close(link);
	return 0;
}

static bool in_rows(const json_t *rows, const char *node)
{
	size_t i;
	json_t *row;

	json_array_foreach(rows, i, row)
		if (!strcmp(row_str(row, "node"), node))
			return true;
	return false;
}

int fleet_sync(struct fleet *fleet, struct err *err)
{
	json_t *rows = NULL, *row;
	struct list *pos, *tmp;
	size_t i;
	int rc =
		store_rows(fleet->store, model_table("node"), NULL, &rows, err);

	if (rc)
		return rc;
	list_each_safe(pos, tmp, &fleet->links) {
		struct link *link = list_entry(pos, struct link, list);

		if (!in_rows(rows, link->name))
			link_free(link);
	}
	json_array_foreach(rows, i, row)
		if (!rc)
			rc = sync_row(fleet, row, err);
	json_decref(rows);
	return rc;
}

static void link_heard(struct link *link)
{
	link->seen = true;
	link->last_seen = mtime_now();
}

static struct link *link_of(
	struct fleet *fleet, const char *node, struct err *err)
{
	struct link *link = fleet_find(fleet, node);

	if (!link)
		err_set(err, "node %s: is not known", node);
	else
		link_heard(link);
	return link;
}

int fleet_connect(struct fleet *fleet, const char *node, long long have,
	const char *boot, const struct fleet_stream *stream, struct err *err)
{
	struct link *link = link_of(fleet, node, err);

	if (!link)
		return -ENOENT;
	link_close(link);
	link->stream = *stream;
	link->connected = true;
	link->joined = true;
	link->have = have;
	snprintf(link->boot, sizeof(link->boot), "%s", boot);
	log_info("fleet: node connected: node=%s have=%lld", node, have);
	fleet->events.connected(fleet->arg, link);
	return 0;
}

void fleet_disconnect(struct fleet *fleet, const char *node, void *stream_arg)
{
	struct link *link = fleet_find(fleet, node);

	if (!link || !link->connected || link->stream.arg != stream_arg)
		return;
	link->connected = false;
	link->cut_at = mtime_now();
	log_warn("fleet: node's stream ended: node=%s", node);
}

int fleet_ack(struct fleet *fleet, const char *node, const json_t *body,
	struct err *err)
{
	static const char *const phases[] = {
		"fetched", "staged", "applied", "failed", "rolled_back"};
	struct link *link = link_of(fleet, node, err);
	const char *phase = NULL, *error = "";
	json_int_t generation = 0;
	int took = 0;
	bool known = false;

	if (!link)
		return -ENOENT;
	if (json_unpack((json_t *)(uintptr_t)body, "{s:I, s:s, s?s, s?i}",
		    "generation", &generation, "phase", &phase, "error", &error,
		    "took_ms", &took))
		return err_fail(
			err, -EBADR, "ack: generation or phase missing");
	for (size_t i = 0; i < countof(phases); i++)
		known = known || !strcmp(phases[i], phase);
	if (!known)
		return err_fail(err, -EBADR, "ack: unknown phase");
	if (!strcmp(phase, "applied"))
		link->have = generation;
	if (generation != link->want)
		return 0; /* of an earlier wish */
	snprintf(link->phase, sizeof(link->phase), "%s", phase);
	snprintf(link->error, sizeof(link->error), "%s", error);
	link->took_ms = took;
	fleet->events.acked(fleet->arg, link, generation);
	return 0;
}

int fleet_status(struct fleet *fleet, const char *node, const json_t *body,
	struct err *err)
{
	struct link *link = link_of(fleet, node, err);
	const char *version = "", *boot = "";
	json_t *parts = NULL;
	json_int_t have = 0;

	if (!link)
		return -ENOENT;
	if (json_unpack((json_t *)(uintptr_t)body, "{s:I, s?s, s?s, s?o}",
		    "have", &have, "boot", &boot, "version", &version, "parts",
		    &parts) ||
		(parts && !json_is_object(parts)))
		return err_fail(err, -EBADR, "status: malformed");
	link->have = have;
	snprintf(link->version, sizeof(link->version), "%s", version);
	json_decref(link->parts);
	link->parts = json_incref(parts);
	link->words++;
	return 0;
}

int fleet_result(struct fleet *fleet, const char *node, const json_t *body,
	struct err *err)
{
	struct link *link = link_of(fleet, node, err);
	json_int_t id = 0;
	int ok = 0;
	json_t *result = NULL;
	const char *error = "the node refused";
	struct list *pos;

	if (!link)
		return -ENOENT;
	if (json_unpack((json_t *)(uintptr_t)body, "{s:I, s:b, s?o, s?s}", "id",
		    &id, "ok", &ok, "result", &result, "error", &error))
		return err_fail(err, -EBADR, "result: malformed");
	list_each(pos, &fleet->commands) {
		struct command *c = list_entry(pos, struct command, list);

		if (c->id != id || strcmp(c->node, node))
			continue;
		command_end(fleet, c, ok, result, error);
		return 0;
	}
	return 0; /* too late: nobody waits */
}

int fleet_command(struct fleet *fleet, const char *node, const char *part,
	const char *verb, const json_t *args, fleet_result_cb cb, void *arg,
	struct err *err)
{
	struct link *link = fleet_find(fleet, node);
	struct command *c;

	if (!link)
		return err_fail(err, -ENOENT, "node %s: not found", node);
	if (!link->connected || !link_alive(link))
		return err_fail(
			err, -EHOSTUNREACH, "node %s: is not reachable", node);
	if (fleet->command_count >= FLEET_MAX_CMDS)
		return err_fail(err, -EAGAIN, "too many commands are waiting");
	c = calloc(1, sizeof(*c));
	if (!c)
		return err_fail(err, -ENOMEM, "no memory");
	c->id = fleet->next_id++;
	snprintf(c->node, sizeof(c->node), "%s", node);
	c->deadline = mtime_add_ms(mtime_now(), COMMAND_MS);
	c->cb = cb;
	c->arg = arg;
	list_append(&fleet->commands, &c->list);
	fleet->command_count++;
	link_send(link,
		json_pack("{s:s, s:I, s:s, s:s, s:o}", "type", "cmd", "id",
			(json_int_t)c->id, "part", part, "verb", verb, "args",
			args ? json_deep_copy(args) : json_object()));
	return 0;
}
