/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The node's end of the protocol without a telephone behind it: the real
 * server, real messages checked against the schema, legs that are only rows.
 * The test plays the parties. It outlives desks, as a node does.
 */
#pragma once

#include "control/control.h"

#define FAKE_TOKEN "a token for tests"

struct fake_leg {
	char *id, *state, *party, *bridge, *playing, *play, *collect;
	gboolean incoming, browser, connected, muted;
	gboolean keeps_others; /* when it ends, those in its bridge live on */
	GHashTable *tags;
	JsonNode *rule;
};

struct fake_node {
	char *name, *boot, *socket, *address;
	struct tl_control_server *server;
	struct tl_control_peer *conductor;
	gint64 epoch;
	GHashTable *legs;   /* id -> struct fake_leg */
	GHashTable *phones; /* user -> registered, as pointer */
	GPtrArray *facts;   /* JsonNode; those not yet stored by a desk come from first_kept on */
	gint64 stored;
	GPtrArray *requests; /* "method leg" in the order they came */
	char *folder;         /* of the spool's parts and of blobs that were put */
	GHashTable *items;    /* item -> JsonNode, node.schema.json's spool_item */
	unsigned freed;       /* items freed so far */
	gboolean deaf_to_free; /* spool.free is not answered: as when we die over it */
	gboolean deaf_to_release; /* leg.release is obeyed when the test ends the leg: a line takes its time to clear */
	GPtrArray *unanswered;
	char *fax_leg, *fax_id, *fax_document; /* of the last fax.send or fax.receive */
	char *fax_header, *fax_header_zone; /* of its options */
	unsigned fax_first_page;
	char *last_bridge_kind;
	gboolean silent_facts; /* keep facts from the event, as a lost connection would */
};

struct fake_node *fake_node_new(const char *dir, const char *name);
void fake_node_free(struct fake_node *node);
/** The process ends and comes back: legs are gone, the journal closes them, the socket is new. */
void fake_node_reboot(struct fake_node *node);

void fake_node_phone(struct fake_node *node, const char *user, gboolean registered);
void fake_node_offer(struct fake_node *node, const char *leg, const char *called, const char *calling);
void fake_node_answer(struct fake_node *node, const char *leg);
void fake_node_end(struct fake_node *node, const char *leg, unsigned cause);
/** A browser's media come or go. */
void fake_node_connected(struct fake_node *node, const char *leg, gboolean connected);
void fake_node_played(struct fake_node *node, const char *leg);
void fake_node_digits(struct fake_node *node, const char *leg, const char *digits);
/** Appends a fact and sends it. @more (transfer full): its further members. */
void fake_node_fact_with(struct fake_node *node, const char *fact, const char *leg, gint64 at_ms, JsonObject *more);
void fake_node_fact(struct fake_node *node, const char *fact, const char *leg, gint64 at_ms, unsigned cause);

/** A complete (or partial) item of the spool, of kind @kind and asked for as @id, whose parts are the files at @paths. */
void fake_node_spool(struct fake_node *node, const char *item, const char *kind, const char *id, const char *state, const char *tags_leg,
		     const char *const *paths);
/** fax.page and fax.ended of the fax that runs. */
void fake_node_fax_page(struct fake_node *node, unsigned page, gboolean sending);
void fake_node_fax_ended(struct fake_node *node, const char *result, const char *trouble, unsigned pages, gboolean sending);
void fake_node_fax_tone(struct fake_node *node, const char *leg);

/** NULL when there is none. */
struct fake_leg *fake_node_leg(struct fake_node *node, const char *leg);
/** The newest leg to @party ("user:ben"), or NULL. */
struct fake_leg *fake_node_leg_to(struct fake_node *node, const char *party);
/** How many requests so far begin with @text. */
unsigned fake_node_count(struct fake_node *node, const char *text);
