/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Legs, setups, rules and tags in the control protocol's JSON, both ways. Objects returned are (transfer full). */
#pragma once

#include <json-glib/json-glib.h>

#include "call/node.h"

JsonObject *tl_wire_leg(const struct tl_leg *leg);
/** How its audio came and went: node.schema.json's media. NULL: it has no RTP. */
JsonObject *tl_wire_media(const struct tl_leg *leg);
JsonObject *tl_wire_party(const struct tl_party *party);
JsonObject *tl_wire_setup(const struct tl_leg_setup *setup);
/** NULL without tags. */
JsonObject *tl_wire_tags(const struct tl_leg *leg);
JsonObject *tl_wire_node(const struct tl_node *node);
JsonObject *tl_wire_phone(const char *user, const char *contact);

/* Reading: what the schema cannot check is refused with TL_CONTROL_INVALID_PARAMS; outputs untouched then. */
bool tl_wire_read_setup(JsonObject *object, struct tl_leg_setup *setup, GError **error);
bool tl_wire_read_rule(JsonObject *object, struct tl_rule *rule, GError **error);
/** Merges; an empty value removes one. */
bool tl_wire_read_tags(JsonObject *object, GHashTable *tags, GError **error);
