/* SPDX-License-Identifier: ISC */
/*
 * The text of each part's file, in the form of deploy/examples. No number of
 * the generation is in a file, so a part that did not change keeps its digest
 * and its daemon is left alone.
 */

#include "mgmt/render.h"

#include <errno.h>

#include "common/base/digest.h"
#include "common/net/prefix.h"
#include "common/zone/zone.h"
#include "mgmt/model.h"
#include "mgmt/partner.h"

bool node_has_role(const json_t *node, const char *role)
{
	return list_has(row_list(node, "roles"), role);
}

/* A YAML double-quoted scalar. */
static void quoted(struct text *out, const char *text)
{
	text_add_bytes(out, "\"", 1);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			text_add_bytes(out, "\\", 1);
		text_add_bytes(out, text, 1);
	}
	text_add_bytes(out, "\"", 1);
}

static void key_quoted(struct text *out, const char *key, const char *text)
{
	text_add(out, "%s: ", key);
	quoted(out, text);
}

static void duration(struct text *out, const char *key, int64_t ms)
{
	if (ms % 1000 == 0)
		text_add(out, "%s: %llds", key, (long long)(ms / 1000));
	else
		text_add(out, "%s: %lldms", key, (long long)ms);
}

static void flow_list(struct text *out, const char *key, const json_t *list)
{
	size_t i;
	json_t *v;

	text_add(out, "%s: [", key);
	json_array_foreach(list, i, v) {
		text_add(out, "%s", i ? ", " : "");
		quoted(out, json_string_value(v));
	}
	text_add(out, "]\n");
}

/* A key that the nodes of the site share for one purpose, 64 hex digits; ""
 * without a secret. */
static void shared_key(
	const json_t *doc, const char *purpose, char out[DIGEST_HEX])
{
	const char *secret = row_str(doc, "secret");
	char text[128];
	int n = snprintf(text, sizeof(text), "%s:%s", purpose, secret);

	out[0] = '\0';
	if (*secret)
		digest_hex(text, (size_t)n, out);
}

/* host:port, brackets for IPv6. */
static void node_addr(const json_t *node, char out[ADDR_TEXT])
{
	const char *ip = row_str(node, "address");

	snprintf(out, ADDR_TEXT, strchr(ip, ':') ? "[%s]:53" : "%s:53", ip);
}

/* Where a part listens: what the node's row says, else `dflt`. New. */
json_t *node_listen(const json_t *node, const char *part)
{
	char column[32], addr[ADDR_TEXT];
	const json_t *own;

	snprintf(column, sizeof(column), "%s_listen", part);
	own = row_list(node, column);
	if (json_array_size(own) > 0)
		return json_deep_copy(own);
	if (!strcmp(part, "frontend"))
		return json_pack("[s, s]", "0.0.0.0:53", "[::]:53");
	node_addr(node, addr);
	return json_pack("[s, s]", addr, "127.0.0.1:53");
}

static void put_listen(struct text *out, const json_t *node, const char *part)
{
	json_t *list = node_listen(node, part);

	flow_list(out, "listen", list);
	json_decref(list);
}

static void put_workers(struct text *out, const json_t *node)
{
	if (row_int(node, "workers") > 0)
		text_add(out, "workers: %lld\n",
			(long long)row_int(node, "workers"));
}

static void put_prefixes(struct text *out, const json_t *doc, const char *list,
	const char *action)
{
	size_t i;
	json_t *row;

	json_array_foreach(model_rows(doc, "acl_entry"), i, row) {
		if (strcmp(row_str(row, "list"), list) ||
			strcmp(row_str(row, "action"), action))
			continue;
		text_add(out, "    - ");
		quoted(out, row_str(row, "prefix"));
		text_add(out, "\n");
	}
}

static bool any_prefix(const json_t *doc, const char *list, const char *action)
{
	size_t i;
	json_t *row;

	json_array_foreach(model_rows(doc, "acl_entry"), i, row)
		if (!strcmp(row_str(row, "list"), list) &&
			!strcmp(row_str(row, "action"), action))
			return true;
	return false;
}

