/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * SIP on sofia-sip in the GLib loop, with our own SDP: registrar, phones
 * (users) and SIP trunks. It knows no RTP packets: the owner of a dialog puts
 * the local RTP side into it, and reads the remote one from it. Thread: main.
 */
#pragma once

#include <glib.h>

#include "ip/browser.h"
#include "signal/leg.h"

/** Whether a peer's audio is encrypted: SRTP, its keys in the descriptions (RFC 4568), by TLS only unless configured. */
enum tl_srtp_policy {
	TL_SRTP_OFF,
	TL_SRTP_ALLOW,   /* offered beside RTP/AVP, which many peers understand; taken either way */
	TL_SRTP_REQUIRE, /* offered as RTP/SAVP; calls without it fail: 488, cause 65 */
};

/** A phone that may register and call. */
struct tl_sip_user {
	const char *name;
	const char *ha1;    /* hex MD5(user:realm:password), RFC 2617; never a plain password, never logged */
	enum tl_srtp_policy srtp;
};

/** A SIP trunk: a peer known by address, optionally by digest. */
struct tl_sip_trunk {
	const char *name;
	const char *target;      /* "sip:host:port" or with ;transport=tcp or tls, "sips:..."; where calls are sent */
	const char *const *peers; /* numeric addresses its calls may come from; NULL-terminated */
	const char *user, *password; /* to authenticate ourselves; may be NULL */
	enum tl_srtp_policy srtp;
};

struct tl_sip_config {
	const char *const *listen; /* "sip:127.0.0.1:5060", "sip:[::1]:5060;transport=tcp", "sips:..." or transport=tls; none: UDP, TCP */
	const char *realm;
	const struct tl_sip_user *users; unsigned n_users;
	const struct tl_sip_trunk *trunks; unsigned n_trunks;
	unsigned register_min_s, register_max_s; /* granted expiry, default 60-3600 */
	unsigned session_expires_s;              /* RFC 4028; 0: off; 1800 is usual */
	unsigned max_dialogs;                    /* beyond it 503; default 4000 */
	const char *registrations_path;          /* file that keeps registrations over a restart; NULL: none */
	enum tl_srtp_policy srtp;                /* of calls to bare URIs */
	bool keys_in_clear;                      /* SRTP's keys by UDP and TCP, too, where others can read them */
	const char *tls_folder;                  /* where the stack's TLS reads from; needed to listen with it */
	const char *certificate;                 /* file of key and certificate (secure.h); NULL: our own */
	const char *authorities;                 /* file of those who may vouch for whom we connect to; NULL: anybody is believed */
	unsigned tls_connections, tls_connections_per_address, tls_handshake_ms; /* of TLS; 0: as in secure.h */
	bool t38;                                /* calls may begin by T.38; whether one may go over to it is asked of its owner */
	unsigned unreachable_ms;                 /* a call that nothing answers at all fails after it; default 8000 */
};

enum tl_sip_origin_kind { TL_SIP_USER, TL_SIP_TRUNK };
struct tl_sip_origin {
	enum tl_sip_origin_kind kind;
	const char *name; /* of the user or trunk; borrowed */
	const char *asked; /* user part of the request URI, "" when absent; lives during the call */
};

struct tl_sip_counters {
	uint64_t invites_received, invites_sent, registers, auth_failures, unknown_users, unknown_peers;
	uint64_t sdp_refused, overload_refused, messages_refused;
	/* Connections by TLS that others made; of the whole process. */
	uint64_t tls_connections; /* present (a gauge) */
	uint64_t tls_accepted, tls_refused_full, tls_refused_address, tls_refused_slow;
};

struct tl_sip;

