-- SPDX-License-Identifier: ISC
-- Version 3: what else frontends can be told. The defaults here are those of
-- the model: a database that is migrated means what it meant.

CREATE TABLE frontend (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	udp_size INTEGER NOT NULL,
	freebind INTEGER NOT NULL CHECK (freebind IN (0, 1)),
	inflight INTEGER NOT NULL,
	inflight_per_client INTEGER NOT NULL,
	sockets INTEGER NOT NULL,
	socket_queries INTEGER NOT NULL,
	cookies INTEGER NOT NULL CHECK (cookies IN (0, 1)),
	top INTEGER NOT NULL CHECK (top IN (0, 1)),
	top_window_s INTEGER NOT NULL,
	drop_lines INTEGER NOT NULL,
	metrics_listen TEXT NOT NULL
) STRICT;

CREATE TABLE frontend_retry (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	timeout_ms INTEGER NOT NULL,
	tries INTEGER NOT NULL,
	deadline_ms INTEGER NOT NULL,
	hedge INTEGER NOT NULL CHECK (hedge IN (0, 1))
) STRICT;

CREATE TABLE frontend_tcp (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	connections INTEGER NOT NULL,
	per_client INTEGER NOT NULL,
	per_net INTEGER NOT NULL,
	queries INTEGER NOT NULL,
	lifetime_s INTEGER NOT NULL,
	idle_ms INTEGER NOT NULL,
	message_ms INTEGER NOT NULL,
	inflight INTEGER NOT NULL
) STRICT;

ALTER TABLE limit_override ADD COLUMN miss_qps INTEGER NOT NULL DEFAULT -1;
ALTER TABLE limit_override ADD COLUMN miss_burst INTEGER NOT NULL DEFAULT 0;

ALTER TABLE cache ADD COLUMN truncated_ttl_s INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cache ADD COLUMN prefetch INTEGER NOT NULL DEFAULT 1
	CHECK (prefetch IN (0, 1));
ALTER TABLE cache ADD COLUMN cap_served_ttl INTEGER NOT NULL DEFAULT 0
	CHECK (cap_served_ttl IN (0, 1));
ALTER TABLE cache ADD COLUMN keep INTEGER NOT NULL DEFAULT 0
	CHECK (keep IN (0, 1));

ALTER TABLE pool ADD COLUMN kind TEXT NOT NULL DEFAULT 'auto';
ALTER TABLE pool ADD COLUMN tiers INTEGER NOT NULL DEFAULT 0
	CHECK (tiers IN (0, 1));
ALTER TABLE pool ADD COLUMN no_server TEXT NOT NULL DEFAULT 'servfail';

ALTER TABLE backend ADD COLUMN qps INTEGER NOT NULL DEFAULT 0;
ALTER TABLE backend ADD COLUMN check_enabled INTEGER NOT NULL DEFAULT 1
	CHECK (check_enabled IN (0, 1));
ALTER TABLE backend ADD COLUMN check_min_serial INTEGER NOT NULL DEFAULT 0;
ALTER TABLE backend ADD COLUMN check_random_label INTEGER NOT NULL DEFAULT 0
	CHECK (check_random_label IN (0, 1));
ALTER TABLE backend ADD COLUMN check_rcode TEXT NOT NULL DEFAULT '';