static const char *acl_action(const json_t *doc, const char *list)
{
	size_t i;
	json_t *row;

	json_array_foreach(model_rows(doc, "acl"), i, row)
		if (!strcmp(row_str(row, "list"), list))
			return row_str(row, "action");
	return "refuse";
}

static bool is_in_list(const json_t *doc, const char *list, const char *ip)
{
	struct prefix prefix;
	union addr addr;
	size_t i;
	json_t *row;

	if (addr_parse(ip, 0, &addr) < 0)
		return true;
	json_array_foreach(model_rows(doc, "acl_entry"), i, row)
		if (!strcmp(row_str(row, "list"), list) &&
			prefix_parse(row_str(row, "prefix"), &prefix) == 0 &&
			prefix_contains(&prefix, &addr))
			return true;
	return false;
}

/* Loopback is always allowed: proofs and probes of the node itself; and
 * `nodes`, unless the operator's own words hold them. */
static void put_acl(struct text *out, const json_t *doc, const char *list,
	const json_t *nodes)
{
	size_t i;
	json_t *node;

	text_add(out, "acl:\n  allow:\n    - \"127.0.0.0/8\"\n"
		      "    - \"::1/128\"\n");
	json_array_foreach(nodes, i, node) {
		if (is_in_list(doc, list, row_str(node, "address")))
			continue;
		text_add(out, "    - ");
		quoted(out, row_str(node, "address"));
		text_add(out, "\n");
	}
	put_prefixes(out, doc, list, "allow");
	if (any_prefix(doc, list, "deny")) {
		text_add(out, "  deny:\n");
		put_prefixes(out, doc, list, "deny");
	}
	text_add(out, "  action: %s\n", acl_action(doc, list));
}

static void put_limit(struct text *out, const json_t *doc)
{
	const json_t *l = model_single(doc, "limits");
	const json_t *overrides = model_rows(doc, "limit_override");
	size_t i;
	json_t *o;

	text_add(out,
		"limit:\n  qps: %lld\n  burst: %lld\n  v4_prefix: %lld\n"
		"  v6_prefix: %lld\n  action: %s\n  table_size: %lld\n",
		(long long)row_int(l, "qps"), (long long)row_int(l, "burst"),
		(long long)row_int(l, "v4_prefix"),
		(long long)row_int(l, "v6_prefix"), row_str(l, "action"),
		(long long)row_int(l, "table_size"));
	if (json_array_size(overrides) > 0)
		text_add(out, "  overrides:\n");
	json_array_foreach(overrides, i, o) {
		text_add(out, "    - {");
		key_quoted(out, "prefix", row_str(o, "prefix"));
		text_add(out, ", qps: %lld, burst: %lld, action: %s}\n",
			(long long)row_int(o, "qps"),
			(long long)row_int(o, "burst"), row_str(o, "action"));
	}
}

/* Their caches are kept warm. */
static void put_warm(struct text *out, const json_t *partners)
{
	size_t i;
	json_t *node;

	json_array_foreach(partners, i, node) {
		text_add(out, i ? ", " : "  warm: [");
		quoted(out, row_str(node, "address"));
	}
	text_add(out, i ? "]\n" : "");
}

static void put_frontend_cache(struct text *out, const json_t *doc)
{
	const json_t *c = model_single(doc, "cache");

	text_add(out,
		"cache:\n  entries: %lld\n  memory: %lld\n  max_ttl: %llds\n"
		"  min_ttl: %llds\n  max_negative_ttl: %llds\n"
		"  failure_ttl: %llds\n  stale: %llds\n",
		(long long)row_int(c, "entries"),
		(long long)row_int(c, "memory"),
		(long long)row_int(c, "max_ttl_s"),
		(long long)row_int(c, "min_ttl_s"),
		(long long)row_int(c, "max_negative_ttl_s"),
		(long long)row_int(c, "failure_ttl_s"),
		(long long)row_int(c, "stale_s"));
}

