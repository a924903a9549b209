/* SPDX-License-Identifier: ISC */
/*
 * A move makes two owners for a moment, since the old one's word is older
 * than the new one's: a split brain is one only when each has said it twice
 * after the other had begun. It is over with the first word that says so, or
 * when only one of them is heard of.
 */

#include "mgmt/vrrp.h"

#include "common/base/log.h"
#include "common/net/addr.h"

#define WORD_MS     5000 /* nodes tell their status every second */
#define LOOK_MS     1000
#define WORDS       2    /* that make a split brain */
#define STRANGER_MS 3000 /* heard for so long */

struct entry {
	struct list list;
	char vip[FLEET_NAME];
	json_t *since;   /* {node: its count of words when it began} */
	json_t *sources; /* {node: address that its adverts come from} */
	bool split, strange;
	char stranger[ADDR_TEXT]; /* "": none is heard */
	struct mtime stranger_at;
};

struct vrrp {
	struct fleet *fleet;
	struct store *store;
	struct list entries;
	uint64_t words; /* of all nodes, at the last look */
	struct mtime due;
	struct vrrp_stats stats;
};

/* ---- what a node says ---- */

static bool word_is_good(const struct link *link)
{
	return link->connected &&
	       mtime_sub_us(mtime_now(), link->last_seen) <= WORD_MS * 1000LL;
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

/* The entry of that name in a list of ha's status. */
static const json_t *said(
	const struct link *link, const char *list, const char *name)
{
	json_t *ha = json_object_get(link->parts, "ha"), *row;
	size_t i;

	if (!word_is_good(link))
		return NULL;
	json_array_foreach(json_object_get(ha, list), i, row)
		if (!strcmp(text_of(row, "name"), name))
			return row;
	return NULL;
}

const json_t *vrrp_instance(const struct link *link, const char *vip)
{
	return said(link, "instances", vip);
}

const json_t *vrrp_service(const struct link *link, const char *anycast)
{
	return said(link, "anycast", anycast);
}

bool vrrp_announces(const struct link *link, const char *anycast)
{
	const json_t *word = vrrp_service(link, anycast);

	return json_is_true(json_object_get(word, "announced")) &&
	       !json_is_true(json_object_get(word, "engine_absent"));
}

bool vrrp_owns(const struct link *link, const char *vip)
{
	json_t *ha = json_object_get(link->parts, "ha"), *row;
	size_t i;

	if (!word_is_good(link))
		return false;
	json_array_foreach(json_object_get(ha, "instances"), i, row)
		if (!strcmp(text_of(row, "role"), "MASTER") &&
			(!vip || !strcmp(text_of(row, "name"), vip)))
			return true;
	return false;
}

json_t *vrrp_owners(const struct vrrp *vrrp, const char *vip)
{
	json_t *out = json_array();
	struct list *pos;

	list_each(pos, fleet_links(vrrp->fleet)) {
		const struct link *l = list_entry(pos, struct link, list);

		if (vrrp_owns(l, vip))
			json_array_append_new(out, json_string(l->name));
	}
	return out;
}

/* ---- entries ---- */

static struct entry *entry_find(const struct vrrp *vrrp, const char *vip)
{
	struct list *pos;

	list_each(pos, &vrrp->entries) {
		struct entry *e = list_entry(pos, struct entry, list);

		if (!strcmp(e->vip, vip))
			return e;
	}
	return NULL;
}

static struct entry *entry_make(struct vrrp *vrrp, const char *vip)
{
	struct entry *e = entry_find(vrrp, vip);

	if (e || !(e = calloc(1, sizeof(*e))))
		return e;
	snprintf(e->vip, sizeof(e->vip), "%s", vip);
	e->since = json_object();
	e->sources = json_object();
	list_append(&vrrp->entries, &e->list);
	return e;
}

static void entry_free(struct entry *e)
{
	list_remove(&e->list);
	json_decref(e->since);
	json_decref(e->sources);
	free(e);
}

struct vrrp *vrrp_new(struct fleet *fleet, struct store *store)
{
	struct vrrp *vrrp = calloc(1, sizeof(*vrrp));

	if (!vrrp)
		return NULL;
	vrrp->fleet = fleet;
	vrrp->store = store;
	list_init(&vrrp->entries);
	return vrrp;
}

void vrrp_free(struct vrrp *vrrp)
{
	if (!vrrp)
		return;
	while (!list_empty(&vrrp->entries))
		entry_free(list_entry(vrrp->entries.next, struct entry, list));
	free(vrrp);
}

/* ---- two owners ---- */

/* "dd1, dd2". */
static void names_of(const json_t *owners, char *out, size_t size)
{
	size_t i, used = 0;
	json_t *name;

	out[0] = '\0';
	json_array_foreach(owners, i, name) {
		if (used >= size)
			return;
		snprintf(out + used, size - used, "%s%s", i ? ", " : "",
			json_string_value(name));
		used = strlen(out);
	}
}

/* Has every owner spoken often enough since there are two? */
static bool all_insist(
	const struct vrrp *vrrp, struct entry *e, const json_t *owners)
{
	bool insist = true;
	size_t i;
	json_t *name;

	json_array_foreach(owners, i, name) {
		const char *node = json_string_value(name);
		const struct link *l = fleet_find(vrrp->fleet, node);
		const json_t *began = json_object_get(e->since, node);

		if (!began)
			json_object_set_new(e->since, node,
				json_integer((json_int_t)l->words));
		insist &= began &&
			  (json_int_t)l->words - json_integer_value(began) >=
				  WORDS;
	}
	return insist;
}

/* Who does not own it any more begins anew when it does again. */
static void forget_others(struct entry *e, const json_t *owners)
{
	const char *node;
	json_t *value;
	void *tmp;

	json_object_foreach_safe(
		e->since, tmp, node, value) if (!list_has(owners, node))
		json_object_del(e->since, node);
}

static void judge_split(struct vrrp *vrrp, struct entry *e)
{
	json_t *owners = vrrp_owners(vrrp, e->vip);
	bool two = json_array_size(owners) > 1;
	char names[256];

	if (!two)
		json_object_clear(e->since);
	forget_others(e, owners);
	names_of(owners, names, sizeof(names));
	if (two && all_insist(vrrp, e, owners) && !e->split) {
		e->split = true;
		vrrp->stats.splits++;
		log_error("vrrp: split brain: vip=%s nodes=%s", e->vip, names);
	} else if (!two && e->split) {
		e->split = false;
		log_info("vrrp: split brain is over: vip=%s node=%s", e->vip,
			*names ? names : "-");
	}
	json_decref(owners);
}

/* ---- a master that is none of ours ---- */

/* Where each node's adverts come from, as far as it was ever heard. */
static void note_sources(struct vrrp *vrrp, struct entry *e)
{
	struct list *pos;

	list_each(pos, fleet_links(vrrp->fleet)) {
		const struct link *l = list_entry(pos, struct link, list);
		const char *source =
			text_of(vrrp_instance(l, e->vip), "source");

		if (*source)
			json_object_set_new(
				e->sources, l->name, json_string(source));
	}
}

static bool is_source(const struct entry *e, const char *address)
{
	const char *node;
	json_t *source;

	json_object_foreach(e->sources, node, source)
		if (!strcmp(json_string_value(source), address))
			return true;
	return false;
}

static json_t *rows_of(struct vrrp *vrrp, const char *table, const char *column,
	const char *value)
{
	json_t *key = json_pack("{s:s}", column, value), *rows = NULL;

	if (store_rows(vrrp->store, model_table(table), key, &rows, NULL))
		rows = NULL;
	json_decref(key);
	return rows;
}

/* An address that is told of, no node's and not known to the operator? */
static bool is_strange(const struct vrrp *vrrp, const struct entry *e,
	const json_t *vip, const char *address)
{
	json_t *nodes;
	size_t i;
	json_t *row;
	bool strange = *address && !is_source(e, address) &&
		       !list_has(row_list(vip, "peers"), address) &&
		       !list_has(row_list(vip, "known_peers"), address);

	if (!strange || store_rows(vrrp->store, model_table("node"), NULL,
				&nodes, NULL))
		return false;
	json_array_foreach(nodes, i, row)
		strange = strange && strcmp(row_str(row, "address"), address);
	json_decref(nodes);
	return strange;
}

/* Before every node of it has told its address, nobody is strange. */
static bool all_told(struct vrrp *vrrp, const struct entry *e)
{
	json_t *members = rows_of(vrrp, "vip_node", "vip", e->vip), *row;
	bool told = members != NULL;
	size_t i;

	json_array_foreach(members, i, row)
		told = told &&
		       json_object_get(e->sources, row_str(row, "node"));
	json_decref(members);
	return told;
}

/* Members that name who else was heard, and how long ago that was. */
static const char *heard_by(const json_t *instance)
{
	static const char *const who[] = {"rival", "master"};
	char age[32];

	for (size_t i = 0; i < countof(who); i++) {
		snprintf(age, sizeof(age), "%s_heard_ms_ago", who[i]);
		if (json_object_get(instance, age) &&
			json_integer_value(json_object_get(instance, age)) <
				WORD_MS)
			return text_of(instance, who[i]);
	}
	return "";
}

static const char *find_stranger(
	struct vrrp *vrrp, const struct entry *e, const json_t *vip)
{
	struct list *pos;

	list_each(pos, fleet_links(vrrp->fleet)) {
		const struct link *l = list_entry(pos, struct link, list);
		const char *address = heard_by(vrrp_instance(l, e->vip));

		if (is_strange(vrrp, e, vip, address))
			return address;
	}
	return "";
}

static void judge_stranger(
	struct vrrp *vrrp, struct entry *e, const json_t *vip)
{
	const char *now = all_told(vrrp, e) ? find_stranger(vrrp, e, vip) : "";

	if (strcmp(now, e->stranger)) {
		if (!*now && e->strange)
			log_info(
				"vrrp: strange master is gone: vip=%s", e->vip);
		snprintf(e->stranger, sizeof(e->stranger), "%s", now);
		e->stranger_at = mtime_now();
		e->strange = false;
	}
	if (!*now || e->strange ||
		mtime_sub_us(mtime_now(), e->stranger_at) <
			STRANGER_MS * 1000LL)
		return;
	e->strange = true;
	vrrp->stats.strangers++;
	log_error("vrrp: strange master: vip=%s vrid=%lld address=%s", e->vip,
		(long long)row_int(vip, "vrid"), now);
}

/* ---- time ---- */

static uint64_t words_of(struct fleet *fleet)
{
	struct list *pos;
	uint64_t n = 0;

	list_each(pos, fleet_links(fleet))
		n += list_entry(pos, struct link, list)->words;
	return n;
}

static bool in_rows(const json_t *vips, const char *vip)
{
	size_t i;
	json_t *row;

	json_array_foreach(vips, i, row)
		if (!strcmp(row_str(row, "vip"), vip))
			return true;
	return false;
}

static void judge(struct vrrp *vrrp, const json_t *vips)
{
	struct list *pos, *tmp;
	size_t i;
	json_t *row;

	list_each_safe(pos, tmp, &vrrp->entries) {
		struct entry *e = list_entry(pos, struct entry, list);

		if (!in_rows(vips, e->vip))
			entry_free(e);
	}
	json_array_foreach(vips, i, row) {
		struct entry *e = entry_make(vrrp, row_str(row, "vip"));

		if (!e)
			return;
		note_sources(vrrp, e);
		judge_split(vrrp, e);
		judge_stranger(vrrp, e, row);
	}
}

void vrrp_tick(struct vrrp *vrrp)
{
	uint64_t words = words_of(vrrp->fleet);
	json_t *vips = NULL;

	if (words == vrrp->words && mtime_before(mtime_now(), vrrp->due))
		return;
	vrrp->words = words;
	vrrp->due = mtime_add_ms(mtime_now(), LOOK_MS);
	if (store_rows(vrrp->store, model_table("vip"), NULL, &vips, NULL))
		return;
	judge(vrrp, vips);
	json_decref(vips);
}

/* ---- what is shown ---- */

bool vrrp_is_split(const struct vrrp *vrrp, const char *vip)
{
	const struct entry *e = entry_find(vrrp, vip);

	return e && e->split;
}

const char *vrrp_stranger(const struct vrrp *vrrp, const char *vip)
{
	const struct entry *e = entry_find(vrrp, vip);

	return e && e->strange ? e->stranger : NULL;
}

void vrrp_stats(const struct vrrp *vrrp, struct vrrp_stats *out)
{
	*out = vrrp->stats;
}

/* A master that leaves clients without answers, as a backup of ours finds. */
static void alarm_silence(const struct vrrp *vrrp, const char *vip, json_t *out)
{
	struct list *pos;

	list_each(pos, fleet_links(vrrp->fleet)) {
		const struct link *l = list_entry(pos, struct link, list);
		const json_t *word = vrrp_instance(l, vip);
		const json_t *health = json_object_get(word, "health");

		if (*text_of(word, "rescue_of"))
			json_array_append_new(out,
				json_sprintf("vip %s: node %s stands in for "
					     "%s, whose DNS did not answer",
					vip, l->name,
					text_of(word, "rescue_of")));
		if (json_is_true(json_object_get(health, "master_silent")))
			json_array_append_new(out,
				json_sprintf("vip %s: master %s advertises, "
					     "but its DNS does not answer node "
					     "%s",
					vip, text_of(word, "master"), l->name));
	}
}

static void alarm_vip(const struct vrrp *vrrp, const json_t *row, json_t *out)
{
	const char *vip = row_str(row, "vip");
	const char *stranger = vrrp_stranger(vrrp, vip);
	json_t *owners = vrrp_owners(vrrp, vip);
	char names[256];

	names_of(owners, names, sizeof(names));
	if (json_array_size(owners) == 0)
		json_array_append_new(
			out, json_sprintf("vip %s: nobody owns it", vip));
	if (vrrp_is_split(vrrp, vip))
		json_array_append_new(out,
			json_sprintf("vip %s: split brain: %s own it at the "
				     "same time",
				vip, names));
	if (stranger)
		json_array_append_new(out,
			json_sprintf("vip %s: %s advertises vrid %lld and is "
				     "no node of it (if it belongs to it: vip "
				     "set --known-peers)",
				vip, stranger,
				(long long)row_int(row, "vrid")));
	alarm_silence(vrrp, vip, out);
	json_decref(owners);
}

/* Announced by none of its nodes, or into the void? */
static void alarm_service(
	const struct vrrp *vrrp, const json_t *row, json_t *out)
{
	const char *name = row_str(row, "anycast");
	bool announced = false;
	struct list *pos;

	list_each(pos, fleet_links(vrrp->fleet)) {
		const struct link *l = list_entry(pos, struct link, list);
		const json_t *word = vrrp_service(l, name);

		announced |= vrrp_announces(l, name);
		if (json_is_true(json_object_get(word, "engine_absent")))
			json_array_append_new(out,
				json_sprintf("anycast %s: the BGP daemon of "
					     "node %s does not run",
					name, l->name));
	}
	if (!announced)
		json_array_append_new(out,
			json_sprintf("anycast %s: no node announces it", name));
}

void vrrp_alarms(const struct vrrp *vrrp, const json_t *vips,
	const json_t *services, json_t *out)
{
	size_t i;
	json_t *row;

	json_array_foreach(vips, i, row)
		alarm_vip(vrrp, row, out);
	json_array_foreach(services, i, row)
		alarm_service(vrrp, row, out);
}
