/* SPDX-License-Identifier: ISC */
/*
 * The text of each part's file, in the form of deploy/examples. No number of
 * the generation is in a file, so a part that did not change keeps its digest
 * and its daemon is left alone.
 */

#include "mgmt/render_impl.h"

#include <errno.h>

#include "common/net/prefix.h"
#include "common/zone/zone.h"

bool node_has_role(const json_t *node, const char *role)
{
	return list_has(row_list(node, "roles"), role);
}

void render_quoted(struct text *out, const char *text)
{
	text_add_bytes(out, "\"", 1);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			text_add_bytes(out, "\\", 1);
		text_add_bytes(out, text, 1);
	}
	text_add_bytes(out, "\"", 1);
}

void render_key_quoted(struct text *out, const char *key, const char *text)
{
	text_add(out, "%s: ", key);
	render_quoted(out, text);
}

void render_duration(struct text *out, const char *key, int64_t ms)
{
	if (ms % 1000 == 0)
		text_add(out, "%s: %llds", key, (long long)(ms / 1000));
	else
		text_add(out, "%s: %lldms", key, (long long)ms);
}

void render_list(struct text *out, const char *key, const json_t *list)
{
	size_t i;
	json_t *v;

	text_add(out, "%s: [", key);
	json_array_foreach(list, i, v) {
		text_add(out, "%s", i ? ", " : "");
		render_quoted(out, json_string_value(v));
	}
	text_add(out, "]\n");
}

bool render_is_set(const json_t *doc, const char *table)
{
	const struct model_table *t = model_table(table);
	const json_t *row = model_single(doc, table);
	bool set = false;

	for (size_t i = 0; i < t->count; i++) {
		const struct model_column *c = &t->columns[i];
		json_t *dflt = model_default(c);

		set |= !json_equal(dflt, json_object_get(row, c->name));
		json_decref(dflt);
	}
	return set;
}

void render_shared_key(
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

void render_listen(struct text *out, const json_t *node, const char *part)
{
	json_t *list = node_listen(node, part);

	render_list(out, "listen", list);
	json_decref(list);
}

void render_workers(struct text *out, const json_t *node)
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
		render_quoted(out, row_str(row, "prefix"));
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

void render_acl(struct text *out, const json_t *doc, const char *list,
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
		render_quoted(out, row_str(node, "address"));
		text_add(out, "\n");
	}
	put_prefixes(out, doc, list, "allow");
	if (any_prefix(doc, list, "deny")) {
		text_add(out, "  deny:\n");
		put_prefixes(out, doc, list, "deny");
	}
	text_add(out, "  action: %s\n", acl_action(doc, list));
}

static void put_forward(struct text *out, const json_t *doc)
{
	const json_t *rows = model_rows(doc, "forward");
	size_t i;
	json_t *row;

	text_add(out, "forward:%s\n", json_array_size(rows) ? "" : " []");
	json_array_foreach(rows, i, row) {
		render_key_quoted(out, "  - zone", row_str(row, "zone"));
		text_add(out, "\n    ");
		render_list(out, "to", row_list(row, "to"));
	}
}

void render_resolver(struct text *out, const json_t *doc, const json_t *node)
{
	const json_t *r = model_single(doc, "resolver");

	text_add(out, "# ispdns-resolver of %s, made by ispdns-mgmt\n",
		row_str(node, "node"));
	render_workers(out, node);
	render_listen(out, node, "resolver");
	render_acl(out, doc, "resolvers", model_rows(doc, "node"));
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
	render_duration(out, "deadline", row_int(r, "deadline_ms"));
	text_add(out, "}\n");
	put_forward(out, doc);
	render_list(out, "local_zones", row_list(r, "local_zones"));
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
	render_listen(out, node, "authority");
	text_add(out, "health_zone: \"health.%s.ispdns.invalid.\"\n",
		row_str(node, "node"));
	text_add(out, "zones:%s\n", json_array_size(zones) ? "" : " []");
	json_array_foreach(zones, i, z) {
		if (render_zone_key(row_str(z, "zone"), key, sizeof(key)))
			return err_fail(err, -EINVAL,
				"zone %s: not a domain name",
				row_str(z, "zone"));
		text_add(out, "  - {");
		render_key_quoted(out, "name", row_str(z, "zone"));
		render_key_quoted(out, ", file", key);
		render_key_quoted(out, ", sha256", row_str(z, "sha256"));
		text_add(out, ", serial: %lld}\n",
			(long long)row_int(z, "serial"));
	}
	text_add(out, "metrics: {listen: \"127.0.0.1:8085\"}\n");
	return 0;
}
