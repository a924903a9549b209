/* SPDX-License-Identifier: ISC */
/*
 * The verbs of the control socket. Tables are arrays of objects, one for each
 * row, in the order in which a person reads them.
 */

#include "frontend/frontend.h"

#include "common/dns/code.h"

#include <errno.h>

/* --- arguments --------------------------------------------------------- */

static const char *word(const json_t *args, size_t i)
{
	const char *text = json_string_value(
		json_array_get(json_object_get(args, "words"), i));

	return text ? text : "";
}

static json_int_t number(uint64_t value)
{
	return (json_int_t)value;
}

/* --- show -------------------------------------------------------------- */

static const char *ratio(uint64_t part, uint64_t whole, char out[16])
{
	(void)snprintf(out, 16, "%.1f%%",
		whole ? 100.0 * (double)part / (double)whole : 0.0);
	return out;
}

static const char *decimal(double value, char out[16])
{
	(void)snprintf(out, 16, "%.1f", value);
	return out;
}

static json_t *probe_counts(const struct probe_info *info)
{
	const uint64_t *failed = info->failed;

	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "probes",
		number(info->sent), "probes_unanswered",
		number(failed[PROBE_TIMEOUT]), "probes_refused",
		number(failed[PROBE_NETWORK]), "probes_malformed",
		number(failed[PROBE_INVALID]), "probes_mismatched",
		number(failed[PROBE_MISMATCH]), "probes_unwanted",
		number(failed[PROBE_RCODE]), "state_changes",
		number(info->changes));
}

static json_t *server_row(const struct frontend *fe, const struct pool *pool,
	const struct pool_member *m)
{
	const struct server *s = m->server;
	struct probe_info info = {.state = "?", .reason = ""};
	const struct rate *rate = &fe->rates.of[s->id];
	char addr[ADDR_TEXT], drops[16], qps[16], per_s[16], ms[16];
	uint64_t queries = server_read(&s->queries);
	uint64_t timeouts = server_read(&s->timeouts);
	json_t *row;

	(void)probes_info(fe->probes, s, &info);
	row = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, "
			"s:s, s:I, s:I, s:I, s:I, s:s, s:s, s:s, s:I, s:I}",
		"name", s->name, "pool", pool->name, "address",
		addr_print(&s->addr, addr), "state", info.state, "reason",
		info.reason, "order", number(m->order), "weight",
		number(m->weight), "queries", number(queries), "answers",
		number(server_read(&s->answers)), "timeouts", number(timeouts),
		"drop_rate", ratio(timeouts, queries, drops), "servfail",
		number(server_read(&s->failures)), "latency_us",
		number(server_get_latency(s)), "outstanding",
		number(server_get_outstanding(s)), "tcp",
		number(server_read(&s->tcp_queries)), "qps",
		decimal(rate->qps, qps), "drops_per_second",
		decimal(rate->drops, per_s), "latency_ms",
		decimal(server_get_latency(s) / 1e3, ms), "qps_limit",
		number(m->limit.qps), "over_qps",
		number(server_read(&s->over_qps)));
	(void)json_object_update_new(row, probe_counts(&info));
	return row;
}

static json_t *show_servers(const struct frontend *fe)
{
	json_t *rows = json_array();

	for (unsigned i = 0; i < fe->policy->pool_count; i++) {
		const struct pool *pool = &fe->policy->pools[i];

		for (unsigned k = 0; k < pool->count; k++)
			json_array_append_new(
				rows, server_row(fe, pool, &pool->members[k]));
	}
	return json_pack("{s:o}", "servers", rows);
}

/* The names of its backends. */
static json_t *members(const struct pool *pool)
{
	struct text names;
	json_t *value;

	text_init(&names);
	for (unsigned i = 0; i < pool->count; i++)
		text_add(&names, "%s%s", i ? " " : "",
			pool->members[i].server->name);
	value = json_string(names.len ? names.data : "");
	text_fini(&names);
	return value;
}

static json_t *show_pools(const struct frontend *fe)
{
	json_t *rows = json_array();
	char text[16];

	for (unsigned i = 0; i < fe->policy->pool_count; i++) {
		const struct pool *pool = &fe->policy->pools[i];
		struct worker_pool sum = frontend_pool_sum(fe, pool);

		json_array_append_new(rows,
			json_pack("{s:s, s:s, s:s, s:b, s:i, s:i, s:I, s:I, "
				  "s:I, s:s, s:o}",
				"name", pool->name, "kind",
				pool->auth ? "auth" : "rec", "policy",
				pool_policy_name(pool->policy), "cache",
				pool->cached, "servers", (int)pool->count, "up",
				(int)pool_count_fit(pool), "queries",
				number(sum.queries), "hits", number(sum.hits),
				"misses", number(sum.misses), "hit_ratio",
				ratio(sum.hits, sum.hits + sum.misses, text),
				"members", members(pool)));
	}
	return json_pack("{s:o}", "pools", rows);
}

