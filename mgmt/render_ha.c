/* SPDX-License-Identifier: ISC */
/*
 * ha.yaml of a node. What has its usual value is left out, so that a file of
 * an older version stays as it is.
 */

#include "mgmt/render_impl.h"

/* A column of the model and its key in ha.yaml. */
struct setting {
	const char *column, *key;
};

static bool is_usual(const char *table, const char *column, const json_t *value)
{
	json_t *dflt = model_default(model_column(model_table(table), column));
	bool same = json_equal(dflt, value);

	json_decref(dflt);
	return same;
}

/* `key: value` as the type of the column has it, without an end of line;
 * milliseconds are durations. */
static void put_value(struct text *out, const char *column, const char *key,
	const json_t *value)
{
	size_t len = strlen(column);

	if (json_is_boolean(value))
		text_add(out, "%s: %s", key,
			json_is_true(value) ? "true" : "false");
	else if (json_is_string(value))
		render_key_quoted(out, key, json_string_value(value));
	else if (len > 3 && !strcmp(column + len - 3, "_ms"))
		render_duration(out, key, json_integer_value(value));
	else
		text_add(out, "%s: %lld", key,
			(long long)json_integer_value(value));
}

/* Those of the settings that are not usual, one a line, or with `sep` in one
 * line. How many there were. */
static size_t put_settings(struct text *out, const char *table,
	const json_t *row, const struct setting *s, size_t count,
	const char *before, const char *sep)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		const json_t *value = json_object_get(row, s[i].column);

		if (is_usual(table, s[i].column, value))
			continue;
		text_add(out, "%s", n && *sep ? sep : before);
		put_value(out, s[i].column, s[i].key, value);
		text_add(out, "%s", *sep ? "" : "\n");
		n++;
	}
	return n;
}

/* Addresses of the other nodes of a vip. New. */
static json_t *vip_others(const json_t *doc, const char *vip, const char *node)
{
	json_t *list = json_array();
	size_t i, j;
	json_t *vn, *n;

	json_array_foreach(model_rows(doc, "vip_node"), i, vn) {
		if (strcmp(row_str(vn, "vip"), vip) ||
			!strcmp(row_str(vn, "node"), node))
			continue;
		json_array_foreach(model_rows(doc, "node"), j, n)
			if (!strcmp(row_str(n, "node"), row_str(vn, "node")))
				json_array_append(
					list, json_object_get(n, "address"));
	}
	return list;
}

/* Unicast peers without the node's own address. New. */
static json_t *vip_peers(const json_t *vip, const json_t *node)
{
	json_t *list = json_array();
	size_t i;
	json_t *v;

	json_array_foreach(row_list(vip, "peers"), i, v)
		if (strcmp(json_string_value(v), row_str(node, "address")))
			json_array_append(list, v);
	return list;
}

static const struct setting instance_settings[] = {
	{"sync_group", "sync_group"},
	{"rescue", "rescue"},
	{"startup_delay_ms", "startup_delay"},
	{"advertise", "advertise"},
	{"strict_addresses", "strict_addresses"},
	{"checksum", "checksum"},
	{"accept_other_version", "accept_other_version"},
	{"accept_interval_ms", "accept_interval"},
};

/* A key of adverts by its number, derived: it is in no row. */
static void put_hmac_key(
	struct text *out, const json_t *doc, const json_t *vip, int64_t number)
{
	char purpose[96], key[DIGEST_HEX];

	snprintf(purpose, sizeof(purpose), "vrrp:%s:%lld", row_str(vip, "vip"),
		(long long)number);
	render_shared_key(doc, purpose, key);
	text_add(out, "\"%lld\": %s", (long long)number, key);
}

