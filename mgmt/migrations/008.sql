-- SPDX-License-Identifier: ISC
-- Version 8: where the BGP daemon of an anycast service is to be seen.
ALTER TABLE anycast ADD COLUMN engine_socket TEXT NOT NULL DEFAULT '';
