/* SPDX-License-Identifier: ISC */
#ifndef MGMT_CLI_IMPORT_DNSDIST_ENTRY_H
#define MGMT_CLI_IMPORT_DNSDIST_ENTRY_H

/* A statement of a dnsdist.conf, and what an addAction() in it says. In the
 * importer's arena. */

#include "mgmt/cli/import_dnsdist_set.h"

/* What became of a statement: said once, at the end. */
enum dd_outcome {
	DD_OPEN, /* not yet known */
	DD_NOT_NEEDED,
	DD_DONE,
	DD_MISSING, /* not imported */
	DD_FAILED,  /* an error was said */
};

struct dd_statement {
	struct dd_statement *next;
	unsigned line;
	const char *what; /* "addAction" */
	enum dd_outcome outcome;
	const char *text;
};

/* ---- selectors ---- */

/* MaxQPSRule, MaxQPSIPRule, QPSAction. */
struct dd_rate {
	long long qps, burst;
	long long v4, v6; /* leading bits that count together; 0: any */
	bool shared;      /* one bucket for all */
};

/* What all must be true of a query; NULL: of every one. A selector is a list
 * of these, of which one must be true. */
struct dd_match {
	struct dd_match *next;
	const struct dd_list *suffix, *exact, *qtype, *source;
	const char *qclass, *opcode, *transport; /* qclass "*": not IN */
	const char *rd, *dnssec;                 /* "set", "clear" */
	const struct dd_rate *rate;              /* and over this limit */
	bool rate_early; /* which counted more than what matches */
};

struct dd_sel {
	struct dd_match *first; /* NULL: never true */
	size_t count;
};

/* ---- rules ---- */

enum dd_act {
	DD_ACT_DROP,
	DD_ACT_REFUSE,
	DD_ACT_NXDOMAIN,
	DD_ACT_SERVFAIL,
	DD_ACT_NOTIMP,
	DD_ACT_TC,
	DD_ACT_POOL,
	DD_ACT_SPOOF,
	DD_ACT_ALLOW,
	DD_ACT_TAG,
	DD_ACT_RATE,       /* QPSAction: over it, drop */
	DD_ACT_SET_POOL,   /* PoolAction(pool, false): goes on */
	DD_ACT_NO_RECURSE, /* likewise */
};

struct dd_entry {
	struct dd_entry *next;
	struct dd_statement *st;
	unsigned line;
	const char *name; /* given, else NULL */
	struct dd_sel sel;
	bool inverted; /* it is meant for all that `sel` does not match */
	enum dd_act act;
	const char *pool, *tag, *tag_value;
	const struct dd_list *addresses;
	long long ttl_s; /* of addresses; < 0: not given */
	const struct dd_rate *rate;
	bool taken;  /* by the chain: became something else than a rule */
	bool relay;  /* so: what routes allow */
	bool policy; /* on transfers, wherever it stands */
};

#endif
