/* SPDX-License-Identifier: ISC */
/* The commands that configure the frontends, and say what they do. */
#include "mgmt/cli/table.h"

#define OPT_LIST OPT("list", "list", PARAM_TEXT, "access list (clients)")

static const struct param p_acl_list[] = {MAY("list", "LIST", PARAM_TEXT)};

static const struct param p_acl_add[] = {
	ARG("prefix", "PREFIX", PARAM_TEXT),
	OPT_LIST,
	OPT("action", "action", PARAM_TEXT, "allow (default) or deny"),
	OPT("deny", "deny", PARAM_BOOL, "same as --action deny"),
};

static const struct param p_acl_del[] = {
	ARG("prefix", "PREFIX", PARAM_TEXT),
	OPT_LIST,
};

static const struct param p_acl_set[] = {
	OPT_LIST,
	NEED("action", "action", PARAM_TEXT, "refuse or drop all others"),
};

static const struct param p_acl_test[] = {
	ARG("ip", "ADDRESS", PARAM_TEXT),
	OPT_LIST,
};

static const struct param p_limit_set[] = {
	OPT("qps", "qps", PARAM_INT, "queries a second; 0: no limit"),
	OPT("burst", "burst", PARAM_INT, "queries at once"),
	OPT("action", "action", PARAM_TEXT, "drop, tc, refuse or cache-only"),
	OPT("v4_prefix", "v4-prefix", PARAM_INT, "bits that count together"),
	OPT("v6_prefix", "v6-prefix", PARAM_INT, "bits that count together"),
	OPT("table_size", "table-size", PARAM_INT, "clients remembered"),
};

static const struct param p_limit_override[] = {
	ARG("prefix", "PREFIX", PARAM_TEXT),
	OPT("qps", "qps", PARAM_INT, "queries a second; 0: no limit"),
	OPT("burst", "burst", PARAM_INT, "queries at once"),
	OPT("action", "action", PARAM_TEXT, "drop, tc, refuse or cache-only"),
	OPT("miss_qps", "miss-qps", PARAM_INT,
		"of questions to backends; 0: no limit, -1: as others"),
	OPT("miss_burst", "miss-burst", PARAM_INT, "at once; 0: miss-qps"),
};

static const struct param p_misses[] = {
	OPT("client_qps", "client-qps", PARAM_INT,
		"questions a second of one source; 0: no limit"),
	OPT("client_burst", "client-burst", PARAM_INT, "at once; 0: qps"),
	OPT("suffix_qps", "suffix-qps", PARAM_INT,
		"questions a second for one suffix; 0: no limit"),
	OPT("suffix_burst", "suffix-burst", PARAM_INT, "at once; 0: qps"),
	OPT("labels", "labels", PARAM_INT, "of a name that are its suffix"),
	OPT("registries", "registries", PARAM_LIST,
		"names below which it is one label more, as co.uk"),
	OPT("action", "action", PARAM_TEXT,
		"when there is no expired answer: drop, tc, refuse"),
};

static const struct param p_blocks[] = {
	OPT("qps", "qps", PARAM_INT,
		"queries a second of a source; 0: not for that"),
	OPT("nxdomain_percent", "nxdomain-percent", PARAM_INT,
		"share of its answers; 0: not for that"),
	OPT("servfail_percent", "servfail-percent", PARAM_INT,
		"share of its answers; 0: not for that"),
	OPT("min_answers", "min-answers", PARAM_INT,
		"in the window before shares count"),
	OPT("window_ms", "window-ms", PARAM_INT, "over which is counted"),
	OPT("duration_s", "duration", PARAM_INT, "seconds that it is blocked"),
	OPT("action", "action", PARAM_TEXT, "drop, refuse, tc, nxdomain, log"),
	OPT("max", "max", PARAM_INT, "sources at one time, 1..512"),
	OPT("exempt", "exempt", PARAM_LIST,
		"never blocked so, beside limit exempt"),
	OPT("table_size", "table-size", PARAM_INT,
		"sources watched; counts from the next start"),
};

