-- SPDX-License-Identifier: ISC
-- Version 5: changes that take several generations (step.h). `goal_sha256` is
-- the blob of the doc that they lead to, '' for a generation that is one.
ALTER TABLE generation ADD COLUMN goal_sha256 TEXT NOT NULL DEFAULT '';
