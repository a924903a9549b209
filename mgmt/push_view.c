/* SPDX-License-Identifier: ISC */
/* What an operator is shown of nodes and roll-outs. */

#include "mgmt/push_impl.h"

/* Why a change that takes several steps does not go on: a line; "". */
static const char *why_waiting(const struct push *push)
{
	const char *line = json_string_value(json_array_get(push->waits, 0));

	return line ? line : "";
}

int push_report(
	struct push *push, long long generation, json_t **out, struct err *err)
{
	json_t *gen = NULL, *nodes = NULL;
	int rc = store_gen(
		push->store, push_follow(push, generation), &gen, err);
	bool more;

	if (!rc)
		rc = store_rollout_nodes(
			push->store, row_int(gen, "generation"), &nodes, err);
	if (!rc) {
		more = push->more &&
		       row_int(gen, "generation") == push->approved;
		*out = json_pack("{s:O, s:s, s:s, s:O}", "generation",
			json_object_get(gen, "generation"), "state",
			more ? "running" : row_str(gen, "state"), "error",
			more ? why_waiting(push) : row_str(gen, "error"),
			"nodes", nodes);
	}
	json_decref(nodes);
	json_decref(gen);
	return rc;
}

static const char *link_state(const struct push *push, const struct link *l)
{
	if (!l->seen)
		return l->joined ? "lost" : "new";
	if (!link_alive(l))
		return "lost";
	if (l->want == push->generation && push->stage != IDLE) {
		if (!strcmp(l->phase, "stage") || !strcmp(l->phase, "fetched"))
			return "staging";
		if (!strcmp(l->phase, "staged"))
			return "staged";
		if (!strcmp(l->phase, "apply"))
			return "applying";
	}
	if (l->have == push->approved)
		return "current";
	return push_is_failure(l) ? "failed" : "behind";
}

/* Seconds since it was heard of; null: never. */
static json_t *seen_ago(const struct link *link)
{
	if (!link->seen)
		return json_null();
	return json_integer(
		mtime_sub_us(mtime_now(), link->last_seen) / 1000000);
}

json_t *push_node(struct push *push, const struct link *link)
{
	json_t *parts = link->parts ? json_incref(link->parts) : json_object();

	return json_pack("{s:s, s:O, s:s, s:I, s:I, s:o, s:s, s:s, s:o}",
		"name", link->name, "roles", link->roles, "state",
		link_state(push, link), "want", (json_int_t)push->approved,
		"have", (json_int_t)link->have, "last_seen_s", seen_ago(link),
		"version", link->version, "error", link->error, "parts", parts);
}

long long push_highest(struct push *push)
{
	long long highest = 0;
	struct list *pos;

	list_each(pos, fleet_links(push->fleet)) {
		const struct link *l = list_entry(pos, struct link, list);

		if (l->have > highest)
			highest = l->have;
	}
	return highest;
}

json_t *push_nodes(struct push *push)
{
	json_t *out = json_array();
	struct list *pos;

	list_each(pos, fleet_links(push->fleet))
		json_array_append_new(out,
			push_node(push, list_entry(pos, struct link, list)));
	return out;
}

static void alarm_node(struct push *push, const struct link *l, json_t *out)
{
	const char *state = link_state(push, l);

	if (l->seen && l->have > push->approved && push->stage == IDLE)
		json_array_append_new(out,
			json_sprintf("node %s has generation %lld, which is "
				     "not known here: apply makes a newer one",
				l->name, l->have));
	else if (!strcmp(state, "lost") || !strcmp(state, "behind") ||
		 !strcmp(state, "failed"))
		json_array_append_new(
			out, json_sprintf("node %s is %s%s%s", l->name, state,
				     *l->error ? ": " : "", l->error));
}

/* The newest generation did not go out. */
static void alarm_generation(struct push *push, json_t *out)
{
	json_t *gen = NULL;

	if (store_gen(push->store, 0, &gen, NULL))
		return;
	if (!strcmp(row_str(gen, "state"), "failed"))
		json_array_append_new(
			out, json_sprintf("generation %lld failed: %s",
				     (long long)row_int(gen, "generation"),
				     row_str(gen, "error")));
	json_decref(gen);
}

json_t *push_alarms(struct push *push)
{
	json_t *out = push->more && push->waits ? json_copy(push->waits)
						: json_array();
	struct list *pos;

	list_each(pos, fleet_links(push->fleet))
		alarm_node(push, list_entry(pos, struct link, list), out);
	alarm_generation(push, out);
	return out;
}
