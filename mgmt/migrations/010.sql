-- SPDX-License-Identifier: ISC
-- Version 10: queries without a question, lazy checks, messages in pieces.

ALTER TABLE policy ADD COLUMN empty TEXT NOT NULL DEFAULT 'formerr';
ALTER TABLE backend ADD COLUMN check_lazy INTEGER NOT NULL DEFAULT 0
	CHECK (check_lazy IN (0, 1));
ALTER TABLE frontend_tcp ADD COLUMN reads INTEGER NOT NULL DEFAULT 50;
ALTER TABLE frontend_tcp ADD COLUMN ban_s INTEGER NOT NULL DEFAULT 0;
