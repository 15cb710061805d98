/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Browsers' offers: a refusal has its reason, and what is read can be answered. */
#include <glib.h>
#include <string.h>

#include "ip/ip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct tl_transport_side transport = { .ufrag = "a", .password = "b", .fingerprint = "c", .n_candidates = 1,
							    .candidates = { { "192.0.2.1", 1 } } };
	struct tl_browser_offer offer;
	GError *error = NULL;
	char *text = g_strndup((const char *)data, size);
	if (tl_browser_offer_parse(text, &offer, &error)) {
		g_assert(offer.audio < offer.n_streams && (offer.offers[0] || offer.offers[1] || offer.side.opus_payload_type));
		for (unsigned opus = 0; opus < 2; opus++) {
			const struct tl_browser_choice choice = { .law = TL_LAW_ALAW, .opus = opus, .dtx = opus };
			char *answer = tl_browser_answer_format(&offer, &choice, &transport);
			g_assert(strlen(answer) < 4096);
			g_free(answer);
		}
	} else {
		g_assert(error && *error->message);
		g_clear_error(&error);
	}
	g_free(text);
	return 0;
}
