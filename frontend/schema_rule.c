/* SPDX-License-Identifier: ISC */
/* The part of the table of frontend.yaml that describes one rule. */

#include "frontend/rule.h"
#include "frontend/schema.h"

static const char *const actions[] = {"allow", "drop", "refuse", "nxdomain",
	"servfail", "notimp", "truncate", "pool", "spoof", "rate-limit", "tag",
	"set-pool", "no-recurse", NULL};
static const char *const opcodes[] = {
	"QUERY", "STATUS", "NOTIFY", "UPDATE", NULL};
static const char *const transports[] = {"udp", "tcp", NULL};
static const char *const over_actions[] = {
	"drop", "tc", "refuse", "cache-only", NULL};
static const char *const owners[] = {"client", "rule", NULL};

static const struct schema_item name_item[] = {
	{.name = "", .type = SCHEMA_NAME, .help = "A name."},
	{.type = SCHEMA_END},
};

static const struct schema_item type_item[] = {
	{.name = "",
		.type = SCHEMA_STRING,
		.min = 1,
		.max = 15,
		.help = "A type, such as AAAA or TYPE65280."},
	{.type = SCHEMA_END},
};

static const struct schema_item source_item[] = {
	{.name = "", .type = SCHEMA_PREFIX, .help = "An address or prefix."},
	{.type = SCHEMA_END},
};

static const struct schema_item address_item[] = {
	{.name = "", .type = SCHEMA_IP, .help = "An IPv4 or IPv6 address."},
	{.type = SCHEMA_END},
};

static const struct schema_item rule_items[] = {
	{.name = "name",
		.type = SCHEMA_STRING,
		.min = 1,
		.max = RULE_NAME - 1,
		.help = "Its name in tables and metrics, of letters, digits, "
			"_ . and -; without: #1 for the first, and so on."},
	{.name = "suffix",
		.type = SCHEMA_LIST,
		.min = 1,
		.max = 1000000,
		.children = name_item,
		.help = "Matches these names and all below them."},
	{.name = "exact",
		.type = SCHEMA_LIST,
		.min = 1,
		.max = 1000000,
		.children = name_item,
		.help = "Matches these names themselves."},
	{.name = "qtype",
		.type = SCHEMA_LIST,
		.min = 1,
		.max = 1000000,
		.children = type_item,
		.help = "Matches questions of these types."},
	{.name = "qclass",
		.type = SCHEMA_STRING,
		.min = 1,
		.max = 15,
		.help = "Matches questions of this class, such as CH."},
	{.name = "opcode",
		.type = SCHEMA_ENUM,
		.choices = opcodes,
		.help = "Matches messages with this opcode."},
	{.name = "transport",
		.type = SCHEMA_ENUM,
		.choices = transports,
		.help = "Matches what comes over this."},
	{.name = "rd",
		.type = SCHEMA_BOOL,
		.help = "Matches what comes with RD set (true), or clear."},
	{.name = "dnssec",
		.type = SCHEMA_BOOL,
		.help = "Matches what comes with DO set (true), or clear."},
	{.name = "source",
		.type = SCHEMA_LIST,
		.min = 1,
		.max = 1000000,
		.children = source_item,
		.help = "Matches clients of these prefixes."},
	{.name = "action",
		.type = SCHEMA_ENUM,
		.required = true,
		.choices = actions,
		.help = "What is done: allow (no rule behind it is looked at, "
			"nor policy.any and policy.chaos), drop, refuse, "
			"nxdomain, servfail, notimp, truncate (TC over UDP; "
			"passed over on TCP), "
			"pool, spoof, rate-limit (goes on while within it), "
			"tag (counts and goes on), set-pool (as pool, and goes "
			"on), no-recurse (the backend is asked without RD, and "
			"its answer kept apart from others; goes on)."},
	{.name = "pool",
		.type = SCHEMA_STRING,
		.min = 1,
		.max = RULE_NAME - 1,
		.help = "Actions pool and set-pool: the pool that answers."},
	{.name = "addresses",
		.type = SCHEMA_LIST,
		.min = 1,
		.max = 2L * SPOOF_MAX,
		.children = address_item,
		.help = "Action spoof: the answer to A and AAAA, all of them "
			"to ANY; other types are empty."},
	{.name = "ttl",
		.type = SCHEMA_DURATION,
		.min = 0,
		.max = 604800000,
		.help = "Action spoof: the TTL of these; without: 60s."},
	{.name = "qps",
		.type = SCHEMA_INT,
		.min = 1,
		.max = 10000000,
		.unit = "1/s",
		.help = "Action rate-limit: queries a second."},
	{.name = "burst",
		.type = SCHEMA_INT,
		.min = 1,
		.max = 10000000,
		.help = "Action rate-limit: queries at once; without: as many "
			"as qps."},
	{.name = "per",
		.type = SCHEMA_ENUM,
		.choices = owners,
		.help = "Action rate-limit: of each client (by the prefixes of "
			"limit), or of all that match; without: client."},
	{.name = "over",
		.type = SCHEMA_ENUM,
		.choices = over_actions,
		.help = "Action rate-limit: what happens over it, as in limit; "
			"without: drop."},
	{.name = "tag",
		.type = SCHEMA_STRING,
		.min = 1,
		.max = RULE_NAME - 1,
		.help = "Action tag: the label in the metrics, spelt like a "
			"name."},
	{.type = SCHEMA_END},
};

const struct schema_item schema_rule[] = {
	{.name = "",
		.type = SCHEMA_MAP,
		.children = rule_items,
		.help = "What a query must be (all that is given must match), "
			"and what is done then."},
	{.type = SCHEMA_END},
};
