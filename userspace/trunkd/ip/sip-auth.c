/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "ip/sip-auth.h"

#include <stdlib.h>
#include <string.h>

#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_alloc.h>

#include "ip/causes.h"
#include "ip/kept.h"
#include "ip/sip-listen.h"

#define CONTACT_OCTETS_MAX 512

const char *tl_sip_user_named(const struct tl_sip *sip, const char *name)
{
	void *key;
	return g_hash_table_lookup_extended(sip->users, name, &key, NULL) ? key : NULL;
}

static void answer(const struct tl_nua_event *event, unsigned status)
{
	nua_respond(event->nh, (int)status, tl_status_phrase(status), NUTAG_WITH_THIS(event->listener->nua), TAG_END());
	nua_handle_destroy(event->nh);
}

static void challenge(const struct tl_nua_event *event, bool stale)
{
	char *value = tl_digest_challenge(event->listener->sip->digest, stale);
	nua_respond(event->nh, 401, tl_status_phrase(401), NUTAG_WITH_THIS(event->listener->nua),
		    SIPTAG_WWW_AUTHENTICATE_STR(value), TAG_END());
	nua_handle_destroy(event->nh);
	g_free(value);
}

/* The header again as text: sip_header_as_string() of this version cuts long ones short. */
static char *authorization_text(const sip_authorization_t *a)
{
	GString *text = g_string_new(a->au_scheme);
	for (const msg_param_t *p = a->au_params; p && *p; p++)
		g_string_append_printf(text, "%s%s", p == a->au_params ? " " : ", ", *p);
	return g_string_free(text, FALSE);
}

/* The first Authorization for our realm. 0: none, 1: read, -1: malformed. */
static int read_credentials(const struct tl_nua_event *event, struct tl_digest_fields *fields)
{
	const char *realm = event->listener->sip->realm;
	int found = 0;
	for (const sip_authorization_t *a = event->sip->sip_authorization; a && found != 1; a = a->au_next) {
		char *text = authorization_text(a);
		struct tl_digest_fields read;
		if (!tl_digest_parse(text, strlen(text), &read)) {
			found = -1;
		} else if (!strcmp(read.realm, realm)) {
			*fields = read;
			found = 1;
		}
		g_free(text);
	}
	return found;
}

bool tl_sip_auth_check(const struct tl_nua_event *event, const char *name)
{
	struct tl_sip *sip = event->listener->sip;
	struct tl_digest_fields fields;
	int found = read_credentials(event, &fields);
	if (found < 0) {
		sip->counters.messages_refused++;
		answer(event, 400);
		return false;
	}
	if (!found) {
		challenge(event, false);
		return false;
	}
	const struct tl_phone *phone = g_hash_table_lookup(sip->users, name);
	enum tl_digest_verdict verdict = TL_DIGEST_FAILED;
	if (phone && !strcmp(fields.username, name))
		verdict = tl_digest_verify(sip->digest, &fields, event->sip->sip_request->rq_method_name, phone->ha1);
	if (verdict == TL_DIGEST_PASSED)
		return true;
	if (verdict == TL_DIGEST_STALE) {
		challenge(event, true);
	} else {
		sip->counters.auth_failures++;
		answer(event, 403);
	}
	return false;
}

static bool is_star(const sip_contact_t *contact)
{
	return contact && contact->m_url->url_type == url_any;
}

/* What is asked for one contact; 0 removes. */
static unsigned asked_s(const struct tl_sip *sip, const sip_t *message, const sip_contact_t *contact)
{
	if (contact->m_expires)
		return (unsigned)MIN(strtoul(contact->m_expires, NULL, 10), 0xffffffffUL);
	if (message->sip_expires)
		return (unsigned)MIN(message->sip_expires->ex_delta, 0xffffffffUL);
	return sip->register_max_s;
}

