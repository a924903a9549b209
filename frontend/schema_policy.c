/* SPDX-License-Identifier: ISC */
/*
 * The part of the table of frontend.yaml that says who and what is answered,
 * and how often.
 */

#include "frontend/schema.h"

static const char *const acl_actions[] = {"refuse", "drop", NULL};
static const char *const any_actions[] = {
	"allow", "drop", "refuse", "tc", NULL};
static const char *const empty_actions[] = {"formerr", "notimp", "drop", NULL};
static const char *const chaos_actions[] = {"allow", "drop", "refuse", NULL};
static const char *const transfer_actions[] = {"refuse", "drop", NULL};
static const char *const limit_actions[] = {
	"drop", "tc", "refuse", "cache-only", NULL};

static const char *const block_actions[] = {
	"drop", "refuse", "tc", "nxdomain", "log", NULL};

static const struct schema_item prefix_item[] = {
	{.name = "", .type = SCHEMA_PREFIX, .help = "An address or prefix."},
	{.type = SCHEMA_END},
};

const struct schema_item schema_acl[] = {
	{.name = "allow",
		.type = SCHEMA_LIST,
		.dflt = "[127.0.0.0/8, \"::1/128\"]",
		.children = prefix_item,
		.help = "Sources that are answered; the longest prefix that "
			"holds a source decides."},
	{.name = "deny",
		.type = SCHEMA_LIST,
		.dflt = "[]",
		.children = prefix_item,
		.help = "Sources that are not, within those allowed."},
	{.name = "action",
		.type = SCHEMA_ENUM,
		.dflt = "refuse",
		.choices = acl_actions,
		.help = "What others get: REFUSED (10 a second for each, then "
			"nothing), or nothing."},
	{.type = SCHEMA_END},
};

const struct schema_item schema_policy[] = {
	{.name = "any",
		.type = SCHEMA_ENUM,
		.dflt = "drop",
		.choices = any_actions,
		.help = "Questions of type ANY; tc answers over TCP only."},
	{.name = "chaos",
		.type = SCHEMA_ENUM,
		.dflt = "drop",
		.choices = chaos_actions,
		.help = "Questions of any class but IN."},
	{.name = "transfer",
		.type = SCHEMA_ENUM,
		.dflt = "refuse",
		.choices = transfer_actions,
		.help = "AXFR and IXFR, but what a route allows."},
	{.name = "empty",
		.type = SCHEMA_ENUM,
		.dflt = "formerr",
		.choices = empty_actions,
		.help = "Queries without a question, unless they ask for a "
			"cookie."},
	{.type = SCHEMA_END},
};

static const struct schema_item client_miss_items[] = {
	{.name = "qps",
		.type = SCHEMA_INT,
		.dflt = "0",
		.min = 0,
		.max = 10000000,
		.unit = "1/s",
		.help = "Questions a second; 0: no limit."},
	{.name = "burst",
		.type = SCHEMA_INT,
		.dflt = "0",
		.min = 0,
		.max = 10000000,
		.help = "Questions at once; 0: as many as qps."},
	{.type = SCHEMA_END},
};

static const struct schema_item override_items[] = {
	{.name = "prefix",
		.type = SCHEMA_PREFIX,
		.required = true,
		.help = "Sources that this applies to."},
	{.name = "qps",
		.type = SCHEMA_INT,
		.required = true,
		.min = 0,
		.max = 10000000,
		.unit = "1/s",
		.help = "Queries a second of each address; 0: no limit."},
	{.name = "burst",
		.type = SCHEMA_INT,
		.min = 0,
		.max = 10000000,
		.dflt = "0",
		.help = "Queries at once; 0: as many as qps."},
	{.name = "action",
		.type = SCHEMA_ENUM,
		.dflt = "drop",
		.choices = limit_actions,
		.help = "What happens to queries over the limit."},
	{.name = "misses",
		.type = SCHEMA_MAP,
		.children = client_miss_items,
		.help = "Instead of limit.misses.per_client."},
	{.type = SCHEMA_END},
};

static const struct schema_item override_item[] = {
	{.name = "",
		.type = SCHEMA_MAP,
		.children = override_items,
		.help = "A limit of its own for some sources."},
	{.type = SCHEMA_END},
};

static const struct schema_item name_item[] = {
	{.name = "", .type = SCHEMA_NAME, .help = "A name."},
	{.type = SCHEMA_END},
};

static const struct schema_item suffix_miss_items[] = {
	{.name = "qps",
		.type = SCHEMA_INT,
		.dflt = "0",
		.min = 0,
		.max = 10000000,
		.unit = "1/s",
		.help = "Questions a second; 0: no limit."},
	{.name = "burst",
		.type = SCHEMA_INT,
		.dflt = "0",
		.min = 0,
		.max = 10000000,
		.help = "Questions at once; 0: as many as qps."},
	{.name = "labels",
		.type = SCHEMA_INT,
		.dflt = "2",
		.min = 1,
		.max = 127,
		.help = "Labels at the end of a name that make its suffix "
			"(below a route: the route's; below in-addr.arpa a "
			"/16, below ip6.arpa a /32)."},
	{.name = "registries",
		.type = SCHEMA_LIST,
		.dflt = "[]",
		.max = 100000,
		.children = name_item,
		.help = "Below these names, such as co.uk, the suffix is one "
			"label longer than they are."},
	{.type = SCHEMA_END},
};

