/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Events to those who are connected, and billable facts to the journal. Thread: main. */
#pragma once

#include <json-glib/json-glib.h>

#include "call/node.h"

/* ---- report.c: events ---- */

/** An event about @leg: leg and tags are added to @params (transfer full), applications get it of their own legs only. */
void tl_report_leg(struct tl_leg *leg, const char *event, JsonObject *params);
/** The same for what outlives its leg: @tags may be NULL. */
void tl_report_owned(struct tl_node *node, const char *owner, const char *leg, JsonObject *tags, const char *event,
		     JsonObject *params);
void tl_report_offered(struct tl_leg *leg);
void tl_report_state(struct tl_leg *leg);
/** An event about the node, spans or phones: to all but applications. @params (transfer full). */
void tl_report_node(struct tl_node *node, const char *event, JsonObject *params);
/** An event about a recording; @owner interned or NULL. */
void tl_report_recording(struct tl_node *node, const char *owner, const char *event, JsonObject *params);
/** bridge.changed; @owner interned or NULL. */
void tl_report_junction(struct tl_node *node, const char *owner, JsonObject *params);
/** journal.facts, to the conductor. @facts (transfer full). */
void tl_report_facts(struct tl_node *node, JsonArray *facts);
void tl_report_trace(struct tl_node *node, struct tl_access *access, bool sent, const uint8_t *octets, size_t n);

/* ---- fact.c ---- */

/**
 * tl_fact_leg - submit a fact about @leg. @more (transfer full, may be NULL) has its further members.
 * @then: once it is durable, if the leg still is in the table; may be NULL.
 */
void tl_fact_leg(struct tl_leg *leg, const char *fact, JsonObject *more, void (*then)(struct tl_leg *leg));
/** The same about what outlives its leg: @tags may be NULL, @more (transfer full) not. */
void tl_fact_owned(struct tl_node *node, const char *leg, JsonObject *tags, const char *fact, JsonObject *more);
/** The books of the last run: an ended fact for each leg that it left open; then boot. */
struct tl_journal_past;
void tl_fact_boot(struct tl_node *node, const struct tl_journal_past *past);
/** Tells the conductor what has become durable. */
void tl_fact_flush(struct tl_node *node);
