/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * What the desk shows and lets others do: the live page with its HTTP API and
 * WebSocket, and the control socket for operators (desk.schema.json). Both tell
 * the same values. Thread: main; passwords are checked on a worker.
 */
#pragma once

#include "acd/acd.h"
#include "contact/contact.h"
#include "control/control.h"
#include "faxjob/faxjob.h"
#include "ledger/ledger.h"

struct tl_web_login {
	const char *agent, *hash; /* Argon2id */
};

/** Strings and arrays are copied, rooms are borrowed. */
struct tl_web_config {
	const char *name;   /* of the desk */
	const char *listen; /* host:port */
	const char *host;   /* that a proxy in front is called by; NULL: none */
	const char *certificate, *key; /* PEM files; NULL: HTTP */
	bool video;         /* agents' pages offer it */
	const char *const *turn; /* URLs of TURN servers (RFC 7065) that agents' browsers may use; NULL: none */
	const char *turn_secret; /* what they know us by; never told */
	bool turn_only;          /* browsers try no other way */
	unsigned turn_lifetime_s;
	const char *socket; /* of the control protocol; NULL: none */
	const struct tl_control_token *tokens;
	unsigned n_tokens;
	const struct tl_web_login *logins;
	unsigned n_logins;
	struct tl_store *store;
	struct tl_acd *acd;
	struct tl_contacts *contacts;
	struct tl_ledger *ledger;
	struct tl_faxes *faxes;
	struct tl_blobs *blobs;
};

struct tl_web;
/** Listens; errors name what failed and the address: "listen: ..." "certificate: ..." or "socket: ...". (transfer full) */
struct tl_web *tl_web_new(const struct tl_web_config *config, GError **error);
void tl_web_free(struct tl_web *web);

/* Told to everybody who looks. @web may be NULL: nobody looks yet. */
void tl_web_call_changed(struct tl_web *web, struct tl_contact *contact);
void tl_web_agent_changed(struct tl_web *web, const struct tl_agent_info *agent);
void tl_web_queue_changed(struct tl_web *web, const struct tl_queue_info *queue);
void tl_web_cdr(struct tl_web *web, const struct tl_cdr *cdr);
/** @span: only this one of its spans changed; NULL: anything. */
void tl_web_node_changed(struct tl_web *web, const struct tl_node_info *node, const char *span);
/** @fax: desk.schema.json's; borrowed. */
void tl_web_fax_changed(struct tl_web *web, JsonObject *fax);
void tl_web_delivery_changed(struct tl_web *web, const struct tl_delivery_info *delivery);
void tl_web_desk_changed(struct tl_web *web);
