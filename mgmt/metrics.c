/* SPDX-License-Identifier: ISC */
/* Prometheus text of the management plane. */

#include "config.h"

#include "common/base/clock.h"
#include "common/base/metrics.h"
#include "mgmt/api.h"

static void one(struct text *out, const char *name, const char *type,
	const char *help, unsigned long long value)
{
	metrics_family(out, name, type, help);
	text_add(out, "%s %llu\n", name, value);
}

static void per_node(struct text *out, const char *name, const char *more,
	const struct link *link, long long value)
{
	text_add(out, "%s{node=\"", name);
	metrics_label(out, link->name);
	text_add(out, "\"%s} %lld\n", more, value);
}

static void nodes_metrics(struct mgmt *m, long long want, struct text *out)
{
	struct list *links = fleet_links(push_fleet(m->push)), *pos;

	metrics_family(out, "ispdns_node_generation", "gauge",
		"Generation of a node, wanted and on it.");
	list_each(pos, links) {
		const struct link *l = list_entry(pos, struct link, list);

		per_node(out, "ispdns_node_generation", ",kind=\"want\"", l,
			want);
		per_node(out, "ispdns_node_generation", ",kind=\"have\"", l,
			l->have);
	}
	metrics_family(
		out, "ispdns_node_up", "gauge", "1 when the node is heard of.");
	list_each(pos, links)
		per_node(out, "ispdns_node_up", "",
			list_entry(pos, struct link, list),
			link_alive(list_entry(pos, struct link, list)));
	metrics_family(out, "ispdns_node_last_seen_seconds", "gauge",
		"Seconds since the node was heard of.");
	list_each(pos, links) {
		const struct link *l = list_entry(pos, struct link, list);

		if (l->seen)
			per_node(out, "ispdns_node_last_seen_seconds", "", l,
				mtime_sub_us(mtime_now(), l->last_seen) /
					1000000);
	}
}

static void lag_metrics(struct mgmt *m, struct text *out)
{
	struct list *links = fleet_links(push_fleet(m->push)), *pos;

	metrics_family(out, "ispdns_node_generation_lag_seconds", "gauge",
		"How long a node has not had the generation it should have.");
	list_each(pos, links) {
		const struct link *l = list_entry(pos, struct link, list);

		per_node(out, "ispdns_node_generation_lag_seconds", "", l,
			mtime_sub_us(mtime_now(), l->current_at) / 1000000);
	}
}

/* Of the certificate that lasts longest. */
static void cert_metrics(struct mgmt *m, struct text *out)
{
	struct list *links = fleet_links(push_fleet(m->push)), *pos;

	metrics_family(out, "ispdns_cert_expiry_seconds", "gauge",
		"Seconds until a node's certificate expires.");
	list_each(pos, links) {
		const struct link *l = list_entry(pos, struct link, list);
		json_t *certs = NULL, *row;
		long long last = 0;
		size_t i;

		if (store_certs(m->store, l->name, &certs, NULL))
			continue;
		json_array_foreach(certs, i, row)
			if (!row_int(row, "revoked"))
				last = row_int(row, "not_after");
		if (last)
			per_node(out, "ispdns_cert_expiry_seconds", "", l,
				last - wall_now_s());
		json_decref(certs);
	}
}

static void per_vip(
	struct text *out, const char *name, const json_t *vip, long long value)
{
	text_add(out, "%s{vip=\"", name);
	metrics_label(out, row_str(vip, "vip"));
	text_add(out, "\"} %lld\n", value);
}

static long long owners(struct mgmt *m, const char *vip)
{
	json_t *names = vrrp_owners(push_vrrp(m->push), vip);
	size_t n = json_array_size(names);

	json_decref(names);
	return (long long)n;
}

