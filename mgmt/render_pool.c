/* SPDX-License-Identifier: ISC */
/* The pools of frontend.yaml, and what is known of our own authorities. */

#include "mgmt/render_impl.h"

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

/* What is seldom asked for is in the file only when it is. */
static void put_check_more(struct text *out, const json_t *b)
{
	if (row_int(b, "check_min_serial") > 0)
		text_add(out, ", min_serial: %lld",
			(long long)row_int(b, "check_min_serial"));
	if (row_bool(b, "check_random_label"))
		text_add(out, ", random_label: true");
	if (*row_str(b, "check_rcode"))
		text_add(out, ", rcode: %s", row_str(b, "check_rcode"));
	if (row_bool(b, "check_lazy"))
		text_add(out, ", lazy: true");
	if (!row_bool(b, "check_enabled"))
		text_add(out, ", enabled: false");
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
		render_key_quoted(out, "name", row_str(b, "check_name"));
		text_add(out, ", type: %s, ", row_str(b, "check_type"));
	}
	render_duration(out, "interval", row_int(b, "check_interval_ms"));
	render_duration(out, ", timeout", row_int(b, "check_timeout_ms"));
	text_add(out, ", rise: %lld, fall: %lld, require_aa: %s",
		(long long)row_int(b, "check_rise"),
		(long long)row_int(b, "check_fall"),
		own || row_bool(b, "check_aa") ? "true" : "false");
	put_check_more(out, b);
	text_add(out, "}");
}

static void put_backend(struct text *out, const json_t *doc, const json_t *b)
{
	text_add(out, "      - {");
	render_key_quoted(out, "name", row_str(b, "name"));
	render_key_quoted(out, ", address", row_str(b, "address"));
	text_add(out, ", weight: %lld, order: %lld,",
		(long long)row_int(b, "weight"),
		(long long)row_int(b, "order"));
	if (row_int(b, "qps") > 0)
		text_add(out, " qps: %lld,", (long long)row_int(b, "qps"));
	text_add(out, "\n         ");
	put_check(out, doc, b);
	text_add(out, "}\n");
}

static void put_pool(struct text *out, const json_t *pool)
{
	text_add(out, "  ");
	render_quoted(out, row_str(pool, "pool"));
	text_add(out, ":\n");
	if (strcmp(row_str(pool, "kind"), "auto"))
		text_add(out, "    kind: %s\n", row_str(pool, "kind"));
	text_add(out, "    policy: %s\n    cache: %s\n",
		row_str(pool, "policy"),
		row_bool(pool, "cache") ? "true" : "false");
	if (row_bool(pool, "tiers"))
		text_add(out, "    tiers: true\n");
	if (strcmp(row_str(pool, "no_server"), "servfail"))
		text_add(
			out, "    no_server: %s\n", row_str(pool, "no_server"));
	if (strcmp(row_str(pool, "ecs"), "strip"))
		text_add(out, "    ecs: %s\n", row_str(pool, "ecs"));
}

void render_pools(struct text *out, const json_t *doc)
{
	size_t i, j;
	json_t *pool, *b;

	text_add(out, "pools:\n");
	json_array_foreach(model_rows(doc, "pool"), i, pool) {
		bool any = false;

		put_pool(out, pool);
		json_array_foreach(model_rows(doc, "backend"), j, b) {
			if (strcmp(row_str(b, "pool"), row_str(pool, "pool")))
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
