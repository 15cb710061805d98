-- SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception

-- A consult: the contact that it is about.
ALTER TABLE contact ADD COLUMN parent TEXT;
CREATE INDEX contact_calling ON contact (calling, started_utc_us);

-- Who has logged in. A cookie is known by its SHA-256 only.
CREATE TABLE session (
	cookie TEXT PRIMARY KEY,
	agent TEXT NOT NULL,
	ends_utc_us BIGINT NOT NULL
);