/* 0, or the status that refuses the whole REGISTER (RFC 3261 10.3 steps 6 and 7). */
static unsigned check_contacts(const struct tl_sip *sip, const sip_t *message)
{
	unsigned n = 0;
	for (const sip_contact_t *c = message->sip_contact; c; c = c->m_next, n++) {
		if (is_star(c))
			return c == message->sip_contact && !c->m_next && message->sip_expires &&
				       !message->sip_expires->ex_delta ? 0 : 400;
		unsigned asked = asked_s(sip, message, c);
		if (!tl_listener_is_sip(c->m_url) || !c->m_url->url_host || n == TL_REGISTRAR_CONTACTS_MAX)
			return 400;
		if (asked && asked < sip->register_min_s)
			return 423;
	}
	return 0;
}

/* A contact that its sender cannot be reached by (address translation): go back where it came from. */
static char *route_back(const struct tl_nua_event *event, const sip_contact_t *contact)
{
	char host[64], claimed[64];
	unsigned port;
	if (!tl_listener_source(event->listener, host, &port) || !tl_listener_canonical_host(contact->m_url, claimed) ||
	    !strcmp(claimed, host))
		return NULL;
	const sip_via_t *via = event->sip->sip_via;
	bool tcp = via && via->v_protocol && g_str_has_suffix(via->v_protocol, "TCP");
	return tl_listener_uri(host, port, event->listener->tls ? "tls" : tcp ? "tcp" : "udp");
}

static bool bind_contact(const struct tl_nua_event *event, const char *name, const sip_contact_t *contact)
{
	struct tl_sip *sip = event->listener->sip;
	char uri[CONTACT_OCTETS_MAX];
	if (url_e(uri, sizeof(uri), contact->m_url) >= (issize_t)sizeof(uri))
		return false;
	char *route = route_back(event, contact);
	struct tl_binding binding = {
		.contact = uri,
		.route = route,
		.call_id = event->sip->sip_call_id->i_id,
		.cseq = event->sip->sip_cseq->cs_seq,
		.via = event->listener,
		.expires_s = MIN(asked_s(sip, event->sip, contact), sip->register_max_s),
	};
	bool bound = tl_registrar_bind(sip->registrar, name, &binding);
	tl_kept_changed(sip->kept);
	g_free(route);
	return bound;
}

static unsigned bind_all(const struct tl_nua_event *event, const char *name)
{
	const sip_contact_t *first = event->sip->sip_contact;
	if (is_star(first)) {
		tl_registrar_clear(event->listener->sip->registrar, name);
		return 200;
	}
	for (const sip_contact_t *c = first; c; c = c->m_next)
		if (!bind_contact(event, name, c))
			return 500;
	return 200;
}

static void confirm(const struct tl_nua_event *event, const char *name)
{
	struct tl_binding bindings[TL_REGISTRAR_CONTACTS_MAX];
	unsigned n = tl_registrar_lookup(event->listener->sip->registrar, name, bindings);
	GString *contacts = g_string_new(NULL);
	for (unsigned i = 0; i < n; i++)
		g_string_append_printf(contacts, "%s<%s>;expires=%u", i ? ", " : "", bindings[i].contact,
				       bindings[i].expires_s);
	nua_respond(event->nh, 200, "OK", NUTAG_WITH_THIS(event->listener->nua),
		    TAG_IF(n, SIPTAG_CONTACT_STR(contacts->str)), TAG_END());
	nua_handle_destroy(event->nh);
	g_string_free(contacts, TRUE);
}

void tl_sip_auth_register(const struct tl_nua_event *event)
{
	struct tl_sip *sip = event->listener->sip;
	const sip_t *message = event->sip;
	const char *user = message->sip_to->a_url->url_user;
	const char *name = user ? tl_sip_user_named(sip, user) : NULL;
	sip->counters.registers++;
	if (!name) {
		sip->counters.unknown_users++;
		answer(event, 404);
		return;
	}
	if (!tl_sip_auth_check(event, name))
		return;
	unsigned status = check_contacts(sip, message);
	if (status == 423) {
		char min[16];
		g_snprintf(min, sizeof(min), "%u", sip->register_min_s);
		nua_respond(event->nh, 423, tl_status_phrase(423), NUTAG_WITH_THIS(event->listener->nua),
			    SIPTAG_MIN_EXPIRES_STR(min), TAG_END());
		nua_handle_destroy(event->nh);
		return;
	}
	if (!status)
		status = bind_all(event, name);
	if (status == 200)
		confirm(event, name);
	else
		answer(event, status);
}
