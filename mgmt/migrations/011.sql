-- SPDX-License-Identifier: ISC
-- Version 11: the client's subnet for the backends of a pool.

ALTER TABLE pool ADD COLUMN ecs TEXT NOT NULL DEFAULT 'strip';
