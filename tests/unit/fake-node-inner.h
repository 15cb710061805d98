/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What the files of the fake node share. */
#pragma once

#include "fake-node.h"

/** fake-node-rows.c: JSON of what the node has. (transfer full) */
JsonNode *fake_node_take(JsonObject *object);
JsonObject *fake_leg_party(const struct fake_leg *leg);
JsonObject *fake_leg_setup(const struct fake_leg *leg);
JsonObject *fake_leg_tags(const struct fake_leg *leg);
JsonObject *fake_leg_json(const struct fake_leg *leg);
JsonObject *fake_phone_json(const char *user, gboolean registered);
JsonObject *fake_node_json(struct fake_node *node);
JsonNode *fake_node_snapshot(struct fake_node *node);
JsonNode *fake_node_read_journal(struct fake_node *node, JsonObject *params);

/** fake-node.c: an event for all who follow; takes @params. */
void fake_node_send(struct fake_node *node, const char *event, JsonObject *params);
/** fake-node.c: keeps a copy of a string of @params. */
void fake_node_set(char **field, JsonObject *params, const char *member);

/** fake-node-spool.c: the methods spool.list, spool.free, fax.receive and fax.send, and a part's path for HTTP. */
JsonNode *fake_node_spool_list(struct fake_node *node);
void fake_node_spool_free(struct fake_node *node, const char *item, struct tl_control_reply *reply);
char *fake_node_find_part(const char *item, const char *part, void *user);
void fake_node_begin_fax(struct fake_node *node, JsonObject *params, struct tl_control_reply *reply);
