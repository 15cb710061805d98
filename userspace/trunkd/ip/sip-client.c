/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "ip/sip-client.h"

#include <string.h>

#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_alloc.h>
#include <sofia-sip/url.h>

#include "ip/sip-listen.h"

#define EXPIRES_S "300"
#define RETRY_FIRST_MS 2000
#define RETRY_MAX_MS 60000

struct tl_sip_registration {
	struct tl_nua_owner nua;
	struct tl_sip *sip;
	nua_handle_t *nh;
	GList link; /* in sip->registrations */
	char *registrar, *host, *port, *user, *password;
	void (*on_state)(bool registered, unsigned status, void *user_data);
	void *user_data;
	struct tl_timer *retry;
	unsigned retry_ms, challenges;
	bool registered, leaving;
};

static void registration_free(struct tl_sip_registration *r)
{
	if (r->sip)
		g_queue_unlink(&r->sip->registrations, &r->link);
	if (r->nh)
		nua_handle_destroy(r->nh);
	tl_timer_free(r->retry);
	if (r->password)
		explicit_bzero(r->password, strlen(r->password));
	g_free(r->registrar), g_free(r->host), g_free(r->port), g_free(r->user), g_free(r->password);
	g_free(r);
}

static void send_register(void *user)
{
	struct tl_sip_registration *r = user;
	r->challenges = 0;
	nua_register(r->nh, NUTAG_REGISTRAR(r->registrar), NUTAG_M_USERNAME(r->user), SIPTAG_EXPIRES_STR(EXPIRES_S), TAG_END());
}

static void tell(struct tl_sip_registration *r, bool registered, unsigned status)
{
	r->registered = registered;
	if (r->on_state && !r->leaving)
		r->on_state(registered, status, r->user_data);
}

static void on_failure(struct tl_sip_registration *r, unsigned status)
{
	tl_timer_start(r->retry, r->retry_ms);
	r->retry_ms = MIN(2 * r->retry_ms, RETRY_MAX_MS);
	tell(r, false, status);
}

static void on_registered(struct tl_sip_registration *r)
{
	bool before = r->registered;
	r->challenges = 0;
	r->retry_ms = RETRY_FIRST_MS;
	tl_timer_stop(r->retry);
	if (!before)
		tell(r, true, 200);
}

static void on_nua(struct tl_nua_owner *owner, const struct tl_nua_event *event)
{
	struct tl_sip_registration *r = (struct tl_sip_registration *)owner;
	if ((event->kind != nua_r_register && event->kind != nua_r_unregister) || event->status < 200)
		return;
	bool challenged = event->status == 401 || event->status == 407;
	if (challenged && r->challenges++ < 2 && tl_sip_out_authenticate(event->nh, event->sip, r->user, r->password))
		return;
	if (event->kind == nua_r_unregister)
		registration_free(r);
	else if (event->status < 300)
		on_registered(r);
	else
		on_failure(r, (unsigned)event->status);
}

static struct tl_sip_registration *registration_new(struct tl_sip *sip, const char *registrar, const url_t *url,
						    const char *user, const char *password)
{
	struct tl_sip_registration *r = g_new0(struct tl_sip_registration, 1);
	r->nua.on_event = on_nua;
	r->sip = sip;
	r->registrar = g_strdup(registrar);
	r->host = g_strdup(url->url_host);
	r->port = g_strdup(url_port(url));
	r->user = g_strdup(user);
	r->password = g_strdup(password);
	r->retry_ms = RETRY_FIRST_MS;
	r->retry = tl_timer_new("registration retry", send_register, r);
	r->link.data = r;
	g_queue_push_tail_link(&sip->registrations, &r->link);
	return r;
}

struct tl_sip_registration *tl_sip_register(struct tl_sip *sip, const char *registrar, const char *user,
					    const char *password,
					    void (*on_state)(bool registered, unsigned status, void *user_data),
					    void *user_data, GError **error)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	struct tl_sip_registration *r = NULL;
	su_home_init(home);
	url_t *url = url_make(home, registrar);
	struct tl_sip_listener *listener = tl_listener_is_sip(url) ? tl_listener_for(sip, url) : NULL;
	if (!listener || strchr(password, ':')) {
		g_set_error(error, TL_IP_ERROR, TL_IP_ERROR_TARGET, listener ? "the password for \"%s\" has a colon, which the stack cannot send"
			    : "\"%s\" is no registrar that a listening address reaches: expected sip:host:port", registrar);
	} else {
		r = registration_new(sip, registrar, url, user, password);
		r->on_state = on_state;
		r->user_data = user_data;
		char *self = g_strdup_printf("<sip:%s@%s:%s>", user, r->host, r->port);
		r->nh = nua_handle(listener->nua, &r->nua, SIPTAG_TO_STR(self), SIPTAG_FROM_STR(self), TAG_END());
		g_free(self);
		send_register(r);
	}
	su_home_deinit(home);
	return r;
}

void tl_sip_unregister(struct tl_sip_registration *r)
{
	if (!r)
		return;
	r->leaving = true;
	r->challenges = 0;
	tl_timer_stop(r->retry);
	nua_unregister(r->nh, NUTAG_REGISTRAR(r->registrar), NUTAG_M_USERNAME(r->user), TAG_END());
}

void tl_sip_client_identify(struct tl_sip_dialog *d, const url_t *url)
{
	for (GList *l = d->sip->registrations.head; l && !d->user; l = l->next) {
		const struct tl_sip_registration *r = l->data;
		if (g_ascii_strcasecmp(r->host, url->url_host) || strcmp(r->port, url_port(url)))
			continue;
		d->user = g_strdup(r->user);
		d->password = g_strdup(r->password);
		d->identity = g_strdup(r->user);
		/* A registrar knows us by this name alone. */
		d->setup.calling = (struct tl_number){ 0 };
	}
}

void tl_sip_client_abandon(struct tl_sip *sip)
{
	while (sip->registrations.head)
		registration_free(sip->registrations.head->data);
}
