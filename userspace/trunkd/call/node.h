/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * What the files of this room share: the node and its tables. Each part's own
 * functions are in its own header. Not for other rooms. Thread: main.
 */
#pragma once

#include "call/call.h"
#include "call/leg.h"

struct tl_journal;
struct tl_commands;
struct tl_sounds;

struct tl_node {
	const struct tl_node_config *config;
	char boot[33];                 /* hexadecimal digits, new with each start */
	struct tl_media *media;
	GPtrArray *accesses;           /* struct tl_access, in the configuration's order */
	struct tl_sip *sip;            /* NULL without [sip] */
	GPtrArray *trunks;             /* struct tl_trunk_entry */
	GHashTable *phones;            /* user -> contact ("" while not registered) */
	struct tl_journal *journal;
	struct tl_fax_pool *fax_pool;
	GPtrArray *faxes;              /* struct tl_leg_fax */
	GPtrArray *gateways;           /* struct tl_gateway */
	unsigned documents_checked;    /* at present, on workers */
	struct tl_spool *spool;
	struct tl_record_pool *record_pool;
	bool record_trouble;
	struct tl_control_server *server;
	struct tl_routes *routes;
	struct tl_sounds *sounds;
	struct tl_commands *commands;
	GHashTable *legs, *junctions, *tapings; /* by id */
	GPtrArray *dead_legs, *dead_dialogs;
	guint burial;                  /* source that frees the dead */
	unsigned leg_number;           /* of the last id made here */
	uint64_t media_id;             /* of the last play or tone handed to media */
	struct tl_control_peer *conductor;
	gint64 epoch;
	GList *sessions;               /* struct tl_session, of peers */
	bool draining, stopping;
	char *journal_fault;           /* NULL: well */
	JsonArray *fresh_facts;        /* durable, not yet told */
	struct tl_timer *heartbeat;
	struct tl_timer *stop_timer;
	void (*on_stopped)(void *user);
	void *stopped_user;
	struct {
		uint64_t legs_offered, legs_originated, legs_ended, refused_overload, refused_draining, refused_journal, rtp_timeouts;
		uint64_t fallbacks, rules_run, commands, commands_repeated, commands_refused;
	} counters;
};

/** A SIP trunk as this room knows it. */
struct tl_trunk_entry {
	char *name;
	const char *group; /* interned, may be NULL */
};

/** node.c: the node's own alarms or state have changed: node.changed goes out. */
void tl_node_changed(struct tl_node *node);
/** node.c: after a leg has gone: is the stop complete? */
void tl_node_leg_gone(struct tl_node *node);
/** Cause to refuse a new call with now (counted), or 0. */
unsigned tl_node_refusal(struct tl_node *node);

/* epoch.c */
/** Reads the highest epoch obeyed (0: none); false when the file cannot be read. */
bool tl_epoch_load(const char *state_dir, gint64 *epoch, GError **error);
/** Makes it durable. Blocks for an fsync; once a reign. */
bool tl_epoch_save(const char *state_dir, gint64 epoch, GError **error);
