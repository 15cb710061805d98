/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* A span with its signalling: drain, slot states, reports. Thread: main. */
#pragma once

#include <json-glib/json-glib.h>

#include "call/node.h"

struct tl_session;

struct tl_access {
	struct tl_node *node;
	const struct tl_access_config *config;
	const char *group;         /* interned, may be NULL */
	struct tl_span *span;
	struct tl_signalling *signalling; /* NULL without */
	bool draining;
	uint32_t drained_slots;    /* bit per slot */
	struct tl_timer *report;   /* runs while no further span.changed may go out */
	bool report_due;
	unsigned tracers;          /* sessions that want its frames */
};

/** Opens the span, gives it to media, starts its signalling. (transfer full) */
struct tl_access *tl_access_new(struct tl_node *node, const struct tl_access_config *config, GError **error);
void tl_access_free(struct tl_access *access);
struct tl_access *tl_access_find(const struct tl_node *node, const char *name);
/** The leg on @slot, or NULL. */
struct tl_leg *tl_access_leg_on(const struct tl_access *access, unsigned slot);
unsigned tl_access_legs(const struct tl_access *access);
void tl_access_drain(struct tl_access *access, unsigned slot, bool off);
/** span.changed, now or when it may. */
void tl_access_changed(struct tl_access *access);
/** "span" of the protocol. (transfer full) */
JsonObject *tl_access_describe(const struct tl_access *access);
/** Only where tl_signalling_has_trace(). */
void tl_access_trace(struct tl_access *access, bool on);
