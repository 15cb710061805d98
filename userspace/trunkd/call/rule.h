/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What the node does with a leg when no conductor is connected for a time. Thread: main. */
#pragma once

#include <stdbool.h>

#include "call/target.h"

enum tl_rule_action { TL_RULE_KEEP, TL_RULE_RELEASE, TL_RULE_ROUTE };

struct tl_rule {
	bool given;           /* otherwise: an answered leg is kept, one not yet answered goes by the node's routes */
	enum tl_rule_action action;
	unsigned after_s;
	unsigned cause;       /* RELEASE */
	struct tl_target to;  /* ROUTE */
	char to_text[TL_TARGET_MAX + 1];
};

struct tl_leg;
struct tl_node;

/** Starts or stops @leg's timer as the presence of a conductor and its rule demand. */
void tl_rule_apply(struct tl_leg *leg);
/** The same for every leg: a conductor has come or gone. */
void tl_rules_apply(struct tl_node *node);
