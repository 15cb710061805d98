/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * A whole node in this process, its far ends, and desks that command it: the
 * network side of a PRI over a real pseudowire, SIP phones that register, and
 * clients of the control protocol. Every message is held against the schema.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "call/node.h"

enum far_policy { FAR_RING, FAR_ANSWER, FAR_BUSY, FAR_EARLY }; /* what a called far end does */

/** One call at a far end. */
struct far {
	struct rig *rig;
	struct tl_dialog *dialog;  /* NULL once released */
	struct tl_port *port;
	struct tl_leg_setup setup; /* of a call that came */
	bool by_sip;
	unsigned heard[TL_DIALOG_RELEASED + 1]; /* by enum tl_dialog_event_kind */
	bool inband, by_peer, ending;
	unsigned cause;
	GString *digits;           /* DTMF heard */
	GByteArray *audio;         /* recorded */
};

struct rig {
	char *state_dir, *sounds_dir;
	struct tl_node_config config;
	struct tl_access_config access;
	struct tl_sip_user users[2];
	struct tl_control_token tokens[4];
	struct tl_route routes[4];
	char listen[64];
	const char *listens[2];
	const char *no_groups[1];
	struct tl_node *node;
	/* the far side */
	struct fast_line *line;    /* NULL: a pseudowire by our clock */
	struct tl_span_config far_span; /* with a name: used as it is, and media run in its line time */
	struct tl_media *media;
	struct tl_span *span;
	struct tl_pri *pri;
	struct tl_sip *sip;
	struct tl_sip_registration *registration;
	bool registered;
	enum far_policy policy;
	GPtrArray *fars;           /* struct far, all that ever were */
};

/** Waits for @condition; fails after a minute. */
#define await(condition)                                                                  \
	do {                                                                              \
		gint64 end_ = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;               \
		while (!(condition)) {                                                    \
			if (g_get_monotonic_time() > end_)                                \
				g_error("%s: never came: %s", G_STRLOC, #condition);      \
			if (!g_main_context_iteration(NULL, FALSE))                       \
				g_usleep(500);                                            \
		}                                                                         \
	} while (0)

/** A port of 127.0.0.1 that nobody has, nor the next one; the kernel gives neither to a socket that asks for any. */
unsigned rig_free_port(void);
/** Fills the configuration; the test may change it before rig_start(). */
void rig_init(struct rig *rig);
/** Before rig_start(): all media at both ends run in the time of a line that is as fast as they, and loses nothing. */
void rig_on_fast_line(struct rig *rig);
void rig_start(struct rig *rig);
/** The node only; its state directory stays. */
void rig_stop_node(struct rig *rig);
void rig_start_node(struct rig *rig);
void rig_done(struct rig *rig);
/** A phone of @user at the far side registers. */
void rig_register(struct rig *rig, const char *user);

/** The network calls @called (NULL: by overlap, nothing yet). */
struct far *rig_call(struct rig *rig, const char *called);
/** The phone that has registered calls @called. */
struct far *rig_call_by_sip(struct rig *rig, const char *called);
/** The @i-th call that came to a far end, after it has come. */
struct far *rig_await_far(struct rig *rig, unsigned i);
void far_open(struct far *far);
void far_hang_up(struct far *far, unsigned cause);
bool far_is_over(const struct far *far);
/** Whether @n octets of what @far recorded are those of @sent from @from. */
bool far_has_heard(struct far *far, const uint8_t *sent, size_t n);

/** A connection to the node. */
struct desk {
	struct tl_control_client *client;
	GPtrArray *events;         /* JsonObject: name added as "name" */
	bool open;
	int refused;               /* error code of session.open */
};
struct desk *desk_new(struct rig *rig, const char *token, gint64 epoch);
void desk_free(struct desk *desk);
/** Calls @method with JSON params and waits. (transfer full) result, or NULL with *@code. */
JsonObject *desk_try(struct desk *desk, int *code, const char *method, const char *params, ...) G_GNUC_PRINTF(4, 5);
/** The same where success is expected; the result is dropped. */
#define desk_do(desk, method, ...)                                                        \
	do {                                                                              \
		int code_;                                                                \
		JsonObject *result_ = desk_try(desk, &code_, method, __VA_ARGS__);        \
		if (!result_)                                                             \
			g_error("%s: %s: error %d", G_STRLOC, method, code_);             \
		json_object_unref(result_);                                               \
	} while (0)
/** Waits for the event @name (of @leg, unless NULL) and takes it out; borrowed until desk_free(). */
JsonObject *desk_await(struct desk *desk, const char *name, const char *leg);
/** The journal's facts after @after. (transfer full) */
JsonArray *desk_facts(struct desk *desk, gint64 after);
/** How many of @facts are @fact; of leg @leg unless NULL. */
unsigned facts_count(JsonArray *facts, const char *fact, const char *leg);
