/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * A leg: one party's connection to this node. By verb:
 *   leg.c        the table of states, ids, birth and death
 *   offer.c      calls that come in, until someone may act on them
 *   originate.c  calls that go out, trunk groups
 *   answer.c     proceed, alert, progress, answer: what an incoming leg is told
 *   hear.c       what the far end says: the dialog's events
 *   audio.c      the port's life; hold
 *   t38.c        going over to T.38, and gateways
 *   end.c        release and what remains to be done
 * Not for other rooms. Thread: main.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/clock.h"
#include "base/fsm.h"
#include "call/rule.h"
#include "ip/ip.h"
#include "media/media.h"
#include "signal/leg.h"

#define TL_ID_MAX 64

enum tl_leg_state {
	TL_LEG_NEW, /* its first fact is on its way to the disk, or digits are still missing */
	TL_LEG_OFFERED, TL_LEG_DIALING, TL_LEG_PROCEEDING, TL_LEG_ALERTING, TL_LEG_ANSWERED, TL_LEG_RELEASING,
	TL_LEG_ENDED, TL_LEG_STATES,
};

enum tl_leg_event {
	TL_LEG_OFFER, TL_LEG_DIAL, TL_LEG_PROCEED, TL_LEG_ALERT, TL_LEG_PROGRESS, TL_LEG_ANSWER, TL_LEG_RELEASE,
	TL_LEG_RELEASED, TL_LEG_EVENTS,
};

enum tl_party_kind { TL_PARTY_TIMESLOT, TL_PARTY_SIP_USER, TL_PARTY_SIP_TRUNK, TL_PARTY_SIP_URI, TL_PARTY_BROWSER };

struct tl_party {
	enum tl_party_kind kind;
	char *name;
	unsigned slot;
	const char *group; /* interned; may be NULL */
};

struct tl_node;
struct tl_access;
struct tl_junction;
struct tl_play;
struct tl_collect;
struct tl_hunt;
struct tl_leg_fax;
struct tl_gateway;

struct tl_leg {
	struct tl_node *node;
	char id[TL_ID_MAX + 1];
	struct tl_fsm fsm;
	bool outgoing;
	const char *owner;        /* interned name of the token that made it; NULL: the node or a far end */
	struct tl_dialog *dialog; /* owned; NULL between two tries of a hunt */
	struct tl_port *port;     /* owned; NULL while there is no audio */
	struct tl_party party;
	struct tl_leg_setup setup;
	GHashTable *tags;         /* char * -> char * */
	struct tl_rule rule;
	struct tl_timer *rule_timer;
	struct tl_timer *timer;   /* incoming: offer timeout; outgoing: answer timeout; browser: grace */
	bool taken;               /* somebody acts on it: no fallback */
	bool offered;             /* its offered fact is durable and was reported */
	bool inband;              /* its far end sends audio that is worth hearing, or we do */
	bool held, muted;
	bool wants_digits;        /* somebody is to hear of each: its audio is searched for them */
	struct tl_junction *junction;
	struct tl_play *play;
	struct tl_collect *collect;
	struct tl_leg_fax *fax;   /* borrowed: it may outlive the leg */
	struct tl_gateway *gateway; /* T.38's, between this leg and the other of its bridge; likewise */
	struct tl_leg *partner;   /* the other side of a call that this node joins by itself */
	struct tl_hunt *hunt;     /* outgoing: where else it may be tried */
	bool ends_after_play;     /* an announcement that nobody waits for */
	int64_t offered_utc_us, answered_utc_us;
	unsigned cause;           /* once it is RELEASING */
};

/* ---- leg.c ---- */

extern const struct tl_fsm_machine tl_leg_machine;

