/* SPDX-License-Identifier: ISC */
/*
 * The order of a roll-out, from what changes on each node and who owns the
 * addresses now.
 */

#include "mgmt/wave.h"

#include "common/base/digest.h"
#include "mgmt/vrrp.h"

enum {
	WAVE_AUTHORITY,
	WAVE_CANARY,
	WAVE_REST,
	WAVE_HA
};

/* {key: sha256} of a node's items in a generation; empty when none. New. */
static json_t *items_of(
	struct store *store, long long generation, const char *node)
{
	json_t *out = json_object(), *manifest = NULL, *item;
	char hex[DIGEST_HEX], *data = NULL;
	size_t len = 0, i;

	if (generation > 0 &&
		!store_manifest(store, generation, node, hex, NULL) &&
		!store_blob(store, hex, &data, &len, NULL))
		manifest = json_loadb(data, len, 0, NULL);
	json_array_foreach(json_object_get(manifest, "items"), i, item)
		json_object_set(out, row_str(item, "key"),
			json_object_get(item, "sha256"));
	json_decref(manifest);
	free(data);
	return out;
}

/* How many nodes with `role` come before this one: BACKUP first. */
static int place(struct fleet *fleet, const struct link *link, const char *role)
{
	bool master = vrrp_owns(link, NULL);
	struct list *pos;
	int n = 0;

	list_each(pos, fleet_links(fleet)) {
		const struct link *l = list_entry(pos, struct link, list);
		bool other = vrrp_owns(l, NULL);

		if (l == link || !link_alive(l) || !list_has(l->roles, role))
			continue;
		if (other != master ? master : strcmp(l->name, link->name) < 0)
			n++;
	}
	return n;
}

int wave_of(struct store *store, struct fleet *fleet, const struct link *link,
	long long generation, long long before)
{
	json_t *new = items_of(store, generation, link->name);
	json_t *old = items_of(store, before, link->name);
	bool ha = !json_equal(json_object_get(old, "ha.yaml"),
		json_object_get(new, "ha.yaml"));
	bool same = json_equal(old, new);
	const char *role =
		list_has(link->roles, "frontend") ? "frontend" : "resolver";
	int wave;

	json_decref(old);
	json_decref(new);
	if (list_has(link->roles, "authority"))
		wave = WAVE_AUTHORITY;
	else if (ha && before > 0 && list_has(link->roles, "ha"))
		wave = WAVE_HA + place(fleet, link, "ha");
	else if (same || place(fleet, link, role) == 0)
		wave = WAVE_CANARY;
	else
		wave = WAVE_REST;
	return wave;
}
