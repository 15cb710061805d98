/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Bridges of legs: who is in, of what kind, and who ends with whom. Thread: main. */
#pragma once

#include <json-glib/json-glib.h>

#include "call/node.h"

enum tl_when_ends { TL_ENDS_RELEASE_OTHERS, TL_ENDS_KEEP_OTHERS, TL_ENDS_RELEASE_IF_ALONE };

/** A bridge without legs. @owner interned or NULL. (owned by the node's table) */
struct tl_junction *tl_junction_new(struct tl_node *node, const char *id, enum tl_bridge_kind kind, const char *owner,
				    JsonObject *tags);
struct tl_junction *tl_junction_find(const struct tl_node *node, const char *id);
const char *tl_junction_id(const struct tl_junction *junction);
const char *tl_junction_owner(const struct tl_junction *junction);
unsigned tl_junction_size(const struct tl_junction *junction);
/** The @i-th to join; borrowed. */
struct tl_leg *tl_junction_leg(const struct tl_junction *junction, unsigned i);
enum tl_bridge_kind tl_junction_kind(const struct tl_junction *junction);
struct tl_bridge *tl_junction_bridge(const struct tl_junction *junction);

/** Joins @leg, which leaves the bridge it was in. TL_CONTROL_ERROR: no audio, clear is impossible, full. */
bool tl_junction_add(struct tl_junction *junction, struct tl_leg *leg, enum tl_when_ends when_ends, GError **error);
/** @leg leaves and lives on; an empty bridge is gone. */
void tl_junction_remove(struct tl_junction *junction, struct tl_leg *leg);
/** @leg is ending with @cause: leaves, and the others follow as its rule says. */
void tl_junction_leg_ends(struct tl_leg *leg, unsigned cause);
/** Digits that @leg signalled outside its audio, for the others to hear. */
void tl_junction_pass_digits(struct tl_leg *leg, const char *digits);
/** All leave and live on. */
void tl_junction_destroy(struct tl_junction *junction);

/** Clear for timeslots of one law and one clock domain, and for data of one law; voice otherwise. */
enum tl_bridge_kind tl_junction_best_kind(const struct tl_leg *a, const struct tl_leg *b);
JsonObject *tl_junction_describe(const struct tl_junction *junction);
