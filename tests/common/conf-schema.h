/* SPDX-License-Identifier: ISC */
#ifndef TESTS_COMMON_CONF_SCHEMA_H
#define TESTS_COMMON_CONF_SCHEMA_H

/* A schema with one of each, for conf-t and the fuzz target. */

#include "common/ctl/schema.h"

static const char *const test_colours[] = {"red", "green", "off", NULL};

static const struct schema_item test_word[] = {
	{.name = "", .type = SCHEMA_STRING, .help = "A word."}};

static const struct schema_item test_listen[] = {
	{.name = "", .type = SCHEMA_ADDR, .min = 53, .help = "An address."}};

static const struct schema_item test_prefixes[] = {
	{.name = "", .type = SCHEMA_PREFIX, .help = "A prefix."}};

static const struct schema_item test_limit[] = {
	{.name = "qps",
		.type = SCHEMA_INT,
		.dflt = "200",
		.min = 0,
		.max = 1000000,
		.help = "Queries per second."},
	{.name = "window",
		.type = SCHEMA_DURATION,
		.dflt = "1s",
		.min = 10,
		.max = 60000,
		.help = "Over which time."},
	{.type = SCHEMA_END}};

static const struct schema_item test_backend[] = {{.name = "name",
							  .type = SCHEMA_STRING,
							  .required = true,
							  .min = 1,
							  .max = 8,
							  .help = "Name."},
	{.name = "address",
		.type = SCHEMA_ADDR,
		.min = 53,
		.required = true,
		.help = "Where."},
	{.name = "weight", .type = SCHEMA_INT, .dflt = "1", .help = "Share."},
	{.type = SCHEMA_END}};

static const struct schema_item test_backend_item[] = {{.name = "",
	.type = SCHEMA_MAP,
	.children = test_backend,
	.help = "A backend."}};

static const struct schema_item test_pool[] = {
	{.name = "backends",
		.type = SCHEMA_LIST,
		.children = test_backend_item,
		.dflt = "[]",
		.max = 3,
		.help = "Members."},
	{.name = "cache", .type = SCHEMA_BOOL, .dflt = "true", .help = "Use."},
	{.type = SCHEMA_END}};

static const struct schema_item test_pool_item[] = {{.name = "",
	.type = SCHEMA_MAP,
	.children = test_pool,
	.help = "A pool."}};

static const struct schema_item test_schema[] = {
	{.name = "workers",
		.type = SCHEMA_INT,
		.dflt = "1",
		.min = 1,
		.max = 64,
		.reload = SCHEMA_RESTART,
		.help = "Threads."},
	{.name = "listen",
		.type = SCHEMA_LIST,
		.children = test_listen,
		.dflt = "[\"127.0.0.1:53\", \"[::1]\"]",
		.reload = SCHEMA_RESTART,
		.help = "Addresses."},
	{.name = "colour",
		.type = SCHEMA_ENUM,
		.choices = test_colours,
		.dflt = "red",
		.help = "Colour."},
	{.name = "ratio",
		.type = SCHEMA_REAL,
		.dflt = "0.5",
		.max = 1,
		.help = "Share."},
	{.name = "memory",
		.type = SCHEMA_SIZE,
		.dflt = "64M",
		.unit = "octets",
		.help = "Memory."},
	{.name = "source", .type = SCHEMA_IP, .help = "Source address."},
	{.name = "acl",
		.type = SCHEMA_LIST,
		.children = test_prefixes,
		.help = "Who may."},
	{.name = "zone", .type = SCHEMA_NAME, .help = "A zone."},
	{.name = "key", .type = SCHEMA_PATH, .help = "A file."},
	{.name = "cert", .type = SCHEMA_PATH, .dflt = "", .help = "A file."},
	{.name = "words",
		.type = SCHEMA_LIST,
		.children = test_word,
		.help = "Words."},
	{.name = "note",
		.type = SCHEMA_STRING,
		.dflt = "",
		.max = 200,
		.help = "Text."},
	{.name = "limit",
		.type = SCHEMA_MAP,
		.children = test_limit,
		.dflt = "{}",
		.help = "Limit."},
	{.name = "extra",
		.type = SCHEMA_MAP,
		.children = test_limit,
		.help = "Absent unless given."},
	{.name = "pools",
		.type = SCHEMA_DICT,
		.children = test_pool_item,
		.dflt = "{}",
		.help = "Pools by name."},
	{.type = SCHEMA_END}};

#endif
