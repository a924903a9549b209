/* SPDX-License-Identifier: ISC */
/* The text of frontend.yaml. */

#include "mgmt/render_impl.h"

#include "mgmt/check.h"
#include "mgmt/partner.h"

/* In the state directory of its unit. */
#define CACHE_FILE "/var/lib/ispdns-frontend/cache"
/* The frontend's default, which is not said. */
#define TCP_READS 50

/* Both only when they are used: the file stays as versions without them
 * wrote it. */
static void put_misses(struct text *out, const json_t *doc)
{
	const json_t *m = model_single(doc, "limit_misses");

	if (!render_is_set(doc, "limit_misses"))
		return;
	text_add(out,
		"  misses:\n    per_client: {qps: %lld, burst: %lld}\n"
		"    per_suffix:\n      qps: %lld\n      burst: %lld\n"
		"      labels: %lld\n",
		(long long)row_int(m, "client_qps"),
		(long long)row_int(m, "client_burst"),
		(long long)row_int(m, "suffix_qps"),
		(long long)row_int(m, "suffix_burst"),
		(long long)row_int(m, "labels"));
	render_list(out, "      registries", row_list(m, "registries"));
	text_add(out, "    action: %s\n", row_str(m, "action"));
}

static void put_exempt(struct text *out, const json_t *doc)
{
	const json_t *rows = model_rows(doc, "limit_exempt");
	size_t i;
	json_t *row;

	if (json_array_size(rows) > 0)
		text_add(out, "  exempt:\n");
	json_array_foreach(rows, i, row) {
		text_add(out, "    - ");
		render_quoted(out, row_str(row, "prefix"));
		text_add(out, "\n");
	}
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
		render_key_quoted(out, "prefix", row_str(o, "prefix"));
		text_add(out, ", qps: %lld, burst: %lld, action: %s",
			(long long)row_int(o, "qps"),
			(long long)row_int(o, "burst"), row_str(o, "action"));
		if (row_int(o, "miss_qps") >= 0)
			text_add(out, ", misses: {qps: %lld, burst: %lld}",
				(long long)row_int(o, "miss_qps"),
				(long long)row_int(o, "miss_burst"));
		text_add(out, "}\n");
	}
	put_misses(out, doc);
	put_exempt(out, doc);
}

/* Their caches are kept warm. */
static void put_warm(struct text *out, const json_t *partners)
{
	size_t i;
	json_t *node;

	json_array_foreach(partners, i, node) {
		text_add(out, i ? ", " : "  warm: [");
		render_quoted(out, row_str(node, "address"));
	}
	text_add(out, i ? "]\n" : "");
}

static int by_position(const void *a, const void *b)
{
	const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
	int64_t p = row_int(x, "position"), q = row_int(y, "position");

	if (p != q)
		return p < q ? -1 : 1;
	return strcmp(row_str(x, "name"), row_str(y, "name"));
}

json_t *render_rule_order(const json_t *rows)
{
	size_t n = json_array_size(rows);
	json_t **v = calloc(n + 1, sizeof(*v));
	json_t *out = v ? json_array() : NULL;

	for (size_t i = 0; v && i < n; i++)
		v[i] = json_array_get(rows, i);
	if (v)
		qsort(v, n, sizeof(*v), by_position);
	for (size_t i = 0; out && i < n; i++)
		json_array_append(out, v[i]);
	free(v);
	return out;
}

static void put_matchers(struct text *out, const json_t *rule)
{
	static const char *const lists[] = {
		"suffix", "exact", "qtype", "source"};
	static const char *const words[] = {"qclass", "opcode", "transport"};

	for (size_t i = 0; i < countof(lists); i++) {
		const json_t *list = row_list(rule, lists[i]);

		if (json_array_size(list) == 0)
			continue;
		text_add(out, "    ");
		render_list(out, lists[i], list);
	}
	for (size_t i = 0; i < countof(words); i++) {
		if (!*row_str(rule, words[i]))
			continue;
		text_add(out, "    ");
		render_key_quoted(out, words[i], row_str(rule, words[i]));
		text_add(out, "\n");
	}
}

/* Words of the model that are true and false in the file. */
static void put_flags(struct text *out, const json_t *rule)
{
	static const char *const flags[] = {"rd", "dnssec"};

	for (size_t i = 0; i < countof(flags); i++) {
		const char *is = row_str(rule, flags[i]);

		if (*is)
			text_add(out, "    %s: %s\n", flags[i],
				strcmp(is, "set") ? "false" : "true");
	}
}

static void put_rate(struct text *out, const json_t *rule)
{
	text_add(out, "    qps: %lld\n", (long long)row_int(rule, "qps"));
	if (row_int(rule, "burst") > 0)
		text_add(out, "    burst: %lld\n",
			(long long)row_int(rule, "burst"));
	text_add(out, "    per: %s\n    over: %s\n", row_str(rule, "per"),
		row_str(rule, "over"));
}

