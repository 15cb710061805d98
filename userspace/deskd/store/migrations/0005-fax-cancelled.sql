-- SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception

-- Asked for; a call may still be under way.
ALTER TABLE fax ADD COLUMN cancelled BIGINT NOT NULL DEFAULT 0;