/* The node with the role authority that has this address; NULL: none. */
static const json_t *authority_at(const json_t *doc, const char *address)
{
	union addr a, b;
	size_t i;
	json_t *node;

	if (addr_parse(address, 53, &a))
		return NULL;
	json_array_foreach(model_rows(doc, "node"), i, node)
		if (node_has_role(node, "authority") &&
			!addr_parse(row_str(node, "address"), 53, &b) &&
			addr_equal_ip(&a, &b))
			return node;
	return NULL;
}

/* What is asked to know its health: as given; of an authority node of ours,
 * when nothing is given, its own health zone. */
static void put_check(struct text *out, const json_t *doc, const json_t *b)
{
	const json_t *node = authority_at(doc, row_str(b, "address"));
	bool own = node && !strcmp(row_str(b, "check_name"), ".");

	text_add(out, "check: {");
	if (own)
		text_add(out,
			"name: \"health.%s.ispdns.invalid.\", type: SOA, ",
			row_str(node, "node"));
	else {
		key_quoted(out, "name", row_str(b, "check_name"));
		text_add(out, ", type: %s, ", row_str(b, "check_type"));
	}
	duration(out, "interval", row_int(b, "check_interval_ms"));
	duration(out, ", timeout", row_int(b, "check_timeout_ms"));
	text_add(out, ", rise: %lld, fall: %lld, require_aa: %s}",
		(long long)row_int(b, "check_rise"),
		(long long)row_int(b, "check_fall"),
		own || row_bool(b, "check_aa") ? "true" : "false");
}

static void put_backend(struct text *out, const json_t *doc, const json_t *b)
{
	text_add(out, "      - {");
	key_quoted(out, "name", row_str(b, "name"));
	key_quoted(out, ", address", row_str(b, "address"));
	text_add(out, ", weight: %lld, order: %lld,\n         ",
		(long long)row_int(b, "weight"),
		(long long)row_int(b, "order"));
	put_check(out, doc, b);
	text_add(out, "}\n");
}

static void put_pools(struct text *out, const json_t *doc)
{
	size_t i, j;
	json_t *pool, *b;

	text_add(out, "pools:\n");
	json_array_foreach(model_rows(doc, "pool"), i, pool) {
		const char *name = row_str(pool, "pool");
		bool any = false;

		text_add(out, "  ");
		quoted(out, name);
		text_add(out, ":\n    policy: %s\n    cache: %s\n",
			row_str(pool, "policy"),
			row_bool(pool, "cache") ? "true" : "false");
		json_array_foreach(model_rows(doc, "backend"), j, b) {
			if (strcmp(row_str(b, "pool"), name))
				continue;
			text_add(out, "%s", any ? "" : "    backends:\n");
			put_backend(out, doc, b);
			any = true;
		}
		if (!any)
			text_add(out, "    backends: []\n");
	}
}

/* The pool of our own authority nodes; NULL: there is none. */
const char *render_authority_pool(const json_t *doc)
{
	size_t i;
	json_t *b;

	json_array_foreach(model_rows(doc, "backend"), i, b)
		if (authority_at(doc, row_str(b, "address")))
			return row_str(b, "pool");
	return NULL;
}

static bool route_exists(const json_t *doc, const char *suffix)
{
	size_t i;
	json_t *row;

	json_array_foreach(model_rows(doc, "route"), i, row)
		if (!strcmp(row_str(row, "suffix"), suffix))
			return true;
	return false;
}

static void put_route(struct text *out, const char *suffix, const char *pool)
{
	text_add(out, "  - {");
	key_quoted(out, "suffix", suffix);
	key_quoted(out, ", pool", pool);
	text_add(out, "}\n");
}

/* Routes as given; and each zone that we serve goes to the pool of our
 * authority nodes when it has no route of its own. */
static void put_routes(struct text *out, const json_t *doc)
{
	const char *pool = render_authority_pool(doc), *dflt = NULL;
	struct text list;
	size_t i;
	json_t *row;

	text_init(&list);
	json_array_foreach(model_rows(doc, "route"), i, row) {
		if (!strcmp(row_str(row, "suffix"), "."))
			dflt = row_str(row, "pool");
		else
			put_route(&list, row_str(row, "suffix"),
				row_str(row, "pool"));
	}
	json_array_foreach(model_rows(doc, "zones"), i, row)
		if (pool && !route_exists(doc, row_str(row, "zone")))
			put_route(&list, row_str(row, "zone"), pool);
	text_add(out, "routes:%s\n%s", list.len ? "" : " []", list.data);
	if (dflt)
		key_quoted(out, "default_pool", dflt);
	text_add(out, "\n");
	out->failed = out->failed || list.failed;
	text_fini(&list);
}

