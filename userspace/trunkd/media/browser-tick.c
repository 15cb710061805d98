/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* A browser's addresses and its consent, and the keys that come and go with it. Thread: tick. */
#include "media/browser.h"
#include "media/hub.h"
#include "media/session.h"

#define STALE_US 5000000 /* browsers check each 2.5 s */

static void leave(struct tl_browser *browser)
{
	for (unsigned i = 0; i < TL_BROWSER_PAIRS; i++)
		if (browser->pairs[i].browser)
			tl_hub_remove_pair(browser->hub, &browser->pairs[i]);
	tl_hub_remove_secret(browser->hub, browser->secret);
	tl_media_return(browser->port->media, &browser->parcel);
}

void tl_browser_set(struct tl_rtp_session *session, struct tl_browser *browser)
{
	if (!session->browser && !browser)
		return;
	if (session->browser)
		leave(session->browser);
	tl_rtp_session_set_keys(session, NULL);
	session->browser = browser;
	session->talking = false;
	session->video = (struct tl_session_video){ 0 };
	if (browser)
		tl_hub_add_secret(browser->hub, browser->secret);
}

void tl_browser_set_secret(struct tl_browser_secret *secret)
{
	struct tl_browser *browser = secret->browser;
	tl_hub_remove_secret(browser->hub, browser->secret);
	tl_media_return(browser->port->media, &browser->secret->parcel);
	browser->secret = secret;
	tl_hub_add_secret(browser->hub, secret);
}

/* A free place, or that of the pair not heard of for the longest time. */
static struct tl_browser_pair *place(struct tl_browser *browser)
{
	struct tl_browser_pair *oldest = NULL;
	for (unsigned i = 0; i < TL_BROWSER_PAIRS; i++) {
		struct tl_browser_pair *pair = &browser->pairs[i];
		if (!pair->browser)
			return pair;
		if (pair != browser->selected && (!oldest || pair->checked_us < oldest->checked_us))
			oldest = pair;
	}
	tl_hub_remove_pair(browser->hub, oldest);
	return oldest;
}

void tl_browser_checked(struct tl_browser *browser, unsigned socket, const union tl_address *from, bool nominated)
{
	int64_t now_us = browser->hub->media->now_us;
	struct tl_browser_pair *pair = tl_hub_find_pair(browser->hub, socket, from);
	if (pair && pair->browser != browser) {
		/* That address was another browser's: a translator has given it to this one. */
		if (pair->browser->selected == pair)
			pair->browser->selected = NULL;
		tl_hub_remove_pair(browser->hub, pair);
		pair->browser = NULL;
		pair = NULL;
	}
	if (!pair) {
		pair = place(browser);
		*pair = (struct tl_browser_pair){ .browser = browser, .address = *from, .socket = socket };
		tl_hub_add_pair(browser->hub, pair);
	}
	pair->checked_us = now_us;
	if (nominated || !browser->selected || now_us - browser->selected->checked_us > STALE_US)
		browser->selected = pair;
}

bool tl_browser_is_up(const struct tl_browser *browser)
{
	return browser->up;
}

void tl_browser_watch(struct tl_browser *browser)
{
	struct tl_media *media = browser->port->media;
	int64_t consent_us = (int64_t)media->config.browser.consent_ms * 1000;
	const struct tl_browser_pair *pair = browser->selected;
	bool up = pair && browser->port->rtp->keys && media->now_us - pair->checked_us < consent_us;
	if (up == browser->up)
		return;
	browser->up = up;
	struct tl_event event = { TL_EVENT_LINK, .port = browser->port, .browser = browser, .up = up };
	if (pair)
		event.address = pair->address;
	tl_media_report(media, &event);
}

bool tl_browser_send(struct tl_browser *browser, const uint8_t *octets, size_t n)
{
	const struct tl_browser_pair *pair = browser->selected;
	return pair && tl_hub_send(browser->hub, pair->socket, &pair->address, octets, n);
}