static const struct param p_block_add[] = {
	ARG("target", "PREFIX|NAME", PARAM_TEXT),
	OPT("suffix", "suffix", PARAM_BOOL, "a name, and all below it"),
	OPT("for_s", "for", PARAM_INT, "seconds, or 10m, 1h; without: 10m"),
	OPT("action", "action", PARAM_TEXT,
		"drop (default), refuse, tc, nxdomain, log"),
};

static const struct param p_block_remove[] = {
	ARG("target", "PREFIX|NAME", PARAM_TEXT),
	OPT("suffix", "suffix", PARAM_BOOL, "it is a name"),
};

static const struct param p_prefix[] = {ARG("prefix", "PREFIX", PARAM_TEXT)};

static const struct param p_policy[] = {
	OPT("any", "any", PARAM_TEXT, "type ANY: allow, drop, refuse, tc"),
	OPT("chaos", "chaos", PARAM_TEXT, "other classes: allow, drop, refuse"),
	OPT("transfer", "transfer", PARAM_TEXT, "AXFR, IXFR: refuse, drop"),
	OPT("empty", "empty", PARAM_TEXT,
		"without a question: formerr, notimp, drop"),
};

static const struct param p_pool[] = {ARG("pool", "POOL", PARAM_TEXT)};

static const struct param p_pool_set[] = {
	ARG("pool", "POOL", PARAM_TEXT),
	OPT("policy", "policy", PARAM_TEXT,
		"leastOutstanding, firstAvailable, roundrobin, wrandom, "
		"chashed"),
	OPT("cache", "cache", PARAM_BOOL, "keep answers"),
	OPT("kind", "kind", PARAM_TEXT,
		"auth (AA kept), rec (RA set), auto (by name and checks)"),
	OPT("tiers", "tiers", PARAM_BOOL,
		"only the lowest order that works is asked"),
	OPT("no_server", "no-server", PARAM_TEXT,
		"when none may be asked: servfail, drop"),
	OPT("ecs", "ecs", PARAM_TEXT,
		"the client's subnet: strip, forward (its own), add"),
};

static const struct param p_backend_list[] = {MAY("pool", "POOL", PARAM_TEXT)};

#define BACKEND_OPTIONS                                                        \
	OPT("weight", "weight", PARAM_INT, "1..1000"),                         \
		OPT("order", "order", PARAM_INT,                               \
			"firstAvailable, tiers: the lowest first"),            \
		OPT("qps", "qps", PARAM_INT,                                   \
			"firstAvailable: then the next one; 0: no limit"),     \
		OPT("check.name", "check-name", PARAM_TEXT, "name to probe"),  \
		OPT("check.type", "check-type", PARAM_TEXT, "type to probe"),  \
		OPT("check.interval_ms", "check-interval-ms", PARAM_INT,       \
			NULL),                                                 \
		OPT("check.timeout_ms", "check-timeout-ms", PARAM_INT, NULL),  \
		OPT("check.rise", "check-rise", PARAM_INT, NULL),              \
		OPT("check.fall", "check-fall", PARAM_INT, NULL),              \
		OPT("check.aa", "check-aa", PARAM_BOOL,                        \
			"must be authoritative"),                              \
		OPT("check.min_serial", "check-min-serial", PARAM_INT,         \
			"of the SOA at least; 0: any"),                        \
		OPT("check.random_label", "check-random-label", PARAM_BOOL,    \
			"before the name, so no cache answers"),               \
		OPT("check.rcode", "check-rcode", PARAM_TEXT,                  \
			"that is good, or ANY; \"\": NOERROR, NXDOMAIN"),      \
		OPT("check.lazy", "check-lazy", PARAM_BOOL,                    \
			"only while real queries fail"),                       \
		OPT("check.enabled", "check-enabled", PARAM_BOOL,              \
			"false: up until real queries fail")

static const struct param p_backend_add[] = {
	ARG("pool", "POOL", PARAM_TEXT),
	ARG("name", "NAME", PARAM_TEXT),
	ARG("address", "ADDRESS[:PORT]", PARAM_TEXT),
	BACKEND_OPTIONS,
};

static const struct param p_backend_set[] = {
	ARG("pool", "POOL", PARAM_TEXT),
	ARG("name", "NAME", PARAM_TEXT),
	OPT("address", "address", PARAM_TEXT, NULL),
	BACKEND_OPTIONS,
};

