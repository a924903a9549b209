/* SPDX-License-Identifier: ISC */
/* What ispdns-authority tells on its control socket. */

#include "authority/authority_impl.h"

static json_t *nsd_status(const struct authority *a)
{
	return json_pack("{s:s, s:i, s:s, s:i}", "state",
		server_state_name(a->server), "pid", (int)server_pid(a->server),
		"version", server_version(a->server), "restarts",
		(int)server_restarts(a->server));
}

void authority_status(void *state, json_t *out)
{
	const struct authority *a = state;

	json_object_set_new(out, "serving",
		json_boolean(a->proven && server_is_up(a->server)));
	json_object_set_new(
		out, "zones", json_integer((json_int_t)a->config->zone_count));
	json_object_set_new(out, "tree", json_integer(a->tree->number));
	json_object_set_new(
		out, "served_generation", json_integer(a->tree->generation));
	json_object_set_new(
		out, "changing", json_boolean(a->apply != NULL && a->next));
	if (a->degraded[0])
		json_object_set_new(out, "degraded", json_string(a->degraded));
	json_object_set_new(out, "nsd", nsd_status(a));
}

void authority_stats(void *state, json_t *out)
{
	struct authority *a = state;

	stats_json(a->stats, out);
}

static void verb_zones(void *arg, struct control_call *call, const json_t *args)
{
	const struct authority *a = arg;
	const char *name = json_string_value(
		json_array_get(json_object_get(args, "words"), 0));
	json_t *list = json_array();
	struct name want;

	if (name && name_parse(name, &want) < 0) {
		json_decref(list);
		control_fail(call, "%.64s: not a domain name", name);
		return;
	}
	for (size_t i = 0; i < a->tree->count; i++) {
		const struct tree_zone *z = &a->tree->zones[i];

		if (name && !name_equal(z->wire->wire, want.wire))
			continue;
		json_array_append_new(
			list, json_pack("{s:s, s:I, s:s, s:s}", "name", z->name,
				      "serial", (json_int_t)z->serial, "file",
				      z->file, "sha256", z->sha));
	}
	control_ok(call, json_pack("{s:o}", "zones", list));
}

const struct control_command authority_commands[] = {
	{"zones", verb_zones, "[NAME]: the zones that are served"},
	{NULL, NULL, NULL},
};