static json_t *show_cache(const struct frontend *fe)
{
	const struct metrics *m = &fe->metrics;
	uint64_t hits = metrics_read(m, STAT_CACHE_HITS);
	uint64_t misses = metrics_read(m, STAT_CACHE_MISSES);
	struct cache_stats s;
	char text[16];

	cache_get_stats(fe->cache, &s);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:I, s:I, s:I, "
			 "s:I, s:I, s:I}",
		"entries", number(s.entries), "entries_max",
		number(s.entries_max), "bytes", number(s.bytes), "bytes_max",
		number(s.bytes_max), "hits", number(hits), "misses",
		number(misses), "hit_ratio", ratio(hits, hits + misses, text),
		"stale", number(metrics_read(m, STAT_CACHE_STALE)), "coalesced",
		number(metrics_read(m, STAT_COALESCED)), "inserts",
		number(s.inserts), "evictions", number(s.evictions),
		"too_short", number(s.too_short), "too_big", number(s.too_big));
}

static json_t *show_limits(const struct frontend *fe)
{
	const struct metrics *m = &fe->metrics;
	const struct policy_limit *limit = &fe->policy->limit;
	static const char *const actions[] = {
		"allow", "drop", "refuse", "tc", "cache-only"};

	json_t *out = json_pack("{s:I, s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:I}",
		"qps", number(limit->rule.qps), "burst",
		number(limit->rule.burst), "action", actions[limit->action],
		"table_size", number(limiter_size(fe->limiter)), "sources",
		number(limiter_used(fe->limiter, mtime_now().us)), "dropped",
		number(metrics_read(m, STAT_DROP_LIMIT)), "refused",
		number(metrics_read(m, STAT_REFUSED_LIMIT)), "truncated",
		number(metrics_read(m, STAT_TC_LIMIT)), "cache_only",
		number(metrics_read(m, STAT_CACHE_ONLY)));

	frontend_miss_limits(fe, out);
	return out;
}

/* The value of label `key` in `name`: x{key="value"}. */
static json_t *label(const char *name, const char *key)
{
	char find[32];
	const char *at, *end;

	(void)snprintf(find, sizeof(find), "%s=\"", key);
	at = strstr(name, find);
	if (!at)
		return json_string("");
	at += strlen(find);
	end = strchr(at, '"');
	return json_stringn(at, end ? (size_t)(end - at) : 0);
}

static json_t *show_drops(const struct frontend *fe)
{
	json_t *rows = json_array();

	for (unsigned id = STAT_DROP_FIRST; id <= STAT_DROP_LAST; id++)
		json_array_append_new(rows,
			json_pack("{s:o, s:I}", "reason",
				label(stats_name(id), "reason"), "queries",
				number(metrics_read(&fe->metrics, id))));
	return json_pack("{s:o}", "drops", rows);
}

static json_t *show_rules(const struct frontend *fe)
{
	json_t *rows = json_array();

	frontend_rule_rows(fe, rows);
	for (unsigned id = STAT_REFUSED_ACL; id <= STAT_BAD_BADVERS; id++)
		json_array_append_new(rows,
			json_pack("{s:o, s:o, s:I, s:s}", "rule",
				label(stats_name(id), "rule"), "action",
				label(stats_name(id), "action"), "queries",
				number(metrics_read(&fe->metrics, id)), "match",
				"(built in)"));
	return json_pack("{s:o}", "rules", rows);
}

/* As showResponseLatency(): where the answers' times lie. */
static json_t *latency_rows(const struct histogram *h, uint64_t count)
{
	json_t *rows = json_array();
	char bound[16], share[16];

	for (unsigned i = 0; i <= METRIC_BUCKETS; i++) {
		if (h->buckets[i] == 0)
			continue;
		if (i < METRIC_BUCKETS)
			(void)snprintf(bound, sizeof(bound), "%g",
				metric_bounds_us[i] / 1e3);
		json_array_append_new(
			rows, json_pack("{s:s, s:I, s:s}", "up_to_ms",
				      i < METRIC_BUCKETS ? bound : "more",
				      "answers", number(h->buckets[i]), "share",
				      ratio(h->buckets[i], count, share)));
	}
	return rows;
}

static json_t *show_latency(const struct frontend *fe)
{
	struct histogram h;
	uint64_t count = 0;

	stats_latency(&fe->metrics, &h);
	for (unsigned i = 0; i <= METRIC_BUCKETS; i++)
		count += h.buckets[i];
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:o}", "answers",
		number(count), "mean_us", number(count ? h.sum_us / count : 0),
		"p50_us", number(histogram_quantile_us(&h, 0.5)), "p90_us",
		number(histogram_quantile_us(&h, 0.9)), "p99_us",
		number(histogram_quantile_us(&h, 0.99)), "classes",
		latency_rows(&h, count));
}

