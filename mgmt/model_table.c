/* SPDX-License-Identifier: ISC */
/*
 * The tables of the model. A new setting is a row here, a column in a new
 * migration, and a line in the renderer.
 */

#include "mgmt/model.h"

static const char *const acl_actions[] = {"refuse", "drop", NULL};
static const char *const entry_actions[] = {"allow", "deny", NULL};
static const char *const limit_actions[] = {
	"drop", "tc", "refuse", "cache-only", NULL};
static const char *const block_actions[] = {
	"drop", "refuse", "tc", "nxdomain", "log", NULL};
static const char *const any_actions[] = {
	"allow", "drop", "refuse", "tc", NULL};
static const char *const chaos_actions[] = {"allow", "drop", "refuse", NULL};
static const char *const empty_actions[] = {"formerr", "notimp", "drop", NULL};
/* Of transfers that no route allows. */
static const char *const transfer_actions[] = {"refuse", "drop", NULL};
static const char *const pool_policies[] = {"leastOutstanding",
	"firstAvailable", "roundrobin", "wrandom", "chashed", NULL};
static const char *const pool_kinds[] = {"auto", "rec", "auth", NULL};
static const char *const pool_ecs[] = {"strip", "forward", "add", NULL};
static const char *const pool_no_server[] = {"servfail", "drop", NULL};
static const char *const vip_auth[] = {"none", "pass", NULL};
static const char *const vip_advertise[] = {"anchor", "all", NULL};
static const char *const vip_checksum[] = {
	"rfc5798", "rfc9568", "follow-peer", NULL};
static const char *const hmac_modes[] = {
	"off", "receive-only", "permissive", "enforce", NULL};
static const char *const engines[] = {"bird", "frr", NULL};
static const char *const roles[] = {
	"frontend", "resolver", "authority", "ha", NULL};

static const char *const rule_actions[] = {"allow", "drop", "refuse",
	"nxdomain", "servfail", "notimp", "truncate", "pool", "spoof",
	"rate-limit", "tag", "set-pool", "no-recurse", NULL};
static const char *const opcodes[] = {
	"QUERY", "STATUS", "NOTIFY", "UPDATE", NULL};
static const char *const transports[] = {"udp", "tcp", NULL};
static const char *const flags[] = {"set", "clear", NULL};
static const char *const rate_owners[] = {"client", "rule", NULL};

#define KEY      (MODEL_KEY | MODEL_REQUIRED)
#define DAY_S    86400
#define GIB      (1LL << 30)
#define TEXT_MAX (1 << 20)
#define LIST_MAX 10000 /* names or prefixes of one row */

static const struct model_column acl[] = {
	{"list", MODEL_IDENT, KEY, NULL, 0, 0, NULL, NULL, false},
	{"action", MODEL_ENUM, 0, "\"refuse\"", 0, 0, acl_actions, NULL, false},
};

static const struct model_column acl_entry[] = {
	{"list", MODEL_IDENT, KEY, NULL, 0, 0, NULL, "acl", true},
	{"prefix", MODEL_PREFIX, KEY, NULL, 0, 0, NULL, NULL, false},
	{"action", MODEL_ENUM, 0, "\"allow\"", 0, 0, entry_actions, NULL,
		false},
};

static const struct model_column limits[] = {
	{"qps", MODEL_INT, 0, "0", 0, 10000000, NULL, NULL, false},
	{"burst", MODEL_INT, 0, "0", 0, 10000000, NULL, NULL, false},
	{"v4_prefix", MODEL_INT, 0, "32", 8, 32, NULL, NULL, false},
	{"v6_prefix", MODEL_INT, 0, "64", 16, 128, NULL, NULL, false},
	{"action", MODEL_ENUM, 0, "\"drop\"", 0, 0, limit_actions, NULL, false},
	{"table_size", MODEL_INT, 0, "65536", 1024, 16777216, NULL, NULL,
		false},
};

/* miss_qps -1: as all others have it (limit_misses). */
static const struct model_column limit_override[] = {
	{"prefix", MODEL_PREFIX, KEY, NULL, 0, 0, NULL, NULL, false},
	{"qps", MODEL_INT, 0, "0", 0, 10000000, NULL, NULL, false},
	{"burst", MODEL_INT, 0, "0", 0, 10000000, NULL, NULL, false},
	{"action", MODEL_ENUM, 0, "\"drop\"", 0, 0, limit_actions, NULL, false},
	{"miss_qps", MODEL_INT, 0, "-1", -1, 10000000, NULL, NULL, false},
	{"miss_burst", MODEL_INT, 0, "0", 0, 10000000, NULL, NULL, false},
};

