-- SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception

-- By what a report of a mail server knows its mail (bounce+...@): not to be guessed. States: bounced, too.
ALTER TABLE delivery ADD COLUMN bounce TEXT;
CREATE UNIQUE INDEX delivery_bounce ON delivery (bounce) WHERE bounce IS NOT NULL;