static const struct param p_backend_del[] = {
	ARG("pool", "POOL", PARAM_TEXT),
	ARG("name", "NAME", PARAM_TEXT),
};

static const struct param p_backend_mode[] = {
	ARG("name", "NAME", PARAM_TEXT),
	MAY("pool", "POOL", PARAM_TEXT),
};

static const struct param p_flush[] = {
	MAY("name", "NAME", PARAM_TEXT),
	OPT("suffix", "suffix", PARAM_BOOL, "and all below it"),
};

#define ROUTE_OPTIONS                                                          \
	OPT("allow_transfer", "allow-transfer", PARAM_LIST,                    \
		"sources whose AXFR and IXFR go there (also in the acl)"),     \
		OPT("allow_notify", "allow-notify", PARAM_LIST,                \
			"likewise for NOTIFY"),                                \
		OPT("allow_update", "allow-update", PARAM_LIST,                \
			"likewise for UPDATE")

static const struct param p_route_add[] = {
	ARG("suffix", "SUFFIX", PARAM_TEXT),
	ARG("pool", "POOL", PARAM_TEXT),
	ROUTE_OPTIONS,
};

static const struct param p_route_set[] = {
	ARG("suffix", "SUFFIX", PARAM_TEXT),
	MAY("pool", "POOL", PARAM_TEXT),
	ROUTE_OPTIONS,
};

static const struct param p_suffix[] = {ARG("suffix", "SUFFIX", PARAM_TEXT)};
static const struct param p_route_test[] = {ARG("name", "NAME", PARAM_TEXT)};

#define RULE_OPTIONS                                                           \
	OPT("position", "position", PARAM_INT,                                 \
		"place in the order (1000); equal ones by name"),              \
		OPT("suffix", "suffix", PARAM_LIST,                            \
			"these names and all below them"),                     \
		OPT("exact", "exact", PARAM_LIST, "these names themselves"),   \
		OPT("qtype", "qtype", PARAM_LIST, "A, TXT, TYPE65280 ..."),    \
		OPT("qclass", "qclass", PARAM_TEXT, "such as CH"),             \
		OPT("opcode", "opcode", PARAM_TEXT,                            \
			"QUERY, STATUS, NOTIFY, UPDATE"),                      \
		OPT("transport", "transport", PARAM_TEXT, "udp, tcp"),         \
		OPT("source", "source", PARAM_LIST, "clients of prefixes"),    \
		OPT("rd", "rd", PARAM_TEXT, "RD is: set, clear"),              \
		OPT("dnssec", "dnssec", PARAM_TEXT, "DO is: set, clear"),      \
		OPT("pool", "pool", PARAM_TEXT, "of actions pool, set-pool"),  \
		OPT("addresses", "addresses", PARAM_LIST, "of action spoof"),  \
		OPT("ttl_s", "ttl", PARAM_INT, "seconds, of action spoof"),    \
		OPT("qps", "qps", PARAM_INT,                                   \
			"queries a second, of action rate-limit"),             \
		OPT("burst", "burst", PARAM_INT, "queries at once; 0: qps"),   \
		OPT("per", "per", PARAM_TEXT, "of each client, or the rule"),  \
		OPT("over", "over", PARAM_TEXT,                                \
			"drop, tc, refuse or cache-only"),                     \
		OPT("tag", "tag", PARAM_TEXT, "label, of action tag")

#define RULE_ACTIONS                                                           \
	"allow, drop, refuse, nxdomain, servfail, notimp, truncate, pool, "    \
	"spoof, rate-limit, tag, set-pool, no-recurse"

static const struct param p_rule[] = {ARG("name", "NAME", PARAM_TEXT)};

static const struct param p_rule_add[] = {
	ARG("name", "NAME", PARAM_TEXT),
	NEED("action", "action", PARAM_TEXT, RULE_ACTIONS),
	RULE_OPTIONS,
};

static const struct param p_rule_set[] = {
	ARG("name", "NAME", PARAM_TEXT),
	OPT("action", "action", PARAM_TEXT, RULE_ACTIONS),
	RULE_OPTIONS,
};