static const struct model_column limit_exempt[] = {
	{"prefix", MODEL_PREFIX, KEY, NULL, 0, 0, NULL, NULL, false},
};

/* What goes to a backend: 0 is no limit, or a burst as big as qps. */
static const struct model_column limit_misses[] = {
	{"client_qps", MODEL_INT, 0, "0", 0, 10000000, NULL, NULL, false},
	{"client_burst", MODEL_INT, 0, "0", 0, 10000000, NULL, NULL, false},
	{"suffix_qps", MODEL_INT, 0, "0", 0, 10000000, NULL, NULL, false},
	{"suffix_burst", MODEL_INT, 0, "0", 0, 10000000, NULL, NULL, false},
	{"labels", MODEL_INT, 0, "2", 1, 127, NULL, NULL, false},
	{"registries", MODEL_NAME, MODEL_LIST, "[]", 0, LIST_MAX, NULL, NULL,
		false},
	{"action", MODEL_ENUM, 0, "\"drop\"", 0, 0, limit_actions, NULL, false},
};

/* Sources that frontends block by themselves; off while the first three are
 * 0. */
static const struct model_column block_policy[] = {
	{"qps", MODEL_INT, 0, "0", 0, 10000000, NULL, NULL, false},
	{"nxdomain_percent", MODEL_INT, 0, "0", 0, 100, NULL, NULL, false},
	{"servfail_percent", MODEL_INT, 0, "0", 0, 100, NULL, NULL, false},
	{"min_answers", MODEL_INT, 0, "200", 1, 10000000, NULL, NULL, false},
	{"window_ms", MODEL_INT, 0, "10000", 100, 3600000, NULL, NULL, false},
	{"duration_s", MODEL_INT, 0, "60", 1, DAY_S, NULL, NULL, false},
	{"action", MODEL_ENUM, 0, "\"tc\"", 0, 0, block_actions, NULL, false},
	{"max", MODEL_INT, 0, "256", 1, 512, NULL, NULL, false},
	{"exempt", MODEL_PREFIX, MODEL_LIST, "[]", 0, LIST_MAX, NULL, NULL,
		false},
	{"table_size", MODEL_INT, 0, "16384", 64, 16777216, NULL, NULL, false},
};

static const struct model_column policy[] = {
	{"any", MODEL_ENUM, 0, "\"allow\"", 0, 0, any_actions, NULL, false},
	{"chaos", MODEL_ENUM, 0, "\"refuse\"", 0, 0, chaos_actions, NULL,
		false},
	{"transfer", MODEL_ENUM, 0, "\"refuse\"", 0, 0, transfer_actions, NULL,
		false},
	{"empty", MODEL_ENUM, 0, "\"formerr\"", 0, 0, empty_actions, NULL,
		false},
};

static const struct model_column cache[] = {
	{"entries", MODEL_INT, 0, "500000", 0, 100000000, NULL, NULL, false},
	{"memory", MODEL_INT, 0, "268435456", 1 << 20, 1024 * GIB, NULL, NULL,
		false},
	{"max_ttl_s", MODEL_INT, 0, "86400", 0, 7 * DAY_S, NULL, NULL, false},
	{"min_ttl_s", MODEL_INT, 0, "0", 0, DAY_S, NULL, NULL, false},
	{"max_negative_ttl_s", MODEL_INT, 0, "3600", 0, DAY_S, NULL, NULL,
		false},
	{"failure_ttl_s", MODEL_INT, 0, "5", 0, 300, NULL, NULL, false},
	{"stale_s", MODEL_INT, 0, "3600", 0, 7 * DAY_S, NULL, NULL, false},
	{"truncated_ttl_s", MODEL_INT, 0, "0", 0, 300, NULL, NULL, false},
	{"prefetch", MODEL_BOOL, 0, "true", 0, 0, NULL, NULL, false},
	{"cap_served_ttl", MODEL_BOOL, 0, "false", 0, 0, NULL, NULL, false},
	{"keep", MODEL_BOOL, 0, "false", 0, 0, NULL, NULL, false},
};

