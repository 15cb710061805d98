/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * A browser behind a port: its ICE secret, the addresses that its checks proved,
 * its DTLS association, and whether it still wants to hear us. Packets come and
 * go by the hub. A page that is loaded again is a new one of these on the same
 * port; an ICE restart is a new secret of the same one.
 */
#pragma once

#include "media/engine.h"
#include "secure/secure.h"

#define TL_BROWSER_PAIRS 4

struct tl_rtp_session;

/** One life of ICE. */
struct tl_browser_secret {
	struct tl_parcel parcel;
	struct tl_browser *browser;       /* RO */
	struct tl_ice_secret ice;         /* RO */
	struct tl_browser_secret *next;   /* tick: in the hub's table */
};

/** An address that has shown a signed check, and the socket of ours that it came to. */
struct tl_browser_pair {
	struct tl_browser *browser;       /* NULL: place free */
	union tl_address address;
	unsigned socket;
	int64_t checked_us;
	struct tl_browser_pair *next;     /* in the hub's table */
};

struct tl_browser {
	struct tl_parcel parcel;
	struct tl_port *port;             /* RO */
	struct tl_hub *hub;               /* RO */
	struct tl_association *association; /* main; tick feeds it */
	struct tl_certificate *certificate; /* main */

	/* tick */
	struct tl_browser_secret *secret;
	struct tl_browser_pair pairs[TL_BROWSER_PAIRS];
	struct tl_browser_pair *selected; /* where we send; NULL: nowhere yet */
	bool up;                          /* there are keys, and consent to send */
};

/** Frees what came back. Thread: main. */
void tl_browser_dispose(struct tl_browser *browser);
void tl_browser_secret_free(struct tl_browser_secret *secret);
/** The thread said that a browser's media are up, or gone. Thread: main. */
void tl_browser_heard(const struct tl_event *event);
/** The handlers of the associations that the hub's pool keeps. */
extern const struct tl_dtls_handler tl_browser_dtls;

/* ---- thread: tick ---- */

/** Puts @browser, or none, in the place of the session's former one, which goes back to main with its keys. */
void tl_browser_set(struct tl_rtp_session *session, struct tl_browser *browser);
/** ICE begins anew; media go on where they went until the first new check. */
void tl_browser_set_secret(struct tl_browser_secret *secret);
/** A check with the right signature came from @from to @socket. */
void tl_browser_checked(struct tl_browser *browser, unsigned socket, const union tl_address *from, bool nominated);
/** Once a tick: tells main when media are up, or no longer. RFC 7675 5.1 */
void tl_browser_watch(struct tl_browser *browser);
bool tl_browser_is_up(const struct tl_browser *browser);
bool tl_browser_send(struct tl_browser *browser, const uint8_t *octets, size_t n);