static void put_action(struct text *out, const json_t *rule)
{
	const char *action = row_str(rule, "action");

	text_add(out, "    action: %s\n", action);
	if (!strcmp(action, "pool") || !strcmp(action, "tag")) {
		text_add(out, "    ");
		render_key_quoted(out, action, row_str(rule, action));
		text_add(out, "\n");
	} else if (!strcmp(action, "set-pool")) {
		text_add(out, "    ");
		render_key_quoted(out, "pool", row_str(rule, "pool"));
		text_add(out, "\n");
	} else if (!strcmp(action, "spoof")) {
		render_list(out, "    addresses", row_list(rule, "addresses"));
		text_add(out, "    ttl: %llds\n",
			(long long)row_int(rule, "ttl_s"));
	} else if (!strcmp(action, "rate-limit")) {
		put_rate(out, rule);
	}
}

/* Without rules the file stays as versions without them wrote it. */
static void put_rules(struct text *out, const json_t *doc)
{
	json_t *rules = render_rule_order(model_rows(doc, "rule")), *rule;
	size_t i;

	out->failed = out->failed || !rules;
	if (json_array_size(rules) > 0)
		text_add(out, "rules:\n");
	json_array_foreach(rules, i, rule) {
		render_key_quoted(out, "  - name", row_str(rule, "name"));
		text_add(out, "\n");
		put_matchers(out, rule);
		put_flags(out, rule);
		put_action(out, rule);
	}
	json_decref(rules);
}

static void put_blocks(struct text *out, const json_t *doc)
{
	const json_t *b = model_single(doc, "block_policy");

	if (!render_is_set(doc, "block_policy"))
		return;
	text_add(out,
		"dynamic_blocks:\n  qps: %lld\n  nxdomain_percent: %lld\n"
		"  servfail_percent: %lld\n  min_answers: %lld\n",
		(long long)row_int(b, "qps"),
		(long long)row_int(b, "nxdomain_percent"),
		(long long)row_int(b, "servfail_percent"),
		(long long)row_int(b, "min_answers"));
	render_duration(out, "  window", row_int(b, "window_ms"));
	text_add(out, "\n  duration: %llds\n  action: %s\n  max: %lld\n",
		(long long)row_int(b, "duration_s"), row_str(b, "action"),
		(long long)row_int(b, "max"));
	render_list(out, "  exempt", row_list(b, "exempt"));
	text_add(out, "  table_size: %lld\n",
		(long long)row_int(b, "table_size"));
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
	if (row_int(c, "truncated_ttl_s") > 0)
		text_add(out, "  truncated_ttl: %llds\n",
			(long long)row_int(c, "truncated_ttl_s"));
	if (!row_bool(c, "prefetch"))
		text_add(out, "  prefetch: false\n");
	if (row_bool(c, "cap_served_ttl"))
		text_add(out, "  cap_served_ttl: true\n");
	if (row_bool(c, "keep"))
		text_add(out, "  file: " CACHE_FILE "\n");
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
	render_key_quoted(out, "suffix", suffix);
	render_key_quoted(out, ", pool", pool);
	text_add(out, "}\n");
}

/* What is handed on by a route, only when it is something. */
static void put_allowed_route(struct text *out, const json_t *row)
{
	static const char *const lists[] = {
		"allow_transfer", "allow_notify", "allow_update"};
	char key[32];

	render_key_quoted(out, "  - suffix", row_str(row, "suffix"));
	render_key_quoted(out, "\n    pool", row_str(row, "pool"));
	text_add(out, "\n");
	for (size_t i = 0; i < countof(lists); i++) {
		const json_t *list = row_list(row, lists[i]);

		(void)snprintf(key, sizeof(key), "    %s", lists[i]);
		if (json_array_size(list) > 0)
			render_list(out, key, list);
	}
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
		else if (check_route_allows(row))
			put_allowed_route(&list, row);
		else
			put_route(&list, row_str(row, "suffix"),
				row_str(row, "pool"));
	}
	json_array_foreach(model_rows(doc, "zones"), i, row)
		if (pool && !route_exists(doc, row_str(row, "zone")))
			put_route(&list, row_str(row, "zone"), pool);
	text_add(out, "routes:%s\n%s", list.len ? "" : " []", list.data);
	if (dflt)
		render_key_quoted(out, "default_pool", dflt);
	text_add(out, "\n");
	out->failed = out->failed || list.failed;
	text_fini(&list);
}

static void cookie_key(const json_t *doc, int64_t number, char key[DIGEST_HEX])
{
	char purpose[40] = "cookies";

	if (number > 0)
		snprintf(purpose, sizeof(purpose), "cookies %lld",
			(long long)number);
	render_shared_key(doc, purpose, key);
}

/* All frontends know each other's cookies, so an address may move. Those of
 * the secret before are good, too. */
static void put_cookies(struct text *out, const json_t *doc)
{
	const json_t *f = model_single(doc, "frontend");
	int64_t number = row_int(f, "cookie_secret");
	char key[DIGEST_HEX];

	if (!row_bool(f, "cookies")) {
		text_add(out, "cookies: {enabled: false}\n");
		return;
	}
	cookie_key(doc, number, key);
	if (!*key)
		return;
	text_add(out, "cookies: {secret: \"%.32s\"", key);
	if (number > 0) {
		cookie_key(doc, number - 1, key);
		text_add(out, ", previous: \"%.32s\"", key);
	}
	text_add(out, "}\n");
}