/* What a frontend needs beside its policy; the same on all of them. */
static const struct model_column frontend[] = {
	{"udp_size", MODEL_INT, 0, "1232", 512, 4096, NULL, NULL, false},
	{"freebind", MODEL_BOOL, 0, "true", 0, 0, NULL, NULL, false},
	{"inflight", MODEL_INT, 0, "16384", 16, 30000, NULL, NULL, false},
	{"inflight_per_client", MODEL_INT, 0, "1000", 1, 30000, NULL, NULL,
		false},
	{"sockets", MODEL_INT, 0, "16", 1, 64, NULL, NULL, false},
	{"socket_queries", MODEL_INT, 0, "8", 0, 1000000, NULL, NULL, false},
	{"cookies", MODEL_BOOL, 0, "true", 0, 0, NULL, NULL, false},
	{"cookie_secret", MODEL_INT, 0, "0", 0, 1000000, NULL, NULL, false},
	{"top", MODEL_BOOL, 0, "true", 0, 0, NULL, NULL, false},
	{"top_window_s", MODEL_INT, 0, "60", 1, 3600, NULL, NULL, false},
	{"drop_lines", MODEL_INT, 0, "1", 0, 100, NULL, NULL, false},
	{"metrics_listen", MODEL_ADDR, MODEL_OPTIONAL, "\"127.0.0.1:8083\"",
		8083, 0, NULL, NULL, false},
};

/* When a backend does not answer. */
static const struct model_column frontend_retry[] = {
	{"timeout_ms", MODEL_INT, 0, "400", 20, 30000, NULL, NULL, false},
	{"tries", MODEL_INT, 0, "3", 1, 8, NULL, NULL, false},
	{"deadline_ms", MODEL_INT, 0, "2500", 50, 30000, NULL, NULL, false},
	{"hedge", MODEL_BOOL, 0, "true", 0, 0, NULL, NULL, false},
};

/* Connections of clients; 0 of per_net, queries, lifetime_s and
 * reads: no limit; 0 of ban_s: none. */
static const struct model_column frontend_tcp[] = {
	{"connections", MODEL_INT, 0, "10000", 1, 1000000, NULL, NULL, false},
	{"per_client", MODEL_INT, 0, "20", 1, 1000000, NULL, NULL, false},
	{"per_net", MODEL_INT, 0, "1000", 0, 1000000, NULL, NULL, false},
	{"queries", MODEL_INT, 0, "0", 0, 1000000000, NULL, NULL, false},
	{"lifetime_s", MODEL_INT, 0, "0", 0, DAY_S, NULL, NULL, false},
	{"idle_ms", MODEL_INT, 0, "10000", 100, 600000, NULL, NULL, false},
	{"message_ms", MODEL_INT, 0, "5000", 100, 60000, NULL, NULL, false},
	{"inflight", MODEL_INT, 0, "100", 1, 65535, NULL, NULL, false},
	{"reads", MODEL_INT, 0, "50", 0, 65535, NULL, NULL, false},
	{"ban_s", MODEL_INT, 0, "0", 0, DAY_S, NULL, NULL, false},
};

/* What routes hand on. */
static const struct model_column frontend_transfers[] = {
	{"max", MODEL_INT, 0, "16", 1, 256, NULL, NULL, false},
	{"per_client", MODEL_INT, 0, "4", 1, 256, NULL, NULL, false},
	{"idle_ms", MODEL_INT, 0, "30000", 100, 3600000, NULL, NULL, false},
	{"lifetime_s", MODEL_INT, 0, "3600", 1, DAY_S, NULL, NULL, false},
	{"answer_ms", MODEL_INT, 0, "5000", 50, 300000, NULL, NULL, false},
};

static const struct model_column pool[] = {
	{"pool", MODEL_IDENT, KEY, NULL, 0, 0, NULL, NULL, false},
	{"policy", MODEL_ENUM, 0, "\"leastOutstanding\"", 0, 0, pool_policies,
		NULL, false},
	{"cache", MODEL_BOOL, 0, "true", 0, 0, NULL, NULL, false},
	{"kind", MODEL_ENUM, 0, "\"auto\"", 0, 0, pool_kinds, NULL, false},
	{"tiers", MODEL_BOOL, 0, "false", 0, 0, NULL, NULL, false},
	{"no_server", MODEL_ENUM, 0, "\"servfail\"", 0, 0, pool_no_server, NULL,
		false},
	{"ecs", MODEL_ENUM, 0, "\"strip\"", 0, 0, pool_ecs, NULL, false},
};

