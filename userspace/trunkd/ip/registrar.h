/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Who is registered where (RFC 3261 10): bindings of a user's name to contact
 * URIs, each with its expiry. Pure: no SIP messages, no authentication.
 * Thread: main.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TL_REGISTRAR_CONTACTS_MAX 8 /* of one user; a ninth replaces the oldest */

struct tl_binding {
	const char *contact;  /* URI */
	const char *route;    /* URI to send to instead of the contact's own address; NULL: none */
	const char *call_id;
	uint32_t cseq;
	void *via;            /* the listener it came by; opaque here */
	unsigned expires_s;   /* to bind(): lifetime granted; from lookup(): what is left of it, 0 never */
};

struct tl_registrar;

/** @on_change: @name's first contact came, or its last one went (@contact). */
struct tl_registrar *tl_registrar_new(void (*on_change)(const char *name, bool registered, const char *contact, void *user),
				      void *user);
/** Frees without telling. NULL is legal. */
void tl_registrar_free(struct tl_registrar *registrar);

/**
 * tl_registrar_bind - add, refresh or (expires_s 0) remove one contact; strings are copied.
 * False when it is older than what is bound: same Call-ID and a CSeq not above (RFC 3261 10.3 step 7).
 */
bool tl_registrar_bind(struct tl_registrar *registrar, const char *name, const struct tl_binding *binding);

/** Removes every contact of @name. */
void tl_registrar_clear(struct tl_registrar *registrar, const char *name);

/** Removes every contact of names that @keep denies. */
void tl_registrar_retain(struct tl_registrar *registrar, bool (*keep)(const char *name, void *user), void *user);

/** Shows every binding; it must not be changed meanwhile. */
void tl_registrar_each(const struct tl_registrar *registrar,
		       void (*on_binding)(const char *name, const struct tl_binding *binding, void *user), void *user);

/** Fills at most TL_REGISTRAR_CONTACTS_MAX @bindings, the latest first; borrowed until the next change. Returns how many. */
unsigned tl_registrar_lookup(const struct tl_registrar *registrar, const char *name, struct tl_binding *bindings);
