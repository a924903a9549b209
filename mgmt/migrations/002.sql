-- SPDX-License-Identifier: ISC
-- Version 2: what frontends do with some queries.

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
