/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * A SIP dialog of an INVITE, split by verb: sip-in.c (taking a call),
 * sip-out.c (placing one), sip-media.c (offers, answers, re-offers), and
 * sip-dialog.c (the table that ties them, clearing, life and death).
 * Thread: main.
 */
#pragma once

#include <sofia-sip/sip_tag.h>

#include "base/clock.h"
#include "base/fsm.h"
#include "ip/sdp.h"
#include "ip/sip-keys.h"
#include "ip/sip.h"

/** Our Contact, where the stack's own would not do: for requests and responses that set it. */
#define TL_SIP_CONTACT(dialog) TAG_IF((dialog)->contact[0], SIPTAG_CONTACT_STR((dialog)->contact))

enum tl_sip_dialog_event {
	TL_SIP_OFFERED,     /* an INVITE that we take */
	TL_SIP_CALL,        /* our own INVITE goes out */
	TL_SIP_PROVISIONAL, /* 1xx; data: struct tl_nua_event */
	TL_SIP_ACCEPTED,    /* 2xx to our INVITE; data: struct tl_nua_event (nua_i_state) */
	TL_SIP_REFUSED,     /* 3xx-6xx to it; data: struct tl_nua_event */
	TL_SIP_UNREACHABLE, /* nothing answered in time */
	TL_SIP_FAILED,      /* no further contact to try; data: struct tl_sip_ending */
	TL_SIP_ANSWER,      /* the owner answers */
	TL_SIP_ACK,         /* data: struct tl_nua_event */
	TL_SIP_REINVITE,    /* a re-INVITE or UPDATE with an offer; data: struct tl_nua_event */
	TL_SIP_REOFFER,     /* the owner's update */
	TL_SIP_CANCELLED,   /* data: struct tl_nua_event */
	TL_SIP_BYE,         /* data: struct tl_nua_event */
	TL_SIP_RELEASE,     /* the owner's release; data: struct tl_sip_ending */
	TL_SIP_LOST,        /* ACK or session timer expired, or the peer knows no such dialog */
	TL_SIP_TERMINATED,  /* the stack is through with it */
	TL_SIP_N_EVENTS,
};

struct tl_sip_ending {
	unsigned cause;
	bool by_peer;
};

/** A place to send an INVITE to. */
struct tl_sip_route {
	char *uri, *route; /* route: NULL when the URI is the way */
	struct tl_sip_listener *listener;
};

struct tl_sip_dialog {
	struct tl_dialog base; /* first: the owner's view of it */
	struct tl_nua_owner nua;
	struct tl_sip *sip;    /* NULL once the stack is gone */
	struct tl_sip_listener *listener;
	nua_handle_t *nh;
	struct tl_fsm fsm;
	GList link;            /* in sip->dialogs */

	struct tl_sdp shape;   /* the latest description of the peer */
	bool has_shape, offered; /* offered: the INVITE we took had an offer */
	struct tl_sdp fresh;   /* what the 2xx being handled described */
	int verdict;           /* 0, -ENODATA (it had no description) or another negative errno */
	uint64_t session_id;
	unsigned version;
	char contact[128];     /* ours, for this peer; "": the stack's own will do */
	char *description;     /* our latest, as sent; has keys in it */
	struct tl_sip_keys keys;
	enum tl_srtp_policy srtp; /* outgoing: what is wanted */

	GPtrArray *routes;     /* of struct tl_sip_route; outgoing */
	unsigned route;        /* the one in use */
	struct tl_leg_setup setup;
	char *user, *password, *identity; /* to authenticate and name ourselves; may be NULL */
	bool to_trunk, to_phone, proceeding;
	unsigned challenges;
	struct tl_timer *timer_b; /* our INVITE, nothing heard */

	struct tl_timer *retry; /* a re-offer that met the peer's own */
	bool reoffer_again;     /* the owner updated once more meanwhile */

	struct tl_sip_ending ending;
	bool has_ended, told, disowned; /* an ending is settled; RELEASED was delivered; the owner freed it */
	guint telling;          /* GLib source that will deliver RELEASED */
};