/* check_min_serial 0 and check_rcode "": not asked for. */
static const struct model_column backend[] = {
	{"pool", MODEL_IDENT, KEY, NULL, 0, 0, NULL, "pool", true},
	{"name", MODEL_IDENT, KEY, NULL, 0, 0, NULL, NULL, false},
	{"address", MODEL_ADDR, MODEL_REQUIRED, NULL, 53, 0, NULL, NULL, false},
	{"weight", MODEL_INT, 0, "1", 1, 1000, NULL, NULL, false},
	{"order", MODEL_INT, 0, "1", 0, 1000, NULL, NULL, false},
	{"check_name", MODEL_NAME, 0, "\".\"", 0, 0, NULL, NULL, false},
	{"check_type", MODEL_IDENT, 0, "\"NS\"", 0, 0, NULL, NULL, false},
	{"check_interval_ms", MODEL_INT, 0, "1000", 100, 3600000, NULL, NULL,
		false},
	{"check_timeout_ms", MODEL_INT, 0, "1000", 10, 60000, NULL, NULL,
		false},
	{"check_rise", MODEL_INT, 0, "2", 1, 100, NULL, NULL, false},
	{"check_fall", MODEL_INT, 0, "2", 1, 100, NULL, NULL, false},
	{"check_aa", MODEL_BOOL, 0, "false", 0, 0, NULL, NULL, false},
	{"qps", MODEL_INT, 0, "0", 0, 10000000, NULL, NULL, false},
	{"check_enabled", MODEL_BOOL, 0, "true", 0, 0, NULL, NULL, false},
	{"check_min_serial", MODEL_INT, 0, "0", 0, UINT32_MAX, NULL, NULL,
		false},
	{"check_random_label", MODEL_BOOL, 0, "false", 0, 0, NULL, NULL, false},
	{"check_rcode", MODEL_IDENT, MODEL_OPTIONAL, "\"\"", 0, 15, NULL, NULL,
		false},
	{"check_lazy", MODEL_BOOL, 0, "false", 0, 0, NULL, NULL, false},
};

static const struct model_column route[] = {
	{"suffix", MODEL_NAME, KEY, NULL, 0, 0, NULL, NULL, false},
	{"pool", MODEL_IDENT, MODEL_REQUIRED, NULL, 0, 0, NULL, "pool", false},
	{"allow_transfer", MODEL_PREFIX, MODEL_LIST, "[]", 0, 1000, NULL, NULL,
		false},
	{"allow_notify", MODEL_PREFIX, MODEL_LIST, "[]", 0, 1000, NULL, NULL,
		false},
	{"allow_update", MODEL_PREFIX, MODEL_LIST, "[]", 0, 1000, NULL, NULL,
		false},
};

/* The columns behind `action` belong to one action each (check_rule.c); their
 * defaults mean: not given. */
static const struct model_column rule[] = {
	{"name", MODEL_IDENT, KEY, NULL, 0, 0, NULL, NULL, false},
	{"position", MODEL_INT, 0, "1000", 0, 1000000, NULL, NULL, false},
	{"suffix", MODEL_NAME, MODEL_LIST, "[]", 0, LIST_MAX, NULL, NULL,
		false},
	{"exact", MODEL_NAME, MODEL_LIST, "[]", 0, LIST_MAX, NULL, NULL, false},
	{"qtype", MODEL_IDENT, MODEL_LIST, "[]", 0, 64, NULL, NULL, false},
	{"qclass", MODEL_IDENT, MODEL_OPTIONAL, "\"\"", 0, 15, NULL, NULL,
		false},
	{"opcode", MODEL_ENUM, MODEL_OPTIONAL, "\"\"", 0, 0, opcodes, NULL,
		false},
	{"transport", MODEL_ENUM, MODEL_OPTIONAL, "\"\"", 0, 0, transports,
		NULL, false},
	{"source", MODEL_PREFIX, MODEL_LIST, "[]", 0, LIST_MAX, NULL, NULL,
		false},
	{"rd", MODEL_ENUM, MODEL_OPTIONAL, "\"\"", 0, 0, flags, NULL, false},
	{"dnssec", MODEL_ENUM, MODEL_OPTIONAL, "\"\"", 0, 0, flags, NULL,
		false},
	{"action", MODEL_ENUM, MODEL_REQUIRED, NULL, 0, 0, rule_actions, NULL,
		false},
	{"pool", MODEL_IDENT, MODEL_OPTIONAL, "\"\"", 0, 0, NULL, "pool",
		false},
	{"addresses", MODEL_IP, MODEL_LIST, "[]", 0, 32, NULL, NULL, false},
	{"ttl_s", MODEL_INT, 0, "60", 0, 7 * DAY_S, NULL, NULL, false},
	{"qps", MODEL_INT, 0, "0", 0, 10000000, NULL, NULL, false},
	{"burst", MODEL_INT, 0, "0", 0, 10000000, NULL, NULL, false},
	{"per", MODEL_ENUM, 0, "\"client\"", 0, 0, rate_owners, NULL, false},
	{"over", MODEL_ENUM, 0, "\"drop\"", 0, 0, limit_actions, NULL, false},
	{"tag", MODEL_IDENT, MODEL_OPTIONAL, "\"\"", 0, 0, NULL, NULL, false},
};

