/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What the files of this room share: the stack, its listeners, its peers. Thread: main. */
#pragma once

#include <sofia-sip/su_wait.h>

struct tl_sip_listener;
#define NUA_MAGIC_T struct tl_sip_listener
struct tl_nua_owner;
#define NUA_HMAGIC_T struct tl_nua_owner
#include <sofia-sip/nua.h>
#include <sofia-sip/sip.h>

#include "ip/digest.h"
#include "ip/ip.h"
#include "ip/registrar.h"

/** One event of the stack, valid during its delivery. */
struct tl_nua_event {
	int kind; /* nua_event_t */
	int status;
	nua_handle_t *nh;
	const sip_t *sip; /* may be NULL: the stack's own verdict */
	tagi_t *tags;
	struct tl_sip_listener *listener;
};

/** What a handle's magic points to. */
struct tl_nua_owner {
	void (*on_event)(struct tl_nua_owner *owner, const struct tl_nua_event *event);
};

/** One listening address with a stack of its own: its sockets send what goes out by that family and transport. */
struct tl_sip_listener {
	struct tl_sip *sip;
	nua_t *nua;
	int family;
	bool udp, tcp, tls, down;
	char host[64];     /* numeric */
	char uri_host[68]; /* the same in a URI: IPv6 in brackets */
	unsigned port;
};

struct tl_trunk {
	char *name, *target, *user, *password;
	char **peers; /* canonical numeric addresses */
	enum tl_srtp_policy srtp;
};

struct tl_phone {
	char *ha1;
	enum tl_srtp_policy srtp;
};

struct tl_sip {
	struct tl_sip_handler handler;
	void *user;
	su_root_t *root;
	GSource *source;
	struct tl_sip_listener *listeners;
	unsigned n_listeners;
	char *realm;
	struct tl_kept *kept; /* NULL: registrations are not kept */
	GHashTable *users;  /* name -> struct tl_phone */
	GPtrArray *trunks;  /* of struct tl_trunk */
	unsigned register_min_s, register_max_s, session_expires_s, max_dialogs, unreachable_ms;
	enum tl_srtp_policy srtp; /* of calls to bare URIs */
	bool keys_in_clear, verifies; /* verifies: whom we connect to by TLS must have a certificate that we trust */
	char *tls_folder;         /* NULL: no TLS */
	struct tl_sip_counters counters;
	uint64_t refused_before; /* tl_trace_refused() when we started */
	struct tl_digest *digest;
	struct tl_registrar *registrar;
	GQueue dialogs;       /* of struct tl_sip_dialog, until the stack is through with them */
	GQueue registrations; /* of struct tl_sip_registration */
	bool tracing, closing, t38; /* t38: calls may begin by it */
};

const struct tl_trunk *tl_sip_trunk_named(const struct tl_sip *sip, const char *name);
/** The trunk whose peers include the numeric address @host, or NULL. */
const struct tl_trunk *tl_sip_trunk_from(const struct tl_sip *sip, const char *host);