static const struct param p_cache[] = {
	OPT("entries", "entries", PARAM_INT, "answers kept"),
	OPT("memory", "memory", PARAM_INT, "octets"),
	OPT("max_ttl_s", "max-ttl", PARAM_INT, "seconds"),
	OPT("min_ttl_s", "min-ttl", PARAM_INT, "seconds"),
	OPT("max_negative_ttl_s", "max-negative-ttl", PARAM_INT, "seconds"),
	OPT("failure_ttl_s", "failure-ttl", PARAM_INT, "seconds"),
	OPT("stale_s", "stale", PARAM_INT, "seconds after expiry; 0: never"),
	OPT("truncated_ttl_s", "truncated-ttl", PARAM_INT,
		"seconds, of answers with TC for UDP; 0: not kept"),
	OPT("prefetch", "prefetch", PARAM_BOOL,
		"ask for popular answers before their end"),
	OPT("cap_served_ttl", "cap-served-ttl", PARAM_BOOL,
		"max-ttl bounds what clients see"),
	OPT("keep", "keep", PARAM_BOOL,
		"over a restart, in a file; counts from the next start"),
};

static const struct param p_frontend[] = {
	OPT("udp_size", "udp-size", PARAM_INT,
		"largest answer over UDP, octets"),
	OPT("freebind", "freebind", PARAM_BOOL,
		"listen on addresses that come later"),
	OPT("inflight", "inflight", PARAM_INT,
		"queries that wait, per worker; counts from the next start"),
	OPT("inflight_per_client", "inflight-per-client", PARAM_INT,
		"of these, of one address"),
	OPT("sockets", "sockets", PARAM_INT,
		"source ports for each backend and worker"),
	OPT("socket_queries", "socket-queries", PARAM_INT,
		"until a port is replaced; 0: never"),
	OPT("cookies", "cookies", PARAM_BOOL, "answer DNS cookies"),
	OPT("cookie_secret", "cookie-secret", PARAM_INT,
		"number of their secret; cookies of the one before are good"),
	OPT("top", "top", PARAM_BOOL, "count for show top"),
	OPT("top_window_s", "top-window", PARAM_INT, "seconds"),
	OPT("drop_lines", "drop-lines", PARAM_INT,
		"examples of drops in the log, a second; 0: none"),
	OPT("metrics_listen", "metrics-listen", PARAM_TEXT,
		"of /metrics; \"\": none; counts from the next start"),
};

static const struct param p_retry[] = {
	OPT("timeout_ms", "timeout-ms", PARAM_INT,
		"wait so long before another is asked too"),
	OPT("tries", "tries", PARAM_INT, "questions for one query"),
	OPT("deadline_ms", "deadline-ms", PARAM_INT,
		"then a stale answer or SERVFAIL"),
	OPT("hedge", "hedge", PARAM_BOOL,
		"ask another when the first is slower than mostly"),
};

static const struct param p_transfers[] = {
	OPT("max", "max", PARAM_INT, "at one time, per worker"),
	OPT("per_client", "per-client", PARAM_INT, "of one address"),
	OPT("idle_ms", "idle-ms", PARAM_INT, "then it is ended"),
	OPT("lifetime_s", "lifetime", PARAM_INT, "seconds, then anyway"),
	OPT("answer_ms", "answer-ms", PARAM_INT,
		"wait for the answer to a NOTIFY or UPDATE"),
};

static const struct param p_tcp[] = {
	OPT("connections", "connections", PARAM_INT, "per worker"),
	OPT("per_client", "per-client", PARAM_INT, "of one address"),
	OPT("per_net", "per-net", PARAM_INT,
		"of one /24 (IPv6: /56); 0: no limit"),
	OPT("queries", "queries", PARAM_INT, "of one connection; 0: no limit"),
	OPT("lifetime_s", "lifetime", PARAM_INT, "seconds; 0: no limit"),
	OPT("idle_ms", "idle-ms", PARAM_INT, "then it is closed"),
	OPT("message_ms", "message-ms", PARAM_INT,
		"for one whole message to arrive"),
	OPT("inflight", "inflight", PARAM_INT,
		"unanswered queries of one connection"),
	OPT("reads", "reads", PARAM_INT, "pieces of one message; 0: no limit"),
	OPT("ban_s", "ban", PARAM_INT,
		"seconds for a client that needs more; 0: none"),
};

