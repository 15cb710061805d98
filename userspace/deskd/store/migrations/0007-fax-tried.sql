-- SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception

-- tries numbers all calls of a fax; of these count, since it was given (again), so many.
ALTER TABLE fax ADD COLUMN tried BIGINT NOT NULL DEFAULT 0;
UPDATE fax SET tried = tries;
-- Since when there has been no line for it.
ALTER TABLE fax ADD COLUMN without_line_utc_us BIGINT;