static void put_hmac(struct text *out, const json_t *doc, const json_t *vip)
{
	int64_t key = row_int(vip, "hmac_key");
	int64_t also = row_int(vip, "hmac_also");

	if (!strcmp(row_str(vip, "hmac"), "off"))
		return;
	text_add(out, "    hmac: {mode: %s, active: %lld, keys: {",
		row_str(vip, "hmac"), (long long)key);
	put_hmac_key(out, doc, vip, key);
	if (also && also != key) {
		text_add(out, ", ");
		put_hmac_key(out, doc, vip, also);
	}
	text_add(out, "}");
	if (row_int(vip, "hmac_window_ms"))
		render_duration(
			out, ", window", row_int(vip, "hmac_window_ms"));
	text_add(out, "}\n");
}

static void put_instance(struct text *out, const json_t *doc, const json_t *vip,
	const json_t *vn, const json_t *node)
{
	json_t *others =
		vip_others(doc, row_str(vip, "vip"), row_str(node, "node"));
	json_t *peers = vip_peers(vip, node);

	text_add(out, "  ");
	render_quoted(out, row_str(vip, "vip"));
	render_key_quoted(out, ":\n    interface", row_str(vn, "interface"));
	text_add(out, "\n    vrid: %lld\n    version: %lld\n    priority: %lld",
		(long long)row_int(vip, "vrid"),
		(long long)row_int(vip, "version"),
		(long long)row_int(vn, "priority"));
	render_duration(out, "\n    interval", row_int(vip, "interval_ms"));
	text_add(out, "\n    auth: %s\n", row_str(vip, "auth"));
	if (!strcmp(row_str(vip, "auth"), "pass")) {
		render_key_quoted(
			out, "    password", row_str(vip, "password"));
		text_add(out, "\n");
	}
	text_add(out, "    preempt: %s\n",
		row_bool(vip, "preempt") ? "true" : "false");
	render_duration(
		out, "    preempt_delay", row_int(vip, "preempt_delay_ms"));
	text_add(out, "\n    ");
	render_list(out, "addresses", row_list(vip, "addresses"));
	render_list(out, "    peers", peers);
	render_list(out, "    handover_peers", others);
	text_add(out, "    track: {frontend: %s, probe: %s, gateway: \"%s\"}\n",
		row_bool(vip, "track_frontend") ? "true" : "false",
		row_bool(vip, "track_probe") ? "true" : "false",
		row_str(vip, "gateway"));
	(void)put_settings(out, "vip", vip, instance_settings,
		countof(instance_settings), "    ", "");
	put_hmac(out, doc, vip);
	json_decref(others);
	json_decref(peers);
}

static void put_instances(
	struct text *out, const json_t *doc, const json_t *node)
{
	struct text list;
	size_t i, j;
	json_t *vip, *vn;

	text_init(&list);
	json_array_foreach(model_rows(doc, "vip"), i, vip)
		json_array_foreach(model_rows(doc, "vip_node"), j, vn)
			if (!strcmp(row_str(vn, "vip"), row_str(vip, "vip")) &&
				!strcmp(row_str(vn, "node"),
					row_str(node, "node")))
				put_instance(&list, doc, vip, vn, node);
	text_add(out, "\ninstances:%s\n%s", list.len ? "" : " {}", list.data);
	text_fini(&list);
}

/* ---- anycast ---- */

static bool is_v6(const json_t *doc, const json_t *service)
{
	const json_t *from = service;
	size_t i;
	json_t *vip;

	json_array_foreach(model_rows(doc, "vip"), i, vip)
		if (!strcmp(row_str(vip, "vip"), row_str(service, "vip")))
			from = vip;
	return strchr(json_string_value(
			      json_array_get(row_list(from, "addresses"), 0)),
		       ':') != NULL;
}

