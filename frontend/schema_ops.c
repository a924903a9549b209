/* SPDX-License-Identifier: ISC */
/*
 * The part of the table of frontend.yaml that serves the operator more than
 * the client.
 */

#include "frontend/schema.h"

const struct schema_item schema_cookies[] = {
	{.name = "enabled",
		.type = SCHEMA_BOOL,
		.dflt = "true",
		.help = "Answer DNS cookies of clients (RFC 7873); one with a "
			"good cookie has a limit that no forged query uses "
			"up."},
	{.name = "secret",
		.type = SCHEMA_STRING,
		.secret = true,
		.min = 32,
		.max = 32,
		.help = "32 hex digits, the same on both nodes of a pair; "
			"without this and secret_file: a random one, new at "
			"each start."},
	{.name = "previous",
		.type = SCHEMA_STRING,
		.secret = true,
		.min = 32,
		.max = 32,
		.help = "A second secret whose cookies are accepted: the one "
			"before, or the next one while it is rolled out."},
	{.name = "secret_file",
		.type = SCHEMA_PATH,
		.help = "Instead of both: a file of one or two lines, secret "
			"and previous."},
	{.type = SCHEMA_END},
};

const struct schema_item schema_blocks[] = {
	{.name = "file",
		.type = SCHEMA_PATH,
		.help = "Blocks are kept here over a restart; without: in the "
			"file \"blocks\" of the service's state directory "
			"($STATE_DIRECTORY), or not at all.",
		.reload = SCHEMA_RESTART},
	{.type = SCHEMA_END},
};

const struct schema_item schema_top[] = {
	{.name = "enabled",
		.type = SCHEMA_BOOL,
		.dflt = "true",
		.help = "Count them (half a megabyte per worker)."},
	{.name = "window",
		.type = SCHEMA_DURATION,
		.dflt = "1m",
		.min = 1000,
		.max = 3600000,
		.help = "The table covers the last one to two windows."},
	{.type = SCHEMA_END},
};

const struct schema_item schema_drop_log[] = {
	{.name = "lines_per_second",
		.type = SCHEMA_INT,
		.dflt = "1",
		.min = 0,
		.max = 100,
		.help = "At most so many: reason, client, name, type, and how "
			"many since the last line of that reason; 0: none."},
	{.type = SCHEMA_END},
};