/** A leg in no state yet, in the node's table. @id NULL: made here, unique over boots. (owned by the table) */
struct tl_leg *tl_leg_new(struct tl_node *node, const char *id, bool outgoing);
struct tl_leg *tl_leg_find(struct tl_node *node, const char *id);
enum tl_leg_state tl_leg_state(const struct tl_leg *leg);
/** As the protocol names it. */
const char *tl_leg_state_name(const struct tl_leg *leg);
bool tl_leg_is_live(const struct tl_leg *leg); /* neither releasing nor ended */
bool tl_leg_may(const struct tl_leg *leg, enum tl_leg_event event);
void tl_leg_fire(struct tl_leg *leg, enum tl_leg_event event);
/** Out of the table at once; freed when the present event has been dealt with. */
void tl_leg_bury(struct tl_leg *leg);
/** The same for a dialog that is over. */
void tl_dialog_bury(struct tl_node *node, struct tl_dialog *dialog);
void tl_party_set(struct tl_party *party, enum tl_party_kind kind, const char *name, unsigned slot, const char *group);
void tl_party_clear(struct tl_party *party);

/* ---- offer.c ---- */

void tl_offer_from_access(struct tl_access *access, struct tl_dialog *dialog, const struct tl_leg_setup *setup);
void tl_offer_from_sip(struct tl_node *node, struct tl_dialog *dialog, const struct tl_leg_setup *setup,
		       const struct tl_sip_origin *origin);
/** More called digits, before the leg is offered (@complete: the last ones). */
void tl_offer_digits(struct tl_leg *leg, const char *digits, bool complete);
/** The offered leg is somebody's. */
void tl_offer_take(struct tl_leg *leg);
/** Nobody will take it: by the node's routes. */
void tl_offer_fall_back(struct tl_leg *leg);

/* ---- originate.c ---- */

struct tl_target;
/** Sends the call to @target, whose kind is neither ANNOUNCEMENT nor ROUTE; TL_CONTROL_ERROR. @law: offered first. */
bool tl_leg_dial(struct tl_leg *leg, const struct tl_target *target, enum tl_law law, unsigned timeout_ms,
		 GError **error);
/** After a refusal with @cause: true when the call goes on elsewhere. */
bool tl_leg_dial_again(struct tl_leg *leg, unsigned cause);
void tl_hunt_free(struct tl_hunt *hunt);

/* ---- answer.c: incoming legs. TL_CONTROL_ERROR ---- */

bool tl_leg_proceed(struct tl_leg *leg, GError **error);
bool tl_leg_alert(struct tl_leg *leg, bool inband, GError **error);
bool tl_leg_progress(struct tl_leg *leg, GError **error);
bool tl_leg_answer(struct tl_leg *leg, GError **error);

/* ---- hear.c ---- */

void tl_leg_on_dialog(struct tl_dialog *dialog, const struct tl_dialog_event *event, void *leg);

/* ---- audio.c ---- */

/** Its port, opened now when it has none. TL_CONTROL_ERROR. Borrowed. */
struct tl_port *tl_leg_audio(struct tl_leg *leg, GError **error);
/** A port for a call that goes out by RTP; fills @local. */
bool tl_leg_audio_rtp(struct tl_leg *leg, enum tl_law law, struct tl_rtp_side *local, GError **error);
/** Searches its audio for DTMF while somebody needs it: a collect, or who asked for each digit. */
void tl_leg_audio_search(struct tl_leg *leg);
/** The dialog's media have changed. */
void tl_leg_audio_changed(struct tl_leg *leg);
void tl_leg_audio_close(struct tl_leg *leg);
bool tl_leg_mute(struct tl_leg *leg, bool on, GError **error);
/** Law of its audio, or what it would be. */
enum tl_law tl_leg_law(const struct tl_leg *leg);

/* ---- end.c ---- */

/** Begins to clear; harmless when it has begun. */
void tl_leg_release(struct tl_leg *leg, unsigned cause);
/** The far end, or signalling, has cleared. */
void tl_leg_ended(struct tl_leg *leg, unsigned cause, bool by_peer);
/** Releases a dialog that never became a leg. */
void tl_dialog_refuse(struct tl_node *node, struct tl_dialog *dialog, unsigned cause);