static const struct model_column resolver[] = {
	{"dnssec", MODEL_BOOL, 0, "true", 0, 0, NULL, NULL, false},
	{"qname_minimisation", MODEL_BOOL, 0, "true", 0, 0, NULL, NULL, false},
	{"edns_payload", MODEL_INT, 0, "1232", 512, 4096, NULL, NULL, false},
	{"entries", MODEL_INT, 0, "100000", 0, 100000000, NULL, NULL, false},
	{"library_memory", MODEL_INT, 0, "67108864", 1 << 20, 1024 * GIB, NULL,
		NULL, false},
	{"max_ttl_s", MODEL_INT, 0, "86400", 1, 7 * DAY_S, NULL, NULL, false},
	{"max_negative_ttl_s", MODEL_INT, 0, "3600", 0, DAY_S, NULL, NULL,
		false},
	{"failure_ttl_s", MODEL_INT, 0, "5", 0, 300, NULL, NULL, false},
	{"stale_s", MODEL_INT, 0, "86400", 0, 7 * DAY_S, NULL, NULL, false},
	{"inflight", MODEL_INT, 0, "4096", 16, 1000000, NULL, NULL, false},
	{"per_client", MODEL_INT, 0, "4096", 1, 1000000, NULL, NULL, false},
	{"deadline_ms", MODEL_INT, 0, "5000", 500, 60000, NULL, NULL, false},
	{"local_zones", MODEL_NAME, MODEL_LIST, "[]", 0, 256, NULL, NULL,
		false},
	{"root_hints_text", MODEL_TEXT, MODEL_LINES | MODEL_OPTIONAL, "\"\"", 0,
		TEXT_MAX, NULL, NULL, false},
	{"trust_anchor_text", MODEL_TEXT, MODEL_LINES | MODEL_OPTIONAL, "\"\"",
		0, TEXT_MAX, NULL, NULL, false},
};

static const struct model_column forward[] = {
	{"zone", MODEL_NAME, KEY, NULL, 0, 0, NULL, NULL, false},
	{"to", MODEL_ADDR, MODEL_LIST | MODEL_REQUIRED, NULL, 53, 64, NULL,
		NULL, false},
};

static const struct model_column node[] = {
	{"node", MODEL_IDENT, KEY, NULL, 0, 0, NULL, NULL, false},
	{"address", MODEL_IP, MODEL_REQUIRED, NULL, 0, 0, NULL, NULL, false},
	{"roles", MODEL_ENUM, MODEL_LIST | MODEL_REQUIRED, NULL, 0, 4, roles,
		NULL, false},
	{"workers", MODEL_INT, 0, "0", 0, 256, NULL, NULL, false},
	{"frontend_listen", MODEL_ADDR, MODEL_LIST, "[]", 53, 64, NULL, NULL,
		false},
	{"resolver_listen", MODEL_ADDR, MODEL_LIST, "[]", 53, 64, NULL, NULL,
		false},
	{"authority_listen", MODEL_ADDR, MODEL_LIST, "[]", 53, 64, NULL, NULL,
		false},
	{"capacity_qps", MODEL_INT, 0, "0", 0, 100000000, NULL, NULL, false},
};