struct tl_sip_handler {
	/**
	 * An INVITE passed digest (users) or address (trunks). (transfer full) of @dialog. dialog->remote holds the
	 * offer's side (port 0 when it had none); set dialog->local before alert with media, progress or answer.
	 */
	void (*on_offered)(struct tl_sip *sip, struct tl_dialog *dialog, const struct tl_leg_setup *setup,
			   const struct tl_sip_origin *origin, void *user);
	/** @name's first contact was registered, or its last one went (expiry too). */
	void (*on_registration)(struct tl_sip *sip, const char *name, bool registered, const char *contact, void *user);
	/** Every SIP message while tracing is on. */
	void (*on_trace)(struct tl_sip *sip, bool sent, const char *message, size_t length, void *user);
};

#define TL_IP_ERROR (tl_ip_error_quark())
GQuark tl_ip_error_quark(void);
enum tl_ip_error_code { TL_IP_ERROR_CONFIG, TL_IP_ERROR_LISTEN, TL_IP_ERROR_UNREGISTERED, TL_IP_ERROR_TARGET,
			TL_IP_ERROR_OFFER };

/** Opens the listening sockets ("port in use" is said with the address). (transfer full) */
struct tl_sip *tl_sip_new(const struct tl_sip_config *config, const struct tl_sip_handler *handler, void *user,
			  GError **error);

/**
 * Ends: takes our registrations back, releases dialogs (cause 41) and runs the loop until sofia-sip is down: a
 * second or two, at the very worst the stack's own 30 s. NULL is legal.
 */
void tl_sip_free(struct tl_sip *sip);

/**
 * Reads key, certificates and authorities of TLS again; connections from now on have them, calls do not notice. Whether
 * authorities are asked at all is settled by tl_sip_new(). On an error all stays as it was. Blocks on the disk: some ms.
 */
gboolean tl_sip_renew_certificate(struct tl_sip *sip, const char *certificate, const char *authorities, GError **error);

/** Replaces users and trunks (a reload); dialogs are not touched. */
void tl_sip_set_peers(struct tl_sip *sip, const struct tl_sip_user *users, unsigned n_users,
		      const struct tl_sip_trunk *trunks, unsigned n_trunks);

/**
 * tl_sip_call - INVITE to "user:NAME" (its registered contacts, the latest first), "trunk:NAME", or a "sip:" URI.
 * @local: our RTP side, copied into the dialog. Calling and called go into From, P-Asserted-Identity, Privacy and
 * the request URI; redirecting into Diversion. (transfer full)
 * Errors: not registered, unknown target, bad URI.
 */
struct tl_dialog *tl_sip_call(struct tl_sip *sip, const char *target, const struct tl_leg_setup *setup,
			      const struct tl_rtp_side *local,
			      void (*on_event)(struct tl_dialog *, const struct tl_dialog_event *, void *), void *user,
			      GError **error);

/**
 * Registers @user at @registrar ("sip:host:port") and keeps it so; for agents and trunks that ask for it. Calls to
 * "sip:" URIs there carry its name and credentials; calls from there need a trunk whose peers have its address.
 * @password has no colon. (transfer full), to tl_sip_unregister(), which frees it; so does tl_sip_free().
 */
struct tl_sip_registration;
struct tl_sip_registration *tl_sip_register(struct tl_sip *sip, const char *registrar, const char *user,
					    const char *password,
					    void (*on_state)(bool registered, unsigned status, void *user_data),
					    void *user_data, GError **error);
void tl_sip_unregister(struct tl_sip_registration *registration);

bool tl_sip_is_registered(const struct tl_sip *sip, const char *user);
unsigned tl_sip_port(const struct tl_sip *sip); /* of the first listening socket */
void tl_sip_counters(const struct tl_sip *sip, struct tl_sip_counters *counters);
void tl_sip_set_trace(struct tl_sip *sip, bool on);

/** Our side of T.38, for local.t38 before tl_dialog_update(). Any thread. */
struct tl_t38_side tl_sdp_t38(enum tl_t38_correction correction);

/** SIP status for a Q.850 cause and back (RFC 3398 7.2.4.1, 8.2.6.1). */
unsigned tl_sip_status_from_cause(unsigned cause);
unsigned tl_sip_cause_from_status(unsigned status);
