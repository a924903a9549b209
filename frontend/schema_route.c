/* SPDX-License-Identifier: ISC */
/*
 * The part of the table of frontend.yaml on routes, and on what else than
 * queries takes them.
 */

#include "frontend/schema.h"

#include "frontend/server.h"
#include "frontend/transfer.h"

#define MS(s) ((s)*1000LL)

static const struct schema_item prefix_item[] = {
	{.name = "", .type = SCHEMA_PREFIX, .help = "An address or prefix."},
	{.type = SCHEMA_END},
};

static const struct schema_item route_items[] = {
	{.name = "suffix",
		.type = SCHEMA_NAME,
		.required = true,
		.help = "This name and all below it; the longest suffix wins."},
	{.name = "pool",
		.type = SCHEMA_STRING,
		.required = true,
		.min = 1,
		.max = SERVER_NAME - 1,
		.help = "The pool that answers for it."},
	{.name = "allow_transfer",
		.type = SCHEMA_LIST,
		.dflt = "[]",
		.max = 1000,
		.children = prefix_item,
		.help = "Sources whose AXFR and IXFR go to that pool, of kind "
			"auth; they must be in acl, too. The backend sees our "
			"address, not theirs: let it ask for a TSIG key."},
	{.name = "allow_notify",
		.type = SCHEMA_LIST,
		.dflt = "[]",
		.max = 1000,
		.children = prefix_item,
		.help = "Likewise for NOTIFY; one backend of the pool hears "
			"it."},
	{.name = "allow_update",
		.type = SCHEMA_LIST,
		.dflt = "[]",
		.max = 1000,
		.children = prefix_item,
		.help = "Likewise for UPDATE; a pool with the primary server "
			"alone is wanted."},
	{.type = SCHEMA_END},
};

const struct schema_item schema_route[] = {
	{.name = "",
		.type = SCHEMA_MAP,
		.children = route_items,
		.help = "Where some names go."},
	{.type = SCHEMA_END},
};

const struct schema_item schema_transfers[] = {
	{.name = "max",
		.type = SCHEMA_INT,
		.dflt = "16",
		.min = 1,
		.max = TRANSFERS_MAX,
		.help = "Transfers at one time, per worker; each holds up to "
			"128 KiB."},
	{.name = "per_client",
		.type = SCHEMA_INT,
		.dflt = "4",
		.min = 1,
		.max = TRANSFERS_MAX,
		.help = "Of these, transfers of one address."},
	{.name = "idle",
		.type = SCHEMA_DURATION,
		.dflt = "30s",
		.min = 100,
		.max = MS(3600),
		.help = "A transfer ends when for so long the backend sends "
			"nothing or the client reads nothing."},
	{.name = "lifetime",
		.type = SCHEMA_DURATION,
		.dflt = "1h",
		.min = 100,
		.max = MS(86400),
		.help = "It ends after so long anyway."},
	{.name = "answer",
		.type = SCHEMA_DURATION,
		.dflt = "5s",
		.min = 50,
		.max = MS(300),
		.help = "Wait so long for the answer to a NOTIFY, an UPDATE or "
			"an IXFR over UDP."},
	{.type = SCHEMA_END},
};
