-- SPDX-License-Identifier: ISC
-- Version 12: whether a vip's backups relieve a master of others whose DNS is
-- silent.

ALTER TABLE vip ADD COLUMN rescue INTEGER NOT NULL DEFAULT 1;
