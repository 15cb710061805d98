/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Recordings of bridges: from the order to the item in the spool. Thread: main. */
#pragma once

#include <json-glib/json-glib.h>

#include "call/junction.h"

struct tl_taping;

struct tl_taping_order {
	const char *id;
	struct tl_leg *left;             /* whose voice is on the left */
	enum tl_record_format format;
	const char *const *notice;       /* sounds for all parties once the recorder has its first block; NULL: none */
	JsonObject *tags;                /* besides @left's; may be NULL */
	const char *owner;               /* interned */
};

/** Starts the pool; before the first recording. */
void tl_tapings_start(struct tl_node *node);
/** What is still being written is found as partial next time. After media. */
void tl_tapings_end(struct tl_node *node);

/** Begins to record @junction; @reply is answered once it is known whether it can. */
void tl_taping_new(struct tl_junction *junction, const struct tl_taping_order *order, struct tl_control_reply *reply);
/** NULL: no such recording, or it has ended. */
struct tl_taping *tl_taping_find(const struct tl_node *node, const char *id);
const char *tl_taping_owner(const struct tl_taping *taping);
void tl_taping_pause(struct tl_taping *taping, bool on);
void tl_taping_stop(struct tl_taping *taping);
JsonObject *tl_taping_describe(const struct tl_taping *taping);
