-- SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception

-- What keeps a file of the blob directory; null: for ever.
CREATE TABLE blob (
	sha256 TEXT PRIMARY KEY,
	size BIGINT NOT NULL,
	type TEXT NOT NULL,
	stored_utc_us BIGINT NOT NULL,
	keep_until_utc_us BIGINT
);
CREATE INDEX blob_keep ON blob (keep_until_utc_us) WHERE keep_until_utc_us IS NOT NULL;

-- What came from a node's spool, recordings as well as faxes: once each.
CREATE TABLE spool_item (
	node TEXT NOT NULL,
	item TEXT NOT NULL,
	id TEXT NOT NULL, -- of the fax or recording
	kind TEXT NOT NULL, -- fax, recording
	state TEXT NOT NULL, -- complete, partial
	contact TEXT,
	leg TEXT,
	meta TEXT NOT NULL, -- as the node wrote it (JSON)
	stored_utc_us BIGINT NOT NULL,
	freed_utc_us BIGINT, -- the node has deleted it
	PRIMARY KEY (node, item)
);
CREATE INDEX spool_item_id ON spool_item (id);
CREATE INDEX spool_item_contact ON spool_item (contact);
CREATE INDEX spool_item_kept ON spool_item (node) WHERE freed_utc_us IS NULL;
CREATE TABLE spool_part (
	node TEXT NOT NULL,
	item TEXT NOT NULL,
	name TEXT NOT NULL,
	size BIGINT NOT NULL,
	sha256 TEXT NOT NULL,
	PRIMARY KEY (node, item, name)
);

CREATE TABLE fax (
	id TEXT PRIMARY KEY,
	direction TEXT NOT NULL, -- in, out
	state TEXT NOT NULL, -- converting, waiting, calling, sending, receiving, received, sent, failed, cancelled
	partial BIGINT NOT NULL DEFAULT 0,
	box TEXT, -- the section of the configuration whose settings it has
	contact TEXT, -- of the latest try
	called TEXT NOT NULL,
	calling TEXT NOT NULL,
	remote_ident TEXT,
	sender TEXT, -- mail address that is told the result
	subject TEXT,
	source TEXT, -- blob as it came; null: pages of a spool item
	source_type TEXT,
	document TEXT, -- blob of the pages: out TIFF, in PDF or TIFF
	picture TEXT, -- blob of the first page's picture
	pages BIGINT NOT NULL DEFAULT 0,
	pages_done BIGINT NOT NULL DEFAULT 0,
	batch TEXT,
	priority BIGINT NOT NULL DEFAULT 5, -- 1 first
	tries BIGINT NOT NULL DEFAULT 0,
	next_utc_us BIGINT, -- when it may be tried
	why TEXT, -- it is as it is, in words
	created_utc_us BIGINT NOT NULL,
	ended_utc_us BIGINT
);
CREATE INDEX fax_open ON fax (state) WHERE ended_utc_us IS NULL;
CREATE INDEX fax_created ON fax (created_utc_us);
CREATE INDEX fax_contact ON fax (contact);
CREATE INDEX fax_source ON fax (source, called);

CREATE TABLE fax_try (
	fax TEXT NOT NULL,
	number BIGINT NOT NULL,
	contact TEXT NOT NULL,
	first_page BIGINT NOT NULL,
	started_utc_us BIGINT NOT NULL,
	ended_utc_us BIGINT,
	pages BIGINT, -- confirmed in this try
	result TEXT,
	PRIMARY KEY (fax, number)
);

-- Pages that the other side has confirmed.
CREATE TABLE fax_page (
	fax TEXT NOT NULL,
	page BIGINT NOT NULL,
	number BIGINT NOT NULL, -- of the try
	at_utc_us BIGINT NOT NULL,
	PRIMARY KEY (fax, page)
);

-- Letters out: mails, files, webhooks.
CREATE TABLE delivery (
	id TEXT PRIMARY KEY,
	kind TEXT NOT NULL, -- mail, directory, webhook
	about TEXT NOT NULL, -- what it belongs to
	target TEXT NOT NULL,
	letter TEXT NOT NULL, -- subject, text, attachments (JSON)
	state TEXT NOT NULL, -- waiting, done, failed
	tries BIGINT NOT NULL DEFAULT 0,
	next_utc_us BIGINT,
	why TEXT,
	created_utc_us BIGINT NOT NULL,
	ended_utc_us BIGINT
);
CREATE INDEX delivery_waiting ON delivery (next_utc_us) WHERE state = 'waiting';
CREATE INDEX delivery_about ON delivery (about);