static void put_service(struct text *out, const json_t *doc,
	const json_t *service, const json_t *an)
{
	const char *engine = *row_str(an, "engine")
				     ? row_str(an, "engine")
				     : row_str(service, "engine");
	/* FRR takes IPv6 from table main only. */
	bool from_main = !strcmp(engine, "frr") && is_v6(doc, service);
	const char *vip = row_str(service, "vip");
	int64_t own = row_int(an, "metric");

	text_add(out, "  ");
	render_quoted(out, row_str(service, "anycast"));
	text_add(out, ":\n    ");
	if (*vip) {
		render_key_quoted(out, "instance", vip);
		text_add(out, "\n");
	} else {
		render_list(out, "addresses", row_list(service, "addresses"));
	}
	text_add(out,
		"    engine: %s\n    table: %lld\n    metric: %lld\n"
		"    drain_metric: %lld\n",
		engine,
		(long long)(from_main ? 254 : row_int(service, "table")),
		(long long)(own ? own : row_int(service, "metric")),
		(long long)row_int(service, "drain_metric"));
	if (*row_str(service, "engine_socket")) {
		render_key_quoted(out, "    engine_socket",
			row_str(service, "engine_socket"));
		text_add(out, "\n");
	}
	render_duration(
		out, "    drain_time", row_int(service, "drain_time_ms"));
	render_duration(out, "\n    linger", row_int(service, "linger_ms"));
	text_add(out,
		"\n    last_man: %s\n    track: {frontend: %s, probe: %s}\n",
		row_bool(service, "last_man") ? "true" : "false",
		row_bool(service, "track_frontend") ? "true" : "false",
		row_bool(service, "track_probe") ? "true" : "false");
}

static void put_anycast(struct text *out, const json_t *doc, const json_t *node)
{
	struct text list;
	size_t i, j;
	json_t *service, *an;

	text_init(&list);
	json_array_foreach(model_rows(doc, "anycast"), i, service)
		json_array_foreach(model_rows(doc, "anycast_node"), j, an)
			if (!strcmp(row_str(an, "anycast"),
				    row_str(service, "anycast")) &&
				!strcmp(row_str(an, "node"),
					row_str(node, "node")))
				put_service(&list, doc, service, an);
	if (list.len)
		text_add(out, "anycast:\n%s", list.data);
	text_fini(&list);
}

/* ---- the rest ---- */

static void put_handover(
	struct text *out, const json_t *doc, const json_t *settings)
{
	long long port = (long long)row_int(settings, "handover_port");
	bool usual = is_usual("ha", "handover_port",
		json_object_get(settings, "handover_port"));
	char key[DIGEST_HEX];

	render_shared_key(doc, "handover", key);
	if (*key && usual)
		text_add(out, "handover: {key: %s}\n", key);
	else if (*key)
		text_add(out, "handover: {port: %lld, key: %s}\n", port, key);
	else if (!usual)
		text_add(out, "handover: {port: %lld}\n", port);
}

static const struct setting node_settings[] = {
	{"linger_ms", "linger"},
	{"realtime", "realtime"},
};

static const struct setting probe_settings[] = {
	{"probe_name", "name"},
	{"probe_port", "port"},
	{"probe_interval_ms", "interval"},
	{"probe_timeout_ms", "timeout"},
	{"probe_fall", "fall"},
};

static void put_probe(struct text *out, const json_t *settings)
{
	if (put_settings(out, "ha", settings, probe_settings,
		    countof(probe_settings), "  probe: {", ", "))
		text_add(out, "}\n");
}

static void put_fencing(struct text *out, const json_t *settings)
{
	if (json_array_size(row_list(settings, "fencing")) == 0)
		return;
	text_add(out, "fencing:\n  ");
	render_list(out, "program", row_list(settings, "fencing"));
	render_duration(
		out, "  timeout", row_int(settings, "fencing_timeout_ms"));
	text_add(out, "\n");
}

void render_ha(struct text *out, const json_t *doc, const json_t *node)
{
	const json_t *settings = model_single(doc, "ha");

	text_add(out, "# ispdns-ha of %s, made by ispdns-mgmt\nnode: ",
		row_str(node, "node"));
	render_quoted(out, row_str(node, "node"));
	put_instances(out, doc, node);
	put_anycast(out, doc, node);
	(void)put_settings(out, "ha", settings, node_settings,
		countof(node_settings), "", "");
	put_handover(out, doc, settings);
	text_add(out, "health:\n  socket: /run/ispdns/ha/health.sock\n");
	put_probe(out, settings);
	put_fencing(out, settings);
	text_add(out, "metrics: {listen: \"127.0.0.1:8086\"}\n");
}
