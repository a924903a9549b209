-- SPDX-License-Identifier: ISC
-- Limits of what routes hand on; the number of the secret of cookies.

CREATE TABLE frontend_transfers (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	max INTEGER NOT NULL,
	per_client INTEGER NOT NULL,
	idle_ms INTEGER NOT NULL,
	lifetime_s INTEGER NOT NULL,
	answer_ms INTEGER NOT NULL
) STRICT;

ALTER TABLE frontend ADD COLUMN cookie_secret INTEGER NOT NULL DEFAULT 0;
