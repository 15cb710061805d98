/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "call/browser.h"

#include <errno.h>
#include <string.h>

#include "call/node.h"
#include "call/report.h"

/* The leg's dialog: nothing is signalled but by leg.connect, so all but its end is done already. */
struct browser {
	struct tl_dialog dialog;
	char session[32];               /* of its last offer */
	struct tl_fingerprint peer;
	bool connected;
};

static struct browser *browser_of(const struct tl_leg *leg)
{
	return (struct browser *)leg->dialog;
}

static int not_now(struct tl_dialog *dialog)
{
	return -EINVAL;
}

static int not_now_inband(struct tl_dialog *dialog, bool inband)
{
	return -EINVAL;
}

static int not_ever(struct tl_dialog *dialog)
{
	return -ENOTSUP;
}

static int release(struct tl_dialog *dialog, unsigned cause)
{
	const struct tl_dialog_event event = { .kind = TL_DIALOG_RELEASED, .cause = cause };
	if (dialog->on_event)
		dialog->on_event(dialog, &event, dialog->user);
	return 0;
}

static void release_memory(struct tl_dialog *dialog)
{
	g_free(dialog);
}

static const struct tl_dialog_ops ops = {
	.proceed = not_now, .alert = not_now_inband, .progress = not_now_inband, .answer = not_now, .release = release,
	.update = not_ever, .free = release_memory,
};

/* ---- offer and answer ---- */

static void refuse_place(const struct tl_leg *leg, const GError *why, GError **error)
{
	if (g_error_matches(why, TL_MEDIA_ERROR, TL_MEDIA_ERROR_CONFIG))
		tl_control_refuse_circuit(error, TL_CAUSE_BEARER_NOT_IMPLEMENTED, "leg %s: %s", leg->id, why->message);
	else
		g_set_error(error, TL_CONTROL_ERROR, TL_CONTROL_OVERLOAD, "leg %s: %s (cause %u)", leg->id, why->message,
			    TL_CAUSE_CONGESTION);
}

static bool open_port(struct tl_leg *leg, const struct tl_rtp_side *side, GError **error)
{
	g_autoptr(GError) why = NULL;
	leg->port = tl_port_new_browser(leg->node->media, side->law, leg, &why);
	if (!leg->port) {
		refuse_place(leg, why, error);
		return false;
	}
	struct browser *browser = g_new0(struct browser, 1);
	browser->dialog = (struct tl_dialog){ .ops = &ops, .on_event = tl_leg_on_dialog, .user = leg,
					      .media = TL_MEDIA_BROWSER };
	leg->dialog = &browser->dialog;
	return true;
}

/* An ICE restart is the same peer connection offering again; a page that was loaded again has made another. */
static bool is_restart(const struct browser *browser, const struct tl_browser_offer *offer)
{
	return !strcmp(browser->session, offer->session) && browser->peer.hash == offer->fingerprint.hash &&
	       !memcmp(browser->peer.octets, offer->fingerprint.octets, sizeof browser->peer.octets);
}

static bool connect_port(struct tl_leg *leg, const struct tl_browser_offer *offer, struct tl_transport_side *transport,
			 GError **error)
{
	struct browser *browser = browser_of(leg);
	g_autoptr(GError) why = NULL;
	if (is_restart(browser, offer) && tl_port_restart_browser(leg->port, transport))
		return true;
	if (!tl_port_connect_browser(leg->port, &offer->fingerprint, transport, &why)) {
		refuse_place(leg, why, error);
		return false;
	}
	browser->connected = false;
	browser->peer = offer->fingerprint;
	g_strlcpy(browser->session, offer->session, sizeof browser->session);
	return true;
}

static void on_grace_over(void *user)
{
	tl_leg_release(user, TL_CAUSE_OUT_OF_ORDER);
}

bool tl_browser_connect(struct tl_leg *leg, const char *text, char **answer, GError **error)
{
	struct tl_browser_offer offer;
	struct tl_transport_side transport;
	g_autoptr(GError) why = NULL;
	if (!tl_browser_offer_parse(text, &offer, &why)) {
		g_set_error(error, TL_CONTROL_ERROR, TL_CONTROL_INVALID_PARAMS, "%s", why->message);
		return false;
	}
	const struct tl_node_config *config = leg->node->config;
	const struct tl_browser_choice choice = { .law = config->law, .opus = config->browser_opus, .dtx = config->media.opus.dtx,
						    .video = config->browser_video };
	const struct tl_rtp_side side = tl_browser_offer_choose(&offer, &choice);
	if ((!leg->port && !open_port(leg, &side, error)) || !connect_port(leg, &offer, &transport, error))
		return false;
	tl_port_set_remote(leg->port, &side);
	if (!leg->timer)
		leg->timer = tl_timer_new("grace", on_grace_over, leg);
	if (!browser_of(leg)->connected)
		tl_timer_start(leg->timer, leg->node->config->browser_grace_s * 1000);
	*answer = tl_browser_answer_format(&offer, &choice, &transport);
	return true;
}

void tl_browser_begin(struct tl_leg *leg)
{
	leg->taken = leg->offered = leg->inband = true;
	leg->node->counters.legs_offered++;
	tl_fact_leg(leg, "offered", NULL, NULL);
	tl_leg_fire(leg, TL_LEG_OFFER);
	tl_leg_fire(leg, TL_LEG_ANSWER);
	/* Answering has stopped it: nobody has come yet. */
	tl_timer_start(leg->timer, leg->node->config->browser_grace_s * 1000);
}

/* ---- media come and go ---- */

static void report_connected(struct tl_leg *leg, const char *address)
{
	JsonObject *params = json_object_new();
	json_object_set_string_member(params, "address", address);
	tl_report_leg(leg, "leg.connected", params);
}

static void report_disconnected(struct tl_leg *leg, enum tl_link_state state, const char *text)
{
	static const char *const why[] = { [TL_LINK_CONSENT] = "consent", [TL_LINK_CLOSED] = "closed",
					   [TL_LINK_FAILED] = "failed" };
	JsonObject *params = json_object_new();
	json_object_set_string_member(params, "why", why[state]);
	json_object_set_int_member(params, "grace_s", leg->node->config->browser_grace_s);
	if (state == TL_LINK_FAILED)
		json_object_set_string_member(params, "error", text);
	tl_report_leg(leg, "leg.disconnected", params);
}

void tl_browser_on_link(struct tl_leg *leg, enum tl_link_state state, const char *text)
{
	if (!tl_leg_is_live(leg))
		return;
	browser_of(leg)->connected = state == TL_LINK_UP;
	if (state == TL_LINK_UP) {
		tl_timer_stop(leg->timer);
		report_connected(leg, text);
		return;
	}
	tl_timer_start(leg->timer, leg->node->config->browser_grace_s * 1000);
	report_disconnected(leg, state, text);
}

bool tl_browser_is_connected(const struct tl_leg *leg)
{
	return leg->dialog && leg->dialog->media == TL_MEDIA_BROWSER && browser_of(leg)->connected;
}