static void vip_metrics(struct mgmt *m, struct text *out)
{
	const struct vrrp *vrrp = push_vrrp(m->push);
	struct vrrp_stats stats;
	json_t *vips = NULL, *vip;
	size_t i;

	if (store_rows(m->store, model_table("vip"), NULL, &vips, NULL))
		return;
	metrics_family(out, "ispdns_vrrp_owners", "gauge",
		"Nodes that say they own the addresses; must be 1.");
	json_array_foreach(vips, i, vip)
		per_vip(out, "ispdns_vrrp_owners", vip,
			owners(m, row_str(vip, "vip")));
	metrics_family(out, "ispdns_mgmt_split_brain", "gauge",
		"1 while two nodes insist that they own the addresses.");
	json_array_foreach(vips, i, vip)
		per_vip(out, "ispdns_mgmt_split_brain", vip,
			vrrp_is_split(vrrp, row_str(vip, "vip")));
	metrics_family(out, "ispdns_mgmt_strange_master", "gauge",
		"1 while a node hears a master that is no node of the vip.");
	json_array_foreach(vips, i, vip)
		per_vip(out, "ispdns_mgmt_strange_master", vip,
			vrrp_stranger(vrrp, row_str(vip, "vip")) != NULL);
	json_decref(vips);
	vrrp_stats(vrrp, &stats);
	one(out, "ispdns_mgmt_split_brain_total", "counter",
		"Times that two nodes owned an address.", stats.splits);
	one(out, "ispdns_mgmt_strange_master_total", "counter",
		"Times that a strange master was heard.", stats.strangers);
}

/* How many nodes announce a service. */
static void anycast_metrics(struct mgmt *m, struct text *out)
{
	struct list *links = fleet_links(push_fleet(m->push)), *pos;
	json_t *rows = NULL, *row;
	size_t i;

	if (store_rows(m->store, model_table("anycast"), NULL, &rows, NULL))
		return;
	metrics_family(out, "ispdns_anycast_announcing", "gauge",
		"Nodes that announce the service.");
	json_array_foreach(rows, i, row) {
		const char *name = row_str(row, "anycast");
		int n = 0;

		list_each(pos, links)
			n += vrrp_announces(
				list_entry(pos, struct link, list), name);
		text_add(out, "ispdns_anycast_announcing{name=\"");
		metrics_label(out, name);
		text_add(out, "\"} %d\n", n);
	}
	json_decref(rows);
}

void api_metrics(struct mgmt *m, struct text *out)
{
	long long newest = 0, approved = 0;
	struct push_stats stats;

	push_stats(m->push, &stats);
	if (store_gen_newest(m->store, false, &newest, NULL) ||
		store_gen_newest(m->store, true, &approved, NULL))
		newest = approved = -1;
	metrics_family(
		out, "ispdns_build_info", "gauge", "Version of the program.");
	text_add(out, "ispdns_build_info{version=\"%s\"} 1\n", PACKAGE_VERSION);
	metrics_family(out, "ispdns_mgmt_generation", "gauge",
		"Newest generation, made and approved.");
	text_add(out,
		"ispdns_mgmt_generation{kind=\"made\"} %lld\n"
		"ispdns_mgmt_generation{kind=\"approved\"} %lld\n",
		newest, approved);
	one(out, "ispdns_mgmt_calls_total", "counter", "API calls.", m->calls);
	one(out, "ispdns_mgmt_denied_total", "counter",
		"Calls and connections that were not allowed.", m->denied);
	one(out, "ispdns_mgmt_errors_total", "counter",
		"API calls that failed.", m->errors);
	one(out, "ispdns_rollouts_total", "counter", "Roll-outs begun.",
		stats.rollouts);
	metrics_family(out, "ispdns_rollback_total", "counter",
		"Roll-outs that ended without success.");
	text_add(out,
		"ispdns_rollback_total{reason=\"stage\"} %llu\n"
		"ispdns_rollback_total{reason=\"apply\"} %llu\n",
		(unsigned long long)stats.failed,
		(unsigned long long)stats.rolled_back);
	nodes_metrics(m, approved, out);
	lag_metrics(m, out);
	cert_metrics(m, out);
	vip_metrics(m, out);
	anycast_metrics(m, out);
}
