/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "call/t38.h"

#include "call/fax.h"
#include "call/junction.h"

#define TL_ROOM "call"
#include "base/log.h"

#define LISTENING_MS 60000

/* It may outlive both of its legs: its thread is told to end it, and says when it has. */
struct tl_gateway {
	struct tl_node *node;
	struct tl_leg *line, *image;     /* NULL once they have left */
	struct tl_fax *machine;
};

const struct tl_t38_side *tl_leg_t38(const struct tl_leg *leg)
{
	const struct tl_dialog *dialog = leg->dialog;
	return dialog && dialog->media == TL_MEDIA_RTP && dialog->remote.t38.on ? &dialog->remote.t38 : NULL;
}

/* The trunk that @leg, by SIP, is bridged with and nobody else; or NULL. */
static struct tl_leg *trunk_of(const struct tl_leg *leg)
{
	const struct tl_junction *junction = leg->junction;
	if (!junction || tl_junction_size(junction) != 2 || !leg->dialog || leg->dialog->media != TL_MEDIA_RTP)
		return NULL;
	struct tl_leg *other = tl_junction_leg(junction, tl_junction_leg(junction, 0) == leg);
	return other->dialog && other->dialog->media == TL_MEDIA_TIMESLOT && other->port && !tl_leg_fax_id(other) ? other : NULL;
}

/* A called machine asks as soon as it has answered, before whoever called it can order the fax. */
static bool may_go_t38(struct tl_dialog *dialog, void *user)
{
	const struct tl_leg *leg = user;
	bool called = leg->outgoing && !leg->junction && !leg->partner;
	return leg->node->config->t38 && tl_leg_is_live(leg) && (tl_leg_fax_id(leg) || trunk_of(leg) || called);
}

void tl_leg_t38_allow(struct tl_leg *leg)
{
	leg->dialog->may_go_t38 = may_go_t38;
}

void tl_leg_t38_offer(struct tl_leg *leg)
{
	struct tl_dialog *dialog = leg->dialog;
	if (!leg->node->config->t38 || !dialog || dialog->media != TL_MEDIA_RTP || dialog->keys || dialog->remote.t38.on ||
	    tl_leg_state(leg) != TL_LEG_ANSWERED)
		return;
	dialog->local.t38 = tl_sdp_t38(leg->node->config->t38_correction);
	if (tl_dialog_update(dialog) != 0)
		dialog->local.t38.on = false;
}

/* ---- gateways ---- */

static void gateway_free(struct tl_gateway *gateway)
{
	if (gateway->line)
		gateway->line->gateway = NULL;
	if (gateway->image)
		gateway->image->gateway = NULL;
	g_ptr_array_remove_fast(gateway->node->gateways, gateway);
	g_free(gateway);
}

static void on_ended(struct tl_fax *machine, const struct tl_fax_result *result, void *user)
{
	tl_info("T.38 gateway: %u pages, %u bit/s%s", result->pages, result->bit_rate, result->ecm ? ", error correction" : "");
	gateway_free(user);
}

static void let_go(const struct tl_gateway *gateway, struct tl_leg *leg)
{
	if (!leg->port)
		return;
	/* At once: whoever taps it next must not lose it when the machine has ended. */
	tl_port_untap(leg->port);
	tl_fax_port_gone(gateway->machine, leg->port);
}

static void stop(struct tl_gateway *gateway)
{
	let_go(gateway, gateway->line);
	let_go(gateway, gateway->image);
	gateway->line->gateway = gateway->image->gateway = NULL;
	gateway->line = gateway->image = NULL;
	tl_fax_stop(gateway->machine, TL_FAX_STOPPED);
}

static void start(struct tl_leg *line, struct tl_leg *image)
{
	static const struct tl_fax_handler handler = { .on_ended = on_ended };
	struct tl_gateway *gateway = g_new0(struct tl_gateway, 1);
	gateway->node = image->node;
	gateway->line = line;
	gateway->image = image;
	line->gateway = image->gateway = gateway;
	g_ptr_array_add(image->node->gateways, gateway);
	tl_info("leg %s: T.38, by a gateway to leg %s", image->id, line->id);
	gateway->machine = tl_fax_gateway_start(image->node->fax_pool, line->port, image->port, tl_leg_t38(image), &handler, gateway);
}

static void look(struct tl_leg *leg)
{
	struct tl_leg *line = trunk_of(leg);
	bool wanted = line && tl_leg_t38(leg) && leg->port && !tl_leg_fax_id(leg);
	if (wanted && !leg->gateway && !line->gateway)
		start(line, leg);
	else if (!wanted && leg->gateway && leg->gateway->image == leg)
		stop(leg->gateway);
}

/*
 * A called machine speaks first. Whoever makes a clear bridge says that there may be one, at any time. Of calls that go by
 * routes nobody has said what they are: they are listened to for longer than a calling machine waits (ITU-T T.30 5.4.3.1: T1, 35 s)
 * and not for ever, as that costs as much as a call. A conductor's calls have people in them: it listens where it wants to.
 */
static void listen_for_fax(struct tl_leg *leg)
{
	struct tl_leg *line = trunk_of(leg);
	if (!line)
		return;
	if (tl_junction_kind(leg->junction) == TL_BRIDGE_CLEAR)
		tl_port_detect_fax(line->port, true);
	else if (!tl_junction_owner(leg->junction))
		tl_port_detect_fax_within(leg->outgoing ? leg->port : line->port, LISTENING_MS);
}

void tl_leg_t38_changed(struct tl_leg *leg)
{
	if (tl_leg_fax_id(leg) && tl_leg_t38(leg))
		tl_leg_fax_go_t38(leg, tl_leg_t38(leg));
	else
		look(leg);
}

void tl_gateway_joined(struct tl_leg *leg)
{
	for (unsigned i = 0; leg->junction && i < tl_junction_size(leg->junction); i++) {
		struct tl_leg *member = tl_junction_leg(leg->junction, i);
		look(member);
		listen_for_fax(member);
	}
}

void tl_gateway_parted(struct tl_leg *leg)
{
	if (leg->gateway)
		stop(leg->gateway);
}

/*
 * A modem would not live through T.38: its tone alone only keeps the audio as it is. The flags of a called fax machine's first
 * message begin T.38, once, as more follow with every page; who is called by SIP asks for itself.
 */
void tl_gateway_heard(struct tl_leg *leg, enum tl_fax_tone tone)
{
	if (!leg->junction || tl_junction_size(leg->junction) != 2)
		return;
	tl_bridge_hold_still(tl_junction_bridge(leg->junction));
	if (tone != TL_FAX_TONE_PREAMBLE)
		return;
	tl_port_detect_fax(leg->port, false);
	for (unsigned i = 0; i < 2; i++) {
		struct tl_leg *member = tl_junction_leg(leg->junction, i);
		if (trunk_of(member) == leg)
			tl_leg_t38_offer(member);
	}
}

void tl_gateways_end_all(struct tl_node *node)
{
	while (node->gateways->len)
		gateway_free(g_ptr_array_index(node->gateways, 0));
}
