-- SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception
-- Times are us since 1970 UTC; null: has not happened.

CREATE TABLE lease (
	name TEXT PRIMARY KEY,
	holder TEXT NOT NULL,
	epoch BIGINT NOT NULL,
	expires_us BIGINT NOT NULL
);

-- Provisioning, as the configuration said it last (settings: where its callers go in the end).
CREATE TABLE service (number TEXT PRIMARY KEY, settings TEXT NOT NULL);
CREATE TABLE queue (name TEXT PRIMARY KEY, settings TEXT NOT NULL);

CREATE TABLE node (
	name TEXT PRIMARY KEY,
	boot TEXT NOT NULL,
	stored_sequence BIGINT NOT NULL
);

CREATE TABLE agent (
	name TEXT PRIMARY KEY,
	state TEXT NOT NULL,
	reason TEXT,
	since_utc_us BIGINT NOT NULL,
	contact TEXT
);

CREATE TABLE contact (
	id TEXT PRIMARY KEY,
	kind TEXT NOT NULL,
	state TEXT NOT NULL, -- open, queued, ringing, talking, ended
	service TEXT,
	step TEXT,
	queue TEXT,
	agent TEXT,
	node TEXT NOT NULL,
	leg TEXT NOT NULL,
	called TEXT NOT NULL,
	calling TEXT NOT NULL,
	calling_name TEXT,
	span TEXT,
	slot BIGINT,
	digits TEXT,
	started_utc_us BIGINT NOT NULL,
	enqueued_utc_us BIGINT,
	answered_utc_us BIGINT,
	ended_utc_us BIGINT,
	cause BIGINT,
	outcome TEXT -- answered, abandoned, overflowed; null: was never queued
);
CREATE INDEX contact_open ON contact (node) WHERE ended_utc_us IS NULL;
CREATE INDEX contact_ended ON contact (ended_utc_us);

CREATE TABLE assignment (
	id TEXT PRIMARY KEY,
	contact TEXT NOT NULL,
	agent TEXT NOT NULL,
	offered_utc_us BIGINT NOT NULL,
	answered_utc_us BIGINT,
	ended_utc_us BIGINT,
	outcome TEXT
);
-- The promise itself: one open assignment a contact, one an agent.
CREATE UNIQUE INDEX assignment_contact ON assignment (contact) WHERE ended_utc_us IS NULL;
CREATE UNIQUE INDEX assignment_agent ON assignment (agent) WHERE ended_utc_us IS NULL;

CREATE TABLE fact (
	node TEXT NOT NULL,
	sequence BIGINT NOT NULL,
	boot TEXT NOT NULL,
	at_ns BIGINT NOT NULL,
	utc_us BIGINT NOT NULL,
	fact TEXT NOT NULL,
	leg TEXT,
	contact TEXT, -- from the leg's tags, as are service and agent
	service TEXT,
	agent TEXT,
	digits TEXT,
	cause BIGINT,
	by_peer BIGINT,
	direction TEXT,
	called TEXT,
	calling TEXT,
	party TEXT,
	body TEXT NOT NULL, -- the fact as it came (JSON)
	PRIMARY KEY (node, sequence)
);
CREATE INDEX fact_leg ON fact (node, leg, sequence);

CREATE TABLE cdr (
	node TEXT NOT NULL,
	leg TEXT NOT NULL,
	direction TEXT NOT NULL,
	called TEXT NOT NULL,
	calling TEXT NOT NULL,
	party TEXT,
	service TEXT,
	agent TEXT,
	contact TEXT,
	offered_utc_us BIGINT NOT NULL,
	answered_utc_us BIGINT,
	ended_utc_us BIGINT NOT NULL,
	duration_ms BIGINT NOT NULL,
	billable_ms BIGINT NOT NULL,
	cause BIGINT NOT NULL,
	by_peer BIGINT NOT NULL,
	digits TEXT,
	PRIMARY KEY (node, leg)
);
CREATE INDEX cdr_ended ON cdr (ended_utc_us);