static const struct model_column vip[] = {
	{"vip", MODEL_IDENT, KEY, NULL, 0, 0, NULL, NULL, false},
	{"vrid", MODEL_INT, MODEL_REQUIRED, NULL, 1, 255, NULL, NULL, false},
	{"version", MODEL_INT, 0, "3", 2, 3, NULL, NULL, false},
	{"interval_ms", MODEL_INT, 0, "100", 10, 40950, NULL, NULL, false},
	{"auth", MODEL_ENUM, 0, "\"none\"", 0, 0, vip_auth, NULL, false},
	{"password", MODEL_TEXT, MODEL_SECRET | MODEL_OPTIONAL, "\"\"", 0, 8,
		NULL, NULL, false},
	{"addresses", MODEL_IFADDR, MODEL_LIST | MODEL_REQUIRED, NULL, 0, 64,
		NULL, NULL, false},
	{"peers", MODEL_IP, MODEL_LIST, "[]", 0, 64, NULL, NULL, false},
	{"preempt", MODEL_BOOL, 0, "true", 0, 0, NULL, NULL, false},
	{"preempt_delay_ms", MODEL_INT, 0, "0", 0, 1000000, NULL, NULL, false},
	{"track_frontend", MODEL_BOOL, 0, "true", 0, 0, NULL, NULL, false},
	{"track_probe", MODEL_BOOL, 0, "true", 0, 0, NULL, NULL, false},
	{"gateway", MODEL_IP, MODEL_OPTIONAL, "\"\"", 0, 0, NULL, NULL, false},
	{"sync_group", MODEL_IDENT, MODEL_OPTIONAL, "\"\"", 0, 0, NULL, NULL,
		false},
	{"rescue", MODEL_BOOL, 0, "true", 0, 0, NULL, NULL, false},
	{"startup_delay_ms", MODEL_INT, 0, "0", 0, 600000, NULL, NULL, false},
	{"advertise", MODEL_ENUM, 0, "\"anchor\"", 0, 0, vip_advertise, NULL,
		false},
	{"strict_addresses", MODEL_BOOL, 0, "false", 0, 0, NULL, NULL, false},
	{"checksum", MODEL_ENUM, 0, "\"rfc5798\"", 0, 0, vip_checksum, NULL,
		false},
	{"accept_other_version", MODEL_BOOL, 0, "false", 0, 0, NULL, NULL,
		false},
	{"accept_interval_ms", MODEL_INT, 0, "0", 0, 255000, NULL, NULL, false},
	{"hmac", MODEL_ENUM, 0, "\"off\"", 0, 0, hmac_modes, NULL, false},
	{"hmac_key", MODEL_INT, 0, "1", 1, 255, NULL, NULL, false},
	{"hmac_also", MODEL_INT, 0, "0", 0, 255, NULL, NULL, false},
	{"hmac_window_ms", MODEL_INT, 0, "0", 0, 300000, NULL, NULL, false},
	{"known_peers", MODEL_IP, MODEL_LIST, "[]", 0, 64, NULL, NULL, false},
	{"qps", MODEL_INT, 0, "0", 0, 100000000, NULL, NULL, false},
};

static const struct model_column vip_node[] = {
	{"vip", MODEL_IDENT, KEY, NULL, 0, 0, NULL, "vip", true},
	{"node", MODEL_IDENT, KEY, NULL, 0, 0, NULL, "node", false},
	{"priority", MODEL_INT, 0, "100", 1, 254, NULL, NULL, false},
	{"interface", MODEL_IDENT, MODEL_REQUIRED, NULL, 0, 15, NULL, NULL,
		false},
};

/* What all ispdns-ha have in common. */
static const struct model_column ha[] = {
	{"linger_ms", MODEL_INT, 0, "2000", 0, 60000, NULL, NULL, false},
	{"realtime", MODEL_BOOL, 0, "true", 0, 0, NULL, NULL, false},
	{"probe_name", MODEL_NAME, 0, "\"health.ispdns.invalid.\"", 0, 0, NULL,
		NULL, false},
	{"probe_port", MODEL_INT, 0, "53", 1, 65535, NULL, NULL, false},
	{"probe_interval_ms", MODEL_INT, 0, "500", 100, 60000, NULL, NULL,
		false},
	{"probe_timeout_ms", MODEL_INT, 0, "300", 10, 10000, NULL, NULL, false},
	{"probe_fall", MODEL_INT, 0, "2", 1, 3, NULL, NULL, false},
	{"handover_port", MODEL_INT, 0, "7112", 1, 65535, NULL, NULL, false},
	{"fencing", MODEL_TEXT, MODEL_LIST | MODEL_REPEAT, "[]", 0, 8, NULL,
		NULL, false},
	{"fencing_timeout_ms", MODEL_INT, 0, "10000", 100, 60000, NULL, NULL,
		false},
};