/** A dialog in its first state, counted and listed. (transfer full) */
struct tl_sip_dialog *tl_sip_dialog_new(struct tl_sip *sip, struct tl_sip_listener *listener);
/** Frees one that nobody else has seen. */
void tl_sip_dialog_forget(struct tl_sip_dialog *d);
/** Fires @event; false when the state has no row for it. */
bool tl_sip_dialog_fire(struct tl_sip_dialog *d, enum tl_sip_dialog_event event, const void *data);
/** Gives the owner an event. */
void tl_sip_dialog_tell(struct tl_sip_dialog *d, const struct tl_dialog_event *event);
/** Settles how it ended, once; RELEASED is delivered from the loop. */
void tl_sip_dialog_end(struct tl_sip_dialog *d, unsigned cause, bool by_peer);
/** Lets go of the stack's handle. */
void tl_sip_dialog_drop_handle(struct tl_sip_dialog *d);
/** The stack goes away: RELEASED with cause 41 at once, and never a word to the stack again. */
void tl_sip_dialog_abandon(struct tl_sip_dialog *d);
/** Whether the two ends can talk now. */
bool tl_sip_dialog_is_confirmed(const struct tl_sip_dialog *d);
extern const struct tl_fsm_machine tl_sip_dialog_machine;

/* sip-in.c: tl_fsm_action and operations */
void tl_sip_in_answer(void *user, const void *data);
void tl_sip_in_confirmed(void *user, const void *data);
void tl_sip_in_refuse(void *user, const void *data);
int tl_sip_in_provisional(struct tl_sip_dialog *d, unsigned status, bool inband);
/** An INVITE outside a dialog: checked, refused or offered. */
void tl_sip_in_invite(const struct tl_nua_event *event);

/* sip-out.c */
void tl_sip_out_invite(void *user, const void *data);
void tl_sip_out_provisional(void *user, const void *data);
void tl_sip_out_accepted(void *user, const void *data);
void tl_sip_out_refused(void *user, const void *data);
void tl_sip_out_unreachable(void *user, const void *data);
void tl_sip_out_cancel(void *user, const void *data);
/** Answers a 401 or 407. False when we cannot. */
bool tl_sip_out_authenticate(nua_handle_t *nh, const sip_t *sip, const char *user, const char *password);
void tl_sip_out_clear(struct tl_sip_dialog *d);

/* sip-media.c */
/** Our description; @answer: with the agreed law only. Borrowed until the next. */
const char *tl_sip_media_describe(struct tl_sip_dialog *d, bool answer);
/** Frees our description, and what keys were in it. */
void tl_sip_media_forget(struct tl_sip_dialog *d);
/** Reads a message's description; -ENODATA when it has none. */
int tl_sip_media_read(struct tl_sip_dialog *d, const sip_t *sip, struct tl_sdp *sdp);
/** Takes the peer's offer for the dialog's remote side. */
void tl_sip_media_take_offer(struct tl_sip_dialog *d, const struct tl_sdp *sdp);
/** Settles our answer to the offer taken last. */
void tl_sip_media_agree(struct tl_sip_dialog *d);
/** Takes the peer's answer to our offer; false when it leaves nothing to talk by, or keys that we did not offer. */
bool tl_sip_media_take_answer(struct tl_sip_dialog *d, const struct tl_sdp *sdp);
/** Tells the owner if the remote side is not as @before, or the keys are new. */
void tl_sip_media_tell(struct tl_sip_dialog *d, const struct tl_rtp_side *before);
void tl_sip_media_reoffer(void *user, const void *data);
void tl_sip_media_reoffer_later(void *user, const void *data);
void tl_sip_media_reoffer_accepted(void *user, const void *data);
void tl_sip_media_reoffer_refused(void *user, const void *data);
void tl_sip_media_refreshed(void *user, const void *data);
void tl_sip_media_reinvited(void *user, const void *data);
void tl_sip_media_reacked(void *user, const void *data);
void tl_sip_media_glare(void *user, const void *data);
/** ACK for a 2xx, with an answer where it brought an offer. False when there is no common ground. */
bool tl_sip_media_acknowledge(struct tl_sip_dialog *d, const struct tl_nua_event *event);
