-- SPDX-License-Identifier: ISC
-- Version 2: what frontends do with some queries, and with some sources.

-- `pool` is '' or a pool (the program checks it, as it does for all).
CREATE TABLE rule (
	name TEXT PRIMARY KEY,
	position INTEGER NOT NULL,
	suffix TEXT NOT NULL,
	exact TEXT NOT NULL,
	qtype TEXT NOT NULL,
	qclass TEXT NOT NULL,
	opcode TEXT NOT NULL,
	transport TEXT NOT NULL,
	source TEXT NOT NULL,
	action TEXT NOT NULL,
	pool TEXT NOT NULL,
	addresses TEXT NOT NULL,
	ttl_s INTEGER NOT NULL,
	qps INTEGER NOT NULL,
	burst INTEGER NOT NULL,
	per TEXT NOT NULL,
	over TEXT NOT NULL,
	tag TEXT NOT NULL
) STRICT;

CREATE TABLE limit_exempt (
	prefix TEXT PRIMARY KEY
) STRICT;

CREATE TABLE limit_misses (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	client_qps INTEGER NOT NULL,
	client_burst INTEGER NOT NULL,
	suffix_qps INTEGER NOT NULL,
	suffix_burst INTEGER NOT NULL,
	labels INTEGER NOT NULL,
	registries TEXT NOT NULL,
	action TEXT NOT NULL
) STRICT;

CREATE TABLE block_policy (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	qps INTEGER NOT NULL,
	nxdomain_percent INTEGER NOT NULL,
	servfail_percent INTEGER NOT NULL,
	min_answers INTEGER NOT NULL,
	window_ms INTEGER NOT NULL,
	duration_s INTEGER NOT NULL,
	action TEXT NOT NULL,
	max INTEGER NOT NULL,
	exempt TEXT NOT NULL,
	table_size INTEGER NOT NULL
) STRICT;