/* Addresses announced by a BGP daemon; `vip`: those of a virtual router. */
static const struct model_column anycast[] = {
	{"anycast", MODEL_IDENT, KEY, NULL, 0, 0, NULL, NULL, false},
	{"addresses", MODEL_PREFIX, MODEL_LIST, "[]", 0, 16, NULL, NULL, false},
	{"vip", MODEL_IDENT, MODEL_OPTIONAL, "\"\"", 0, 0, NULL, "vip", false},
	{"engine", MODEL_ENUM, 0, "\"bird\"", 0, 0, engines, NULL, false},
	{"engine_socket", MODEL_TEXT, MODEL_OPTIONAL, "\"\"", 0, 107, NULL,
		NULL, false},
	{"table", MODEL_INT, 0, "201", 1, INT32_MAX, NULL, NULL, false},
	{"metric", MODEL_INT, 0, "100", 1, INT32_MAX, NULL, NULL, false},
	{"drain_metric", MODEL_INT, 0, "1000", 2, INT32_MAX, NULL, NULL, false},
	{"drain_time_ms", MODEL_INT, 0, "5000", 0, 600000, NULL, NULL, false},
	{"linger_ms", MODEL_INT, 0, "10000", 0, 600000, NULL, NULL, false},
	{"last_man", MODEL_BOOL, 0, "false", 0, 0, NULL, NULL, false},
	{"track_frontend", MODEL_BOOL, 0, "true", 0, 0, NULL, NULL, false},
	{"track_probe", MODEL_BOOL, 0, "true", 0, 0, NULL, NULL, false},
};

/* metric 0 and engine "": those of the service. */
static const struct model_column anycast_node[] = {
	{"anycast", MODEL_IDENT, KEY, NULL, 0, 0, NULL, "anycast", true},
	{"node", MODEL_IDENT, KEY, NULL, 0, 0, NULL, "node", false},
	{"metric", MODEL_INT, 0, "0", 0, INT32_MAX, NULL, NULL, false},
	{"engine", MODEL_ENUM, MODEL_OPTIONAL, "\"\"", 0, 0, engines, NULL,
		false},
};

#define TABLE(table, text, bits)                                               \
	{                                                                      \
#table, text, bits, table, countof(table)                      \
	}

static const struct model_table tables[] = {
	TABLE(acl, "access list", 0),
	TABLE(acl_entry, "access list entry", 0),
	TABLE(limits, "limit", MODEL_SINGLE),
	TABLE(limit_override, "limit override", 0),
	TABLE(limit_exempt, "limit exemption", 0),
	TABLE(limit_misses, "limit on misses", MODEL_SINGLE),
	TABLE(block_policy, "block policy", MODEL_SINGLE),
	TABLE(policy, "policy", MODEL_SINGLE),
	TABLE(cache, "cache", MODEL_SINGLE),
	TABLE(frontend, "frontend", MODEL_SINGLE),
	TABLE(frontend_retry, "frontend retry", MODEL_SINGLE),
	TABLE(frontend_tcp, "frontend tcp", MODEL_SINGLE),
	TABLE(frontend_transfers, "frontend transfers", MODEL_SINGLE),
	TABLE(pool, "pool", 0),
	TABLE(backend, "backend", 0),
	TABLE(route, "route", 0),
	TABLE(rule, "rule", 0),
	TABLE(resolver, "resolver", MODEL_SINGLE),
	TABLE(forward, "forward", 0),
	TABLE(node, "node", MODEL_KEEP),
	TABLE(vip, "vip", 0),
	TABLE(vip_node, "vip node", 0),
	TABLE(ha, "ha", MODEL_SINGLE),
	TABLE(anycast, "anycast", 0),
	TABLE(anycast_node, "anycast node", 0),
};

const struct model_table *model_tables(size_t *count)
{
	*count = countof(tables);
	return tables;
}
