/* SPDX-License-Identifier: ISC */
/* Prometheus text of the management plane. */

#include "config.h"

#include "common/base/clock.h"
#include "common/base/metrics.h"
#include "mgmt/api.h"
#include "mgmt/wave.h"

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

static void vip_metrics(struct mgmt *m, struct text *out)
{
	struct list *links = fleet_links(push_fleet(m->push)), *pos;
	json_t *vips = NULL, *vip;
	size_t i;

	if (store_rows(m->store, model_table("vip"), NULL, &vips, NULL))
		return;
	metrics_family(out, "ispdns_vrrp_owners", "gauge",
		"Nodes that say they own the addresses; must be 1.");
	json_array_foreach(vips, i, vip) {
		const char *name = row_str(vip, "vip");
		unsigned owners = 0;

		list_each(pos, links) {
			const struct link *l =
				list_entry(pos, struct link, list);

			owners += link_alive(l) && link_owns(l, name);
		}
		text_add(out, "ispdns_vrrp_owners{vip=\"");
		metrics_label(out, name);
		text_add(out, "\"} %u\n", owners);
	}
	json_decref(vips);
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
}
