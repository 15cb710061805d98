-- SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception

-- Who talked, of a recording.
ALTER TABLE spool_item ADD COLUMN agent TEXT;
CREATE INDEX spool_item_kind ON spool_item (kind, stored_utc_us);
CREATE INDEX spool_part_sha256 ON spool_part (sha256);
