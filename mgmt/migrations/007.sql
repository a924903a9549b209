-- SPDX-License-Identifier: ISC
-- Version 7: what else than queries a route hands on, and for whom. Nobody is
-- in these lists of prefixes, as before.

ALTER TABLE route ADD COLUMN allow_transfer TEXT NOT NULL DEFAULT '[]';
ALTER TABLE route ADD COLUMN allow_notify TEXT NOT NULL DEFAULT '[]';
ALTER TABLE route ADD COLUMN allow_update TEXT NOT NULL DEFAULT '[]';
