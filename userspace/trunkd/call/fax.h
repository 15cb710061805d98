/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Faxes on legs: a leg becomes a fax machine, received pages become parts of a spool item. Thread: main. */
#pragma once

#include "call/node.h"
#include "fax/fax.h"

/** What a request asks for; borrowed during the call. */
struct tl_fax_order {
	const char *id;
	struct tl_fax_config config;     /* but for the document */
	const char *document;            /* sends: SHA-256 of a blob */
};

/**
 * tl_fax_order - begin it on @leg, which has no fax yet. @on_begun comes once, later, with members for the result
 * (borrowed) or TL_CONTROL_ERROR; then events. False: refused at once.
 */
typedef void (*tl_fax_begun)(JsonObject *result, const GError *error, void *user);
bool tl_fax_order(struct tl_leg *leg, const struct tl_fax_order *order, tl_fax_begun on_begun, void *user, GError **error);

/** As asked for. False when there is none. */
bool tl_leg_fax_stop(struct tl_leg *leg);
/** The far end, at @remote, has gone over to T.38. Harmless without a fax. */
void tl_leg_fax_go_t38(struct tl_leg *leg, const struct tl_t38_side *remote);
/** The leg loses its port, or ends: fax.ended follows all the same. Harmless without a fax. */
void tl_leg_fax_lost(struct tl_leg *leg);
/** Id of its fax, or NULL. */
const char *tl_leg_fax_id(const struct tl_leg *leg);

void tl_faxes_start(struct tl_node *node);
/** Ends what still runs; items become partial. After the control server, before media and spool. */
void tl_fax_end_all(struct tl_node *node);