static const struct schema_item miss_items[] = {
	{.name = "per_client",
		.type = SCHEMA_MAP,
		.dflt = "{}",
		.children = client_miss_items,
		.help = "Of one source."},
	{.name = "per_suffix",
		.type = SCHEMA_MAP,
		.dflt = "{}",
		.children = suffix_miss_items,
		.help = "For names with one suffix, of all sources: against "
			"floods of random names."},
	{.name = "action",
		.type = SCHEMA_ENUM,
		.dflt = "drop",
		.choices = limit_actions,
		.help = "What happens to questions over the limit for which "
			"there is no expired answer either, as in limit; "
			"cache-only is drop here."},
	{.type = SCHEMA_END},
};

const struct schema_item schema_limit[] = {
	{.name = "qps",
		.type = SCHEMA_INT,
		.dflt = "0",
		.min = 0,
		.max = 10000000,
		.unit = "1/s",
		.help = "Queries a second of each source; 0: no limit."},
	{.name = "burst",
		.type = SCHEMA_INT,
		.dflt = "0",
		.min = 0,
		.max = 10000000,
		.help = "Queries at once; 0: as many as qps."},
	{.name = "v4_prefix",
		.type = SCHEMA_INT,
		.dflt = "32",
		.min = 1,
		.max = 32,
		.unit = "bits",
		.help = "Leading bits of an IPv4 source that count."},
	{.name = "v6_prefix",
		.type = SCHEMA_INT,
		.dflt = "64",
		.min = 1,
		.max = 128,
		.unit = "bits",
		.help = "Leading bits of an IPv6 source that count."},
	{.name = "action",
		.type = SCHEMA_ENUM,
		.dflt = "drop",
		.choices = limit_actions,
		.help = "What happens to queries over the limit: nothing, TC "
			"(TCP has a limit of its own then; one who knows DNS "
			"cookies gets BADCOOKIE instead), REFUSED, or an "
			"answer from the cache only."},
	{.name = "table_size",
		.type = SCHEMA_INT,
		.dflt = "65536",
		.min = 64,
		.max = 1 << 26,
		.help = "Sources remembered (16 octets each)."},
	{.name = "overrides",
		.type = SCHEMA_LIST,
		.dflt = "[]",
		.children = override_item,
		.help = "Other limits for some sources, such as addresses "
			"behind which many subscribers live."},
	{.name = "misses",
		.type = SCHEMA_MAP,
		.dflt = "{}",
		.children = miss_items,
		.help = "Limits on questions that a backend would be asked, "
			"apart from those of the cache."},
	{.name = "exempt",
		.type = SCHEMA_LIST,
		.dflt = "[]",
		.children = prefix_item,
		.help = "Sources without any of these limits, such as our own "
			"monitoring."},
	{.type = SCHEMA_END},
};

const struct schema_item schema_dynamic[] = {
	{.name = "qps",
		.type = SCHEMA_INT,
		.dflt = "0",
		.min = 0,
		.max = 10000000,
		.unit = "1/s",
		.help = "A source with more queries a second, over the window, "
			"is blocked; 0: not for that."},
	{.name = "nxdomain_percent",
		.type = SCHEMA_INT,
		.dflt = "0",
		.min = 0,
		.max = 100,
		.unit = "%",
		.help = "So is one of whose answers this share is NXDOMAIN; 0: "
			"not for that."},
	{.name = "servfail_percent",
		.type = SCHEMA_INT,
		.dflt = "0",
		.min = 0,
		.max = 100,
		.unit = "%",
		.help = "Likewise for SERVFAIL."},
	{.name = "min_answers",
		.type = SCHEMA_INT,
		.dflt = "200",
		.min = 1,
		.max = 10000000,
		.help = "Answers within the window before shares count."},
	{.name = "window",
		.type = SCHEMA_DURATION,
		.dflt = "10s",
		.min = 100,
		.max = 3600000,
		.help = "Time over which is counted."},
	{.name = "duration",
		.type = SCHEMA_DURATION,
		.dflt = "1m",
		.min = 1000,
		.max = 86400000,
		.help = "Time for which a source is blocked."},
	{.name = "action",
		.type = SCHEMA_ENUM,
		.dflt = "tc",
		.choices = block_actions,
		.help = "What it gets: nothing, REFUSED, or TC over UDP and "
			"answers to who proves its address (TCP, a DNS "
			"cookie); NXDOMAIN; or, with log, all as before: the "
			"log and \"block list\" say so."},
	{.name = "max",
		.type = SCHEMA_INT,
		.dflt = "256",
		.min = 1,
		.max = 512,
		.help = "Sources blocked so at one time."},
	{.name = "exempt",
		.type = SCHEMA_LIST,
		.dflt = "[]",
		.children = prefix_item,
		.help = "Sources never blocked so, beside limit.exempt."},
	{.name = "table_size",
		.type = SCHEMA_INT,
		.dflt = "16384",
		.min = 64,
		.max = 1 << 24,
		.help = "Sources watched (40 octets each).",
		.reload = SCHEMA_RESTART},
	{.type = SCHEMA_END},
};
