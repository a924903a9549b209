/* SPDX-License-Identifier: ISC */
#ifndef COMMON_CTL_SCHEMA_H
#define COMMON_CTL_SCHEMA_H

/*
 * The table that describes a configuration file: it validates, fills in
 * defaults, prints the running configuration back, and makes the reference
 * page. One row per key.
 */

#include "common/base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum schema_type {
	SCHEMA_END,      /* last row of a table */
	SCHEMA_BOOL,     /* true, false, yes, no, on, off */
	SCHEMA_INT,      /* min..max */
	SCHEMA_DURATION, /* "5s", "300ms", "2m", "1h", plain number = seconds;
			    value in milliseconds, min..max too */
	SCHEMA_SIZE,     /* "64M", "1G", plain octets */
	SCHEMA_REAL,
	SCHEMA_STRING, /* min..max octets (max 0: 1024) */
	SCHEMA_ENUM,   /* one of choices; value = its index */
	SCHEMA_ADDR,   /* IP address with optional port; min = default port */
	SCHEMA_IP,     /* IP address without port */
	SCHEMA_PREFIX, /* CIDR */
	SCHEMA_NAME,   /* domain name; lower case, final dot */
	SCHEMA_PATH,   /* file; relative to the configuration file's folder */
	SCHEMA_MAP,    /* fixed keys: children */
	SCHEMA_LIST,   /* sequence of `item` (children[0], name "") */
	SCHEMA_DICT,   /* free keys -> children[0], e.g. pools by name */
};

enum schema_reload {
	SCHEMA_LIVE,
	SCHEMA_RESTART
};

struct schema_item {
	const char *name;
	enum schema_type type;
	const char *dflt; /* YAML text of the default; NULL: absent */
	int64_t min, max; /* range or count of a list/dict; 0,0: none */
	const char *const *choices; /* SCHEMA_ENUM, NULL-terminated */
	const struct schema_item *children;
	enum schema_reload reload;
	bool required;
	bool secret;      /* text: not shown to people (conf_show) */
	const char *unit; /* for the reference page; may be NULL */
	const char *help; /* one sentence; never NULL */
};

/* "integer", "domain name" ...: never NULL. */
const char *schema_type_name(enum schema_type type);
/* The row of that name, or NULL. */
const struct schema_item *schema_find(
	const struct schema_item *table, const char *name);
bool schema_is_scalar(const struct schema_item *item);
/* Is the table itself sound (names, help, choices, children, ranges)? For
 * tests. 0 or -EINVAL. */
int schema_check(const struct schema_item *table, struct err *err) MUST_CHECK;

#endif
