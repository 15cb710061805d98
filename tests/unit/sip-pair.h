/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Two SIP stacks in one process that talk over loopback, and what each has heard. */
#pragma once

#include <glib.h>

#include "ip/ip.h"

#define REALM "trunkline.test"
#define USER "agent7"
#define PASSWORD "correct horse"

struct end {
	struct tl_sip *sip;
	struct tl_dialog *dialog;      /* the one taken or made last; NULL once freed */
	struct tl_leg_setup setup;     /* of the call taken last */
	enum tl_sip_origin_kind origin;
	char origin_name[64];
	unsigned offered, heard[TL_DIALOG_RELEASED + 1]; /* by enum tl_dialog_event_kind */
	bool inband;                   /* of the last event */
	unsigned cause, last_progress;
	bool by_peer;
	GString *digits, *trace;
	unsigned traced_sent, traced_received;
	bool registered;
	char registered_contact[256];
	unsigned registrations;        /* on_registration calls */
	bool client_registered;
	unsigned client_status, client_reports;
	bool keep_released;            /* the test frees the dialog itself */
	struct tl_rtp_side answer;     /* put into an offered dialog */
};

enum transport { UDP4, TCP4, UDP6, TCP6, TLS4, N_TRANSPORTS };
extern const char *const transport_names[N_TRANSPORTS];
static inline bool is_v6(enum transport transport) { return transport == UDP6 || transport == TCP6; }

/** Runs the loop until @condition; a minute without it fails the test. */
#define await(condition)                                                              \
	do {                                                                          \
		struct patience *patience_ = patience_new(G_STRLOC ": " #condition); \
		while (!(condition))                                                  \
			patience_spend(patience_);                                    \
		patience_free(patience_);                                             \
	} while (0)

struct patience;
struct patience *patience_new(const char *what);
void patience_spend(struct patience *patience);
void patience_free(struct patience *patience);
/** Runs the loop for @ms: only to see that something does not happen. */
void linger(unsigned ms);

/** An RTP side at loopback port @port. */
struct tl_rtp_side side(unsigned port, enum tl_law law);

/** Where the stacks of this process have their certificate. */
const char *tls_folder(void);
/** A stack with one user (USER) and, when @trunk_target, a trunk "far" whose peers are loopback. */
void end_start(struct end *end, enum transport transport, const char *trunk_target, void (*adjust)(struct tl_sip_config *));
void end_stop(struct end *end);
/** "sip:host:port;transport=..." of @end's first listener. (transfer full) */
char *end_uri(const struct end *end, enum transport transport);
/** @from calls @target with @called and @calling. */
void end_call(struct end *from, const char *target, const char *called, const char *calling);
void end_on_dialog(struct tl_dialog *dialog, const struct tl_dialog_event *event, void *user);
/** Frees the dialog and forgets what was heard. */
void end_reset(struct end *end);

struct pair {
	struct end a, b;
	enum transport transport;
	char *b_uri;
};
/** Two ends that are each other's trunk "far". */
void pair_start(struct pair *pair, enum transport transport, void (*adjust)(struct tl_sip_config *));
void pair_stop(struct pair *pair);
/** A call from a to b up to the answer on both sides. */
void pair_connect(struct pair *pair);
/** Both dialogs RELEASED and freed. */
void pair_await_released(struct pair *pair);

void test_main_init(int *argc, char ***argv);