static void verb_show(void *arg, struct control_call *call, const json_t *args)
{
	static const struct {
		const char *name;
		json_t *(*make)(const struct frontend *fe);
	} tables[] = {
		{"servers", show_servers},
		{"pools", show_pools},
		{"cache", show_cache},
		{"rules", show_rules},
		{"limits", show_limits},
		{"drops", show_drops},
		{"latency", show_latency},
		{"transfers", show_transfers},
	};
	const char *what = word(args, 0);

	if (strcmp(what, "top") == 0) {
		show_top(arg, call, word(args, 1));
		return;
	}

	for (size_t i = 0; i < countof(tables); i++) {
		if (strcmp(tables[i].name, what) == 0) {
			control_ok(call, tables[i].make(arg));
			return;
		}
	}
	control_fail(call, "show what? servers, pools, cache, rules, limits, "
			   "drops, latency, transfers or top");
}

/* --- cache ------------------------------------------------------------- */

static void verb_cache(void *arg, struct control_call *call, const json_t *args)
{
	struct frontend *fe = arg;
	const char *scope = word(args, 1);
	bool all = strcmp(scope, "all") == 0;
	bool suffix = strcmp(scope, "suffix") == 0;
	struct name name;
	uint16_t type = 0;
	size_t gone;

	if (strcmp(word(args, 0), "flush") != 0 ||
		(!all && !suffix && strcmp(scope, "name") != 0)) {
		control_fail(call, "cache flush all, cache flush name NAME "
				   "[TYPE] or cache flush suffix NAME");
		return;
	}
	if (!all && name_parse(word(args, 2), &name) < 0) {
		control_fail(call, "\"%s\" is not a name", word(args, 2));
		return;
	}
	if (!all && word(args, 3)[0] && !dns_type_parse(word(args, 3), &type)) {
		control_fail(call, "\"%s\" is not a type", word(args, 3));
		return;
	}
	gone = cache_flush(fe->cache, all ? NULL : &name, type, suffix);
	control_ok(call, json_pack("{s:I}", "flushed", number(gone)));
}

/* --- backend ----------------------------------------------------------- */

static void verb_backend(
	void *arg, struct control_call *call, const json_t *args)
{
	static const char *const modes[] = {"auto", "up", "down", "drain"};
	struct frontend *fe = arg;
	const char *name = word(args, 1);
	const char *pool = word(args, 2);
	unsigned mode = 0;

	while (mode < countof(modes) && strcmp(modes[mode], word(args, 0)) != 0)
		mode++;
	if (mode == countof(modes) || !name[0])
		control_fail(call, "backend up|down|auto|drain NAME [POOL]");
	else if (!probes_set_mode(fe->probes, pool[0] ? pool : NULL, name,
			 (enum server_mode)mode))
		control_fail(call, "there is no backend \"%s\"", name);
	else
		control_ok(call, json_pack("{s:s, s:s}", "backend", name,
					 "mode", modes[mode]));
}

/* --- status and stats -------------------------------------------------- */

void frontend_status(void *state, json_t *out)
{
	struct frontend *fe = state;
	unsigned total = 0, up = 0;

	for (unsigned i = 0; i < fe->policy->pool_count; i++) {
		total += fe->policy->pools[i].count;
		up += pool_count_fit(&fe->policy->pools[i]);
	}
	json_object_set_new(out, "workers", json_integer(fe->worker_count));
	json_object_set_new(out, "backends", json_integer(total));
	json_object_set_new(out, "backends_up", json_integer(up));
	json_object_set_new(out, "pools_usable",
		json_boolean(probes_all_pools_usable(fe->probes)));
	json_object_set_new(out, "draining", json_boolean(fe->draining));
	json_object_set_new(out, "ha_connected",
		json_boolean(fe->beat && beat_is_connected(fe->beat)));
}

void frontend_stats(void *state, json_t *out)
{
	struct frontend *fe = state;

	for (unsigned id = 0; id < STAT_LATENCY; id++)
		json_object_set_new(out, stats_name(id),
			json_integer(number(metrics_read(&fe->metrics, id))));
	json_object_set_new(out, "cache", show_cache(fe));
}

const struct control_command *frontend_commands(void)
{
	static const struct control_command commands[] = {
		{"show", verb_show,
			"servers | pools | cache | rules | limits | drops | "
			"latency | transfers | top [ROWS]"},
		{"cache", verb_cache,
			"flush all | flush name NAME [TYPE] | flush suffix "
			"NAME"},
		{"backend", verb_backend,
			"up | down | auto | drain NAME [POOL]"},
		{"block", frontend_block_verb,
			"list | add | remove PREFIX or suffix NAME [--for "
			"TIME] "
			"[--action drop|refuse|tc|nxdomain|log]"},
		{NULL, NULL, NULL},
	};

	return commands;
}
