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
/** Appends a fact and sends it. */
void fake_node_fact(struct fake_node *node, const char *fact, const char *leg, gint64 at_ms, unsigned cause);

/** NULL when there is none. */
struct fake_leg *fake_node_leg(struct fake_node *node, const char *leg);
/** The newest leg to @party ("user:ben"), or NULL. */
struct fake_leg *fake_node_leg_to(struct fake_node *node, const char *party);
/** How many requests so far begin with @text. */
unsigned fake_node_count(struct fake_node *node, const char *text);