#define COLUMNS_BACKEND                                                        \
	"POOL:pool NAME:name ADDRESS:address WEIGHT:weight "                   \
	"ORDER:order QPS:qps STATE:state"
#define COLUMNS_ACL "LIST:list PREFIX:prefix ACTION:action"

static const struct command commands[] = {
	{"acl list", "acl.list", NONE, NULL,
		"LIST:list OTHERS:action ENTRIES:entries", "access lists"},
	{"acl show", "acl.show", WITH(p_acl_list), run_acl, NULL,
		"entries of a list"},
	{"acl add", "acl.add", WITH(p_acl_add), run_acl, NULL,
		"allow or deny a prefix"},
	{"acl del", "acl.del", WITH(p_acl_del), run_acl, NULL,
		"remove a prefix"},
	{"acl set", "acl.set", WITH(p_acl_set), run_acl, NULL,
		"what others get"},
	{"acl test", "acl.test", WITH(p_acl_test), run_acl, NULL,
		"what an address gets"},
	{"limit stats", "limits", NONE, run_frontends,
		"NODE:node QPS:qps SOURCES:sources DROPPED:dropped "
		"REFUSED:refused TRUNCATED:truncated CACHE_ONLY:cache_only",
		"what the limits did"},
	{"limit list", "limit.list", NONE, NULL, NULL, "query limits"},
	{"limit set", "limit.set", WITH(p_limit_set), NULL, NULL,
		"queries per second and client"},
	{"limit override", "limit.override", WITH(p_limit_override), NULL, NULL,
		"another limit for a prefix (CGNAT)"},
	{"limit del", "limit.del", WITH(p_prefix), NULL, NULL,
		"remove an override"},
	{"limit exempt list", "limit.exempt.list", NONE, NULL, "PREFIX:prefix",
		"sources without any limit"},
	{"limit exempt add", "limit.exempt.add", WITH(p_prefix), NULL, NULL,
		"no limit for a prefix, such as our monitoring"},
	{"limit exempt del", "limit.exempt.del", WITH(p_prefix), NULL, NULL,
		"limits hold for it again"},
	{"limit misses show", "limit.misses.show", NONE, NULL, NULL,
		"limits on questions that a backend is asked"},
	{"limit misses set", "limit.misses.set", WITH(p_misses), NULL, NULL,
		"change them: against floods of random names"},
	{"block list", "block.list", NONE, run_block_list,
		"KIND:kind TARGET:target ACTION:action REASON:reason "
		"LEFT_S:left_s QUERIES:queries SPARES_PROVEN:spares_proven "
		"NODES:nodes",
		"what all frontends do not answer for a while"},
	{"block add", "block.add", WITH(p_block_add), run_block, NULL,
		"on all frontends, at once, for a while; no apply needed"},
	{"block remove", "block.remove", WITH(p_block_remove), run_block, NULL,
		"answer it again"},
	{"block policy show", "block.policy.show", NONE, NULL, NULL,
		"when frontends block a source by themselves"},
	{"block policy set", "block.policy.set", WITH(p_blocks), NULL, NULL,
		"change it; off while qps and both shares are 0"},
	{"policy show", "policy.show", NONE, NULL, NULL,
		"ANY, CHAOS, transfers, no question"},
	{"policy set", "policy.set", WITH(p_policy), NULL, NULL,
		"change what they get"},
	{"frontend show", "frontend.show", NONE, NULL, NULL,
		"settings of all frontends"},
	{"frontend set", "frontend.set", WITH(p_frontend), NULL, NULL,
		"change them"},
	{"frontend retry show", "frontend.retry.show", NONE, NULL, NULL,
		"what is done when a backend does not answer"},
	{"frontend retry set", "frontend.retry.set", WITH(p_retry), NULL, NULL,
		"change it"},
	{"frontend transfers show", "frontend.transfers.show", NONE, NULL, NULL,
		"limits on what routes hand on"},
	{"frontend transfers set", "frontend.transfers.set", WITH(p_transfers),
		NULL, NULL, "change them"},
	{"frontend tcp show", "frontend.tcp.show", NONE, NULL, NULL,
		"limits on clients' TCP connections"},
	{"frontend tcp set", "frontend.tcp.set", WITH(p_tcp), NULL, NULL,
		"change them"},
	{"pool list", "pool.list", NONE, NULL,
		"POOL:pool POLICY:policy TIERS:tiers CACHE:cache "
		"BACKENDS:backends",
		"pools of backends"},
	{"pool show", "pool.show", WITH(p_pool), NULL, NULL, "one pool"},
	{"pool create", "pool.create", WITH(p_pool_set), NULL, NULL,
		"a new pool"},
	{"pool set", "pool.set", WITH(p_pool_set), NULL, NULL,
		"policy, tiers, cache"},
	{"pool delete", "pool.delete", WITH(p_pool), NULL, NULL,
		"remove a pool and its backends"},
	{"backend list", "backend.list", WITH(p_backend_list), run_backend_list,
		COLUMNS_BACKEND, "backends, with the state frontends see"},
	{"backend stats", "servers", NONE, run_frontends,
		"NODE:node POOL:pool NAME:name ADDRESS:address STATE:state "
		"QUERIES:queries TIMEOUTS:timeouts SERVFAIL:servfail "
		"OUT:outstanding LATENCY_US:latency_us",
		"each backend as each frontend sees it"},
	{"backend drain", "backend", WITH(p_backend_mode), run_backend_mode,
		NULL, "no new queries to it, until undrain or restart"},
	{"backend undrain", "backend", WITH(p_backend_mode), run_backend_mode,
		NULL, "its probes decide again"},
	{"backend down", "backend", WITH(p_backend_mode), run_backend_mode,
		NULL, "take it as down whatever its probes say"},
	{"backend up", "backend", WITH(p_backend_mode), run_backend_mode, NULL,
		"take it as up whatever its probes say"},
	{"backend add", "backend.add", WITH(p_backend_add), NULL, NULL,
		"a server of a pool"},
	{"backend set", "backend.set", WITH(p_backend_set), NULL, NULL,
		"change it"},
	{"backend del", "backend.del", WITH(p_backend_del), NULL, NULL,
		"remove it"},
	{"route list", "route.list", NONE, NULL,
		"SUFFIX:suffix POOL:pool TRANSFER:allow_transfer "
		"NOTIFY:allow_notify UPDATE:allow_update",
		"which names go to which pool"},
	{"route add", "route.add", WITH(p_route_add), NULL, NULL,
		"a suffix to a pool; \".\" is the default"},
	{"route set", "route.set", WITH(p_route_set), NULL, NULL,
		"another pool for a suffix, or who may what there"},
	{"route del", "route.del", WITH(p_suffix), NULL, NULL,
		"remove a route"},
	{"route test", "route.test", WITH(p_route_test), NULL, NULL,
		"the pool of a name"},
	{"rule list", "rule.list", NONE, NULL,
		"POSITION:position NAME:name MATCH:match EFFECT:effect",
		"rules in the order in which frontends look at them"},
	{"rule show", "rule.show", WITH(p_rule), NULL, NULL, "one rule"},
	{"rule add", "rule.add", WITH(p_rule_add), NULL, NULL,
		"what is done with queries that match all that is given"},
	{"rule set", "rule.set", WITH(p_rule_set), NULL, NULL,
		"change it; another action drops what the old one had"},
	{"rule del", "rule.del", WITH(p_rule), NULL, NULL, "remove it"},
	{"cache show", "cache.show", NONE, NULL, NULL, "packet cache"},
	{"cache stats", "cache", NONE, run_frontends,
		"NODE:node ENTRIES:entries BYTES:bytes HITS:hits MISSES:misses "
		"RATIO:hit_ratio STALE:stale EVICTIONS:evictions",
		"what each frontend's cache does"},
	{"cache flush", "cache", WITH(p_flush), run_cache_flush, NULL,
		"forget all answers, a name's, or a suffix's"},
	{"cache set", "cache.set", WITH(p_cache), NULL, NULL, "change it"},
};

const struct command *table_frontend(size_t *count)
{
	*count = countof(commands);
	return commands;
}
