-- SPDX-License-Identifier: ISC
-- The whole schema, version 1. Tables of the model (see model_table.c) first.

CREATE TABLE acl (
	list TEXT PRIMARY KEY,
	action TEXT NOT NULL
) STRICT;

CREATE TABLE acl_entry (
	list TEXT NOT NULL REFERENCES acl ON DELETE CASCADE,
	prefix TEXT NOT NULL,
	action TEXT NOT NULL CHECK (action IN ('allow', 'deny')),
	PRIMARY KEY (list, prefix)
) STRICT;

CREATE TABLE limits (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	qps INTEGER NOT NULL,
	burst INTEGER NOT NULL,
	v4_prefix INTEGER NOT NULL,
	v6_prefix INTEGER NOT NULL,
	action TEXT NOT NULL,
	table_size INTEGER NOT NULL
) STRICT;

CREATE TABLE limit_override (
	prefix TEXT PRIMARY KEY,
	qps INTEGER NOT NULL,
	burst INTEGER NOT NULL,
	action TEXT NOT NULL
) STRICT;

CREATE TABLE policy (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	"any" TEXT NOT NULL,
	chaos TEXT NOT NULL,
	transfer TEXT NOT NULL
) STRICT;

CREATE TABLE cache (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	entries INTEGER NOT NULL,
	memory INTEGER NOT NULL,
	max_ttl_s INTEGER NOT NULL,
	min_ttl_s INTEGER NOT NULL,
	max_negative_ttl_s INTEGER NOT NULL,
	failure_ttl_s INTEGER NOT NULL,
	stale_s INTEGER NOT NULL
) STRICT;

CREATE TABLE pool (
	pool TEXT PRIMARY KEY,
	policy TEXT NOT NULL,
	cache INTEGER NOT NULL CHECK (cache IN (0, 1))
) STRICT;

CREATE TABLE backend (
	pool TEXT NOT NULL REFERENCES pool ON DELETE CASCADE,
	name TEXT NOT NULL,
	address TEXT NOT NULL,
	weight INTEGER NOT NULL,
	"order" INTEGER NOT NULL,
	check_name TEXT NOT NULL,
	check_type TEXT NOT NULL,
	check_interval_ms INTEGER NOT NULL,
	check_timeout_ms INTEGER NOT NULL,
	check_rise INTEGER NOT NULL,
	check_fall INTEGER NOT NULL,
	check_aa INTEGER NOT NULL CHECK (check_aa IN (0, 1)),
	PRIMARY KEY (pool, name)
) STRICT;

CREATE TABLE route (
	suffix TEXT PRIMARY KEY,
	pool TEXT NOT NULL REFERENCES pool
) STRICT;

CREATE TABLE resolver (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	dnssec INTEGER NOT NULL CHECK (dnssec IN (0, 1)),
	qname_minimisation INTEGER NOT NULL
		CHECK (qname_minimisation IN (0, 1)),
	edns_payload INTEGER NOT NULL,
	entries INTEGER NOT NULL,
	library_memory INTEGER NOT NULL,
	max_ttl_s INTEGER NOT NULL,
	max_negative_ttl_s INTEGER NOT NULL,
	failure_ttl_s INTEGER NOT NULL,
	stale_s INTEGER NOT NULL,
	inflight INTEGER NOT NULL,
	per_client INTEGER NOT NULL,
	deadline_ms INTEGER NOT NULL,
	local_zones TEXT NOT NULL,
	root_hints_text TEXT NOT NULL,
	trust_anchor_text TEXT NOT NULL
) STRICT;

CREATE TABLE forward (
	zone TEXT PRIMARY KEY,
	"to" TEXT NOT NULL
) STRICT;

CREATE TABLE node (
	node TEXT PRIMARY KEY,
	address TEXT NOT NULL,
	roles TEXT NOT NULL,
	workers INTEGER NOT NULL,
	frontend_listen TEXT NOT NULL,
	resolver_listen TEXT NOT NULL,
	authority_listen TEXT NOT NULL
) STRICT;

CREATE TABLE vip (
	vip TEXT PRIMARY KEY,
	vrid INTEGER NOT NULL,
	version INTEGER NOT NULL,
	interval_ms INTEGER NOT NULL,
	auth TEXT NOT NULL,
	password TEXT NOT NULL,
	addresses TEXT NOT NULL,
	peers TEXT NOT NULL,
	preempt INTEGER NOT NULL CHECK (preempt IN (0, 1)),
	preempt_delay_ms INTEGER NOT NULL,
	track_frontend INTEGER NOT NULL CHECK (track_frontend IN (0, 1)),
	track_probe INTEGER NOT NULL CHECK (track_probe IN (0, 1)),
	gateway TEXT NOT NULL
) STRICT;

