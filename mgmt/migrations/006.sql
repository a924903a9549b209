-- SPDX-License-Identifier: ISC
-- Version 6: rules of frontends look at the RD and DO bits.

ALTER TABLE rule ADD COLUMN rd TEXT NOT NULL DEFAULT '';
ALTER TABLE rule ADD COLUMN dnssec TEXT NOT NULL DEFAULT '';
