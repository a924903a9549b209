-- SPDX-License-Identifier: ISC
-- Version 4: what ispdns-ha can do beyond one VRRP instance.

ALTER TABLE vip ADD COLUMN sync_group TEXT NOT NULL DEFAULT '';
ALTER TABLE vip ADD COLUMN startup_delay_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE vip ADD COLUMN advertise TEXT NOT NULL DEFAULT 'anchor';
ALTER TABLE vip ADD COLUMN strict_addresses INTEGER NOT NULL DEFAULT 0
	CHECK (strict_addresses IN (0, 1));
ALTER TABLE vip ADD COLUMN checksum TEXT NOT NULL DEFAULT 'rfc5798';
ALTER TABLE vip ADD COLUMN accept_other_version INTEGER NOT NULL DEFAULT 0
	CHECK (accept_other_version IN (0, 1));
ALTER TABLE vip ADD COLUMN accept_interval_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE vip ADD COLUMN hmac TEXT NOT NULL DEFAULT 'off';
ALTER TABLE vip ADD COLUMN hmac_key INTEGER NOT NULL DEFAULT 1;
ALTER TABLE vip ADD COLUMN hmac_also INTEGER NOT NULL DEFAULT 0;
ALTER TABLE vip ADD COLUMN hmac_window_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE vip ADD COLUMN known_peers TEXT NOT NULL DEFAULT '[]';
ALTER TABLE vip ADD COLUMN qps INTEGER NOT NULL DEFAULT 0;
ALTER TABLE node ADD COLUMN capacity_qps INTEGER NOT NULL DEFAULT 0;

CREATE TABLE ha (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	linger_ms INTEGER NOT NULL,
	realtime INTEGER NOT NULL CHECK (realtime IN (0, 1)),
	probe_name TEXT NOT NULL,
	probe_port INTEGER NOT NULL,
	probe_interval_ms INTEGER NOT NULL,
	probe_timeout_ms INTEGER NOT NULL,
	probe_fall INTEGER NOT NULL,
	handover_port INTEGER NOT NULL,
	fencing TEXT NOT NULL,
	fencing_timeout_ms INTEGER NOT NULL
) STRICT;

-- `vip` is '' or a vip (the program checks it, as it does for all).
CREATE TABLE anycast (
	anycast TEXT PRIMARY KEY,
	addresses TEXT NOT NULL,
	vip TEXT NOT NULL,
	engine TEXT NOT NULL,
	"table" INTEGER NOT NULL,
	metric INTEGER NOT NULL,
	drain_metric INTEGER NOT NULL,
	drain_time_ms INTEGER NOT NULL,
	linger_ms INTEGER NOT NULL,
	last_man INTEGER NOT NULL CHECK (last_man IN (0, 1)),
	track_frontend INTEGER NOT NULL CHECK (track_frontend IN (0, 1)),
	track_probe INTEGER NOT NULL CHECK (track_probe IN (0, 1))
) STRICT;

CREATE TABLE anycast_node (
	anycast TEXT NOT NULL REFERENCES anycast ON DELETE CASCADE,
	node TEXT NOT NULL REFERENCES node,
	metric INTEGER NOT NULL,
	engine TEXT NOT NULL,
	PRIMARY KEY (anycast, node)
) STRICT;