void render_frontend(struct text *out, const json_t *doc, const json_t *node)
{
	const json_t *p = model_single(doc, "policy");
	json_t *partners = partners_of(doc, node);

	text_add(out, "# ispdns-frontend of %s, made by ispdns-mgmt\n",
		row_str(node, "node"));
	put_workers(out, node);
	put_listen(out, node, "frontend");
	text_add(out, "freebind: true\n");
	put_acl(out, doc, "clients", partners);
	text_add(out, "policy:\n  any: %s\n  chaos: %s\n  transfer: %s\n",
		row_str(p, "any"), row_str(p, "chaos"), row_str(p, "transfer"));
	put_limit(out, doc);
	put_frontend_cache(out, doc);
	put_warm(out, partners);
	json_decref(partners);
	put_pools(out, doc);
	put_routes(out, doc);
	text_add(out, "metrics: {listen: \"127.0.0.1:8083\"}\n"
		      "ha: {socket: /run/ispdns/ha/health.sock}\n");
}

static void put_forward(struct text *out, const json_t *doc)
{
	const json_t *rows = model_rows(doc, "forward");
	size_t i;
	json_t *row;

	text_add(out, "forward:%s\n", json_array_size(rows) ? "" : " []");
	json_array_foreach(rows, i, row) {
		key_quoted(out, "  - zone", row_str(row, "zone"));
		text_add(out, "\n    ");
		flow_list(out, "to", row_list(row, "to"));
	}
}

void render_resolver(struct text *out, const json_t *doc, const json_t *node)
{
	const json_t *r = model_single(doc, "resolver");

	text_add(out, "# ispdns-resolver of %s, made by ispdns-mgmt\n",
		row_str(node, "node"));
	put_workers(out, node);
	put_listen(out, node, "resolver");
	put_acl(out, doc, "resolvers", model_rows(doc, "node"));
	text_add(out, "root_hints: %s\ntrust_anchor: %s\n",
		*row_str(r, "root_hints_text") ? "root.hints"
					       : "/usr/share/dns/root.hints",
		*row_str(r, "trust_anchor_text") ? "root.key"
						 : "/usr/share/dns/root.key");
	text_add(out,
		"dnssec: %s\nqname_minimisation: %s\nedns_payload: %lld\n",
		row_bool(r, "dnssec") ? "true" : "false",
		row_bool(r, "qname_minimisation") ? "true" : "false",
		(long long)row_int(r, "edns_payload"));
	text_add(out,
		"cache:\n  entries: %lld\n  library_memory: %lld\n"
		"  max_ttl: %llds\n  max_negative_ttl: %llds\n"
		"  failure_ttl: %llds\n  stale: %llds\n",
		(long long)row_int(r, "entries"),
		(long long)row_int(r, "library_memory"),
		(long long)row_int(r, "max_ttl_s"),
		(long long)row_int(r, "max_negative_ttl_s"),
		(long long)row_int(r, "failure_ttl_s"),
		(long long)row_int(r, "stale_s"));
	text_add(out, "limits: {inflight: %lld, per_client: %lld, ",
		(long long)row_int(r, "inflight"),
		(long long)row_int(r, "per_client"));
	duration(out, "deadline", row_int(r, "deadline_ms"));
	text_add(out, "}\n");
	put_forward(out, doc);
	flow_list(out, "local_zones", row_list(r, "local_zones"));
	text_add(out, "metrics: {listen: \"127.0.0.1:8084\"}\n");
}

/* "zones/<file>" of a zone. */
int render_zone_key(const char *zone, char *out, size_t size)
{
	char file[ZONE_FILE_NAME];
	struct name name;

	if (name_parse(zone, &name))
		return -EINVAL;
	zone_file_name(&name, file);
	snprintf(out, size, "zones/%s", file);
	return 0;
}