CREATE TABLE vip_node (
	vip TEXT NOT NULL REFERENCES vip ON DELETE CASCADE,
	node TEXT NOT NULL REFERENCES node,
	priority INTEGER NOT NULL,
	interface TEXT NOT NULL,
	PRIMARY KEY (vip, node)
) STRICT;

-- Zones: `serial` is the one that the newest generation serves (or the one
-- imported, until `published`); the SOA's record row carries no serial of
-- meaning. `sha256` is the blob of the newest generation.
CREATE TABLE zone (
	zone TEXT PRIMARY KEY,
	serial INTEGER NOT NULL,
	published INTEGER NOT NULL DEFAULT 0,
	dirty INTEGER NOT NULL DEFAULT 1,
	sha256 TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE record (
	zone TEXT NOT NULL REFERENCES zone ON DELETE CASCADE,
	owner TEXT NOT NULL,
	type TEXT NOT NULL,
	data TEXT NOT NULL,
	-- behind the key: sqlite 3.40's quick_check mixes up the columns of a
	-- strict table without rowid that are not in the order of the key
	ttl INTEGER NOT NULL,
	PRIMARY KEY (zone, owner, type, data)
) STRICT, WITHOUT ROWID;

-- Highest serial that a name was ever served with, so that a zone which is
-- deleted and made again never goes back.
CREATE TABLE zone_serial (
	zone TEXT PRIMARY KEY,
	serial INTEGER NOT NULL
) STRICT;

-- Change: append-only.
CREATE TABLE blob (
	sha256 TEXT PRIMARY KEY,
	data BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE generation (
	generation INTEGER PRIMARY KEY AUTOINCREMENT,
	parent INTEGER NOT NULL,
	ts INTEGER NOT NULL,
	author TEXT NOT NULL,
	message TEXT NOT NULL,
	doc_sha256 TEXT NOT NULL REFERENCES blob
) STRICT;

CREATE TABLE manifest (
	generation INTEGER NOT NULL REFERENCES generation,
	node TEXT NOT NULL,
	sha256 TEXT NOT NULL REFERENCES blob,
	PRIMARY KEY (generation, node)
) STRICT, WITHOUT ROWID;

-- What became of it: the one part of a generation that changes.
CREATE TABLE rollout (
	generation INTEGER PRIMARY KEY REFERENCES generation,
	state TEXT NOT NULL
		CHECK (state IN ('running', 'done', 'failed', 'rolled_back')),
	approved INTEGER NOT NULL CHECK (approved IN (0, 1)),
	allow_missing INTEGER NOT NULL CHECK (allow_missing IN (0, 1)),
	error TEXT NOT NULL
) STRICT;

CREATE TABLE rollout_node (
	generation INTEGER NOT NULL REFERENCES rollout,
	node TEXT NOT NULL,
	phase TEXT NOT NULL,
	error TEXT NOT NULL,
	took_ms INTEGER NOT NULL,
	PRIMARY KEY (generation, node)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
	id INTEGER PRIMARY KEY,
	ts INTEGER NOT NULL,
	actor TEXT NOT NULL,
	src TEXT NOT NULL,
	verb TEXT NOT NULL,
	object TEXT NOT NULL,
	detail TEXT NOT NULL,
	prev_hash TEXT NOT NULL,
	hash TEXT NOT NULL UNIQUE
) STRICT;

-- Nodes' credentials and operators' tokens: hashes only.
CREATE TABLE cert (
	serial TEXT PRIMARY KEY,
	node TEXT NOT NULL,
	not_after INTEGER NOT NULL,
	revoked INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE join_token (
	hash TEXT PRIMARY KEY,
	node TEXT NOT NULL,
	expires INTEGER NOT NULL,
	used INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE token (
	name TEXT PRIMARY KEY,
	hash TEXT NOT NULL UNIQUE,
	role TEXT NOT NULL,
	created INTEGER NOT NULL,
	expires INTEGER NOT NULL,
	revoked INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE meta (
	key TEXT PRIMARY KEY,
	value TEXT NOT NULL
) STRICT;

INSERT INTO meta VALUES ('epoch', '1');

CREATE TRIGGER generation_update BEFORE UPDATE ON generation
BEGIN SELECT RAISE(ABORT, 'generations are append-only'); END;
CREATE TRIGGER generation_delete BEFORE DELETE ON generation
BEGIN SELECT RAISE(ABORT, 'generations are append-only'); END;
CREATE TRIGGER manifest_update BEFORE UPDATE ON manifest
BEGIN SELECT RAISE(ABORT, 'manifests are append-only'); END;
CREATE TRIGGER manifest_delete BEFORE DELETE ON manifest
BEGIN SELECT RAISE(ABORT, 'manifests are append-only'); END;
CREATE TRIGGER blob_update BEFORE UPDATE ON blob
BEGIN SELECT RAISE(ABORT, 'blobs are immutable'); END;
CREATE TRIGGER audit_update BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER audit_delete BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