static const char *word(bool value)
{
	return value ? "true" : "false";
}

static void put_settings(struct text *out, const json_t *doc)
{
	const json_t *f = model_single(doc, "frontend");

	if (!render_is_set(doc, "frontend"))
		return;
	text_add(out,
		"udp_size: %lld\ninflight: %lld\ninflight_per_client: %lld\n"
		"upstream: {sockets: %lld, socket_queries: %lld}\n"
		"top: {enabled: %s, window: %llds}\n"
		"drop_log: {lines_per_second: %lld}\n",
		(long long)row_int(f, "udp_size"),
		(long long)row_int(f, "inflight"),
		(long long)row_int(f, "inflight_per_client"),
		(long long)row_int(f, "sockets"),
		(long long)row_int(f, "socket_queries"),
		word(row_bool(f, "top")), (long long)row_int(f, "top_window_s"),
		(long long)row_int(f, "drop_lines"));
}

static void put_retry(struct text *out, const json_t *doc)
{
	const json_t *r = model_single(doc, "frontend_retry");

	if (!render_is_set(doc, "frontend_retry"))
		return;
	render_duration(out, "retry: {timeout", row_int(r, "timeout_ms"));
	render_duration(out, ", deadline", row_int(r, "deadline_ms"));
	text_add(out, ", tries: %lld, hedge: %s}\n",
		(long long)row_int(r, "tries"), word(row_bool(r, "hedge")));
}

static void put_tcp(struct text *out, const json_t *doc)
{
	const json_t *t = model_single(doc, "frontend_tcp");

	if (!render_is_set(doc, "frontend_tcp"))
		return;
	text_add(out,
		"tcp:\n  connections: %lld\n  per_client: %lld\n"
		"  per_net: %lld\n  queries: %lld\n  lifetime: %llds\n"
		"  inflight: %lld\n",
		(long long)row_int(t, "connections"),
		(long long)row_int(t, "per_client"),
		(long long)row_int(t, "per_net"),
		(long long)row_int(t, "queries"),
		(long long)row_int(t, "lifetime_s"),
		(long long)row_int(t, "inflight"));
	render_duration(out, "  idle", row_int(t, "idle_ms"));
	render_duration(out, "\n  message", row_int(t, "message_ms"));
	text_add(out, "\n");
	if (row_int(t, "reads") != TCP_READS)
		text_add(
			out, "  reads: %lld\n", (long long)row_int(t, "reads"));
	if (row_int(t, "ban_s") > 0)
		text_add(out, "  ban: %llds\n", (long long)row_int(t, "ban_s"));
}

static void put_transfers(struct text *out, const json_t *doc)
{
	const json_t *t = model_single(doc, "frontend_transfers");

	if (!render_is_set(doc, "frontend_transfers"))
		return;
	text_add(out, "transfers: {max: %lld, per_client: %lld",
		(long long)row_int(t, "max"),
		(long long)row_int(t, "per_client"));
	render_duration(out, ", idle", row_int(t, "idle_ms"));
	render_duration(out, ", answer", row_int(t, "answer_ms"));
	text_add(out, ", lifetime: %llds}\n",
		(long long)row_int(t, "lifetime_s"));
}

static void put_metrics(struct text *out, const json_t *doc)
{
	const char *listen =
		row_str(model_single(doc, "frontend"), "metrics_listen");

	if (!*listen)
		return;
	render_key_quoted(out, "metrics: {listen", listen);
	text_add(out, "}\n");
}

void render_frontend(struct text *out, const json_t *doc, const json_t *node)
{
	const json_t *p = model_single(doc, "policy");
	json_t *partners = partners_of(doc, node);

	text_add(out, "# ispdns-frontend of %s, made by ispdns-mgmt\n",
		row_str(node, "node"));
	render_workers(out, node);
	render_listen(out, node, "frontend");
	text_add(out, "freebind: %s\n",
		word(row_bool(model_single(doc, "frontend"), "freebind")));
	render_acl(out, doc, "clients", partners);
	text_add(out, "policy:\n  any: %s\n  chaos: %s\n  transfer: %s\n",
		row_str(p, "any"), row_str(p, "chaos"), row_str(p, "transfer"));
	if (strcmp(row_str(p, "empty"), "formerr"))
		text_add(out, "  empty: %s\n", row_str(p, "empty"));
	put_rules(out, doc);
	put_limit(out, doc);
	put_blocks(out, doc);
	put_frontend_cache(out, doc);
	put_warm(out, partners);
	json_decref(partners);
	render_pools(out, doc);
	put_routes(out, doc);
	put_settings(out, doc);
	put_retry(out, doc);
	put_tcp(out, doc);
	put_transfers(out, doc);
	put_cookies(out, doc);
	put_metrics(out, doc);
	text_add(out, "ha: {socket: /run/ispdns/ha/health.sock}\n");
}