int render_authority(struct text *out, const json_t *doc, const json_t *node,
	struct err *err)
{
	const json_t *zones = model_rows(doc, "zones");
	char key[RENDER_KEY];
	size_t i;
	json_t *z;

	text_add(out, "# ispdns-authority of %s, made by ispdns-mgmt\n",
		row_str(node, "node"));
	put_listen(out, node, "authority");
	text_add(out, "health_zone: \"health.%s.ispdns.invalid.\"\n",
		row_str(node, "node"));
	text_add(out, "zones:%s\n", json_array_size(zones) ? "" : " []");
	json_array_foreach(zones, i, z) {
		if (render_zone_key(row_str(z, "zone"), key, sizeof(key)))
			return err_fail(err, -EINVAL,
				"zone %s: not a domain name",
				row_str(z, "zone"));
		text_add(out, "  - {");
		key_quoted(out, "name", row_str(z, "zone"));
		key_quoted(out, ", file", key);
		key_quoted(out, ", sha256", row_str(z, "sha256"));
		text_add(out, ", serial: %lld}\n",
			(long long)row_int(z, "serial"));
	}
	text_add(out, "metrics: {listen: \"127.0.0.1:8085\"}\n");
	return 0;
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

static void put_instance(struct text *out, const json_t *doc, const json_t *vip,
	const json_t *vn, const json_t *node)
{
	json_t *others =
		vip_others(doc, row_str(vip, "vip"), row_str(node, "node"));
	json_t *peers = vip_peers(vip, node);

	text_add(out, "  ");
	quoted(out, row_str(vip, "vip"));
	key_quoted(out, ":\n    interface", row_str(vn, "interface"));
	text_add(out, "\n    vrid: %lld\n    version: %lld\n    priority: %lld",
		(long long)row_int(vip, "vrid"),
		(long long)row_int(vip, "version"),
		(long long)row_int(vn, "priority"));
	duration(out, "\n    interval", row_int(vip, "interval_ms"));
	text_add(out, "\n    auth: %s\n", row_str(vip, "auth"));
	if (!strcmp(row_str(vip, "auth"), "pass")) {
		key_quoted(out, "    password", row_str(vip, "password"));
		text_add(out, "\n");
	}
	text_add(out, "    preempt: %s\n",
		row_bool(vip, "preempt") ? "true" : "false");
	duration(out, "    preempt_delay", row_int(vip, "preempt_delay_ms"));
	text_add(out, "\n    ");
	flow_list(out, "addresses", row_list(vip, "addresses"));
	flow_list(out, "    peers", peers);
	flow_list(out, "    handover_peers", others);
	text_add(out, "    track: {frontend: %s, probe: %s, gateway: \"%s\"}\n",
		row_bool(vip, "track_frontend") ? "true" : "false",
		row_bool(vip, "track_probe") ? "true" : "false",
		row_str(vip, "gateway"));
	json_decref(others);
	json_decref(peers);
}

void render_ha(struct text *out, const json_t *doc, const json_t *node)
{
	struct text list;
	char key[DIGEST_HEX];
	size_t i, j;
	json_t *vip, *vn;

	text_add(out, "# ispdns-ha of %s, made by ispdns-mgmt\nnode: ",
		row_str(node, "node"));
	quoted(out, row_str(node, "node"));
	text_init(&list);
	json_array_foreach(model_rows(doc, "vip"), i, vip)
		json_array_foreach(model_rows(doc, "vip_node"), j, vn)
			if (!strcmp(row_str(vn, "vip"), row_str(vip, "vip")) &&
				!strcmp(row_str(vn, "node"),
					row_str(node, "node")))
				put_instance(&list, doc, vip, vn, node);
	text_add(out, "\ninstances:%s\n%s", list.len ? "" : " {}", list.data);
	text_fini(&list);
	shared_key(doc, "handover", key);
	if (*key)
		text_add(out, "handover: {key: %s}\n", key);
	text_add(out, "health:\n  socket: /run/ispdns/ha/health.sock\n"
		      "metrics: {listen: \"127.0.0.1:8086\"}\n");
}
